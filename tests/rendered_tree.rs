//! The rendered tree as the tools read it that sync it: Argo CD's directory source, and Flux.

#![expect(clippy::disallowed_methods, reason = "tests run the program and write its input")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const EXAMPLES: [&str; 5] = ["discbaboons", "wander", "transparenta", "super-todo", "xuangong"];

/// A copy of an example without its rendered tree.
struct Example {
    name: &'static str,
    directory: TempDir,
}

impl Example {
    /// `layout`: what stands for the layout in the project file.
    fn new(name: &'static str, layout: &str) -> Self {
        let example = Self { name, directory: TempDir::new().expect("there is room for files") };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
        copy_tree(&source, example.directory.path());
        let project = example.directory.path().join("kiln.yaml");
        let text = fs::read_to_string(&project).expect("the project file is text");
        assert!(text.contains("  layout: flat\n"), "{name} sets its layout");
        let set = text.replace("  layout: flat\n", layout);
        fs::write(&project, set).expect("the project file is written");
        fs::remove_dir_all(example.directory.path().join("rendered")).expect("it is removed");
        example
    }

    fn kiln(&self, arguments: &[&str]) -> String {
        let run = Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args(arguments)
            .current_dir(self.directory.path())
            .output()
            .expect("kiln can be started");
        assert!(run.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).expect("the output is text")
    }

    /// Renders, and calls `check` with the name, the folder and the objects of every environment; returns how many there are.
    fn for_each_environment(&self, check: impl Fn(&str, &Path, &[String])) -> usize {
        self.kiln(&["render"]);
        let listed: Value = serde_json::from_str(&self.kiln(&["envs", "--format", "json"]))
            .expect("environments are listed as JSON");
        let listed = listed["environments"].as_array().expect("a list");
        for environment in listed {
            let name = environment["name"].as_str().expect("a name");
            let built = objects(&self.kiln(&["build", &format!("env:{name}")]));
            let folder = self.directory.path().join("rendered").join(name);
            check(&format!("{}: {name}", self.name), &folder, &built);
        }
        listed.len()
    }
}

/// Returns the documents of a stream, sorted.
fn objects(stream: &str) -> Vec<String> {
    let mut objects: Vec<String> =
        stream.split("\n---\n").map(|object| object.trim_end().to_owned()).collect();
    objects.sort_unstable();
    objects
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder is made");
    for entry in fs::read_dir(from).expect("the example is there").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file is copied");
        }
    }
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    path.is_file() && ["yaml", "yml", "json"].iter().any(|known| extension == *known)
}

/// Without `recurse`, Argo CD takes the files of a folder that lie beside each other, by their extensions.
#[test]
fn a_directory_source_reads_the_default_layout() {
    let mut environments = 0;
    for name in EXAMPLES {
        let example = Example::new(name, "");
        environments += example.for_each_environment(|name, folder, built| {
            let mut read = Vec::new();
            for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
                let path = entry.path();
                assert!(is_manifest(&path), "{name}: {}", path.display());
                let text = fs::read_to_string(&path).expect("a rendered file is text");
                // With this mark Argo CD leaves a file out.
                assert!(!text.contains("+argocd:skip-file-rendering"), "{}", path.display());
                let (_, object) = text.split_once('\n').expect("a file begins with its mark");
                read.push(object.trim_end().to_owned());
            }
            read.sort_unstable();
            assert_eq!(read, built, "{name}");
        });
    }
    assert!(environments >= 15, "{environments} environments");
}

/// Returns the files below a folder in the order of a walk: by name, a folder where its name stands.
fn walk(folder: &Path, below: &str, found: &mut Vec<String>) {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the folder is there")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    for name in names {
        let path: PathBuf = folder.join(&name);
        if path.is_dir() {
            walk(&path, &format!("{below}{name}/"), found);
        } else if is_manifest(&path) {
            found.push(format!("{below}{name}"));
        }
    }
}

/// Flux makes a kustomization of all files of a folder and of those below, and builds it in the loaded order.
#[test]
fn flux_builds_the_objects_of_every_layout() {
    let mut environments = 0;
    for (name, layout) in EXAMPLES.into_iter().zip(["flat", "tree", "single", "tree", "single"]) {
        let example = Example::new(name, &format!("  layout: {layout}\n"));
        environments += example.for_each_environment(|name, folder, built| {
            let mut files = Vec::new();
            walk(folder, "", &mut files);
            let mut text = String::from(
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n",
            );
            for file in &files {
                let _ = writeln!(text, "- {file}");
            }
            fs::write(folder.join("kustomization.yaml"), text).expect("it is written");
            let folder = folder.display().to_string();
            let synced = example.kiln(&["build", "--no-project", "--reorder", "none", &folder]);
            assert_eq!(objects(&synced), built, "{name}");
        });
    }
    assert!(environments >= 15, "{environments} environments");
}
