//! What the programs ask of the library, read from their files.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

use super::common::c_library::SONAME;
use super::common::{netns, peer};
use super::library::directory;

const PROGRAMS: &[&str] = &[
    "conntrack",
    "conntrackd",
    "iptstate",
    "flowtop",
    "oidentd",
    "dnsmasq",
    "squid",
];

/// Where programs keep the parts of them that they load when they run, below the
/// directory for libraries.
const PLUGINS: &[&str] = &["ulogd", "conntrack-tools", "xtables"];

/// The functions of the library among those that `nm` lists with these options.
fn functions(options: &str, path: &str) -> BTreeSet<String> {
    let list = peer::run(&format!("nm --dynamic --no-demangle {options} {path}"));
    let names = list
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    let ours = names.filter(|name| name.starts_with("nfct_") || name.starts_with("nfexp_"));
    // Names with a version are of other libraries: this one has no versions.
    let ours = ours.filter(|name| !name.contains('@'));
    ours.map(str::to_owned).collect()
}

/// The files of programs and plugins that need the library.
fn files() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places: Vec<_> = env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .collect();
    let program = |name: &&str| {
        let mut paths = places.iter().map(|place| place.join(name));
        let found = paths.find(|path| path.exists());
        found.unwrap_or_else(|| panic!("no {name}; tests/setup installs it"))
    };
    let libraries = peer::run("gcc -print-multiarch");
    let libraries = PathBuf::from("/usr/lib").join(libraries.trim());
    let plugins = PLUGINS.iter().flat_map(|name| {
        let directory = libraries.join(name);
        let files = fs::read_dir(&directory);
        files.unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
    });
    let plugins = plugins.map(|file| file.expect("a file").path());
    let plugins = plugins.filter(|path| path.extension().is_some_and(|name| name == "so"));
    PROGRAMS.iter().map(program).chain(plugins).collect()
}

#[test]
fn no_function_is_missing() {
    netns::run(|| {
        let library = directory().join(SONAME);
        let there = functions("--defined-only", &library.display().to_string());
        let mut asked = 0;
        for file in files() {
            let file = file.display().to_string();
            let needed = functions("--undefined-only", &file);
            let missing: Vec<_> = needed.difference(&there).collect();
            assert!(missing.is_empty(), "{file} needs {missing:?}");
            asked += usize::from(!needed.is_empty());
        }
        // All programs, and at least a plugin of each kind.
        assert!(asked >= PROGRAMS.len() + PLUGINS.len(), "{asked}");
    });
}
