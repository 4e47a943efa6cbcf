//! A build is the same in a session of its own and in one that has built everything before: bytes, findings, and where every
//! value comes from.

#![expect(clippy::disallowed_methods, reason = "the test reads the fixtures")]

use std::fs;
use std::path::{Path, PathBuf};

use kiln::{BuildOptions, DiskReader, Node, Outcome, Output, Provenance, Session, render};

/// Every directory with a kustomization below another, in order.
fn kustomizations(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|e| e.path()).collect();
    paths.sort();
    let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
    if paths.iter().any(|p| names.iter().any(|name| p.ends_with(name))) {
        found.push(directory.to_path_buf());
    }
    for path in paths.iter().filter(|path| path.is_dir()) {
        kustomizations(path, found);
    }
}

/// Where the values of a tree come from, as files and offsets.
fn origins(node: &Node, provenance: &Provenance, session: &Session<'_>, out: &mut Vec<String>) {
    let place = provenance.position(node.origin()).and_then(|p| session.sources().locate(p));
    out.push(match place {
        Some((file, offset)) => format!("{}:{offset}", file.path().display()),
        None => "-".to_owned(),
    });
    for entry in node.entries().into_iter().flatten() {
        origins(&entry.value, provenance, session, out);
    }
    for element in node.elements().into_iter().flatten() {
        origins(element, provenance, session, out);
    }
}

/// All that a build shows.
fn shown(session: &Session<'_>, target: &Path) -> String {
    let options = BuildOptions { target: target.to_path_buf(), ..BuildOptions::default() };
    let Outcome { value, diagnostics } = kiln::build(session, &options);
    let plain = render::RenderOptions::plain(target);
    let mut text = render::full(&diagnostics, session.sources(), &plain);
    if let Some(build) = value {
        let mut places = Vec::new();
        for resource in &build.resources {
            origins(resource.node(), &build.provenance, session, &mut places);
        }
        text += &places.join("\n");
        if let Output::Stream(bytes) = build.output {
            text += &String::from_utf8_lossy(&bytes);
        }
    }
    text
}

#[test]
fn a_build_does_not_depend_on_what_was_built_before() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut targets = Vec::new();
    for directory in ["fixtures", "examples"] {
        kustomizations(&root.join(directory), &mut targets);
    }
    assert!(targets.len() > 100, "the projects are found");
    let shared = Session::new(&DiskReader);
    for pass in 0..2 {
        for target in &targets {
            let alone = Session::for_one_build(&DiskReader);
            assert_eq!(
                shown(&shared, target),
                shown(&alone, target),
                "{} {pass}",
                target.display()
            );
        }
    }
}
