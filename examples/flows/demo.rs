//! The demonstration: flows of a private network namespace.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use netfilter_conntrack::conntrack::Icmp;
use netfilter_conntrack::netlink::{Builder, Family, Flags, Header, Socket};
use netfilter_conntrack::{Conntrack, Groups, Handle, L4Proto, Status, Tuple};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};

use super::options::Options;

pub(crate) fn run(options: &Options) -> io::Result<()> {
    enter_namespace()?;
    loopback_up()?;
    let tracked = start_tracking();

    let mut events = Handle::open(options.groups)?;
    events.set_nonblocking(true)?;
    let mut table = Handle::open(Groups::empty())?;

    title("Some entries, made by request");
    let mut made = entries().map_err(io::Error::other)?;
    for entry in &made {
        table.create(entry)?;
    }
    if tracked {
        title("One more, made by packets: a TCP connection over the loopback interface");
        talk()?;
    } else {
        title("No rules could be loaded with nft(8), so that packets are not tracked");
    }
    super::list(options)?;
    title("Their events so far");
    super::follow(&mut events, options)?;

    title("Their marks change, and one of them goes");
    for (mark, entry) in (1..).zip(&mut made) {
        table.update(entry.set_mark(mark))?;
    }
    table.delete(&made[0])?;
    super::follow(&mut events, options)?;

    title("The rest is flushed");
    table.flush(options.family)?;
    super::follow(&mut events, options)
}

fn title(text: &str) {
    println!("\n# {text}");
}

/// Enters a user and a network namespace of its own.
fn enter_namespace() -> io::Result<()> {
    let (user, group) = (Uid::effective(), Gid::effective());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET).map_err(|errno| {
        let error = io::Error::from(errno);
        let hint = "user namespaces may be switched off; root can run this without them";
        io::Error::new(
            error.kind(),
            format!("no private namespace: {error} ({hint})"),
        )
    })?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// Sets the loopback interface up, through the same netlink layer: RTM_NEWLINK
/// with IFF_UP for the interface with index 1, rtnetlink(7).
fn loopback_up() -> io::Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const IFF_UP: u32 = 1;
    let mut request = Vec::new();
    let mut message = Builder::new(&mut request, Header::request(RTM_NEWLINK, Flags::ACK));
    let words = [0u32, 1, IFF_UP, IFF_UP];
    message.put_bytes(&words.map(u32::to_ne_bytes).concat());
    message.finish()?;
    let socket = Socket::open(Family::ROUTE)?;
    socket.send(&request)?;
    socket.recv(&mut [0; 4096])?;
    Ok(())
}

/// Loads a rule that looks at connections, which makes the kernel track them.
fn start_tracking() -> bool {
    let rules =
        "table inet demo { chain in { type filter hook input priority 0; ct state new accept; } }";
    let nft = Command::new("nft")
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    nft.and_then(|mut nft| {
        nft.stdin
            .take()
            .map_or(Ok(()), |mut input| input.write_all(rules.as_bytes()))?;
        nft.wait()
    })
    .is_ok_and(|status| status.success())
}

/// A question and its answer over TCP.
fn talk() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.write_all(b"?")?;
    server.read_exact(&mut [0])?;
    server.write_all(b"!")?;
    client.read_exact(&mut [0])
}

fn entries() -> Result<Vec<Conntrack>, Box<dyn std::error::Error + Send + Sync>> {
    let echo = Icmp {
        kind: 8,
        code: 0,
        id: 4711,
    };
    let tuples = [
        Tuple::udp("192.0.2.1:5353".parse()?, "198.51.100.53:53".parse()?)?,
        Tuple::tcp("[2001:db8::1]:40000".parse()?, "[2001:db8::2]:443".parse()?)?,
        Tuple::new("192.0.2.1".parse()?, "198.51.100.7".parse()?, L4Proto::ICMP)?.with_icmp(echo),
        Tuple::new("192.0.2.1".parse()?, "198.51.100.8".parse()?, L4Proto::GRE)?.with_ports(1, 2),
    ];
    let entry = |tuple| {
        let mut entry = Conntrack::flow(tuple);
        entry
            .set_timeout(120)
            .set_status(Status::SEEN_REPLY | Status::ASSURED);
        entry
    };
    Ok(tuples.into_iter().map(entry).collect())
}
