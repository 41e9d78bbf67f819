//! What the example's functions do, as the product calls them: usage and limits, the API's rates, webhooks, actions, the
//! audit log, registration; and requests of the front end, made as PostgREST makes them.
#![allow(clippy::disallowed_methods, reason = "tests read the repository's files")]

use std::fs;

use tenantry::config;
use tenantry::connect::Session;
use tenantry::diagnostic::File;
use tenantry::elaborate;
use tenantry::pipeline::{Live, Request, both_sides};
use tenantry::shadow::{Shadow, ShadowDatabase, ShadowSpec};

const ANN: &str = "00000000-0000-4000-8000-00000000000a";
const BOB: &str = "00000000-0000-4000-8000-00000000000b";
const EVE: &str = "00000000-0000-4000-8000-00000000000e";

/// Two accounts, registered with Supabase, each with a bot and a contact with the same number.
const ROWS: &str = "
    INSERT INTO users (id, email) VALUES (1, 'admin@swiftreplies.ai');
    INSERT INTO auth.users (id, email, raw_user_meta_data) VALUES
        ('00000000-0000-4000-8000-00000000000a', 'ann@example.com', '{\"full_name\": \"Ann\"}'),
        ('00000000-0000-4000-8000-00000000000b', 'bob@example.com', '{}');
    INSERT INTO plans (id, code, name, limits) VALUES (1, 'unlimited', 'Unlimited', '{}'),
        (2, 'starter', 'Starter', '{\"messages_per_month\": 10, \"ai_replies_per_month\": 5}');
    INSERT INTO user_subscriptions (user_id, plan_id, limits) VALUES (1, 1, '{}'), (2, 2, '{\"messages_per_month\": 3}'), (3, 2, '{}');
    INSERT INTO chatbots (id, user_id, name) VALUES (1, 1, 'Default'), (2, 2, 'Bot'), (3, 3, 'Bot');
    INSERT INTO contacts (user_id, chatbot_id, phone_number, name) VALUES
        (2, 2, '+15550100', 'Ann''s'), (3, 3, '+15550100', 'Bob''s');";

struct Product {
    _shadow: Shadow,
    database: ShadowDatabase,
    owner: Session,
}

impl Product {
    /// The declared schema with rows of two accounts beside the admin's.
    async fn new() -> Product {
        let text = fs::read_to_string("tenantry.toml").unwrap();
        let request = Request {
            live: Live::Legacy("schema/legacy.sql".into()),
            shadow: ShadowSpec::Auto,
            config: config::parse(&File::new("tenantry.toml", text)).unwrap(),
            name: "product".into(),
            accept: vec![],
            renames: true,
            split: false,
        };
        let both = both_sides(&request).await.expect("the example can be planned");
        let loaded = elaborate::declared(&both.shadow, &both.declaration, &both.surroundings).await.unwrap();
        let owner = loaded.database.connect().await.unwrap();
        owner.client.batch_execute("SET search_path = public").await.unwrap();
        owner.client.batch_execute(ROWS).await.unwrap();
        Product { _shadow: both.shadow, database: loaded.database, owner }
    }

    /// A back end's session for a tenant.
    async fn tenant(&self, tenant: i32) -> Session {
        let session = self.database.connect().await.unwrap();
        let begin = format!("SET search_path = public; SET app.tenant = '{tenant}'; SET ROLE authenticated");
        session.client.batch_execute(&begin).await.unwrap();
        session
    }

    /// A request as PostgREST makes it: the login role authenticator, a transaction in the role of the token, with the
    /// token's claims as a setting of the transaction. The rows as one JSON array.
    async fn request(&self, role: &str, login: &str, from: &str) -> Result<String, String> {
        let session = self.database.connect_as("authenticator").await.unwrap();
        let begin = format!(
            "BEGIN; SELECT set_config('search_path', '\"public\", \"extensions\"', true), set_config('role', '{role}', true),
                    set_config('request.jwt.claims', '{{\"role\":\"{role}\",\"sub\":\"{login}\"}}', true),
                    set_config('request.method', 'GET', true), set_config('request.path', '/contacts', true)"
        );
        session.client.batch_execute(&begin).await.unwrap();
        let statement = format!(
            "WITH pgrst_source AS ({from})
             SELECT coalesce(json_agg(_postgrest_t), '[]')::text FROM (SELECT * FROM pgrst_source) _postgrest_t"
        );
        let answer = session.client.query_one(&statement, &[]).await;
        let answer = answer.map(|it| it.get(0)).map_err(|error| error.as_db_error().unwrap().message().to_owned());
        session.client.batch_execute(if answer.is_ok() { "COMMIT" } else { "ROLLBACK" }).await.unwrap();
        answer
    }
}

async fn text(session: &Session, sql: &str) -> String {
    let sql = format!("SELECT coalesce(({sql})::text, 'null')");
    session.client.query_one(&sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

async fn run(session: &Session, sql: &str) {
    session.client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn refused(session: &Session, sql: &str) -> String {
    let error = session.client.batch_execute(sql).await.expect_err(sql);
    error.as_db_error().unwrap().message().to_owned()
}

#[tokio::test]
async fn the_front_end_sees_and_writes_the_rows_of_its_login() {
    let product = Product::new().await;
    let names = "SELECT name FROM contacts ORDER BY name";
    assert_eq!(product.request("authenticated", ANN, names).await.as_deref(), Ok("[{\"name\":\"Ann's\"}]"));
    assert_eq!(product.request("authenticated", BOB, names).await.as_deref(), Ok("[{\"name\":\"Bob's\"}]"));
    assert_eq!(
        product.request("authenticated", EVE, names).await.as_deref(),
        Ok("[]"),
        "a login without an account"
    );
    let nobody = product.request("anon", ANN, names).await;
    assert_eq!(nobody, Err("permission denied for table contacts".to_owned()));
    let all = product.request("service_role", ANN, "SELECT count(*) FROM contacts").await;
    assert_eq!(all.as_deref(), Ok("[{\"count\":2}]"));

    // What a row has of the tenant is the login's own, whatever is said.
    let own = "UPDATE contacts SET name = 'New' RETURNING name";
    let session = product.database.connect_as("authenticator").await.unwrap();
    let begin = |login: &str| {
        format!(
            "BEGIN; SELECT set_config('role', 'authenticated', true),
                    set_config('request.jwt.claims', '{{\"role\":\"authenticated\",\"sub\":\"{login}\"}}', true)"
        )
    };
    run(&session, &begin(ANN)).await;
    let changed = session.client.query(own, &[]).await.unwrap();
    assert_eq!(changed.len(), 1, "one row is hers");
    run(&session, "COMMIT").await;
    assert_eq!(
        text(&product.owner, "SELECT string_agg(name, ',' ORDER BY user_id) FROM contacts").await,
        "New,Bob's"
    );
    run(&session, &begin(ANN)).await;
    let foisted = "INSERT INTO contacts (user_id, chatbot_id, phone_number) VALUES (3, 3, '+1')";
    assert!(refused(&session, foisted).await.contains("row-level security"));
    run(&session, "ROLLBACK").await;

    // A setting is for back ends: a login is not talked out of its account by one.
    run(&session, &begin(ANN)).await;
    run(&session, "SET LOCAL app.tenant = '3'").await;
    assert_eq!(text(&session, "SELECT string_agg(name, ',') FROM contacts").await, "New");
    run(&session, "ROLLBACK").await;

    // Who works in an account sees it; who is not active any more sees nothing.
    let joins = format!(
        "INSERT INTO team_members (user_id, email, auth_user_id, joined_at) VALUES (3, 'eve@example.com', '{EVE}', now())"
    );
    run(&product.owner, &format!("INSERT INTO auth.users (id) VALUES ('{EVE}')")).await;
    run(&product.owner, &format!("DELETE FROM users WHERE auth_user_id = '{EVE}'")).await;
    run(&product.owner, &joins).await;
    assert_eq!(product.request("authenticated", EVE, names).await.as_deref(), Ok("[{\"name\":\"Bob's\"}]"));
    run(&product.owner, "UPDATE users SET is_active = false WHERE id = 2").await;
    assert_eq!(product.request("authenticated", ANN, names).await.as_deref(), Ok("[]"));
}

#[tokio::test]
async fn who_registers_has_an_account() {
    let product = Product::new().await;
    let account =
        format!("SELECT email || ' ' || coalesce(full_name, '-') FROM users WHERE auth_user_id = '{ANN}'");
    assert_eq!(text(&product.owner, &account).await, "ann@example.com Ann");
    // The address is taken: the login is there, and has no account.
    run(&product.owner, &format!("INSERT INTO auth.users (id, email) VALUES ('{EVE}', 'ANN@example.com')")).await;
    assert_eq!(
        text(&product.owner, &format!("SELECT count(*) FROM users WHERE auth_user_id = '{EVE}'")).await,
        "0"
    );
    // The login goes, the account and its rows stay.
    run(&product.owner, &format!("DELETE FROM auth.users WHERE id = '{ANN}'")).await;
    assert_eq!(text(&product.owner, "SELECT auth_user_id FROM users WHERE id = 2").await, "null");
}

#[tokio::test]
async fn uses_are_counted_and_held_against_limits() {
    let product = Product::new().await;
    let (two, three, admin) = (product.tenant(2).await, product.tenant(3).await, product.tenant(1).await);
    assert_eq!(text(&two, "SELECT app.limit_of('messages')").await, "3", "its own over that of the plan");
    assert_eq!(text(&three, "SELECT app.limit_of('messages')").await, "10");
    assert_eq!(text(&admin, "SELECT app.limit_of('messages')").await, "null", "the admin has none");
    assert_eq!(text(&two, "SELECT app.may_use('messages', 4)").await, "false");
    assert_eq!(text(&product.tenant(4).await, "SELECT app.may_use('messages')").await, "false", "who has no plan");
    assert_eq!(
        text(&two, "SELECT string_agg(code, ',') FROM plans").await,
        "starter",
        "its own, though not public"
    );
    for _ in 0..3 {
        assert_eq!(text(&two, "SELECT app.may_use('messages')").await, "true");
        run(&two, "SELECT app.use_one('messages')").await;
    }
    assert_eq!(text(&two, "SELECT app.may_use('messages')").await, "false", "three are three");
    assert_eq!(text(&three, "SELECT app.may_use('messages')").await, "true", "one tenant's uses are not another's");
    run(&admin, "SELECT app.use_one('messages', 1000000)").await;
    assert_eq!(text(&admin, "SELECT app.may_use('messages')").await, "true");
    // Summed up, by the operator for all, they are the same.
    assert_eq!(text(&product.owner, "SELECT app.sum_up_usage(2)").await, "2");
    assert_eq!(text(&product.owner, "SELECT app.sum_up_usage()").await, "2");
    assert_eq!(text(&product.owner, "SELECT count(*) FROM usage_events").await, "0");
    assert_eq!(text(&two, "SELECT app.used('messages', CURRENT_DATE)").await, "3");
    assert_eq!(text(&two, "SELECT app.may_use('messages')").await, "false");
    assert_eq!(text(&two, "SELECT messages FROM usage_tracking WHERE tracking_date = CURRENT_DATE").await, "3");
    // What is no flag and no limit is kept out.
    for wrong in
        ["features = '{\"a\": 1}'", "features = '[]'", "limits = '{\"a\": -1}'", "limits = '{\"a\": \"1\"}'"]
    {
        let told = refused(&product.owner, &format!("UPDATE plans SET {wrong} WHERE id = 2")).await;
        assert!(told.contains("check constraint"), "{wrong}: {told}");
    }
    run(&product.owner, "UPDATE plans SET features = '{\"a\": true}', limits = '{\"b\": 1.5}' WHERE id = 2").await;
}

#[tokio::test]
async fn a_key_of_the_api_has_its_rate() {
    let product = Product::new().await;
    run(
        &product.owner,
        "INSERT INTO api_keys (id, user_id, name, prefix, key_hash, requests_per_minute) VALUES
             (7, 2, 'k', 'sk', '\\x01', 2), (8, 3, 'k', 'sk', '\\x02', 2);
         INSERT INTO api_keys (id, user_id, name, prefix, key_hash, revoked_at) VALUES (9, 2, 'old', 'sk', '\\x03', now());
         INSERT INTO api_keys (id, user_id, name, prefix, key_hash, expires_at)
         VALUES (10, 2, 'gone', 'sk', '\\x04', now() - interval '1 day')",
    )
    .await;
    let two = product.tenant(2).await;
    // All within one transaction are within one minute.
    run(&two, "BEGIN").await;
    let mut answers = vec![];
    for _ in 0..3 {
        answers.push(text(&two, "SELECT app.may_request(7)").await);
    }
    assert_eq!(answers, ["true", "true", "false"]);
    for (key, what) in [(8, "another tenant's"), (9, "revoked"), (10, "expired"), (99, "unknown")] {
        assert_eq!(text(&two, &format!("SELECT app.may_request({key})")).await, "false", "a key that is {what}");
    }
    run(&two, "COMMIT").await;
    assert_eq!(
        text(&product.owner, "SELECT sum(requests) || ' of ' || count(*) FROM api_requests").await,
        "3 of 1"
    );
    run(&product.owner, "UPDATE api_requests SET minute = minute - interval '2 hours'").await;
    assert_eq!(text(&two, "SELECT app.forget_api_requests()").await, "1");
}

#[tokio::test]
async fn each_delivery_that_is_due_goes_to_one_caller() {
    let product = Product::new().await;
    run(
        &product.owner,
        "INSERT INTO webhooks (id, user_id, url, secret, events) VALUES (5, 2, 'https://example.com', 's', '{order}'),
             (6, 3, 'https://example.org', 's', '{order}');
         INSERT INTO webhook_deliveries (user_id, webhook_id, event, payload)
         SELECT 2, 5, 'order', '{}' FROM generate_series(1, 6);
         INSERT INTO webhook_deliveries (user_id, webhook_id, event, payload) VALUES (3, 6, 'order', '{}');
         INSERT INTO webhook_deliveries (user_id, webhook_id, event, payload, next_attempt_at)
         VALUES (2, 5, 'order', '{}', now() + interval '1 hour')",
    )
    .await;
    let (one, other) = (product.tenant(2).await, product.tenant(2).await);
    const CLAIM: &str = "SELECT id FROM app.claim_webhook_deliveries(4)";
    run(&one, "BEGIN").await;
    run(&other, "BEGIN").await;
    let ids = async |session: &Session| -> Vec<i64> {
        session.client.query(CLAIM, &[]).await.unwrap().iter().map(|it| it.get(0)).collect()
    };
    let (first, second) = (ids(&one).await, ids(&other).await);
    assert_eq!((first.len(), second.len()), (4, 2), "{first:?} {second:?}");
    assert!(first.iter().all(|it| !second.contains(it)), "{first:?} {second:?}");
    run(&one, "COMMIT").await;
    run(&other, "COMMIT").await;
    assert_eq!(ids(&one).await.len(), 0, "what is claimed comes back later");
    run(&product.owner, "UPDATE webhook_deliveries SET next_attempt_at = now() WHERE attempts > 0").await;
    assert_eq!(ids(&one).await.len(), 4, "what was not marked as delivered is due again");
    let waits = "SELECT count(*) FROM webhook_deliveries WHERE user_id = 3 AND attempts = 0";
    assert_eq!(text(&product.owner, waits).await, "1", "another tenant's are not touched");
}

#[tokio::test]
async fn actions_expire_and_the_log_only_grows() {
    let product = Product::new().await;
    let two = product.tenant(2).await;
    run(
        &two,
        "INSERT INTO actions (user_id, kind, title, expires_at) VALUES
             (2, 'refund', 'Refund?', now() - interval '1 minute'), (2, 'refund', 'Later?', now() + interval '1 hour');
         INSERT INTO team_members (user_id, email) VALUES (2, 'new@example.com')",
    )
    .await;
    assert_eq!(text(&two, "SELECT app.expire_actions()").await, "1");
    let status = "SELECT string_agg(status || coalesce(' by ' || resolved_by, ''), ', ' ORDER BY id) FROM actions";
    assert_eq!(text(&two, status).await, "expired by system, pending");
    let unsaid = refused(&two, "UPDATE actions SET status = 'approved' WHERE status = 'pending'").await;
    assert!(unsaid.contains("actions_resolved_check"), "who decided, and when, is asked for: {unsaid}");
    let log = "SELECT string_agg(object || ' ' || action || ' by ' || actor, ', ' ORDER BY id) FROM audit_log";
    assert_eq!(text(&two, log).await, "team_members insert by authenticated, actions update by authenticated");
    assert_eq!(text(&product.tenant(3).await, "SELECT count(*) FROM audit_log").await, "0");
    run(&product.owner, "INSERT INTO api_keys (user_id, name, prefix, key_hash) VALUES (2, 'k', 'sk', '\\x01')")
        .await;
    let secrets = "SELECT count(*) FROM audit_log WHERE object = 'api_keys' AND new_values ? 'key_hash'";
    assert_eq!(text(&product.owner, secrets).await, "0", "secrets are not written down");
    for sql in ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log"] {
        assert_eq!(refused(&product.owner, sql).await, "audit_log is only added to", "even for the owner");
    }
}

#[tokio::test]
async fn numbers_of_orders_are_a_tenant_s_own() {
    let product = Product::new().await;
    let order = |tenant: i32| {
        format!(
            "INSERT INTO orders (user_id, contact_id, order_number, total_amount)
             SELECT {tenant}, id, 'A-1', 12.50 FROM contacts WHERE user_id = {tenant}"
        )
    };
    let (two, three) = (product.tenant(2).await, product.tenant(3).await);
    run(&two, &order(2)).await;
    run(&three, &order(3)).await;
    assert!(refused(&two, &order(2)).await.contains("duplicate key"));
    assert_eq!(text(&two, "SELECT orders || ' ' || amount FROM dashboard_orders").await, "1 12.50");
    let sold = "INSERT INTO campaigns (user_id, name, type, message_template, starts_at, ends_at)
                VALUES (2, 'c', 'broadcast', 'Hi', now(), now() - interval '1 day')";
    assert!(refused(&two, sold).await.contains("campaigns_schedule_check"));
}
