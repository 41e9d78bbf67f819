CREATE TABLE accounts (id integer UNIQUE, tenant integer NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE invoices (tenant integer NOT NULL, account integer, CONSTRAINT invoices_account FOREIGN KEY (tenant, account) REFERENCES accounts);
COMMENT ON CONSTRAINT invoices_account ON invoices IS 'who pays';

CREATE TABLE nodes (id integer NOT NULL, above integer, CONSTRAINT nodes_pkey PRIMARY KEY (id));
ALTER TABLE nodes ADD CONSTRAINT nodes_above_fkey FOREIGN KEY (above) REFERENCES nodes (id);
CREATE TABLE leaves (node integer CONSTRAINT leaves_node_fkey REFERENCES nodes (id) ON DELETE SET NULL);

CREATE TABLE words (word text, said integer, CONSTRAINT words_word UNIQUE (word) INCLUDE (said));
CREATE TABLE uses (word text CONSTRAINT uses_word REFERENCES words (word), again text CONSTRAINT uses_again_fkey REFERENCES words (word));
