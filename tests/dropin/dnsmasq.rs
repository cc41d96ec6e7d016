//! dnsmasq(8) with `--conntrack`: it looks up the mark of the connection by which
//! a query came, and gives it to the query it sends on.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;

use nix::sys::signal::Signal;

use super::common::peer::{self, Peer};
use super::common::wait;
use super::compare::in_own_namespaces;
use super::library::Library;

/// Where dnsmasq listens, and where the server is that it asks.
const PORT: u16 = 5353;
const UPSTREAM: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), 5300);

/// Marks the connections of queries that come to dnsmasq, and gives those of the
/// queries that it sends the marks of their packets.
const RULES: &str = "table inet marks {
     chain input {
         type filter hook input priority filter; policy accept;
         ip daddr 127.0.0.1 udp dport 5353 ct mark set 0x2a
         ip daddr 127.0.0.1 tcp dport 5353 ct mark set 0x2b
         ip6 daddr ::1 udp dport 5353 ct mark set 0x2c
         ip6 daddr ::1 tcp dport 5353 ct mark set 0x2d
     }
     chain output {
         type filter hook output priority filter; policy accept;
         ip daddr 127.0.0.2 meta mark != 0 ct mark set meta mark
     }
 }";

fn start(library: Library) -> Peer {
    // With --no-daemon, it stays the user it is.
    let dnsmasq = library.start(&format!(
        "dnsmasq --no-daemon --conf-file=/dev/null --no-hosts --no-resolv --pid-file= \
         --log-facility=- --log-queries --bind-interfaces --listen-address=127.0.0.1 \
         --listen-address=::1 --port={PORT} --server={}#{} --conntrack",
        UPSTREAM.ip(),
        UPSTREAM.port()
    ));
    wait::until("dnsmasq to start", || {
        dnsmasq.said().contains("using nameserver").then_some(())
    });
    dnsmasq
}

/// A query for the address of `host.example`.
const QUERY: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\
                       \x04host\x07example\x00\x00\x01\x00\x01";

/// The reply to a query: `192.0.2.99`, for the name at byte 12, for no time.
fn reply(query: &[u8]) -> Vec<u8> {
    let (id, question) = (&query[..2], &query[12..QUERY.len()]);
    let counts = b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00";
    let answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\xc0\x00\x02\x63";
    [id, counts, question, answer].concat()
}

/// Asks dnsmasq at this address over UDP, with a server that replies.
fn ask(address: IpAddr) -> Vec<u8> {
    let server = UdpSocket::bind(UPSTREAM).expect("bind");
    let unspecified: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let client = UdpSocket::bind((unspecified, 0)).expect("bind");
    for socket in [&server, &client] {
        socket
            .set_read_timeout(Some(wait::DEADLINE))
            .expect("timeout");
    }
    client.send_to(QUERY, (address, PORT)).expect("send");
    let mut buffer = [0; 512];
    let (length, from) = server.recv_from(&mut buffer).expect("a query");
    server
        .send_to(&reply(&buffer[..length]), from)
        .expect("send");
    let length = client.recv(&mut buffer).expect("a reply");
    buffer[..length].to_vec()
}

/// The same over TCP.
fn ask_over_tcp(address: IpAddr) -> Vec<u8> {
    let listener = TcpListener::bind(UPSTREAM).expect("bind");
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut server, _) = listener.accept().expect("accept");
            let query = receive(&mut server);
            send(&mut server, &reply(&query));
        });
        let mut client = TcpStream::connect((address, PORT)).expect("connect");
        send(&mut client, QUERY);
        receive(&mut client)
    })
}

/// Messages over TCP have their length before them.
fn send(stream: &mut TcpStream, message: &[u8]) {
    let length = u16::try_from(message.len()).expect("a short message");
    let bytes = [&length.to_be_bytes(), message].concat();
    stream.write_all(&bytes).expect("write");
}

fn receive(stream: &mut TcpStream) -> Vec<u8> {
    stream
        .set_read_timeout(Some(wait::DEADLINE))
        .expect("timeout");
    let mut length = [0; 2];
    stream.read_exact(&mut length).expect("a length");
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message).expect("a message");
    message
}

#[test]
fn queries_are_sent_on_with_the_mark_of_the_connection() {
    let text = in_own_namespaces(|library| {
        peer::nft(RULES);
        let dnsmasq = start(library);
        let addresses: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let mut text = String::new();
        for address in addresses {
            for ask in [ask, ask_over_tcp] {
                text += &format!("{:?}\n", &ask(address)[QUERY.len()..]);
                text += &marks_of_queries_sent_on();
                peer::run("conntrack -F");
            }
        }
        let finished = dnsmasq.stop(Signal::SIGTERM);
        assert!(finished.status.success(), "{finished}");
        assert!(!finished.stderr.contains("retrieval failed"), "{finished}");
        text
    });
    for mark in ["mark=42 ", "mark=43 ", "mark=44 ", "mark=45 "] {
        assert!(text.contains(mark), "no {mark}: {text}");
    }
}

/// The protocols and marks of the entries for queries to the server.
fn marks_of_queries_sent_on() -> String {
    let list = peer::run(&format!("conntrack -L -d {}", UPSTREAM.ip()));
    let entry = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        let mark = words.iter().find(|word| word.starts_with("mark="));
        format!("{} {} \n", words[0], mark.expect("a mark"))
    };
    list.lines().map(entry).collect()
}

#[test]
fn a_query_without_a_connection_is_sent_on_as_it_is() {
    let text = in_own_namespaces(|library| {
        let dnsmasq = start(library);
        let reply = ask(Ipv4Addr::LOCALHOST.into());
        let finished = dnsmasq.stop(Signal::SIGTERM);
        // The kernel tracks nothing here.
        let complaint = finished
            .stderr
            .lines()
            .find_map(|line| line.split_once("Conntrack"));
        let complaint = complaint.expect("a complaint").1;
        format!("{complaint}\n{:?}\n", &reply[QUERY.len()..])
    });
    assert!(
        text.contains("retrieval failed: No such file or directory"),
        "{text}"
    );
}
