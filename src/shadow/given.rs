//! A server that the user gave (`--shadow URL`): databases of our own on it, marked by a comment, and only these are
//! dropped. The mark names the session that the shadow holds open; when that is gone, whoever comes next sweeps.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::Client;

use super::ShadowError;
use super::leave::Leave;
use super::role::{self, RoleSpec};
use crate::connect::{ServerVersion, Session, Target};
use crate::name::{Literal, Name};

/// Databases and roles with a comment that begins so are ours.
const MARK: &str = "tenantry shadow of session";
/// Databases of ours have names that begin so.
const PREFIX: &str = "tenantry_shadow_";

/// Our part of a server that is not ours.
pub(super) struct Given {
    target: Target,
    /// Held open for as long as the shadow lives; the mark names it.
    session: Session,
    /// The session's number on the server.
    number: i32,
    /// The comment on all that is ours: number and start of the session, which together no other ever has.
    mark: String,
    /// How many things were made, or tried to be.
    made: AtomicU32,
}

impl Given {
    pub async fn open(target: &Target) -> Result<Given, ShadowError> {
        let session = target.connect().await?;
        sweep(&session.client).await?;
        let row = session
            .client
            .query_one(
                "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::int8 \
                 FROM pg_stat_activity WHERE pid = pg_backend_pid()",
                &[],
            )
            .await?;
        let (number, start): (i32, i64) = (row.get(0), row.get(1));
        let mark = format!("{MARK} {number} of {start}");
        Ok(Given { target: target.clone(), session, number, mark, made: AtomicU32::new(0) })
    }

    pub fn version(&self) -> ServerVersion {
        self.session.version
    }

    /// A name that nobody else on the server uses.
    pub fn next_name(&self) -> Name {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        Name::from(format!("{PREFIX}{}_{made}", self.number))
    }

    /// Marks a database that was just created.
    pub async fn mark(&self, client: &Client, database: &Name) -> Result<(), ShadowError> {
        Ok(client.batch_execute(&format!("COMMENT ON DATABASE {database} IS {}", Literal(&self.mark))).await?)
    }

    pub async fn ensure_roles(&self, client: &Client, roles: &[RoleSpec]) -> Result<(), ShadowError> {
        self.made.fetch_add(1, Ordering::Relaxed);
        role::create_missing(client, roles, Some(&self.mark)).await
    }
}

impl Leave for Given {
    /// Drops what was made here. On a connection and a runtime of its own: the caller's may be on its way out.
    fn leave(&self) {
        if self.made.load(Ordering::Relaxed) == 0 {
            return;
        }
        let drop_all = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let session = self.target.connect().await.map_err(std::io::Error::other)?;
                drop_marked(&session.client, |comment| comment == self.mark).await.map_err(std::io::Error::other)
            })
        };
        // What can't be dropped now is swept by the next shadow on this server.
        let _ = std::thread::scope(|scope| scope.spawn(drop_all).join());
    }
}

/// Drops what shadows have left whose session is gone.
async fn sweep(client: &Client) -> Result<(), ShadowError> {
    let sessions = client
        .query("SELECT pid, (extract(epoch FROM backend_start) * 1000000)::int8 FROM pg_stat_activity", &[])
        .await?;
    // The start of other users' sessions is hidden from ordinary ones; then the number alone must do.
    let sessions: Vec<(i32, Option<i64>)> = sessions.iter().map(|row| (row.get(0), row.get(1))).collect();
    let is_left = |comment: &str| {
        let owner = comment.strip_prefix(MARK).and_then(|rest| rest.trim_start().split_once(" of "));
        let owner: Option<(i32, i64)> =
            owner.and_then(|(pid, start)| Some((pid.parse().ok()?, start.parse().ok()?)));
        owner.is_some_and(|(pid, start)| !sessions.iter().any(|s| s.0 == pid && s.1.is_none_or(|s| s == start)))
    };
    drop_marked(client, is_left).await?;
    Ok(())
}

/// Drops databases and then roles whose comment is one of ours. One that fails does not keep the others: somebody may
/// use it at this moment.
async fn drop_marked(client: &Client, mark: impl Fn(&str) -> bool) -> Result<(), tokio_postgres::Error> {
    let marked = client
        .query(
            "SELECT d.datname::text, s.description, true FROM pg_database d \
               JOIN pg_shdescription s ON s.objoid = d.oid AND s.classoid = 'pg_database'::regclass \
              WHERE starts_with(d.datname::text, $1) \
             UNION ALL \
             SELECT r.rolname::text, s.description, false FROM pg_roles r \
               JOIN pg_shdescription s ON s.objoid = r.oid AND s.classoid = 'pg_authid'::regclass \
              WHERE starts_with(s.description, $2) \
             ORDER BY 3 DESC, 1",
            &[&PREFIX, &MARK],
        )
        .await?;
    for row in marked.iter().filter(|row| mark(row.get(1))) {
        let name = Name::from(row.get::<_, &str>(0));
        let sql =
            if row.get(2) { format!("DROP DATABASE {name} WITH (FORCE)") } else { format!("DROP ROLE {name}") };
        let _ = client.batch_execute(&sql).await;
    }
    Ok(())
}
