CREATE TABLE parents (id integer PRIMARY KEY, parent integer REFERENCES parents);
CREATE TABLE children (id integer PRIMARY KEY, parent integer REFERENCES parents);
CREATE UNLOGGED TABLE visits (id integer PRIMARY KEY);
CREATE UNLOGGED TABLE pages (id integer PRIMARY KEY, visit integer REFERENCES visits);
