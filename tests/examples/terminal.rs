//! A terminal for programs, and what they write on it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::Signal;
use nix::sys::termios::{Termios, tcgetattr};

use crate::common::example::Running;
use crate::common::wait;

/// A program on a terminal of its own.
pub(crate) struct Terminal {
    program: Running,
    keyboard: File,
    /// Kept open, to look at its settings and to change its size.
    screen: File,
    settings: Termios,
    written: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    /// Starts a program on a terminal with 80 columns and 24 rows.
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> Self {
        // Closed in programs that other tests start meanwhile: these would keep
        // the terminal open.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).expect("posix_openpt");
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname_r(&master).unwrap();
        let screen = File::options()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(path)
            .expect("a terminal");
        resize(&screen, 80, 24);

        let end = || Stdio::from(screen.try_clone().unwrap());
        let settings = tcgetattr(&screen).unwrap();
        // It replaces itself by the program, which so has the same process id.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(program).args(arguments);
        let program = Running::start(command.stdin(end()).stdout(end()).stderr(end()));
        drop(command);

        let written = Arc::new(Mutex::new(Vec::new()));
        let keyboard = File::from(master.as_fd().try_clone_to_owned().unwrap());
        let mut output = keyboard.try_clone().unwrap();
        let all = Arc::clone(&written);
        let reader = thread::spawn(move || {
            let mut part = [0; 4096];
            // The end is an error, EIO: there is nobody on the other side.
            while let Ok(length @ 1..) = output.read(&mut part) {
                all.lock().unwrap().extend(&part[..length]);
            }
        });
        Self {
            program,
            keyboard,
            screen,
            settings,
            written,
            reader,
        }
    }

    /// All that was written so far.
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// Waits until this was written, after the first `from` bytes.
    pub(crate) fn wait_for(&self, text: &str, from: usize) {
        let found = wait::within(wait::DEADLINE, || {
            self.written().get(from..)?.contains(text).then_some(())
        });
        assert!(found.is_some(), "no {text:?} in {:?}", self.written());
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.program.signal(signal);
    }

    /// Changes the size; the kernel tells the program.
    pub(crate) fn resize(&self, columns: u32, rows: u32) {
        resize(&self.screen, columns, rows);
    }

    /// Whether the terminal's settings are those of the beginning.
    pub(crate) fn is_as_before(&self) -> bool {
        tcgetattr(self.screen.as_fd()).unwrap() == self.settings
    }

    /// Waits for the program's end; gives its status, whether it left the
    /// settings as they were, and all that was written.
    pub(crate) fn end(mut self) -> (ExitStatus, bool, String) {
        let status = wait::within(wait::DEADLINE, || self.program.child.try_wait().unwrap());
        let status = status.unwrap_or_else(|| panic!("it goes on after {:?}", self.written()));
        let is_as_before = self.is_as_before();
        drop(self.screen);
        self.reader.join().unwrap();
        let written = String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned();
        (status, is_as_before, written)
    }
}

fn resize(screen: &File, columns: u32, rows: u32) {
    let status = Command::new("stty")
        .args(["cols", &columns.to_string(), "rows", &rows.to_string()])
        .stdin(Stdio::from(screen.try_clone().unwrap()))
        .status();
    assert!(status.expect("stty").success());
}
