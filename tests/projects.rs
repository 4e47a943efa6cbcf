//! Whole projects and what kiln says about them: one file of `tests/projects/` for each, as text.
//!
//! ```text
//! what the case shows, on one line or several
//! $ kiln build dev --error-format short
//! exit: 1
//! -- kiln.yaml --
//! apiVersion: kiln/v1
//! -- stderr --
//! kiln.yaml:1:1 error[...] ...
//! ```
//!
//! Lines `$ kiln ...` are run in turn in a directory with the files; `exit`, `stdout` and `stderr` are those of the last one,
//! and what is not written is expected to be empty. `-- after PATH --` is what a file holds in the end, `-- gone PATH --`
//! that there is none. `{dir}` stands for the directory. `KILN_BLESS=1` rewrites `stdout` and `stderr`.

#![expect(clippy::disallowed_methods, reason = "tests read files and run the program")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Debug, Default)]
struct Case {
    about: String,
    commands: Vec<String>,
    exit: i32,
    /// Sections in order: name and content.
    sections: Vec<(String, String)>,
}

fn read(text: &str) -> Case {
    let mut case = Case::default();
    let mut section: Option<(String, String)> = None;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches('\n');
        if let Some(name) = bare.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
            case.sections.extend(section.take());
            section = Some((name.to_owned(), String::new()));
        } else if let Some((_, content)) = &mut section {
            content.push_str(line);
        } else if let Some(command) = bare.strip_prefix("$ kiln ") {
            case.commands.push(command.to_owned());
        } else if let Some(exit) = bare.strip_prefix("exit: ") {
            case.exit = exit.parse().expect("an exit code is a number");
        } else {
            case.about.push_str(line);
        }
    }
    case.sections.extend(section);
    case
}

fn written(case: &Case) -> String {
    let mut out = case.about.clone();
    for command in &case.commands {
        let _ = writeln!(out, "$ kiln {command}");
    }
    let _ = writeln!(out, "exit: {}", case.exit);
    for (name, content) in &case.sections {
        let _ = write!(out, "-- {name} --\n{content}");
    }
    out
}

fn words(command: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    for character in command.chars() {
        match character {
            '\'' => quoted = !quoted,
            ' ' if !quoted => out.push(String::new()),
            _ => out.last_mut().expect("there is a word").push(character),
        }
    }
    out
}

fn run(path: &Path) {
    let name = path.file_stem().expect("a case has a name").to_string_lossy().into_owned();
    let mut case = read(&fs::read_to_string(path).expect("a case can be read"));
    assert!(!case.commands.is_empty(), "{name} runs nothing");
    let directory = tempfile::TempDir::new().expect("a directory");
    let root = directory.path().canonicalize().expect("the directory is there");
    let mut expected: BTreeMap<&str, String> = BTreeMap::new();
    for (section, content) in &case.sections {
        let is_result = matches!(section.as_str(), "stdout" | "stderr");
        if is_result {
            expected.insert(section, content.clone());
        } else if !section.starts_with("after ") && !section.starts_with("gone ") {
            let file = root.join(section);
            fs::create_dir_all(file.parent().expect("a file is in a directory"))
                .expect("a folder is made");
            fs::write(file, content).expect("a file is written");
        }
    }
    let mut last = None;
    for command in &case.commands {
        let mut kiln = Command::new(env!("CARGO_BIN_EXE_kiln"));
        last =
            Some(kiln.args(words(command)).current_dir(&root).output().expect("kiln is started"));
    }
    let last = last.expect("a command was run");
    let shown =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&root.display().to_string(), "{dir}");
    let found = [("stdout", shown(&last.stdout)), ("stderr", shown(&last.stderr))];
    if std::env::var_os("KILN_BLESS").is_some() {
        case.exit = last.status.code().unwrap_or(-1);
        case.sections.retain(|(section, _)| section != "stdout" && section != "stderr");
        for (section, content) in found {
            if !content.is_empty() {
                case.sections.push((section.to_owned(), content));
            }
        }
        fs::write(path, written(&case)).expect("a case is written");
    } else {
        for (section, content) in found {
            let wanted = expected.remove(section).unwrap_or_default();
            assert_eq!(content, wanted, "{section} of {name}");
        }
        assert_eq!(last.status.code(), Some(case.exit), "{name}");
    }
    for (section, content) in &case.sections {
        if let Some(file) = section.strip_prefix("after ") {
            let found = fs::read_to_string(root.join(file)).unwrap_or_default();
            assert_eq!(&found, content, "{file} of {name}");
        }
        if let Some(file) = section.strip_prefix("gone ") {
            assert!(!root.join(file).exists(), "{file} of {name} is still there");
        }
    }
}

#[test]
fn every_project_is_answered_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .expect("there are cases")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 30, "there are {} cases", cases.len());
    for case in cases {
        run(&case);
    }
}
