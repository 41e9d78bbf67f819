CREATE TABLE contacts (id integer) WITH (fillfactor = 90, parallel_workers = 4);
