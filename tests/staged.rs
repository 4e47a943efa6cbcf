//! `kiln render --require-staged` in git repositories that the program `git` makes.

#![expect(clippy::disallowed_methods, reason = "tests run programs and write their input")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

struct Work {
    directory: TempDir,
}

impl Work {
    /// A project with two environments, rendered and committed. None if there is no git.
    fn new() -> Option<Self> {
        if Command::new("git").arg("--version").output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "this test needs git");
            return None;
        }
        let work = Self { directory: TempDir::new().expect("there is room for files") };
        work.git(&["init", "--quiet", "--initial-branch=main"]);
        work.git(&["config", "user.name", "Test"]);
        work.git(&["config", "user.email", "test@example.com"]);
        work.git(&["config", "commit.gpgsign", "false"]);
        work.write(
            "kiln.yaml",
            "apiVersion: kiln/v1\nkind: Project\nkubernetes: {version: \"1.34\"}\n\
             environments: {dev: {path: dev}, prod: {path: prod}}\n",
        );
        for environment in ["dev", "prod"] {
            work.write(&format!("{environment}/kustomization.yaml"), "resources: [../base]\n");
        }
        work.write("base/kustomization.yaml", "resources: [a.yaml, b.yaml]\n");
        work.write("base/a.yaml", &config_map("a", "1"));
        work.write("base/b.yaml", &config_map("b", "1"));
        work.kiln(&["render"], 0);
        work.git(&["add", "."]);
        work.git(&["commit", "--quiet", "--message", "first"]);
        Some(work)
    }

    fn path(&self) -> PathBuf {
        self.directory.path().canonicalize().expect("it is there")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file is in a directory")).expect("it is made");
        fs::write(path, text).expect("it is written");
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).expect("it is removed");
    }

    fn git(&self, arguments: &[&str]) {
        let run = Command::new("git").args(arguments).current_dir(self.path()).output();
        let run = run.expect("git can be started");
        assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    }

    /// Runs kiln, which ends with a code; returns what it prints.
    fn kiln(&self, arguments: &[&str], code: i32) -> String {
        kiln_in(&self.path(), arguments, code)
    }

    /// `kiln render --require-staged`, which refuses.
    fn refused(&self) -> String {
        self.kiln(&["render", "--require-staged", "--error-format", "short"], 1)
    }

    fn accepted(&self) {
        assert_eq!(self.kiln(&["render", "--require-staged"], 0), "");
    }

    /// Commits, and asks a fresh clone whether it has what its sources render to.
    fn commit_is_complete(&self) {
        self.git(&["commit", "--quiet", "--message", "next"]);
        let clone = TempDir::new().expect("there is room for files");
        let to = clone.path().join("clone");
        let (from, to_text) = (self.path(), to.display().to_string());
        self.git(&["clone", "--quiet", &from.display().to_string(), &to_text]);
        assert_eq!(kiln_in(&to, &["render", "--check"], 0), "");
    }
}

fn kiln_in(directory: &Path, arguments: &[&str], code: i32) -> String {
    let run =
        Command::new(env!("CARGO_BIN_EXE_kiln")).args(arguments).current_dir(directory).output();
    let run = run.expect("kiln can be started");
    let text = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(code), "{text}");
    text.into_owned()
}

fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: \"{value}\"}}\n"
    )
}

const ADD: &str = "error[render::not-staged] 2 rendered files are not staged as they are now\n";

#[test]
fn an_edit_is_refused_until_its_files_are_added() {
    let Some(work) = Work::new() else { return };
    work.accepted();
    work.write("base/a.yaml", &config_map("a", "2"));
    work.git(&["add", "base"]);
    let differs = format!(
        "rendered/dev/_none.configmap-a.yaml: differs from the index\n\
         rendered/prod/_none.configmap-a.yaml: differs from the index\n{ADD}"
    );
    for _ in 0..3 {
        assert_eq!(work.refused(), differs);
    }
    let full = work.kiln(&["render", "--require-staged"], 1);
    assert!(full.contains("= help: run `git add rendered`\n"), "{full}");
    work.git(&["add", "rendered"]);
    work.accepted();
    work.commit_is_complete();
}

#[test]
fn a_new_object_is_refused_until_its_files_and_its_source_are_added() {
    let Some(work) = Work::new() else { return };
    work.write("base/kustomization.yaml", "resources: [a.yaml, b.yaml, c.yaml]\n");
    work.write("base/c.yaml", &config_map("c", "1"));
    work.git(&["add", "base/kustomization.yaml"]);
    let untracked =
        "error[render::source-untracked] `base/c.yaml` is compiled, and not known to git\n";
    let refused = format!(
        "rendered/dev/_none.configmap-c.yaml: not in the index\n\
         rendered/prod/_none.configmap-c.yaml: not in the index\n{ADD}{untracked}"
    );
    assert_eq!(work.refused(), refused);
    assert_eq!(work.refused(), refused);
    work.git(&["add", "rendered"]);
    assert_eq!(work.refused(), untracked);
    work.git(&["add", "--intent-to-add", "base/c.yaml"]);
    work.git(&["add", "base/c.yaml"]);
    work.accepted();
    work.commit_is_complete();
}

#[test]
fn a_removed_object_is_refused_until_its_files_are_removed_from_the_index() {
    let Some(work) = Work::new() else { return };
    work.write("base/kustomization.yaml", "resources: [a.yaml]\n");
    work.remove("base/b.yaml");
    work.git(&["add", "base"]);
    let gone = format!(
        "rendered/dev/_none.configmap-b.yaml: removed, but in the index\n\
         rendered/prod/_none.configmap-b.yaml: removed, but in the index\n{ADD}"
    );
    assert_eq!(work.refused(), gone);
    assert_eq!(work.refused(), gone);
    work.git(&["add", "rendered"]);
    work.accepted();
    work.commit_is_complete();
}

#[test]
fn what_the_run_repairs_is_refused_once() {
    let Some(work) = Work::new() else { return };
    let path = "rendered/dev/_none.configmap-a.yaml";
    work.write(path, "# rendered by kiln from dev; do not edit\napiVersion: v1\n");
    assert!(work.refused().starts_with(&format!("{path}: written by this run\n")));
    work.accepted();
    // Edited and added by hand: the file on disk is repaired, the index still has the edit.
    work.write(path, "# rendered by kiln from dev; do not edit\napiVersion: v1\n");
    work.git(&["add", path]);
    for _ in 0..2 {
        assert!(work.refused().starts_with(&format!("{path}: differs from the index\n")));
    }
    work.git(&["add", "rendered"]);
    work.accepted();
}

#[test]
fn an_intention_to_add_is_not_staged() {
    let Some(work) = Work::new() else { return };
    let path = "rendered/dev/_none.configmap-a.yaml";
    work.git(&["rm", "--quiet", "--cached", path]);
    assert!(work.refused().starts_with(&format!("{path}: not in the index\n")));
    work.git(&["add", "--intent-to-add", path]);
    assert!(work.refused().starts_with(&format!("{path}: differs from the index\n")));
    work.git(&["add", path]);
    work.accepted();
}

#[test]
fn a_conflict_is_refused_until_it_is_resolved() {
    let Some(work) = Work::new() else { return };
    work.git(&["switch", "--quiet", "--create", "other"]);
    for (branch, value) in [("other", "2"), ("main", "3")] {
        work.git(&["switch", "--quiet", branch]);
        work.write("base/a.yaml", &config_map("a", value));
        work.kiln(&["render"], 0);
        work.git(&["commit", "--quiet", "--all", "--message", value]);
    }
    let merge = Command::new("git").args(["merge", "other"]).current_dir(work.path()).output();
    assert!(!merge.expect("git can be started").status.success());
    work.write("base/a.yaml", &config_map("a", "4"));
    work.git(&["add", "base"]);
    // What a conflict leaves in a file is still kiln's to replace.
    let path = "rendered/dev/_none.configmap-a.yaml";
    assert!(work.refused().starts_with(&format!("{path}: in conflict in the index\n")));
    work.git(&["add", "rendered"]);
    work.accepted();
    work.commit_is_complete();
}

#[test]
fn a_render_of_one_environment_asks_for_its_files_alone() {
    let Some(work) = Work::new() else { return };
    work.write("base/kustomization.yaml", "resources: [a.yaml]\n");
    work.git(&["add", "base"]);
    let text = work.kiln(&["render", "dev", "--require-staged"], 1);
    assert!(text.contains("rendered/dev/") && !text.contains("rendered/prod/"), "{text}");
    work.git(&["add", "rendered/dev"]);
    work.kiln(&["render", "dev", "--require-staged"], 0);
    work.refused();
}

#[test]
fn paths_are_those_of_the_directory_it_is_run_in() {
    let Some(work) = Work::new() else { return };
    work.write("base/a.yaml", &config_map("a", "2"));
    let text = kiln_in(&work.path().join("base"), &["render", "--require-staged"], 1);
    assert!(text.starts_with("../rendered/dev/_none.configmap-a.yaml: differs"), "{text}");
    assert!(text.contains("run `git add ../rendered`"), "{text}");
}

/// Git hands its hooks another index where a commit takes more than the index has.
#[test]
#[cfg(unix)]
fn as_a_hook_it_sees_what_is_being_committed() {
    use std::os::unix::fs::PermissionsExt;
    let Some(work) = Work::new() else { return };
    let hook = work.path().join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().expect("it is in a directory")).expect("it is made");
    let script =
        format!("#!/bin/sh\nexec '{}' render --require-staged\n", env!("CARGO_BIN_EXE_kiln"));
    fs::write(&hook, script).expect("the hook is written");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("it can be run");
    work.write("base/a.yaml", &config_map("a", "2"));
    work.kiln(&["render"], 0);
    work.refused();
    work.git(&["commit", "--quiet", "--all", "--message", "all"]);
    work.write("base/a.yaml", &config_map("a", "3"));
    let commit = || {
        let run = Command::new("git")
            .args(["commit", "--all", "--message", "without the rendered files"])
            .current_dir(work.path())
            .output();
        run.expect("git can be started").status.success()
    };
    // The first run renders, and its files are not in what is being committed; then they are.
    assert!(!commit());
    assert!(commit());
    work.accepted();
}

#[test]
fn outside_of_a_repository_there_is_no_index() {
    let directory = TempDir::new().expect("there is room for files");
    fs::write(directory.path().join("kustomization.yaml"), "resources: [a.yaml]\n")
        .expect("written");
    fs::write(directory.path().join("a.yaml"), config_map("a", "1")).expect("written");
    let text = kiln_in(directory.path(), &["render", "--require-staged"], 1);
    assert!(text.contains("error[git::no-repository]"), "{text}");
}
