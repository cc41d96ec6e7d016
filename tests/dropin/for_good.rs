//! The library in the place of the system's, for all programs, as the README says.

use std::fs;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use tempfile::TempDir;

use super::common::c_library::SONAME;
use super::common::netns;
use super::common::peer;
use super::etc;
use super::library::directory;

const INSTALLED: &str = "/usr/local/lib/libnetfilter_conntrack.so.3";

/// Gives the calling thread, and its programs, an empty `/usr/local` and an `/etc`
/// of their own, which has what ldconfig(8) reads, for as long as the result lives.
#[must_use]
fn own_system() -> TempDir {
    etc::private_mounts();
    let temporary = tempfile::tempdir().expect("a directory");
    let copy = temporary.path().join("etc");
    fs::create_dir_all(copy.join("ld.so.conf.d")).expect("a directory");
    fs::copy("/etc/ld.so.conf", copy.join("ld.so.conf")).expect("ld.so.conf");
    for file in fs::read_dir("/etc/ld.so.conf.d").expect("ld.so.conf.d") {
        let file = file.expect("a file");
        let to = copy.join("ld.so.conf.d").join(file.file_name());
        fs::copy(file.path(), to).expect("a copy");
    }
    let none: Option<&str> = None;
    mount(Some(&copy), "/etc", none, MsFlags::MS_BIND, none).expect("a mount");
    let kind = Some("tmpfs");
    mount(kind, "/usr/local", kind, MsFlags::empty(), none).expect("a mount");
    temporary
}

/// The file that conntrack(8) gets when nothing says where to look.
fn loaded() -> String {
    let program = ["/usr/sbin/conntrack", "/usr/bin/conntrack"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("conntrack");
    let list = peer::run(&format!("env -u LD_LIBRARY_PATH ldd {program}"));
    let line = list.lines().find(|line| line.contains(SONAME));
    let path = line.and_then(|line| line.split_whitespace().nth(2));
    path.unwrap_or_else(|| panic!("no {SONAME}: {list}"))
        .to_owned()
}

#[test]
fn programs_find_the_installed_library() {
    netns::run(|| {
        let _etc = own_system();
        peer::run("ldconfig");
        let original = loaded();
        assert!(!original.starts_with("/usr/local/"), "{original}");

        fs::create_dir("/usr/local/lib").expect("a directory");
        fs::copy(directory().join(SONAME), format!("{INSTALLED}.8.0")).expect("a copy");
        let first = "/etc/ld.so.conf.d/00-netfilter-conntrack.conf";
        fs::write(first, "/usr/local/lib\n").expect("a file");
        peer::run("ldconfig");
        assert_eq!(loaded(), INSTALLED);
        let udp = "-s 192.0.2.1 -d 198.51.100.1 -p udp --sport 1 --dport 2";
        peer::run(&format!("env -u LD_LIBRARY_PATH conntrack -I -t 60 {udp}"));
        let list = peer::run("env -u LD_LIBRARY_PATH conntrack -L");
        assert!(list.contains("src=192.0.2.1"), "{list}");

        // And back.
        fs::remove_file(format!("{INSTALLED}.8.0")).expect("a file");
        peer::run("ldconfig");
        assert_eq!(loaded(), original);
    });
}
