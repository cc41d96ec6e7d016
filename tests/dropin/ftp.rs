//! The control connection of an FTP session over loopback, in which the client
//! names the port for a data connection: the kernel's helper expects it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::common::{peer, wait};

/// Where the server listens.
pub(crate) const PORT: u16 = 2121;

/// Has the kernel watch control connections in the caller's namespace.
pub(crate) fn start_helper() {
    peer::nft(&format!(
        "table inet ftp {{
             ct helper ftp {{
                 type \"ftp\" protocol tcp
             }}
             chain output {{
                 type filter hook output priority filter; policy accept;
                 tcp dport {PORT} ct helper set \"ftp\"
             }}
         }}"
    ));
}

/// A control connection: the client's end and the server's.
pub(crate) struct Session(TcpStream, TcpStream);

impl Session {
    /// Logs in.
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)).expect("bind");
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, PORT)).expect("connect");
        let (server, _) = listener.accept().expect("accept");
        let session = Self(client, server);
        // The helper needs a first line to know where lines begin.
        session.exchange("USER anonymous\r\n", "331 Your mail address?\r\n");
        session
    }

    /// The client's port.
    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().expect("a port").port()
    }

    /// Makes the kernel expect a connection to this port of the client.
    pub(crate) fn expect_data_at(&self, port: u16) {
        let [high, low] = port.to_be_bytes();
        self.exchange(&format!("PORT 127,0,0,1,{high},{low}\r\n"), "200 Well\r\n");
    }

    fn exchange(&self, command: &str, reply: &str) {
        let Self(client, server) = self;
        for (mut from, mut to, text) in [(client, server, command), (server, client, reply)] {
            from.write_all(text.as_bytes()).expect("write");
            to.set_read_timeout(Some(wait::DEADLINE)).expect("timeout");
            to.read_exact(&mut vec![0; text.len()]).expect("read");
        }
    }
}
