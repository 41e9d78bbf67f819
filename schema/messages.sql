-- Every message in and out, by the month in which it was sent.

CREATE TABLE messages (
    id serial,
    message_id varchar(255) NOT NULL,
    contact_id integer NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    direction varchar(10) NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
    message_type varchar(50) NOT NULL,
    content_text text,
    content_url varchar(2048),
    status varchar(50),
    sent_at timestamptz NOT NULL,
    metadata jsonb,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    -- The legacy client names no bot: its rows are the default bot's.
    chatbot_id integer NOT NULL DEFAULT 1 REFERENCES chatbots (id),
    is_from_human boolean NOT NULL DEFAULT false,
    ai_processed boolean NOT NULL DEFAULT false,
    confidence_score numeric(4, 3) CHECK (confidence_score BETWEEN 0 AND 1),
    processing_duration interval,
    error_details jsonb,
    PRIMARY KEY (id, sent_at)
) PARTITION BY RANGE (sent_at);

COMMENT ON TABLE messages IS 'Every message in and out, with what the AI made of it';
COMMENT ON COLUMN messages.message_id IS 'WhatsApp''s own id';
COMMENT ON COLUMN messages.is_from_human IS 'Written by a person on the tenant''s side, not by the bot';
COMMENT ON COLUMN messages.confidence_score IS 'The AI''s own estimate, from 0 to 1';

CREATE INDEX idx_messages_contact_id ON messages (contact_id);
CREATE INDEX idx_messages_conversation ON messages (user_id, contact_id, sent_at DESC);
-- Who asks for what is new since a message: the legacy client does so each second.
CREATE INDEX idx_messages_new ON messages (user_id, id);
CREATE INDEX idx_messages_chatbot ON messages (user_id, chatbot_id, sent_at DESC);

-- What was one table before is the first partition, and is that until the year turns. From then on there is one for each
-- month: app.add_message_partitions() makes those to come, app.retire_messages() takes away those that are too old.
CREATE TABLE messages_first PARTITION OF messages FOR VALUES FROM (MINVALUE) TO ('2027-01-01 00:00+00');
CREATE TABLE messages_2027_01 PARTITION OF messages FOR VALUES FROM ('2027-01-01 00:00+00') TO ('2027-02-01 00:00+00');
CREATE TABLE messages_2027_02 PARTITION OF messages FOR VALUES FROM ('2027-02-01 00:00+00') TO ('2027-03-01 00:00+00');
CREATE TABLE messages_2027_03 PARTITION OF messages FOR VALUES FROM ('2027-03-01 00:00+00') TO ('2027-04-01 00:00+00');
CREATE TABLE messages_2027_04 PARTITION OF messages FOR VALUES FROM ('2027-04-01 00:00+00') TO ('2027-05-01 00:00+00');
CREATE TABLE messages_2027_05 PARTITION OF messages FOR VALUES FROM ('2027-05-01 00:00+00') TO ('2027-06-01 00:00+00');
CREATE TABLE messages_2027_06 PARTITION OF messages FOR VALUES FROM ('2027-06-01 00:00+00') TO ('2027-07-01 00:00+00');
-- A message is never refused because nobody has made room for it.
CREATE TABLE messages_later PARTITION OF messages DEFAULT;

-- WhatsApp delivers a message again when it got no answer. A partition refuses it twice; over all of them a key would have
-- to have the date in it, so the others are asked.
ALTER TABLE messages_first ADD UNIQUE (user_id, message_id);
ALTER TABLE messages_2027_01 ADD UNIQUE (user_id, message_id);
ALTER TABLE messages_2027_02 ADD UNIQUE (user_id, message_id);
ALTER TABLE messages_2027_03 ADD UNIQUE (user_id, message_id);
ALTER TABLE messages_2027_04 ADD UNIQUE (user_id, message_id);
ALTER TABLE messages_2027_05 ADD UNIQUE (user_id, message_id);
ALTER TABLE messages_2027_06 ADD UNIQUE (user_id, message_id);
ALTER TABLE messages_later ADD UNIQUE (user_id, message_id);

CREATE FUNCTION app.refuse_known_message() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM public.messages m
                WHERE m.user_id = NEW.user_id AND m.message_id = NEW.message_id AND m.id <> NEW.id) THEN
        RAISE unique_violation USING
            MESSAGE = format('a message with message_id %L is there already', NEW.message_id),
            SCHEMA = 'public', TABLE = 'messages', COLUMN = 'message_id';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION app.refuse_known_message() IS 'Keeps a tenant''s message_id unique over all months';
CREATE TRIGGER refuse_known BEFORE INSERT OR UPDATE OF message_id ON messages
    FOR EACH ROW EXECUTE FUNCTION app.refuse_known_message();

-- Messages are retired by the month, and what came of them stays. So nothing refers to a message by a foreign key; that
-- the tenant has it is looked up when it is written down.
CREATE FUNCTION app.message_is_known() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.messages m WHERE m.user_id = NEW.user_id AND m.id = NEW.message_id) THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('there is no message %s', NEW.message_id),
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'message_id';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION app.message_is_known() IS 'Refuses what names a message that the tenant does not have';

CREATE FUNCTION app.add_message_partitions(months integer DEFAULT 3) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    first timestamptz;
    partition text;
    made integer := 0;
BEGIN
    SELECT max((regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz)
      INTO first
      FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'public.messages'::regclass;
    WHILE first < date_trunc('month', CURRENT_TIMESTAMP, 'UTC') + make_interval(months => months + 1) LOOP
        partition := 'messages_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.messages FOR VALUES FROM (%L) TO (%L)',
                       partition, first, date_trunc('month', first, 'UTC') + interval '1 month');
        EXECUTE format('ALTER TABLE public.%I ADD UNIQUE (user_id, message_id)', partition);
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', partition);
        first := date_trunc('month', first, 'UTC') + interval '1 month';
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION app.add_message_partitions(integer) IS
    'Makes the partitions of the months to come, for the owner of messages. How many were made';

CREATE FUNCTION app.retire_messages(keep interval) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    partition regclass;
    gone integer := 0;
BEGIN
    FOR partition IN
        SELECT c.oid::regclass
          FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'public.messages'::regclass
           AND (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz
               <= CURRENT_TIMESTAMP - keep
         ORDER BY 1
    LOOP
        EXECUTE format('ALTER TABLE public.messages DETACH PARTITION %s', partition);
        EXECUTE format('DROP TABLE %s', partition);
        gone := gone + 1;
    END LOOP;
    RETURN gone;
END
$$;
COMMENT ON FUNCTION app.retire_messages(interval) IS
    'Drops partitions all of whose messages are older, for the owner of messages. How many are gone';
REVOKE EXECUTE ON FUNCTION app.add_message_partitions(integer), app.retire_messages(interval) FROM PUBLIC;
