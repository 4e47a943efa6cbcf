//! kiln as Argo CD's config-management plugin: `kiln argocd` is started as the plugin server starts it, with its variables and
//! in the path of the Application.

// Argo CD runs on Linux.
#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "tests run the program and write its input")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

const KILN_YAML: &str = "\
apiVersion: kiln/v1
kind: Project
kubernetes: {version: \"1.34\"}
values: {files: [values/defaults.yaml], schema: values/schema.json}
templates: [\"**/*.j2\"]
environments:
  dev: {path: overlays/dev}
  prod: {path: overlays/prod, values: [values/prod.yaml]}
  blue: {path: overlays/pair}
  green: {path: overlays/pair}
";

const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "tag": {"type": "string", "description": "The tag of the image"},
    "replicas": {"type": "integer", "default": 1},
    "token": {"type": "string", "x-kiln-secret": true}
  }
}"#;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: {{ values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: \"web:{{ values.tag }}\"}
";

/// A repository as the repo server unpacks it: without `.git`, below a directory that belongs to nobody.
struct Repository {
    above: TempDir,
}

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self { above: TempDir::new().expect("there is room for files") };
        for (name, text) in files {
            repository.write(name, text);
        }
        repository
    }

    /// A shop with templates, values and environments.
    fn shop() -> Self {
        Self::new(&[
            ("kiln.yaml", KILN_YAML),
            ("values/defaults.yaml", "tag: \"1.0\"\nreplicas: 1\ntoken: hunter2\n"),
            ("values/prod.yaml", "replicas: 3\n"),
            ("values/night.yaml", "replicas: 0\n"),
            ("values/schema.json", SCHEMA),
            ("base/kustomization.yaml", "resources: [deployment.yaml.j2]\n"),
            ("base/deployment.yaml.j2", DEPLOYMENT),
            ("overlays/dev/kustomization.yaml", "namePrefix: dev-\nresources: [../../base]\n"),
            ("overlays/prod/kustomization.yaml", "resources: [../../base]\n"),
            ("overlays/pair/kustomization.yaml", "resources: [../../base]\n"),
        ])
    }

    fn root(&self) -> PathBuf {
        self.above.path().canonicalize().expect("it is there").join("checkout")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root_or_above().join(name);
        fs::create_dir_all(path.parent().expect("a file is in a directory")).expect("it is made");
        fs::write(path, text).expect("it is written");
    }

    fn root_or_above(&self) -> PathBuf {
        self.above.path().join("checkout")
    }

    /// Starts kiln in the path of an Application.
    fn run(&self, path: &str, parameters: &str, arguments: &[&str]) -> Output {
        start(&self.root().join(path), path, parameters, arguments)
    }

    fn generate(&self, path: &str, parameters: &Value) -> Output {
        self.run(path, &parameters.to_string(), &["generate"])
    }

    /// What `kiln` prints in the root.
    fn kiln(&self, arguments: &[&str]) -> String {
        let run = Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args(arguments)
            .current_dir(self.root())
            .output()
            .expect("kiln can be started");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).expect("the output is text")
    }
}

/// Starts kiln as `argocd-cmp-server` does, in a directory.
fn start(directory: &Path, path: &str, parameters: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kiln"))
        .arg("argocd")
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .envs([
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("ARGOCD_APP_NAME", "shop"),
            ("ARGOCD_APP_NAMESPACE", "shop"),
            ("ARGOCD_APP_PROJECT_NAME", "default"),
            ("ARGOCD_APP_REVISION", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
            ("ARGOCD_APP_REVISION_SHORT", "4b825dc"),
            ("ARGOCD_APP_REVISION_SHORT_8", "4b825dc6"),
            ("ARGOCD_APP_SOURCE_REPO_URL", "https://github.com/acme/shop.git"),
            ("ARGOCD_APP_SOURCE_PATH", path),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", "main"),
            ("KUBE_VERSION", "1.33.1"),
            ("KUBE_API_VERSIONS", "v1,apps/v1,apps/v1/Deployment"),
            ("ARGOCD_ENV_TEAM", "shop"),
            ("ARGOCD_APP_PARAMETERS", parameters),
        ])
        .output()
        .expect("kiln can be started")
}

fn output(run: &Output) -> String {
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout.clone()).expect("the output is text")
}

/// What Argo CD shows of a failure. There is no output that it could apply, and nothing but text to show.
fn failure(run: &Output) -> String {
    let text = String::from_utf8(run.stderr.clone()).expect("an error is text");
    assert_eq!(run.status.code(), Some(1), "{text}");
    assert!(run.stdout.is_empty(), "{text}");
    assert!(text.is_ascii() && !text.contains('\u{1b}'), "{text}");
    assert!(text.lines().next().is_some_and(|line| line.contains("error[")), "{text}");
    text
}

#[test]
fn the_environment_is_that_of_the_path_or_the_one_that_is_named() {
    let shop = Repository::shop();
    let prod = shop.kiln(&["build", "prod"]);
    assert!(prod.contains("replicas: 3"), "{prod}");
    assert_eq!(output(&shop.generate("overlays/prod", &json!([]))), prod);
    assert_eq!(output(&shop.run("overlays/prod", "null", &["generate"])), prod);
    let named = json!([{ "name": "env", "string": "prod" }]);
    for path in ["overlays/dev", "overlays/pair", "base", "."] {
        assert_eq!(output(&shop.generate(path, &named)), prod, "{path}");
    }
}

#[test]
fn an_application_sets_values() {
    let shop = Repository::shop();
    let parameters = json!([
        { "name": "values", "array": ["../../values/night.yaml"] },
        { "name": "set", "map": { "tag": "1.10" } },
    ]);
    let text = output(&shop.generate("overlays/prod", &parameters));
    let same = ["build", "prod", "--values", "values/night.yaml", "--set", "tag=1.10"];
    assert_eq!(text, shop.kiln(&same));
    assert!(text.contains("replicas: 0") && text.contains("image: web:1.10"), "{text}");
    let from_root = json!([{ "name": "values", "array": ["/values/night.yaml"] }]);
    assert!(output(&shop.generate("overlays/prod", &from_root)).contains("replicas: 0"));
}

#[test]
fn what_is_not_clear_is_an_error() {
    let shop = Repository::shop();
    fs::write(shop.above.path().join("above.yaml"), "tag: hunter2\n").expect("it is written");
    for (path, parameters, want) in [
        (
            "overlays/prod",
            r#"[{"name":"set","map":{"token":"hunter2"}"#,
            "error[argocd::parameters] `ARGOCD_APP_PARAMETERS` is not JSON: it breaks off or is wrong at line 1, column 40\n",
        ),
        (
            "overlays/prod",
            r#"{"env":"prod"}"#,
            "error[argocd::parameters] `ARGOCD_APP_PARAMETERS` is not a list of parameters\n",
        ),
        (
            "overlays/prod",
            r#"[{"name":"value","array":["a.yaml"]}]"#,
            "error[argocd::parameters] kiln has no parameter `value`\n  \
             help: did you mean `values`? the parameters are `env` (string), `values` (array) and `set` (map)\n",
        ),
        (
            "overlays/prod",
            r#"[{"name":"env","string":"porduction"}]"#,
            "error[environment::unknown] the parameter `env` names `porduction`, which is no environment\n  \
             help: the environments are `dev`, `prod`, `blue`, `green`\n",
        ),
        (
            "overlays/pair",
            "[]",
            "error[argocd::environment] several environments have the Application's path, `overlays/pair`\n  \
             help: set the parameter `env` to one of `blue`, `green`\n",
        ),
        (
            "base",
            "[]",
            "error[argocd::environment] no environment has the Application's path, `base`\n  \
             help: set the parameter `env`; the environments are `dev`, `prod`, `blue`, `green`\n",
        ),
        (
            "overlays/prod",
            r#"[{"name":"values","array":["../../../above.yaml"]}]"#,
            "error[values::missing] the values file `../above.yaml` cannot be read: it lies outside of the repository\n",
        ),
        (
            "overlays/prod",
            r#"[{"name":"set","map":{"replicas":"many"}}]"#,
            "parameters.set:1:10 error[values::schema] `replicas`: \"many\" is not of type \"integer\"\n  \
             help: the schema says so at `values/schema.json#/properties/replicas/type`\n",
        ),
        (
            "overlays/prod",
            r#"[{"name":"set","map":{"tag.":"1"}}]"#,
            "error[values::invalid] `parameters.set tag.=...`: what stands before `=` is no path as `a.b[0]`\n",
        ),
    ] {
        let text = failure(&shop.run(path, parameters, &["generate"]));
        assert_eq!(text, want, "{parameters}");
        assert!(!text.contains("hunter2"));
    }
    for path in ["..", "/etc", "../checkout"] {
        let text = failure(&start(&shop.root(), path, "[]", &["generate"]));
        let want = format!(
            "error[argocd::parameters] the path of the Application, `{path}`, leads out of its repository\n"
        );
        assert!(text.starts_with(&want), "{text}");
    }
}

#[test]
fn a_fault_begins_with_its_place_in_the_repository() {
    let shop = Repository::shop();
    shop.write(
        "base/deployment.yaml.j2",
        "kind: Deployment\nmetadata: {name: \"{{ values.tga }}\"}\n",
    );
    let text = failure(&shop.generate("overlays/prod", &json!([])));
    assert!(text.starts_with("base/deployment.yaml.j2:2:20 error[template::undefined] "), "{text}");
    assert!(text.contains("\n  help: "), "{text}");
}

#[test]
fn many_errors_are_a_few_lines() {
    let resources: Vec<String> = (0..40).map(|index| format!("missing-{index}.yaml")).collect();
    let text = format!("resources: [{}]\n", resources.join(", "));
    let repository = Repository::new(&[("kustomization.yaml", &text)]);
    let text = failure(&repository.generate(".", &json!([])));
    assert!(text.starts_with("kustomization.yaml:1:13 error[file::missing] "), "{text}");
    assert!(text.ends_with("\n30 more errors\n"), "{text}");
}

#[test]
fn nothing_outside_of_the_repository_is_read() {
    let shop = Repository::shop();
    // A project file, and objects, that another tenant has put above.
    fs::write(shop.above.path().join("kiln.yaml"), "apiVersion: kiln/v1\nkind: Nonsense\n")
        .expect("it is written");
    let outside = shop.above.path().join("outside");
    fs::create_dir_all(&outside).expect("it is made");
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: stolen}\nstringData: {a: hunter2}\n";
    fs::write(outside.join("secret.yaml"), secret).expect("it is written");
    fs::write(outside.join("kustomization.yaml"), "resources: [secret.yaml]\n")
        .expect("it is written");
    shop.write("overlays/dev/kustomization.yaml", "resources: [../../../outside]\n");
    let text = failure(&shop.generate("overlays/dev", &json!([])));
    assert!(text.starts_with("overlays/dev/kustomization.yaml:1:13 error["), "{text}");
    assert!(text.contains("outside of the repository") && !text.contains("hunter2"), "{text}");
    let link = shop.root().join("overlays/dev/link.yaml");
    std::os::unix::fs::symlink("../../../outside/secret.yaml", link).expect("a link is made");
    shop.write("overlays/dev/kustomization.yaml", "resources: [link.yaml]\n");
    let text = failure(&shop.generate("overlays/dev", &json!([])));
    assert!(!text.contains("hunter2"), "{text}");
    fs::remove_file(shop.root().join("kiln.yaml")).expect("it is removed");
    shop.write("plain/kustomization.yaml", "resources: [r.yaml]\n");
    shop.write("plain/r.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n");
    let text = output(&shop.generate("plain", &json!([])));
    assert!(text.contains("kind: ConfigMap"), "without a project file the path is built: {text}");
}

#[test]
fn an_output_without_objects_is_an_error() {
    let repository = Repository::new(&[("app/kustomization.yaml", "namePrefix: a-\n")]);
    let text = failure(&repository.generate("app", &json!([])));
    assert_eq!(
        text,
        "error[argocd::empty] environment `app` yields no object: Argo CD would delete all that it has applied\n  \
         help: if that is meant, run `kiln argocd generate --allow-empty`\n"
    );
    assert_eq!(output(&repository.run("app", "[]", &["generate", "--allow-empty"])), "");
}

#[test]
fn a_part_of_the_repository_without_the_project_file_is_an_error() {
    let shop = Repository::shop();
    let prod = shop.kiln(&["build", "prod"]);
    // The repo server has sent what lies below `k8s/shop` of a larger repository.
    let directory = shop.root().join("overlays/prod");
    let path = "k8s/shop/overlays/prod";
    assert_eq!(output(&start(&directory, path, "[]", &["generate"])), prod);
    fs::remove_file(shop.root().join("kiln.yaml")).expect("it is removed");
    let text = failure(&start(&directory, path, "[]", &["generate"]));
    assert!(text.starts_with("error[argocd::incomplete] "), "{text}");
    shop.write("overlays/prod/kustomization.yaml", "resources: [r.yaml]\n");
    shop.write("overlays/prod/r.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    let run = start(&directory, path, "[]", &["generate", "--no-project"]);
    assert!(output(&run).contains("kind: ConfigMap"));
}

#[test]
fn secrets_are_passed_on_unless_they_are_forbidden_or_unreadable() {
    let generated = "secretGenerator:\n- {name: login, literals: [password=hunter2]}\n";
    let repository = Repository::new(&[("app/kustomization.yaml", generated)]);
    assert!(output(&repository.generate("app", &json!([]))).contains("kind: Secret"));
    let project = |secrets: &str| {
        format!(
            "apiVersion: kiln/v1\nkind: Project\nenvironments: {{app: {{path: app}}}}\nrender: {{{secrets}}}\n"
        )
    };
    repository.write("kiln.yaml", &project("secrets: encrypted"));
    assert!(output(&repository.generate("app", &json!([]))).contains("kind: Secret"));
    repository.write("kiln.yaml", &project("secrets: forbid"));
    let text = failure(&repository.generate("app", &json!([])));
    assert!(text.contains("error[render::secret] the project forbids `Secret/login-"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    repository.write("kiln.yaml", &project("secrets: forbid, allowSecrets: [Secret//login]"));
    assert!(output(&repository.generate("app", &json!([]))).contains("kind: Secret"));
    repository.write("app/kustomization.yaml", "resources: [sops.yaml]\n");
    repository.write(
        "app/sops.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {a: \"ENC[x]\"}\nsops: {version: 3.9.0}\n",
    );
    let text = failure(&repository.generate("app", &json!([])));
    assert!(text.starts_with("app/sops.yaml:1:1 error[argocd::encrypted] "), "{text}");
}

#[test]
fn parameters_are_announced_with_their_defaults() {
    let shop = Repository::shop();
    let read = |path: &str, parameters: &str| -> Vec<Value> {
        let text = output(&shop.run(path, parameters, &["parameters"]));
        serde_json::from_str(&text).expect("an announcement is a list")
    };
    let announced = read("overlays/prod", "null");
    assert_eq!(
        announced,
        [
            json!({
                "name": "env", "title": "Environment", "tooltip": "One of dev, prod, blue, green",
                "collectionType": "string", "required": false, "string": "prod",
            }),
            json!({
                "name": "set", "title": "Values", "collectionType": "map",
                "tooltip": "Values by their paths, as image.tag; they win over files\ntag: The tag of the image",
                "map": { "tag": "1.0", "replicas": "3" },
            }),
            json!({
                "name": "values", "title": "Files of values", "collectionType": "array",
                "tooltip": "Paths relative to the Application, or to the repository if they begin with /; later ones win",
            }),
        ]
    );
    // The user is about to choose: the environment, or a value in place of a wrong one.
    let announced = read("base", "[]");
    assert_eq!(announced[0]["required"], true);
    assert_eq!(announced[1]["map"]["replicas"], "1");
    let announced = read("overlays/prod", r#"[{"name":"set","map":{"replicas":"many"}}]"#);
    assert_eq!(announced[1]["map"]["replicas"], "3");
    let announced = read("base", r#"[{"name":"env","string":"dev"}]"#);
    assert_eq!(announced[0]["string"], "dev");
    assert!(failure(&shop.run("base", "[", &["parameters"])).contains("is not JSON"));
}

#[test]
fn objects_are_checked_against_the_cluster_unless_the_project_names_a_version() {
    let cron = "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: nightly}\nspec:\n  schedule: 0 1 * * *\n  \
                jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}\n";
    let repository = Repository::new(&[
        ("app/kustomization.yaml", "resources: [cron.yaml]\n"),
        ("app/cron.yaml", cron),
    ]);
    // Kubernetes 1.33 of the cluster does not serve it; the kustomization alone has no version.
    let text = failure(&repository.generate("app", &json!([])));
    assert!(text.starts_with("app/cron.yaml:1:13 error[schema::removed-version] "), "{text}");
    assert!(
        output(&repository.run("app", "[]", &["generate", "--no-validate"])).contains("CronJob")
    );
    repository.write(
        "kiln.yaml",
        "apiVersion: kiln/v1\nkind: Project\nkubernetes: {version: \"1.25\"}\nenvironments: {app: {path: app}}\n",
    );
    let text = failure(&repository.generate("app", &json!([])));
    assert!(text.contains("1.25"), "{text}");
    repository.write("app/cron.yaml", &cron.replace("v1beta1", "v1"));
    let same = output(&repository.generate("app", &json!([])));
    for (version, says) in [
        ("1.33.1", ""),
        ("v1.34.2", ""),
        ("1.99.0", "`1.99.0` (`KUBE_VERSION`) are not known"),
        ("1.20", "those of 1.25 are taken"),
        ("nonsense", "`nonsense` (`KUBE_VERSION`) are not known"),
    ] {
        fs::remove_file(repository.root().join("kiln.yaml")).unwrap_or_default();
        let run = Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args(["argocd", "generate"])
            .current_dir(repository.root().join("app"))
            .env_clear()
            .env("ARGOCD_APP_SOURCE_PATH", "app")
            .env("KUBE_VERSION", version)
            .output()
            .expect("kiln can be started");
        assert_eq!(output(&run), same, "the version changes nothing about the objects");
        let log = String::from_utf8_lossy(&run.stderr);
        assert_eq!(log.is_empty(), says.is_empty(), "{version}: {log}");
        assert!(log.contains(says), "{version}: {log}");
    }
}
