-- The people whom a tenant's bots talk to.

CREATE TABLE contacts (
    id serial PRIMARY KEY,
    phone_number varchar(255) NOT NULL UNIQUE,
    name varchar(255),
    thread_id varchar(255) UNIQUE,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    -- The legacy client names no bot: its rows are the default bot's.
    chatbot_id integer NOT NULL DEFAULT 1 REFERENCES chatbots (id),
    tags text[] NOT NULL DEFAULT '{}',
    custom_fields jsonb NOT NULL DEFAULT '{}',
    last_interaction timestamptz,
    contact_status text NOT NULL DEFAULT 'active'
        CHECK (contact_status IN ('active', 'blocked', 'archived')),
    conversation_paused boolean NOT NULL DEFAULT false
);

COMMENT ON TABLE contacts IS 'The people whom a tenant''s bots talk to';
COMMENT ON COLUMN contacts.thread_id IS 'The conversation in LangGraph''s checkpoint tables';
COMMENT ON COLUMN contacts.conversation_paused IS 'A person has taken over: the bot stays silent';

-- The legacy client looks a contact up by the number alone.
CREATE INDEX idx_contacts_phone_number ON contacts (phone_number);
CREATE INDEX idx_contacts_chatbot ON contacts (user_id, chatbot_id, last_interaction DESC);
-- The front end pages through them, the latest first.
CREATE INDEX idx_contacts_latest ON contacts (user_id, last_interaction DESC, id DESC);
