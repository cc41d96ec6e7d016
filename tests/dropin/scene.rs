//! A program's surroundings: a namespace of its own, and one of the libraries.

use std::fs;
use std::path::Path;

use nix::sched::{CloneFlags, unshare};

use crate::common::c_library;
use crate::common::netns;
use crate::common::peer::{self, Peer};
use crate::normal::normal;

/// Which library programs run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    /// That of the system.
    Original,
    /// That of this crate.
    Own,
}

/// What a scenario runs in.
pub(crate) struct Scene {
    pub(crate) library: Library,
    /// A directory for the scenario's files.
    files: tempfile::TempDir,
}

/// Plays a scenario with both libraries and compares what comes of it, less what
/// time and chance change.
///
/// # Panics
/// Where that differs, with both.
pub(crate) fn same(play: impl Fn(&Scene) -> String + Sync) {
    let [original, own] = [Library::Original, Library::Own].map(|library| {
        netns::run(|| {
            let files = tempfile::tempdir().expect("a directory");
            play(&Scene { library, files })
        })
    });
    assert!(!original.is_empty());
    let differing = original.lines().zip(own.lines()).find(|(a, b)| a != b);
    assert!(
        original == own,
        "first difference: {differing:#?}\nwith the original:\n{original}\nwith this library:\n{own}"
    );
}

impl Scene {
    /// The line that runs a program with the library.
    pub(crate) fn line(&self, command: &str) -> String {
        let directory = &c_library::get().directory;
        match self.library {
            Library::Original => format!("env --unset=LD_LIBRARY_PATH {command}"),
            Library::Own => format!("env LD_LIBRARY_PATH={} {command}", directory.display()),
        }
    }

    /// Runs a program to its end; gives the command, how it ended and what it
    /// said, without what changes from run to run.
    pub(crate) fn run(&self, command: &str) -> String {
        self.run_with_input(command, "")
    }

    /// The same with something to read on standard input.
    pub(crate) fn run_with_input(&self, command: &str, input: &str) -> String {
        let finished = Peer::start(&self.line(command), input).finish();
        let said = normal(&format!("{}{}", finished.stdout, finished.stderr));
        let said = said.replace(&self.files.path().display().to_string(), "FILES");
        let command = command.replace(&self.files.path().display().to_string(), "FILES");
        format!("$ {command}\n{said}{}\n", finished.status)
    }

    /// Runs several programs, one behind the other.
    pub(crate) fn run_all<'a>(&self, commands: impl IntoIterator<Item = &'a str>) -> String {
        let outputs = commands.into_iter().map(|command| self.run(command));
        outputs.collect()
    }

    /// Starts a program, which runs until it is dropped.
    pub(crate) fn start(&self, command: &str) -> Peer {
        Peer::start(&self.line(command), "")
    }

    /// Writes a file for the scenario and gives its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.files.path().join(name);
        fs::write(&path, content).expect("a file");
        path.display().to_string()
    }

    /// The directory of the scenario's files.
    pub(crate) fn directory(&self) -> &Path {
        self.files.path()
    }
}

/// Puts files into `/etc` that only this thread and its programs see.
pub(crate) fn private_etc(files: &[(&str, &str)]) {
    netns::require();
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare(CLONE_NEWNS)");
    peer::run("mount --make-rprivate /");
    let upper = tempfile::tempdir().expect("a directory").keep();
    peer::run(&format!("mount -t tmpfs none {}", upper.display()));
    let [content, work] = ["content", "work"].map(|name| upper.join(name));
    for (path, text) in files {
        let place = content.join(path);
        fs::create_dir_all(place.parent().expect("a directory")).expect("a directory");
        fs::write(place, text).expect("a file");
    }
    fs::create_dir_all(&work).expect("a directory");
    let (content, work) = (content.display(), work.display());
    peer::run(&format!(
        "mount -t overlay overlay -o lowerdir=/etc,upperdir={content},workdir={work} /etc"
    ));
}
