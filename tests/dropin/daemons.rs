//! Daemons that look an entry up to answer, or follow events: oidentd(8),
//! dnsmasq(8), squid(8), ulogd(8).

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};

use crate::common::peer::{self, nft};
use crate::common::wait;
use crate::scene::{private_etc, same};

/// Connects as soon as somebody listens.
fn connect(address: &str) -> TcpStream {
    let stream = wait::until("a server", || TcpStream::connect(address).ok());
    stream
        .set_read_timeout(Some(wait::DEADLINE))
        .expect("timeout");
    stream
}

/// How many packets the rule with this text has seen.
fn packets(rule: &str) -> u64 {
    let rules = peer::run("nft list ruleset");
    let line = rules.lines().find(|line| line.contains(rule));
    let line = line.unwrap_or_else(|| panic!("no {rule} in {rules}"));
    let mut words = line
        .split_whitespace()
        .skip_while(|word| *word != "packets");
    words
        .nth(1)
        .and_then(|count| count.parse().ok())
        .expect("a counter")
}

#[test]
fn oidentd_finds_who_is_behind_a_translation() {
    same(|scene| {
        private_etc(&[("oidentd_masq.conf", "10.0.0.2 somebody UNIX\n")]);
        let said = scene.run(
            "conntrack -I -s 10.0.0.2 -d 127.0.0.1 -p tcp --sport 4000 --dport 5000 -t 3600 \
             --state ESTABLISHED -u SEEN_REPLY,ASSURED --src-nat 127.0.0.1",
        );
        // Without root's rights it may not look.
        let _daemon = scene.start(
            "oidentd --foreground --nosyslog --masquerade --user 0 --group 0 --address 127.0.0.1",
        );
        let ask = |ports: &str| {
            let mut stream = connect("127.0.0.1:113");
            write!(stream, "{ports}\r\n").expect("write");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("an answer");
            answer
        };
        let found = ask("4000,5000");
        assert!(found.contains("somebody"), "{found}");
        format!("{said}{found}{}", ask("4001,5000"))
    });
}

#[test]
fn dnsmasq_passes_marks_on() {
    same(|_scene| {
        // The question arrives with a mark, and so must its forwarded copy leave.
        nft("table ip t {
            chain first { type filter hook output priority -150;
                udp dport 53 ct mark set 7
            }
            chain last { type filter hook output priority 10;
                udp dport 5353 meta mark 7 counter
                udp dport 5353 meta mark != 7 counter
            }
        }\n");
        let upstream = UdpSocket::bind("127.0.0.1:5353").expect("bind");
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((len, from)) = upstream.recv_from(&mut question) {
                upstream
                    .send_to(&answer_to(&question[..len]), from)
                    .expect("send");
            }
        });
        let _daemon = _scene.start(
            "dnsmasq --no-daemon --conntrack --no-resolv --no-hosts --server=127.0.0.1#5353 \
             --listen-address=127.0.0.1 --bind-interfaces --user=root --conf-file=/dev/null",
        );
        let client = UdpSocket::bind("127.0.0.1:0").expect("bind");
        client.connect("127.0.0.1:53").expect("connect");
        client
            .set_read_timeout(Some(Duration::from_millis(200)))
            .expect("timeout");
        let answer = wait::until("an answer", || {
            client.send(QUESTION).ok()?;
            let mut answer = [0; 512];
            let len = client.recv(&mut answer).ok()?;
            Some(answer[..len].to_vec())
        });
        assert!(answer.ends_with(&[192, 0, 2, 53]), "{answer:?}");
        let marked = packets("meta mark 0x00000007");
        let others = packets("meta mark != 0x00000007");
        format!("{answer:?}, marked: {}, others: {others}", marked > 0)
    });
}

/// Asks for the address of www.example.org.
const QUESTION: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03org\0\0\x01\0\x01";

/// The answer to a question with one name: 192.0.2.53.
fn answer_to(question: &[u8]) -> Vec<u8> {
    const HEADER: usize = 12;
    let name = question[HEADER..]
        .split(|byte| *byte == 0)
        .next()
        .expect("a name");
    let asked = &question[HEADER..HEADER + name.len() + 5];
    let mut answer = question[..2].to_vec();
    answer.extend(b"\x81\x80\0\x01\0\x01\0\0\0\0");
    answer.extend(asked);
    answer.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x35");
    answer
}

#[test]
fn squid_passes_marks_on() {
    same(|scene| {
        // Its shared memory has fixed names, and what is left of another run would be in its way.
        unshare(CloneFlags::CLONE_NEWNS).expect("unshare(CLONE_NEWNS)");
        peer::run("mount --make-rprivate /");
        peer::run("mount -t tmpfs none /dev/shm");
        nft("table ip t {
            chain first { type filter hook output priority -150;
                tcp dport 8080 ct mark set 7
            }
            chain last { type filter hook output priority 10;
                tcp sport 3128 meta mark 7 counter
            }
        }\n");
        const BODY: &str = "x";
        let origin = TcpListener::bind("127.0.0.1:8080").expect("bind");
        thread::spawn(move || {
            for stream in origin.incoming() {
                let mut stream = stream.expect("a connection");
                let mut request = [0; 4096];
                let _request = stream.read(&mut request).expect("a request");
                let body = BODY.repeat(100_000);
                write!(
                    stream,
                    "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .expect("write");
            }
        });
        // The daemon runs as a user of its own.
        let directory = scene.directory();
        fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).expect("permissions");
        let directory = directory.display();
        let configuration = format!(
            "http_port 127.0.0.1:3128\nacl anybody src all\nhttp_access allow anybody\ncache deny all\n\
             qos_flows mark local-hit=0x30\nvisible_hostname test\n\
             pid_filename {directory}/pid\naccess_log none\ncache_log {directory}/log\n\
             coredump_dir {directory}\npinger_enable off\nnetdb_filename none\nshutdown_lifetime 0 seconds\n"
        );
        let configuration = scene.file("squid.conf", &configuration);
        let _daemon = scene.start(&format!("squid -N -f {configuration}"));
        let mut stream = connect("127.0.0.1:3128");
        write!(stream, "GET http://127.0.0.1:8080/ HTTP/1.0\r\n\r\n").expect("write");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("a reply");
        assert!(
            reply.ends_with(&BODY.repeat(100_000)),
            "{}",
            &reply[..200.min(reply.len())]
        );
        let marked = packets("meta mark 0x00000007");
        format!(
            "{}, marked: {}",
            reply.lines().next().unwrap_or_default(),
            marked > 1
        )
    });
}

#[test]
fn ulogd_writes_flows() {
    same(|scene| {
        let plugins = format!("/usr/lib/{}-linux-gnu/ulogd", std::env::consts::ARCH);
        let directory = scene.directory().display().to_string();
        let stacks = format!(
            "[global]\nlogfile=\"{directory}/log\"\nloglevel=3\n\
             plugin=\"{plugins}/ulogd_inpflow_NFCT.so\"\n\
             plugin=\"{plugins}/ulogd_filter_IP2STR.so\"\n\
             plugin=\"{plugins}/ulogd_filter_PRINTFLOW.so\"\n\
             plugin=\"{plugins}/ulogd_output_LOGEMU.so\"\n\
             plugin=\"{plugins}/ulogd_output_XML.so\"\n\
             stack=events:NFCT,text:IP2STR,line:PRINTFLOW,file:LOGEMU\n\
             stack=hashed:NFCT,text2:IP2STR,line2:PRINTFLOW,file2:LOGEMU\n\
             stack=polled:NFCT,xml:XML\n\
             [events]\nhash_enable=0\n\
             [hashed]\nhash_enable=1\naccept_proto_filter=udp,tcp\n\
             [polled]\nhash_enable=0\n\
             [file]\nfile=\"{directory}/events\"\nsync=1\n\
             [file2]\nfile=\"{directory}/ends\"\nsync=1\n\
             [xml]\ndirectory=\"{directory}\"\nsync=1\n"
        );
        let configuration = scene.file("ulogd.conf", &stacks);
        let read =
            |name: &str| fs::read_to_string(scene.directory().join(name)).unwrap_or_default();
        let _daemon = scene.start(&format!("ulogd --configfile {configuration}"));
        let flow = |number: u16| {
            format!("-s 192.0.2.1 -d 198.51.100.1 -p udp --sport {number} --dport 53")
        };
        wait::until("ulogd", || {
            scene.run(&format!("conntrack -I {} -t 600", flow(9999)));
            scene.run(&format!("conntrack -D {}", flow(9999)));
            let all = ["events", "ends"]
                .iter()
                .all(|name| read(name).contains("SPT=9999"));
            all.then_some(())
        });
        for number in 1..=20 {
            scene.run(&format!("conntrack -I {} -t 600", flow(number)));
            scene.run(&format!("conntrack -U {} -m 5", flow(number)));
            scene.run(&format!("conntrack -D {}", flow(number)));
        }
        scene.run("conntrack -I -s 2001:db8::1 -d 2001:db8::2 -p tcp --sport 1 --dport 2 -t 600 --state SYN_SENT");
        scene.run("conntrack -D -f ipv6");
        let written = wait::until("the last flow", || {
            let written = ["events", "ends"].map(read);
            let last = |text: &String| text.contains("DST=2001:db8::2");
            written.iter().all(last).then_some(written)
        });
        let xml = wait::until("the last flow in XML", || {
            let files = fs::read_dir(scene.directory()).expect("files");
            let texts = files.filter_map(|file| {
                let path = file.expect("a file").path();
                let is_xml = path.extension().is_some_and(|e| e == "xml");
                is_xml.then(|| fs::read_to_string(path).expect("text"))
            });
            let text: String = texts.collect();
            text.contains("2001:db8::2").then_some(text)
        });
        let text = format!("{}{}{xml}", written[0], written[1]);
        // The line begins with the date and the name of the host.
        let lines = text.lines().filter(|line| !line.contains("9999"));
        let lines = lines.map(|line| line.split_once(" ORIG: ").map_or(line, |(_, rest)| rest));
        crate::normal::normal(&lines.flat_map(|line| [line, "\n"]).collect::<String>())
    });
}
