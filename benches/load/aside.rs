//! Somebody with a session of their own beside the client, who goes on until told to end.

use std::future::Future;

use tenantry::connect::{Session, Target};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Outcome;

/// Somebody at work.
pub struct Aside<T> {
    stop: watch::Sender<bool>,
    working: JoinHandle<Outcome<T>>,
}

impl<T: Send + 'static> Aside<T> {
    /// Begins the work in a session of this name; it is to end soon after what it is given has become true.
    pub async fn begin<W>(
        target: &Target,
        name: &str,
        work: impl FnOnce(Session, watch::Receiver<bool>) -> W,
    ) -> Outcome<Aside<T>>
    where
        W: Future<Output = Outcome<T>> + Send + 'static,
    {
        let session = target.connect().await?;
        session.client.batch_execute(&format!("SET application_name = '{name}'")).await?;
        let (stop, stopping) = watch::channel(false);
        Ok(Aside { stop, working: tokio::spawn(work(session, stopping)) })
    }

    /// What came of it.
    pub async fn end(self) -> Outcome<T> {
        self.stop.send_replace(true);
        self.working.await?
    }
}
