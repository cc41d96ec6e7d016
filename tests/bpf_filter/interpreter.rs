//! An interpreter of classic BPF, after the kernel's
//! `Documentation/networking/filter.rst` and `linux/filter.h`, and a check of
//! the rules that the kernel has for programs.
//!
//! Shares nothing with the crate but the instruction type.

use libc::sock_filter;

use crate::message::Order;

/// Why a program would not be accepted, or what it does.
pub(crate) type Outcome<T> = Result<T, String>;

const OP_LD: u16 = 0x00;
const OP_LDX: u16 = 0x01;
const OP_ST: u16 = 0x02;
const OP_ALU: u16 = 0x04;
const OP_JMP: u16 = 0x05;
const OP_RET: u16 = 0x06;
const OP_MISC: u16 = 0x07;

/// `SKF_AD_OFF + SKF_AD_NLATTR` and `… + SKF_AD_NLATTR_NEST`.
const NLATTR: u32 = (-0x1000_i32 + 12) as u32;
const NLATTR_NEST: u32 = (-0x1000_i32 + 16) as u32;

/// Runs a program on a datagram: how many bytes of it are kept, 0 for none.
pub(crate) fn run(program: &[sock_filter], packet: &[u8], order: Order) -> Outcome<u32> {
    run_counting(program, packet, order).map(|(kept, _)| kept)
}

/// The same, with the number of instructions that were executed.
pub(crate) fn run_counting(
    program: &[sock_filter],
    packet: &[u8],
    order: Order,
) -> Outcome<(u32, usize)> {
    let (mut a, mut x) = (0u32, 0u32);
    let mut steps = 0;
    // The kernel refuses programs that load what they have not stored.
    let mut memory = [None; 16];
    let mut at = 0;
    loop {
        let i = program
            .get(at)
            .ok_or(format!("ran out of the program at {at}"))?;
        at += 1;
        steps += 1;
        let (class, rest) = (i.code & 7, i.code & !7);
        match (class, rest) {
            // Loads: immediate, at an offset, at X plus an offset.
            (OP_LD, 0x00) => a = i.k,
            (OP_LDX, 0x00) => x = i.k,
            (OP_LD, 0x20) if i.k == NLATTR => a = find(packet, a, x, order),
            (OP_LD, 0x20) if i.k == NLATTR_NEST => a = find_nested(packet, a, x, order),
            (OP_LD, 0x20 | 0x28 | 0x30 | 0x40 | 0x48 | 0x50) => {
                let width = match rest & 0x18 {
                    0x00 => 4,
                    0x08 => 2,
                    _ => 1,
                };
                let indexed = rest & 0x40 != 0;
                let offset = if indexed { x.wrapping_add(i.k) } else { i.k };
                match load(packet, offset, width) {
                    Some(value) => a = value,
                    None => return Ok((0, steps)),
                }
            }
            (OP_ST, 0x00) => memory[i.k as usize] = Some(a),
            (OP_LD, 0x60) => a = memory[i.k as usize].ok_or("loads what was not stored")?,
            (OP_ALU, 0x50) => a &= i.k,
            (OP_JMP, 0x00) => at += i.k as usize,
            (OP_JMP, 0x10 | 0x20 | 0x30 | 0x40) => {
                let holds = match rest {
                    0x10 => a == i.k,
                    0x20 => a > i.k,
                    0x30 => a >= i.k,
                    _ => a & i.k != 0,
                };
                at += usize::from(if holds { i.jt } else { i.jf });
            }
            (OP_RET, 0x00) => return Ok((i.k, steps)),
            (OP_MISC, 0x00) => x = a,
            _ => return Err(format!("instruction {:#x} at {}", i.code, at - 1)),
        }
    }
}

/// Checks what the kernel checks: length, jumps inside, a return at the end.
/// That all opcodes are known to [`run`] too.
pub(crate) fn check(program: &[sock_filter]) -> Outcome<()> {
    if program.is_empty() || program.len() > 4096 {
        return Err(format!("{} instructions", program.len()));
    }
    for (at, i) in program.iter().enumerate() {
        let inside = |distance: usize| at + 1 + distance < program.len();
        let fine = match (i.code & 7, i.code & !7) {
            (OP_LD, 0x00 | 0x20 | 0x28 | 0x30 | 0x40 | 0x48 | 0x50) => true,
            (OP_ST, 0x00) | (OP_LD, 0x60) => i.k < 16,
            (OP_LDX, 0x00) | (OP_ALU, 0x50) | (OP_MISC, 0x00) | (OP_RET, 0x00) => true,
            (OP_JMP, 0x00) => inside(i.k as usize),
            (OP_JMP, 0x10 | 0x20 | 0x30 | 0x40) => inside(i.jt.into()) && inside(i.jf.into()),
            _ => false,
        };
        if !fine {
            return Err(format!("instruction {at}: {i:?}"));
        }
    }
    match program.last() {
        Some(last) if last.code & 7 == OP_RET => Ok(()),
        _ => Err("no return at the end".into()),
    }
}

/// A number in network byte order; none where the packet ends before.
fn load(packet: &[u8], offset: u32, width: usize) -> Option<u32> {
    let start = offset as usize;
    let bytes = packet.get(start..start.checked_add(width)?)?;
    Some(
        bytes
            .iter()
            .fold(0, |value, &byte| value << 8 | u32::from(byte)),
    )
}

/// `bpf_skb_get_nlattr`: the offset of the first attribute of type `x` among
/// those from offset `a` to the end of the packet, or 0.
fn find(packet: &[u8], a: u32, x: u32, order: Order) -> u32 {
    if packet.len() < 4 || a as usize > packet.len() - 4 {
        return 0;
    }
    walk(packet, a as usize, packet.len(), x, order)
}

/// `bpf_skb_get_nlattr_nest`: the same among those inside of the attribute at `a`.
fn find_nested(packet: &[u8], a: u32, x: u32, order: Order) -> u32 {
    if packet.len() < 4 || a as usize > packet.len() - 4 {
        return 0;
    }
    let a = a as usize;
    let len = usize::from(order.u16_at(packet, a));
    if len > packet.len() - a {
        return 0;
    }
    walk(packet, a + 4, a + len, x, order)
}

/// `nla_find`: an attribute whose length does not fit ends the walk.
fn walk(packet: &[u8], mut at: usize, end: usize, kind: u32, order: Order) -> u32 {
    while at + 4 <= end {
        let len = usize::from(order.u16_at(packet, at));
        if len < 4 || len > end - at {
            break;
        }
        // The upper two bits of a type are flags.
        if u32::from(order.u16_at(packet, at + 2) & 0x3fff) == kind {
            return at as u32;
        }
        at += (len + 3) & !3;
    }
    0
}
