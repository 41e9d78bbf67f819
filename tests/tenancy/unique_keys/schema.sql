CREATE SCHEMA app;
CREATE FUNCTION app.tenant() RETURNS integer LANGUAGE sql STABLE RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL);
CREATE TABLE countries (code text PRIMARY KEY, name text UNIQUE);
CREATE TABLE contacts (
    id serial PRIMARY KEY,
    phone text NOT NULL UNIQUE, -- as dialled
    email text CONSTRAINT contacts_email UNIQUE NULLS NOT DISTINCT WITH (fillfactor = 70) DEFERRABLE CHECK (email <> ''),
    country text REFERENCES countries,
    wa_id text UNIQUE, -- tenantry: global because WhatsApp's ids are
    CONSTRAINT contacts_name UNIQUE (country, phone) INCLUDE (email)
);
CREATE TABLE tags (contact_id integer REFERENCES contacts, tag text, PRIMARY KEY (contact_id, tag));
CREATE TABLE settings (name text PRIMARY KEY, value jsonb);
CREATE TABLE bookings (room text, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&));
CREATE TABLE devices (id bigserial PRIMARY KEY, serial text UNIQUE, label text);
CREATE UNIQUE INDEX devices_label ON devices USING btree (lower(label)) WHERE label IS NOT NULL;
CREATE UNIQUE INDEX devices_printed -- tenantry: global because a label is printed
    ON devices (label);
CREATE INDEX devices_plain ON devices (label);
