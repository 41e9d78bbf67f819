CREATE TABLE contacts (id integer);
ALTER TABLE contacts OWNER TO app_owner;
