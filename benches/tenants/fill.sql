-- The declared schema with rows of many tenants in it. {tenants}, {contacts} and {messages} are replaced by numbers.
-- Tenant 1, the admin, is the largest; the n-th has rows in proportion to n^-0.8. Rows of a tenant lie between those of
-- others, as they do where all write at once. Keys are right by construction, so foreign keys are not asked of each row;
-- everything else is: unique keys, checks, indexes.

SET session_replication_role = replica;
SET synchronous_commit = off;
SET work_mem = '256MB';

INSERT INTO users (id, email, full_name, company_name)
SELECT g, 'owner' || g || '@example.com', 'Owner ' || g, 'Company ' || g FROM generate_series(2, {tenants}) g;

INSERT INTO plans (id, code, name, limits, price, is_public)
VALUES (2, 'starter', 'Starter', '{"messages_per_month": 10000}', 29, true),
       (3, 'business', 'Business', '{"messages_per_month": 1000000}', 299, true);

INSERT INTO user_subscriptions (id, user_id, plan_id)
SELECT g, g, CASE WHEN g <= {tenants} / 100 THEN 3 ELSE 2 END FROM generate_series(2, {tenants}) g;

-- Large tenants have three bots, the others one. The first has the tenant's number.
INSERT INTO chatbots (id, user_id, name, whatsapp_number)
SELECT g, g, 'Bot', '+1800' || lpad(g::text, 7, '0') FROM generate_series(2, {tenants}) g;
INSERT INTO chatbots (id, user_id, name)
SELECT {tenants} + 2 * g + b, g, 'Bot ' || b FROM generate_series(1, greatest({tenants} / 100, 1)) g, generate_series(1, 2) b;

-- How many contacts each tenant has.
CREATE TEMPORARY TABLE shares AS
SELECT g AS tenant, greatest(1, round({contacts} * g ^ -0.8 / sum(g ^ -0.8) OVER ()))::integer AS contacts
  FROM generate_series(1, {tenants}) g;

INSERT INTO contacts (id, user_id, chatbot_id, phone_number, name, thread_id, tags, last_interaction)
SELECT row_number() OVER (ORDER BY hashint8(s.tenant::bigint * 1000003 + n)), s.tenant,
       CASE WHEN s.tenant <= greatest({tenants} / 100, 1) AND n % 3 > 0 THEN {tenants} + 2 * s.tenant + n % 3 ELSE s.tenant END,
       '+49' || lpad(n::text, 9, '0'), 'Contact ' || n, 'whatsapp-' || s.tenant || '-' || n,
       CASE n % 5 WHEN 0 THEN '{vip}' ELSE '{}' END::text[],
       CASE WHEN n % 20 > 0 THEN now() - ((hashint4(n)::bigint & 2147483647) % 7776000) * interval '1 second' END
  FROM shares s, generate_series(1, s.contacts) n;

-- In the order of time, over ninety days, each of some contact of any tenant; some contacts write much more than others.
CREATE TEMPORARY TABLE known AS SELECT id, user_id, chatbot_id FROM contacts;
ANALYZE known;
SELECT set_config('fill.contacts', count(*)::text, false) FROM known;

INSERT INTO messages (user_id, chatbot_id, contact_id, message_id, direction, message_type, content_text, status, sent_at,
                      is_from_human, ai_processed, confidence_score)
SELECT k.user_id, k.chatbot_id, k.id, 'wamid.' || g, CASE g % 2 WHEN 0 THEN 'incoming' ELSE 'outgoing' END, 'text',
       'Do you deliver on Sundays? ' || md5(g::text), 'read',
       now() - ({messages} - g) * (interval '90 days' / {messages}), g % 40 = 1, g % 2 = 0,
       CASE WHEN g % 2 = 1 THEN 0.5 + (g % 500) / 1000.0 END
  FROM generate_series(1, {messages}) g
  JOIN known k ON k.id = 1 + floor(((hashint8(g)::bigint + 2147483648) / 4294967296.0::float8) ^ 1.5
                                   * current_setting('fill.contacts')::integer)::integer;

INSERT INTO products (user_id, sku, name, price)
SELECT g, 'SKU-' || n, 'Product ' || n, 10 + n FROM generate_series(1, {tenants}) g, generate_series(1, 20) n;

INSERT INTO orders (id, user_id, contact_id, order_details, status, created_at)
SELECT row_number() OVER (ORDER BY k.id), k.user_id, k.id, '{"items": []}', CASE k.id % 3 WHEN 0 THEN 'pending' ELSE 'paid' END,
       now() - (k.id % 7776000) * interval '1 second'
  FROM known k WHERE k.id % 5 = 0;
INSERT INTO order_items (user_id, order_id, name, quantity, unit_price)
SELECT o.user_id, o.id, 'Product ' || n, n, 10 + n FROM orders o, generate_series(1, 2) n;

INSERT INTO actions (user_id, chatbot_id, contact_id, kind, title, priority, status, resolved_at, created_at)
SELECT k.user_id, k.chatbot_id, k.id, 'refund', 'Refund for contact ' || k.id, 1 + k.id % 5,
       CASE WHEN k.id % 50 = 0 THEN 'pending' ELSE 'approved' END, CASE WHEN k.id % 50 > 0 THEN now() END,
       now() - (k.id % 86400) * interval '1 second'
  FROM known k WHERE k.id % 10 = 0;

INSERT INTO campaigns (id, user_id, name, type, message_template, is_active)
SELECT 3 * g + n - 3, g, 'Campaign ' || n, 'broadcast', 'Hello {name}', n = 1
  FROM generate_series(1, {tenants}) g, generate_series(1, 3) n;
INSERT INTO campaign_subscribers (user_id, campaign_id, contact_id)
SELECT k.user_id, 3 * k.user_id - 2 + k.id % 3, k.id FROM known k WHERE k.id % 2 = 0;
INSERT INTO campaign_deliveries (user_id, campaign_id, contact_id, status)
SELECT k.user_id, 3 * k.user_id - 2 + k.id % 3, k.id,
       CASE k.id % 8 WHEN 0 THEN 'scheduled' WHEN 2 THEN 'read' ELSE 'delivered' END
  FROM known k WHERE k.id % 2 = 0;

INSERT INTO usage_tracking (user_id, tracking_date, messages, ai_replies)
SELECT g, CURRENT_DATE - n, 100 + n, 50 + n FROM generate_series(1, {tenants}) g, generate_series(0, 59) n;
INSERT INTO monthly_usage_summary (user_id, month, messages)
SELECT g, (date_trunc('month', CURRENT_DATE) - n * interval '1 month')::date, 3000
  FROM generate_series(1, {tenants}) g, generate_series(1, 3) n;
INSERT INTO usage_events (user_id, metric, used_at)
SELECT k.user_id, CASE k.id % 3 WHEN 0 THEN 'ai_replies' ELSE 'messages' END, now() - (k.id % 600) * interval '1 second'
  FROM known k WHERE k.id % 5 = 0;

INSERT INTO analytics_events (user_id, chatbot_id, contact_id, event, happened_at)
SELECT k.user_id, k.chatbot_id, k.id,
       (ARRAY['conversation_started', 'order_placed', 'link_opened'])[1 + k.id % 3],
       now() - ((hashint4(k.id)::bigint & 2147483647) % 7776000) * interval '1 second'
  FROM known k;

INSERT INTO team_members (user_id, email, role, joined_at)
SELECT g, 'agent' || n || '.' || g || '@example.com', 'agent', now()
  FROM generate_series(1, {tenants}) g, generate_series(1, 2) n;
INSERT INTO api_keys (user_id, name, prefix, key_hash)
SELECT g, 'default', 'sk_' || g, sha256(convert_to('key ' || g, 'UTF8')) FROM generate_series(1, {tenants}) g;
INSERT INTO webhooks (id, user_id, url, secret, events)
SELECT g, g, 'https://example.com/hooks/' || g, md5(g::text), '{message.received}' FROM generate_series(1, {tenants}) g;
INSERT INTO webhook_deliveries (user_id, webhook_id, event, payload, status, next_attempt_at)
SELECT k.user_id, k.user_id, 'message.received', '{}', CASE WHEN k.id % 100 = 0 THEN 'pending' ELSE 'delivered' END,
       now() - (k.id % 3600) * interval '1 second'
  FROM known k WHERE k.id % 5 = 0;
INSERT INTO audit_log (user_id, happened_at, actor, action, object, object_id)
SELECT k.user_id, now() - (k.id % 7776000) * interval '1 second', 'agent', 'update', 'actions', k.id::text
  FROM known k WHERE k.id % 4 = 0;
INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint)
SELECT 'whatsapp-1-' || n, '1ef-000' || c, '{}'
  FROM shares s, generate_series(1, s.contacts) n, generate_series(1, 3) c WHERE s.tenant = 1;

SELECT setval(pg_get_serial_sequence('users', 'id'), {tenants}),
       setval(pg_get_serial_sequence('plans', 'id'), 3),
       setval(pg_get_serial_sequence('user_subscriptions', 'id'), {tenants}),
       setval(pg_get_serial_sequence('chatbots', 'id'), (SELECT max(id) FROM chatbots)),
       setval(pg_get_serial_sequence('contacts', 'id'), (SELECT max(id) FROM contacts)),
       setval(pg_get_serial_sequence('orders', 'id'), (SELECT max(id) FROM orders)),
       setval(pg_get_serial_sequence('campaigns', 'id'), (SELECT max(id) FROM campaigns)),
       setval(pg_get_serial_sequence('webhooks', 'id'), {tenants});

RESET session_replication_role;
DROP TABLE known, shares;
