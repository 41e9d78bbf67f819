//! A bystander: somebody whose transactions have read the tables and stay open, as reports and forgotten sessions do.
//! A change has to wait for them, and whoever comes behind the change in the queue waits with it.

use std::time::Duration;

use tenantry::connect::Target;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::Outcome;

const PAUSE: Duration = Duration::from_secs(1);

/// A bystander at work.
pub struct Bystander {
    stop: watch::Sender<bool>,
    standing: JoinHandle<Outcome<()>>,
}

impl Bystander {
    /// Begins transactions that stay open for this long, with a pause between them.
    pub async fn begin(target: &Target, open: Duration) -> Outcome<Bystander> {
        let session = target.connect().await?;
        session.client.batch_execute("SET application_name = 'bystander'").await?;
        let (stop, mut stopping) = watch::channel(false);
        let standing = tokio::spawn(async move {
            while !*stopping.borrow() {
                let read = "BEGIN; SELECT FROM contacts LIMIT 1; SELECT FROM messages LIMIT 1;
                            SELECT FROM orders LIMIT 1";
                session.client.batch_execute(read).await?;
                tokio::select! {
                    () = sleep(open) => {}
                    _ = stopping.changed() => {}
                }
                session.client.batch_execute("COMMIT").await?;
                sleep(PAUSE).await;
            }
            Ok(())
        });
        Ok(Bystander { stop, standing })
    }

    pub async fn end(self) -> Outcome<()> {
        self.stop.send_replace(true);
        self.standing.await?
    }
}
