CREATE TABLE contacts (id integer, name text);
CREATE VIEW names AS SELECT name FROM contacts;
CREATE VIEW long_names AS SELECT name FROM names WHERE length(name) > 10;
