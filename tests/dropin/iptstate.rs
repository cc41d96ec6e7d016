//! iptstate(8), which lists the table once.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt;

use super::common::{netns, traffic};
use super::compare::on_one_table;
use super::table;

#[test]
fn lists_in_all_orders() {
    netns::run(|| {
        let _labels = table::prepare();
        table::fill();
        // Without -o, the width is that of a terminal, and there is none.
        for arguments in [
            "", "-t", "-r", "-L", "-b S", "-b d", "-b D", "-b p", "-b s", "-b t -r",
        ] {
            let text = on_one_table(&format!("iptstate --single -o {arguments}"));
            // It asks for IPv4 and for IPv6.
            assert!(text.contains("192.0.2.1:1001"), "{text}");
            assert!(text.contains("2001:db8::1:1014"), "{text}");
            assert!(text.contains("ESTABLISHED"), "{text}");
        }
        let text = on_one_table("iptstate --single -o -t");
        let total = format!("Total States: {} ", table::ENTRIES.len());
        assert!(text.contains(&total), "{text}");
    });
}

#[test]
fn lists_what_passes_its_filters() {
    netns::run(|| {
        let _labels = table::prepare();
        table::fill();
        for (arguments, yes, no) in [
            ("-s 192.0.2.2", "192.0.2.2:1002", "192.0.2.1:1001"),
            ("-d 198.51.100.0/30", "192.0.2.1:1001", "192.0.2.12:1012"),
            ("-S 1003", "192.0.2.3:1003", "192.0.2.1:1001"),
            ("-D 443", "192.0.2.3:1003", "192.0.2.1:1001"),
            ("-i -D 443", "192.0.2.1:1001", "192.0.2.3:1003"),
        ] {
            let text = on_one_table(&format!("iptstate --single -o {arguments}"));
            assert!(text.contains(yes) && !text.contains(no), "{text}");
        }
    });
}

#[test]
fn lists_counters() {
    netns::run(|| {
        let _labels = table::prepare();
        traffic::start_tracking();
        let local: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let _open = local.map(|address| (traffic::tcp(address), traffic::udp(address)));
        // It shows counters only where it knows how wide the terminal is.
        let directory = tempfile::tempdir().expect("a directory");
        let on_terminal = directory.path().join("on-terminal");
        for arguments in ["-C", "-C -b b", "-C -b P -r"] {
            let text =
                format!("#!/bin/sh\nstty cols 150 rows 50\nexec iptstate --single {arguments}\n");
            fs::write(&on_terminal, text).expect("a file");
            fs::set_permissions(&on_terminal, fs::Permissions::from_mode(0o755)).expect("chmod");
            let line = format!(
                "script --quiet --return --command {} /dev/null",
                on_terminal.display()
            );
            let text = on_one_table(&line);
            // Three packets with one byte each way, and those without.
            assert!(text.contains(" B ") && text.contains(" 58 "), "{text}");
            assert_eq!(text.matches("tcp").count(), 2, "{text}");
        }
    });
}
