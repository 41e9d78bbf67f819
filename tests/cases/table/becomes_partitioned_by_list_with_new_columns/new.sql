CREATE TABLE accounts (id integer PRIMARY KEY);
CREATE TABLE logs (
    id integer NOT NULL,
    account integer REFERENCES accounts,
    text text,
    level integer NOT NULL DEFAULT 1,
    CONSTRAINT logs_pk PRIMARY KEY (id, account)
) PARTITION BY LIST (account);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES IN (1);
CREATE INDEX logs_text ON logs (lower(text));
CREATE INDEX logs_level ON logs (level);
