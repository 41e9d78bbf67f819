CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE a (id integer);
CREATE TABLE b (id integer, x a);
