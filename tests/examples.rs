//! The projects in `examples/`: each environment builds to its golden bytes, and states the facts that its team relies on.
//!
//! `golden/ENV.yaml` is the output of kustomize 5.8.1 for the same directory. `facts.txt` holds one fact a line,
//! `ENV KIND/NAME PATH = VALUE`, written by hand.

#![expect(clippy::disallowed_methods, reason = "tests read files")]

use std::fs;
use std::path::{Path, PathBuf};

use kiln::{Build, BuildOptions, DiskReader, Key, Node, NodeKind, Output, Session};

/// Every environment: the example, its name, its directory.
const ENVIRONMENTS: [(&str, &str, &str); 7] = [
    ("transparenta", "base", "k8s/base"),
    ("transparenta", "dev", "k8s/overlays/dev"),
    ("transparenta", "prod", "k8s/overlays/prod"),
    ("transparenta", "argocd", "argocd/applications"),
    ("discbaboons", "dev", "k8s/overlays/dev"),
    ("discbaboons", "prod", "k8s/overlays/prod"),
    ("discbaboons", "prod-rotation", "k8s/overlays/prod-rotation"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn build(example: &str, directory: &str) -> Build {
    let reader = DiskReader;
    let session = Session::new(&reader);
    let target = root().join(example).join(directory);
    let options = BuildOptions { target, shown_from: root(), ..BuildOptions::default() };
    let outcome = kiln::build(&session, &options);
    assert_eq!(outcome.diagnostics, [], "{example}/{directory}");
    outcome.value.expect("a build without errors has a value")
}

#[test]
fn every_environment_builds_to_its_golden_bytes() {
    for (example, environment, directory) in ENVIRONMENTS {
        let golden =
            fs::read(root().join(example).join("golden").join(format!("{environment}.yaml")));
        let built = build(example, directory);
        assert!(
            built.output == Output::Stream(golden.expect("there is a golden file")),
            "{example} {environment}: differs"
        );
    }
}

/// Follows `a.b[name=x].c[0]`; a backslash keeps a dot in a key.
fn find<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    let mut node = node;
    let mut part = String::new();
    let mut characters = path.chars().chain(['.']).peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => part.extend(characters.next()),
            '.' => {
                if !part.is_empty() {
                    node = node.get(Key::text_key(&part))?;
                    part.clear();
                }
            }
            '[' => {
                if !part.is_empty() {
                    node = node.get(Key::text_key(&part))?;
                    part.clear();
                }
                let inner: String = characters.by_ref().take_while(|c| *c != ']').collect();
                let elements = node.elements()?;
                node = match inner.split_once('=') {
                    Some((key, value)) => {
                        let fits = |e: &&Node| {
                            e.get(Key::text_key(key)).is_some_and(|v| v.text() == value)
                        };
                        elements.iter().find(fits)?
                    }
                    None => elements.get(inner.parse::<usize>().ok()?)?,
                };
            }
            other => part.push(other),
        }
    }
    Some(node)
}

#[test]
fn every_fact_holds() {
    for example in ["transparenta", "discbaboons"] {
        let facts =
            fs::read_to_string(root().join(example).join("facts.txt")).expect("there are facts");
        let builds: Vec<(&str, Build)> = ENVIRONMENTS
            .into_iter()
            .filter(|(of, _, _)| *of == example)
            .map(|(_, environment, directory)| (environment, build(example, directory)))
            .collect();
        let mut wrong = Vec::new();
        let mut count = 0;
        for line in facts.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let holds = holds(&builds, line);
            count += 1;
            if let Err(found) = holds {
                wrong.push(format!("{line}\n  found {found}"));
            }
        }
        assert!(count >= 40, "{example} states {count} facts");
        assert!(wrong.is_empty(), "{example}:\n{}", wrong.join("\n"));
    }
}

fn holds(builds: &[(&str, Build)], fact: &str) -> Result<(), String> {
    let (place, value) = fact.split_once(" = ").ok_or("no ` = `")?;
    let mut words = place.splitn(3, ' ');
    let mut word = || words.next().ok_or("a fact is ENV KIND/NAME PATH = VALUE");
    let (environment, object, path) = (word()?, word()?, word()?);
    let (kind, name) = object.split_once('/').ok_or("no `/`")?;
    let (_, built) =
        builds.iter().find(|(name, _)| *name == environment).ok_or("no such environment")?;
    let mut objects =
        built.resources.iter().filter(|r| r.id().gvk.kind == kind && r.id().name == name);
    let object = objects.next().ok_or("no such object")?;
    let found = find(object.node(), path).ok_or("nothing there")?;
    if found.kind() == NodeKind::Scalar && found.text() == value {
        return Ok(());
    }
    Err(format!("`{}`", found.text()))
}
