//! The rules of nftables that make the kernel track packets
//! (`linux/netfilter/nf_tables.h`). Which ones do was tried, on Linux 6.18.

use super::evidence::Evidence;
use crate::error::{DecodeError, Error, Result};
use crate::handle::Handle;
use crate::netlink::{Attr, Attrs, Flags, Header, Message};
use crate::nfnetlink::{L3Proto, Nfgenmsg, Subsystem};

const NFTABLES: Subsystem = Subsystem(10);
const GET_RULE: u8 = 7;
const GET_SET: u8 = 10;
const GET_OBJECT: u8 = 19;

/// Families of tables that have rules for both address families.
const BOTH: [L3Proto; 2] = [INET, BRIDGE];
const INET: L3Proto = L3Proto(1);
const BRIDGE: L3Proto = L3Proto(7);

/// `NFTA_RULE_EXPRESSIONS`, the expressions of a rule.
const RULE_EXPRESSIONS: u16 = 4;
/// `NFTA_LIST_ELEM`, an element of any list.
const ELEMENT: u16 = 1;
/// `NFTA_EXPR_NAME` and `NFTA_EXPR_DATA`.
const NAME: u16 = 1;
const DATA: u16 = 2;
/// `NFTA_NAT_FAMILY`, the family that a translation of an inet table is for.
const NAT_FAMILY: u16 = 2;
/// `NFTA_MATCH_NAME` and `NFTA_TARGET_NAME`, of an extension of iptables.
const EXTENSION_NAME: u16 = 1;
/// `NFTA_DYNSET_EXPR` and `NFTA_DYNSET_EXPRESSIONS`, what elements made by a rule get.
const DYNSET_EXPRESSION: u16 = 7;
const DYNSET_EXPRESSIONS: u16 = 10;
/// `NFTA_SET_EXPR` and `NFTA_SET_EXPRESSIONS`, what all elements of a set get.
const SET_EXPRESSION: u16 = 17;
const SET_EXPRESSIONS: u16 = 18;
/// `NFTA_OBJ_TYPE`.
const OBJECT_TYPE: u16 = 3;

/// Objects that turn tracking on by being there: ct helper, ct count, ct timeout,
/// ct expectation, synproxy.
const OBJECTS: [u32; 5] = [3, 5, 7, 9, 10];

/// What the rules, sets and objects of nftables say of each family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rules {
    ipv4: Evidence,
    ipv6: Evidence,
}

impl Rules {
    pub(super) fn of(&self, family: L3Proto) -> Evidence {
        match family {
            L3Proto::IPV6 => self.ipv6.clone(),
            _ => self.ipv4.clone(),
        }
    }

    /// Adds what holds for tables of this family.
    fn add(&mut self, family: L3Proto, found: &Evidence) {
        for (own, side) in [
            (L3Proto::IPV4, &mut self.ipv4),
            (L3Proto::IPV6, &mut self.ipv6),
        ] {
            if family == own || BOTH.contains(&family) {
                *side = std::mem::take(side).or(found.clone());
            }
        }
    }

    fn rule(&mut self, message: &Message<'_>) -> Result<(), DecodeError> {
        let (header, attributes) = Nfgenmsg::split(message)?;
        let expressions = find(Attrs::new(attributes), RULE_EXPRESSIONS)?;
        match expressions {
            Some(expressions) => self.expressions(header.family, expressions),
            None => Ok(()),
        }
    }

    fn expressions(&mut self, table: L3Proto, list: Attr<'_>) -> Result<(), DecodeError> {
        for element in list.nested() {
            let element = element.map_err(malformed)?;
            if element.kind() == ELEMENT {
                self.expression(table, element)?;
            }
        }
        Ok(())
    }

    fn expression(&mut self, table: L3Proto, expression: Attr<'_>) -> Result<(), DecodeError> {
        let name = find(expression.nested(), NAME)?;
        let name = name.map_or(&b""[..], |name| name.string());
        let Some(data) = find(expression.nested(), DATA)? else {
            // The shortest, such as `masq`, may have none.
            self.add(table, &by_name(name));
            return Ok(());
        };
        let data = data.nested();
        match name {
            b"nat" => {
                let family = find(data, NAT_FAMILY)?.and_then(|family| family.u32_be());
                let family = family.and_then(|family| u8::try_from(family).ok());
                self.add(family.map_or(table, L3Proto), &Evidence::Found);
            }
            b"match" | b"target" => {
                let extension = find(data, EXTENSION_NAME)?;
                let extension = extension.map_or(&b""[..], |name| name.string());
                self.add(table, &by_extension(extension));
            }
            b"dynset" => {
                self.of_elements(table, data, DYNSET_EXPRESSION, DYNSET_EXPRESSIONS)?;
            }
            name => self.add(table, &by_name(name)),
        }
        Ok(())
    }

    /// What elements of a set get: one expression, or a list of them. They nest no
    /// further, since all they do is to keep state.
    fn of_elements(
        &mut self,
        table: L3Proto,
        attrs: Attrs<'_>,
        single: u16,
        list: u16,
    ) -> Result<(), DecodeError> {
        if let Some(inner) = find(attrs.clone(), single)? {
            self.stateful(table, inner)?;
        }
        if let Some(list) = find(attrs, list)? {
            for inner in list.nested() {
                self.stateful(table, inner.map_err(malformed)?)?;
            }
        }
        Ok(())
    }

    fn stateful(&mut self, table: L3Proto, expression: Attr<'_>) -> Result<(), DecodeError> {
        if let Some(name) = find(expression.nested(), NAME)? {
            self.add(table, &by_name(name.string()));
        }
        Ok(())
    }

    fn set(&mut self, message: &Message<'_>) -> Result<(), DecodeError> {
        let (header, attributes) = Nfgenmsg::split(message)?;
        let attrs = Attrs::new(attributes);
        self.of_elements(header.family, attrs, SET_EXPRESSION, SET_EXPRESSIONS)
    }

    fn object(&mut self, message: &Message<'_>) -> Result<(), DecodeError> {
        let (header, attributes) = Nfgenmsg::split(message)?;
        let kind = find(Attrs::new(attributes), OBJECT_TYPE)?.and_then(|kind| kind.u32_be());
        if kind.is_some_and(|kind| OBJECTS.contains(&kind)) {
            self.add(header.family, &Evidence::Found);
        }
        Ok(())
    }
}

/// Expressions that turn tracking on. `notrack` and chains for translation do not.
fn by_name(name: &[u8]) -> Evidence {
    match name {
        b"ct" | b"connlimit" | b"masq" | b"redir" | b"nat" | b"synproxy" | b"flow_offload" => {
            Evidence::Found
        }
        _ => Evidence::Absent,
    }
}

/// Extensions of iptables that turn it on, as iptables-nft(8) loads them.
fn by_extension(name: &[u8]) -> Evidence {
    match name {
        b"conntrack" | b"state" | b"connmark" | b"connbytes" | b"connlimit" | b"connlabel"
        | b"helper" | b"cluster" | b"CONNMARK" | b"CONNSECMARK" | b"SNAT" | b"DNAT"
        | b"MASQUERADE" | b"REDIRECT" | b"NETMAP" | b"SYNPROXY" => Evidence::Found,
        b"CT" => Evidence::Unclear(
            "a rule has the target CT, which turns tracking on unless all it says is --notrack"
                .to_owned(),
        ),
        _ => Evidence::Absent,
    }
}

/// Reads the rules of the handle's network namespace.
pub(super) fn read(handle: &mut Handle) -> Result<Rules> {
    let mut rules = Rules::default();
    list(handle, GET_RULE, |message| rules.rule(message))?;
    list(handle, GET_SET, |message| rules.set(message))?;
    list(handle, GET_OBJECT, |message| rules.object(message))?;
    Ok(rules)
}

/// Lists rules, sets or objects; a kernel without nftables has none.
fn list(
    handle: &mut Handle,
    message: u8,
    mut each: impl FnMut(&Message<'_>) -> Result<(), DecodeError>,
) -> Result<()> {
    let seq = handle.ask(
        |seq, buffer| {
            let kind = NFTABLES.message_type(message);
            let header = Header::request(kind, Flags::DUMP).with_seq(seq);
            Nfgenmsg::default().start(buffer, header).finish()
        },
        true,
    )?;
    match handle.answers(seq, |message| Ok(each(message)?)) {
        Err(error) if is_absent(&error) => Ok(()),
        listed => listed,
    }
}

/// Whether the kernel says that it has no such subsystem, or no such request.
pub(super) fn is_absent(error: &Error) -> bool {
    matches!(error, Error::Kernel(_))
        && matches!(
            error.errno(),
            libc::EINVAL | libc::EOPNOTSUPP | libc::ENOENT
        )
}

fn find<'a>(attrs: Attrs<'a>, kind: u16) -> Result<Option<Attr<'a>>, DecodeError> {
    attrs.find(kind).map_err(malformed)
}

fn malformed(error: crate::netlink::AttrError) -> DecodeError {
    DecodeError::Attribute("rule", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Builder;

    const IPV4_AND_IPV6: [Evidence; 2] = [Evidence::Found, Evidence::Found];
    const NEITHER: [Evidence; 2] = [Evidence::Absent, Evidence::Absent];

    /// A message about a rule with one expression of this name.
    fn rule(table: L3Proto, name: &str, data: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
        let mut buffer = Vec::new();
        let header = Header::request(NFTABLES.message_type(6), Flags::empty());
        let mut message = Nfgenmsg::family(table).start(&mut buffer, header);
        message.nest(RULE_EXPRESSIONS, |list| {
            list.nest(ELEMENT, |expression| {
                expression.put_string(NAME, name.as_bytes());
                expression.nest(DATA, data);
            });
        });
        message.finish().unwrap();
        buffer
    }

    fn evidence(message: &[u8]) -> Result<[Evidence; 2], DecodeError> {
        let mut rules = Rules::default();
        rules.rule(&Message::parse(message).unwrap())?;
        Ok([L3Proto::IPV4, L3Proto::IPV6].map(|family| rules.of(family)))
    }

    #[test]
    fn the_table_tells_the_family() {
        let ct = |table| evidence(&rule(table, "ct", |_| ())).unwrap();
        assert_eq!(ct(INET), IPV4_AND_IPV6);
        assert_eq!(ct(BRIDGE), IPV4_AND_IPV6);
        assert_eq!(ct(L3Proto::IPV4), [Evidence::Found, Evidence::Absent]);
        assert_eq!(ct(L3Proto::IPV6), [Evidence::Absent, Evidence::Found]);
        // netdev: there is no tracking so early.
        assert_eq!(ct(L3Proto(5)), NEITHER);
    }

    #[test]
    fn names_are_compared_whole() {
        for name in ["notrack", "c", "ctx", "counter", "matching", ""] {
            assert_eq!(evidence(&rule(INET, name, |_| ())), Ok(NEITHER), "{name}");
        }
        let found = evidence(&rule(INET, "flow_offload", |_| ()));
        assert_eq!(found, Ok(IPV4_AND_IPV6));
    }

    #[test]
    fn malformed_rules_are_errors_or_nothing() {
        let whole = rule(INET, "dynset", |data| {
            data.nest(DYNSET_EXPRESSIONS, |list| {
                list.nest(ELEMENT, |inner| inner.put_string(NAME, b"connlimit"));
            });
        });
        assert_eq!(evidence(&whole), Ok(IPV4_AND_IPV6));
        let mut errors = 0;
        for at in 20..whole.len() {
            for value in [0, 1, 3, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                errors += u32::from(evidence(&damaged).is_err());
            }
        }
        assert!(errors > 10, "{errors}");
    }
}
