CREATE SCHEMA api;
CREATE TABLE contacts (id integer, name text);
CREATE VIEW api.contacts AS SELECT id, name FROM public.contacts;
CREATE VIEW contact_names AS SELECT name FROM api.contacts;
