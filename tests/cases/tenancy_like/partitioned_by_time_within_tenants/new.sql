CREATE TABLE messages (
    user_id integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, id, sent_at)
) PARTITION BY RANGE (sent_at);
CREATE TABLE messages_2026_01 PARTITION OF messages
    FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00');
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages_2026_01 ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON messages USING (user_id = (SELECT current_setting('app.tenant', true)::integer));
