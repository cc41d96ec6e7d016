//! A small accounting daemon: logs each flow that ends, one a line, in an event
//! loop of mio.
//!
//!     cargo run --example flowlog              # as root
//!     cargo run --example flowlog -- --demo    # traffic of a private namespace, as anybody

mod daemon;
mod demo;
mod ledger;
mod log;
#[path = "../demo/namespace.rs"]
mod namespace;
mod options;
#[path = "../common/signals.rs"]
mod signals;
#[path = "../common/sysctl.rs"]
mod sysctl;

use std::io;
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use daemon::{Daemon, Next};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::sys::signal::Signal;
use options::Options;

/// Signals that end the program, in good order.
const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

const EVENTS: Token = Token(0);
const SIGNALS: Token = Token(1);

/// When to try again what was spoiled by lost events.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the end may take where events go on and on.
const LAST: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let done = match Options::from_arguments() {
        Ok(Some(options)) => run(&options),
        Ok(None) => {
            print!("{}", options::USAGE);
            Ok(())
        }
        Err(message) => {
            eprintln!("flowlog: {message}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flowlog: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let signals = signals::descriptor(&ENDING)?;
    if options.demo {
        demo::enter()?;
    }
    for name in ["nf_conntrack_acct", "nf_conntrack_timestamp"] {
        if sysctl::read(name) == Some(0) {
            eprintln!("flowlog: the sysctl net.netfilter.{name} is 0");
        }
    }
    let mut daemon = Daemon::start(options.buffer)?;
    let mut poll = Poll::new()?;
    // mio tells of what is new only: reading goes on until nothing is left.
    for (token, descriptor) in [
        (EVENTS, daemon.descriptor()),
        (SIGNALS, signals.as_raw_fd()),
    ] {
        let source = &mut SourceFd(&descriptor);
        poll.registry()
            .register(source, token, Interest::READABLE)?;
    }
    let mut next = daemon.turn()?;
    eprintln!("flowlog: following");
    if options.demo {
        demo::start_traffic()?;
    }
    let mut events = Events::with_capacity(2);
    let mut end: Option<Instant> = None;
    // At the end what has come before the signal is still read, for a while.
    while end.is_none_or(|end| next == Next::AtOnce && Instant::now() < end) {
        let limit = match next {
            Next::AtEvents => None,
            Next::AtOnce => Some(Duration::ZERO),
            Next::Later => Some(PAUSE),
        };
        match poll.poll(&mut events, limit) {
            // A signal that is none of ours.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => done?,
        }
        for event in &events {
            if event.token() == SIGNALS {
                while signals::next(&signals)?.is_some() {
                    end.get_or_insert(Instant::now() + LAST);
                }
            }
        }
        next = daemon.turn()?;
    }
    daemon.report();
    Ok(())
}
