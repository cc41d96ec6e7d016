//! IP addresses as `inet_ntop` of glibc writes them.

use super::Out;

/// Writes an IPv4 address.
pub(crate) fn ipv4(out: &mut Out<'_>, [a, b, c, d]: [u8; 4]) {
    out.decimal(a);
    out.put(".");
    out.decimal(b);
    out.put(".");
    out.decimal(c);
    out.put(".");
    out.decimal(d);
}

/// Writes an IPv6 address.
///
/// Unlike Rust's `Display`, glibc ends IPv4-compatible addresses with a
/// dotted quad: `::192.0.2.1`.
pub(crate) fn ipv6(out: &mut Out<'_>, bytes: [u8; 16]) {
    let groups = std::net::Ipv6Addr::from(bytes).segments();
    let zeros = longest_zeros(&groups);
    if ends_in_ipv4(&groups, zeros) {
        out.put(if zeros.len == 6 { "::" } else { "::ffff:" });
        let [.., a, b, c, d] = bytes;
        return ipv4(out, [a, b, c, d]);
    }
    if zeros.len == 0 {
        return joined(out, &groups);
    }
    let (head, tail) = groups.split_at(zeros.start);
    joined(out, head);
    out.put("::");
    joined(out, tail.get(zeros.len..).unwrap_or_default());
}

/// A run of groups that are zero.
#[derive(Clone, Copy, Default)]
struct Zeros {
    start: usize,
    len: usize,
}

/// The first of the longest runs of two zeros at least.
fn longest_zeros(groups: &[u16; 8]) -> Zeros {
    let mut longest = Zeros { start: 0, len: 1 };
    let mut run = Zeros::default();
    for (place, group) in groups.iter().enumerate() {
        if *group != 0 {
            run.len = 0;
            continue;
        }
        if run.len == 0 {
            run.start = place;
        }
        run.len += 1;
        if run.len > longest.len {
            longest = run;
        }
    }
    if longest.len > 1 {
        longest
    } else {
        Zeros::default()
    }
}

/// Whether the address embeds an IPv4 one: `::a.b.c.d` or `::ffff:a.b.c.d`.
fn ends_in_ipv4(groups: &[u16; 8], zeros: Zeros) -> bool {
    zeros.start == 0 && (zeros.len == 6 || zeros.len == 5 && groups[5] == 0xffff)
}

fn joined(out: &mut Out<'_>, groups: &[u16]) {
    for (place, group) in groups.iter().enumerate() {
        if place > 0 {
            out.put(":");
        }
        out.hex(*group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    fn text(groups: [u16; 8]) -> String {
        let mut text = Vec::new();
        Out::run(&mut |chunk| text.extend_from_slice(chunk), |out| {
            ipv6(out, Ipv6Addr::from(groups).octets());
        });
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn samples_of_glibc() {
        for (groups, expected) in [
            ([0, 0, 0, 0, 0, 0, 0, 0], "::"),
            ([0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            ([0, 0, 0, 0, 0, 0, 2, 3], "::0.2.0.3"),
            ([0, 0, 0, 0, 0, 0, 1, 0], "::0.1.0.0"),
            ([0, 0, 0, 0, 0, 0, 0x102, 0x304], "::1.2.3.4"),
            ([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x221], "::ffff:192.0.2.33"),
            ([0, 0, 0, 0, 0, 0xffff, 0, 0], "::ffff:0.0.0.0"),
            ([0, 0, 0, 0, 0, 0xfffe, 0x102, 0x304], "::fffe:102:304"),
            ([0, 0, 0, 0, 0xffff, 0, 0x102, 0x304], "::ffff:0:102:304"),
            ([0, 0, 0, 0, 0, 0xabcd, 0, 0], "::abcd:0:0"),
            ([0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"),
            ([0x2001, 0, 0, 1, 0, 0, 0, 1], "2001:0:0:1::1"),
            ([0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], "2001:db8:0:1:1:1:1:1"),
            ([1, 2, 3, 4, 5, 6, 0, 0], "1:2:3:4:5:6::"),
        ] {
            assert_eq!(text(groups), expected);
        }
    }

    /// Every pattern of groups that are zero, `ffff` or neither. The standard
    /// library differs in IPv4-compatible addresses alone.
    #[test]
    fn all_patterns() {
        for pattern in 0..3u32.pow(8) {
            let mut rest = pattern;
            let groups = [(); 8].map(|()| {
                let group = [0, 0xffff, 0x1a0][(rest % 3) as usize];
                rest /= 3;
                group
            });
            let address = Ipv6Addr::from(groups);
            let expected = match groups {
                [0, 0, 0, 0, 0, 0, high, _] if high != 0 => {
                    format!("::{}", address.to_ipv4().unwrap())
                }
                _ => address.to_string(),
            };
            assert_eq!(text(groups), expected);
        }
    }
}
