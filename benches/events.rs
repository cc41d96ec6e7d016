//! Following events: what one costs, and how many arrive.
//!
//!     cargo bench --bench events                    # as root
//!     EVENTS=3000000 cargo bench --bench events     # more of them in each run
//!
//! Readers take turns: receiving alone (the floor); ours with a callback; the mirror;
//! Debian's libnetfilter_conntrack with `nfct_catch` and a callback. Both callbacks
//! read id, status and mark. The events are of flows made and deleted in a private table.
//!
//! First the cost of an event: a large receive buffer is filled, and then emptied
//! by the reader, which is measured. Then readers follow a generator that works at a
//! fixed pace, and as fast as it can, with small and large buffers: all wait with
//! poll(2) and read until nothing is left. CPU times are of the reading thread alone.
//! The kernel measures their sum and estimates the parts by sampling, which is of
//! little worth for a thread that mostly waits: there only the sum is shown.

mod common;

use std::hint::black_box;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::c_library::CLibrary;
use common::c_listener::{CCaught, CListener};
use common::clock::{Cost, once};
use common::table::{Limits, enter_namespace, flow};
use netfilter_conntrack::netlink::{Family, Socket};
use netfilter_conntrack::{Conntrack, Error, EventMask, Groups, Handle, Mirror, Query, Verdict};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt};

/// Flows there are at the most at once.
const FLOWS: usize = 50_000;
/// What is asked for; the kernel doubles it. The first is what a socket has
/// unless somebody asks.
const BUFFERS: [usize; 3] = [212_992 / 2, 4 << 20, 64 << 20];
const PACE: u64 = 150_000;
/// Room for the events of all flows.
const COLLECT: usize = 512 << 20;

fn main() {
    let events: u64 = std::env::var("EVENTS").map_or(600_000, |number| number.parse().unwrap());
    // Whole turns of making and deleting all flows.
    let events = events.next_multiple_of(2 * FLOWS as u64);
    let _limits = Limits::raise(FLOWS);
    // The limits are restored by a thread that has not left the namespace of the machine.
    thread::scope(|scope| scope.spawn(|| run(events)).join().unwrap());
}

fn run(events: u64) {
    enter_namespace();
    let c_library = CLibrary::load();
    let flows: Vec<Conntrack> = (0..FLOWS).map(flow).collect();
    cost_of_an_event(&c_library, &flows, events);
    for pace in [Some(PACE), None] {
        match pace {
            Some(pace) => println!("\n{events} events, {pace} a second"),
            None => println!("\n{events} events, as fast as they can be made"),
        }
        println!("buffer, bytes                µs an event read   delivered  overruns");
        for buffer in BUFFERS {
            for (name, open) in readers() {
                // One at a time: all that listen cost the generator its time.
                let mut reader = open(&c_library);
                set_buffer(&*reader, buffer);
                follow_generator(name, &mut *reader, buffer, &flows, events, pace);
            }
        }
    }
}

type Opening<'l> = fn(&'l CLibrary) -> Box<dyn Reader + 'l>;

fn readers<'l>() -> [(&'static str, Opening<'l>); 4] {
    [
        ("receive only", |_| Box::new(Floor::open())),
        ("callback", |_| Box::new(Callback::open())),
        ("mirror", |_| Box::new(Mirroring::open())),
        ("C library", |library| Box::new(CReader::open(library))),
    ]
}

fn set_buffer(reader: &dyn Reader, buffer: usize) {
    setsockopt(&reader.socket(), sockopt::RcvBufForce, &buffer).expect("as root");
}

/// Lets each reader read, in turn, what has been collected for it.
fn cost_of_an_event(c_library: &CLibrary, flows: &[Conntrack], events: u64) {
    let mut readers = readers().map(|(name, open)| (name, open(c_library)));
    let each = 2 * flows.len() as u64;
    let rounds = events.div_ceil(each);
    let mut costs = [const { Vec::new() }; 4];
    for (_, reader) in &mut readers {
        set_buffer(&**reader, COLLECT);
        // The mirror lists the table first.
        reader.drain();
    }
    for _ in 0..rounds {
        generate(flows, each, None);
        for ((_, reader), costs) in readers.iter_mut().zip(&mut costs) {
            costs.push(once(|| reader.drain()));
        }
    }
    println!("{rounds} times {each} events, collected");
    println!("               user   system  (µs an event read)");
    for ((name, reader), costs) in readers.iter().zip(&costs) {
        assert_eq!(reader.overruns(), 0, "{name}");
        assert_eq!(reader.counted(), rounds * each, "{name}");
        let sum = |figure: fn(&Cost) -> Duration| {
            let sum: Duration = costs.iter().map(figure).sum();
            sum.as_secs_f64() * 1e6 / (rounds * each) as f64
        };
        let [user, system] = [sum(|cost| cost.user), sum(|cost| cost.system)];
        println!("{name:13}{user:7.3}  {system:7.3}");
    }
}

fn follow_generator(
    name: &str,
    reader: &mut dyn Reader,
    buffer: usize,
    flows: &[Conntrack],
    events: u64,
    pace: Option<u64>,
) {
    reader.drain();
    let before = reader.counted();
    let over = AtomicBool::new(false);
    let cost = thread::scope(|scope| {
        scope.spawn(|| {
            generate(flows, events, pace);
            over.store(true, Ordering::Release);
        });
        once(|| follow(reader, &over))
    });
    let counted = reader.counted() - before;
    println!(
        "{:12}  {name:13}{:9.3}         {:14.2} %  {:8}",
        2 * buffer,
        (cost.user + cost.system).as_secs_f64() * 1e6 / counted.max(1) as f64,
        counted as f64 * 100.0 / events as f64,
        reader.overruns(),
    );
}

/// Reads until the generator has ended and nothing is left.
fn follow(reader: &mut dyn Reader, over: &AtomicBool) {
    loop {
        let last = over.load(Ordering::Acquire);
        let ready = {
            let mut fds = [PollFd::new(reader.descriptor(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::from(20u8)).expect("poll") > 0
        };
        if ready {
            reader.drain();
        } else if last {
            return;
        }
    }
}

/// Makes and deletes all flows by turns, which is an event each.
fn generate(flows: &[Conntrack], events: u64, pace: Option<u64>) {
    const BATCH: usize = 50;
    let mut handle = Handle::open(Groups::empty()).unwrap();
    let begun = Instant::now();
    let mut made = 0;
    loop {
        for query in [Query::Create as fn(_) -> _, Query::Destroy as fn(_) -> _] {
            for batch in flows.chunks(BATCH) {
                if let Some(pace) = pace {
                    let due = Duration::from_secs_f64(made as f64 / pace as f64);
                    while let Some(left) = due.checked_sub(begun.elapsed()) {
                        thread::sleep(left);
                    }
                }
                let queries = batch.iter().map(query);
                handle.batch(queries, |_, result| result.unwrap()).unwrap();
                made += batch.len() as u64;
            }
            if made >= events {
                return;
            }
        }
    }
}

/// A way to follow events.
trait Reader {
    /// Where the receive buffer is.
    fn socket(&self) -> BorrowedFd<'_>;
    /// What to wait for.
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket()
    }
    /// Reads until nothing is left.
    fn drain(&mut self);
    fn counted(&self) -> u64;
    fn overruns(&self) -> u64;
}

/// Nothing but receiving.
struct Floor {
    socket: Socket,
    buffer: Vec<u8>,
    counted: u64,
    overruns: u64,
}

impl Floor {
    fn open() -> Self {
        let groups = Groups::CONNTRACK.bits();
        Self {
            socket: Socket::bind(Family::NETFILTER, 0, groups).unwrap(),
            buffer: vec![0; 32 * 1024],
            counted: 0,
            overruns: 0,
        }
    }
}

impl Reader for Floor {
    fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
    fn drain(&mut self) {
        loop {
            match self.socket.try_recv(&mut self.buffer) {
                Ok(_) => self.counted += 1,
                Err(Error::WouldBlock) => return,
                Err(Error::Overrun) => self.overruns += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    fn counted(&self) -> u64 {
        self.counted
    }
    fn overruns(&self) -> u64 {
        self.overruns
    }
}

struct Callback {
    handle: Handle,
    counted: Arc<AtomicU64>,
}

impl Callback {
    fn open() -> Self {
        let mut handle = Handle::open(Groups::CONNTRACK).unwrap();
        handle.set_nonblocking(true).unwrap();
        let counted = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&counted);
        handle.register(EventMask::ALL, move |event| {
            let entry = event.conntrack().unwrap();
            black_box((entry.id(), entry.status(), entry.mark()));
            counter.fetch_add(1, Ordering::Relaxed);
            Verdict::Continue
        });
        Self { handle, counted }
    }
}

impl Reader for Callback {
    fn socket(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
    fn drain(&mut self) {
        loop {
            match self.handle.catch() {
                Err(Error::WouldBlock) => return,
                Err(Error::Overrun) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    fn counted(&self) -> u64 {
        self.counted.load(Ordering::Relaxed)
    }
    fn overruns(&self) -> u64 {
        self.handle.overruns()
    }
}

struct Mirroring {
    mirror: Mirror,
}

impl Mirroring {
    fn open() -> Self {
        let options = Mirror::options().resync_every(None).receive_buffer_max(0);
        Self {
            mirror: options.open().unwrap(),
        }
    }
}

impl Reader for Mirroring {
    fn socket(&self) -> BorrowedFd<'_> {
        self.mirror.listener().as_fd()
    }
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.mirror.as_fd()
    }
    fn drain(&mut self) {
        while let Some(change) = self.mirror.next_change().unwrap() {
            black_box(change);
        }
    }
    fn counted(&self) -> u64 {
        self.mirror.statistics().events
    }
    fn overruns(&self) -> u64 {
        self.mirror.statistics().overruns
    }
}

struct CReader<'l> {
    listener: CListener<'l>,
    overruns: u64,
}

impl<'l> CReader<'l> {
    fn open(library: &'l CLibrary) -> Self {
        Self {
            listener: CListener::open(library),
            overruns: 0,
        }
    }
}

impl Reader for CReader<'_> {
    fn socket(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
    fn drain(&mut self) {
        while let CCaught::Overrun = self.listener.catch() {
            self.overruns += 1;
        }
    }
    fn counted(&self) -> u64 {
        self.listener.counted()
    }
    fn overruns(&self) -> u64 {
        self.overruns
    }
}
