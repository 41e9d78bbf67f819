CREATE TABLE contacts (id integer);
COMMENT ON TABLE contacts IS '''; DROP TABLE contacts; --';
COMMENT ON COLUMN contacts.id IS E'tab\t, newline\n, \\backslash, "quote", $$dollar$$, */ /* -- 🙂, \\n';
