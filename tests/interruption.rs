//! Renders that are interrupted, find no room, or meet each other: nothing is lost, and the next run gives the whole tree.

#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "tests write files and run the program")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

const OBJECTS: usize = 50;

type Tree = BTreeMap<PathBuf, Vec<u8>>;

fn kiln(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.arg("render").current_dir(root);
    command
}

/// A project with many objects, whose text holds `mark`.
fn project(root: &Path, mark: &str) {
    let mut text = String::new();
    for n in 0..OBJECTS {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}, namespace: shop}}\ndata: {{mark: {mark}, long: {}}}\n",
            "x".repeat(2000)
        );
    }
    let write =
        |name: &str, text: &str| fs::write(root.join(name), text).expect("a file is written");
    write("all.yaml", &text);
    write("kustomization.yaml", "resources: [all.yaml]\n");
    write("kiln.yaml", "apiVersion: kiln/v1\nkind: Project\nenvironments:\n  prod: {path: .}\n");
}

fn tree(directory: &Path) -> Tree {
    let mut found = Tree::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else {
            let bytes = fs::read(&path).expect("a file can be read");
            found.insert(path, bytes);
        }
    }
    found
}

/// A project that is rendered, then changed: the tree before, and the tree that a render gives.
fn changed(root: &Path) -> (Tree, Tree) {
    project(root, "new");
    assert!(kiln(root).status().expect("kiln runs").success());
    let new = tree(&root.join("rendered"));
    project(root, "old");
    assert!(kiln(root).status().expect("kiln runs").success());
    let old = tree(&root.join("rendered"));
    assert_eq!((old.len(), new.len()), (OBJECTS, OBJECTS));
    project(root, "new");
    (old, new)
}

#[test]
fn a_killed_render_leaves_old_and_new_files_only() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let root = directory.path();
    let (old, new) = changed(root);
    for round in 0..40_u64 {
        for (path, bytes) in &old {
            fs::write(path, bytes).expect("a file is written");
        }
        let mut run = kiln(root).stderr(Stdio::null()).spawn().expect("kiln is started");
        thread::sleep(Duration::from_micros(round * 700));
        let _ = run.kill();
        run.wait().expect("it has ended");
        let now = tree(&root.join("rendered"));
        for (path, before) in &old {
            let found = now.get(path).unwrap_or_else(|| panic!("{} is lost", path.display()));
            assert!(found == before || *found == new[path], "{}", path.display());
        }
        assert!(kiln(root).status().expect("kiln runs").success());
        assert!(tree(&root.join("rendered")) == new, "the next run gives the whole tree");
    }
}

#[test]
fn a_disk_without_room_changes_nothing() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let root = directory.path();
    let (old, _) = changed(root);
    // A file may not become larger than 1 KiB, and who tries is told so.
    let script = format!("trap '' XFSZ; ulimit -f 1; exec {} render", env!("CARGO_BIN_EXE_kiln"));
    let run =
        Command::new("bash").args(["-c", &script]).current_dir(root).output().expect("bash runs");
    let report = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{report}");
    assert!(
        report.contains("error[cli::output]") && report.contains("cannot be written"),
        "{report}"
    );
    assert!(tree(&root.join("rendered")) == old, "nothing has changed");
}

#[test]
fn two_renders_do_not_meet() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let root = directory.path();
    let (old, new) = changed(root);
    let lock = fs::File::open(root.join("kiln.yaml")).expect("there is a project");
    lock.lock().expect("the project is locked");
    let run = kiln(root).output().expect("kiln runs");
    let report = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{report}");
    assert!(report.contains("error[render::locked]"), "{report}");
    assert!(tree(&root.join("rendered")) == old, "nothing has changed");
    drop(lock);
    assert!(kiln(root).status().expect("kiln runs").success());
    assert!(tree(&root.join("rendered")) == new);
}

#[test]
fn a_folder_that_cannot_be_made_is_reported() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let root = directory.path();
    project(root, "new");
    std::os::unix::fs::symlink("/nowhere/at/all", root.join("rendered")).expect("a link");
    let run = kiln(root).output().expect("kiln runs");
    let report = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{report}");
    assert!(report.contains("error[cli::output]"), "{report}");
}
