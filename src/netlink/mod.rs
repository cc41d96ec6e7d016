//! The general netlink layer: messages, attributes, requests and the socket.
//!
//! It serves every netlink family and knows nothing of netfilter; the rest of
//! this crate is built on what is public here, and so can other protocols be
//! (see `examples/` for kernel device events and link lists).
//!
//! Reading and building work on plain bytes. Only [`Socket`] talks to the
//! kernel.
//!
//! ```
//! use netfilter_conntrack::netlink::{Builder, Flags, Header, Messages};
//!
//! let mut buffer = Vec::new();
//! let mut message = Builder::new(&mut buffer, Header::request(0x101, Flags::DUMP).with_seq(7));
//! message.put_bytes(&[2, 0, 0, 0]);
//! message.finish()?;
//!
//! let first = Messages::new(&buffer).next().unwrap()?;
//! assert_eq!((first.kind(), first.seq(), first.payload()), (0x101, 7, &[2, 0, 0, 0][..]));
//! # Ok::<(), netfilter_conntrack::Error>(())
//! ```

mod attr;
mod builder;
mod control;
mod datagram;
mod family;
mod message;
mod namespace;
mod socket;
mod socket_option;

pub use attr::{Attr, AttrError, AttrIndex, Attrs, NESTED, NET_BYTEORDER, TYPE_MASK};
pub use builder::Builder;
pub use control::{Control, ExtendedAck};
pub use datagram::Datagram;
pub use family::Family;
pub use message::{
    ALIGN_TO, Flags, HEADER_LEN, Header, Message, MessageError, Messages, align, kind, length,
    space,
};
pub use socket::Socket;
pub use socket_option::SocketOption;
