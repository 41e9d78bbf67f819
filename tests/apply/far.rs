//! A server that is far away.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::batches::Fill;
use crate::case::*;

/// How long what is sent is on its way.
const WAY: Duration = Duration::from_millis(10);

/// Passes on what is sent to the server, and what it answers, each after its time.
async fn stand_between(listener: UnixListener, socket: PathBuf) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (from, to) = client.into_split();
        let (back, there) = UnixStream::connect(&socket).await.unwrap().into_split();
        tokio::spawn(pass_on(from, there));
        tokio::spawn(pass_on(back, to));
    }
}

async fn pass_on(mut from: tokio::net::unix::OwnedReadHalf, mut to: tokio::net::unix::OwnedWriteHalf) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        tokio::time::sleep(WAY).await;
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn parts_are_as_large_over_a_long_way() {
    let fill = Fill::new("far_away", 20_000).await;
    let sockets = tempfile::tempdir().unwrap();
    let name = format!(".s.PGSQL.{}", server().port);
    let listener = UnixListener::bind(sockets.path().join(&name)).unwrap();
    let between = tokio::spawn(stand_between(listener, server().dir.join(&name)));
    // Somebody else is at work, so that parts are short.
    let other = fill.case.connect().await;
    let work = tokio::spawn(async move {
        loop {
            other.client.batch_execute("SELECT 1").await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let file = fill.case.file();
    let mut command = fill.case.command_over(sockets.path(), &["apply", file.to_str().unwrap()]);
    let child = command.spawn().unwrap();
    let said = tokio::task::spawn_blocking(|| ended(child)).await.unwrap();
    said.ended(0, &["the database is as the plan wants it"]);
    assert!(fill.is_filled().await);
    // As many times as the journal was told of a place.
    let parts = "SELECT n_tup_upd < 2000 FROM pg_stat_all_tables WHERE relid = 'tenantry.backfill'::regclass";
    assert!(fill.case.ask(parts).await, "parts of a few rows");
    work.abort();
    between.abort();
}
