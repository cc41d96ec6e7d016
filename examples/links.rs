//! Lists the network interfaces, then prints those that come, change and go and
//! the addresses they get and lose, until nothing has happened for a while: 10
//! seconds, or as many as the argument says.
//!
//! ```sh
//! cargo run --example links -- 60
//! ```
//!
//! Uses rtnetlink(7), the family NETLINK_ROUTE. No privilege is needed.

use std::collections::HashMap;
use std::env;
use std::net::IpAddr;
use std::time::Duration;

use netfilter_conntrack::netlink::{
    Attrs, Builder, Control, Family, Flags, Header, Message, Messages, Socket,
};

/// `RTMGRP_LINK`, `RTMGRP_IPV4_IFADDR` and `RTMGRP_IPV6_IFADDR`.
pub(crate) const GROUPS: u32 = 0x1 | 0x10 | 0x100;

const NEW_LINK: u16 = 16;
const DEL_LINK: u16 = 17;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const DEL_ADDRESS: u16 = 21;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let patience = match env::args().nth(1) {
        Some(seconds) => Duration::from_secs(seconds.parse()?),
        None => Duration::from_secs(10),
    };
    // Listens before it lists, and so misses nothing in between.
    let socket = Socket::bind(Family::ROUTE, 0, GROUPS)?;
    socket.send(&list_request()?)?;
    let mut links = Links::default();
    let mut buffer = vec![0; 32 * 1024];
    while socket.wait_readable(Some(patience))? {
        let datagram = socket.try_recv(&mut buffer)?;
        if datagram.sender != 0 {
            continue;
        }
        for message in Messages::new(buffer.get(..datagram.len).unwrap_or_default()) {
            if let Some(line) = links.describe(&message?) {
                println!("{line}");
            }
        }
    }
    println!("nothing for {patience:?}");
    Ok(())
}

/// A request to dump all links.
pub(crate) fn list_request() -> netfilter_conntrack::Result<Vec<u8>> {
    let mut request = Vec::new();
    let header = Header::request(GET_LINK, Flags::DUMP).with_seq(1);
    let mut message = Builder::new(&mut request, header);
    // struct ifinfomsg: any family, any link.
    message.put_bytes(&[0; 16]);
    message.finish()?;
    Ok(request)
}

/// The names of the links seen so far, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Links(HashMap<u32, String>);

impl Links {
    /// What a message tells, in a line; `None` if nothing of interest.
    pub(crate) fn describe(&mut self, message: &Message<'_>) -> Option<String> {
        match message.kind() {
            NEW_LINK | DEL_LINK => self.link(message),
            NEW_ADDRESS | DEL_ADDRESS => self.address(message),
            _ => match message.control()? {
                Control::Error(errno, extended) => {
                    let text = String::from_utf8_lossy(extended.message.unwrap_or_default());
                    Some(format!("error {errno}: {text}"))
                }
                _ => None,
            },
        }
    }

    fn link(&mut self, message: &Message<'_>) -> Option<String> {
        /// `IFLA_IFNAME`.
        const NAME: u16 = 3;
        // struct ifinfomsg: family, padding, type, index, flags, mask of flags.
        let (header, attributes) = message.payload().split_first_chunk::<16>()?;
        let [_, _, _, _, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *header;
        let index = u32::from_ne_bytes([i0, i1, i2, i3]);
        let up = u32::from_ne_bytes([f0, f1, f2, f3]) & libc::IFF_UP as u32 != 0;
        let name = Attrs::new(attributes).find(NAME).ok()??.string();
        let name = String::from_utf8_lossy(name).into_owned();
        let line = match (message.kind(), up) {
            (DEL_LINK, _) => format!("- link {index} {name}"),
            (_, true) => format!("+ link {index} {name} up"),
            (_, false) => format!("+ link {index} {name} down"),
        };
        self.0.insert(index, name);
        Some(line)
    }

    fn address(&self, message: &Message<'_>) -> Option<String> {
        /// `IFA_ADDRESS`.
        const ADDRESS: u16 = 1;
        // struct ifaddrmsg: family, prefix length, flags, scope, index of the link.
        let (header, attributes) = message.payload().split_first_chunk::<8>()?;
        let [_, prefix, _, _, index @ ..] = *header;
        let attr = Attrs::new(attributes).find(ADDRESS).ok()??;
        let address: IpAddr = match (attr.array::<4>(), attr.array::<16>()) {
            (Some(v4), _) => v4.into(),
            (_, Some(v6)) => v6.into(),
            _ => return None,
        };
        let sign = if message.kind() == NEW_ADDRESS {
            '+'
        } else {
            '-'
        };
        let unknown = String::from("?");
        let name = self.0.get(&u32::from_ne_bytes(index)).unwrap_or(&unknown);
        Some(format!("{sign} address {address}/{prefix} of {name}"))
    }
}
