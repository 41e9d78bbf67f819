CREATE TABLE a (id serial);
CREATE TABLE b (id integer DEFAULT nextval('a_id_seq'));
