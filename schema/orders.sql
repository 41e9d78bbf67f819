-- What contacts have ordered in a conversation.

CREATE TABLE orders (
    id serial PRIMARY KEY,
    contact_id integer NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    message_id integer,
    order_details jsonb,
    status varchar(50) NOT NULL DEFAULT 'pending',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP
);

COMMENT ON TABLE orders IS 'What contacts have ordered in a conversation';
COMMENT ON COLUMN orders.message_id IS 'The message that placed it, where it is known';

CREATE INDEX idx_orders_contact_id ON orders (contact_id);
CREATE INDEX idx_orders_user_contact ON orders (user_id, contact_id);
CREATE INDEX idx_orders_user_message ON orders (user_id, message_id);
CREATE INDEX idx_orders_latest ON orders (user_id, created_at DESC);
CREATE TRIGGER message_is_known AFTER INSERT OR UPDATE OF message_id ON orders
    FOR EACH ROW WHEN (NEW.message_id IS NOT NULL) EXECUTE FUNCTION app.message_is_known();
