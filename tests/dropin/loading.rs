//! Whether programs find the library, and all they want of it.

use crate::common::c_library::{self, SONAME};
use crate::common::peer;
use crate::common::{netns, peer::Finished};

/// All programs, plugins and helpers of the packages of `tests/setup` that link
/// the library.
const USERS: [&str; 20] = [
    "/usr/sbin/conntrack",
    "/usr/sbin/conntrackd",
    "/usr/sbin/iptstate",
    "/usr/sbin/flowtop",
    "/usr/sbin/oidentd",
    "/usr/sbin/dnsmasq",
    "/usr/sbin/squid",
    "LIB/ulogd/ulogd_inpflow_NFCT.so",
    "LIB/ulogd/ulogd_inppkt_NFLOG.so",
    "LIB/ulogd/ulogd_output_XML.so",
    "LIB/xtables/libxt_connlabel.so",
    "LIB/conntrack-tools/ct_helper_amanda.so",
    "LIB/conntrack-tools/ct_helper_dhcpv6.so",
    "LIB/conntrack-tools/ct_helper_ftp.so",
    "LIB/conntrack-tools/ct_helper_mdns.so",
    "LIB/conntrack-tools/ct_helper_rpc.so",
    "LIB/conntrack-tools/ct_helper_sane.so",
    "LIB/conntrack-tools/ct_helper_slp.so",
    "LIB/conntrack-tools/ct_helper_ssdp.so",
    "LIB/conntrack-tools/ct_helper_tftp.so",
];

/// What ldd(1) says of a file.
fn ldd(path: &str, library_path: &str) -> Finished {
    let variable = match library_path {
        "" => "--unset=LD_LIBRARY_PATH".to_owned(),
        path => format!("LD_LIBRARY_PATH={path}"),
    };
    peer::attempt(&format!("env {variable} ldd -r {path}"))
}

#[test]
fn programs_load_it_and_miss_nothing() {
    let library = c_library::get();
    let directory = library.directory.display().to_string();
    let architecture = std::env::consts::ARCH;
    let libraries = format!("/usr/lib/{architecture}-linux-gnu");
    netns::run(|| {
        for user in USERS {
            let path = user.replace("LIB", &libraries);
            let wanting = ldd(&path, &directory);
            assert!(wanting.status.success(), "{wanting}");
            let ours = format!("{SONAME} => {directory}/{SONAME}");
            assert!(wanting.stdout.contains(&ours), "{wanting}");
            // Plugins want symbols of the program that loads them, too.
            let missing = |said: &Finished| {
                let text = format!("{}{}", said.stdout, said.stderr);
                let lines = text
                    .lines()
                    .filter(|line| line.contains("undefined symbol"));
                let mut names: Vec<_> = lines.map(|line| line.replace('\t', " ")).collect();
                names.sort();
                names
            };
            assert_eq!(missing(&wanting), missing(&ldd(&path, "")), "{path}");
        }
    });
}
