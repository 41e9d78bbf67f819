-- Campaigns, and who has subscribed to them.

CREATE TABLE campaigns (
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL,
    type varchar(50) NOT NULL,
    message_template text NOT NULL,
    is_active boolean DEFAULT true,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    -- The legacy client names no tenant: its rows are the admin's.
    user_id integer NOT NULL DEFAULT 1 REFERENCES users (id),
    UNIQUE (user_id, id)
);

COMMENT ON TABLE campaigns IS 'Messages sent to many contacts at once';

ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON campaigns
    USING (user_id = (SELECT app.current_tenant()));

CREATE TABLE campaign_subscribers (
    id serial PRIMARY KEY,
    campaign_id integer,
    contact_id integer,
    status varchar(50) DEFAULT 'subscribed' CHECK (status IN ('subscribed', 'unsubscribed')),
    subscribed_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    -- The legacy client names no tenant: its rows are the admin's.
    user_id integer NOT NULL DEFAULT 1 REFERENCES users (id),
    UNIQUE (user_id, id),
    UNIQUE (user_id, campaign_id, contact_id),
    FOREIGN KEY (user_id, campaign_id) REFERENCES campaigns (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE
);

COMMENT ON TABLE campaign_subscribers IS 'Who receives a campaign, and who has left it';

CREATE INDEX idx_campaign_subscribers_contact ON campaign_subscribers (user_id, contact_id);

ALTER TABLE campaign_subscribers ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON campaign_subscribers
    USING (user_id = (SELECT app.current_tenant()));
