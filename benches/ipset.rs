//! Adding and listing 100,000 entries, compared with the `ipset` program.
//!
//! Run as root, with `ipset` installed:
//!
//! ```sh
//! cargo bench --features ipset --bench ipset
//! ```
//!
//! Works in a network namespace of its own and ends by itself in a few seconds.
//! Both ways take turns. Of wall times the least counts, which is the one that
//! other programs disturbed least; user times are sums, since the kernel
//! measures them by ticks of its clock. Times of `ipset` include the start of
//! the program and reading or printing the text, which is its only interface;
//! ours include making and taking apart the same entries.

use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::net::Ipv4Addr;
use std::process::{self, Command, Stdio};
use std::time::{Duration, Instant};

use netfilter_conntrack::ipset::{Entry, Item, Session, Set, SetType};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

const ENTRIES: u32 = 100_000;
const ROUNDS: usize = 5;
/// How often a set is listed in a round.
const LISTINGS: usize = 10;

fn main() {
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare(CLONE_NEWNET), as root");
    let mut session = Session::open().expect("a session");
    // As a user would write it; the hash grows on the way.
    let set = Set::new("bench", SetType::HASH_IP)
        .expect("a name")
        .with_maxelem(ENTRIES)
        .with_initval(0x1234_5678);
    let script = script(&set);

    let [mut restore, mut batch] = ["ipset restore", "our batch"].map(Times::new);
    let [mut save, mut list, mut text] =
        ["ipset save", "our list", "our list as text"].map(Times::new);
    for _ in 0..ROUNDS {
        batch.take(UsageWho::RUSAGE_SELF, || fill(&mut session, &set));
        for _ in 0..LISTINGS {
            list.take(UsageWho::RUSAGE_SELF, || read(&mut session));
            save.take(UsageWho::RUSAGE_CHILDREN, || ipset("save", Stdio::null()));
            text.take(UsageWho::RUSAGE_SELF, || print(&mut session));
        }
        session.destroy(set.name).expect("destroy");
        restore.take(UsageWho::RUSAGE_CHILDREN, || {
            ipset("restore", input(&script))
        });
        session.destroy(set.name).expect("destroy");
    }

    println!("{ENTRIES} entries of hash:ip:     least wall  user per run");
    for times in [&restore, &batch, &save, &list, &text] {
        println!("{times}");
    }
    let faster = restore.wall.as_secs_f64() / batch.wall.as_secs_f64();
    println!("add: {faster:.2} x faster in wall time than ipset restore");
    let less = save.user.as_secs_f64() / list.user.as_secs_f64();
    println!("list: {less:.2} x less user CPU time than ipset save");
    let less = save.user.as_secs_f64() / text.user.as_secs_f64();
    println!("list as text: {less:.2} x less user CPU time than ipset save");
}

fn host(nth: u32) -> Ipv4Addr {
    // Neighbours fall into other buckets.
    Ipv4Addr::from((nth + 1).wrapping_mul(0x9e37_79b1))
}

/// A file of what `ipset restore` reads; it has no name any more.
fn script(set: &Set) -> File {
    let path = std::env::temp_dir().join(format!("ipset-bench-{}", process::id()));
    let mut text = format!("create {set}\n");
    for nth in 0..ENTRIES {
        writeln!(text, "add {} {}", set.name, host(nth)).expect("memory");
    }
    fs::write(&path, text).expect("a temporary file");
    let file = File::open(&path).expect("a temporary file");
    fs::remove_file(&path).expect("a temporary file");
    file
}

/// The script from its start.
fn input(mut script: &File) -> Stdio {
    script.seek(SeekFrom::Start(0)).expect("seek");
    script.try_clone().expect("dup").into()
}

fn fill(session: &mut Session, set: &Set) {
    session.create(set).expect("create");
    let mut batch = session.batch();
    for nth in 0..ENTRIES {
        batch
            .add(set.name, &Entry::address(host(nth)))
            .expect("add");
    }
    assert!(batch.commit().expect("commit").is_empty());
}

fn read(session: &mut Session) {
    let mut list = session.list_all().expect("list");
    let mut sum = 0;
    while let Some(item) = list.next_item().expect("an item") {
        if let Item::Entry(_, entry) = item {
            sum += u32::from(entry.address.is_some());
        }
    }
    assert_eq!(sum, ENTRIES);
}

fn print(session: &mut Session) {
    let mut list = session.save_all().expect("save");
    let mut text = String::new();
    while let Some(item) = list.next_item().expect("an item") {
        writeln!(text, "{item}").expect("memory");
    }
    assert_eq!(text.lines().count(), ENTRIES as usize + 1);
}

/// Runs the program; its output goes nowhere.
fn ipset(command: &str, input: Stdio) {
    let status = Command::new("ipset")
        .arg(command)
        .stdin(input)
        .stdout(Stdio::null())
        .status()
        .expect("ipset");
    assert!(status.success());
}

/// The times of one way of doing it.
struct Times {
    name: &'static str,
    runs: u32,
    /// The least.
    wall: Duration,
    /// The sum.
    user: Duration,
}

impl Times {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            runs: 0,
            wall: Duration::MAX,
            user: Duration::ZERO,
        }
    }

    fn take(&mut self, who: UsageWho, work: impl FnOnce()) {
        let (start, before) = (Instant::now(), user(who));
        work();
        self.wall = self.wall.min(start.elapsed());
        self.user += user(who) - before;
        self.runs += 1;
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user / self.runs;
        write!(f, "{:>28} {:>12.1?} {user:>12.1?}", self.name, self.wall)
    }
}

fn user(who: UsageWho) -> Duration {
    let usage = getrusage(who).expect("getrusage");
    let micros = usage.user_time().num_microseconds();
    Duration::from_micros(micros.try_into().expect("a positive time"))
}
