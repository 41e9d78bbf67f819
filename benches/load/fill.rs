//! The legacy database with rows in it, in the proportions of a WhatsApp service: twenty messages a contact, an order
//! for every twentieth message.

use std::fs;

use tenantry::connect::Session;
use tenantry::platform::Platform;

use super::{Outcome, root};

/// When it is, to those who write messages: the partition that the legacy table becomes ends with a year, and is to hold
/// them whenever this runs.
pub const NOW: &str = "2026-12-01";

/// Loads the legacy schema into an empty database and fills it. Returns how many contacts there are.
pub async fn fill(session: &Session, messages: u64) -> Outcome<u64> {
    let contacts = (messages / 20).max(50);
    let orders = (messages / 20).max(1);
    let legacy = fs::read_to_string(root().join("schema/legacy.sql"))?;
    session.client.batch_execute(&Platform::Supabase.script()).await?;
    session.client.batch_execute(&legacy).await?;
    let rows = format!(
        "INSERT INTO contacts (phone_number, name, thread_id)
         SELECT '+' || 15550000000 + g, 'Contact ' || g, 'whatsapp-' || 15550000000 + g
           FROM generate_series(1, {contacts}) g;
         INSERT INTO messages (message_id, contact_id, direction, message_type, content_text, status, sent_at,
                               metadata)
         SELECT 'wamid.' || md5(g::text), 1 + g % {contacts}, CASE g % 2 WHEN 0 THEN 'incoming' ELSE 'outgoing' END,
                'text', 'Do you deliver on Sundays? ' || md5((g * 7)::text), 'sent',
                timestamptz '{NOW}' - g * interval '1 minute', '{{\"source\": \"whatsapp\"}}'
           FROM generate_series(1, {messages}) g;
         INSERT INTO orders (contact_id, message_id, order_details)
         SELECT 1 + g % {contacts}, 1 + g % {messages}, '{{\"items\": [{{\"name\": \"Margherita\", \"quantity\": 2}}]}}'
           FROM generate_series(1, {orders}) g;
         INSERT INTO campaigns (name, type, message_template) VALUES ('Summer', 'broadcast', 'Hello {{name}}');
         INSERT INTO campaign_subscribers (campaign_id, contact_id) SELECT 1, g FROM generate_series(1, {contacts}) g;
         INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint)
         SELECT 'whatsapp-' || 15550000000 + g, '1ef-0001', '{{}}' FROM generate_series(1, {contacts}) g;"
    );
    session.client.batch_execute(&rows).await?;
    session.client.batch_execute("VACUUM ANALYZE").await?;
    session.client.batch_execute("CHECKPOINT").await?;
    Ok(contacts)
}
