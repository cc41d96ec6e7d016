//! The demonstration: flows of a private network namespace.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use netfilter_conntrack::conntrack::{Icmp, ProtoInfo, TcpInfo, TcpState};
use netfilter_conntrack::{Conntrack, Groups, Handle, L3Proto, L4Proto, Status, Tuple};

use super::namespace;
use super::options::Options;

pub(crate) fn run(options: &Options) -> io::Result<()> {
    namespace::enter()?;

    let mut events = Handle::open(options.groups)?;
    events.set_nonblocking(true)?;
    let mut table = Handle::open(Groups::empty())?;

    title("Some entries, made by request");
    let mut made = entries().map_err(io::Error::other)?;
    for entry in &made {
        table.create(entry)?;
    }
    title("One more, made by packets: a TCP connection over the loopback interface");
    talk()?;
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
    table.flush(L3Proto::UNSPEC)?;
    super::follow(&mut events, options)
}

fn title(text: &str) {
    println!("\n# {text}");
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
    let entry = |tuple: Tuple| {
        let mut entry = Conntrack::flow(tuple);
        entry
            .set_timeout(120)
            .set_status(Status::SEEN_REPLY | Status::ASSURED);
        if tuple.l4proto() == L4Proto::TCP {
            entry.set_protoinfo(ProtoInfo::Tcp(TcpInfo {
                state: Some(TcpState::ESTABLISHED),
                ..TcpInfo::default()
            }));
        }
        entry
    };
    Ok(tuples.into_iter().map(entry).collect())
}
