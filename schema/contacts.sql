-- The people whom a tenant's bots talk to.

CREATE TABLE contacts (
    id serial PRIMARY KEY,
    phone_number varchar(255) NOT NULL,
    name varchar(255),
    thread_id varchar(255),
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    -- The legacy client names neither tenant nor bot: its rows are the admin's.
    user_id integer NOT NULL DEFAULT 1 REFERENCES users (id),
    chatbot_id integer NOT NULL DEFAULT 1,
    tags text[] NOT NULL DEFAULT '{}',
    custom_fields jsonb NOT NULL DEFAULT '{}',
    last_interaction timestamptz,
    contact_status text NOT NULL DEFAULT 'active'
        CHECK (contact_status IN ('active', 'blocked', 'archived')),
    conversation_paused boolean NOT NULL DEFAULT false,
    UNIQUE (user_id, id),
    UNIQUE (user_id, phone_number),
    UNIQUE (user_id, thread_id),
    FOREIGN KEY (user_id, chatbot_id) REFERENCES chatbots (user_id, id)
);

COMMENT ON TABLE contacts IS 'The people whom a tenant''s bots talk to';
COMMENT ON COLUMN contacts.thread_id IS 'The conversation in LangGraph''s checkpoint tables';
COMMENT ON COLUMN contacts.conversation_paused IS 'A person has taken over: the bot stays silent';

-- The legacy client looks a contact up by the number alone.
CREATE INDEX idx_contacts_phone_number ON contacts (phone_number);
CREATE INDEX idx_contacts_chatbot ON contacts (user_id, chatbot_id, last_interaction DESC);

ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contacts
    USING (user_id = (SELECT app.current_tenant()));
