//! Tells which flow a tuple belongs to, and so where a translation leads: a server
//! in Tokio that knows the table without asking the kernel for each answer.
//!
//! ```sh
//! cargo run --features tokio --example lookup -- /run/lookup.sock   # as root
//! echo tcp 192.0.2.1:40000 198.51.100.1:443 | nc -U /run/lookup.sock
//! cargo run --features tokio --example lookup -- --demo             # as anybody
//! ```
//!
//! A question is a line: protocol, source, destination; the tuple may be that of
//! either direction. The answer is the flow, or `none`. SIGINT and SIGTERM end it.

mod demo;
#[path = "../demo/namespace.rs"]
mod namespace;
mod question;

use std::env;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use netfilter_conntrack::Mirror;
use netfilter_conntrack::async_io::AsyncMirror;
use netfilter_conntrack::mirror::Change;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

/// A question of a client, and where its answer goes.
type Question = (String, oneshot::Sender<String>);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--demo"] => demo::run(),
        [path] if !path.starts_with('-') => in_runtime(serve(Path::new(path))),
        _ => {
            eprintln!("usage: lookup SOCKET | --demo");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lookup: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything on this thread.
fn in_runtime(work: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}

/// Answers questions at this socket until a signal ends it.
async fn serve(path: &Path) -> io::Result<()> {
    let mirror = AsyncMirror::over(Mirror::open()?)?;
    let listener = UnixListener::bind(path)?;
    let served = answer(mirror, listener).await;
    std::fs::remove_file(path)?;
    served
}

/// Answers the questions of those who connect.
async fn answer(mut mirror: AsyncMirror, listener: UnixListener) -> io::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    // The mirror is this task's; clients have theirs, and ask it.
    let (asking, mut asked) = mpsc::channel::<Question>(64);
    println!("ready");
    loop {
        // Each of these can be dropped for another without losing anything.
        tokio::select! {
            change = mirror.next_change() => {
                if let Change::Resynced(resync) = change? {
                    println!("resync ({:?}): {} flows", resync.reason, resync.listed);
                }
            }
            Some((question, answer)) = asked.recv() => {
                // A client that has gone needs none.
                let _gone = answer.send(question::answer(&question, mirror.get()));
            }
            client = listener.accept() => {
                tokio::spawn(attend(client?.0, asking.clone()));
            }
            _ = interrupted.recv() => break,
            _ = terminated.recv() => break,
        }
    }
    println!("{:?}", mirror.get().statistics());
    Ok(())
}

/// Passes on a client's questions, and the answers to it.
async fn attend(client: UnixStream, asking: mpsc::Sender<Question>) -> io::Result<()> {
    let (reader, mut writer) = client.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        let (sender, answer) = oneshot::channel();
        if asking.send((line, sender)).await.is_err() {
            break;
        }
        let Ok(answer) = answer.await else { break };
        writer.write_all(format!("{answer}\n").as_bytes()).await?;
    }
    Ok(())
}
