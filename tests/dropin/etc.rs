//! Configuration files that programs look for in fixed places.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use tempfile::TempDir;

use super::common::netns;

const NONE: Option<&str> = None;

/// Gives the calling thread, and the programs it starts from now on, mounts of
/// their own.
pub(crate) fn private_mounts() {
    netns::require();
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare(CLONE_NEWNS)");
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(NONE, "/", NONE, private, NONE).expect("private mounts");
}

/// Shows the calling thread, and the programs it starts from now on, these files
/// in `/etc`, on top of those that are there, for as long as the result lives.
///
/// The thread must have mounts of its own.
#[must_use]
pub(crate) fn put(files: &[(&str, &str)]) -> TempDir {
    let layer = tempfile::tempdir().expect("a directory");
    // `/etc` takes this from its top layer.
    let for_all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(layer.path(), for_all).expect("chmod");
    for (name, text) in files {
        let path = layer.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
    let layers = format!("lowerdir={}:/etc", layer.path().display());
    let kind = Some("overlay");
    mount(kind, "/etc", kind, MsFlags::empty(), Some(&*layers)).expect("an overlay of /etc");
    layer
}
