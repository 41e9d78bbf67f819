CREATE SCHEMA app;

CREATE TABLE app.thing (id integer DEFAULT 1 NOT NULL, CONSTRAINT thing_pkey PRIMARY KEY (id));
CREATE TABLE app.other (id bigint NOT NULL, CONSTRAINT other_pkey PRIMARY KEY (id));
ALTER TABLE app.other OWNER TO app_owner;
