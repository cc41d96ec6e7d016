//! oidentd(8), which tells whose connection it is behind a NAT: it finds the
//! connection in the table.

#![allow(unsafe_code)]

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;

use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};
use tempfile::TempDir;

use super::common::peer::{self, Peer};
use super::common::wait;
use super::compare::in_own_namespaces;
use super::etc;
use super::library::Library;

/// The address of the NAT, where oidentd listens.
const GATEWAY: &str = "198.51.100.1:1113";
/// The server that asks; all ports are alike.
const SERVER: &str = "192.0.2.9:0";

/// Says who is behind the NAT; see oidentd_masq.conf(5).
const HOSTS: &str = "10.0.0.2 alice UNIX\n10.0.0.0/24 others OTHER\n";

/// Starts oidentd where it cannot read the table in `/proc/net/nf_conntrack`:
/// only then does it use the library. The directory is where it finds the rest.
fn start(library: Library) -> (Peer, TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().display();
    let script = format!(
        "set -e\n\
         cd {path}\n\
         mkdir real proc proc/net\n\
         mount --rbind /proc real\n\
         ln -s {path}/real/self {path}/real/sys proc\n\
         ln -s {path}/real/self/net/tcp {path}/real/self/net/tcp6 proc/net\n\
         mount --bind proc /proc\n\
         exec oidentd --foreground --nosyslog --masquerade --user=0 --group=0 \
             --address=198.51.100.1 --port=1113\n"
    );
    let file = directory.path().join("start");
    fs::write(&file, script).expect("a file");
    pretend_to_set_groups();
    let mut oidentd = library.start(&format!("unshare --mount sh {}", file.display()));
    wait::until("oidentd to listen", || {
        assert!(
            oidentd.is_running(),
            "oidentd has ended: {}",
            oidentd.said()
        );
        connected().ok()
    });
    (oidentd, directory)
}

/// A connection from the server to oidentd.
fn connected() -> io::Result<TcpStream> {
    let socket = socket(
        AddressFamily::Inet,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    let address = |text: &str| SockaddrIn::from(text.parse::<SocketAddrV4>().expect("an address"));
    bind(socket.as_raw_fd(), &address(SERVER))?;
    connect(socket.as_raw_fd(), &address(GATEWAY))?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(wait::DEADLINE))?;
    Ok(stream)
}

/// Asks for the user of a connection, by its port at the NAT and that at the
/// server; see RFC 1413.
fn ask(ports: &str) -> String {
    let mut stream = connected().expect("a connection");
    write!(stream, "{ports}\r\n").expect("write");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    reply
}

#[test]
fn tells_whose_connections_come_through_the_nat() {
    let text = in_own_namespaces(|library| {
        for address in ["198.51.100.1/32", "192.0.2.9/32"] {
            peer::run(&format!("ip address add {address} dev lo"));
        }
        etc::private_mounts();
        let _hosts = etc::put(&[("oidentd_masq.conf", HOSTS)]);
        for flow in [
            "-s 10.0.0.2 --sport 1111 -d 192.0.2.9 --dport 6667 -n 198.51.100.1:2222",
            "-s 10.0.0.3 --sport 1112 -d 192.0.2.9 --dport 6667 -n 198.51.100.1",
            "-s 10.1.0.4 --sport 1113 -d 192.0.2.9 --dport 6667 -n 198.51.100.1",
            // To another server.
            "-s 10.0.0.2 --sport 1114 -d 192.0.2.10 --dport 6667 -n 198.51.100.1",
        ] {
            peer::run(&format!(
                "conntrack -I -t 600 -p tcp --state ESTABLISHED -u SEEN_REPLY,ASSURED {flow}"
            ));
        }
        let (oidentd, _directory) = start(library);
        let replies = [
            "2222,6667",
            "1112,6667",
            "1113,6667",
            "1114,6667",
            "2222,6668",
        ]
        .map(ask);
        let log = oidentd.stop(Signal::SIGTERM).stderr;
        // Other lines have the port of the query.
        let said = log.lines().filter(|line| line.starts_with("[192.0.2.9]"));
        replies.concat() + &said.collect::<Vec<_>>().join("\n")
    });
    for reply in [
        "2222,6667:USERID:UNIX:alice\r\n",
        "1112,6667:USERID:OTHER:others\r\n",
        "1113,6667:ERROR:NO-USER\r\n",
        "1114,6667:ERROR:NO-USER\r\n",
        "2222,6668:ERROR:NO-USER\r\n",
    ] {
        assert!(text.contains(reply), "no {reply:?}: {text}");
    }
}

/// Makes setgroups(2) do nothing, and succeed, for the calling thread and the
/// programs it starts: oidentd insists on giving up its groups, which is refused
/// to ordinary users, even as root of their own namespace.
fn pretend_to_set_groups() {
    use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W};
    let step = |code: u32, value: u32, otherwise: u8| libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: otherwise,
        k: value,
    };
    // The number of the system call is the first field of `struct seccomp_data`.
    let mut steps = [
        step(BPF_LD | BPF_W | BPF_ABS, 0, 0),
        step(BPF_JMP | BPF_JEQ | BPF_K, libc::SYS_setgroups as u32, 1),
        // An errno of 0: success.
        step(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO, 0),
        step(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW, 0),
    ];
    let program = libc::sock_fprog {
        len: steps.len() as u16,
        filter: steps.as_mut_ptr(),
    };
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: the program and its steps live until the call returns.
    let done = unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) };
    assert_eq!(done, 0, "seccomp: {}", io::Error::last_os_error());
}
