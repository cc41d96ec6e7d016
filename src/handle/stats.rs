//! Statistics: per CPU and of the table as a whole.

use super::Handle;
use crate::error::{DecodeError, Result};
use crate::netlink::{Attrs, Flags, Header};
use crate::nfnetlink::{Nfgenmsg, Subsystem};
use crate::uapi::{ct_message, exp_message};

/// What one CPU has counted since boot. The kernel sends each counter with its
/// number; all are kept, also those without a name here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuStats {
    cpu: u16,
    counters: Vec<(u16, u32)>,
}

/// Numbers and names of the counters, `enum ctattr_stats_cpu` of Linux 6.18.
const NAMES: [(u16, &str); 14] = [
    (1, "searched"),
    (2, "found"),
    (3, "new"),
    (4, "invalid"),
    (5, "ignore"),
    (6, "delete"),
    (7, "delete_list"),
    (8, "insert"),
    (9, "insert_failed"),
    (10, "drop"),
    (11, "early_drop"),
    (12, "error"),
    (13, "search_restart"),
    (14, "clash_resolve"),
];

/// The number of `chain_toolong`, which came later (Linux 5.15).
const CHAIN_TOOLONG: u16 = 15;

impl CpuStats {
    /// The counters of a CPU by their numbers.
    #[cfg(test)]
    pub(crate) fn of(cpu: u16, counters: Vec<(u16, u32)>) -> Self {
        Self { cpu, counters }
    }

    /// The CPU's number.
    #[must_use]
    pub fn cpu(&self) -> u16 {
        self.cpu
    }

    /// A counter by its number (`CTA_STATS_*`); `None` where the kernel did not send it.
    #[must_use]
    pub fn get(&self, number: u16) -> Option<u32> {
        let found = self.counters.iter().find(|(own, _)| *own == number);
        found.map(|(_, value)| *value)
    }

    /// A counter by the name that `conntrack -S` prints, such as `"insert_failed"`.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<u32> {
        let (number, _) = names().find(|(_, own)| *own == name)?;
        self.get(number)
    }

    /// All counters: number, name where there is one, value; in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = (u16, Option<&'static str>, u32)> + '_ {
        self.counters.iter().map(|(number, value)| {
            let name = names().find(|(own, _)| own == number);
            (*number, name.map(|(_, name)| name), *value)
        })
    }
}

fn names() -> impl Iterator<Item = (u16, &'static str)> {
    NAMES.into_iter().chain([(CHAIN_TOOLONG, "chain_toolong")])
}

/// What one CPU has counted of expectations since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpectCpuStats {
    /// The CPU's number.
    pub cpu: u16,
    /// Flows that an expectation was found for.
    pub new: u32,
    /// Expectations made.
    pub create: u32,
    /// Expectations deleted.
    pub delete: u32,
}

/// The size of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableStats {
    /// Entries in the network namespace.
    pub entries: u32,
    /// Entries the namespace may have (`nf_conntrack_max`); `None` where an
    /// older kernel does not say.
    pub max_entries: Option<u32>,
}

impl Handle {
    /// What each CPU has counted in this network namespace.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn cpu_stats(&mut self) -> Result<Vec<CpuStats>> {
        let kind = Subsystem::CONNTRACK.message_type(ct_message::GET_STATS_CPU);
        let mut all = Vec::new();
        self.read_stats(kind, Flags::DUMP, |header, attrs| {
            let counters = numbers(attrs).collect::<Result<_>>()?;
            let cpu = header.res_id;
            all.push(CpuStats { cpu, counters });
            Ok(())
        })?;
        Ok(all)
    }

    /// What each CPU has counted of expectations.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn expect_cpu_stats(&mut self) -> Result<Vec<ExpectCpuStats>> {
        let kind = Subsystem::EXPECT.message_type(exp_message::GET_STATS_CPU);
        let mut all = Vec::new();
        self.read_stats(kind, Flags::DUMP, |header, attrs| {
            let mut stats = ExpectCpuStats {
                cpu: header.res_id,
                ..ExpectCpuStats::default()
            };
            for number in numbers(attrs) {
                match number? {
                    (1, value) => stats.new = value,
                    (2, value) => stats.create = value,
                    (3, value) => stats.delete = value,
                    _ => {}
                }
            }
            all.push(stats);
            Ok(())
        })?;
        Ok(all)
    }

    /// How many entries there are and may be.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn stats(&mut self) -> Result<TableStats> {
        let kind = Subsystem::CONNTRACK.message_type(ct_message::GET_STATS);
        let mut stats = TableStats::default();
        self.read_stats(kind, Flags::ACK, |_, attrs| {
            for number in numbers(attrs) {
                match number? {
                    (1, value) => stats.entries = value,
                    (2, value) => stats.max_entries = Some(value),
                    _ => {}
                }
            }
            Ok(())
        })?;
        Ok(stats)
    }

    fn read_stats(
        &mut self,
        kind: u16,
        flags: Flags,
        mut each: impl FnMut(Nfgenmsg, Attrs<'_>) -> Result<()>,
    ) -> Result<()> {
        let seq = self.ask(
            |seq, buffer| {
                let header = Header::request(kind, flags).with_seq(seq);
                Nfgenmsg::default().start(buffer, header).finish()
            },
            flags.contains(Flags::DUMP),
        )?;
        self.answers(seq, |message| {
            let (header, attributes) = Nfgenmsg::split(message)?;
            each(header, Attrs::new(attributes))
        })
    }
}

/// Number and value of each 32-bit counter; attributes of another size are skipped.
fn numbers(attrs: Attrs<'_>) -> impl Iterator<Item = Result<(u16, u32)>> {
    attrs.filter_map(|attr| match attr {
        Ok(attr) => Some(Ok((attr.kind(), attr.u32_be()?))),
        Err(error) => Some(Err(DecodeError::Attribute("statistics", error).into())),
    })
}
