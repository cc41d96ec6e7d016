//! Jumps of any length out of those that classic BPF has.

use super::bpf::{Label, Test};

/// The program from its end to its start.
///
/// In this direction every target is known when a jump to it is laid down. A
/// conditional jump reaches 255 instructions far only; where its target is
/// farther, an unconditional jump is put right behind it, and as it is then the
/// nearest way to that target, the conditional jumps before share it.
pub(super) struct Output {
    reversed: Vec<libc::sock_filter>,
    /// For each label how many instructions `reversed` had when the nearest
    /// one that leads there had been laid down.
    nearest: Vec<usize>,
}

impl Output {
    pub(super) fn new(labels: usize) -> Self {
        Self {
            reversed: Vec::new(),
            nearest: vec![0; labels],
        }
    }

    pub(super) fn push(&mut self, code: u32, jt: u8, jf: u8, k: u32) {
        // All codes of classic BPF fit in 16 bits.
        let code = code as u16;
        self.reversed.push(libc::sock_filter { code, jt, jf, k });
    }

    pub(super) fn bind(&mut self, Label(label): Label) {
        self.nearest[label] = self.reversed.len();
    }

    /// How many instructions a jump laid down next has to skip.
    fn distance(&self, Label(label): Label) -> usize {
        self.reversed.len() - self.nearest[label]
    }

    pub(super) fn goto(&mut self, label: Label) {
        let distance = self.distance(label);
        if distance > 0 {
            self.jump_always(label, distance);
        }
    }

    /// How many instructions there are so far.
    pub(super) fn len(&self) -> usize {
        self.reversed.len()
    }

    /// The instructions in their order.
    pub(super) fn finish(mut self) -> Vec<libc::sock_filter> {
        self.reversed.reverse();
        self.reversed
    }

    fn jump_always(&mut self, label: Label, distance: usize) {
        let k = u32::try_from(distance).unwrap_or(u32::MAX);
        self.push(libc::BPF_JMP | libc::BPF_JA, 0, 0, k);
        self.bind(label);
    }

    pub(super) fn branch(&mut self, test: Test, k: u32, to: [Label; 2]) {
        loop {
            let [yes, no] = to.map(|label| self.distance(label));
            if let (Ok(jt), Ok(jf)) = (u8::try_from(yes), u8::try_from(no)) {
                let code = libc::BPF_JMP | test.code() | libc::BPF_K;
                return self.push(code, jt, jf, k);
            }
            let (far, distance) = if yes > no { (to[0], yes) } else { (to[1], no) };
            self.jump_always(far, distance);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bpf::Assembler;
    use super::*;
    use crate::error::Error;

    fn assemble(fill: impl FnOnce(&mut Assembler)) -> Vec<(u16, u8, u8, u32)> {
        let mut asm = Assembler::default();
        fill(&mut asm);
        let program = asm.assemble().unwrap();
        let tuple = |i: &libc::sock_filter| (i.code, i.jt, i.jf, i.k);
        program.instructions().iter().map(tuple).collect()
    }

    const JEQ: u16 = 0x15;
    const JA: u16 = 0x05;
    const RET: u16 = 0x06;

    #[test]
    fn short_jumps_are_direct() {
        let program = assemble(|asm| {
            let (yes, no) = (asm.label(), asm.label());
            asm.branch(Test::Equal, 7, yes, no);
            asm.bind(yes);
            asm.ret(1);
            asm.bind(no);
            asm.ret(0);
        });
        assert_eq!(program, [(JEQ, 0, 1, 7), (RET, 0, 0, 1), (RET, 0, 0, 0)]);
    }

    #[test]
    fn long_jumps_share_a_way_station() {
        for count in [255, 256, 257, 600] {
            let program = assemble(|asm| {
                let far = asm.label();
                for k in 0..count {
                    asm.branch_if(Test::Equal, k, far);
                }
                asm.ret(0);
                asm.bind(far);
                asm.ret(1);
            });
            let stations = program.iter().filter(|i| i.0 == JA).count();
            // The last 255 comparisons reach the end by themselves.
            assert_eq!(stations as u32, (count - 1) / 255, "{count}");
            // Each of them does get there, and none falls into a station.
            for k in 0..count {
                let mut at = 0;
                while program[at].0 != RET {
                    let (code, jt, jf, constant) = program[at];
                    at += 1 + match code {
                        JA => constant as usize,
                        _ if constant == k => usize::from(jt),
                        _ => usize::from(jf),
                    };
                }
                assert_eq!(program[at].3, 1, "{k} of {count}");
            }
        }
    }

    #[test]
    fn two_far_targets() {
        let program = assemble(|asm| {
            let (yes, no) = (asm.label(), asm.label());
            asm.branch(Test::Equal, 7, yes, no);
            for _ in 0..254 {
                asm.load_constant(0);
            }
            asm.bind(yes);
            asm.ret(1);
            asm.bind(no);
            asm.ret(0);
        });
        assert_eq!(program[0], (JEQ, 254, 255, 7));
        // The station for `no` pushes `yes` out of reach too.
        let program = assemble(|asm| {
            let (yes, no) = (asm.label(), asm.label());
            asm.branch(Test::Equal, 7, yes, no);
            for _ in 0..255 {
                asm.load_constant(0);
            }
            asm.bind(yes);
            asm.ret(1);
            asm.bind(no);
            asm.ret(0);
        });
        assert_eq!(
            program[..3],
            [(JEQ, 0, 1, 7), (JA, 0, 0, 256), (JA, 0, 0, 256)]
        );
    }

    #[test]
    fn a_jump_to_the_next_instruction_is_left_out() {
        let program = assemble(|asm| {
            let next = asm.label();
            asm.goto(next);
            asm.bind(next);
            asm.ret(0);
        });
        assert_eq!(program, [(RET, 0, 0, 0)]);
    }

    #[test]
    fn the_longest_program() {
        let of = |len: usize| {
            let mut asm = Assembler::default();
            (1..len).for_each(|_| asm.load_constant(0));
            asm.ret(0);
            asm.assemble().map(|program| program.instructions().len())
        };
        assert_eq!(of(4096).unwrap(), 4096);
        assert!(matches!(of(4097), Err(Error::Invalid(_))));
    }
}
