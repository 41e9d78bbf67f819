-- The seven operations of the legacy WhatsApp service, as its Python code sends them: it names its columns
-- and knows nothing of tenants. They must work before, during and after the migration.
--
-- Each statement stands for one short connection, in this order. Where the service passes a value that it
-- has read before (the id of a contact), a subselect reads it here. The file may be run any number of times.

-- operation: contact
SELECT id, thread_id FROM contacts WHERE phone_number = '+15550100';

INSERT INTO contacts (phone_number, thread_id)
SELECT '+15550100', 'whatsapp-15550100'
WHERE NOT EXISTS (SELECT FROM contacts WHERE phone_number = '+15550100');

SELECT id FROM contacts WHERE phone_number = '+15550100';

-- operation: message
INSERT INTO messages (contact_id, message_id, direction, message_type, content_text, content_url, status, sent_at)
SELECT id, 'wamid.in.' || gen_random_uuid(), 'incoming', 'text', 'Do you deliver on Sundays?', NULL, 'received', now()
FROM contacts WHERE phone_number = '+15550100';

INSERT INTO messages (contact_id, message_id, direction, message_type, content_text, content_url, status, sent_at)
SELECT id, 'pending.' || gen_random_uuid(), 'outgoing', 'image', NULL, 'https://example.com/menu.png', 'pending', now()
FROM contacts WHERE phone_number = '+15550100';

-- operation: message status
UPDATE messages SET status = 'read'
WHERE id = (SELECT max(m.id) FROM messages m JOIN contacts c ON c.id = m.contact_id
            WHERE c.phone_number = '+15550100' AND m.direction = 'incoming');

UPDATE messages SET status = 'sent', message_id = 'wamid.out.' || gen_random_uuid()
WHERE id = (SELECT max(m.id) FROM messages m JOIN contacts c ON c.id = m.contact_id
            WHERE c.phone_number = '+15550100' AND m.direction = 'outgoing');

-- operation: order
INSERT INTO orders (contact_id, message_id, order_details, status)
SELECT c.id, (SELECT max(m.id) FROM messages m WHERE m.contact_id = c.id AND m.direction = 'incoming'),
       '{"items": [{"name": "Margherita", "quantity": 2}]}', 'pending'
FROM contacts c WHERE c.phone_number = '+15550100';

SELECT id, message_id, order_details, status, created_at
FROM orders
WHERE contact_id = (SELECT id FROM contacts WHERE phone_number = '+15550100')
ORDER BY created_at DESC;

-- operation: campaign
INSERT INTO campaigns (name, type, message_template)
SELECT 'Summer', 'broadcast', 'Hello {name}'
WHERE NOT EXISTS (SELECT FROM campaigns WHERE name = 'Summer');

SELECT id, name, type, message_template FROM campaigns WHERE is_active = true;

INSERT INTO campaign_subscribers (campaign_id, contact_id)
SELECT g.id, c.id
FROM campaigns g, contacts c
WHERE g.name = 'Summer' AND c.phone_number = '+15550100'
    AND NOT EXISTS (SELECT FROM campaign_subscribers s WHERE s.campaign_id = g.id AND s.contact_id = c.id);

UPDATE campaign_subscribers SET status = 'unsubscribed'
WHERE campaign_id = (SELECT id FROM campaigns WHERE name = 'Summer')
    AND contact_id = (SELECT id FROM contacts WHERE phone_number = '+15550100');

-- operation: poll
SELECT max(id) FROM messages;

SELECT id, message_id, contact_id, direction, message_type, content_text, content_url, status, sent_at
FROM messages
WHERE id > (SELECT max(id) - 2 FROM messages)
ORDER BY id;

-- operation: checkpoint
SELECT thread_id, checkpoint, checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata
FROM checkpoints
WHERE thread_id = 'whatsapp-15550100' AND checkpoint_ns = ''
ORDER BY checkpoint_id DESC
LIMIT 1;

INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
VALUES ('whatsapp-15550100', '', 'messages', '00000000000000000000000000000001.0', 'msgpack', '\x90')
ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING;

INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
VALUES ('whatsapp-15550100', '', '1ef-0001', NULL, '{"v": 1, "channel_values": {}}', '{"step": 1, "source": "loop"}')
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata;

INSERT INTO checkpoint_writes
    (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
VALUES ('whatsapp-15550100', '', '1ef-0001', 'a1', '', 0, 'messages', 'msgpack', '\x90')
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
DO UPDATE SET channel = EXCLUDED.channel, type = EXCLUDED.type, blob = EXCLUDED.blob;

SELECT max(v) FROM checkpoint_migrations;
