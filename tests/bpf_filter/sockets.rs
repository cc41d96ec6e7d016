//! Sockets on which the kernel runs filters.

use netfilter_conntrack::Error;
use netfilter_conntrack::netlink::{Family, Socket};
use netfilter_conntrack::nfnetlink::Groups;

/// A socket that gets all events of the network namespace.
pub(crate) fn listener() -> Socket {
    let groups = Groups::CONNTRACK.bits();
    Socket::bind(Family::NETFILTER, 0, groups).unwrap()
}

/// All that is in the socket's receive buffer, a datagram each.
pub(crate) fn drain(socket: &Socket) -> Vec<Vec<u8>> {
    let mut buffer = vec![0; 32 * 1024];
    let mut all = Vec::new();
    loop {
        match socket.try_recv(&mut buffer) {
            Ok(datagram) => all.push(buffer[..datagram.len].to_vec()),
            Err(Error::WouldBlock) => return all,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Runs filters on made-up messages: a socket to attach them to and one that
/// sends to it. The family is the one for programs among themselves, so the
/// kernel passes on any bytes, by the same code that runs the filter elsewhere.
pub(crate) struct Trial {
    pub(crate) receiver: Socket,
    sender: Socket,
}

impl Trial {
    pub(crate) fn new() -> Self {
        Self {
            receiver: Socket::open(Family::USERSOCK).unwrap(),
            sender: Socket::open(Family::USERSOCK).unwrap(),
        }
    }

    /// Tells whether the datagram passes what is attached.
    pub(crate) fn passes(&self, datagram: &[u8]) -> bool {
        self.sender
            .send_to(datagram, self.receiver.port(), 0)
            .unwrap();
        let received = drain(&self.receiver);
        match received.as_slice() {
            [] => false,
            [one] => {
                assert_eq!(one, datagram);
                true
            }
            more => panic!("{more:?}"),
        }
    }
}
