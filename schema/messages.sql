-- Every message in and out.

CREATE TABLE messages (
    id serial PRIMARY KEY,
    message_id varchar(255) NOT NULL UNIQUE,
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
    error_details jsonb
);

COMMENT ON TABLE messages IS 'Every message in and out, with what the AI made of it';
COMMENT ON COLUMN messages.message_id IS 'WhatsApp''s own id';
COMMENT ON COLUMN messages.is_from_human IS 'Written by a person on the tenant''s side, not by the bot';
COMMENT ON COLUMN messages.confidence_score IS 'The AI''s own estimate, from 0 to 1';

CREATE INDEX idx_messages_contact_id ON messages (contact_id);
CREATE INDEX idx_messages_conversation ON messages (user_id, contact_id, sent_at DESC);
CREATE INDEX idx_messages_chatbot ON messages (user_id, chatbot_id, sent_at DESC);
