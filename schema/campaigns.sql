-- Campaigns, and who has subscribed to them.

CREATE TABLE campaigns (
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL,
    type varchar(50) NOT NULL,
    message_template text NOT NULL,
    is_active boolean DEFAULT true,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    targeting jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(targeting) = 'object'),
    starts_at timestamptz,
    ends_at timestamptz,
    CONSTRAINT campaigns_schedule_check CHECK (ends_at > starts_at)
);

COMMENT ON TABLE campaigns IS 'Messages sent to many contacts at once';
COMMENT ON COLUMN campaigns.targeting IS 'Whom it is for, such as {"tags": ["vip"], "inactive_days": 30}; empty is every subscriber';
COMMENT ON COLUMN campaigns.starts_at IS 'NULL is at once, for a campaign that is active';

CREATE TABLE campaign_subscribers (
    id serial PRIMARY KEY,
    campaign_id integer REFERENCES campaigns (id) ON DELETE CASCADE,
    contact_id integer REFERENCES contacts (id) ON DELETE CASCADE,
    status varchar(50) DEFAULT 'subscribed' CHECK (status IN ('subscribed', 'unsubscribed')),
    subscribed_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (campaign_id, contact_id)
);

COMMENT ON TABLE campaign_subscribers IS 'Who receives a campaign, and who has left it';

CREATE INDEX idx_campaign_subscribers_contact ON campaign_subscribers (user_id, contact_id);
