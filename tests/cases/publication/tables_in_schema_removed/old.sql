CREATE SCHEMA app;
CREATE TABLE app.contacts (id integer);
CREATE PUBLICATION changes FOR TABLES IN SCHEMA app, public;
