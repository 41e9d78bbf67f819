//! What must not stay behind when the process ends: the list of all that runs, for the moment of an interrupt, in
//! which no destructor does.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Something of ours outside the process. Leaving it twice does no harm.
pub(super) trait Leave: Send + Sync {
    fn leave(&self);
}

static RUNNING: Mutex<Vec<Weak<dyn Leave>>> = Mutex::new(Vec::new());

/// Has this left at an interrupt, if it still exists then.
pub(super) fn at_interrupt<T: Leave + 'static>(thing: &Arc<T>) {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.retain(|thing| thing.strong_count() > 0);
    let thing: Weak<T> = Arc::downgrade(thing);
    running.push(thing);
}

/// Stops and removes every shadow of this process. For the task that waits for SIGINT and SIGTERM, just before it
/// ends the process; it blocks for some hundredths of a second.
pub fn on_interrupt() {
    let running = std::mem::take(&mut *RUNNING.lock().unwrap_or_else(PoisonError::into_inner));
    for thing in running {
        if let Some(thing) = thing.upgrade() {
            thing.leave();
        }
    }
}
