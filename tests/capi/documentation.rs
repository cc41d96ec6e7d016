//! The comments of the header: every function tells what it takes, what it gives,
//! whose that is, and how it fails.

use std::fs;

use crate::common::c_library;
use crate::table;

/// Functions that cannot fail.
const NEVER_FAIL: [&str; 3] = ["nfct_maxsize", "nfexp_maxsize", "nfct_labels_get_path"];

/// Words that tell whose the result is, and for how long it is there.
const OWNERSHIP: [&str; 6] = [
    "to be freed with",
    "to be closed with",
    "not to be freed",
    "lives as long as",
    "valid until",
    "valid as long as",
];

/// What a header lacks about a function.
fn missing(header: &str, name: &str, result: &str) -> Vec<String> {
    let Some((comment, parameters)) = find(header, name) else {
        return vec!["a comment".to_owned()];
    };
    let mut missing: Vec<_> = parameters
        .iter()
        .map(|parameter| format!("@param {parameter} "))
        .filter(|line| !comment.contains(line))
        .collect();
    let mut require = |is_there: bool, what: &str| {
        if !is_there {
            missing.push(what.to_owned());
        }
    };
    // Before its parameters come what it does.
    let text = comment.split('@').next().unwrap_or_default();
    require(text.contains('.'), "what it does");
    require(result == "void" || comment.contains("@return "), "@return");
    if name.ends_with("_destroy") {
        require(comment.contains("NULL is ignored"), "NULL");
    } else {
        let told = NEVER_FAIL.contains(&name) || comment.contains("errno");
        require(told, "errno");
    }
    if result.contains('*') {
        let told = OWNERSHIP.iter().any(|words| comment.contains(words));
        require(told, "whose the result is");
    }
    missing
}

/// The comment in front of a function, in one line, and the names of its
/// parameters.
fn find(header: &str, name: &str) -> Option<(String, Vec<String>)> {
    let start = header.find(&format!("{name}("))?;
    // Others name the function in their comments; there an asterisk is in front.
    let before = header.get(..start)?;
    let line = before.rsplit('\n').next()?;
    if line.starts_with([' ', '/']) {
        let behind = start + name.len();
        return find(header.get(behind..)?, name);
    }
    let (comment, declaration) = before.rsplit_once("*/\n")?;
    // Right in front of it.
    if declaration.contains([';', '{']) || declaration.contains("\n\n") {
        return None;
    }
    let (_, comment) = comment.rsplit_once("/**")?;
    let lines = comment
        .lines()
        .map(|line| line.trim_start_matches([' ', '*']));
    let comment = lines.collect::<Vec<_>>().join(" ");
    let list = header.get(start + name.len() + 1..)?;
    let (list, _) = list.split_once(");")?;
    let parameters = table::parameters(list);
    let names = parameters.iter().map(|parameter| table::name_of(parameter));
    Some((comment, names.map(str::to_owned).collect()))
}

#[test]
fn every_function_is_documented() {
    let path = c_library::headers().join("libnetfilter_conntrack/libnetfilter_conntrack.h");
    let header = fs::read_to_string(path).expect("the header");
    let functions = table::rows::<3>("functions.tsv");
    let lacking: Vec<_> = functions
        .iter()
        .map(|[name, result, _]| (name, missing(&header, name, result)))
        .filter(|(_, missing)| !missing.is_empty())
        .collect();
    assert!(lacking.is_empty(), "{lacking:#?}");
}

#[test]
fn what_is_not_documented_is_noticed() {
    const HEADER: &str = "
/**
 * Makes a thing; see bare().
 *
 * @param size its size
 * @return the thing, to be freed with thing_destroy(); NULL with errno ENOMEM
 */
struct thing *thing_new(unsigned int size);

int bare(int (*cb)(int one, int two), void *data);

/**
 * Counts.
 *
 * @param cb asked for each
 */
int bad(int (*cb)(int one, int two),
        void *data);
";
    let about = |name, result| missing(HEADER, name, result);
    assert!(about("thing_new", "struct thing *").is_empty());
    assert_eq!(about("bare", "int"), ["a comment"]);
    assert_eq!(about("bad", "int"), ["@param data ", "@return", "errno"]);
    assert_eq!(about("none", "int"), ["a comment"]);
}
