//! A kernel that does what the real one does in the order it is told.

use std::collections::{BTreeMap, VecDeque};

use netfilter_conntrack::{L4Proto, Status, Tuple};

use crate::messages::{self, Told};

/// What tells flows apart here; also their order in lists.
pub(crate) type Key = u8;

/// A table, the receive buffer of a listener, and that of a list.
#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) table: BTreeMap<Key, Entry>,
    next_id: u32,
    pub(crate) events: Buffer,
    list: Option<List>,
    pub(crate) pace: Pace,
}

/// What makes things tight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Events that the receive buffer takes.
    pub(crate) events: usize,
    /// Entries in a datagram of a list.
    pub(crate) entries: usize,
    /// An entry has the id of the one before it with the same tuple, as when the
    /// kernel uses the same memory for it.
    pub(crate) same_ids: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) told: Told,
    /// Made before anybody listened: none of its changes is told.
    silent: bool,
    /// Changed, but the event has not been sent yet.
    unsent: Option<Vec<u8>>,
    /// Its end was told, but it is in the table still.
    pub(crate) dying: bool,
}

/// The receive buffer of events.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    datagrams: VecDeque<Vec<u8>>,
    /// Nothing is taken in any more until it has been empty.
    congested: bool,
    error: bool,
    pub(crate) overruns: u32,
}

/// What receiving brings.
#[derive(Debug)]
pub(crate) enum Received {
    Datagram(Vec<u8>),
    Overrun,
    Nothing,
    /// The end of a list.
    Done,
}

#[derive(Debug)]
struct List {
    /// Entries read from the table and not received yet.
    datagram: VecDeque<Vec<u8>>,
    next: Option<Key>,
    interrupted: bool,
}

impl Kernel {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            table: BTreeMap::new(),
            next_id: 1000,
            events: Buffer::default(),
            list: None,
            pace,
        }
    }

    /// Makes an entry; its event is not sent yet.
    pub(crate) fn create(&mut self, key: Key, silent: bool) {
        if self.table.contains_key(&key) {
            return;
        }
        let id = match self.pace.same_ids {
            true => key.into(),
            false => self.next_id,
        };
        self.next_id += 1;
        let told = first(key, id);
        let unsent = (!silent).then(|| messages::new(&told));
        let entry = Entry {
            told,
            silent,
            unsent,
            dying: false,
        };
        self.table.insert(key, entry);
    }

    /// Changes an entry; the event is not sent yet.
    pub(crate) fn change(&mut self, key: Key, change: impl FnOnce(&mut Told)) {
        let Some(entry) = self.live(key) else { return };
        let before = entry.told.mark;
        change(&mut entry.told);
        // Events leave out a mark of 0 unless it has changed.
        let told = Told {
            mark: entry
                .told
                .mark
                .filter(|mark| *mark != 0 || before != entry.told.mark),
            ..entry.told.clone()
        };
        entry.unsent = (!entry.silent).then(|| messages::update(&told));
    }

    /// Tells the end of an entry, which stays in the table for the moment.
    pub(crate) fn destroy(&mut self, key: Key) {
        let Some(entry) = self.live(key) else { return };
        entry.dying = true;
        entry.told.status |= Status::DYING;
        if !entry.silent {
            let event = messages::destroy(&entry.told);
            self.events.push(event, self.pace.events);
        }
    }

    /// Ends what was begun with an entry: sends its event, or takes it away.
    pub(crate) fn finish(&mut self, key: Key) {
        let Some(entry) = self.table.get_mut(&key) else {
            return;
        };
        if let Some(event) = entry.unsent.take() {
            self.events.push(event, self.pace.events);
        }
        if entry.dying {
            self.table.remove(&key);
        }
    }

    /// What a list would tell.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Told> {
        self.table.values().map(|entry| &entry.told)
    }

    /// Begins a list, as the request for it does: the first part is read at once.
    pub(crate) fn begin_list(&mut self, interrupted: bool) {
        self.list = Some(List {
            datagram: VecDeque::new(),
            next: Some(0),
            interrupted,
        });
        self.read_part();
    }

    pub(crate) fn list_is_running(&self) -> bool {
        self.list.is_some()
    }

    /// Gives the next entry of the list. With the last of a datagram the next
    /// part of the table is read.
    pub(crate) fn receive_entry(&mut self) -> Received {
        let Some(list) = &mut self.list else {
            return Received::Nothing;
        };
        let Some(entry) = list.datagram.pop_front() else {
            self.list = None;
            return Received::Done;
        };
        if list.datagram.is_empty() {
            self.read_part();
        }
        Received::Datagram(entry)
    }

    pub(crate) fn abort_list(&mut self) {
        self.list = None;
    }

    /// Whether all that has happened was told and received.
    pub(crate) fn is_quiet(&self) -> bool {
        let finished = |entry: &Entry| !entry.dying && entry.unsent.is_none();
        self.table.values().all(finished) && self.events.datagrams.is_empty() && !self.events.error
    }

    pub(crate) fn is_live(&self, id: u32) -> bool {
        let mut entries = self.table.values();
        entries.any(|entry| entry.told.id == id && !entry.dying)
    }

    /// An entry with which nothing is under way.
    fn live(&mut self, key: Key) -> Option<&mut Entry> {
        let entry = self.table.get_mut(&key)?;
        (!entry.dying && entry.unsent.is_none()).then_some(entry)
    }

    fn read_part(&mut self) {
        let Some(list) = &mut self.list else { return };
        let Some(from) = list.next else { return };
        list.next = None;
        for (key, entry) in self.table.range(from..).take(self.pace.entries) {
            list.next = key.checked_add(1);
            let missing = list.interrupted && !list.datagram.is_empty();
            if !missing {
                let entry = messages::entry(&entry.told, list.interrupted);
                list.datagram.push_back(entry);
            }
        }
    }
}

impl Buffer {
    fn push(&mut self, event: Vec<u8>, room: usize) {
        if self.congested {
            return;
        }
        if self.datagrams.len() >= room {
            self.congested = true;
            self.error = true;
            self.overruns += 1;
            return;
        }
        self.datagrams.push_back(event);
    }

    /// The overrun is told first, whatever there is besides.
    pub(crate) fn receive(&mut self) -> Received {
        let received = if std::mem::take(&mut self.error) {
            Received::Overrun
        } else {
            let next = self.datagrams.pop_front();
            next.map_or(Received::Nothing, Received::Datagram)
        };
        if self.datagrams.is_empty() {
            self.congested = false;
        }
        received
    }
}

/// The entry of a key as it is when it is made: families, protocols, zones and
/// translations by turns.
fn first(key: Key, id: u32) -> Told {
    let [source, destination] = match key % 2 {
        0 => ["192.0.2.1", "198.51.100.1"],
        _ => ["2001:db8::1", "2001:db8::2"],
    }
    .map(|address| address.parse().expect("an address"));
    let l4proto = match key % 3 {
        0 => L4Proto::UDP,
        _ => L4Proto::TCP,
    };
    // In pairs: the same ports in different zones.
    let port = 1000 + u16::from(key / 4);
    let original = Tuple::new(source, destination, l4proto)
        .expect("one family")
        .with_ports(port, 53);
    let reply = match key % 5 {
        0 => original.inverted().with_ports(53, 40000 + port),
        _ => original.inverted(),
    };
    Told {
        original,
        reply,
        zone: (key % 4 >= 2).then_some(u16::from(key % 4)),
        id,
        status: Status::CONFIRMED,
        mark: Some(0),
    }
}
