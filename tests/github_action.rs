//! The scripts of the GitHub action, run as its steps run them. A program `gh` that writes down what it is asked for stands for
//! GitHub.

#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "tests run programs and write their input")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// What a job of GitHub Actions has: a repository, a folder for what is temporary, files for outputs, programs.
struct Job {
    directory: TempDir,
}

impl Job {
    fn new() -> Self {
        let job = Self { directory: TempDir::new().expect("there is room for files") };
        for folder in ["temp", "bin", "repository"] {
            fs::create_dir(job.path(folder)).expect("a folder is made");
        }
        for file in ["output", "path", "summary"] {
            fs::write(job.path(file), "").expect("a file is written");
        }
        job.git(&["init", "--quiet", "--initial-branch=main"]);
        job
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().expect("it is there").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path("repository").join(name);
        fs::create_dir_all(path.parent().expect("a file is in a directory")).expect("it is made");
        fs::write(path, text).expect("it is written");
    }

    fn git(&self, arguments: &[&str]) {
        let run = Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(arguments)
            .current_dir(self.path("repository"))
            .output()
            .expect("this test needs git");
        assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    }

    /// Puts a program on the PATH.
    fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/usr/bin/env bash\n{script}")).expect("it is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be run");
    }

    /// Runs a script of the action in a directory of the repository.
    fn run_in(&self, directory: &str, script: &str, variables: &[(&str, &str)]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("integrations/github").join(script);
        let kiln = Path::new(env!("CARGO_BIN_EXE_kiln")).parent().expect("it is in a directory");
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{}:{path}", self.path("bin").display(), kiln.display());
        Command::new("bash")
            .arg(script)
            .current_dir(self.path("repository").join(directory))
            .env("PATH", path)
            .env("RUNNER_TEMP", self.path("temp"))
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64")
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_PATH", self.path("path"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .env("GITHUB_REPOSITORY", "acme/shop")
            .env("GITHUB_ACTION_REPOSITORY", "acme/kiln")
            .envs(variables.iter().copied())
            .output()
            .expect("this test needs bash")
    }

    fn run(&self, script: &str, variables: &[(&str, &str)]) -> String {
        let run = self.run_in(".", script, variables);
        let text = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{text}");
        text.into_owned()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Returns an output of the last step that wrote it.
    fn output(&self, name: &str) -> String {
        let prefix = format!("{name}=");
        let outputs = self.read("output");
        let found = outputs.lines().filter_map(|line| line.strip_prefix(&prefix)).next_back();
        found.unwrap_or_default().to_owned()
    }
}

/// Answers a question about comments with what is in `comments`, and writes down everything else.
const GH_COMMENTS: &str = r#"
set -eu
printf '%s\n' "$*" >>"$RUNNER_TEMP/asked"
case "$*" in
  "api user "*) echo "HTTP 403" >&2; exit 1 ;;
  *--paginate*) cat "$RUNNER_TEMP/comments" ;;
  *) [ ! -e "$RUNNER_TEMP/refuse" ] || { echo "HTTP 403" >&2; exit 1; }
     for word in "$@"; do case $word in body=@*) cp "${word#body=@}" "$RUNNER_TEMP/body" ;; esac; done ;;
esac
"#;

fn comment(job: &Job, comments: &str, differs: &str) -> String {
    job.program("gh", GH_COMMENTS);
    fs::write(job.path("temp/comments"), comments).expect("it is written");
    fs::write(job.path("temp/asked"), "").expect("it is written");
    fs::write(job.path("temp/diff.md"), "### prod\n`$(id)` changed\n").expect("it is written");
    job.run(
        "comment.sh",
        &[
            ("KILN_FILE", &job.path("temp/diff.md").display().to_string()),
            ("KILN_COMMENT_ID", "kiln"),
            ("KILN_DIFFERS", differs),
            ("KILN_PULL_REQUEST", "7"),
        ],
    )
}

#[test]
fn a_pull_request_has_one_comment() {
    let job = Job::new();
    let body = "<!-- kiln diff: kiln -->\n### prod\n`$(id)` changed\n";
    comment(&job, "", "true");
    let asked = job.read("temp/asked");
    assert!(
        asked.contains("--method POST repos/acme/shop/issues/7/comments --field body=@"),
        "{asked}"
    );
    assert_eq!(job.read("temp/body"), body);

    comment(&job, "1001\n1002\n", "true");
    let asked = job.read("temp/asked");
    assert!(asked.contains("--method PATCH repos/acme/shop/issues/comments/1001 "), "{asked}");
    assert!(!asked.contains("POST"), "{asked}");

    // What an earlier run said is no longer true.
    comment(&job, "1001\n", "false");
    assert!(job.read("temp/asked").contains("PATCH"));
    let text = comment(&job, "", "false");
    assert!(text.contains("no comment"), "{text}");
    assert_eq!(job.read("temp/asked").lines().count(), 2, "only questions");
}

#[test]
fn a_token_that_cannot_write_is_a_warning() {
    let job = Job::new();
    fs::write(job.path("temp/refuse"), "").expect("it is written");
    let text = comment(&job, "", "true");
    assert!(text.contains("::warning::the comment cannot be written"), "{text}");
}

/// Hands out a release whose program is a script.
const GH_RELEASE: &str = r#"
set -eu
printf '%s\n' "$*" >>"$RUNNER_TEMP/asked"
while [ $# -gt 0 ]; do if [ "$1" = --dir ]; then directory=$2; fi; shift; done
name=kiln-9.9.9-x86_64-unknown-linux-musl
cd "$RUNNER_TEMP" && mkdir -p "$name"
printf '#!/bin/sh\necho "kiln 9.9.9"\necho "kustomize v5.8.1"\n' >"$name/kiln"
chmod +x "$name/kiln"
tar -czf "$directory/$name.tar.gz" "$name"
cd "$directory"
if command -v sha256sum >/dev/null; then sha256sum -- *.tar.gz; else shasum -a 256 -- *.tar.gz; fi >SHA256SUMS
if [ -e "$RUNNER_TEMP/damaged" ]; then printf x >>"$name.tar.gz"; fi
"#;

#[test]
fn a_release_is_checked_and_put_on_the_path() {
    let job = Job::new();
    job.program("gh", GH_RELEASE);
    job.run("install.sh", &[("KILN_VERSION", "v9.9.9")]);
    let asked = job.read("temp/asked");
    assert!(asked.starts_with("release download v9.9.9 --repo acme/kiln --dir "), "{asked}");
    assert_eq!(job.output("version"), "9.9.9");
    let folder = job.read("path");
    assert!(folder.trim_end().ends_with("/kiln-9.9.9-x86_64-unknown-linux-musl"), "{folder}");
    assert!(Path::new(folder.trim_end()).join("kiln").is_file());

    job.run("install.sh", &[]);
    assert!(job.read("temp/asked").contains("\nrelease download --repo acme/kiln"));

    fs::write(job.path("temp/damaged"), "").expect("it is written");
    let run = job.run_in(".", "install.sh", &[("KILN_VERSION", "v9.9.9")]);
    assert!(!run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));

    let run = job.run_in(".", "install.sh", &[("RUNNER_ARCH", "S390X")]);
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stdout).starts_with("::error::there is no release"));

    job.run("install.sh", &[("KILN_VERSION", "none")]);
    assert_eq!(job.output("version"), env!("CARGO_PKG_VERSION"));
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
";

/// A project in a folder of a repository, with a base beside its overlay.
fn shop() -> Job {
    let job = Job::new();
    job.write(
        "shop/kiln.yaml",
        "apiVersion: kiln/v1\nkind: Project\nkubernetes: {version: \"1.34\"}\n\
         environments: {prod: {path: overlays/prod}}\n",
    );
    job.write("shop/overlays/prod/kustomization.yaml", "resources: [../../base]\n");
    job.write("shop/base/kustomization.yaml", "resources: [deployment.yaml]\n");
    job.write("shop/base/deployment.yaml", DEPLOYMENT);
    job.git(&["add", "."]);
    job.git(&["commit", "--quiet", "--message", "first"]);
    job
}

#[test]
fn annotations_have_paths_from_the_root_of_the_repository() {
    let job = shop();
    let run = job.run_in("shop", "validate.sh", &[]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    job.write("shop/base/deployment.yaml", &DEPLOYMENT.replace("replicas: 2", "replicas: two"));
    for directory in ["shop", "shop/overlays/prod"] {
        let run = job.run_in(directory, "validate.sh", &[]);
        let text = String::from_utf8_lossy(&run.stdout);
        assert_eq!(run.status.code(), Some(1), "{text}");
        assert!(text.contains("::error file=shop/base/deployment.yaml,line=5,col=13,"), "{text}");
    }
    // What does not compile is annotated as well.
    job.write("shop/base/kustomization.yaml", "resources: [deploymnet.yaml]\n");
    let run = job.run_in("shop", "validate.sh", &[]);
    let text = String::from_utf8_lossy(&run.stdout);
    assert_eq!(run.status.code(), Some(1), "{text}");
    assert!(text.contains("::error file=shop/base/kustomization.yaml,line=1,col=13,"), "{text}");
}

#[test]
fn findings_are_written_for_code_scanning() {
    let job = shop();
    job.write("shop/base/deployment.yaml", &DEPLOYMENT.replace("replicas: 2", "replicas: two"));
    let has_jq = Command::new("jq").arg("--version").output().is_ok();
    assert!(has_jq || std::env::var_os("CI").is_none(), "this test needs jq");
    for (directory, uri) in [("shop", "shop/base/deployment.yaml"), (".", "base/deployment.yaml")] {
        if directory == "." {
            job.git(&["mv", "shop/kiln.yaml", "shop/base", "shop/overlays", "."]);
        } else if !has_jq {
            continue;
        }
        let run = job.run_in(directory, "validate.sh", &[("KILN_SARIF", "true")]);
        assert_eq!(run.status.code(), Some(1), "{}", String::from_utf8_lossy(&run.stdout));
        let sarif = fs::read_to_string(job.output("sarif")).expect("the findings are there");
        let sarif: serde_json::Value = serde_json::from_str(&sarif).expect("they are JSON");
        let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], uri);
        assert_eq!(place["region"]["startLine"], 5);
    }
}

#[test]
fn a_rendered_tree_that_is_out_of_date_fails() {
    let job = shop();
    let run = job.run_in("shop", "render-check.sh", &[]);
    let text = String::from_utf8_lossy(&run.stdout);
    assert_eq!(run.status.code(), Some(1), "{text}");
    assert!(text.contains("rendered/prod/_none.deployment-web.yaml: missing"), "{text}");
}

#[test]
fn the_difference_is_written_for_the_comment_and_the_summary() {
    let job = shop();
    job.write("shop/base/deployment.yaml", &DEPLOYMENT.replace("replicas: 2", "replicas: 3"));
    let run = job.run_in("shop", "diff.sh", &[("KILN_SINCE", "HEAD"), ("KILN_TARGET", "env:prod")]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(job.output("differs"), "true");
    let text = fs::read_to_string(job.output("file")).expect("the comparison is there");
    assert!(text.contains("spec.replicas") && text.contains("prod"), "{text}");
    assert_eq!(job.read("summary"), text);
    let page = fs::read_to_string(job.output("report")).expect("the page is there");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("spec.replicas"), "{page}");

    job.git(&["commit", "--quiet", "--all", "--message", "second"]);
    job.run_in("shop", "diff.sh", &[("KILN_SINCE", "HEAD")]);
    assert_eq!(job.output("differs"), "false");

    // The first push of a branch has nothing before it.
    let run = job.run_in("shop", "diff.sh", &[("KILN_SINCE", &"0".repeat(40))]);
    assert_eq!(run.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&run.stdout).starts_with("::error::there is nothing to compare")
    );
}

#[test]
fn what_cannot_be_compared_is_said_in_the_comment() {
    let job = shop();
    job.write("shop/base/kustomization.yaml", "resources: [deploymnet.yaml]\n");
    let run = job.run_in("shop", "diff.sh", &[("KILN_SINCE", "HEAD")]);
    assert_eq!(run.status.code(), Some(1), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(job.output("differs"), "true");
    let text = fs::read_to_string(job.output("file")).expect("the comment is there");
    assert!(text.contains("file::missing") && text.contains("deploymnet.yaml"), "{text}");
    let annotations = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(annotations.contains("::error file=shop/base/kustomization.yaml,"), "{annotations}");
}
