//! The rooms of the compiler stand in one order: a room imports only rooms above it.

#![expect(clippy::disallowed_methods, reason = "the test reads the sources")]

use std::fs;
use std::path::{Path, PathBuf};

/// Every room of `src/`, along the data flow. `pipeline` and `cli` come last and may use everything.
const ROOMS: [&str; 25] = [
    "source",
    "git",
    "provenance",
    "diagnostic",
    "yaml",
    "resource",
    "schema",
    "session",
    "project",
    "values",
    "template",
    "workspace",
    "generate",
    "transform",
    "emit",
    "finish",
    "build_metadata",
    "pipeline",
    "tree",
    "diff",
    "validate",
    "blame",
    "edit",
    "graph",
    "cli",
];

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a source folder can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Returns the rooms that the paths `crate::room::...` of a line name.
fn imports(line: &str) -> Vec<&str> {
    line.split("crate::")
        .skip(1)
        .flat_map(|rest| rest.trim_start_matches('{').split(", "))
        .map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
        })
        .filter(|name| ROOMS.contains(name))
        .collect()
}

#[test]
fn a_room_imports_only_rooms_above_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(files.len() > ROOMS.len(), "the sources are found");
    let mut edges = Vec::new();
    let mut seen = 0;
    for file in files {
        let inside = file.strip_prefix(&src).expect("it was found there");
        let room =
            inside.components().next().expect("a file has a name").as_os_str().to_string_lossy();
        let room = room.trim_end_matches(".rs");
        if matches!(room, "lib" | "main" | "internals") {
            continue;
        }
        let own = ROOMS.iter().position(|r| *r == room);
        let own = own.unwrap_or_else(|| panic!("`{room}` has no place in the order of the rooms"));
        let text = fs::read_to_string(&file).expect("a source is text");
        for (number, line) in text.lines().enumerate() {
            for name in imports(line) {
                seen += 1;
                if ROOMS.iter().position(|r| *r == name).is_some_and(|other| other > own) {
                    edges.push(format!(
                        "{}:{}: {room} imports {name}",
                        inside.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(seen > 100, "the imports are found");
    assert!(edges.is_empty(), "{}", edges.join("\n"));
}

#[test]
fn only_the_command_line_knows_the_terminal() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    for file in files {
        let inside = file.strip_prefix(&src).expect("it was found there");
        let text = fs::read_to_string(&file).expect("a source is text");
        if !inside.starts_with("cli") {
            for library in ["clap::", "std::io::stdout", "io::stdout", "io::stderr"] {
                assert!(!text.contains(library), "{} uses {library}", inside.display());
            }
        }
    }
}
