//! Traffic of a private network namespace, to have something to show.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use netfilter_conntrack::{Conntrack, Groups, Handle, Nat, Status, Tuple};

use super::{namespace, sysctl};

/// Bytes that the flows send each [`TICK`], both ways: a download, two uploads, a
/// conversation, and one that is idle.
const FLOWS: [(Kind, &str, [usize; 2]); 6] = [
    (Kind::Tcp, "127.0.0.1", [100, 12_000]),
    (Kind::Tcp, "::1", [6_000, 0]),
    (Kind::Udp, "127.0.0.1", [1_400, 0]),
    (Kind::Udp, "::1", [300, 300]),
    (Kind::Tcp, "127.0.0.1", [40, 40]),
    (Kind::Tcp, "::1", [0, 0]),
];

const TICK: Duration = Duration::from_millis(20);

/// Ticks between connections that end at once.
const SHORT: u32 = 25;

#[derive(Clone, Copy)]
enum Kind {
    Tcp,
    Udp,
}

/// Enters the namespace and starts the traffic, which goes on as long as the
/// program. No thread may have been started before.
pub(crate) fn start() -> io::Result<()> {
    namespace::enter()?;
    sysctl::write("nf_conntrack_acct", 1)?;
    sysctl::write("nf_conntrack_timestamp", 1)?;
    translate().map_err(io::Error::other)?;
    let mut flows = Vec::new();
    for (kind, address, sizes) in FLOWS {
        flows.push(Flow::open(kind, address, sizes)?);
    }
    thread::Builder::new()
        .name("traffic".into())
        .spawn(move || {
            if let Err(error) = talk(&mut flows) {
                eprintln!("top: the traffic has ended: {error}");
            }
        })?;
    Ok(())
}

fn talk(flows: &mut [Flow]) -> io::Result<()> {
    for tick in 0u32.. {
        for flow in &mut *flows {
            flow.talk()?;
        }
        if tick % SHORT == 0 {
            Flow::open(Kind::Tcp, "127.0.0.1", [500, 1_000])?.talk()?;
        }
        thread::sleep(TICK);
    }
    Ok(())
}

/// Two sockets that are connected with each other.
struct Flow {
    ends: Ends,
    sizes: [usize; 2],
}

enum Ends {
    Tcp([TcpStream; 2]),
    Udp([UdpSocket; 2]),
}

impl Flow {
    fn open(kind: Kind, address: &str, sizes: [usize; 2]) -> io::Result<Self> {
        let ends = match kind {
            Kind::Tcp => {
                let listener = TcpListener::bind((address, 0))?;
                let client = TcpStream::connect(listener.local_addr()?)?;
                Ends::Tcp([client, listener.accept()?.0])
            }
            Kind::Udp => {
                let ends = [
                    UdpSocket::bind((address, 0))?,
                    UdpSocket::bind((address, 0))?,
                ];
                ends[0].connect(ends[1].local_addr()?)?;
                ends[1].connect(ends[0].local_addr()?)?;
                Ends::Udp(ends)
            }
        };
        Ok(Self { ends, sizes })
    }

    /// One round. Less is under way than the sockets' buffers take, so that one
    /// thread can be both ends.
    fn talk(&mut self) -> io::Result<()> {
        for (from, size) in self.sizes.into_iter().enumerate() {
            let (sent, mut received) = (vec![b'.'; size], vec![0; size]);
            if size == 0 {
                continue;
            }
            match &mut self.ends {
                Ends::Tcp(ends) => {
                    ends[from].write_all(&sent)?;
                    ends[1 - from].read_exact(&mut received)?;
                }
                Ends::Udp(ends) => {
                    ends[from].send(&sent)?;
                    ends[1 - from].recv(&mut received)?;
                }
            }
        }
        Ok(())
    }
}

/// A flow that is translated, made by request: no such packets leave here.
fn translate() -> Result<(), netfilter_conntrack::Error> {
    let ends = ["192.0.2.1:40000", "198.51.100.1:443"].map(|end| end.parse());
    let [Ok(source), Ok(destination)] = ends else {
        return Ok(());
    };
    let mut flow = Conntrack::flow(Tuple::udp(source, destination)?);
    flow.set_timeout(600)
        .set_status(Status::SEEN_REPLY | Status::ASSURED);
    let mut to = Nat::to_address([10, 0, 0, 7].into());
    to.ports = Some((8443, 8443));
    flow.set_dnat(to)?;
    Handle::open(Groups::empty())?.create(&flow)
}
