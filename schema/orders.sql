-- What contacts have ordered in a conversation.

CREATE TABLE orders (
    id serial PRIMARY KEY,
    contact_id integer NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    message_id integer,
    order_details jsonb,
    status varchar(50) NOT NULL DEFAULT 'pending',
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    -- The legacy client knows none of these: its orders have no number, and are paid at the door.
    order_number text UNIQUE,
    total_amount numeric(12, 2) CHECK (total_amount >= 0),
    currency char(3) NOT NULL DEFAULT 'USD',
    payment_status text NOT NULL DEFAULT 'unpaid'
        CHECK (payment_status IN ('unpaid', 'authorized', 'paid', 'refunded', 'failed')),
    shipping_address jsonb CHECK (jsonb_typeof(shipping_address) = 'object')
);

COMMENT ON TABLE orders IS 'What contacts have ordered in a conversation';
COMMENT ON COLUMN orders.order_number IS 'What the tenant calls it, unique among the tenant''s orders';
COMMENT ON COLUMN orders.message_id IS 'The message that placed it, where it is known';

CREATE INDEX idx_orders_contact_id ON orders (contact_id);
CREATE INDEX idx_orders_user_contact ON orders (user_id, contact_id);
CREATE INDEX idx_orders_user_message ON orders (user_id, message_id);
CREATE INDEX idx_orders_latest ON orders (user_id, created_at DESC);
CREATE TRIGGER message_is_known AFTER INSERT OR UPDATE OF message_id ON orders
    FOR EACH ROW WHEN (NEW.message_id IS NOT NULL) EXECUTE FUNCTION app.message_is_known();
