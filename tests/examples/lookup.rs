//! The server that answers lookups.

use crate::common::example::{as_ordinary_user, example, successful};

#[test]
fn lookup_answers_its_own_questions() {
    for mut command in [example("lookup"), as_ordinary_user("lookup")] {
        let text = successful(command.arg("--demo").output().unwrap());
        let answers = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(answers("    Original direction of "), 2, "{text}");
        assert_eq!(answers("    Reply direction of "), 2, "{text}");
        assert_eq!(answers("    none"), 1, "{text}");
        assert_eq!(answers("    error: "), 1, "{text}");
        // It was ended by a signal, and had the time to say so.
        assert!(text.contains("MirrorStatistics { flows: 2"), "{text}");
    }
    let usage = example("lookup").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}
