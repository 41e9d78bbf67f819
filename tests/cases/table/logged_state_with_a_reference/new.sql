CREATE TABLE parents (id integer PRIMARY KEY);
CREATE TABLE children (id integer REFERENCES parents);
