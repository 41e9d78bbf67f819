CREATE TABLE people (id integer PRIMARY KEY);
CREATE TABLE contacts (id integer PRIMARY KEY);
CREATE TABLE messages (who integer, CONSTRAINT who FOREIGN KEY (who) REFERENCES contacts);
