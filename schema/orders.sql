-- What contacts have ordered in a conversation.

CREATE TABLE orders (
    id serial PRIMARY KEY,
    contact_id integer NOT NULL,
    message_id integer,
    order_details jsonb,
    status varchar(50) NOT NULL DEFAULT 'pending',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    -- The legacy client names no tenant: its rows are the admin's.
    user_id integer NOT NULL DEFAULT 1 REFERENCES users (id),
    UNIQUE (user_id, id),
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, message_id) REFERENCES messages (user_id, id)
);

COMMENT ON TABLE orders IS 'What contacts have ordered in a conversation';
COMMENT ON COLUMN orders.message_id IS 'The message that placed it, where it is known';

CREATE INDEX idx_orders_contact_id ON orders (contact_id);
CREATE INDEX idx_orders_user_contact ON orders (user_id, contact_id);
CREATE INDEX idx_orders_user_message ON orders (user_id, message_id);

ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders
    USING (user_id = (SELECT app.current_tenant()));
