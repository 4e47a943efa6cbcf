//! Many objects, many overlays, many threads.

use std::fmt::Write;
use std::path::Path;

use kiln::render::{self, RenderOptions};
use kiln::{BuildOptions, CountingReader, MemoryReader, Output, Session};

/// A base of so many Deployments, in files of their own, of which every seventh has a text that is damaged.
fn insert_base(reader: &mut MemoryReader, count: usize) {
    let mut kustomization = "resources:\n".to_owned();
    for n in 0..count {
        let _ = writeln!(kustomization, "- {n}.yaml");
        let folded = if n % 7 == 0 { "  text: >\n    {\n      a\n    }\n" } else { "" };
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{n}\nspec:\n{folded}  template:\n    spec:\n      containers:\n      - name: main\n        image: web:1\n        env:\n        - name: LONG\n          value: {}\n",
            "x".repeat(300)
        );
        reader.insert(format!("/p/base/{n}.yaml"), text);
    }
    reader.insert("/p/base/kustomization.yaml", kustomization);
}

fn build(reader: &dyn kiln::Reader, target: &str, jobs: usize) -> (Option<Output>, String) {
    let session = Session::new(reader);
    let options = BuildOptions { target: target.into(), jobs, ..BuildOptions::default() };
    let outcome = kiln::build(&session, &options);
    let report = render::full(
        &outcome.diagnostics,
        session.sources(),
        &RenderOptions::plain(Path::new("/p")),
    );
    (outcome.value.map(|build| build.output), report)
}

#[test]
fn the_number_of_threads_does_not_show() {
    let mut reader = MemoryReader::new();
    insert_base(&mut reader, 400);
    let one = build(&reader, "/p/base", 1);
    assert!(one.0.is_some() && one.1.contains("58 warnings"), "{}", one.1);
    for jobs in [0, 2, 3, 16] {
        assert!(build(&reader, "/p/base", jobs) == one, "{jobs} threads");
    }
    for n in [3, 77, 311] {
        reader.insert(format!("/p/base/{n}.yaml"), "kind: Deployment\nmetadata: {name: a\n");
    }
    let one = build(&reader, "/p/base", 1);
    assert!(one.0.is_none() && one.1.contains("3 errors"), "{}", one.1);
    for jobs in [2, 3, 16] {
        assert!(build(&reader, "/p/base", jobs) == one, "{jobs} threads");
    }
}

#[test]
fn many_environments_over_one_base_read_each_file_once() {
    let mut reader = MemoryReader::new();
    insert_base(&mut reader, 50);
    let mut project = "apiVersion: kiln/v1\nkind: Project\nvalues: {files: [values.yaml]}\ntemplates: [\"**/*.j2\"]\nenvironments:\n".to_owned();
    for n in 0..50 {
        let _ = writeln!(project, "  e{n}: {{path: envs/{n}, values: [envs/{n}.yaml]}}");
        reader.insert(format!("/p/envs/{n}.yaml"), format!("replicas: {n}\n"));
        let text = "resources: [../../base, ../../settings]\nnamespace: shop\n";
        reader.insert(format!("/p/envs/{n}/kustomization.yaml"), text);
    }
    reader.insert("/p/kiln.yaml", project);
    reader.insert("/p/values.yaml", "host: example.org\n");
    reader.insert("/p/settings/kustomization.yaml", "resources: [settings.yaml.j2]\n");
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {n: \"{{ values.replicas }}\", h: {{ values.host }}}\n";
    reader.insert("/p/settings/settings.yaml.j2", template);
    let reader = CountingReader::new(reader);
    let session = Session::new(&reader);
    let root = Path::new("/p");
    let project = kiln::load_project(&session, kiln::ProjectLocation::Above(root), root, false);
    let project = project.value.expect("the project has no fault");
    for n in 0..50 {
        let options = BuildOptions { shown_from: root.into(), ..BuildOptions::default() };
        let options = kiln::environment_options(&session, &project, &format!("e{n}"), &options);
        let build = kiln::build(&session, &options.value.expect("there is such an environment"));
        let Some(Output::Stream(bytes)) = build.value.map(|build| build.output) else {
            panic!("an environment builds: {:?}", build.diagnostics)
        };
        let wanted = format!("  h: example.org\n  \"n\": \"{n}\"\n");
        assert!(String::from_utf8_lossy(&bytes).contains(&wanted), "e{n}");
    }
    assert_eq!(reader.reads().values().max(), Some(&1), "every file is read once");
    assert_eq!(reader.reads().len(), 50 + 1 + 50 * 2 + 2 + 2);
}

#[test]
fn a_base_of_many_overlays_is_read_once() {
    let mut reader = MemoryReader::new();
    insert_base(&mut reader, 50);
    for n in 0..200 {
        let text = format!(
            "resources: [../../base]\nnamePrefix: o{n}-\nimages: [{{name: web, newTag: \"{n}\"}}]\n"
        );
        reader.insert(format!("/p/overlays/{n}/kustomization.yaml"), text);
    }
    let reader = CountingReader::new(reader);
    let session = Session::new(&reader);
    for n in 0..200 {
        let target = format!("/p/overlays/{n}").into();
        let options = BuildOptions { target, jobs: 2, ..BuildOptions::default() };
        let build = kiln::build(&session, &options).value.expect("an overlay builds");
        assert_eq!(build.resources.len(), 50);
    }
    assert_eq!(reader.reads().values().max(), Some(&1), "every file is read once");
    assert_eq!(reader.reads().len(), 50 + 1 + 200);
}
