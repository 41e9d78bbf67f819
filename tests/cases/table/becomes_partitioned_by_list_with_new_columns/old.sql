CREATE TABLE accounts (id integer PRIMARY KEY);
CREATE TABLE logs (
    id integer NOT NULL,
    account integer REFERENCES accounts,
    text text,
    CONSTRAINT logs_pk PRIMARY KEY (id)
);
CREATE UNIQUE INDEX logs_text ON logs (lower(text));
ALTER TABLE logs REPLICA IDENTITY USING INDEX logs_pk;
ALTER TABLE logs SET (fillfactor = 70);
