//! The saved form: sets and entries as `ipset save` writes and `ipset restore`
//! reads them, ipset(8).

use std::fmt;

use super::entry::{Entry, Interface, Place, SkbMark};
use super::set::{Set, SetFlags};
use crate::nfnetlink::L3Proto;

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.set_type)?;
        if let Some(range) = &self.range {
            write!(f, " range {range}")?;
        }
        if let Some((first, last)) = self.ports {
            write!(f, " range {first}-{last}")?;
        }
        if self.has_family() {
            match self.family {
                L3Proto::IPV6 => f.write_str(" family inet6")?,
                _ => f.write_str(" family inet")?,
            }
        }
        option(f, "markmask", self.markmask.map(Hex))?;
        option(f, "hashsize", self.hashsize)?;
        option(f, "maxelem", self.maxelem)?;
        option(f, "size", self.size)?;
        option(f, "netmask", self.netmask)?;
        option(f, "bitmask", self.bitmask)?;
        option(f, "timeout", self.timeout)?;
        for (flag, word) in [
            (SetFlags::COUNTERS, " counters"),
            (SetFlags::COMMENT, " comment"),
            (SetFlags::SKBINFO, " skbinfo"),
            (SetFlags::FORCEADD, " forceadd"),
        ] {
            if self.flags.contains(flag) {
                f.write_str(word)?;
            }
        }
        option(f, "bucketsize", self.bucketsize)?;
        option(f, "initval", self.initval.map(Hex))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        part(f, &mut separator, self.address)?;
        part(f, &mut separator, self.mac)?;
        part(f, &mut separator, self.mark.map(Hex))?;
        part(f, &mut separator, self.ports)?;
        part(f, &mut separator, self.address2)?;
        part(f, &mut separator, self.interface)?;
        part(f, &mut separator, self.set)?;
        match self.place {
            Some(Place::Before(other)) => write!(f, " before {other}")?,
            Some(Place::After(other)) => write!(f, " after {other}")?,
            None => {}
        }
        option(f, "timeout", self.timeout)?;
        if self.nomatch {
            f.write_str(" nomatch")?;
        }
        if self.interface.is_some_and(|interface| interface.wildcard) {
            f.write_str(" wildcard")?;
        }
        option(f, "packets", self.packets)?;
        option(f, "bytes", self.bytes)?;
        if let Some(comment) = &self.comment {
            write!(f, " comment \"{}\"", String::from_utf8_lossy(comment))?;
        }
        option(f, "skbmark", self.skbmark)?;
        if let Some(class) = self.skbprio {
            write!(f, " skbprio {:x}:{:x}", class >> 16, class & 0xffff)?;
        }
        option(f, "skbqueue", self.skbqueue)
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.physdev {
            f.write_str("physdev:")?;
        }
        self.name.fmt(f)
    }
}

impl fmt::Display for SkbMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.mark)?;
        if self.mask != u32::MAX {
            write!(f, "/{:#x}", self.mask)?;
        }
        Ok(())
    }
}

/// A 32-bit number as ipset(8) prints initval.
struct Hex(u32);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

/// Writes an option with its value, if there is one.
fn option(f: &mut fmt::Formatter<'_>, word: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    match value {
        Some(value) => write!(f, " {word} {value}"),
        None => Ok(()),
    }
}

/// Writes a part of an entry, if it is there, behind a comma if it is not the first.
fn part(
    f: &mut fmt::Formatter<'_>,
    separator: &mut &'static str,
    value: Option<impl fmt::Display>,
) -> fmt::Result {
    if let Some(value) = value {
        f.write_str(separator)?;
        value.fmt(f)?;
        *separator = ",";
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::ipset::{MacAddr, Ports, SetType};

    #[test]
    fn types_that_not_every_kernel_has() {
        let ip = Ipv4Addr::new(10, 0, 0, 1);
        let mac = MacAddr([1, 2, 3, 4, 5, 0xef]);
        let net = (Ipv4Addr::new(10, 1, 0, 0), 16);
        for (entry, text) in [
            (Entry::mac(mac), "01:02:03:04:05:EF"),
            (
                Entry::address(ip).with_mac(mac),
                "10.0.0.1,01:02:03:04:05:EF",
            ),
            (Entry::address(ip).with_mark(99), "10.0.0.1,0x00000063"),
            (
                Entry::address(net).with_address2(ip),
                "10.1.0.0/16,10.0.0.1",
            ),
            (
                Entry::address(net)
                    .with_ports(Ports::tcp(0))
                    .with_address2(net),
                "10.1.0.0/16,tcp:0,10.1.0.0/16",
            ),
        ] {
            assert_eq!(entry.to_string(), text);
        }
        let marks = Set::new("m", SetType::HASH_IP_MARK)
            .unwrap()
            .with_markmask(0xff);
        assert_eq!(
            marks.to_string(),
            "m hash:ip,mark family inet markmask 0x000000ff"
        );
        let macs = Set::new("m", SetType::HASH_MAC).unwrap().with_forceadd();
        assert_eq!(macs.to_string(), "m hash:mac forceadd");
    }
}
