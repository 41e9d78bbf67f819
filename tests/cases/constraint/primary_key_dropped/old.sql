-- Its columns stay NOT NULL.
CREATE TABLE contacts (id integer PRIMARY KEY);
