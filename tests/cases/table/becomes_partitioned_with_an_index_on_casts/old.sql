CREATE TABLE contacts (id serial PRIMARY KEY, name text);
CREATE TABLE messages (
    id serial PRIMARY KEY,
    contact_id integer NOT NULL REFERENCES contacts ON DELETE CASCADE,
    body text CHECK (body <> ''),
    direction varchar(10) DEFAULT 'in' CHECK (direction IN ('in', 'out')),
    sent_at timestamptz NOT NULL DEFAULT '2024-06-01'
);
CREATE INDEX messages_contact ON messages (contact_id);
CREATE INDEX messages_moving ON messages (lower(body)) WHERE direction IN ('in', 'out');
COMMENT ON TABLE messages IS 'what was said';
COMMENT ON COLUMN messages.body IS 'in its own words';
GRANT SELECT, INSERT ON messages TO app_writer;
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON messages FOR SELECT TO app_reader USING (contact_id > 0);
CREATE VIEW latest AS SELECT id, body FROM messages WHERE sent_at > '2024-01-01';
GRANT SELECT ON latest TO app_reader;
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION touched();
CREATE PUBLICATION feed FOR TABLE messages;
