-- SwiftReplies' database as it is today: one business, one bot, no tenants.
-- The example's plan starts here; nothing in this file is part of the declared schema.

-- The login that the service is to have in the end, in place of postgres: created beforehand, and without rights yet.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'legacy_client') THEN
        CREATE ROLE legacy_client LOGIN;
    END IF;
END $$;

CREATE TABLE contacts (
    id serial PRIMARY KEY,
    phone_number varchar(255) UNIQUE NOT NULL,
    name varchar(255),
    thread_id varchar(255) UNIQUE,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE messages (
    id serial PRIMARY KEY,
    message_id varchar(255) UNIQUE NOT NULL,
    contact_id integer NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    direction varchar(10) NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
    message_type varchar(50) NOT NULL,
    content_text text,
    content_url varchar(2048),
    status varchar(50),
    sent_at timestamptz NOT NULL,
    metadata jsonb,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_messages_contact_id ON messages (contact_id);

CREATE TABLE orders (
    id serial PRIMARY KEY,
    contact_id integer NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    message_id integer REFERENCES messages (id),
    order_details jsonb,
    status varchar(50) NOT NULL DEFAULT 'pending',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_orders_contact_id ON orders (contact_id);

CREATE TABLE campaigns (
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL,
    type varchar(50) NOT NULL,
    message_template text NOT NULL,
    is_active boolean DEFAULT true,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE campaign_subscribers (
    id serial PRIMARY KEY,
    campaign_id integer REFERENCES campaigns (id) ON DELETE CASCADE,
    contact_id integer REFERENCES contacts (id) ON DELETE CASCADE,
    status varchar(50) DEFAULT 'subscribed' CHECK (status IN ('subscribed', 'unsubscribed')),
    subscribed_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (campaign_id, contact_id)
);

-- The state of the conversations, kept by LangGraph's PostgreSQL checkpointer, which makes these tables
-- itself. thread_id is that of contacts.

CREATE TABLE checkpoint_migrations (
    v integer PRIMARY KEY
);

CREATE TABLE checkpoints (
    thread_id text NOT NULL,
    checkpoint_ns text NOT NULL DEFAULT '',
    checkpoint_id text NOT NULL,
    parent_checkpoint_id text,
    type text,
    checkpoint jsonb NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
);

CREATE TABLE checkpoint_blobs (
    thread_id text NOT NULL,
    checkpoint_ns text NOT NULL DEFAULT '',
    channel text NOT NULL,
    version text NOT NULL,
    type text NOT NULL,
    blob bytea,
    PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
);

CREATE TABLE checkpoint_writes (
    thread_id text NOT NULL,
    checkpoint_ns text NOT NULL DEFAULT '',
    checkpoint_id text NOT NULL,
    task_id text NOT NULL,
    idx integer NOT NULL,
    channel text NOT NULL,
    type text,
    blob bytea NOT NULL,
    task_path text NOT NULL DEFAULT '',
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
);

CREATE INDEX checkpoints_thread_id_idx ON checkpoints (thread_id);
CREATE INDEX checkpoint_blobs_thread_id_idx ON checkpoint_blobs (thread_id);
CREATE INDEX checkpoint_writes_thread_id_idx ON checkpoint_writes (thread_id);
