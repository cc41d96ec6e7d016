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
use std::time::Duration;

use daemon::Daemon;
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
    // mio tells of what is new only, so each turn goes on until nothing is left.
    for (token, descriptor) in [
        (EVENTS, daemon.descriptor()),
        (SIGNALS, signals.as_raw_fd()),
    ] {
        let source = &mut SourceFd(&descriptor);
        poll.registry()
            .register(source, token, Interest::READABLE)?;
    }
    let mut caught_up = daemon.turn()?;
    eprintln!("flowlog: following");
    if options.demo {
        demo::start_traffic()?;
    }
    let mut events = Events::with_capacity(2);
    let mut ending = false;
    while !ending {
        match poll.poll(&mut events, (!caught_up).then_some(PAUSE)) {
            // A signal that is none of ours.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            done => done?,
        }
        for event in &events {
            if event.token() == SIGNALS {
                while signals::next(&signals)?.is_some() {
                    ending = true;
                }
            }
        }
        // At the end too, for what has come before the signal.
        caught_up = daemon.turn()?;
    }
    daemon.report();
    Ok(())
}
