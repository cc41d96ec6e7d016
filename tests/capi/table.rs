//! The tables of `tests/data/c-api`: what programs expect of the library.

use std::fs;
use std::path::Path;

/// The rows of a table, each as its columns.
pub(crate) fn rows<const COLUMNS: usize>(name: &str) -> Vec<[String; COLUMNS]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/c-api")
        .join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<_> = lines
        .map(|line| {
            let columns: Vec<_> = line.split('\t').map(str::to_owned).collect();
            columns
                .try_into()
                .unwrap_or_else(|_| panic!("{name}: {line}"))
        })
        .collect();
    assert!(!rows.is_empty());
    rows
}

/// The parameters in a list that stands between commas, as do those of callbacks
/// in it.
pub(crate) fn parameters(list: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut depth = 0;
    for char in list.chars() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match char {
            ',' if depth == 0 => found.push(String::new()),
            _ => found.last_mut().expect("one").push(char),
        }
    }
    let found = found.iter().map(|declared| declared.trim().to_owned());
    found.filter(|declared| declared != "void").collect()
}

/// The name of a parameter: `nlh` of `const struct nlmsghdr *nlh`, `cb` of
/// `int (*cb)(…)`. It may be a type where there is none.
pub(crate) fn name_of(parameter: &str) -> &str {
    if parameter.contains("(*cb)") {
        return "cb";
    }
    parameter.rsplit([' ', '*']).next().unwrap_or_default()
}
