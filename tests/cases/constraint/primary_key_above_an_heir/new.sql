CREATE SCHEMA app;

CREATE TABLE app.plain (id integer NOT NULL, CONSTRAINT plain_pkey PRIMARY KEY (id));
CREATE TABLE app.heir () INHERITS (app.plain);

CREATE TABLE app.used (id integer NOT NULL, CONSTRAINT used_pkey PRIMARY KEY (id));
CREATE TABLE app.used_heir () INHERITS (app.used);
