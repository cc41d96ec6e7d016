//! Lists the connection-tracking table, then follows its events until Ctrl-C.
//!
//!     cargo run --example flows                  # as root
//!     cargo run --example flows -- --demo        # in a private namespace, as anybody
//!     cargo run --example flows -- --diagnose    # why nothing is seen

#[path = "flows/demo.rs"]
mod demo;
#[path = "demo/namespace.rs"]
mod namespace;
#[path = "flows/options.rs"]
mod options;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::thread;

use netfilter_conntrack::diagnose::Severity;
use netfilter_conntrack::{Diagnosis, Error, EventKind, Format, Groups, Handle, diagnose};
use options::Options;

fn main() -> ExitCode {
    let done = match Options::from_arguments() {
        Ok(Some(options)) if options.diagnose => print_diagnosis(&options),
        Ok(Some(options)) if options.demo => demo::run(&options),
        Ok(Some(options)) => run(&options),
        Ok(None) => {
            print!("{}", options::USAGE);
            Ok(())
        }
        Err(message) => {
            eprintln!("flows: {message}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of a pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flows: {error}");
            if error.kind() == io::ErrorKind::PermissionDenied {
                explain(&diagnose());
            }
            ExitCode::FAILURE
        }
    }
}

/// Says what keeps flows or events away.
fn print_diagnosis(options: &Options) -> io::Result<()> {
    if options.demo {
        namespace::enter()?;
    }
    let diagnosis = match listen(options) {
        Ok(events) => events.diagnose(),
        // The diagnosis says why.
        Err(_) => diagnose(),
    };
    write!(io::stdout(), "{diagnosis}")
}

/// Says on standard error why there is nothing to see, or may be nothing.
fn explain(diagnosis: &Diagnosis) {
    for finding in diagnosis.findings() {
        if matches!(finding.severity(), Severity::Blocking | Severity::Unknown) {
            eprintln!("flows: {finding}");
        }
    }
}

/// A handle that gets events.
fn listen(options: &Options) -> Result<Handle, Error> {
    let events = Handle::open(options.groups)?;
    // The kernel drops events while the buffer is full; 8 MiB last for a while,
    // that of the lists too.
    events.set_receive_buffer(8 << 20)?;
    Ok(events)
}

fn run(options: &Options) -> io::Result<()> {
    // Whoever subscribes first and lists then misses nothing in between.
    let mut events = listen(options)?;
    let mut is_empty = true;
    for round in 0..options.lists {
        if round > 0 {
            thread::sleep(options.interval);
        }
        is_empty = list(options)? == 0;
    }
    if is_empty {
        explain(&events.diagnose());
    }
    if options.groups.is_empty() {
        return Ok(());
    }
    follow(&mut events, options)
}

/// Prints the table, one entry a line, and returns how many there are.
fn list(options: &Options) -> io::Result<u64> {
    let mut handle = Handle::open(Groups::empty())?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut entries = handle.dump(options.family)?;
    let mut count = 0;
    while let Some(entry) = entries.next()? {
        let entry = entry.to_owned().map_err(Error::from)?;
        writeln!(out, "{}", entry.display(options.format))?;
        count += 1;
    }
    out.flush()?;
    eprintln!("flows: {count} entries");
    Ok(count)
}

/// Prints events, one a line, as many as were asked for.
fn follow(handle: &mut Handle, options: &Options) -> io::Result<()> {
    let mut left = options.events;
    while left != Some(0) {
        match handle.next_event() {
            Ok(event) => {
                let Some(entry) = event.conntrack() else {
                    continue;
                };
                if !options.wants(entry.l3proto()) {
                    continue;
                }
                let entry = entry.to_owned().map_err(Error::from)?;
                print_event(event.kind(), &entry, options.format)?;
                left = left.map(|left| left - 1);
            }
            Err(Error::WouldBlock) => break,
            Err(Error::Overrun) => {
                eprintln!(
                    "flows: events were lost, {} times so far",
                    handle.overruns()
                );
            }
            // One bad message is no reason to stop.
            Err(Error::Decode(error)) => eprintln!("flows: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn print_event(
    kind: EventKind,
    entry: &netfilter_conntrack::Conntrack,
    format: Format<'_>,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", entry.display(format.event(kind)))?;
    out.flush()
}
