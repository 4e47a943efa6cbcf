//! The examples as `kiln validate` sees them: as they are, nothing is found; in the broken copies, everything is.
//!
//! A broken copy is an example with some of its files replaced by those of `fixtures/broken-examples/NAME/`; what is found there is in
//! `findings.txt`, which `KILN_BLESS=1` rewrites.

#![expect(clippy::disallowed_methods, reason = "tests read files and run the program")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The examples, and the last line about each: how much was checked, and how many findings its comments allow.
const EXAMPLES: [(&str, &str); 5] = [
    ("discbaboons", "64 objects: 64 valid, 0 invalid"),
    ("super-todo", "39 objects: 39 valid, 0 invalid; 15 CEL rules were not evaluated"),
    ("transparenta", "40 objects: 40 valid, 0 invalid; 33 CEL rules were not evaluated"),
    ("wander", "61 objects: 61 valid, 0 invalid"),
    ("xuangong", "36 objects: 36 valid, 0 invalid"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn kiln(directory: &Path, arguments: &[&str]) -> Output {
    let mut kiln = Command::new(env!("CARGO_BIN_EXE_kiln"));
    kiln.args(arguments).current_dir(directory).output().expect("kiln is started")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder is made");
    for entry in fs::read_dir(from).expect("a folder is read").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file is copied");
        }
    }
}

#[test]
fn nothing_is_found_in_the_examples() {
    for (example, summary) in EXAMPLES {
        let output = kiln(&root().join("examples").join(example), &["--strict", "validate"]);
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!((out.trim_end(), err.trim_end()), (summary, ""), "{example}");
        assert!(output.status.success(), "{example}");
    }
}

#[test]
fn the_faults_of_the_broken_copies_are_found() {
    for (example, _) in EXAMPLES {
        let directory = tempfile::TempDir::new().expect("a directory");
        let changes = root().join("fixtures/broken-examples").join(example);
        copy(&root().join("examples").join(example), directory.path());
        copy(&changes, directory.path());
        let output = kiln(directory.path(), &["validate", "--format", "short"]);
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!((output.status.code(), output.stderr.is_empty()), (Some(1), true), "{example}");
        let findings = changes.join("findings.txt");
        if std::env::var_os("KILN_BLESS").is_some() {
            fs::write(&findings, &found).expect("the findings are written");
        }
        let wanted = fs::read_to_string(&findings).expect("there are findings");
        assert_eq!(found, wanted, "{example}");
    }
}
