//! `conntrack` on the table of expectations.

use super::common::netns;
use super::common::peer::Finished;
use super::compare::{in_own_namespaces, on_one_table};
use super::ftp::{self, Session};
use super::library::Library;
use super::{steady, table};

#[test]
fn lists_of_what_helpers_expect() {
    netns::run(|| {
        let _labels = table::prepare();
        ftp::start_helper();
        let session = Session::open();
        session.expect_data_at(50_000);
        for arguments in [
            "-L expect",
            "-L expect -o id,extended",
            "-L expect -o xml",
            "-L expect -f ipv4",
        ] {
            let text = on_one_table(&format!("conntrack {arguments}"));
            assert!(text.contains(" 1 expectations have been shown"), "{text}");
            assert!(text.contains("50000") && text.contains("ftp"), "{text}");
        }
        let text = on_one_table("conntrack -L expect -f ipv6");
        assert!(text.contains(" 0 expectations have been shown"), "{text}");
        assert!(on_one_table("conntrack -C expect").ends_with("1\n"));
        assert!(on_one_table("conntrack -S expect").contains("expect_create="));
        assert!(on_one_table("conntrack -L -o xml").contains("<helper>ftp</helper>"));
        assert!(on_one_table("conntrack -L").contains("helper=ftp"));
    });
}

#[test]
fn adding_showing_and_removing_expectations() {
    let text = in_own_namespaces(|library| {
        ftp::start_helper();
        let session = Session::open();
        let master = format!(
            "-s 127.0.0.1 -d 127.0.0.1 -p tcp --orig-port-src {} --orig-port-dst {}",
            session.port(),
            ftp::PORT
        );
        let expected = "--tuple-src 198.51.100.2 --tuple-dst 192.0.2.1 \
                        --tuple-port-src 4444 --tuple-port-dst 4445 \
                        --mask-src 255.255.255.255 --mask-dst 255.255.255.255 \
                        --mask-port-src 0 --mask-port-dst 65535";
        // The tool has no way to say that it means the expected flow.
        let by_tuple = "-s 198.51.100.2 -d 192.0.2.1 -p udp \
                        --orig-port-src 4444 --orig-port-dst 4445 \
                        --reply-port-src 1 --reply-port-dst 1";
        let ask = |arguments: &str| {
            let finished = library.attempt(&format!("conntrack {arguments}"), "");
            told(arguments, &finished)
        };
        let said = [
            ask(&format!("-I expect {master} {expected} -t 300")),
            ask(&format!("-G expect {by_tuple}")),
            ask(&format!("-D expect {by_tuple}")),
            ask(&format!("-D expect {by_tuple}")),
            ask(&format!("-I expect {master} {expected} -t 200")),
            ask("-C expect"),
            list(),
            ask("-F expect"),
            ask("-C expect"),
            ask("-I expect -s 192.0.2.1 -d 192.0.2.2"),
            ask(&format!("-U expect {by_tuple} -t 100")),
            list(),
        ];
        said.concat().replace(&session.port().to_string(), "PORT")
    });
    assert!(text.contains("300 proto="), "{text}");
    assert!(
        text.contains("expectation table has been emptied"),
        "{text}"
    );
}

/// The expectations, as the C library shows them.
fn list() -> String {
    steady::entries(&Library::Original.run("conntrack -L expect"))
}

fn told(arguments: &str, finished: &Finished) -> String {
    let entries = steady::entries(&finished.stdout);
    format!(
        "$ conntrack {arguments}\n{entries}{}{}\n",
        finished.stderr, finished.status
    )
}
