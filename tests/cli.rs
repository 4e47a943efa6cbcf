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

    kiln builds kustomizations to plain YAML, to the same bytes as kustomize 5.8.1, without network,
    cluster or helper programs.

    Usage: kiln [OPTIONS] <COMMAND>

    Commands:
      build        Build a kustomization or an environment to stdout, to a file or into a directory
      render       Write environments into the rendered tree
      validate     Check objects against the schemas of Kubernetes and of custom resources
      diff         Show what differs between revisions, targets or folders of objects, and what a
                   cluster would do about it
      affected     List the environments that a change concerns
      blame        Say which file, line and step wrote each field of an object
      values       Print the values of an environment, where each is written and what it overrides
      deps         List every file that a build of a target reads
      graph        Show what includes what: kustomizations, components, patches, values and their files
      envs         List the environments of the project
      survey       List every kustomization of a repository, whether it builds, and why not
      eject        Write a plain kustomize tree that builds to the same bytes without kiln
      edit         Change a kustomization file, and nothing else in it
      create       Write a kustomization file; with `--project`, a project file
      argocd       What Argo CD runs when kiln is its config-management plugin
      schema       Print the JSON Schema of a file, or import definitions of custom resources
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

          --project [<FILE>]
              Use this project file, instead of looking for `kiln.yaml` from the target upwards

          --no-project
              Use no project file

          --strict
              Make every warning an error, except those about what is deprecated

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

          --jobs <N>
              How many threads read and write; all processors without it

      -q
              Print errors only, no warnings

          --show-secrets
              Show the values of Secrets in errors, warnings and differences
    exit: 0
    "#);
    assert_snapshot!(kiln(Path::new(env!("CARGO_MANIFEST_DIR")), &["build", "--help"]), @r#"
    stdout:
    Build a kustomization or an environment to stdout, to a file or into a directory

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

    Values:
          --values <FILE>
              Read values from this file, over those of the project

          --set <PATH=VALUE>
              Set one value: `a.b[0]=c`

          --set-string <PATH=TEXT>
              Set one value to a string

          --set-json <PATH=JSON>
              Set one value to a value in JSON

          --set-file <PATH=FILE>
              Set one value to the content of a file

          --list-remotes
              List the remote entries that the target names, and how to copy them into the repository,
              instead of building

          --validate
              Check the objects as `kiln validate` does, and print nothing but the findings if there are
              errors

    Global options:
      -C <DIR>
              Run as if started in this directory

          --project [<FILE>]
              Use this project file, instead of looking for `kiln.yaml` from the target upwards

          --no-project
              Use no project file

          --strict
              Make every warning an error, except those about what is deprecated

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

          --jobs <N>
              How many threads read and write; all processors without it

      -q
              Print errors only, no warnings

          --show-secrets
              Show the values of Secrets in errors, warnings and differences
    exit: 0
    "#);
}

/// A project with one warning: an image that no object has.
fn warned(more: &[(&str, &str)]) -> TempDir {
    let mut files = vec![
        ("kustomization.yaml", "resources: [r.yaml]\nimages:\n- name: nginx\n  newTag: \"2\"\n"),
        ("r.yaml", SETTINGS),
    ];
    files.extend_from_slice(more);
    project(&files)
}

#[test]
fn strict_makes_a_warning_an_error() {
    assert_snapshot!(kiln(warned(&[]).path(), &["build", "--strict", "--error-format", "short"]), @r#"
    stderr:
    kustomization.yaml:3:9 error[image::no-match] no object has the image `nginx`
    exit: 1
    "#);
    let deprecated = project(&[
        ("kustomization.yaml", "resources: [r.yaml]\ncommonLabels: {a: b}\n"),
        ("r.yaml", SETTINGS),
    ]);
    assert_snapshot!(kiln(deprecated.path(), &["build", "--strict", "--error-format", "short"]), @r#"
    stdout:
    apiVersion: v1
    kind: ConfigMap
    metadata:
      labels:
        a: b
      name: settings
    stderr:
    kustomization.yaml:2:1 warning[kustomization::deprecated-field] `commonLabels` is deprecated
    exit: 0
    "#);
}

#[test]
fn quiet_prints_errors_only() {
    assert_snapshot!(kiln(warned(&[]).path(), &["build", "-q"]), @r#"
    stdout:
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: settings
    exit: 0
    "#);
    assert_snapshot!(kiln(warned(&[]).path(), &["build", "-q", "--strict", "--error-format", "short"]), @r#"
    stderr:
    kustomization.yaml:3:9 error[image::no-match] no object has the image `nginx`
    exit: 1
    "#);
}

const LINTS: &str = "apiVersion: kiln/v1\nkind: Project\nlints: {image::no-match: deny}\n";

#[test]
fn the_project_file_sets_levels() {
    let short = ["build", "--error-format", "short"];
    assert_snapshot!(kiln(warned(&[("kiln.yaml", LINTS)]).path(), &short), @r#"
    stderr:
    kustomization.yaml:3:9 error[image::no-match] no object has the image `nginx`
    exit: 1
    "#);
    let allowed = LINTS.replace("deny", "allow");
    assert_snapshot!(kiln(warned(&[("kiln.yaml", &allowed)]).path(), &short), @r#"
    stdout:
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: settings
    exit: 0
    "#);
    let elsewhere = warned(&[("other.yaml", LINTS)]);
    let named = ["build", "--error-format", "short", "--project", "other.yaml"];
    assert_snapshot!(kiln(elsewhere.path(), &named), @r#"
    stderr:
    kustomization.yaml:3:9 error[image::no-match] no object has the image `nginx`
    exit: 1
    "#);
    let without = ["build", "-q", "--no-project"];
    assert_snapshot!(kiln(warned(&[("kiln.yaml", LINTS)]).path(), &without), @r#"
    stdout:
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: settings
    exit: 0
    "#);
}

#[test]
fn the_project_file_is_looked_for_upwards_to_the_repository() {
    let files = |marker| {
        project(&[
            ("kiln.yaml", LINTS),
            (marker, ""),
            (
                "app/k8s/kustomization.yaml",
                "resources: [r.yaml]\nimages: [{name: nginx, newTag: a}]\n",
            ),
            ("app/k8s/r.yaml", SETTINGS),
        ])
    };
    let build = ["build", "-q", "app/k8s", "--error-format", "short"];
    assert_snapshot!(kiln(files(".git/HEAD").path(), &build), @r#"
    stderr:
    app/k8s/kustomization.yaml:2:17 error[image::no-match] no object has the image `nginx`
    exit: 1
    "#);
    assert_snapshot!(kiln(files("app/.git/HEAD").path(), &build), @r#"
    stdout:
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: settings
    exit: 0
    "#);
}

#[test]
fn a_faulty_project_file_is_reported() {
    let text = "apiVersion: kiln/v1\nkind: Project\nlint: {}\n";
    assert_snapshot!(kiln(warned(&[("kiln.yaml", text)]).path(), &["build", "--error-format", "short"]), @r#"
    stderr:
    kiln.yaml:3:1 error[project::unknown-field] unknown field `lint`
    exit: 1
    "#);
    let text = "apiVersion: kiln/v1\nkind: Project\nlints:\n  image::nomatch: deny\n  file::missing: warn\n  patch::no-match: error\n";
    assert_snapshot!(kiln(warned(&[("kiln.yaml", text)]).path(), &["build", "--error-format", "short"]), @r#"
    stderr:
    kiln.yaml:4:19 error[project::unknown-code] `image::nomatch` is not the code of a warning
    kiln.yaml:5:18 error[project::unknown-code] `file::missing` is an error: its level cannot be set
    kiln.yaml:6:20 error[project::wrong-type] the level of a warning is `allow`, `warn` or `deny`, not `error`
    exit: 1
    "#);
    assert_snapshot!(kiln(good().path(), &["build", "--project", "none.yaml", "--error-format", "short"]), @r#"
    stderr:
    error[project::missing] the project file `none.yaml` cannot be read: No such file or directory (os error 2)
    exit: 1
    "#);
}

#[test]
fn a_comment_sets_the_level_at_its_place() {
    let kustomization = "resources: [r.yaml]\nimages:\n# kiln: allow(image::no-match) it comes with the next release\n- name: nginx\n  newTag: \"2\"\n- name: redis # kiln: deny(image::no-match)\n  newTag: \"7\"\n";
    let directory = project(&[("kustomization.yaml", kustomization), ("r.yaml", SETTINGS)]);
    assert_snapshot!(kiln(directory.path(), &["build", "--error-format", "short"]), @r#"
    stderr:
    kustomization.yaml:6:9 error[image::no-match] no object has the image `redis`
    exit: 1
    "#);
}

#[test]
fn a_component_is_judged_by_all_its_users() {
    let user = "resources: [r.yaml]\ncomponents: [../component]\nnamePrefix: ";
    let (a, b) = (format!("{user}a-\n"), format!("{user}b-\n"));
    let files = |second: &'static str| {
        project(&[
            ("kustomization.yaml", "resources: [a, b]\n"),
            ("a/kustomization.yaml", &a),
            ("a/r.yaml", SETTINGS),
            ("b/kustomization.yaml", &b),
            ("b/r.yaml", second),
            (
                "component/kustomization.yaml",
                "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\": \"add\", \"path\": \"/type\", \"value\": \"Opaque\"}]'\n",
            ),
        ])
    };
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";
    let build = ["build", "--error-format", "short", "-o", "/dev/null"];
    assert_snapshot!(kiln(files(secret).path(), &build), @r#"exit: 0"#);
    assert_snapshot!(kiln(files(SETTINGS).path(), &build), @r#"
    stderr:
    component/kustomization.yaml:4:11 warning[patch::no-match] the patch changes nothing: no object fits kind `Secret`
    exit: 0
    "#);
}

#[test]
fn the_formats() {
    let directory = project(&[
        ("kustomization.yaml", "resources: [base]\n"),
        ("base/kustomization.yaml", "resources: [r.yml]\n"),
        ("base/r.yaml", SETTINGS),
    ]);
    for (format, color) in [
        ("full", "never"),
        ("full", "always"),
        ("short", "never"),
        ("json", "never"),
        ("github", "never"),
    ] {
        let text = kiln(directory.path(), &["build", "--error-format", format, "--color", color]);
        let name = format!("{format}-color-{color}");
        assert_snapshot!(name, text.replace('\u{1b}', "ESC"));
    }
}

#[test]
fn secrets_are_shown_only_where_asked_for() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: hunter22: oops\n";
    let directory = project(&[("kustomization.yaml", "resources: [r.yaml]\n"), ("r.yaml", secret)]);
    assert_snapshot!(kiln(directory.path(), &["build"]), @r#"
    stderr:
    error[yaml::syntax]: a map value is not allowed here
     --> r.yaml:5:13
      |
    5 |   password: <secret, 14 bytes>
      |             ^ found here

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
    assert_snapshot!(kiln(directory.path(), &["build", "--show-secrets"]), @r#"
    stderr:
    error[yaml::syntax]: a map value is not allowed here
     --> r.yaml:5:21
      |
    5 |   password: hunter22: oops
      |                     ^ found here

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
}

/// Runs kiln under the name `kustomize`.
fn kustomize(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let names = TempDir::new().expect("there is room for temporary files");
    let program = names.path().join("kustomize");
    fs::hard_link(env!("CARGO_BIN_EXE_kiln"), &program)
        .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_kiln"), &program).map(drop))
        .expect("the program can have another name");
    let run = Command::new(&program)
        .args(arguments)
        .current_dir(directory)
        .envs(variables.iter().copied())
        .output()
        .expect("kiln can be started");
    let code = run.status.code().unwrap_or(-1);
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    format!("{}stderr: {}exit: {code}", out, err.replace(&directory.display().to_string(), "DIR"))
}

#[test]
fn under_the_name_kustomize_it_is_kustomize() {
    let directory = warned(&[("kiln.yaml", LINTS)]);
    let build = |variables: &[(&str, &str)]| kustomize(directory.path(), &["build"], variables);
    assert_snapshot!(build(&[]), @r#"
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: settings
    stderr: kustomization.yaml:3:9 warning[image::no-match] no object has the image `nginx`
    exit: 0
    "#);
    assert_snapshot!(build(&[("KUSTOMIZE_ENABLE_MANAGEDBY_LABEL", "true")]), @r#"
    apiVersion: v1
    kind: ConfigMap
    metadata:
      labels:
        app.kubernetes.io/managed-by: kustomize-v5.8.1
      name: settings
    stderr: kustomization.yaml:3:9 warning[image::no-match] no object has the image `nginx`
    exit: 0
    "#);
    let run = |arguments: &[&str]| kustomize(directory.path(), arguments, &[]);
    assert_snapshot!(run(&["version", "--short"]), @r#"
    v5.8.1
    stderr: exit: 0
    "#);
    assert_snapshot!(run(&["version"]), @r#"
    v5.8.1
    stderr: exit: 0
    "#);
    assert_snapshot!(run(&["explain"]), @r#"
    stderr: error: unrecognized subcommand 'explain'

    Usage: kustomize [OPTIONS] <COMMAND>

    For more information, try '--help'.
    exit: 1
    "#);
    assert_snapshot!(run(&["build", "--strict"]), @r#"
    stderr: error: unexpected argument '--strict' found

      tip: to pass '--strict' as a value, use '-- --strict'

    Usage: kustomize build [OPTIONS] [DIR]

    For more information, try '--help'.
    exit: 1
    "#);
    assert_snapshot!(run(&["build", "none"]), @r#"
    stderr: error[base::missing] `none` does not exist
    exit: 1
    "#);
    assert_snapshot!(run(&["build", "--enable-helm=true", "--stack-trace", "-o", "/dev/null"]), @r#"
    stderr: kustomization.yaml:3:9 warning[image::no-match] no object has the image `nginx`
    exit: 0
    "#);
}

#[test]
fn the_version_of_kustomize_has_forms() {
    let directory = project(&[]);
    let run = |arguments: &[&str]| kustomize(directory.path(), arguments, &[]);
    assert!(run(&["version", "-o", "yaml"]).starts_with("version: v5.8.1\ngitCommit: unknown\n"));
    assert!(run(&["version", "--output=json"]).starts_with("{\n  \"version\": \"v5.8.1\",\n"));
    assert_snapshot!(run(&["version", "-o", "other"]), @r#"
    stderr: exit: 0
    "#);
    assert_snapshot!(run(&["version", "--short", "-o", "yaml"]), @r#"
    stderr: Error: --short and --output are mutually exclusive
    exit: 1
    "#);
}

#[test]
fn a_kustomization_is_edited() {
    let text = "# ours\nnamePrefix: a-   # why\nresources: [a.yaml]\n";
    let directory = project(&[("app/kustomization.yaml", text), ("app/a.yaml", "")]);
    let run = |arguments: &[&str]| kiln(directory.path(), arguments);
    let in_app = |arguments: &[&str]| run(&[&["-C", "app", "edit"], arguments].concat());
    assert_snapshot!(in_app(&["set", "nameprefix", "b-"]), @r#"
    exit: 0
    "#);
    let read = || fs::read_to_string(directory.path().join("app/kustomization.yaml"));
    let want = text.replace("a-   #", "b-   #");
    assert_eq!(read().expect("it is there"), want);
    assert_snapshot!(in_app(&["add", "resource", "a.yaml"]), @r#"
    stderr:
    note: resource a.yaml already in kustomization file
    exit: 0
    "#);
    assert_snapshot!(in_app(&["add", "resource", "a.yaml", "-q"]), @r#"
    exit: 0
    "#);
    assert_snapshot!(in_app(&["add", "resource", "https://example.com/b.yaml"]), @r#"
    exit: 0
    "#);
    assert_snapshot!(in_app(&["set", "nameprefix", "b-", "c-"]), @r#"
    stderr:
    error[cli::usage] must specify exactly one prefix value
    exit: 2
    "#);
    assert_snapshot!(in_app(&["set", "label", "a:b", "--without-selector"]), @r#"
    stderr:
    error: unexpected argument '--without-selector' found

      tip: to pass '--without-selector' as a value, use '-- --without-selector'

    Usage: kiln edit set label <PAIR>...

    For more information, try '--help'.
    exit: 2
    "#);
    assert_snapshot!(in_app(&["remove", "label", "a"]), @r#"
    stderr:
    error[edit::refused] commonLabels is not defined in kustomization file
    exit: 1
    "#);
    assert_snapshot!(in_app(&["remove", "component", "a"]), @r#"
    stderr:
    error: unrecognized subcommand 'component'

    Usage: kiln edit remove [OPTIONS] [COMMAND]

    For more information, try '--help'.
    exit: 2
    "#);
    assert_eq!(
        read().expect("it is there"),
        want.replace("[a.yaml]", "[a.yaml, 'https://example.com/b.yaml']")
    );
}

#[test]
fn a_kustomization_that_cannot_be_edited_stays() {
    let directory = project(&[
        ("none/a.yaml", ""),
        ("two/kustomization.yaml", "namespace: a\n"),
        ("two/Kustomization", "namespace: a\n"),
        ("faulty/kustomization.yml", "namespace: a\nresources: [a\n"),
        ("unknown/kustomization.yml", "namespace: 1\nresource: [a]\n"),
    ]);
    let set = |place: &str| kiln(directory.path(), &["-C", place, "edit", "set", "namespace", "b"]);
    assert_snapshot!(set("none"), @r#"
    stderr:
    error[kustomization::missing] Missing kustomization file 'kustomization.yaml'.
    exit: 1
    "#);
    assert_snapshot!(set("two"), @r#"
    stderr:
    error[kustomization::ambiguous] Found multiple kustomization file: [kustomization.yaml Kustomization]
    exit: 1
    "#);
    assert_snapshot!(set("faulty"), @r#"
    stderr:
    error[yaml::syntax]: expected `,` or `]`
     --> kustomization.yml:3:1
      |
    2 | resources: [a
      |            - while reading a list that begins here
    3 |
      | ^ found here

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
    assert_snapshot!(set("unknown"), @r#"
    stderr:
    error[kustomization::wrong-type]: `namespace` takes a string, found the number `1`
     --> kustomization.yml:1:12
      |
    1 | namespace: 1
      |            ^ not a string
      |
      = help: put the value in quotes

    error[kustomization::unknown-field]: unknown field `resource`
     --> kustomization.yml:2:1
      |
    2 | resource: [a]
      | ^^^^^^^^ not known
      |
      = help: did you mean `resources`?

    2 errors; `kiln explain CODE` says more about a code
    exit: 1
    "#);
    let set = |place: &str| {
        kustomize(&directory.path().join(place), &["edit", "set", "namespace", "b"], &[])
    };
    assert_snapshot!(set("none"), @r#"
    stderr: Error: Missing kustomization file 'kustomization.yaml'.
    exit: 1
    "#);
    assert_snapshot!(set("two"), @r#"
    stderr: Error: Found multiple kustomization file: [kustomization.yaml Kustomization]
    exit: 1
    "#);
    assert_snapshot!(set("unknown"), @r#"
    stderr: kustomization.yml:1:12 error[kustomization::wrong-type] `namespace` takes a string, found the number `1`
    kustomization.yml:2:1 error[kustomization::unknown-field] unknown field `resource`
    exit: 1
    "#);
    let create = kiln(directory.path(), &["-C", "two", "create"]);
    assert_snapshot!(create, @r#"
    stderr:
    error[kustomization::ambiguous] Found multiple kustomization file: [kustomization.yaml Kustomization]
    exit: 1
    "#);
}

#[test]
fn a_code_is_explained() {
    let directory = project(&[]);
    let run = |arguments: &[&str]| kiln(directory.path(), arguments);
    assert!(run(&["explain", "patch::no-match"]).starts_with("stdout:\n# patch::no-match\n"));
    assert!(run(&["explain", "[patch::no-match]"]).starts_with("stdout:\n# patch::no-match\n"));
    assert!(run(&["explain"]).contains("\npatch::no-match "));
    assert_snapshot!(run(&["explain", "patch::nomatch"]), @r#"
    stderr:
    error[cli::usage] `patch::nomatch` is not a code; did you mean `patch::no-match`?
    exit: 2
    "#);
}

#[test]
fn completions_and_manual_pages_are_printed() {
    let directory = project(&[]);
    let run = |arguments: &[&str]| kiln(directory.path(), arguments);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(run(&["completions", shell]).contains("error-format"), "{shell}");
    }
    assert!(run(&["man"]).contains(".TH kiln 1"));
    assert!(run(&["man", "build"]).contains(".TH kiln-build 1"));
    assert!(run(&["man", "argocd", "generate"]).contains(".TH kiln-argocd-generate 1"));
    assert_snapshot!(run(&["man", "none"]), @r#"
    stderr:
    error[cli::usage] there is no command `none`
    exit: 2
    "#);
}

#[test]
fn bytes_that_are_no_text_are_shown() {
    let directory = project(&[("kustomization.yaml", "resources: [r.yaml]\n")]);
    fs::write(directory.path().join("r.yaml"), b"a: \xed\xa0 b\n").expect("it can be written");
    assert_snapshot!(kiln(directory.path(), &["build"]), @r#"
    stderr:
    error[file::not-utf8]: the file is not UTF-8 text
     --> r.yaml:1:4
      |
    1 | a: �� b
      |    ^ not UTF-8

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
    fs::write(directory.path().join("kustomization.yaml"), b"\xed").expect("it can be written");
    assert_snapshot!(kiln(directory.path(), &["build"]), @r#"
    stderr:
    error[file::not-utf8]: the file is not UTF-8 text
     --> kustomization.yaml:1:1
      |
    1 | �
      | ^ not UTF-8

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
}

#[cfg(unix)]
#[test]
fn paths_need_not_be_unicode() {
    use std::os::unix::ffi::OsStrExt;
    let directory = good();
    let odd = directory.path().join(std::ffi::OsStr::from_bytes(b"a\xff"));
    fs::create_dir(&odd).expect("the file system takes any bytes");
    fs::write(odd.join("kustomization.yaml"), "resources: [r.yaml, none.yaml]\n")
        .expect("it can be written");
    fs::write(odd.join("r.yaml"), SETTINGS).expect("it can be written");
    assert_snapshot!(kiln(&odd, &["build", "--error-format", "short"]), @r#"
    stderr:
    kustomization.yaml:1:21 error[file::missing] `none.yaml` does not exist
    exit: 1
    "#);
    fs::write(odd.join("kustomization.yaml"), "resources: [r.yaml]\n").expect("it can be written");
    assert_snapshot!(kiln(&odd, &["build", "-o", "out.yaml"]), @r#"exit: 0"#);
    assert!(odd.join("out.yaml").is_file());
}

#[cfg(unix)]
#[test]
fn hostile_input_ends_in_a_diagnostic() {
    use std::os::unix::fs::symlink;
    let aliases = (1..10).fold("x: &a0 [1, 1]\n".to_owned(), |text, n| {
        let before = n - 1;
        format!("{text}x{n}: &a{n} [{}]\n", vec![format!("*a{before}"); 9].join(", "))
    });
    let deep = format!("{SETTINGS}x: {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    let bomb = format!("{SETTINGS}{aliases}");
    let directory = project(&[
        ("deep/kustomization.yaml", "resources: [r.yaml]\n"),
        ("deep/r.yaml", &deep),
        ("bomb/kustomization.yaml", "resources: [r.yaml]\n"),
        ("bomb/r.yaml", &bomb),
        ("device/kustomization.yaml", "resources: [r.yaml]\n"),
        ("loop/kustomization.yaml", "resources: [a]\n"),
    ]);
    symlink("/dev/zero", directory.path().join("device/r.yaml")).expect("a link can be made");
    symlink("a", directory.path().join("loop/a")).expect("a link can be made");
    for name in ["deep", "bomb", "device", "loop"] {
        let text = kiln(directory.path(), &["build", "--error-format", "short", name]);
        assert_snapshot!(format!("hostile-{name}"), text);
    }
}
