//! conntrackd(8) in two namespaces joined by a cable: what one knows, the other
//! one learns.

use std::net::{TcpListener, TcpStream};

use nix::unistd::gettid;

use crate::common::peer::{self, Peer, nft};
use crate::common::{netns, sysctl, wait};
use crate::conntrack::FTP_HELPER;
use crate::normal::normal;
use crate::scene::{Scene, same};

/// One of the two.
struct Node<'a> {
    scene: &'a Scene,
    /// The front of commands that are to run in its namespace.
    inside: String,
    configuration: String,
}

impl<'a> Node<'a> {
    /// The node whose namespace is that of this thread.
    fn new(scene: &'a Scene, name: &str, mode: &str) -> Self {
        let [own, other] = match name {
            "a" => ["10.9.0.1", "10.9.0.2"],
            _ => ["10.9.0.2", "10.9.0.1"],
        };
        let path = scene.directory().join(name).display().to_string();
        let text = format!(
            "Sync {{\n Mode {mode} {{\n }}\n UDP {{\n IPv4_address {own}\n \
             IPv4_Destination_Address {other}\n Port 3780\n Interface v{name}\n Checksum on\n }}\n \
             Options {{\n ExpectationSync {{ ftp }}\n }}\n}}\n\
             General {{\n HashSize 1024\n HashLimit 8192\n LogFile {path}.log\n LockFile {path}.lock\n \
             UNIX {{\n Path {path}.socket\n }}\n NetlinkBufferSize 262142\n \
             Filter From Userspace {{\n Protocol Accept {{\n TCP\n UDP\n }}\n \
             Address Ignore {{\n IPv4_address 10.9.0.1\n IPv4_address 10.9.0.2\n }}\n }}\n}}\n"
        );
        for name in ["timestamp", "acct"] {
            sysctl::write(&format!("net.netfilter.nf_conntrack_{name}"), 1);
        }
        Self {
            scene,
            inside: format!("nsenter --net=/proc/{}/ns/net", gettid()),
            configuration: scene.file(&format!("{name}.conf"), &text),
        }
    }

    fn line(&self, command: &str) -> String {
        format!("{} {command}", self.inside)
    }

    fn start(&self) -> Peer {
        self.scene
            .start(&self.line(&format!("conntrackd -C {}", self.configuration)))
    }

    /// Runs a command in the namespace; gives what it says.
    fn run(&self, command: &str) -> String {
        let said = self.scene.run(&self.line(command));
        said.replace(&self.inside, "")
            .replace(&gettid().to_string(), "")
    }

    /// Asks the daemon, and gives the lines of its answer that begin with one of
    /// the protocols, or in XML.
    fn ask(&self, request: &str) -> String {
        let command = format!("conntrackd -C {} {request}", self.configuration);
        let finished = Peer::start(&self.scene.line(&self.line(&command)), "").finish();
        assert!(finished.status.success(), "{finished}");
        let lines = finished.stdout.lines().filter(|line| {
            ["tcp ", "udp ", "<flow", "proto="]
                .iter()
                .any(|start| line.starts_with(start))
        });
        // How long it has known them.
        let lines = lines.map(|line| line.split(" [active since").next().unwrap_or(line));
        normal(&lines.flat_map(|line| [line, "\n"]).collect::<String>())
    }

    /// Asks until the answer has this.
    fn ask_for(&self, request: &str, wanted: &str) -> String {
        wait::until(&format!("{wanted} in the answer to {request}"), || {
            let answer = self.ask(request);
            answer.contains(wanted).then_some(answer)
        })
    }

    /// What the daemon counts, without the numbers.
    fn statistics(&self, request: &str) -> String {
        let said = self.run(&format!("conntrackd -C {} {request}", self.configuration));
        let digits = |c: char| !c.is_ascii_digit();
        let text: String = said
            .replace(&self.configuration, "")
            .chars()
            .filter(|c| digits(*c))
            .collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Plays with both nodes and their daemons.
fn with_nodes(
    scene: &Scene,
    mode: &str,
    play: impl Fn(&Node<'_>, &Node<'_>) -> String + Sync,
) -> String {
    peer::run("ip link add va type veth peer name vb");
    peer::run("ip address add 10.9.0.1/24 dev va");
    let a = Node::new(scene, "a", mode);
    netns::run(|| {
        let b = Node::new(scene, "b", mode);
        let cable = format!("{} ip link set vb netns {}", a.inside, gettid());
        peer::run(&cable);
        peer::run(&a.line("ip link set va up"));
        peer::run("ip address add 10.9.0.2/24 dev vb");
        peer::run("ip link set vb up");
        let daemons = [&a, &b].map(Node::start);
        for node in [&a, &b] {
            wait::until("conntrackd", || {
                let command = format!("conntrackd -C {} -s", node.configuration);
                let finished = Peer::start(&scene.line(&node.line(&command)), "").finish();
                finished.status.success().then_some(())
            });
        }
        let said = play(&a, &b);
        // Both have lived through all of it.
        for (node, daemon) in [&a, &b].into_iter().zip(daemons) {
            node.run(&format!("conntrackd -C {} -k", node.configuration));
            let finished = daemon.finish();
            assert!(finished.status.success(), "{finished}");
        }
        said
    })
}

const TCP: &str = "-s 192.0.2.1 -d 198.51.100.1 -p tcp --sport 1 --dport 2";
const UDP: &str = "-s 192.0.2.1 -d 198.51.100.1 -p udp --sport 3 --dport 2";

fn states_are_replicated(scene: &Scene, mode: &str) -> String {
    with_nodes(scene, mode, |a, b| {
        let mut said = a.run(&format!(
            "conntrack -I {TCP} -t 3600 --state SYN_SENT -m 0x105"
        ));
        said += &a.run(&format!(
            "conntrack -U {TCP} --state ESTABLISHED -u ASSURED,SEEN_REPLY"
        ));
        said += &a.run(&format!("conntrack -I {UDP} -t 3600 -u ASSURED,SEEN_REPLY"));
        said += &b.ask_for("-e", "udp ");
        b.ask_for("-e", "ESTABLISHED");
        for request in ["-e", "-e -x"] {
            said += &b.ask(request);
        }
        if mode == "FTFW" {
            for request in ["-i", "-i -x"] {
                said += &a.ask(request);
            }
        }
        // What the other one knew becomes the kernel's.
        b.run(&format!("conntrackd -C {} -c", b.configuration));
        wait::until("the commit", || {
            b.run("conntrack -C").contains("\n2\n").then_some(())
        });
        said += &b.run("conntrack -L");
        said += &b.run("conntrack -L -o xml");
        a.run(&format!("conntrack -D {UDP}"));
        wait::until("the end of a flow", || {
            (!b.ask("-e").contains("udp ")).then_some(())
        });
        said += &b.ask("-e");
        said += &b.statistics("-s");
        said += &a.statistics("-s network");
        for cache in ["", "internal", "external"] {
            said += &b.statistics(&format!("-f {cache}"));
        }
        // Asked for all, the other one tells it again.
        b.run(&format!("conntrackd -C {} -n", b.configuration));
        said += &b.ask_for("-e", "tcp ");
        said
    })
}

#[test]
fn states_are_replicated_reliably() {
    same(|scene| states_are_replicated(scene, "FTFW"));
}

#[test]
fn states_are_replicated_without_tracking() {
    same(|scene| states_are_replicated(scene, "NOTRACK"));
}

#[test]
fn expectations_are_replicated() {
    same(|scene| {
        nft(FTP_HELPER);
        let server = TcpListener::bind("127.0.0.1:2121").expect("bind");
        let client = TcpStream::connect("127.0.0.1:2121").expect("connect");
        let _accepted = server.accept().expect("accept");
        let port = client.local_addr().expect("an address").port();
        let said = with_nodes(scene, "FTFW", |a, b| {
            let said = a.run(&format!(
                "conntrack -I expect -s 127.0.0.1 -d 127.0.0.1 -p tcp --sport {port} --dport 2121 \
                 --tuple-src 127.0.0.1 --tuple-dst 127.0.0.2 --tuple-port-src 0 --tuple-port-dst 50000 \
                 --mask-src 255.255.255.255 --mask-dst 255.255.255.255 --mask-port-src 0 \
                 --mask-port-dst 65535 -t 200"
            ));
            // The master was there before the daemons; a resync makes it known.
            a.run(&format!("conntrackd -C {} -R", a.configuration));
            a.run(&format!("conntrackd -C {} -B", a.configuration));
            let known = b.ask_for("-e expect", "proto=");
            b.ask_for("-e", "tcp ");
            b.run(&format!("conntrackd -C {} -c", b.configuration));
            wait::until("the master", || {
                b.run("conntrack -C").contains("\n1\n").then_some(())
            });
            wait::until("the expectation", || {
                b.run(&format!("conntrackd -C {} -c expect", b.configuration));
                b.run("conntrack -L expect")
                    .contains("proto=")
                    .then_some(())
            });
            let entries = b.run("conntrack -L");
            let expectations = b.run("conntrack -L expect");
            format!("{said}{known}{}{entries}{expectations}", a.ask("-i expect"))
        });
        said.replace(&port.to_string(), "MASTER")
    });
}
