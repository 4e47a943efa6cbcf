//! The command line: streams, exit codes, files, help.

#![expect(clippy::disallowed_methods, reason = "tests run the program and write its input")]

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use tempfile::TempDir;

const SETTINGS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";

fn project(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().expect("there is room for temporary files");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a file is in a directory"))
            .expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
    directory
}

fn good() -> TempDir {
    project(&[("kustomization.yaml", "resources: [r.yaml]\n"), ("r.yaml", SETTINGS)])
}

fn kiln(directory: &Path, arguments: &[&str]) -> String {
    let run =
        Command::new(env!("CARGO_BIN_EXE_kiln")).args(arguments).current_dir(directory).output();
    let run = run.expect("kiln can be started");
    let mut text = String::new();
    for (name, bytes) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        if !bytes.is_empty() {
            let _ = writeln!(text, "{name}:\n{}", String::from_utf8_lossy(bytes).trim_end());
        }
    }
    let _ = write!(text, "exit: {}", run.status.code().unwrap_or(-1));
    text.replace(&directory.display().to_string(), "DIR")
}

#[test]
fn the_output_goes_to_stdout() {
    assert_snapshot!(kiln(good().path(), &["build"]), @r#"
    stdout:
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: settings
    exit: 0
    "#);
}

#[test]
fn another_directory_can_be_the_start() {
    let directory =
        project(&[("a/kustomization.yaml", "resources: [r.yaml]\nx: 1\n"), ("a/r.yaml", SETTINGS)]);
    assert_snapshot!(kiln(directory.path(), &["-C", "a", "build", "."]), @r#"
    stderr:
    error[kustomization::unknown-field]: unknown field `x`
     --> kustomization.yaml:2:1
      |
    2 | x: 1
      | ^ not known

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
    assert_snapshot!(kiln(directory.path(), &["build", "a"]), @r#"
    stderr:
    error[kustomization::unknown-field]: unknown field `x`
     --> a/kustomization.yaml:2:1
      |
    2 | x: 1
      | ^ not known

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
}

#[test]
fn a_faulty_project_ends_with_1_and_prints_nothing() {
    let directory =
        project(&[("kustomization.yaml", "resources: [a.yaml, b.yaml]\nnamePrefix: [x]\n")]);
    assert_snapshot!(kiln(directory.path(), &["build"]), @r#"
    stderr:
    error[kustomization::wrong-type]: `namePrefix` takes a string, found a list
     --> kustomization.yaml:2:13
      |
    2 | namePrefix: [x]
      |             ^^ not a string

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
}

#[test]
fn a_warning_changes_neither_output_nor_exit_code() {
    let directory = project(&[
        ("kustomization.yaml", "resources: [r.yaml]\ncommonLabels: {a: b}\n"),
        ("r.yaml", SETTINGS),
    ]);
    assert_snapshot!(kiln(directory.path(), &["build"]), @r#"
    stdout:
    apiVersion: v1
    kind: ConfigMap
    metadata:
      labels:
        a: b
      name: settings
    stderr:
    warning[kustomization::deprecated-field]: `commonLabels` is deprecated
     --> kustomization.yaml:2:1
      |
    2 | commonLabels: {a: b}
      | ^^^^^^^^^^^^ deprecated
      |
      = help: use `labels`

    1 warning; `kiln explain CODE` says more about a code
    exit: 0
    "#);
}

#[test]
fn an_unknown_flag_ends_with_2() {
    assert_snapshot!(kiln(good().path(), &["build", "--frobnicate"]), @r#"
    stderr:
    error: unexpected argument '--frobnicate' found

      tip: to pass '--frobnicate' as a value, use '-- --frobnicate'

    Usage: kiln build [OPTIONS] [DIR]

    For more information, try '--help'.
    exit: 2
    "#);
}

#[test]
fn flags_for_helper_programs_are_accepted() {
    let arguments = [
        "build",
        ".",
        "--enable-helm",
        "--helm-command",
        "helm",
        "--helm-api-versions",
        "a",
        "--helm-kube-version",
        "1.30",
        "--helm-debug",
        "--enable-alpha-plugins",
        "--enable-exec",
        "--network",
        "--network-name",
        "n",
        "--mount",
        "m",
        "-e",
        "A=b",
        "--as-current-user",
    ];
    assert_snapshot!(kiln(good().path(), &arguments), @r#"
    stdout:
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: settings
    exit: 0
    "#);
}

#[test]
fn output_can_go_to_a_file() {
    let directory = good();
    assert_snapshot!(kiln(directory.path(), &["build", "-o", "out.yaml"]), @r#"exit: 0"#);
    let written = fs::read_to_string(directory.path().join("out.yaml")).expect("the file is there");
    assert_snapshot!(written, @r#"
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: settings
    "#);
    let names = fs::read_dir(directory.path()).expect("it is a directory").count();
    assert_eq!(names, 3, "no temporary file stays");
}

#[test]
fn output_can_go_into_a_directory() {
    let directory = good();
    fs::create_dir(directory.path().join("out")).expect("it can be made");
    assert_snapshot!(kiln(directory.path(), &["build", "-o", "out"]), @r#"exit: 0"#);
    assert!(directory.path().join("out/v1_configmap_settings.yaml").is_file());
}

#[test]
fn a_file_that_cannot_be_written_ends_with_2() {
    assert_snapshot!(kiln(good().path(), &["build", "-o", "missing/out.yaml"]), @r#"
    stderr:
    error[cli::output] `DIR/missing/out.yaml` cannot be written: No such file or directory (os error 2)
    exit: 2
    "#);
}

#[test]
fn a_failed_build_leaves_the_file_as_it_was() {
    let directory =
        project(&[("kustomization.yaml", "resources: [missing.yaml]\n"), ("out.yaml", "old\n")]);
    assert_snapshot!(kiln(directory.path(), &["build", "-o", "out.yaml"]), @r#"
    stderr:
    error[file::missing]: `missing.yaml` does not exist
     --> kustomization.yaml:1:13
      |
    1 | resources: [missing.yaml]
      |             ^^^^^^^^^^^^ named here

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
    assert_eq!(
        fs::read_to_string(directory.path().join("out.yaml")).expect("it is there"),
        "old\n"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let many: String = (0..20_000).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "{}---", SETTINGS.replace("settings", &format!("settings-{n}")));
        text
    });
    let directory = project(&[("kustomization.yaml", "resources: [r.yaml]\n"), ("r.yaml", &many)]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command
        .arg("build")
        .current_dir(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("kiln can be started");
    let mut start = [0; 16];
    child.stdout.take().expect("it is a pipe").read_exact(&mut start).expect("there is output");
    let run = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&run.stderr), "");
    assert_eq!(run.status.code(), Some(0));
}

#[test]
fn the_version_names_both_tools() {
    assert_snapshot!(kiln(Path::new(env!("CARGO_MANIFEST_DIR")), &["version"]), @r#"
    stdout:
    kiln 0.1.0
    kustomize v5.8.1
    exit: 0
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "the help of every command")]
fn help() {
    assert_snapshot!(kiln(Path::new(env!("CARGO_MANIFEST_DIR")), &["--help"]), @r#"
    stdout:
    Compile Kubernetes configuration.

    kiln builds kustomizations to plain YAML, to the same bytes as kustomize 5.8.1, without network, cluster or helper programs.

    Usage: kiln [OPTIONS] <COMMAND>

    Commands:
      build        Build a kustomization to stdout, to a file or into a directory
      explain      Say what a code means, why it is reported and what to do
      version      Print the version of kiln and of the kustomize that it builds like
      completions  Print a script that completes commands in a shell
      man          Print a manual page
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Global options:
      -C <DIR>
              Run as if started in this directory

          --project <FILE>
              Use this project file, instead of looking for `kiln.yaml` from the target upwards

          --no-project
              Use no project file

          --strict
              Make every warning an error, except those about deprecated fields

          --error-format <FORMAT>
              How errors and warnings are printed

              Possible values:
              - full:   With the lines at fault
              - short:  One line each
              - json:   One JSON document
              - github: Annotations of GitHub Actions
              
              [default: full]

          --color <WHEN>
              When to use colors

              Possible values:
              - auto:   On a terminal, unless `NO_COLOR` is set
              - always: Always
              - never:  Never
              
              [default: auto]

      -q, --quiet
              Print errors only, no warnings

          --show-secrets
              Show the values of Secrets in errors and warnings
    exit: 0
    "#);
    assert_snapshot!(kiln(Path::new(env!("CARGO_MANIFEST_DIR")), &["build", "--help"]), @r#"
    stdout:
    Build a kustomization to stdout, to a file or into a directory

    Usage: kiln build [OPTIONS] [DIR]

    Arguments:
      [DIR]
              Directory that holds the kustomization file
              
              [default: .]

    Options:
      -o, --output <PATH>
              Write to this file, or one file per object into this directory if it exists

          --load-restrictor <RESTRICTION>
              Which files a kustomization may read

              Possible values:
              - LoadRestrictionsRootOnly: Files in or below the kustomization's own directory
              - LoadRestrictionsNone:     Any file
              
              [default: LoadRestrictionsRootOnly]

          --reorder <ORDER>
              Order of the objects, unless the kustomization has `sortOptions` (deprecated)

              Possible values:
              - legacy: By kind, then by name
              - none:   As loaded

          --enable-managedby-label[=<BOOL>]
              Add the label app.kubernetes.io/managed-by (deprecated: use `buildMetadata`)

      -h, --help
              Print help (see a summary with '-h')

    Accepted for compatibility, without effect:
          --enable-helm[=<BOOL>]
              Charts are refused, with or without this

          --helm-command <COMMAND>
              Helm is never started

          --helm-api-versions <VERSIONS>
              Helm is never started

          --helm-kube-version <VERSION>
              Helm is never started

          --helm-debug[=<BOOL>]
              Helm is never started

          --enable-alpha-plugins[=<BOOL>]
              Plugins that are not built in are refused, with or without this

          --enable-exec[=<BOOL>]
              No program is ever started

          --network[=<BOOL>]
              No container is ever started

          --network-name <NAME>
              No container is ever started

          --mount <MOUNT>
              No container is ever started

      -e, --env <NAME=VALUE>
              No container is ever started

          --as-current-user[=<BOOL>]
              No container is ever started

    Global options:
      -C <DIR>
              Run as if started in this directory

          --project <FILE>
              Use this project file, instead of looking for `kiln.yaml` from the target upwards

          --no-project
              Use no project file

          --strict
              Make every warning an error, except those about deprecated fields

          --error-format <FORMAT>
              How errors and warnings are printed

              Possible values:
              - full:   With the lines at fault
              - short:  One line each
              - json:   One JSON document
              - github: Annotations of GitHub Actions
              
              [default: full]

          --color <WHEN>
              When to use colors

              Possible values:
              - auto:   On a terminal, unless `NO_COLOR` is set
              - always: Always
              - never:  Never
              
              [default: auto]

      -q, --quiet
              Print errors only, no warnings

          --show-secrets
              Show the values of Secrets in errors and warnings
    exit: 0
    "#);
}
