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
