//! The projects in `examples/`: every environment builds, states the facts that its team relies on, and is rendered to the
//! tree that is committed.
//!
//! `facts.toml` holds what each environment must contain, written by hand. `golden/ENV.yaml`, where there is one, is the
//! output of kustomize 5.8.1 for the same directory, templates rendered.
//!
//! `kiln validate` finds nothing in them. A broken copy is an example with some of its files replaced by those of
//! `fixtures/broken-examples/NAME/`; what is found there is in `findings.txt`, which `KILN_BLESS=1` rewrites.

#![expect(clippy::disallowed_methods, reason = "tests read files and run the program")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kiln::{BuildOptions, Key, MemoryReader, Node, NodeKind, Session};
use serde_json::Value as Json;

const EXAMPLES: [&str; 5] = ["discbaboons", "wander", "transparenta", "super-todo", "xuangong"];

/// The last line of `kiln validate` about each example: how much was checked, and how many findings its comments allow.
const VALIDATED: [(&str, &str); 5] = [
    ("discbaboons", "64 objects: 64 valid, 0 invalid"),
    ("super-todo", "39 objects: 39 valid, 0 invalid; 15 CEL rules were not evaluated"),
    ("transparenta", "40 objects: 40 valid, 0 invalid; 33 CEL rules were not evaluated"),
    ("wander", "61 objects: 61 valid, 0 invalid"),
    ("xuangong", "36 objects: 36 valid, 0 invalid"),
];

fn root(example: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example)
}

fn kiln(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.args(arguments).current_dir(directory).output().expect("kiln is started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}

/// The names and paths of the environments of an example.
fn environments(example: &str) -> Vec<(String, String)> {
    let output = kiln(&root(example), &["envs", "--format", "json"]);
    let list: Json = serde_json::from_slice(&output.stdout).expect("the list is JSON");
    let list = list["environments"].as_array().expect("there is a list");
    let field = |entry: &Json, name: &str| entry[name].as_str().expect("a string").to_owned();
    list.iter().map(|entry| (field(entry, "name"), field(entry, "path"))).collect()
}

/// What an environment builds to; without a word on stderr, warnings denied.
fn built(example: &str, environment: &str) -> String {
    let output = kiln(&root(example), &["build", &format!("env:{environment}"), "--strict"]);
    assert_eq!(text(&output.stderr), "", "{example} {environment}");
    assert!(output.status.success() && !output.stdout.is_empty(), "{example} {environment}");
    text(&output.stdout)
}

/// The objects of a stream.
fn objects(stream: &str) -> Vec<Node> {
    let mut reader = MemoryReader::new();
    reader.insert("/p/all.yaml", stream);
    reader.insert("/p/kustomization.yaml", "resources: [all.yaml]\n");
    let session = Session::new(&reader);
    let options = BuildOptions { target: "/p".into(), ..BuildOptions::default() };
    let build = kiln::build(&session, &options).value.expect("the output of a build can be built");
    build.resources.iter().map(|resource| resource.node().clone()).collect()
}

fn field<'n>(node: &'n Node, path: &[&str]) -> &'n str {
    let keys: Vec<Key> = path.iter().map(|part| Key::text_key(part)).collect();
    node.at(&keys).map_or("", Node::text)
}

/// Returns the name without the content hash that a generator adds.
fn plain_name(name: &str) -> &str {
    let is_hash = |c: char| "bcdfghkmt2456789".contains(c);
    match name.rsplit_once('-') {
        Some((plain, hash)) if hash.len() == 10 && hash.chars().all(is_hash) => plain,
        _ => name,
    }
}

/// Finds `KIND/NAME` or `KIND/NAMESPACE/NAME`.
fn resource<'n>(objects: &'n [Node], wanted: &str) -> Option<&'n Node> {
    let parts: Vec<&str> = wanted.split('/').collect();
    let (kind, namespace, name) = match parts.as_slice() {
        [kind, name] => (*kind, None, *name),
        [kind, namespace, name] => (*kind, Some(*namespace), *name),
        _ => panic!("`{wanted}` is no object"),
    };
    let mut found = objects.iter().filter(|node| {
        let own = field(node, &["metadata", "name"]);
        field(node, &["kind"]) == kind
            && (own == name || plain_name(own) == name)
            && namespace
                .is_none_or(|namespace| field(node, &["metadata", "namespace"]) == namespace)
    });
    let first = found.next();
    assert!(found.next().is_none(), "`{wanted}` names several objects");
    first
}

/// Follows `a.b[key=value].c[0]`; a backslash keeps a dot in a key.
fn find<'n>(mut node: &'n Node, path: &str) -> Option<&'n Node> {
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (selector, behind) = inside.split_once(']')?;
            let elements = node.elements()?;
            node = match selector.split_once('=') {
                Some((key, value)) => elements.iter().find(|e| field(e, &[key]) == value)?,
                None => elements.get(selector.parse::<usize>().ok()?)?,
            };
            rest = behind.strip_prefix('.').unwrap_or(behind);
            continue;
        }
        let mut key = String::new();
        let mut end = rest.len();
        let mut characters = rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => key.extend(characters.next().map(|(_, c)| c)),
                '.' | '[' => {
                    end = at;
                    break;
                }
                _ => key.push(character),
            }
        }
        node = node.get(Key::text_key(&key))?;
        rest = rest[end..].strip_prefix('.').unwrap_or(&rest[end..]);
    }
    Some(node)
}

/// Returns whether a value is what a fact says, its type included.
fn equals(node: &Node, wanted: &toml::Value) -> bool {
    match wanted {
        toml::Value::Table(table) => {
            node.entries().is_some_and(|entries| entries.len() == table.len())
                && table.iter().all(|(key, value)| {
                    node.get(Key::text_key(key)).is_some_and(|node| equals(node, value))
                })
        }
        toml::Value::Array(values) => node.elements().is_some_and(|elements| {
            elements.len() == values.len()
                && elements.iter().zip(values).all(|(node, value)| equals(node, value))
        }),
        toml::Value::String(text) => is(node, kiln::Tag::Str) && node.text() == text,
        toml::Value::Integer(number) => {
            is(node, kiln::Tag::Int) && node.text() == number.to_string()
        }
        toml::Value::Boolean(value) => {
            is(node, kiln::Tag::Bool) && node.text() == value.to_string()
        }
        other => panic!("a fact is no {other:?}"),
    }
}

fn is(node: &Node, tag: kiln::Tag) -> bool {
    node.kind() == NodeKind::Scalar && node.resolved_tag() == tag
}

#[test]
fn every_fact_holds() {
    for example in EXAMPLES {
        let facts = fs::read_to_string(root(example).join("facts.toml")).expect("there are facts");
        let facts: toml::Table = facts.parse().expect("the facts are TOML");
        let facts = facts["fact"].as_array().expect("there are facts");
        assert!(facts.len() >= 40, "{example} has {} facts", facts.len());
        for (environment, _) in environments(example) {
            let objects = objects(&built(example, &environment));
            let mut checked = 0;
            for fact in facts {
                let of = fact["env"].as_array().expect("a fact has environments");
                if !of.iter().any(|name| name.as_str() == Some(&environment)) {
                    continue;
                }
                checked += 1;
                let name = fact["resource"].as_str().expect("a fact has a resource");
                let path = fact.get("path").and_then(toml::Value::as_str).unwrap_or_default();
                let found = resource(&objects, name);
                let node = found.and_then(|node| find(node, path));
                let shown = format!("{example} {environment} {name} {path}");
                match fact.get("value") {
                    Some(value) => {
                        let node = node.unwrap_or_else(|| panic!("{shown}: not there"));
                        assert!(equals(node, value), "{shown}: {node:?}, not {value:?}");
                    }
                    None => {
                        assert_eq!(fact["absent"].as_bool(), Some(true), "{shown}: says nothing");
                        assert!(node.is_none(), "{shown}: {node:?}");
                    }
                }
            }
            assert!(checked > 0, "{example} {environment} has no facts");
        }
    }
}

#[test]
fn environments_build_to_the_bytes_of_kustomize() {
    let mut compared = 0;
    for example in EXAMPLES {
        for (environment, _) in environments(example) {
            let golden = root(example).join("golden").join(format!("{environment}.yaml"));
            if let Ok(golden) = fs::read(golden) {
                assert!(
                    built(example, &environment) == text(&golden),
                    "{example} {environment} differs"
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= 8, "{compared} environments were compared");
}

#[test]
fn the_rendered_trees_are_current() {
    for example in EXAMPLES {
        let output = kiln(&root(example), &["render", "--check", "--strict"]);
        assert_eq!(
            (text(&output.stdout), text(&output.stderr)),
            (String::new(), String::new()),
            "{example}"
        );
        assert!(output.status.success(), "{example}");
        for (environment, _) in environments(example) {
            assert!(
                root(example).join("rendered").join(&environment).is_dir(),
                "{example} {environment}"
            );
        }
    }
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
fn a_check_names_the_file_the_field_and_the_line_of_a_value() {
    let directory = tempfile::TempDir::new().expect("a directory");
    copy(&root("xuangong"), directory.path());
    let values = directory.path().join("values/versions.yaml");
    let before = fs::read_to_string(&values).expect("there are versions");
    let line =
        1 + before.lines().position(|line| line.contains("v2025.1.0-alpha13")).expect("the app");
    fs::write(&values, before.replace("v2025.1.0-alpha13", "v2025.1.0-alpha14"))
        .expect("a new version");
    let output = kiln(directory.path(), &["render", "--check"]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{report}");
    let mut files: Vec<&str> =
        report.lines().filter(|line| line.ends_with(": out of date")).collect();
    files.sort_unstable();
    assert_eq!(
        files,
        [
            "rendered/development/xuangong-dev.deployment-xuangong-app.yaml: out of date",
            "rendered/production/xuangong-prod.deployment-xuangong-app.yaml: out of date",
        ],
        "exactly the component changes: {report}"
    );
    let field = "spec.template.spec.containers[name=web].image: ";
    let place = format!("(values/versions.yaml:{line}:");
    assert!(report.lines().any(|l| l.contains(field) && l.contains(&place)), "{place}\n{report}");
}

#[test]
fn an_ejected_tree_builds_to_the_same_bytes_without_the_project() {
    for example in EXAMPLES {
        for (environment, path) in environments(example) {
            let directory = tempfile::TempDir::new().expect("a directory");
            let target = directory.path().join("out");
            let to = target.to_str().expect("the path is text");
            let output = kiln(&root(example), &["eject", &format!("env:{environment}"), to]);
            assert_eq!(text(&output.stderr), "", "{example} {environment}");
            let ejected = kiln(&target, &["build", "--no-project", &path]);
            let ejected = if ejected.status.success() {
                ejected
            } else {
                // Only what is below a deeper directory was read.
                let shown = text(&output.stdout);
                kiln(&root(example), &["build", "--no-project", shown.trim()])
            };
            assert!(
                text(&ejected.stdout) == built(example, &environment),
                "{example} {environment}"
            );
        }
    }
}

#[test]
fn nothing_is_found_in_the_examples() {
    for (example, summary) in VALIDATED {
        let output = kiln(&root(example), &["--strict", "validate"]);
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!((out.trim_end(), err.trim_end()), (summary, ""), "{example}");
        assert!(output.status.success(), "{example}");
    }
}

#[test]
fn the_faults_of_the_broken_copies_are_found() {
    for (example, _) in VALIDATED {
        let directory = tempfile::TempDir::new().expect("a directory");
        let changes =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/broken-examples").join(example);
        copy(&root(example), directory.path());
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
