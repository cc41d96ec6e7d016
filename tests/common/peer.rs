//! The programs that tests work with: conntrack, nft, ip and others.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{netns, wait};

/// Runs a program in the caller's network namespace and returns its output.
///
/// `line` is split at white space; there is no quoting.
///
/// # Panics
/// If the program is not there, does not succeed or does not end in
/// [`wait::DEADLINE`], showing all it said.
pub(crate) fn run(line: &str) -> String {
    run_with_input(line, "")
}

/// The same with something to read on standard input.
pub(crate) fn run_with_input(line: &str, input: &str) -> String {
    let finished = Peer::start(line, input).finish();
    assert!(finished.status.success(), "{finished}");
    finished.stdout
}

/// Runs a program that may fail.
pub(crate) fn attempt(line: &str) -> Finished {
    Peer::start(line, "").finish()
}

/// Loads an nftables ruleset, in the syntax of nft(8).
pub(crate) fn nft(ruleset: &str) {
    run_with_input("nft -f -", ruleset);
}

/// A program that runs beside the test; it is killed when this is dropped.
pub(crate) struct Peer {
    line: String,
    child: Child,
    stdout: Collector,
    stderr: Collector,
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    line: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Peer {
    /// Starts a program, as [`run`] does, and does not wait for it.
    pub(crate) fn start(line: &str, input: &str) -> Self {
        Self::start_with(line, input, |_| ())
    }

    /// The same for a program that needs more than arguments, such as variables
    /// in its environment, or standard input of its own in place of `input`.
    pub(crate) fn start_with(line: &str, input: &str, prepare: impl FnOnce(&mut Command)) -> Self {
        netns::require();
        let mut words = line.split_whitespace();
        let program = words.next().expect("the name of a program");
        let mut command = Command::new(program);
        command
            .args(words)
            // Where ordinary users do not look for programs.
            .env("PATH", search_path())
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        prepare(&mut command);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error} (tests/setup installs it)"));
        let stdout = Collector::start(child.stdout.take().expect("piped"));
        let stderr = Collector::start(child.stderr.take().expect("piped"));
        let stdin = child.stdin.take();
        let peer = Self {
            line: line.to_owned(),
            child,
            stdout,
            stderr,
        };
        if let Some(mut stdin) = stdin {
            // A program that fails early does not read; its own words tell why.
            let _unread = stdin.write_all(input.as_bytes());
        }
        peer
    }

    /// Waits until the program has printed a line with this text, and returns
    /// the line.
    ///
    /// # Panics
    /// If it does not come in [`wait::DEADLINE`], or the program ends without it.
    pub(crate) fn wait_for_line(&mut self, text: &str) -> String {
        wait::until(&format!("`{}` to print {text:?}", self.line), || {
            let ended = self.child.try_wait().expect("wait").is_some() && self.stdout.is_done();
            let printed = self.stdout.text();
            let line = printed.lines().find(|line| line.contains(text));
            assert!(
                line.is_some() || !ended,
                "`{}` ended without printing {text:?}:\n{printed}{}",
                self.line,
                self.stderr.text()
            );
            line.map(str::to_owned)
        })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the program has printed so far.
    pub(crate) fn printed(&self) -> String {
        self.stdout.text()
    }

    /// The same with what it has printed as errors, which comes last.
    pub(crate) fn said(&self) -> String {
        self.stdout.text() + &self.stderr.text()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("wait").is_none()
    }

    /// Sends the program a signal and waits for its end, as [`Self::finish`] does.
    pub(crate) fn stop(self, signal: Signal) -> Finished {
        let id = self.id().try_into().expect("process ids are positive");
        // It is not reaped before it is waited for, so this cannot be another.
        kill(Pid::from_raw(id), signal).unwrap_or_else(|error| panic!("`{}`: {error}", self.line));
        self.finish()
    }

    /// Waits for the end of the program.
    ///
    /// # Panics
    /// If it does not end in [`wait::DEADLINE`].
    pub(crate) fn finish(self) -> Finished {
        self.finish_within(wait::DEADLINE)
    }

    /// The same with another limit.
    pub(crate) fn finish_within(mut self, limit: Duration) -> Finished {
        let ended = wait::within(limit, || {
            let status = self.child.try_wait().expect("wait")?;
            // A child of the program may hold its output open still.
            (self.stdout.is_done() && self.stderr.is_done()).then_some(status)
        });
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        let Some(status) = ended else {
            panic!(
                "`{}` did not end in {limit:?}:\n{stdout}{stderr}",
                self.line
            );
        };
        Finished {
            line: self.line.clone(),
            status,
            stdout,
            stderr,
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            line,
            status,
            stdout,
            stderr,
        } = self;
        write!(f, "`{line}`: {status}\n{stdout}{stderr}")
    }
}

/// Reads a pipe in a thread, so that the program never waits for the test.
struct Collector {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Collector {
    fn start(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                sink.lock().expect("no panics").extend(&buffer[..count]);
            }
        });
        Self { bytes, thread }
    }

    fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no panics")).into_owned()
    }
}

fn search_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin")
}
