//! A canary in every Secret: no report shows it, unless it is asked to.

#![expect(clippy::disallowed_methods, reason = "the test reads the fixtures")]

use std::fs;
use std::path::{Path, PathBuf};

use kiln::render::{self, RenderOptions};
use kiln::{BuildOptions, Diagnostic, MemoryReader, Session, SourceMap};

const CANARY: &str = "c4n4ry-c4n4ry";

/// `CANARY` in base64.
const ENCODED: &str = "YzRuNHJ5LWM0bjRyeQ==";

type Format = fn(&[Diagnostic], &SourceMap, &RenderOptions<'_>) -> String;

/// The files of a project.
type Files = Vec<(PathBuf, Vec<u8>)>;

/// What all formats print about a project, and whether they print anything.
fn reports(files: &Files, target: &str, show_secrets: bool) -> String {
    let mut reader = MemoryReader::new();
    for (path, bytes) in files {
        reader.insert(Path::new("/p").join(path), bytes.clone());
    }
    let session = Session::new(&reader);
    let options = BuildOptions {
        target: Path::new("/p").join(target),
        shown_from: "/p".into(),
        ..BuildOptions::default()
    };
    let outcome = kiln::build(&session, &options);
    let options = RenderOptions { show_secrets, ..RenderOptions::plain(Path::new("/p")) };
    let formats: [Format; 4] = [render::full, render::short, render::json, render::github];
    formats.map(|format| format(&outcome.diagnostics, session.sources(), &options)).join("\n")
}

fn collect(directory: &Path, root: &Path, files: &mut Files) {
    for entry in fs::read_dir(directory).expect("a fixture can be read").flatten() {
        let path = entry.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_symlink() || name.starts_with("expected") || name == "case.toml" {
            continue;
        }
        if path.is_dir() {
            collect(&path, root, files);
        } else {
            let bytes = fs::read(&path).expect("a file of a fixture can be read");
            files.push((path.strip_prefix(root).expect("it is below").to_path_buf(), bytes));
        }
    }
}

/// Every fixture that has diagnostics.
fn faulty_projects(directory: &Path, out: &mut Vec<(String, Files)>) {
    if directory.join("case.toml").is_file() {
        if directory.join("expected.diag").is_file() {
            let mut files = Vec::new();
            collect(directory, directory, &mut files);
            out.push((directory.display().to_string(), files));
        }
        return;
    }
    let mut below: Vec<PathBuf> = fs::read_dir(directory)
        .expect("fixtures can be read")
        .flatten()
        .map(|e| e.path())
        .collect();
    below.sort();
    for path in below.iter().filter(|path| path.is_dir()) {
        faulty_projects(path, out);
    }
}

/// Puts canaries into every kustomization and every file of objects.
fn with_canaries(files: &Files) -> Files {
    let mut out = files.clone();
    for (path, bytes) in &mut out {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(bytes).into_owned();
        if name.starts_with("kustomization") && !text.contains("secretGenerator") {
            bytes.extend_from_slice(
                format!("\nsecretGenerator:\n- name: canary\n  literals: [a={CANARY}]\n")
                    .as_bytes(),
            );
        } else if text.contains("kind:") && !name.starts_with("kustomization") {
            bytes.extend_from_slice(
                format!("\n---\nkind: Secret\nmetadata: {{name: canary}}\nstringData: {{a: {CANARY}}}\ndata:\n  b: {ENCODED}\n")
                    .as_bytes(),
            );
        }
    }
    out
}

#[test]
fn no_fault_of_the_fixtures_shows_a_secret() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut projects = Vec::new();
    faulty_projects(&root, &mut projects);
    assert!(projects.len() > 50, "there are faults to report: {}", projects.len());
    let mut reported = 0;
    for (name, files) in &projects {
        for files in [files.clone(), with_canaries(files)] {
            let text = reports(&files, ".", false);
            assert!(!text.contains(CANARY) && !text.contains(ENCODED), "{name}:\n{text}");
            reported += usize::from(text.contains("\":\"error\"") || text.contains("warning"));
        }
    }
    assert!(reported > projects.len(), "most of them are reported");
}

/// Faults that lie in the secret itself, or beside it.
const INSIDE: &[(&str, &[(&str, &str)])] = &[
    (
        "a literal without a key",
        &[("kustomization.yaml", "secretGenerator:\n- name: s\n  literals:\n  - =c4n4ry-c4n4ry\n")],
    ),
    (
        "a literal without a value",
        &[("kustomization.yaml", "secretGenerator:\n- name: s\n  literals:\n  - c4n4ry-c4n4ry\n")],
    ),
    (
        "a key twice in a generator",
        &[(
            "kustomization.yaml",
            "secretGenerator:\n- name: s\n  literals:\n  - a=c4n4ry-c4n4ry\n  - a=c4n4ry-c4n4ry\n",
        )],
    ),
    (
        "an unknown field beside a literal",
        &[("kustomization.yaml", "secretGenerator: [{nam: s, literals: [a=c4n4ry-c4n4ry]}]\n")],
    ),
    (
        "broken YAML in a Secret",
        &[
            ("kustomization.yaml", "resources: [r.yaml]\n"),
            ("r.yaml", "kind: Secret\nmetadata: {name: s}\nstringData:\n  a: c4n4ry-c4n4ry: x\n"),
        ],
    ),
    (
        "a broken string of several lines",
        &[
            ("kustomization.yaml", "resources: [r.yaml]\n"),
            (
                "r.yaml",
                "kind: Secret\nmetadata: {name: s}\nstringData:\n  a: \"x\n  c4n4ry-c4n4ry \\q\"\n",
            ),
        ],
    ),
    (
        "a key twice in a Secret",
        &[
            ("kustomization.yaml", "resources: [r.yaml]\n"),
            (
                "r.yaml",
                "kind: Secret\nmetadata: {name: s}\ndata:\n  a: c4n4ry-c4n4ry\n  a: c4n4ry-c4n4ry\n",
            ),
        ],
    ),
    (
        "a value that is no base64",
        &[
            ("kustomization.yaml", "resources: [r.yaml]\n"),
            ("r.yaml", "kind: Secret\nmetadata: {name: s}\ndata: {a: !!binary c4n4ry-c4n4ry}\n"),
        ],
    ),
    (
        "a value that is no integer",
        &[
            ("kustomization.yaml", "resources: [r.yaml]\n"),
            ("r.yaml", "kind: Secret\nmetadata: {name: s}\ndata: {a: !!int c4n4ry-c4n4ry}\n"),
        ],
    ),
    (
        "a test of a JSON patch that fails",
        &[
            (
                "kustomization.yaml",
                "resources: [r.yaml]\npatches:\n- target: {kind: Secret}\n  patch: |-\n    - op: test\n      path: /stringData/a\n      value: c4n4ry-c4n4ry\n",
            ),
            (
                "r.yaml",
                "kind: Secret\nmetadata: {name: s}\nstringData: {a: \"c4n4ry-c4n4ry\\n\"}\n",
            ),
        ],
    ),
    (
        "a JSON patch with a wrong path",
        &[
            (
                "kustomization.yaml",
                "resources: [r.yaml]\npatches: [{path: p.json, target: {kind: Secret}}]\n",
            ),
            (
                "p.json",
                "[{\"op\": \"add\", \"path\": \"/data/a/b\", \"value\": \"c4n4ry-c4n4ry\"}]\n",
            ),
            ("r.yaml", "kind: Secret\nmetadata: {name: s}\ndata: {a: c4n4ry-c4n4ry}\n"),
        ],
    ),
    (
        "a patch that makes a map of a value",
        &[
            ("kustomization.yaml", "resources: [r.yaml]\npatches: [{path: p.yaml}]\n"),
            ("p.yaml", "kind: Secret\nmetadata: {name: s}\ndata: {a: {b: c4n4ry-c4n4ry}}\n"),
            ("r.yaml", "kind: Secret\nmetadata: {name: s}\ndata: {a: c4n4ry-c4n4ry}\n"),
        ],
    ),
    (
        "a replacement from a Secret by an index that is too large",
        &[
            (
                "kustomization.yaml",
                "resources: [r.yaml]\nreplacements:\n- source: {kind: Secret, fieldPath: stringData.a, options: {delimiter: '-', index: 9}}\n  targets: [{select: {kind: Secret}, fieldPaths: [stringData.b]}]\n",
            ),
            ("r.yaml", "kind: Secret\nmetadata: {name: s}\nstringData: {a: c4n4ry-c4n4ry}\n"),
        ],
    ),
    (
        "a value for a Secret that is copied to a field that is missing",
        &[
            (
                "kustomization.yaml",
                "resources: [r.yaml]\nreplacements:\n- sourceValue: c4n4ry-c4n4ry\n  targets: [{select: {kind: Secret}, fieldPaths: [stringData.b]}]\n",
            ),
            ("r.yaml", "kind: Secret\nmetadata: {name: s}\nstringData: {a: x}\n"),
        ],
    ),
    (
        "a line of an env file without a value",
        &[
            ("kustomization.yaml", "secretGenerator: [{name: s, envs: [s.env]}]\n"),
            ("s.env", "b d=c4n4ry-c4n4ry\nc4n4ry\n"),
        ],
    ),
    (
        "an env file with a key twice",
        &[
            (
                "kustomization.yaml",
                "secretGenerator: [{name: s, envs: [s.env], literals: [a=c4n4ry-c4n4ry]}]\n",
            ),
            ("s.env", "a=c4n4ry-c4n4ry\n"),
        ],
    ),
    (
        "a file with a key that Kubernetes refuses",
        &[
            ("kustomization.yaml", "secretGenerator: [{name: s, files: [a b=s.txt]}]\n"),
            ("s.txt", "c4n4ry-c4n4ry\n"),
        ],
    ),
    (
        "a Secret in JSON",
        &[
            ("kustomization.yaml", "resources: [r.json]\n"),
            (
                "r.json",
                "{\"kind\": \"Secret\", \"metadata\": {\"name\": \"s\"},\n\"data\": {\n\"a\": \"c4n4ry-c4n4ry\", \"a\": \"c4n4ry-c4n4ry\"}}\n",
            ),
        ],
    ),
    (
        "a Secret written into a plugin configuration",
        &[(
            "kustomization.yaml",
            "generators:\n- |-\n  apiVersion: builtin\n  kind: SecretGenerator\n  metadata: {name: s}\n  literals:\n  - a=c4n4ry-c4n4ry\n  - a=c4n4ry-c4n4ry\n",
        )],
    ),
];

#[test]
fn faults_inside_secrets_do_not_show_them() {
    let mut shown = 0;
    for (name, project) in INSIDE {
        let files: Files =
            project.iter().map(|(path, text)| (path.into(), text.as_bytes().to_vec())).collect();
        let text = reports(&files, ".", false);
        assert!(text.contains("error[") || text.contains("warning["), "{name} is reported");
        assert!(!text.contains(CANARY), "{name}:\n{text}");
        shown += usize::from(reports(&files, ".", true).contains(CANARY));
    }
    assert!(shown > INSIDE.len() / 2, "{shown} of them would show it");
}

/// What the program prints, stdout and stderr, for every command that reads a project.
fn printed(directory: &Path, show: bool) -> String {
    let commands: [&[&str]; 9] = [
        &["build", "bad"],
        &["build", "bad", "--error-format", "json"],
        &["build", "leak"],
        &["build", "retyped"],
        &["values", "good"],
        &["values", "bad"],
        &["render", "good", "--check"],
        &["render"],
        &["survey"],
    ];
    let mut out = String::new();
    for arguments in commands {
        let mut kiln = std::process::Command::new(env!("CARGO_BIN_EXE_kiln"));
        kiln.args(arguments).args(show.then_some("--show-secrets")).current_dir(directory);
        let output = kiln.output().expect("kiln runs");
        assert!(
            !output.stdout.is_empty() || !output.stderr.is_empty(),
            "{arguments:?} says nothing"
        );
        out += &String::from_utf8_lossy(&output.stdout);
        out += &String::from_utf8_lossy(&output.stderr);
    }
    out
}

#[test]
fn no_command_shows_a_secret_value() {
    let project = "apiVersion: kiln/v1\nkind: Project\nvalues: {files: [values.yaml], schema: schema.json}\ntemplates: ['**/*.j2']\nrender: {secrets: allow}\nenvironments:\n  good: {path: good}\n  bad: {path: bad, values: [bad.yaml]}\n  leak: {path: leak}\n  retyped: {path: retyped}\n";
    let schema = r#"{"properties": {"password": {"type": "string", "maxLength": 30, "x-kiln-secret": true}}}"#;
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: n}\nstringData:\n  p: {{ values.password | quote }}\n";
    let leak = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {p: 'x {{ values.password }}'}\n";
    let broken = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  p: {{ values.password | b64decode }}\n";
    let old = format!(
        "# rendered by kiln from good; do not edit\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: n\nstringData:\n  p: {CANARY}-old\n"
    );
    let resources = |name: &str| format!("resources: [{name}]\n");
    let files = [
        ("kiln.yaml", project.to_owned()),
        ("schema.json", schema.to_owned()),
        ("values.yaml", format!("password: {CANARY}\n")),
        ("bad.yaml", format!("password: {CANARY}-which-is-much-too-long-for-it\n")),
        ("good/kustomization.yaml", resources("s.yaml.j2")),
        ("good/s.yaml.j2", secret.to_owned()),
        ("bad/kustomization.yaml", resources("../good")),
        ("leak/kustomization.yaml", resources("c.yaml.j2")),
        ("leak/c.yaml.j2", leak.to_owned()),
        ("retyped/kustomization.yaml", resources("s.yaml.j2")),
        ("retyped/s.yaml.j2", broken.to_owned()),
        ("rendered/good/n.secret-s.yaml", old),
    ];
    let directory = tempfile::TempDir::new().expect("a directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder is made");
        fs::write(path, text).expect("a file is written");
    }
    let shown = printed(directory.path(), false);
    assert!(!shown.contains(CANARY) && !shown.contains(ENCODED), "{shown}");
    assert!(shown.contains("<secret, 13 bytes>"), "{shown}");
    assert!(printed(directory.path(), true).contains(CANARY), "it is shown if that is asked for");
}
