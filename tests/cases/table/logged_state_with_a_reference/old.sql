-- A logged table may not refer to an unlogged one: the order of the two changes matters.
CREATE UNLOGGED TABLE parents (id integer PRIMARY KEY);
CREATE UNLOGGED TABLE children (id integer REFERENCES parents);
