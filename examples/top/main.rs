//! Shows the busiest flows of the connection-tracking table, as top(1) shows
//! processes.
//!
//!     cargo run --example top              # as root
//!     cargo run --example top -- --demo    # traffic of a private namespace, as anybody
//!
//! Events do not tell how much a flow has carried, so the mirror lists the table
//! again each interval. That takes about a microsecond of the kernel's time per
//! flow; with very many flows, choose a longer interval.

mod app;
mod demo;
mod keys;
mod largest;
mod live;
#[path = "../demo/namespace.rs"]
mod namespace;
mod options;
mod plain;
mod rates;
mod rows;
mod screen;
#[path = "../common/signals.rs"]
mod signals;
#[path = "../common/sysctl.rs"]
mod sysctl;
mod text;
mod view;
mod wait;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use nix::sys::signal::Signal;
use options::Options;

/// Signals that end the program, in good order.
const ENDING: [Signal; 4] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
];

/// Signals after which the terminal may look otherwise.
const DRAWING: [Signal; 2] = [Signal::SIGWINCH, Signal::SIGCONT];

fn main() -> ExitCode {
    let done = match Options::from_arguments() {
        Ok(Some(options)) => run(&options),
        Ok(None) => {
            print!("{}", options::USAGE);
            Ok(())
        }
        Err(message) => {
            eprintln!("top: {message}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of a pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("top: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let signals = signals::descriptor(&[&ENDING[..], &DRAWING].concat())?;
    if options.demo {
        demo::start()?;
    }
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    if terminal && !options.once {
        live::run(options, &signals)
    } else {
        plain::run(options, &signals)
    }
}
