//! What follows from what is known.

use super::Finding;
use super::evidence::Evidence;
use super::facts::{Facts, Setting, Table};
use super::handle::HandleFacts;
use super::rules::is_absent;
use super::tracking::FAMILIES;
use crate::error::Error;
use crate::handle::TableStats;
use crate::nfnetlink::{Groups, L3Proto};

/// The size of a receive buffer that nobody has set, as Linux has it.
const USUAL_BUFFER: usize = 212_992;

/// Findings about a network namespace.
pub(super) fn namespace(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &facts.table {
        Ok(known) => table(known, &mut findings),
        // Neither conntrack nor what it is asked through.
        Err(error) if is_absent(error) || error.errno() == libc::EPROTONOSUPPORT => {
            return vec![Finding::ConntrackNotLoaded];
        }
        Err(error) => findings.push(no_table(error)),
    }
    let mut setting = |what: &str, value: &Setting, judge: fn(u64) -> Option<Finding>| {
        findings.extend(match value {
            Ok(value) => judge(*value),
            Err(why) => Some(Finding::Unknown {
                what: format!("net.netfilter.{what}"),
                why: why.clone(),
            }),
        });
    };
    setting("nf_conntrack_events", &facts.events, |value| match value {
        0 => Some(Finding::EventsOff),
        2 => Some(Finding::EventsAuto),
        _ => None,
    });
    setting("nf_conntrack_acct", &facts.accounting, |value| {
        (value == 0).then_some(Finding::AccountingOff)
    });
    setting("nf_conntrack_timestamp", &facts.timestamps, |value| {
        (value == 0).then_some(Finding::TimestampsOff)
    });
    findings
}

fn no_table(error: &Error) -> Finding {
    match error.errno() {
        libc::EPERM => Finding::MissingCapability,
        _ => Finding::Unknown {
            what: "whether the kernel answers requests".to_owned(),
            why: error.to_string(),
        },
    }
}

fn table(table: &Table, findings: &mut Vec<Finding>) {
    for (family, evidence) in FAMILIES.into_iter().zip(&table.tracking) {
        findings.extend(match evidence {
            Evidence::Found => None,
            Evidence::Absent => Some(Finding::NoTrackingRule { family }),
            Evidence::Unclear(why) => Some(Finding::Unknown {
                what: match family {
                    L3Proto::IPV6 => "whether IPv6 packets are tracked",
                    _ => "whether IPv4 packets are tracked",
                }
                .to_owned(),
                why: why.clone(),
            }),
        });
    }
    findings.extend(fullness(table.size));
    findings.extend(match &table.drops {
        // What was not inserted alone was mostly there already.
        Ok(drops) if drops.dropped == 0 && drops.evicted == 0 => None,
        Ok(drops) => Some(Finding::FlowsDropped {
            dropped: drops.dropped,
            evicted: drops.evicted,
            not_inserted: drops.not_inserted,
        }),
        Err(error) => Some(Finding::Unknown {
            what: "what connection tracking has dropped".to_owned(),
            why: error.to_string(),
        }),
    });
}

fn fullness(size: TableStats) -> Option<Finding> {
    let entries = size.entries;
    // 0 is no limit.
    let max = size.max_entries.filter(|max| *max > 0)?;
    if entries >= max {
        return Some(Finding::TableFull { entries, max });
    }
    let nearly = u64::from(entries) * 10 >= u64::from(max) * 9;
    nearly.then_some(Finding::TableNearlyFull { entries, max })
}

/// Findings about a handle.
pub(super) fn handle(facts: &HandleFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut unknown = |what: &str, error: &Error| {
        findings.push(Finding::Unknown {
            what: what.to_owned(),
            why: error.to_string(),
        });
    };
    if let Err(error) = &facts.groups {
        unknown("which groups the handle has joined", error);
    }
    if let Err(error) = &facts.buffer {
        unknown("the size of the handle's receive buffer", error);
    }
    if let Err(error) = &facts.filter {
        unknown("whether the handle has a filter", error);
    }
    if let Ok(groups) = facts.groups {
        findings.extend(missing(groups));
    }
    let listens = facts.groups.as_ref().is_ok_and(|groups| !groups.is_empty());
    if let Ok(buffer) = facts.buffer {
        if buffer.is_capped() {
            findings.push(Finding::BufferCapped {
                granted: buffer.granted,
                wanted: buffer.wanted,
                rmem_max: facts.rmem_max,
            });
        } else if listens && !facts.grows && buffer.granted <= USUAL_BUFFER {
            findings.push(Finding::SmallBuffer {
                granted: buffer.granted,
            });
        }
    }
    if facts.overruns > 0 {
        findings.push(Finding::EventsLost {
            overruns: facts.overruns,
        });
    }
    if let Ok(instructions @ 1..) = facts.filter {
        findings.push(Finding::FilterAttached { instructions });
    }
    findings
}

/// What is missing of the kind that is listened to.
fn missing(groups: Groups) -> Option<Finding> {
    if groups.is_empty() {
        return Some(Finding::NoListenerGroups);
    }
    let mut missing = Groups::empty();
    // The kernel never sends to EXPECT_UPDATE.
    let expect = Groups::EXPECT_NEW | Groups::EXPECT_DESTROY;
    if !groups.intersects(Groups::EXPECT) || groups.intersects(Groups::CONNTRACK) {
        missing |= Groups::CONNTRACK.difference(groups);
    }
    if groups.intersects(Groups::EXPECT) {
        missing |= expect.difference(groups);
    }
    (!missing.is_empty()).then_some(Finding::GroupsNotJoined { missing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::counters::Drops;
    use crate::diagnose::{Diagnosis, Severity};
    use crate::error::KernelError;
    use crate::handle::ReceiveBuffer;
    use crate::netlink::ExtendedAck;

    /// A namespace where all is well.
    fn well() -> (Facts, Table) {
        let table = Table {
            size: TableStats {
                entries: 89,
                max_entries: Some(100),
            },
            drops: Ok(Drops::default()),
            tracking: [Evidence::Found, Evidence::Found],
        };
        let facts = Facts {
            table: Ok(table.clone()),
            events: Ok(1),
            accounting: Ok(1),
            timestamps: Ok(1),
        };
        (facts, table)
    }

    /// What is found where the table is so and all else is well.
    fn of_table(change: impl FnOnce(&mut Table)) -> Vec<Finding> {
        let (mut facts, mut table) = well();
        change(&mut table);
        facts.table = Ok(table);
        namespace(&facts)
    }

    fn refused(errno: i32) -> Error {
        Error::Kernel(KernelError::new(1, errno, ExtendedAck::default()))
    }

    #[test]
    fn nothing_is_found_where_all_is_well() {
        assert_eq!(namespace(&well().0), []);
    }

    #[test]
    fn how_full_the_table_is() {
        let found = |entries, max_entries| {
            let size = TableStats {
                entries,
                max_entries,
            };
            of_table(|table| table.size = size)
        };
        let max = 100;
        for entries in [90, 99] {
            let nearly = Finding::TableNearlyFull { entries, max };
            assert_eq!(found(entries, Some(max)), [nearly]);
        }
        for entries in [100, 101] {
            let full = Finding::TableFull { entries, max };
            assert_eq!(full.severity(), Severity::Blocking);
            let command = "sysctl -w net.netfilter.nf_conntrack_max=200";
            assert_eq!(full.command().as_deref(), Some(command));
            assert_eq!(found(entries, Some(max)), [full]);
        }
        // No limit, and a kernel that does not tell it.
        assert_eq!(found(1000, Some(0)), []);
        assert_eq!(found(1000, None), []);
        assert_eq!(found(u32::MAX - 1, Some(u32::MAX)).len(), 1);
    }

    #[test]
    fn what_was_dropped() {
        let drops = Drops {
            dropped: 1,
            evicted: 2,
            not_inserted: 3,
        };
        let expected = Finding::FlowsDropped {
            dropped: 1,
            evicted: 2,
            not_inserted: 3,
        };
        assert_eq!(of_table(|table| table.drops = Ok(drops)), [expected]);
        let clashes = Drops {
            not_inserted: 3,
            ..Drops::default()
        };
        assert_eq!(of_table(|table| table.drops = Ok(clashes)), []);
        let unread = of_table(|table| table.drops = Err(Error::ReplyLost));
        assert!(
            matches!(unread[..], [Finding::Unknown { .. }]),
            "{unread:?}"
        );
    }

    #[test]
    fn families_are_judged_apart() {
        let tracking = [Evidence::Absent, Evidence::Unclear("because".to_owned())];
        let found = of_table(|table| table.tracking = tracking);
        let [
            Finding::NoTrackingRule { family },
            Finding::Unknown { what, why },
        ] = &found[..]
        else {
            panic!("{found:?}");
        };
        assert_eq!((*family, why.as_str()), (L3Proto::IPV4, "because"));
        assert!(what.contains("IPv6"), "{what}");
    }

    #[test]
    fn what_the_kernel_refuses() {
        let found = |error| {
            let (mut facts, _) = well();
            facts.table = Err(error);
            facts.accounting = Ok(0);
            namespace(&facts)
        };
        let other = Finding::AccountingOff;
        assert_eq!(
            found(refused(libc::EPERM)),
            [Finding::MissingCapability, other.clone()]
        );
        // Without the subsystem there are no sysctls either.
        assert_eq!(found(refused(libc::EINVAL)), [Finding::ConntrackNotLoaded]);
        let found = found(Error::io("socket", libc::EMFILE));
        assert!(matches!(&found[..], [Finding::Unknown { .. }, found] if *found == other));
    }

    #[test]
    fn sysctls_that_cannot_be_read_are_findings() {
        let (mut facts, _) = well();
        facts.events = Err("/proc/sys/…: No such file".to_owned());
        let found = Diagnosis::new(namespace(&facts));
        let text = found.to_string();
        assert_eq!(
            text,
            "unknown: could not find out net.netfilter.nf_conntrack_events: /proc/sys/…: No such file\n"
        );
    }

    #[test]
    fn the_worst_comes_first() {
        let (mut facts, _) = well();
        facts.accounting = Ok(0);
        facts.events = Ok(0);
        let diagnosis = Diagnosis::new(namespace(&facts));
        let expected = [Finding::EventsOff, Finding::AccountingOff];
        assert_eq!(diagnosis.findings(), expected);
        assert_eq!(diagnosis.worst(), Some(Severity::Blocking));
    }

    #[test]
    fn what_cannot_be_asked_of_a_handle_is_a_finding() {
        let unread = || Error::io("getsockopt", libc::ENOPROTOOPT);
        let facts = HandleFacts {
            groups: Err(unread()),
            buffer: Err(unread()),
            grows: false,
            rmem_max: None,
            overruns: 0,
            filter: Err(unread()),
        };
        let found = handle(&facts);
        assert_eq!(found.len(), 3, "{found:?}");
        for finding in found {
            assert_eq!(finding.severity(), Severity::Unknown);
        }
    }

    #[test]
    fn a_buffer_is_small_only_for_a_listener() {
        let facts = |groups| HandleFacts {
            groups: Ok(groups),
            buffer: Ok(ReceiveBuffer {
                granted: USUAL_BUFFER,
                wanted: USUAL_BUFFER,
            }),
            grows: false,
            rmem_max: None,
            overruns: 0,
            filter: Ok(0),
        };
        let granted = USUAL_BUFFER;
        let small = Finding::SmallBuffer { granted };
        assert_eq!(handle(&facts(Groups::CONNTRACK)), [small]);
        let asking = handle(&facts(Groups::empty()));
        assert_eq!(asking, [Finding::NoListenerGroups]);
    }
}
