//! Large files are checked part by part, by several threads: what is found must not depend on that.

#![expect(clippy::disallowed_methods, reason = "tests run the program and write its input")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Above this, a file is checked part by part.
const LARGE: usize = 1 << 20;

/// Returns documents of more than a megabyte: most are right, some have a wrong field, and some name what another one has or
/// nobody has.
fn documents() -> Vec<String> {
    let mut all = Vec::new();
    let mut size = 0;
    while size < LARGE + LARGE / 8 {
        let number = all.len();
        let mut one = match number % 10 {
            3 => format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: pod-{number}, namespace: shop}}\nspec:\n  \
                 containers:\n  - name: main\n    envFrom:\n    - configMapRef: {{name: settings-{}}}\n",
                // Of every second one, there is none.
                if number % 20 == 3 { number - 1 } else { number - 10 }
            ),
            _ => format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings-{number}, namespace: shop}}\ndata:\n"
            ),
        };
        if number % 10 != 3 {
            for line in 0..8 {
                let _ = writeln!(one, "  key-{line}: {}", "text ".repeat(12).trim_end());
            }
        }
        if number % 211 == 0 {
            one.push_str("immutabel: true\n");
        }
        size += one.len();
        all.push(one);
    }
    all
}

fn validate(directory: &Path, target: &str, jobs: &str, input: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.current_dir(directory).args(["--jobs", jobs, "validate", "--format", "short"]);
    command.args(["--kubernetes-version", "1.34", target]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("kiln can be started");
    // Whoever does not read stdin may have closed it.
    let _ = child.stdin.take().expect("stdin is a pipe").write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("kiln ends");
    let text = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    format!("{text}exit code {}\n", status.code().unwrap_or(-1)).replace("<stdin>", "all.yaml")
}

/// Checks a text as a large file, with one thread and with several, and as a stream, which is read as a whole.
fn checked(text: &str) -> String {
    let directory = tempfile::tempdir().expect("there is room for temporary files");
    std::fs::write(directory.path().join("all.yaml"), text).expect("it can be written");
    assert!(text.len() > LARGE);
    let whole = validate(directory.path(), "-", "1", text);
    for jobs in ["1", "4"] {
        assert_eq!(validate(directory.path(), "all.yaml", jobs, ""), whole, "{jobs} threads");
    }
    whole
}

#[test]
fn a_large_file_is_checked_part_by_part() {
    let documents = documents();
    let count = documents.len();
    let found = checked(&documents.join("---\n"));
    let wrong = count.div_ceil(211);
    assert_eq!(found.matches("`immutabel` is no field").count(), wrong);
    assert_eq!(found.matches("reference::missing-config-map").count(), (count + 6) / 20);
    let summary = format!("{count} objects: {} valid, {wrong} invalid\n", count - wrong);
    assert!(found.contains(&summary), "{found}");
}

#[test]
fn a_fault_in_a_large_file_counts_for_all_of_it() {
    let mut documents = documents();
    let last = documents.len() - 1;
    documents[last].push_str("data: [\n");
    let found = checked(&documents.join("---\n"));
    assert!(found.contains("all.yaml:") && found.contains("yaml::syntax"), "{found}");
    assert!(!found.contains("immutabel"), "{found}");
}

#[test]
fn a_large_file_may_hold_other_documents() {
    let mut documents = documents();
    let middle = documents.len() / 2;
    documents[middle] = "just: data\n".to_owned();
    let found = checked(&documents.join("--- # next\n"));
    assert!(found.contains("expected an object of Kubernetes"), "{found}");
}

#[test]
fn separators_with_text_do_not_cut_a_large_file() {
    let mut documents = documents();
    let middle = documents.len() / 2;
    documents[middle] = format!("--- text\n{}", documents[middle]);
    checked(&documents.join("---\n"));
    // Nothing separates anything.
    let text = format!("a: {}\n", "text ".repeat(LARGE / 4));
    checked(&text);
}
