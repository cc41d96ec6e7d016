//! Traffic of a private network namespace that ends soon.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;

use netfilter_conntrack::{Groups, Handle, L3Proto};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{namespace, sysctl};

/// Enters the namespace. No thread may have been started before.
pub(crate) fn enter() -> io::Result<()> {
    namespace::enter()?;
    sysctl::write("nf_conntrack_acct", 1)?;
    sysctl::write("nf_conntrack_timestamp", 1)
}

/// Makes some traffic, removes its flows from the table, and asks the program to
/// end, as whoever stops a service does.
pub(crate) fn start_traffic() -> io::Result<()> {
    thread::Builder::new().name("traffic".into()).spawn(|| {
        if let Err(error) = traffic() {
            eprintln!("flowlog: the traffic has ended: {error}");
        }
        let _ = kill(Pid::this(), Signal::SIGTERM);
    })?;
    Ok(())
}

fn traffic() -> io::Result<()> {
    for (address, size) in [("127.0.0.1", 100_000), ("::1", 1_000)] {
        download(address, size)?;
        ask(address)?;
    }
    Ok(Handle::open(Groups::empty())?.flush(L3Proto::UNSPEC)?)
}

/// Gets some bytes over TCP.
fn download(address: &str, size: usize) -> io::Result<()> {
    let listener = TcpListener::bind((address, 0))?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    // As much at a time as the sockets' buffers take.
    let mut part = [0; 1_000];
    for _ in 0..size / part.len() {
        server.write_all(&part)?;
        client.read_exact(&mut part)?;
    }
    Ok(())
}

/// A question and its answer over UDP.
fn ask(address: &str) -> io::Result<()> {
    let [client, server] = [
        UdpSocket::bind((address, 0))?,
        UdpSocket::bind((address, 0))?,
    ];
    client.send_to(b"?", server.local_addr()?)?;
    let (_, asker) = server.recv_from(&mut [0])?;
    server.send_to(b"!", asker)?;
    client.recv(&mut [0])?;
    Ok(())
}
