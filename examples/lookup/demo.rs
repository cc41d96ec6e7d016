//! The demonstration: a client that asks about connections of its own, in a
//! private network namespace.

use std::io;
use std::path::Path;
use std::time::Duration;

use netfilter_conntrack::Nat;
use netfilter_conntrack::{Conntrack, Groups, Handle, Tuple};
use nix::sys::signal::{Signal, raise};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::{in_runtime, namespace, serve};

pub(crate) fn run() -> io::Result<()> {
    namespace::enter()?;
    let directory = std::env::temp_dir().join(format!("lookup-{}", std::process::id()));
    std::fs::create_dir(&directory)?;
    let socket = directory.join("socket");
    let done = in_runtime(async {
        let client = async {
            let shown = show(&socket).await;
            // What ends a server from outside; `serve` waits for it by now.
            raise(Signal::SIGTERM)?;
            shown
        };
        let (served, shown) = tokio::join!(serve(&socket), client);
        served.and(shown)
    });
    std::fs::remove_dir_all(&directory)?;
    done
}

/// Asks about a connection over loopback in both directions, about one whose
/// destination is translated, and about one that is not there.
async fn show(socket: &Path) -> io::Result<()> {
    let mut client = Client::connect(socket).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let connection = TcpStream::connect(listener.local_addr()?).await?;
    let (near, far) = (connection.local_addr()?, connection.peer_addr()?);
    client.ask(&format!("tcp {near} {far}"), true).await?;
    client.ask(&format!("tcp {far} {near}"), true).await?;

    translated().map_err(io::Error::other)?;
    client
        .ask("udp 192.0.2.1:5353 198.51.100.53:53", true)
        .await?;
    client
        .ask("udp 203.0.113.53:5300 192.0.2.1:5353", true)
        .await?;
    client
        .ask("udp 192.0.2.1:1 198.51.100.53:53", false)
        .await?;
    client.ask("nonsense", false).await
}

/// Makes an entry for a flow to a server that another one stands in for.
fn translated() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let tuple = Tuple::udp("192.0.2.1:5353".parse()?, "198.51.100.53:53".parse()?)?;
    let mut entry = Conntrack::flow(tuple);
    let there = Nat::to_address("203.0.113.53".parse()?).with_ports(5300, 5300);
    entry.set_timeout(60).set_dnat(there)?;
    Handle::open(Groups::empty())?.create(&entry)?;
    Ok(())
}

struct Client {
    writer: OwnedWriteHalf,
    answers: Lines<BufReader<OwnedReadHalf>>,
}

impl Client {
    async fn connect(socket: &Path) -> io::Result<Self> {
        let (reader, writer) = UnixStream::connect(socket).await?.into_split();
        let answers = BufReader::new(reader).lines();
        Ok(Self { writer, answers })
    }

    /// Asks, and shows the answer. Where there is a flow, the mirror may hear of it
    /// a moment later.
    async fn ask(&mut self, question: &str, there_is_one: bool) -> io::Result<()> {
        let mut answer = String::new();
        for _ in 0..100 {
            self.writer
                .write_all(format!("{question}\n").as_bytes())
                .await?;
            answer = self.answers.next_line().await?.unwrap_or_default();
            if !there_is_one || answer != "none" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        println!("{question}\n    {answer}");
        Ok(())
    }
}
