//! The hooks of a network namespace, which Linux 5.14 and later can list
//! (`linux/netfilter/nfnetlink_hook.h`, `CONFIG_NETFILTER_NETLINK_HOOK`).

use super::rules::is_absent;
use crate::error::{DecodeError, Result};
use crate::handle::Handle;
use crate::netlink::{Attrs, Flags, Header, Message};
use crate::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};

const HOOK: Subsystem = Subsystem(12);
const GET: u8 = 0;
const HOOKNUM: u16 = 1;
const FUNCTION_NAME: u16 = 4;

/// Where packets come in (`NF_INET_PRE_ROUTING`): tracking begins here.
const PRE_ROUTING: u32 = 0;

/// Whether connection tracking hangs in the way of packets of this family; `None`
/// where the kernel does not tell.
pub(super) fn read(handle: &mut Handle, family: L3Proto) -> Result<Option<bool>> {
    let seq = handle.ask(
        |seq, buffer| {
            let header = Header::request(HOOK.message_type(GET), Flags::DUMP).with_seq(seq);
            let mut request = Nfgenmsg::family(family).start(buffer, header);
            request.put_u32_be(HOOKNUM, PRE_ROUTING);
            request.finish()
        },
        true,
    )?;
    let mut seen = Seen::default();
    match handle.answers(seq, |message| Ok(seen.message(message)?)) {
        Ok(()) => Ok(seen.verdict()),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a listing has shown so far.
#[derive(Debug, Default)]
struct Seen {
    tracking: bool,
    /// A hook whose function was not named, as by a kernel without symbols.
    nameless: bool,
}

impl Seen {
    fn message(&mut self, message: &Message<'_>) -> Result<(), DecodeError> {
        let (_, attributes) = Nfgenmsg::split(message)?;
        let name = Attrs::new(attributes)
            .find(FUNCTION_NAME)
            .map_err(|error| DecodeError::Attribute("hook", error))?;
        match name {
            // `ipv4_conntrack_in`, `ipv6_conntrack_in`.
            Some(name) => {
                let wanted = b"conntrack_in";
                let mut parts = name.string().windows(wanted.len());
                self.tracking |= parts.any(|part| part == wanted);
            }
            None => self.nameless = true,
        }
        Ok(())
    }

    fn verdict(&self) -> Option<bool> {
        match (self.tracking, self.nameless) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a listing with hooks of these functions says.
    fn verdict(functions: &[Option<&str>]) -> Option<bool> {
        let mut seen = Seen::default();
        for function in functions {
            let mut buffer = Vec::new();
            let header = Header::request(HOOK.message_type(GET), Flags::empty());
            let mut message = Nfgenmsg::family(L3Proto::IPV4).start(&mut buffer, header);
            message.put_u32_be(HOOKNUM, PRE_ROUTING);
            if let Some(name) = function {
                message.put_string(FUNCTION_NAME, name.as_bytes());
            }
            message.finish().unwrap();
            seen.message(&Message::parse(&buffer).unwrap()).unwrap();
        }
        seen.verdict()
    }

    #[test]
    fn the_function_tells() {
        let defrag = Some("ipv4_conntrack_defrag");
        assert_eq!(verdict(&[]), Some(false));
        assert_eq!(verdict(&[defrag]), Some(false));
        assert_eq!(verdict(&[defrag, Some("ipv4_conntrack_in")]), Some(true));
        assert_eq!(verdict(&[Some("ipv6_conntrack_in"), None]), Some(true));
        assert_eq!(verdict(&[defrag, None]), None);
    }
}
