CREATE SCHEMA app;

CREATE TABLE app.orders (id integer NOT NULL, CONSTRAINT orders_pkey PRIMARY KEY (id));
CREATE TABLE app.lines (note text);
