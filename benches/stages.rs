//! The stages of a build and whole builds, in process: `cargo bench --features internals`.
//!
//! `floor` is what no build can do without: reading, parsing and writing the same bytes, and nothing between.

#![expect(clippy::disallowed_methods, reason = "overlays are built from disk")]

mod project;

use divan::{Bencher, black_box};
use std::fs;
use std::path::PathBuf;

use kiln::{BuildOptions, DiskReader, MemoryReader, Node, Output, Session, internals};

fn main() {
    divan::main();
}

/// A project in memory.
fn reader(objects: usize) -> MemoryReader {
    let mut reader = MemoryReader::new();
    for (path, text) in project::files(objects) {
        reader.insert(format!("/p/{path}"), text);
    }
    reader
}

fn build(session: &Session<'_>, target: &str, jobs: usize) -> Vec<u8> {
    let options = BuildOptions { target: target.into(), jobs, ..BuildOptions::default() };
    match kiln::build(session, &options).value.map(|build| build.output) {
        Some(Output::Stream(bytes)) => bytes,
        _ => Vec::new(),
    }
}

fn fresh_build(reader: &MemoryReader, target: &str, jobs: usize) -> Vec<u8> {
    let output = build(&Session::new(reader), target, jobs);
    assert!(!output.is_empty(), "the project builds");
    output
}

fn documents(text: &str) -> impl Iterator<Item = &str> {
    text.split("---\n").filter(|document| !document.is_empty())
}

fn parse(text: &str) -> Vec<Node> {
    documents(text).filter_map(|document| internals::read(document).ok().flatten()).collect()
}

/// The documents of a base, as they are read.
fn input(objects: usize) -> Vec<String> {
    let files = project::files(objects).into_iter();
    files.filter(|(path, _)| !path.ends_with("kustomization.yaml")).map(|(_, text)| text).collect()
}

#[divan::bench(args = [4, 400, 1_000, 4_000])]
fn whole_build(bencher: Bencher<'_, '_>, objects: usize) {
    let reader = reader(objects);
    bencher.bench(|| fresh_build(&reader, "/p/overlay", 1));
}

#[divan::bench(args = [1_000, 4_000])]
fn whole_build_with_two_threads(bencher: Bencher<'_, '_>, objects: usize) {
    let reader = reader(objects);
    bencher.bench(|| fresh_build(&reader, "/p/overlay", 2));
}

#[divan::bench(args = [1_000, 4_000])]
fn floor(bencher: Bencher<'_, '_>, objects: usize) {
    let files = input(objects);
    let output =
        String::from_utf8(fresh_build(&reader(objects), "/p/overlay", 1)).expect("YAML is text");
    let results = parse(&output);
    bencher.bench(|| {
        let parsed: Vec<Node> = files.iter().flat_map(|text| parse(text)).collect();
        let written: usize =
            results.iter().filter_map(internals::write).map(|text| text.len()).sum();
        (parsed.len(), written)
    });
}

#[divan::bench]
fn parse_1000_objects(bencher: Bencher<'_, '_>) {
    let files = input(1_000);
    bencher.bench(|| files.iter().flat_map(|text| parse(black_box(text))).collect::<Vec<_>>());
}

#[divan::bench]
fn emit_1000_objects(bencher: Bencher<'_, '_>) {
    let nodes: Vec<Node> = input(1_000).iter().flat_map(|text| parse(text)).collect();
    bencher
        .bench(|| nodes.iter().filter_map(internals::write).map(|text| text.len()).sum::<usize>());
}

/// A base as it is, under a kustomization of a few lines.
fn with_overlay(objects: usize, overlay: &str) -> MemoryReader {
    let mut reader = reader(objects);
    reader.insert("/p/overlay/kustomization.yaml", format!("resources: [../base]\n{overlay}"));
    reader
}

const MERGE: &str = "patches:\n- target: {kind: Deployment}\n  patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: all}\n    spec: {template: {spec: {containers: [{name: server, resources: {limits: {cpu: 1}}}]}}}\n";

/// Builds that differ in one step; the first is what the others are compared with.
#[divan::bench(args = ["nothing", "merge", "names", "labels", "images", "replacements"])]
fn one_step_on_1000_objects(bencher: Bencher<'_, '_>, step: &str) {
    let overlay = match step {
        "merge" => MERGE,
        "names" => "namePrefix: live-\n",
        "labels" => "labels: [{pairs: {a: b}, includeSelectors: true}]\n",
        "images" => "images: [{name: images.example.org/shop/service-0, newTag: '1'}]\n",
        "replacements" => {
            "replacements: [{source: {kind: ConfigMap, name: settings-0, fieldPath: data.MODE}, targets: [{select: {kind: Deployment}, fieldPaths: ['spec.template.spec.containers.[name=server].env.[name=VERBOSITY].value']}]}]\n"
        }
        _ => "",
    };
    let reader = with_overlay(1_000, overlay);
    bencher.bench(|| fresh_build(&reader, "/p/overlay", 1));
}

const OVERLAYS: usize = 200;

/// Many overlays on disk over one base of 50 objects: each with a namespace, an image and replicas of its own.
struct Overlays(PathBuf);

impl Overlays {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("kiln-bench-{name}-{}", std::process::id()));
        let write = |path: PathBuf, text: String| {
            let parent = path.parent().expect("it is below the root");
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(&path, text))
                .expect("a file is written");
        };
        for (path, text) in project::files(50) {
            write(root.join(path), text);
        }
        for n in 0..OVERLAYS {
            let text = format!(
                "resources: [../../base]\nnamespace: team-{n}\nimages: [{{name: images.example.org/shop/service-0, newTag: '{n}'}}]\nreplicas: [{{name: service-1, count: {n}}}]\n"
            );
            write(root.join(format!("overlays/{n}/kustomization.yaml")), text);
        }
        Self(root)
    }

    fn target(&self, n: usize) -> String {
        format!("{}/overlays/{n}", self.0.display())
    }
}

impl Drop for Overlays {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[divan::bench]
fn overlays_200_in_one_session(bencher: Bencher<'_, '_>) {
    let overlays = Overlays::new("one");
    bencher.bench(|| {
        let session = Session::new(&DiskReader);
        (0..OVERLAYS).map(|n| build(&session, &overlays.target(n), 1).len()).sum::<usize>()
    });
}

#[divan::bench]
fn overlays_200_in_a_session_each(bencher: Bencher<'_, '_>) {
    let overlays = Overlays::new("each");
    bencher.bench(|| {
        let fresh = |n| {
            let output = build(&Session::for_one_build(&DiskReader), &overlays.target(n), 1);
            assert!(!output.is_empty(), "the overlay builds");
            output.len()
        };
        (0..OVERLAYS).map(fresh).sum::<usize>()
    });
}
