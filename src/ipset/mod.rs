//! IP sets: the `ip_set` subsystem of netfilter, over the same netlink layer
//! (feature `ipset`).
//!
//! A set holds addresses, networks, ports, interfaces and combinations of
//! them; firewall rules match packets against it, and programs change it while
//! the rules stay. ipset(8) explains the set types and their options, whose
//! names this module uses.
//!
//! [`Session`] has a method for each command of the subsystem. A [`Set`]
//! describes a set to create, an [`Entry`] what is in it; a [`Batch`] adds
//! thousands of entries at a time, and a [`List`] streams sets and entries from
//! the kernel. Sets and entries print as commands of ipset(8), so that what
//! [`save_all`](Session::save_all) gives can be read by `ipset restore`.
//!
//! What the kernel refuses comes as an [`Error`] with a [`Reason`].
//!
//! Written from the kernel's header files (`linux/netfilter/ipset`), ipset(8)
//! and experiments with Linux 6.18 and ipset 7.17.

mod address;
mod batch;
mod command;
mod commands;
mod decode;
mod encode;
mod entry;
mod error;
mod list;
mod mac;
mod name;
mod ports;
mod reason;
mod save;
mod session;
mod set;
mod settype;
mod uapi;

pub use address::Addresses;
pub use batch::{Batch, Failure};
pub use command::Command;
pub use commands::SetHeader;
pub use decode::Part;
pub use entry::{Entry, Interface, Place, SkbMark};
pub use error::{Error, Result};
pub use list::{Item, List};
pub use mac::MacAddr;
pub use name::Name;
pub use ports::Ports;
pub use reason::Reason;
pub use session::Session;
pub use set::{Set, SetFlags, SetInfo};
pub use settype::{Method, SetType};
