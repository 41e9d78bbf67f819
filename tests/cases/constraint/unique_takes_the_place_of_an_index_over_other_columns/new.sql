CREATE TABLE accounts (id integer, tenant integer NOT NULL, mail text NOT NULL, CONSTRAINT accounts_mail UNIQUE (tenant, mail));
COMMENT ON CONSTRAINT accounts_mail ON accounts IS 'one account of a tenant';
CREATE TABLE notes (id integer NOT NULL, body text, CONSTRAINT notes_one UNIQUE (id) INCLUDE (body));
ALTER TABLE notes REPLICA IDENTITY USING INDEX notes_one;
ALTER TABLE notes CLUSTER ON notes_one;
CREATE TABLE marks (id integer, n integer, CONSTRAINT marks_n UNIQUE (n, id) DEFERRABLE INITIALLY DEFERRED);
