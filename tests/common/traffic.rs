//! Real packets over the loopback interface, seen by connection tracking.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;

use nix::sys::socket::{
    self, AddressFamily, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, setsockopt,
    socket, sockopt,
};
use nix::unistd::getegid;

use super::{peer, sysctl, wait};

/// Turns connection tracking on in the caller's network namespace, for IPv4 and
/// IPv6: the kernel tracks only where a rule asks for it.
pub(crate) fn start_tracking() {
    peer::nft(
        "table inet tracking {
             chain incoming {
                 type filter hook input priority filter; policy accept;
                 ct state new counter accept
             }
         }",
    );
}

/// Gives the loopback interface of the caller's network namespace one more address.
pub(crate) fn add_address(address: IpAddr) {
    let rest = match address {
        IpAddr::V4(_) => "/32 dev lo",
        IpAddr::V6(_) => "/128 dev lo nodad",
    };
    peer::run(&format!("ip addr add {address}{rest}"));
    // An IPv6 address gets its route a little later.
    wait::until(&format!("a route to {address}"), || {
        let socket = UdpSocket::bind((address, 0)).ok()?;
        socket.connect((address, 9)).ok()
    });
}

/// Connects over TCP to a listener at `address`, sends one byte each way and
/// returns the client's and the server's end.
pub(crate) fn tcp(address: IpAddr) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((address, 0)).expect("bind");
    let mut client = TcpStream::connect(local(listener.local_addr())).expect("connect");
    let (mut server, _) = listener.accept().expect("accept");
    for end in [&client, &server] {
        end.set_read_timeout(Some(wait::DEADLINE)).expect("timeout");
    }
    let mut byte = [0];
    client.write_all(b"?").expect("write");
    server.read_exact(&mut byte).expect("read");
    server.write_all(b"!").expect("write");
    client.read_exact(&mut byte).expect("read");
    (client, server)
}

/// Sends one UDP datagram each way between two sockets at `address` and returns
/// them, connected with each other; the first one has sent first.
pub(crate) fn udp(address: IpAddr) -> (UdpSocket, UdpSocket) {
    let bind = || {
        let socket = UdpSocket::bind((address, 0)).expect("bind");
        let timeout = socket.set_read_timeout(Some(wait::DEADLINE));
        timeout.expect("timeout");
        socket
    };
    let (client, server) = (bind(), bind());
    client.connect(local(server.local_addr())).expect("connect");
    server.connect(local(client.local_addr())).expect("connect");
    let mut byte = [0];
    client.send(b"?").expect("send");
    server.recv(&mut byte).expect("receive");
    server.send(b"!").expect("send");
    client.recv(&mut byte).expect("receive");
    (client, server)
}

/// Sends an ICMP or ICMPv6 echo request to `address`, waits for the reply and
/// returns the id of both.
pub(crate) fn ping(address: IpAddr) -> u16 {
    const ECHO_REQUEST: u8 = 8;
    const ECHO_REQUEST_V6: u8 = 128;
    let (family, protocol, request) = match address {
        IpAddr::V4(_) => (AddressFamily::Inet, SockProtocol::Icmp, ECHO_REQUEST),
        IpAddr::V6(_) => (AddressFamily::Inet6, SockProtocol::IcmpV6, ECHO_REQUEST_V6),
    };
    // Sockets for echo requests are for the groups in this range (icmp(7)).
    let group = getegid();
    sysctl::write("net.ipv4.ping_group_range", format!("{group} {group}"));
    let fd = socket(family, SockType::Datagram, SockFlag::SOCK_CLOEXEC, protocol).expect("socket");
    let target = SockaddrStorage::from(SocketAddr::new(address, 0));
    socket::connect(fd.as_raw_fd(), &target).expect("connect");

    // A datagram socket in all but its protocol: the kernel fills in the
    // checksum, and the id from what it shows as the local port.
    let socket = UdpSocket::from(fd);
    socket
        .set_read_timeout(Some(wait::DEADLINE))
        .expect("timeout");
    socket
        .send(&[request, 0, 0, 0, 0, 0, 0, 1, b'?'])
        .expect("send");
    let mut reply = [0; 64];
    socket.recv(&mut reply).expect("an echo reply");
    local(socket.local_addr()).port()
}

/// Connects over TCP from this address to that one.
pub(crate) fn connect(from: SocketAddr, to: SocketAddr) -> TcpStream {
    let family = match from {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let fd = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).expect("socket");
    setsockopt(&fd, sockopt::ReuseAddr, &true).expect("setsockopt");
    bind(fd.as_raw_fd(), &SockaddrStorage::from(from)).expect("bind");
    socket::connect(fd.as_raw_fd(), &SockaddrStorage::from(to)).expect("connect");
    let stream = TcpStream::from(fd);
    let timeout = stream.set_read_timeout(Some(wait::DEADLINE));
    timeout.expect("timeout");
    stream
}

fn local(address: std::io::Result<SocketAddr>) -> SocketAddr {
    address.expect("a local address")
}
