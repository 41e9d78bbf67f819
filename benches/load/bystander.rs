//! A bystander: somebody whose transactions have read the tables and stay open, as reports and forgotten sessions do.
//! A change has to wait for them, and whoever comes behind the change in the queue waits with it.

use std::time::Duration;

use tenantry::connect::Session;
use tokio::sync::watch;
use tokio::time::sleep;

use super::Outcome;

const PAUSE: Duration = Duration::from_secs(1);

/// Begins transactions that stay open for this long, with a pause between them, until told to end.
pub async fn stand(session: Session, open: Duration, mut stop: watch::Receiver<bool>) -> Outcome<()> {
    while !*stop.borrow() {
        let read = "BEGIN; SELECT FROM contacts LIMIT 1; SELECT FROM messages LIMIT 1; SELECT FROM orders LIMIT 1";
        session.client.batch_execute(read).await?;
        tokio::select! {
            () = sleep(open) => {}
            _ = stop.changed() => {}
        }
        session.client.batch_execute("COMMIT").await?;
        sleep(PAUSE).await;
    }
    Ok(())
}
