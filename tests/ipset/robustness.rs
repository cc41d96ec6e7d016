//! The decoder on recorded and on damaged messages, without the kernel.
//!
//! `tests/data/ipset-listing.hex` is what Linux 6.18 answered to SAVE, with the
//! requester's port id set to 0; `ipset-listing.txt` is what `ipset save`
//! (version 7.17) printed of the same sets, of all types that kernel had.

use netfilter_conntrack::Error;
use netfilter_conntrack::ipset::{Entry, Part};
use netfilter_conntrack::netlink::{Message, Messages};

const LISTING: &str = include_str!("../data/ipset-listing.hex");
const SAVED: &str = include_str!("../data/ipset-listing.txt");

fn listing() -> Vec<u8> {
    let digits: Vec<u8> = LISTING.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Prints what a message holds, up to the first fault.
fn print(message: &Message<'_>, lines: &mut Vec<String>) -> Result<(), Error> {
    let mut part = Part::decode(message)?;
    if let Some(info) = &part.info {
        lines.push(format!("create {}", info.set));
    }
    let mut entry = Entry::default();
    while part.next_entry(&mut entry)? {
        lines.push(format!("add {} {entry}", part.name));
    }
    Ok(())
}

/// Reads all of a datagram; what matters is that it ends without a panic.
/// Tells whether all was well.
fn survive(datagram: &[u8]) -> bool {
    let mut lines = Vec::new();
    Messages::new(datagram).all(|message| {
        message
            .is_ok_and(|message| message.control().is_some() || print(&message, &mut lines).is_ok())
    })
}

#[test]
fn recorded_messages_are_read() {
    let bytes = listing();
    let mut lines = Vec::new();
    for message in Messages::new(&bytes) {
        let message = message.unwrap();
        if message.control().is_none() {
            print(&message, &mut lines).unwrap();
        }
    }
    assert_eq!(lines, SAVED.lines().collect::<Vec<_>>());
}

#[test]
fn every_prefix_is_survived() {
    let bytes = listing();
    let whole = (0..bytes.len()).filter(|len| survive(&bytes[..*len]));
    // Where a message or its padding ends.
    assert!(whole.count() < 60);
}

#[test]
fn every_prefix_of_a_message_is_survived() {
    for message in Messages::new(&listing()) {
        let message = message.unwrap().as_bytes();
        for len in 16..message.len() {
            let mut cut = message[..len].to_vec();
            cut[..4].copy_from_slice(&(len as u32).to_ne_bytes());
            survive(&cut);
        }
    }
}

#[test]
fn every_changed_byte_is_survived() {
    let bytes = listing();
    let mut faults = 0;
    for message in Messages::new(&bytes) {
        let mut message = message.unwrap().as_bytes().to_vec();
        for at in 0..message.len() {
            let byte = message[at];
            for change in 1..=255 {
                message[at] = byte ^ change;
                faults += usize::from(!survive(&message));
            }
            message[at] = byte;
        }
    }
    // The decoder notices changed lengths; most other bytes are values.
    assert!(faults > bytes.len(), "{faults}");
}

#[test]
fn random_splices_are_survived() {
    let bytes = listing();
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..20_000 {
        let mut spliced = bytes.clone();
        for _ in 0..=random(4) {
            let (from, to) = (random(bytes.len()), random(spliced.len()));
            let len = random(64).min(bytes.len() - from).min(spliced.len() - to);
            match random(3) {
                0 => spliced[to..to + len].copy_from_slice(&bytes[from..from + len]),
                1 => drop(spliced.splice(to..to, bytes[from..from + len].iter().copied())),
                _ => drop(spliced.drain(to..to + len)),
            }
        }
        survive(&spliced);
    }
}
