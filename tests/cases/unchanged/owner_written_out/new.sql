CREATE TABLE contacts (id integer);
ALTER TABLE contacts OWNER TO postgres;
