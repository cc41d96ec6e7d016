//! Whether the kernel tracks packets: it does so in a network namespace, and for
//! an address family, only while something asks for it.

use super::evidence::Evidence;
use super::rules::{self, Rules};
use super::{hooks, legacy};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::nfnetlink::L3Proto;

/// The families that are tracked apart.
pub(super) const FAMILIES: [L3Proto; 2] = [L3Proto::IPV4, L3Proto::IPV6];

/// Whether packets of each of [`FAMILIES`] are tracked.
pub(super) fn tracking(handle: &mut Handle) -> [Evidence; 2] {
    let hooks = FAMILIES.map(|family| (family, hooks::read(handle, family)));
    // Reading the rules may make the kernel load a module; not for nothing.
    if hooks.iter().all(|(_, hook)| matches!(hook, Ok(Some(true)))) {
        return FAMILIES.map(|_| Evidence::Found);
    }
    let rules = rules::read(handle);
    hooks.map(|(family, hook)| decide(hook, by_rules(&rules, family)))
}

/// What rules say of a family.
fn by_rules(rules: &Result<Rules>, family: L3Proto) -> Evidence {
    let nftables = match rules {
        Ok(rules) => rules.of(family),
        Err(error) => Evidence::Unclear(format!("reading the rules of nftables: {error}")),
    };
    match nftables {
        Evidence::Found => Evidence::Found,
        other => other.or(legacy::tables(family)),
    }
}

/// The hook is what counts; rules stand in for it where it cannot be seen. A rule
/// that turns tracking on is believed in any case, lest a kernel that names its
/// hooks in another way is misunderstood.
fn decide(hook: Result<Option<bool>, Error>, rules: Evidence) -> Evidence {
    match (hook, rules) {
        (Ok(Some(true)), _) | (_, Evidence::Found) => Evidence::Found,
        (Ok(Some(false)), _) => Evidence::Absent,
        (Ok(None) | Err(_), rules) => rules,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hook_decides_where_it_is_seen() {
        let unclear = || Evidence::Unclear("why".to_owned());
        for (hook, rules, expected) in [
            (Ok(Some(true)), Evidence::Absent, Evidence::Found),
            (Ok(Some(true)), unclear(), Evidence::Found),
            (Ok(Some(false)), unclear(), Evidence::Absent),
            (Ok(Some(false)), Evidence::Absent, Evidence::Absent),
            (Ok(Some(false)), Evidence::Found, Evidence::Found),
            (Ok(None), Evidence::Found, Evidence::Found),
            (Ok(None), Evidence::Absent, Evidence::Absent),
            (Ok(None), unclear(), unclear()),
            (Err(Error::ReplyLost), unclear(), unclear()),
            (Err(Error::ReplyLost), Evidence::Absent, Evidence::Absent),
        ] {
            let what = format!("{hook:?} {rules:?}");
            assert_eq!(decide(hook, rules), expected, "{what}");
        }
    }

    #[test]
    fn unread_rules_are_no_missing_rules() {
        let rules = by_rules(&Err(Error::DumpInterrupted), L3Proto::IPV4);
        assert!(matches!(rules, Evidence::Unclear(_)), "{rules:?}");
    }
}
