CREATE TABLE other (id integer CONSTRAINT people_pkey PRIMARY KEY);
-- tenantry: was people
CREATE TABLE persons (id integer PRIMARY KEY, n integer);
