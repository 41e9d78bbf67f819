CREATE TABLE users (id bigint PRIMARY KEY);

CREATE TABLE faxes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number bigserial,
    user_id bigint NOT NULL REFERENCES users,
    pages integer NOT NULL DEFAULT 1 CHECK (pages > 0),
    note text
);
COMMENT ON TABLE faxes IS 'who still sends these';
COMMENT ON COLUMN faxes.note IS 'by hand';
CREATE INDEX faxes_of_user ON faxes (user_id);

CREATE TABLE replies (id bigint PRIMARY KEY, fax_id bigint REFERENCES faxes (id));

CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := now(); RETURN NEW; END';
CREATE TRIGGER stamped BEFORE UPDATE ON faxes FOR EACH ROW EXECUTE FUNCTION stamp();

ALTER TABLE faxes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON faxes USING (user_id = current_setting('app.user')::bigint);
GRANT SELECT, INSERT ON faxes TO app_writer;
GRANT SELECT (note) ON faxes TO app_reader;
GRANT USAGE ON SEQUENCE faxes_number_seq TO app_writer;

CREATE VIEW long_faxes AS SELECT id FROM faxes WHERE pages > 10;
CREATE PUBLICATION everything FOR TABLE users, faxes;
