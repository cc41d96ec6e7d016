//! Prints the devices that are added, removed and changed, until nothing has
//! happened for a while: 10 seconds, or as many as the argument says.
//!
//! ```sh
//! cargo run --example uevent -- 60
//! ```
//!
//! The kernel reports devices over the family NETLINK_KOBJECT_UEVENT, whose
//! datagrams are not netlink messages but lines of text. No privilege is needed.

use std::env;
use std::time::Duration;

use netfilter_conntrack::netlink::{Family, Socket};

/// The multicast group of the kernel's own events; udev's are in group 2.
const KERNEL: u32 = 1;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let patience = match env::args().nth(1) {
        Some(seconds) => Duration::from_secs(seconds.parse()?),
        None => Duration::from_secs(10),
    };
    let socket = Socket::bind(Family::KOBJECT_UEVENT, 0, KERNEL)?;
    let mut buffer = vec![0; 16 * 1024];
    // What poll(2) or select(2) would do for several sockets.
    while socket.wait_readable(Some(patience))? {
        let datagram = socket.try_recv(&mut buffer)?;
        let event = buffer.get(..datagram.len).and_then(Uevent::parse);
        // Anybody can send to a netlink socket; only the kernel has port 0.
        if let (0, Some(event)) = (datagram.sender, event) {
            println!("{:8} {}", event.action, event.path);
            for (name, value) in event.properties() {
                println!("         {name}={value}");
            }
        }
    }
    println!("nothing for {patience:?}");
    Ok(())
}

/// What happened to a device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uevent<'a> {
    /// Such as `add` or `remove`.
    pub(crate) action: &'a str,
    /// The device, below `/sys`.
    pub(crate) path: &'a str,
    rest: &'a str,
}

impl<'a> Uevent<'a> {
    /// Reads `ACTION@PATH` and the properties, each ended by a NUL.
    pub(crate) fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (head, rest) = std::str::from_utf8(datagram).ok()?.split_once('\0')?;
        let (action, path) = head.split_once('@')?;
        Some(Self { action, path, rest })
    }

    /// The properties: names and values.
    pub(crate) fn properties(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.rest
            .split('\0')
            .filter_map(|line| line.split_once('='))
    }
}
