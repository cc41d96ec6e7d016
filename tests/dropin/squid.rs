//! squid(8) with marks: it looks up those of its connections, and sets them.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::common::peer::{self, Peer};
use super::common::wait;
use super::compare::in_own_namespaces;
use super::library::Library;

/// Where squid listens, and where the server is that it asks.
const PROXY: u16 = 3128;
const ORIGIN: u16 = 8080;

/// Marks both connections, and collects the marks of packets to the client.
const RULES: &str = "table inet marks {
     set seen {
         type mark
         flags dynamic
         size 16
     }
     chain output {
         type filter hook output priority filter; policy accept;
         tcp dport 8080 ct mark set 0x12a
         tcp dport 3128 ct state new ct mark set 0x7
         tcp sport 3128 meta mark != 0 add @seen { meta mark }
     }
 }";

/// Starts squid in a network namespace of its own, and enters that; the
/// directory has its files.
///
/// Squid does not run as root, and it can become another user only for a root who
/// is more than root of a user namespace. So it gets a user namespace in which it
/// is not root, with the capabilities that it needs in the network namespace.
fn start(library: Library, settings: &str) -> (Peer, TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let [configuration, log, script] =
        ["configuration", "log", "start"].map(|name| directory.path().join(name));
    let text = format!(
        "http_port 127.0.0.1:{PROXY}\n\
         visible_hostname proxy.example\n\
         pid_filename none\n\
         cache deny all\n\
         cache_log stdio:{}\n\
         access_log none\n\
         netdb_filename none\n\
         pinger_enable off\n\
         coredump_dir none\n\
         shutdown_lifetime 0 seconds\n\
         {settings}\n",
        log.display()
    );
    fs::write(&configuration, text).expect("a file");
    // Its shared memory has the same names in all instances.
    let text = format!(
        "set -e\n\
         mount -t tmpfs tmpfs /dev/shm\n\
         ip link set lo up\n\
         exec squid -N -f {}\n",
        configuration.display()
    );
    fs::write(&script, text).expect("a file");
    let mut squid = library.start(&format!(
        "unshare --user --map-user=13 --map-group=13 --keep-caps --net --mount sh {}",
        script.display()
    ));
    let namespace = format!("/proc/{}/ns/net", squid.id());
    let namespace = File::open(&namespace).expect("its namespace");
    setns(&namespace, CloneFlags::CLONE_NEWNET).expect("setns");
    wait::until("squid to listen", || {
        let log = || fs::read_to_string(&log).unwrap_or_default();
        assert!(
            squid.is_running(),
            "squid has ended: {}{}",
            squid.said(),
            log()
        );
        TcpStream::connect((Ipv4Addr::LOCALHOST, PROXY)).ok()
    });
    (squid, directory)
}

/// Gets a page through squid, and returns the first line of the reply.
fn get() -> String {
    let origin = (Ipv4Addr::LOCALHOST, ORIGIN);
    let listener = TcpListener::bind(origin).expect("bind");
    thread::scope(|scope| {
        let server = scope.spawn(|| {
            let (mut stream, _) = listener.accept().expect("accept");
            // A request is short, and comes in one piece.
            if stream.read(&mut [0; 4096]).expect("read") > 0 {
                let reply = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
                stream.write_all(reply).expect("write");
            }
        });
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, PROXY)).expect("connect");
        let timeout = client.set_read_timeout(Some(wait::DEADLINE));
        timeout.expect("timeout");
        let request = format!("GET http://{}:{ORIGIN}/ HTTP/1.0\r\n\r\n", origin.0);
        client.write_all(request.as_bytes()).expect("write");
        let mut reply = String::new();
        client.read_to_string(&mut reply).expect("a reply");
        if !server.is_finished() {
            // It has not been asked, and need not wait any more.
            drop(TcpStream::connect(origin));
        }
        reply.lines().next().unwrap_or_default().to_owned()
    })
}

fn stop(squid: Peer) {
    let finished = squid.stop(Signal::SIGTERM);
    assert!(finished.status.success(), "{finished}");
}

#[test]
fn replies_have_the_mark_of_the_connection_to_the_server() {
    let text = in_own_namespaces(|library| {
        let (squid, _directory) = start(
            library,
            "http_access allow all\nqos_flows mark miss=0x30/0xff",
        );
        peer::nft(RULES);
        let reply = get();
        let marks = peer::run("nft list set inet marks seen");
        stop(squid);
        format!("{reply}\n{marks}")
    });
    assert!(text.contains("HTTP/1.1 200 OK"), "{text}");
    // All but the lowest bits are those of 0x12a.
    assert!(text.contains("0x00000130"), "{text}");
}

#[test]
fn marks_the_connections_of_clients() {
    let text = in_own_namespaces(|library| {
        let settings = "acl known client_connection_mark 0x7/0xff\n\
                        acl unknown client_connection_mark 0x8/0xff\n\
                        http_access deny unknown\n\
                        http_access allow known\n\
                        http_access deny all\n\
                        mark_client_connection 0x500/0xff00 known";
        let (squid, _directory) = start(library, settings);
        peer::nft(RULES);
        let allowed = get();
        let marked = peer::run(&format!("conntrack -L -p tcp --dport {PROXY} -m 0x507"));
        let count = marked.lines().count();
        peer::run("nft flush ruleset");
        peer::nft(&RULES.replace("0x7", "0x8"));
        let denied = get();
        stop(squid);
        format!("{allowed}\n{count}\n{denied}\n")
    });
    assert_eq!(text, "HTTP/1.1 200 OK\n1\nHTTP/1.1 403 Forbidden\n");
}
