//! Damaged messages: whatever stands in them, decoding ends with a value or an
//! error, and all ways of decoding agree.

mod common;

use std::hint::black_box;
use std::thread;

use common::attributes::assert_agree;
use common::vectors;
use fastrand::Rng;
use netfilter_conntrack::netlink::{
    Attrs, HEADER_LEN, Message, MessageError, Messages, NESTED, align,
};
use netfilter_conntrack::nfnetlink::{Nfgenmsg, Subsystem};
use netfilter_conntrack::{Conntrack, ConntrackRef, DecodeError, Event};

/// Decodes bytes, always into the same two entries.
#[derive(Default)]
struct Reader {
    replaced: Conntrack,
    merged: Conntrack,
    /// How many messages were well formed, and how many were not.
    good: usize,
    bad: usize,
}

impl Reader {
    /// Decodes all messages in all ways there are, and compares the results.
    fn read(&mut self, datagram: &[u8]) {
        self.walk(datagram, |reader, message| {
            black_box(message.control());
            let event = Event::parse(message);
            let view = ConntrackRef::parse(&message)?;
            let (subsystem, _) = Subsystem::split(message.kind());
            assert!(event.is_ok() || subsystem != Subsystem::CONNTRACK);
            let owned = view.to_owned();
            let replaced = view.decode_into(&mut reader.replaced);
            let merged = view.merge_into(&mut reader.merged);
            let error = owned.as_ref().err().copied();
            assert_eq!([replaced.err(), merged.err()], [error, error]);
            let owned = owned?;
            assert_agree(&view, &owned);
            assert!(owned.attrs().eq(reader.replaced.attrs()));
            assert!(owned.attrs().all(|attr| reader.merged.is_set(attr)));
            assert_eq!(owned.original(), reader.replaced.original());
            Ok(())
        });
    }

    /// Decodes all messages in the way that reads every attribute once.
    fn read_once(&mut self, datagram: &[u8]) {
        self.walk(datagram, |reader, message| {
            ConntrackRef::parse(&message)?.decode_into(&mut reader.replaced)
        });
    }

    fn walk(
        &mut self,
        datagram: &[u8],
        decode: impl Fn(&mut Self, Message<'_>) -> Result<(), DecodeError>,
    ) {
        let _shown = ShownOnPanic(datagram);
        let mut messages = Messages::new(datagram);
        // Every message has a header at least, and there is one error at most.
        for _ in 0..=datagram.len() / HEADER_LEN + 1 {
            let result = match messages.next() {
                None => return,
                Some(Err(MessageError { available, .. })) => {
                    assert!(available <= datagram.len());
                    self.bad += 1;
                    continue;
                }
                Some(Ok(message)) => decode(self, message),
            };
            match result {
                Ok(()) => self.good += 1,
                Err(_) => self.bad += 1,
            }
        }
        panic!("the walk does not end");
    }
}

/// Tells which bytes were being read when a test failed.
struct ShownOnPanic<'a>(&'a [u8]);

impl Drop for ShownOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
            eprintln!("while reading {digits}");
        }
    }
}

/// The messages of all vectors, one by one; those of the datagram `k29` are, but
/// for one, the same as others here.
fn messages() -> Vec<Vec<u8>> {
    let vectors = vectors::all();
    let bytes = vectors.into_iter().map(|vector| vector.bytes);
    let mut all: Vec<_> = bytes
        .flat_map(|bytes| {
            let messages = Messages::new(&bytes);
            let whole =
                |message: Result<Message<'_>, _>| message.expect("whole").as_bytes().to_vec();
            messages.map(whole).collect::<Vec<_>>()
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

/// Does `work` with each item, shared out to as many threads as there are CPUs.
fn share_out<T: Sync>(items: &[T], work: impl Fn(&mut Reader, &T) + Sync) {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for first in 0..threads {
            let share = items.iter().skip(first).step_by(threads);
            let work = &work;
            scope.spawn(move || {
                let mut reader = Reader::default();
                share.for_each(|item| work(&mut reader, item));
                assert!(reader.good > 0 && reader.bad > 0);
            });
        }
    });
}

#[test]
fn every_prefix() {
    let whole: Vec<_> = vectors::all().into_iter().map(|v| v.bytes).collect();
    share_out(&whole, |reader, bytes| {
        for len in 0..=bytes.len() {
            reader.read(&bytes[..len]);
        }
    });
    // The same cut inside the message, whose own length is right again.
    share_out(&messages(), |reader, bytes| {
        let mut bytes = bytes.clone();
        while bytes.len() > HEADER_LEN {
            bytes.pop();
            set_length(&mut bytes);
            reader.read(&bytes);
        }
    });
}

#[test]
fn every_change_of_a_byte() {
    share_out(&messages(), |reader, bytes| {
        let mut changed = bytes.clone();
        for place in 0..bytes.len() {
            for value in 0..=u8::MAX {
                changed[place] = value;
                reader.read_once(&changed);
            }
            for value in [0, 1, u8::MAX, bytes[place] ^ 1, bytes[place] ^ 0x80] {
                changed[place] = value;
                reader.read(&changed);
            }
            changed[place] = bytes[place];
        }
    });
}

#[test]
fn random_splices() {
    const SPLICES: usize = 200_000;
    const SEEDS: usize = 16;
    let all = messages();
    let attributes = attributes(&all);
    let seeds: Vec<_> = (0..SEEDS as u64).collect();
    share_out(&seeds, |reader, seed| {
        let mut rng = Rng::with_seed(*seed);
        let (good, bad) = (reader.good, reader.bad);
        for _ in 0..SPLICES / SEEDS {
            // Messages need not be aligned in memory.
            let mut buffer = vec![0; rng.usize(0..4)];
            let start = buffer.len();
            buffer.append(&mut match rng.bool() {
                true => spliced(&all, &mut rng),
                false => assembled(&all, &attributes, &mut rng),
            });
            reader.read(&buffer[start..]);
        }
        // Both come about often, or the splices would be no test.
        let parts = [reader.good - good, reader.bad - bad];
        let enough = |part: &usize| *part > SPLICES / SEEDS / 10;
        assert!(parts.iter().all(enough), "{parts:?}");
    });
}

/// The front of one message, the back of another, perhaps a piece of a third
/// between them, perhaps some other bytes.
fn spliced(messages: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let cut = |rng: &mut Rng| {
        let bytes = rng.choice(messages).expect("some messages");
        let place = rng.usize(0..=bytes.len());
        // Most often where an attribute may begin.
        bytes.split_at(if rng.u8(..) < 200 { place & !3 } else { place })
    };
    let mut bytes = cut(rng).0.to_vec();
    if rng.bool() {
        let rest = cut(rng).1;
        bytes.extend_from_slice(&rest[..rng.usize(0..=rest.len()) & !3]);
    }
    bytes.extend_from_slice(cut(rng).1);
    change(&mut bytes, rng);
    if rng.u8(..) < 220 {
        set_length(&mut bytes);
    }
    bytes
}

/// The header of a message and attributes of any messages and nests, some of
/// them with the payload of another.
fn assembled(messages: &[Vec<u8>], attributes: &[(u16, Vec<u8>)], rng: &mut Rng) -> Vec<u8> {
    let message = rng.choice(messages).expect("some messages");
    let mut bytes = message[..(HEADER_LEN + Nfgenmsg::LEN).min(message.len())].to_vec();
    for _ in 0..rng.usize(0..8) {
        let mut pick = || rng.choice(attributes).expect("some attributes");
        let (kind, own) = pick();
        let (_, other) = pick();
        let payload = if rng.u8(..) < 200 { own } else { other };
        let len = payload.len() as u16 + 4;
        bytes.extend([len.to_ne_bytes(), kind.to_ne_bytes()].concat());
        bytes.extend_from_slice(payload);
        bytes.resize(align(bytes.len()), 0);
    }
    if rng.bool() {
        change(&mut bytes, rng);
    }
    set_length(&mut bytes);
    bytes
}

fn change(bytes: &mut [u8], rng: &mut Rng) {
    for _ in 0..rng.usize(0..3) {
        let place = rng.usize(0..=bytes.len());
        if let Some(byte) = bytes.get_mut(place) {
            *byte = rng.u8(..);
        }
    }
}

/// Numbers and payloads of all attributes of all messages; of those inside
/// others, which can be told by their mark as nested, too.
fn attributes(messages: &[Vec<u8>]) -> Vec<(u16, Vec<u8>)> {
    fn collect(attrs: Attrs<'_>, into: &mut Vec<(u16, Vec<u8>)>) {
        for attr in attrs.map_while(Result::ok) {
            let flag = if attr.is_nested() { NESTED } else { 0 };
            into.push((attr.kind() | flag, attr.payload().to_vec()));
            if attr.is_nested() {
                collect(attr.nested(), into);
            }
        }
    }
    let mut all = Vec::new();
    for bytes in messages {
        let message = Message::parse(bytes).expect("whole");
        if let (None, Ok((_, attributes))) = (message.control(), Nfgenmsg::split(&message)) {
            collect(Attrs::new(attributes), &mut all);
        }
    }
    all
}

/// Makes the first message's length that of all the bytes.
fn set_length(bytes: &mut [u8]) {
    let len = bytes.len() as u32;
    if let Some(place) = bytes.first_chunk_mut() {
        *place = len.to_ne_bytes();
    }
}

#[test]
fn memory_need_not_be_aligned() {
    for bytes in messages() {
        let texts = (0..8).map(|shift| {
            let shifted = [&vec![0; shift][..], &bytes].concat();
            let message = Message::parse(&shifted[shift..]).expect("whole");
            let view = ConntrackRef::parse(&message);
            format!("{view:?} {:?}", message.control())
        });
        let mut texts: Vec<_> = texts.collect();
        texts.dedup();
        assert_eq!(texts.len(), 1);
    }
}
