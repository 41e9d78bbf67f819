CREATE TABLE other (id integer CONSTRAINT people_pkey PRIMARY KEY);
CREATE TABLE people (id integer PRIMARY KEY, n integer);
