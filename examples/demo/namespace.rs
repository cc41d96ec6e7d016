//! A private network namespace whose packets are tracked, for demonstrations
//! that need no root and leave the machine's tables alone. All of it is done
//! through the library's own netlink layer.

use std::fs;
use std::io;

use netfilter_conntrack::netlink::{Builder, Control, Family, Flags, Header, Messages, Socket};
use netfilter_conntrack::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};

/// Enters a new user namespace and a new network namespace, sets the loopback
/// interface up and makes the kernel track packets. To be called before the
/// program starts threads.
pub(crate) fn enter() -> io::Result<()> {
    let (user, group) = (Uid::effective(), Gid::effective());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET).map_err(|errno| {
        let error = io::Error::from(errno);
        let hint = "user namespaces may be switched off on this machine";
        io::Error::new(
            error.kind(),
            format!("no private namespace: {error} ({hint})"),
        )
    })?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))?;
    set_loopback_up()?;
    start_tracking()
}

/// RTM_NEWLINK with IFF_UP for the interface with index 1, rtnetlink(7).
fn set_loopback_up() -> io::Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const IFF_UP: u32 = 1;
    let mut request = Vec::new();
    let mut message = Builder::new(&mut request, Header::request(RTM_NEWLINK, Flags::ACK));
    let words = [0u32, 1, IFF_UP, IFF_UP];
    message.put_bytes(&words.map(u32::to_ne_bytes).concat());
    message.finish()?;
    exchange(Family::ROUTE, &request)
}

/// The kernel tracks packets where a rule asks for their state. This loads
///
///     table inet demo { chain incoming { type filter hook input priority 0; ct state … } }
///
/// as nft(8) would (`linux/netfilter/nf_tables.h`): a batch of three requests.
fn start_tracking() -> io::Result<()> {
    const NFTABLES: Subsystem = Subsystem(10);
    const NFPROTO_INET: L3Proto = L3Proto(1);
    const BATCH_BEGIN: u16 = 16;
    const BATCH_END: u16 = 17;
    let mut batch = Vec::new();
    let mut put = |kind: u16, start: Nfgenmsg, flags, fill: &dyn Fn(&mut Builder<'_>)| {
        let mut message = start.start(&mut batch, Header::request(kind, flags));
        fill(&mut message);
        message.finish()
    };
    let whole = Nfgenmsg {
        res_id: u16::from(NFTABLES.0),
        ..Nfgenmsg::default()
    };
    let inet = Nfgenmsg::family(NFPROTO_INET);
    let create = Flags::CREATE | Flags::ACK;
    put(BATCH_BEGIN, whole, Flags::empty(), &|_| {})?;
    put(NFTABLES.message_type(0), inet, create, &|table| {
        table.put_string(1, b"demo");
    })?;
    put(NFTABLES.message_type(3), inet, create, &|chain| {
        chain.put_string(1, b"demo");
        chain.put_string(3, b"incoming");
        chain.nest(4, |hook| {
            hook.put_u32_be(1, 1); // input
            hook.put_u32_be(2, 0); // priority
        });
        chain.put_string(7, b"filter");
    })?;
    put(NFTABLES.message_type(6), inet, create, &|rule| {
        rule.put_string(1, b"demo");
        rule.put_string(2, b"incoming");
        rule.nest(4, |expressions| {
            expressions.nest(1, |expression| {
                expression.put_string(1, b"ct");
                expression.nest(2, |ct| {
                    ct.put_u32_be(1, 1); // into the first register
                    ct.put_u32_be(2, 0); // the state
                });
            });
        });
    })?;
    put(BATCH_END, whole, Flags::empty(), &|_| {})?;
    exchange(Family::NETFILTER, &batch)
}

/// Sends requests and reads their acknowledgements, which are there at once.
fn exchange(family: Family, requests: &[u8]) -> io::Result<()> {
    let socket = Socket::open(family)?;
    socket.send(requests)?;
    let mut buffer = vec![0; 8192];
    while let Ok(datagram) = socket.try_recv(&mut buffer) {
        for message in Messages::new(&buffer[..datagram.len]) {
            let message = message.map_err(netfilter_conntrack::Error::from)?;
            if let Some(Control::Error(errno, _)) = message.control() {
                return Err(io::Error::from_raw_os_error(errno));
            }
        }
    }
    Ok(())
}
