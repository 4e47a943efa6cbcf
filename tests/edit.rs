//! The commands of `edit` and `create`, beside those of kustomize 5.8.1.
//!
//! Each folder of `tests/edit` is a project with a file `cases.txt`. A case is some command lines, each with the exit code of
//! kustomize, and what they change: the lines of the files, which are kiln's, and the lines of what the project builds to, which
//! are kustomize's: a digest of all of them if they are many. `build.yaml` is what it builds to before, and absent where it does
//! not build.
//!
//! `KILN_BLESS=1` writes the lines of the files anew. With `KUSTOMIZE=PATH`, the program at that path is run beside kiln: on the same
//! project, with the same command lines. Its exit codes and the bytes that it builds from its own result and from kiln's have to be
//! kiln's; with both variables they are written down.

#![expect(clippy::disallowed_methods, reason = "tests write files and start kiln")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use insta::assert_snapshot;
use sha2::{Digest, Sha256};
use similar::{ChangeTag, TextDiff};
use tempfile::TempDir;

const CASES: &str = "cases.txt";
const BUILD: &str = "build.yaml";

/// Returns the lines that differ, with their signs.
fn difference(old: &str, new: &str) -> String {
    let mut out = String::new();
    for change in TextDiff::from_lines(old, new).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        let _ = writeln!(out, "{sign}{}", change.value().trim_end_matches(['\r', '\n']));
    }
    out
}

/// More lines than these are told by their digest.
const MOST_LINES: usize = 6;

/// Returns the lines of a build that differ, or their digest.
fn build_difference(old: &str, new: &str) -> String {
    let lines = difference(old, new);
    let count = lines.lines().count();
    if count <= MOST_LINES {
        return lines;
    }
    let digest = Sha256::digest(new.as_bytes());
    let mut out = format!("{count} lines ");
    for byte in digest.iter().take(16) {
        let _ = write!(out, "{byte:02x}");
    }
    out + "\n"
}

type Files = BTreeMap<String, String>;

fn files_below(root: &Path) -> Files {
    fn walk(root: &Path, directory: &Path, files: &mut Files) {
        for entry in fs::read_dir(directory).expect("a folder can be read").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, files);
                continue;
            }
            let name = path.strip_prefix(root).expect("it is below").to_string_lossy().into_owned();
            files.insert(name.replace('\\', "/"), fs::read_to_string(&path).expect("it is text"));
        }
    }
    let mut files = Files::new();
    walk(root, root, &mut files);
    files
}

fn put(files: &Files) -> TempDir {
    let directory = TempDir::new().expect("there is room for temporary files");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
    directory
}

/// Splits a command line as a shell does, with single quotes only; `\n` in them is a line break.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for character in line.replace("\\n", "\n").chars() {
        match character {
            '\'' => (quoted, any) = (!quoted, true),
            ' ' if !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            other => word.push(other),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

fn run(program: &Path, directory: &Path, line: &str) -> Output {
    Command::new(program)
        .args(words(line))
        .current_dir(directory)
        .output()
        .expect("the program can be started")
}

/// Returns kiln under the name `kustomize`.
fn kustomize(names: &Path) -> PathBuf {
    let program = names.join(format!("kustomize{}", std::env::consts::EXE_SUFFIX));
    fs::hard_link(env!("CARGO_BIN_EXE_kiln"), &program)
        .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_kiln"), &program).map(drop))
        .expect("the program can have another name");
    program
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Case {
    /// Command lines with their exit codes.
    commands: Vec<(String, i32)>,
    /// The lines of files that change, by file.
    files: BTreeMap<String, String>,
    /// The lines of what is built that change; none if nothing is built.
    build: Option<String>,
    /// Own lines of comments that go with what they are inside of.
    lost: Vec<String>,
}

impl Case {
    fn read(text: &str) -> Vec<Self> {
        let mut cases: Vec<Self> = Vec::new();
        let mut begins = true;
        let mut target: Option<String> = None;
        for line in text.lines().filter(|line| !line.starts_with("# ")) {
            if line.is_empty() {
                begins = true;
            } else if let Some(command) = line.strip_prefix("$ ") {
                if std::mem::take(&mut begins) {
                    cases.push(Self::default());
                }
                let (command, code) = match command.rsplit_once("  # exit ") {
                    Some((command, code)) => (command, code.parse().expect("a number")),
                    None => (command, 0),
                };
                let case = cases.last_mut().expect("a case begins with a command");
                case.commands.push((command.to_owned(), code));
            } else {
                let case = cases.last_mut().expect("a case begins with a command");
                if let Some(comment) = line.strip_prefix("lost ") {
                    case.lost.push(comment.to_owned());
                } else if let Some(name) = line.strip_prefix("== ") {
                    target = Some(name.to_owned());
                    if name == "build" {
                        case.build = Some(String::new());
                    }
                } else {
                    let target = target.clone().unwrap_or_default();
                    let lines = if target == "build" {
                        case.build.get_or_insert_default()
                    } else {
                        case.files.entry(target).or_default()
                    };
                    let _ = writeln!(lines, "{line}");
                }
            }
        }
        cases
    }

    fn write(&self, out: &mut String) {
        for (command, code) in &self.commands {
            let code = if *code == 0 { String::new() } else { format!("  # exit {code}") };
            let _ = writeln!(out, "$ {command}{code}");
        }
        for comment in &self.lost {
            let _ = writeln!(out, "lost {comment}");
        }
        for (name, lines) in &self.files {
            let _ = write!(out, "== {name}\n{lines}");
        }
        if let Some(lines) = &self.build {
            let _ = write!(out, "== build\n{lines}");
        }
    }
}

fn build(program: &Path, directory: &Path) -> Option<String> {
    let built = run(program, directory, "build");
    built.status.success().then(|| String::from_utf8(built.stdout).expect("output is text"))
}

/// Returns the lines of comments that stand alone.
fn comments(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| line.starts_with('#')).collect()
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Returns the files that differ, each with its lines.
fn changed(before: &Files, after: &Files) -> BTreeMap<String, String> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let text = |files: &Files, name: &String| files.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .map(|name| (name.clone(), difference(&text(before, name), &text(after, name))))
        .filter(|(_, lines)| !lines.is_empty())
        .collect()
}

/// Runs the commands of a case and returns the files, and the exit codes.
fn edited(program: &Path, files: &Files, case: &Case) -> (TempDir, Files, Vec<i32>) {
    let directory = put(files);
    let codes = case
        .commands
        .iter()
        .map(|(line, _)| run(program, directory.path(), line).status.code().unwrap_or(-1))
        .collect();
    let files = files_below(directory.path());
    (directory, files, codes)
}

fn in_crlf(files: &Files) -> Files {
    let is_kustomization = |name: &str| name.to_lowercase().starts_with("kustomization");
    let convert = |(name, text): (&String, &String)| {
        let text = if is_kustomization(name) { text.replace('\n', "\r\n") } else { text.clone() };
        (name.clone(), text)
    };
    files.iter().map(convert).collect()
}

#[expect(clippy::too_many_lines, reason = "one story")]
#[expect(clippy::print_stdout, reason = "how much was compared with the other program")]
fn check(project: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edit").join(project);
    let mut files = files_below(&folder);
    let cases = Case::read(&files.remove(CASES).expect("there are cases"));
    let built_before = files.remove(BUILD);
    let names = TempDir::new().expect("there is room for temporary files");
    let kiln = kustomize(names.path());
    let oracle = std::env::var_os("KUSTOMIZE").map(PathBuf::from);
    let bless = is_set("KILN_BLESS");
    let mut faults = String::new();
    let mut counts = (0, 0);
    let before = match &oracle {
        Some(oracle) => build(oracle, put(&files).path()),
        None => built_before.clone(),
    };
    let before_text = before.clone().unwrap_or_default();
    let mut out = String::new();
    for case in &cases {
        let what = case.commands.iter().map(|(line, _)| line.as_str()).collect::<Vec<_>>();
        let what = format!("{project}: {}", what.join("; "));
        let (directory, after, codes) = edited(&kiln, &files, case);
        let built = build(&kiln, directory.path());
        let mut found = Case {
            commands: case.commands.iter().map(|(l, _)| l.clone()).zip(codes.clone()).collect(),
            files: changed(&files, &after),
            build: built.as_ref().map(|built| build_difference(&before_text, built)),
            lost: case.lost.clone(),
        };
        // Both know what the other has built.
        if let Some(oracle) = &oracle {
            counts.0 += case.commands.len();
            let (theirs, _, their_codes) = edited(oracle, &files, case);
            let their_build = build(oracle, theirs.path());
            if their_codes != codes {
                let _ = writeln!(faults, "{what}\n  exit {codes:?}, kustomize {their_codes:?}");
            }
            for (name, other) in [
                ("kiln builds", &built),
                ("kustomize builds kiln's", &build(oracle, directory.path())),
            ] {
                if *other != their_build {
                    let (a, b) = (
                        their_build.clone().unwrap_or_default(),
                        other.clone().unwrap_or_default(),
                    );
                    let _ = writeln!(faults, "{what}\n  {name}:\n{}", difference(&a, &b));
                    counts.1 += 1;
                }
            }
            found.build = their_build.map(|built| build_difference(&before_text, &built));
        } else if bless {
            found.build.clone_from(&case.build);
            for (found, known) in found.commands.iter_mut().zip(&case.commands) {
                found.1 = known.1;
            }
        }
        // Comments stay, unless they are inside what goes.
        found.lost.clear();
        for (name, old) in &files {
            let mut left = comments(after.get(name).map_or("", String::as_str));
            for comment in comments(old) {
                match left.iter().position(|other| *other == comment) {
                    Some(index) => drop(left.remove(index)),
                    None => found.lost.push(comment.to_owned()),
                }
            }
        }
        if !bless && found != *case {
            let (mut a, mut b) = (String::new(), String::new());
            case.write(&mut a);
            found.write(&mut b);
            let _ = writeln!(faults, "{what}\n--- expected\n{a}--- found\n{b}");
        }
        // The same file with other line breaks changes in the same lines, and to the same line breaks.
        let (_, crlf, _) = edited(&kiln, &in_crlf(&files), case);
        for (name, text) in &after {
            let other = crlf.get(name).cloned().unwrap_or_default();
            let is_new = !files.get(name).is_some_and(|text| text.contains('\n'));
            if !is_new
                && name.to_lowercase().starts_with("kustomization")
                && other != text.replace('\n', "\r\n")
            {
                let _ = writeln!(faults, "{what}\n  with CRLF {name}: {other:?}");
            }
        }
        if !out.is_empty() {
            out.push('\n');
        }
        found.write(&mut out);
    }
    if oracle.is_some() {
        println!("{project}: {} command lines, {} builds differ", counts.0, counts.1);
    }
    if bless {
        fs::write(folder.join(CASES), out).expect("cases can be written");
        if oracle.is_some() {
            match &before {
                Some(text) => fs::write(folder.join(BUILD), text).expect("it can be written"),
                None => drop(fs::remove_file(folder.join(BUILD))),
            }
        }
    }
    let own_build = build(&kiln, put(&files).path());
    if own_build != before {
        let _ = writeln!(faults, "{project} builds to something else before it is changed");
    }
    assert!(faults.is_empty(), "{faults}");
}

macro_rules! projects {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*

        #[test]
        fn every_project_is_checked() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edit");
            let mut found: Vec<String> = fs::read_dir(folder)
                .expect("there are projects")
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            found.sort();
            let mut known = vec![$(stringify!($name)),*];
            known.sort_unstable();
            assert_eq!(found, known);
        }
    };
}

projects! { shop flow old bare anchors empty vars new argocd }

/// What Argo CD runs for an application that sets everything it can set, in its order. The bytes are those of kustomize.
#[test]
fn argo_cd_edits_and_builds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edit/argocd");
    let files = files_below(&folder);
    let cases = Case::read(&files[CASES]);
    let names = TempDir::new().expect("there is room for temporary files");
    let kiln = kustomize(names.path());
    let built = |program: &Path| {
        let (directory, after, codes) = edited(program, &files, &cases[0]);
        assert!(codes.iter().all(|code| *code == 0), "{codes:?}");
        (build(program, directory.path()).expect("it builds"), after["kustomization.yaml"].clone())
    };
    let (bytes, kustomization) = built(&kiln);
    assert_snapshot!(bytes, @r#"
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      annotations:
        example.com/revision: abc123
        note: a:b
        prometheus.io/scrape: "true"
      labels:
        app: guestbook
        app.kubernetes.io/instance: guestbook
        team: other
      name: pr-12-guestbook-v2
      namespace: preview
    spec:
      replicas: 3
      selector:
        matchLabels:
          app: guestbook
      template:
        metadata:
          annotations:
            example.com/revision: abc123
            note: a:b
            prometheus.io/scrape: "true"
          labels:
            app: guestbook
            app.kubernetes.io/instance: guestbook
            team: other
        spec:
          containers:
          - image: registry.example.com/guestbook:1.2
            name: ui
          - image: redis:7@sha256:0123
            name: cache
    "#);
    assert_snapshot!(kustomization, @r#"
    apiVersion: kustomize.config.k8s.io/v1beta1
    kind: Kustomization
    # what Argo CD deploys
    resources:
      - app.yaml

    labels:
      - pairs: {team: other, app.kubernetes.io/instance: guestbook}   # for the dashboards
        includeTemplates: true
    commonLabels: {app: guestbook}
    images:
      - name: guestbook   # built on every commit
        newTag: "1.2"
        newName: registry.example.com/guestbook
      - name: redis
        newTag: "7"
        digest: sha256:0123
    namePrefix: pr-12-
    nameSuffix: -v2
    replicas:
      - name: guestbook
        count: 3
    commonAnnotations:
      example.com/revision: abc123
      note: a:b
    namespace: preview
    components:
      - components/monitoring
    "#);
    if let Some(oracle) = std::env::var_os("KUSTOMIZE") {
        assert_eq!(built(Path::new(&oracle)).0, bytes);
    }
}

/// The example of the page about editing does what the page says.
#[test]
fn the_example_of_the_page_works() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/editing.md");
    let page = fs::read_to_string(page).expect("the page can be read").replace("\r\n", "\n");
    let blocks: Vec<(&str, &str)> =
        page.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect();
    let [("yaml", before), ("console", commands), ("yaml", after)] = blocks[..] else {
        panic!("the page has other blocks");
    };
    let directory = put(&Files::from([("kustomization.yaml".to_owned(), before.to_owned())]));
    for command in commands.lines() {
        let line = command.strip_prefix("$ kiln ").expect("it is a command of kiln");
        let ran = run(Path::new(env!("CARGO_BIN_EXE_kiln")), directory.path(), line);
        assert!(ran.status.success() && ran.stderr.is_empty(), "{line}");
    }
    assert_eq!(files_below(directory.path())["kustomization.yaml"], after);
}
