CREATE TABLE accounts (id integer PRIMARY KEY, tenant integer NOT NULL);
CREATE TABLE invoices (tenant integer NOT NULL, account integer, CONSTRAINT invoices_account_fkey FOREIGN KEY (account) REFERENCES accounts);
COMMENT ON CONSTRAINT invoices_account_fkey ON invoices IS 'who pays';

CREATE TABLE nodes (id integer NOT NULL, above integer, CONSTRAINT nodes_key PRIMARY KEY (id));
ALTER TABLE nodes ADD CONSTRAINT nodes_above FOREIGN KEY (above) REFERENCES nodes (id);
CREATE TABLE leaves (node integer CONSTRAINT leaves_node REFERENCES nodes (id) ON DELETE CASCADE);

CREATE TABLE words (word text CONSTRAINT words_word UNIQUE, said integer);
CREATE TABLE uses (word text CONSTRAINT uses_word REFERENCES words (word), again text CONSTRAINT uses_again REFERENCES words (word));
