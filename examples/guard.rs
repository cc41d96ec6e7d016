//! Bans sources of too many new flows: whoever opens more than so many flows in
//! so many seconds is put into an IP set, from which it vanishes after a while.
//!
//! ```sh
//! # More than 100 flows in 10 seconds ban a source for 600 seconds.
//! cargo run --features ipset --example guard -- 100 10 600
//! iptables -A INPUT -m set --match-set guard src -j DROP
//! ip6tables -A INPUT -m set --match-set guard6 src -j DROP
//! ```
//!
//! Needs CAP_NET_ADMIN, and rules that make the kernel track connections.
//! With `--demo` it shows all this with traffic of its own, in a network
//! namespace of its own, and ends by itself; that needs root, `ip` and `iptables`.

use std::collections::{HashMap, VecDeque};
use std::env;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use netfilter_conntrack::filter::{EventFilter, FilterAttr};
use netfilter_conntrack::ipset::{Entry, Session, Set, SetType};
use netfilter_conntrack::{Error, EventKind, Groups, Handle, L3Proto};
use nix::sched::{CloneFlags, unshare};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--demo"] => {
            unshare(CloneFlags::CLONE_NEWNET)?;
            run("ip link set lo up")?;
            demo()
        }
        [flows, seconds, ban] => {
            let window = Duration::from_secs(seconds.parse()?);
            let mut guard = Guard::new(flows.parse()?, window, ban.parse()?)?;
            loop {
                for source in guard.watch(None)? {
                    println!("banned {source}");
                }
            }
        }
        _ => Err("usage: guard FLOWS SECONDS BAN-SECONDS | --demo".into()),
    }
}

/// Counts new flows and bans their sources.
pub(crate) struct Guard {
    events: Handle,
    sets: Session,
    flows: usize,
    window: Duration,
    /// When each source opened its last flows.
    opened: HashMap<IpAddr, VecDeque<Instant>>,
    swept: Instant,
}

impl Guard {
    /// Starts to listen. More than `flows` flows of one source in `window` ban
    /// it for `ban` seconds.
    pub(crate) fn new(flows: usize, window: Duration, ban: u32) -> Result<Self> {
        let mut sets = Session::open()?;
        for (name, family) in [("guard", L3Proto::IPV4), ("guard6", L3Proto::IPV6)] {
            let set = Set::new(name, SetType::HASH_IP)?.with_family(family);
            sets.create_if_missing(&set.with_timeout(ban))?;
        }
        // What comes from this host itself is not even queued by the kernel.
        let filter = EventFilter::new()
            .kind(EventKind::New)
            .source(Ipv4Addr::LOCALHOST)
            .source(Ipv6Addr::LOCALHOST)
            .negative(FilterAttr::SourceIpv4)
            .negative(FilterAttr::SourceIpv6);
        let events = Handle::open(Groups::empty())?;
        filter.attach(events.socket())?;
        events.socket().set_groups(Groups::NEW.bits())?;
        events.set_nonblocking(true)?;
        Ok(Self {
            events,
            sets,
            flows,
            window,
            opened: HashMap::new(),
            swept: Instant::now(),
        })
    }

    /// Waits for new flows, at the most this long, and gives the sources that
    /// they got banned.
    pub(crate) fn watch(&mut self, timeout: Option<Duration>) -> Result<Vec<IpAddr>> {
        self.events.wait_readable(timeout)?;
        let mut banned = Vec::new();
        loop {
            let source = match self.events.next_event() {
                Ok(event) => event.conntrack().and_then(|entry| entry.original()),
                Err(Error::WouldBlock) => return Ok(banned),
                // Too many at once; those that were lost are not counted.
                Err(Error::Overrun) => continue,
                Err(error) => return Err(error.into()),
            };
            let Some(source) = source.map(|tuple| tuple.source()) else {
                continue;
            };
            if self.count(source, Instant::now()) {
                let set = if source.is_ipv4() { "guard" } else { "guard6" };
                // A source that is in the set already gets its time anew.
                self.sets.add_or_update(set, &Entry::address(source))?;
                banned.push(source);
            }
        }
    }

    /// Counts a new flow; tells whether it is one too many.
    pub(crate) fn count(&mut self, source: IpAddr, now: Instant) -> bool {
        let recent = |opened: &Instant| now.duration_since(*opened) < self.window;
        if !recent(&self.swept) {
            self.opened
                .retain(|_, opened| opened.back().is_some_and(recent));
            self.swept = now;
        }
        let opened = self.opened.entry(source).or_default();
        opened.push_back(now);
        while opened.front().is_some_and(|first| !recent(first)) {
            opened.pop_front();
        }
        let too_many = opened.len() > self.flows;
        if too_many {
            self.opened.remove(&source);
        }
        too_many
    }
}

/// Opens flows to a server from two addresses, one of them too many.
pub(crate) fn demo() -> Result {
    let mut guard = Guard::new(5, Duration::from_secs(10), 60)?;
    run("iptables -A INPUT -m set --match-set guard src -j DROP")?;
    run("iptables -A INPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT")?;
    let server = UdpSocket::bind("127.0.0.1:0")?;
    server.set_read_timeout(Some(Duration::from_millis(300)))?;

    let mut flows_seen = Vec::new();
    for (source, flows) in [("127.0.0.2", 5), ("127.0.0.3", 8)] {
        for flow in 1..=flows {
            // Each socket has a port of its own, and so opens a flow.
            let client = UdpSocket::bind((source, 0))?;
            client.send_to(b"hello", server.local_addr()?)?;
            let arrived = match server.recv(&mut [0; 8]) {
                Ok(_) => true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => false,
                Err(error) => return Err(error.into()),
            };
            let word = if arrived { "arrived" } else { "was dropped" };
            println!("flow {flow} of {source} {word}");
            flows_seen.push((source, arrived));
            for banned in guard.watch(Some(Duration::from_millis(300)))? {
                println!("banned {banned}");
            }
        }
    }
    let entries = guard.sets.entries("guard")?;
    for entry in &entries {
        println!("in the set: {entry}");
    }
    let arrived = |source| {
        flows_seen
            .iter()
            .filter(|flow| **flow == (source, true))
            .count()
    };
    if (arrived("127.0.0.2"), arrived("127.0.0.3"), entries.len()) != (5, 6, 1) {
        return Err("the guard let too many or too few pass".into());
    }
    Ok(())
}

fn run(line: &str) -> Result {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    // Where ordinary users do not look for programs.
    let path = env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    if !command.args(words).env("PATH", path).status()?.success() {
        return Err(format!("`{line}` failed").into());
    }
    Ok(())
}
