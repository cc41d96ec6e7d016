//! Two nodes, each a network namespace with a conntrackd, and a link between them.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process;

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::common::peer::{self, Peer};
use crate::common::{netns, wait};
use crate::library::Library;

/// How the nodes tell each other about their flows; see conntrackd.conf(5).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// With acknowledgements, and filters in the kernel.
    Ftfw,
    /// Without, and with filters in the daemon.
    Notrack,
}

pub(crate) struct Cluster {
    pub(crate) nodes: [Node; 2],
    _directory: TempDir,
}

pub(crate) struct Node {
    library: Library,
    namespace: OwnedFd,
    configuration: PathBuf,
    daemon: Peer,
}

impl Cluster {
    /// Starts the nodes with these libraries; the first one is in the caller's
    /// namespace. `prepare` is called in each.
    pub(crate) fn start(mode: Mode, libraries: [Library; 2], prepare: fn()) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let namespaces = [netns::descriptor(), netns::run(netns::descriptor)];
        let other = format!("/proc/{}/fd/{}", process::id(), namespaces[1].as_raw_fd());
        peer::run(&format!(
            "ip link add sync1 type veth peer sync2 netns {other}"
        ));
        let mut numbers = 1..;
        let mut node = |namespace, library| {
            let number = numbers.next().expect("a number");
            inside(&namespace, || {
                peer::run(&format!(
                    "ip address add 10.9.0.{number}/24 dev sync{number}"
                ));
                peer::run(&format!("ip link set sync{number} up"));
                prepare();
            });
            let configuration = directory.path().join(format!("configuration{number}"));
            let socket = directory.path().join(format!("socket{number}"));
            let lock = directory.path().join(format!("lock{number}"));
            let (socket, lock) = (socket.display(), lock.display());
            let text = configuration_of(mode, number, &socket.to_string(), &lock.to_string());
            fs::write(&configuration, text).expect("a file");
            (namespace, library, configuration)
        };
        let [first, second] = namespaces;
        let nodes = [node(first, libraries[0]), node(second, libraries[1])];
        // A node sends to the other only when its link is up.
        let nodes = nodes.map(|(namespace, library, configuration)| {
            let line = format!("conntrackd -C {}", configuration.display());
            let daemon = inside(&namespace, || library.start(&line));
            Node {
                library,
                namespace,
                configuration,
                daemon,
            }
        });
        for node in &nodes {
            node.wait_for_log("starting in console mode");
        }
        Self {
            nodes,
            _directory: directory,
        }
    }

    /// Ends the daemons, one by its own command, the other by a signal. Both must
    /// take it well.
    pub(crate) fn stop(self) {
        let [first, second] = self.nodes;
        first.ask("-k");
        let finished = [first.daemon.finish(), second.daemon.stop(Signal::SIGTERM)];
        for finished in finished {
            assert!(finished.status.success(), "{finished}");
            assert!(!finished.stdout.contains("[ERROR]"), "{finished}");
        }
    }
}

impl Node {
    /// Runs `action` in the namespace of the node.
    pub(crate) fn inside<T>(&self, action: impl FnOnce() -> T) -> T {
        inside(&self.namespace, action)
    }

    /// Asks the daemon, as a program with the node's library.
    pub(crate) fn ask(&self, arguments: &str) -> String {
        let line = format!("conntrackd -C {} {arguments}", self.configuration.display());
        let finished = self.inside(|| self.library.attempt(&line, ""));
        assert!(
            finished.status.success(),
            "{}: {finished}",
            self.daemon.said()
        );
        finished.stdout + &finished.stderr
    }

    /// Asks the daemon until the answer has this text.
    pub(crate) fn wait_for(&self, arguments: &str, text: &str) {
        self.wait_until(arguments, text, |answer| answer.contains(text));
    }

    /// Asks the daemon until it has no answer.
    pub(crate) fn wait_for_nothing(&self, arguments: &str) {
        self.wait_until(arguments, "nothing", str::is_empty);
    }

    fn wait_until(&self, arguments: &str, what: &str, is_it: impl Fn(&str) -> bool) {
        let mut answer = String::new();
        let found = wait::within(wait::DEADLINE, || {
            answer = self.ask(arguments);
            is_it(&answer).then_some(())
        });
        let log = self.daemon.said();
        assert!(found.is_some(), "{arguments}: not {what:?}: {answer}{log}");
    }

    pub(crate) fn wait_for_log(&self, text: &str) {
        let found = wait::within(wait::DEADLINE, || {
            self.daemon.said().contains(text).then_some(())
        });
        assert!(found.is_some(), "no {text:?}: {}", self.daemon.said());
    }
}

fn inside<T>(namespace: &OwnedFd, action: impl FnOnce() -> T) -> T {
    let here = netns::descriptor();
    setns(namespace, CloneFlags::CLONE_NEWNET).expect("setns");
    let result = action();
    setns(&here, CloneFlags::CLONE_NEWNET).expect("setns");
    result
}

fn configuration_of(mode: Mode, number: u8, socket: &str, lock: &str) -> String {
    let (mode, filter) = match mode {
        Mode::Ftfw => ("FTFW", "Kernelspace"),
        Mode::Notrack => ("NOTRACK", "Userspace"),
    };
    let other = 3 - number;
    format!(
        "Sync {{
             Mode {mode} {{
             }}
             UDP {{
                 IPv4_address 10.9.0.{number}
                 IPv4_Destination_Address 10.9.0.{other}
                 Port 3780
                 Interface sync{number}
                 Checksum on
             }}
             Options {{
                 ExpectationSync On
             }}
         }}
         General {{
             HashSize 1024
             HashLimit 4096
             LogFile off
             Syslog off
             LockFile {lock}
             UNIX {{
                 Path {socket}
             }}
             NetlinkBufferSize 2097152
             NetlinkBufferSizeMaxGrowth 8388608
             Filter From {filter} {{
                 Address Ignore {{
                     IPv4_address 203.0.113.77
                     IPv6_address 2001:db8::77
                 }}
             }}
         }}
         "
    )
}
