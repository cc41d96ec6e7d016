//! Entries, expectations and kinds of events for serde (feature `serde`), in a
//! schema made for JSON.
//!
//! ```
//! use netfilter_conntrack::{Conntrack, EventKind, Tuple};
//! use serde::Serialize;
//!
//! /// One line of a log.
//! #[derive(Serialize)]
//! struct Line<'a> {
//!     event: EventKind,
//!     #[serde(flatten)]
//!     entry: &'a Conntrack,
//! }
//!
//! let tuple = Tuple::udp("192.0.2.1:5353".parse()?, "192.0.2.2:53".parse()?)?;
//! let mut entry = Conntrack::new();
//! entry.set_original(tuple).set_timeout(30);
//! assert_eq!(
//!     serde_json::to_string(&Line { event: EventKind::New, entry: &entry })?,
//!     r#"{"event":"new","original":{"l3proto":"ipv4","l4proto":"udp","src":"192.0.2.1","#.to_owned()
//!         + r#""dst":"192.0.2.2","sport":5353,"dport":53},"timeout":30}"#,
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
#![doc = include_str!("schema.md")]

mod entry;
mod expect;
mod parts;
mod protoinfo;
mod tuple;
mod values;

use crate::conntrack::Attr;
use crate::conntrack::attr_set::AttrSet;

/// Puts a value into its place and adds its attribute to `set`, where there is one.
fn put<T>(set: &mut AttrSet, attr: Attr, place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
        set.insert(attr);
    }
}

#[cfg(test)]
mod tests;
