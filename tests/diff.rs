//! `kiln diff` and `kiln affected`, on repositories that the tests write.

#![expect(clippy::disallowed_methods, reason = "tests run the program and write its input")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use gix::objs::tree::EntryKind;
use insta::assert_snapshot;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A repository with a work tree. Commits have fixed authors and dates, so that their ids are the same in every run.
struct Repository {
    directory: TempDir,
    git: gix::Repository,
    files: BTreeMap<String, String>,
}

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().expect("there is room for temporary files");
        let git = gix::init(directory.path()).expect("a repository can be made");
        let mut repository = Self { directory, git, files: BTreeMap::new() };
        repository.write(files);
        repository.commit();
        repository
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes files to the work tree.
    fn write(&mut self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = self.path().join(name);
            fs::create_dir_all(path.parent().expect("a file is in a directory"))
                .expect("it can be made");
            fs::write(path, text).expect("it can be written");
            self.files.insert((*name).to_owned(), (*text).to_owned());
        }
    }

    fn remove(&mut self, name: &str) {
        fs::remove_file(self.path().join(name)).expect("it can be removed");
        self.files.remove(name);
    }

    /// Commits the work tree on top of the present branch.
    fn commit(&mut self) -> String {
        let parent = self.git.head_id().ok().map(gix::Id::detach);
        self.commit_on(parent, "refs/heads/main")
    }

    fn commit_on(&mut self, parent: Option<gix::ObjectId>, branch: &str) -> String {
        let git = &self.git;
        let mut tree = git.edit_tree(git.empty_tree().id).expect("a tree can be edited");
        for (path, text) in &self.files {
            let (kind, id) = match text.strip_prefix("submodule ") {
                Some(id) => {
                    (EntryKind::Commit, gix::ObjectId::from_hex(id.as_bytes()).expect("an id"))
                }
                None => {
                    (EntryKind::Blob, git.write_blob(text).expect("it can be written").detach())
                }
            };
            tree.upsert(path.as_str(), kind, id).expect("a file can be added");
        }
        let tree = tree.write().expect("it can be written").detach();
        let who = gix::actor::SignatureRef {
            name: "Test".into(),
            email: "test@example.com".into(),
            time: "1700000000 +0000",
        };
        let commit =
            git.new_commit_as(who, who, "change", tree, parent).expect("it can be written");
        let id = commit.id;
        let any = gix::refs::transaction::PreviousValue::Any;
        git.reference(branch, id, any, "commit").expect("a branch can be set");
        fs::write(git.git_dir().join("HEAD"), "ref: refs/heads/main\n").expect("HEAD can be set");
        id.to_string()
    }

    fn kiln(&self, arguments: &[&str]) -> String {
        shown(&self.output(arguments)).replace(&self.path().display().to_string(), "DIR")
    }

    fn output(&self, arguments: &[&str]) -> std::process::Output {
        kiln(self.path()).args(arguments).output().expect("kiln can be started")
    }

    fn stdout(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.output(arguments).stdout).expect("it is text")
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.stdout(arguments)).expect("it is JSON")
    }
}

fn kiln(directory: &Path) -> Command {
    let mut kiln = Command::new(env!("CARGO_BIN_EXE_kiln"));
    kiln.current_dir(directory).env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
    kiln
}

fn shown(run: &std::process::Output) -> String {
    let mut text = String::new();
    for (name, bytes) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        if !bytes.is_empty() {
            let _ = writeln!(text, "{name}:\n{}", String::from_utf8_lossy(bytes).trim_end());
        }
    }
    let _ = write!(text, "exit: {}", run.status.code().unwrap_or(-1));
    text
}

const PROJECT: &str = "apiVersion: kiln/v1\nkind: Project\nvalues: {files: [values.yaml]}\ntemplates: ['*.j2']\n\
    environments:\n  dev: {path: dev}\n  prod: {path: prod, values: ['prod.yaml?']}\n";

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        envFrom:
        - configMapRef: {name: settings}
        - secretRef: {name: login}
      - name: sidecar
        image: sidecar:1
";

const SERVICE: &str = "apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
";

const BASE: &str = "resources: [web.yaml, service.yaml]
configMapGenerator:
- name: settings
  files: [app.conf]
secretGenerator:
- name: login
  literals: [password=hunter2hunter2]
";

fn shop() -> Repository {
    Repository::new(&[
        ("kiln.yaml", PROJECT),
        ("values.yaml", "host: example.com\n"),
        ("base/kustomization.yaml", BASE),
        ("base/web.yaml", WEB),
        ("base/service.yaml", SERVICE),
        ("base/app.conf", "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"),
        ("dev/kustomization.yaml", "namespace: dev\nresources: [../base]\n"),
        (
            "prod/kustomization.yaml",
            "namespace: prod\nresources: [../base]\nreplicas: [{name: web, count: 3}]\n",
        ),
    ])
}

/// A change of everything that a report tells apart.
fn changed_shop() -> Repository {
    let mut shop = shop();
    let web = WEB
        .replace("image: web:1", "image: web:2")
        .replace("      - name: sidecar\n        image: sidecar:1\n", "")
        .replace(
            "      containers:\n",
            "      containers:\n      - name: sidecar\n        image: sidecar:1\n        args: [--port, \"8080\"]\n",
        );
    shop.write(&[
        ("base/web.yaml", &web),
        ("base/service.yaml", &SERVICE.replace("name: web", "name: front")),
        ("base/app.conf", "one\ntwo\nthree\nfour\nFIVE\nsix\nseven\neight\nnine\n"),
        ("base/kustomization.yaml", &BASE.replace("hunter2hunter2", "correcthorse12")),
        (
            "prod/kustomization.yaml",
            "namespace: prod\nresources: [../base]\nreplicas: [{name: web, count: 5}]\n\
            labels: [{pairs: {app: front}, includeSelectors: true}]\n",
        ),
    ]);
    shop
}

#[test]
fn a_report_says_what_changed_and_what_it_does() {
    assert_snapshot!(changed_shop().kiln(&["diff"]), @r#"
    stdout:
    dev
      ~ ConfigMap/dev/settings  content hash dk24fb9cg9 → 444f97d454, rolls Deployment/dev/web
          data.app\.conf:
            @@ -2,7 +2,7 @@
             two
             three
             four
            -five
            +FIVE
             six
             seven
             eight
      ~ Secret/dev/login  content hash 6kh26cf94g → k46c5chdbg, rolls Deployment/dev/web
          data.password: <secret, 20 bytes> → <secret, 20 bytes>
      + Service/dev/front  renamed from web
          + apiVersion: v1
          + kind: Service
          + metadata:
          +   name: front
          +   namespace: dev
          + spec:
          +   ports:
          +   - port: 80
          +     targetPort: 8080
          +   selector:
          +     app: web
      ~ Deployment/dev/web  rolls pods
          spec.template.spec.containers[name=web]: moved from 0 to 1
          spec.template.spec.containers[name=web].image: web:1 → web:2
          + spec.template.spec.containers[name=sidecar].args: [--port, "8080"]
      - Service/dev/web  renamed to front

    prod
      ~ ConfigMap/prod/settings  content hash dk24fb9cg9 → 444f97d454, rolls Deployment/prod/web
          data.app\.conf:
            @@ -2,7 +2,7 @@
             two
             three
             four
            -five
            +FIVE
             six
             seven
             eight
          + metadata.labels: {app: front}
      ~ Secret/prod/login  content hash 6kh26cf94g → k46c5chdbg, rolls Deployment/prod/web
          data.password: <secret, 20 bytes> → <secret, 20 bytes>
          + metadata.labels: {app: front}
      + Service/prod/front  renamed from web
          + apiVersion: v1
          + kind: Service
          + metadata:
          +   labels:
          +     app: front
          +   name: front
          +   namespace: prod
          + spec:
          +   ports:
          +   - port: 80
          +     targetPort: 8080
          +   selector:
          +     app: front
      ~ Deployment/prod/web  replace required
          + metadata.labels: {app: front}
          spec.replicas: 3 → 5
          spec.selector.matchLabels.app: web → front
          spec.template.metadata.labels.app: web → front
          spec.template.spec.containers[name=web]: moved from 0 to 1
          spec.template.spec.containers[name=web].image: web:1 → web:2
          + spec.template.spec.containers[name=sidecar].args: [--port, "8080"]
      - Service/prod/web  renamed to front

    2 of 2 environments differ: 6 changed, 2 created, 2 deleted; 1 rolls pods, 1 has to be replaced
    exit: 0
    "#);
}

#[test]
fn nothing_is_folded_if_all_is_asked_for() {
    assert_snapshot!(changed_shop().kiln(&["diff", "--raw", "--", "dev"]), @r#"
    stdout:
    dev
      ~ ConfigMap/dev/settings  content hash dk24fb9cg9 → 444f97d454, rolls Deployment/dev/web
          data.app\.conf:
            @@ -2,7 +2,7 @@
             two
             three
             four
            -five
            +FIVE
             six
             seven
             eight
          metadata.name: settings-dk24fb9cg9 → settings-444f97d454
      ~ Secret/dev/login  content hash 6kh26cf94g → k46c5chdbg, rolls Deployment/dev/web
          data.password: <secret, 20 bytes> → <secret, 20 bytes>
          metadata.name: login-6kh26cf94g → login-k46c5chdbg
      + Service/dev/front  renamed from web
          + apiVersion: v1
          + kind: Service
          + metadata:
          +   name: front
          +   namespace: dev
          + spec:
          +   ports:
          +   - port: 80
          +     targetPort: 8080
          +   selector:
          +     app: web
      ~ Deployment/dev/web  rolls pods
          spec.template.spec.containers[name=web]: moved from 0 to 1
          spec.template.spec.containers[name=web].envFrom[0].configMapRef.name: settings-dk24fb9cg9 → settings-444f97d454
          spec.template.spec.containers[name=web].envFrom[1].secretRef.name: login-6kh26cf94g → login-k46c5chdbg
          spec.template.spec.containers[name=web].image: web:1 → web:2
          + spec.template.spec.containers[name=sidecar].args: [--port, "8080"]
      - Service/dev/web  renamed to front
          - apiVersion: v1
          - kind: Service
          - metadata:
          -   name: web
          -   namespace: dev
          - spec:
          -   ports:
          -   - port: 80
          -     targetPort: 8080
          -   selector:
          -     app: web

    3 changed, 1 created, 1 deleted; 1 rolls pods
    exit: 0
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a whole report")]
fn a_report_can_be_a_unified_difference() {
    assert_snapshot!(changed_shop().kiln(&["diff", "--format", "unified", "--", "prod"]), @r#"
    stdout:
    # prod/ConfigMap/prod/settings: content hash dk24fb9cg9 → 444f97d454, rolls Deployment/prod/web
    --- a/prod/ConfigMap/prod/settings
    +++ b/prod/ConfigMap/prod/settings
    @@ -5,12 +5,14 @@
         two
         three
         four
    -    five
    +    FIVE
         six
         seven
         eight
         nine
     kind: ConfigMap
     metadata:
    +  labels:
    +    app: front
       name: settings-444f97d454
       namespace: prod
    # prod/Secret/prod/login: content hash 6kh26cf94g → k46c5chdbg, rolls Deployment/prod/web
    --- a/prod/Secret/prod/login
    +++ b/prod/Secret/prod/login
    @@ -1,8 +1,10 @@
     apiVersion: v1
     data:
    -  password: <secret, 20 bytes>
    +  password: <secret, 20 bytes, changed>
     kind: Secret
     metadata:
    +  labels:
    +    app: front
       name: login-k46c5chdbg
       namespace: prod
     type: Opaque
    --- /dev/null
    +++ b/prod/Service/prod/front
    @@ -0,0 +1,13 @@
    +apiVersion: v1
    +kind: Service
    +metadata:
    +  labels:
    +    app: front
    +  name: front
    +  namespace: prod
    +spec:
    +  ports:
    +  - port: 80
    +    targetPort: 8080
    +  selector:
    +    app: front
    --- a/prod/Deployment/prod/web
    +++ b/prod/Deployment/prod/web
    @@ -1,25 +1,30 @@
     apiVersion: apps/v1
     kind: Deployment
     metadata:
    +  labels:
    +    app: front
       name: web
       namespace: prod
     spec:
    -  replicas: 3
    +  replicas: 5
       selector:
         matchLabels:
    -      app: web
    +      app: front
       template:
         metadata:
           labels:
    -        app: web
    +        app: front
         spec:
           containers:
    +      - args:
    +        - --port
    +        - "8080"
    +        image: sidecar:1
    +        name: sidecar
           - envFrom:
             - configMapRef:
                 name: settings-444f97d454
             - secretRef:
                 name: login-k46c5chdbg
    -        image: web:1
    +        image: web:2
             name: web
    -      - image: sidecar:1
    -        name: sidecar
    --- a/prod/Service/prod/web
    +++ /dev/null
    @@ -1,11 +0,0 @@
    -apiVersion: v1
    -kind: Service
    -metadata:
    -  name: web
    -  namespace: prod
    -spec:
    -  ports:
    -  - port: 80
    -    targetPort: 8080
    -  selector:
    -    app: web
    exit: 0
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a whole report")]
fn a_report_can_be_a_comment() {
    assert_snapshot!(changed_shop().kiln(&["diff", "--format", "markdown"]), @r#"
    stdout:
    <!-- kiln diff -->
    ### `kiln diff` `HEAD (8901b8cb7c)` → `work tree`

    2 of 2 environments differ: 6 changed, 2 created, 2 deleted; 1 rolls pods, 1 has to be replaced

    <details><summary><b>dev</b>: 3 changed, 1 created, 1 deleted; 1 rolls pods</summary>

    - `ConfigMap/dev/settings` · content hash dk24fb9cg9 → 444f97d454, rolls Deployment/dev/web

    ```diff
      data.app\.conf:
    @@ -2,7 +2,7 @@
        two
        three
        four
    -   five
    +   FIVE
        six
        seven
        eight
    ```

    - `Secret/dev/login` · content hash 6kh26cf94g → k46c5chdbg, rolls Deployment/dev/web

    ```diff
    - data.password: <secret, 20 bytes>
    + data.password: <secret, 20 bytes>
    ```

    - created `Service/dev/front` · renamed from web

    ```diff
    + apiVersion: v1
    + kind: Service
    + metadata:
    +   name: front
    +   namespace: dev
    + spec:
    +   ports:
    +   - port: 80
    +     targetPort: 8080
    +   selector:
    +     app: web
    ```

    - `Deployment/dev/web` · rolls pods

    ```diff
      spec.template.spec.containers[name=web]: moved from 0 to 1
    - spec.template.spec.containers[name=web].image: web:1
    + spec.template.spec.containers[name=web].image: web:2
    + spec.template.spec.containers[name=sidecar].args: [--port, "8080"]
    ```

    - deleted `Service/dev/web` · renamed to front
    </details>

    <details><summary><b>prod</b>: 3 changed, 1 created, 1 deleted; 1 has to be replaced</summary>

    - `ConfigMap/prod/settings` · content hash dk24fb9cg9 → 444f97d454, rolls Deployment/prod/web

    ```diff
      data.app\.conf:
    @@ -2,7 +2,7 @@
        two
        three
        four
    -   five
    +   FIVE
        six
        seven
        eight
    + metadata.labels: {app: front}
    ```

    - `Secret/prod/login` · content hash 6kh26cf94g → k46c5chdbg, rolls Deployment/prod/web

    ```diff
    - data.password: <secret, 20 bytes>
    + data.password: <secret, 20 bytes>
    + metadata.labels: {app: front}
    ```

    - created `Service/prod/front` · renamed from web

    ```diff
    + apiVersion: v1
    + kind: Service
    + metadata:
    +   labels:
    +     app: front
    +   name: front
    +   namespace: prod
    + spec:
    +   ports:
    +   - port: 80
    +     targetPort: 8080
    +   selector:
    +     app: front
    ```

    - `Deployment/prod/web` · ⚠️ **replace required**

    ```diff
    + metadata.labels: {app: front}
    - spec.replicas: 3
    + spec.replicas: 5
    - spec.selector.matchLabels.app: web
    + spec.selector.matchLabels.app: front
    - spec.template.metadata.labels.app: web
    + spec.template.metadata.labels.app: front
      spec.template.spec.containers[name=web]: moved from 0 to 1
    - spec.template.spec.containers[name=web].image: web:1
    + spec.template.spec.containers[name=web].image: web:2
    + spec.template.spec.containers[name=sidecar].args: [--port, "8080"]
    ```

    - deleted `Service/prod/web` · renamed to front
    </details>
    exit: 0
    "#);
}

#[test]
fn a_comment_is_cut_where_github_would_refuse_it() {
    let mut project = String::from("apiVersion: kiln/v1\nkind: Project\nenvironments:\n");
    let mut files = Vec::new();
    for n in 0..300 {
        let _ = writeln!(project, "  environment-{n}: {{path: overlays/environment-{n}}}");
        files.push((
            format!("overlays/environment-{n}/kustomization.yaml"),
            format!("namePrefix: {}-\nresources: [../../base]\n", "x".repeat(40)),
        ));
    }
    files.push(("kiln.yaml".to_owned(), project));
    let settings = |value: &str| {
        let mut text = String::new();
        for n in 0..20 {
            let _ = writeln!(
                text,
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings-{n}}}\ndata: {{a: '{value}', b: '```{value}'}}"
            );
        }
        text
    };
    files.push(("base/kustomization.yaml".to_owned(), "resources: [settings.yaml]\n".to_owned()));
    files.push(("base/settings.yaml".to_owned(), settings("1")));
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let mut repository = Repository::new(&borrowed);
    repository.write(&[("base/settings.yaml", &settings("2"))]);
    let text = repository.stdout(&["diff", "--format", "markdown"]);
    let length = text.chars().count();
    assert!((30_000..=65_000).contains(&length), "{length}");
    assert!(text.contains("300 of 300 environments differ: 6000 changed"));
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    assert!(text.contains("The whole difference is what `kiln diff` prints"));
    // All of them are named, those that do not fit in the last lines.
    let one = repository.stdout(&["diff", "--format", "markdown", "--", "environment-7"]);
    assert!(one.contains("````diff"), "a fence that the text does not close");
}

#[test]
fn a_page_needs_nothing_else_and_lets_nothing_else_run() {
    let page = changed_shop().stdout(&["diff", "--format", "html"]);
    let between = |start: &str, end: &str| {
        let (_, rest) = page.split_once(start).expect("it is there");
        rest.split_once(end).expect("it ends").0
    };
    let engine = base64::engine::general_purpose::STANDARD;
    let hash = |text: &str| format!("'sha256-{}'", engine.encode(Sha256::digest(text.as_bytes())));
    let policy = between("Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(policy.contains(&format!("style-src {};", hash(between("<style>", "</style>")))));
    assert!(policy.contains(&format!("script-src {};", hash(between("<script>", "</script>")))));
    for external in ["http:", "https:", "src=", "href=", "@import", "url(", "style=", "onclick"] {
        assert!(!page.contains(external), "{external}");
    }
    assert!(page.contains("replace required"));
    // What is written in an object is text.
    let mut shop = shop();
    shop.write(&[("base/app.conf", "</script><script>alert(1)</script>\n")]);
    let page = shop.stdout(&["diff", "--format", "html"]);
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn no_format_shows_a_secret_unless_it_is_asked_for() {
    let shop = changed_shop();
    // `hunter2hunter2` and `correcthorse12`, in base64 and plain.
    let secrets = ["hunter2", "correcthorse", "aHVudGVy", "Y29ycmVjdGhvcnNl"];
    for format in ["human", "unified", "json", "markdown", "html"] {
        for raw in [&["--raw"][..], &[]] {
            let arguments = [&["diff", "--format", format], raw].concat();
            let text = shop.stdout(&arguments);
            for secret in secrets {
                assert!(!text.contains(secret), "{format} shows {secret}");
            }
            assert!(text.contains("secret, 20 bytes"), "{format} says that it changed: {text}");
            let text = shop.stdout(&[&arguments[..], &["--show-secrets"]].concat());
            assert!(text.contains("Y29ycmVjdGhvcnNl"), "{format} shows it");
        }
    }
}

#[test]
fn json_has_every_edit() {
    let report = changed_shop().json(&["diff", "--format", "json", "--", "prod"]);
    assert_eq!(report["schema"], "kiln/diff/v1");
    let resources = report["environments"][0]["resources"].as_array().unwrap();
    let of = |kind: &str, name: &str| {
        let is = |r: &&serde_json::Value| r["id"]["kind"] == kind && r["id"]["name"] == name;
        resources.iter().find(is).unwrap_or_else(|| panic!("{kind} {name} in {report:#}"))
    };
    let web = of("Deployment", "web");
    assert_eq!(web["impact"], "replace-required");
    let edit = |field: &str| {
        let edits = web["edits"].as_array().unwrap();
        edits.iter().find(|e| e["field"] == field).unwrap_or_else(|| panic!("{field}"))
    };
    let image = edit("spec.template.spec.containers[name=web].image");
    assert_eq!(image["op"], "replace");
    assert_eq!(image["old"], "web:1");
    assert_eq!(
        image["path"],
        serde_json::json!(["spec", "template", "spec", "containers", { "name": "web" }, "image"])
    );
    assert_eq!(
        edit("spec.template.spec.containers[name=web].envFrom[0].configMapRef.name")["follows"],
        "hash"
    );
    let settings = of("ConfigMap", "settings");
    assert_eq!(settings["hash"]["rolls"][0]["name"], "web");
    assert_eq!(settings["hash"]["from"], settings["from"]["name"]);
    let secret = of("Secret", "login");
    assert_eq!(secret["edits"][0]["masked"], true);
    assert_eq!(of("Service", "front")["renamedFrom"]["name"], "web");
    assert_eq!(of("Service", "web")["change"], "delete");
}

#[test]
fn a_revision_is_compared_from_where_the_branches_parted() {
    let mut repository = shop();
    let root = repository.git.head_id().unwrap().detach();
    // Another branch goes on, and so does this one.
    repository.write(&[("base/service.yaml", &SERVICE.replace("8080", "8081"))]);
    repository.commit_on(Some(root), "refs/heads/other");
    repository.write(&[
        ("base/service.yaml", SERVICE),
        ("base/web.yaml", &WEB.replace("web:1", "web:2")),
    ]);
    repository.commit_on(Some(root), "refs/heads/main");
    repository.write(&[("base/web.yaml", &WEB.replace("web:1", "web:3"))]);
    let changed = |arguments: &[&str]| {
        let report = repository.json(&[&["diff", "--format", "json"], arguments].concat());
        let mut kinds = Vec::new();
        for resource in report["environments"][0]["resources"].as_array().into_iter().flatten() {
            for edit in resource["edits"].as_array().into_iter().flatten() {
                kinds.push(format!("{} {}", edit["old"], edit["new"]));
            }
        }
        (report["from"]["name"].as_str().unwrap().to_owned(), kinds.join(", "))
    };
    let found = |name: &str, edits: &str| (name.to_owned(), edits.to_owned());
    assert_eq!(changed(&[]), found("HEAD", r#""web:2" "web:3""#));
    assert_eq!(changed(&["other"]), found("merge base with other", r#""web:1" "web:3""#));
    assert_eq!(
        changed(&["--no-merge-base", "other"]),
        found("other", r#"8081 8080, "web:1" "web:3""#)
    );
    assert_eq!(changed(&["other..main"]), found("other", r#"8081 8080, "web:1" "web:2""#));
    assert_eq!(changed(&["other...main"]), found("merge base with other", r#""web:1" "web:2""#));
    assert_eq!(changed(&["other.."]), found("other", r#"8081 8080, "web:1" "web:2""#));
    assert_eq!(changed(&["main..main"]), found("main", ""));
    // From below, too.
    let below =
        kiln(&repository.path().join("base")).args(["diff", "--exit-code"]).output().unwrap();
    assert!(String::from_utf8_lossy(&below.stdout).contains("web:2 → web:3"), "{}", shown(&below));
    assert_eq!(below.status.code(), Some(1));
    assert_snapshot!(repository.kiln(&["diff", "main..main", "--exit-code"]), @"exit: 0");
}

#[test]
fn each_side_has_its_own_environments() {
    let mut repository = shop();
    let project = PROJECT
        .replace("  dev: {path: dev}\n", "  development: {path: dev}\n  test: {path: test}\n")
        .replace("  prod: {path: prod, values: ['prod.yaml?']}\n", "");
    repository.write(&[
        ("kiln.yaml", &project),
        ("test/kustomization.yaml", "namespace: test\nresources: [../base/service.yaml]\n"),
        ("test/service.yaml", SERVICE),
        ("test/kustomization.yaml", "namespace: test\nresources: [service.yaml]\n"),
    ]);
    repository.remove("prod/kustomization.yaml");
    assert_snapshot!(repository.kiln(&["diff"]), @r#"
    stdout:
    development  dev  renamed from dev

    test  created
      + Service/test/web

    prod  deleted
      - ConfigMap/prod/settings
      - Secret/prod/login
      - Service/prod/web
      - Deployment/prod/web

    3 of 3 environments differ: 1 created, 4 deleted
    exit: 0
    "#);
    // A target has to be on one side.
    assert_snapshot!(repository.kiln(&["diff", "--", "prod", "staging"]), @r#"
    stderr:
    error[environment::unknown]: `staging` is neither a directory nor an environment
     |
     = help: the environments are `development`, `test`

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
}

#[test]
fn what_does_not_compile_is_said_and_the_rest_is_compared() {
    let mut repository = shop();
    repository.write(&[
        ("dev/kustomization.yaml", "namespace: dev\nresources: [../base, gone.yaml]\n"),
        ("base/service.yaml", &SERVICE.replace("port: 80", "port: 81")),
    ]);
    assert_snapshot!(repository.kiln(&["diff"]), @r#"
    stdout:
    dev  not compared: work tree does not compile: [file::missing] dev/kustomization.yaml:2:22 `gone.yaml` does not exist

    prod
      ~ Service/prod/web
          - spec.ports[port=80]: {port: 80, targetPort: 8080}
          + spec.ports[port=81]: {port: 81, targetPort: 8080}

    2 of 2 environments differ: 1 changed, 1 not compared
    stderr:
    error[file::missing]: `gone.yaml` does not exist
     --> dev/kustomization.yaml:2:22
      |
    2 | resources: [../base, gone.yaml]
      |                      ^^^^^^^^^ named here

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
    // What was broken before and has not changed is no fault of this change.
    repository.commit();
    repository.write(&[(
        "prod/kustomization.yaml",
        "namespace: live\nresources: [../base/service.yaml]\n",
    )]);
    repository.write(&[("prod/kustomization.yaml", "namespace: prod\nresources: [../base]\n")]);
    assert_snapshot!(repository.kiln(&["diff"]), @r#"
    stdout:
    prod
      ~ Deployment/prod/web
          spec.replicas: 3 → 1

    1 of 2 environments differs: 1 changed
    stderr:
    not compared, since they compile on neither side and nothing they read has changed: dev
    exit: 0
    "#);
}

#[test]
fn what_a_revision_does_not_hold_is_an_error() {
    let mut repository = shop();
    assert_snapshot!(repository.kiln(&["diff", "nope"]), @r#"
    stderr:
    error[git::unknown-revision]: `nope` is no commit of this repository
     |
     = help: name a branch, a tag or a commit; `git fetch` gets those of the remote

    1 error; `kiln explain CODE` says more about a code
    exit: 2
    "#);
    let outside = TempDir::new().unwrap();
    let run = kiln(outside.path()).args(["diff"]).output().unwrap();
    assert_snapshot!(shown(&run).replace(&outside.path().display().to_string(), "DIR"), @r#"
    stderr:
    error[git::no-repository]: `DIR` is in no git repository
     |
     = help: run kiln inside a git repository, or compare two directories with `--from` and `--to`

    1 error; `kiln explain CODE` says more about a code
    exit: 2
    "#);
    let digest = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 5\n");
    repository.write(&[("base/app.conf", &pointer)]);
    repository.commit();
    assert_snapshot!(repository.kiln(&["diff", "HEAD~1..HEAD"]), @r#"
    stdout:
    dev  not compared: HEAD (a5860432d1) does not compile: [git::lfs-pointer] base/kustomization.yaml:4:11 `base/app.conf` is a git LFS pointer to 4d7a214614, and its content is not in this clone

    prod  not compared: HEAD (a5860432d1) does not compile: [git::lfs-pointer] base/kustomization.yaml:4:11 `base/app.conf` is a git LFS pointer to 4d7a214614, and its content is not in this clone

    2 of 2 environments differ: 2 not compared
    stderr:
    error[git::lfs-pointer]: `base/app.conf` is a git LFS pointer to 4d7a214614, and its content is not in this clone, at HEAD (a5860432d1)
     --> base/kustomization.yaml:4:11
      |
    4 |   files: [app.conf]
      |           ^^^^^^^^ named here
      |
      = help: run `git lfs pull` for the commit that is checked out, `git lfs fetch --all` for any other
      = note: used by dev/kustomization.yaml:2:13 (resources[0])

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
    // The module is empty on the disk, too.
    repository.write(&[
        ("base/app.conf", "x\n"),
        ("prod/kustomization.yaml", "resources: [../vendor/lib]\n"),
    ]);
    repository.files.insert("vendor".to_owned(), format!("submodule {}", "1".repeat(40)));
    repository.commit();
    assert_snapshot!(repository.kiln(&["diff", "HEAD~2..HEAD", "--", "prod"]), @r#"
    stdout:
    prod  not compared: HEAD (9e2272d523) does not compile: [git::submodule] prod/kustomization.yaml:1:13 `vendor` is a submodule at 1111111111, whose files are in another repository

    1 not compared
    stderr:
    error[git::submodule]: `vendor` is a submodule at 1111111111, whose files are in another repository, at HEAD (9e2272d523)
     --> prod/kustomization.yaml:1:13
      |
    1 | resources: [../vendor/lib]
      |             ^^^^^^^^^^^^^ named here
      |
      = help: a revision does not contain it: check both sides out and compare them with `--from` and `--to`

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
    // As a clone of one commit.
    let head = repository.git.head_id().unwrap();
    fs::write(repository.path().join(".git/shallow"), format!("{head}\n")).unwrap();
    assert_snapshot!(repository.kiln(&["affected", "--since", "HEAD~1"]), @r#"
    stderr:
    error[git::unknown-revision]: `HEAD~1` is no commit of this repository
     |
     = help: the clone is shallow: run `git fetch --unshallow`, or set `fetch-depth: 0` for actions/checkout

    1 error; `kiln explain CODE` says more about a code
    exit: 2
    "#);
}

#[test]
fn targets_and_files_can_be_compared() {
    let mut repository = shop();
    fs::create_dir(repository.path().join("out")).unwrap();
    let built = repository.stdout(&["build", "prod"]);
    fs::write(repository.path().join("out/all.yaml"), &built).unwrap();
    fs::write(repository.path().join("out/notes.yaml"), "just: notes\n").unwrap();
    for (from, to) in
        [("prod", "out"), ("out", "env:prod"), ("out/all.yaml", "prod"), ("prod", "prod")]
    {
        let run = repository.kiln(&["diff", "--from", from, "--to", to, "--exit-code"]);
        assert_eq!(run, "exit: 0", "{from} {to}");
    }
    let mut child = kiln(repository.path())
        .args(["diff", "--from", "-", "--to", "prod"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let changed = built.replace("image: web:1", "image: web:0");
    child.stdin.take().unwrap().write_all(changed.as_bytes()).unwrap();
    assert_snapshot!(shown(&child.wait_with_output().unwrap()), @r#"
    stdout:
    prod
      ~ Deployment/prod/web  rolls pods
          spec.template.spec.containers[name=web].image: web:0 → web:1

    1 changed; 1 rolls pods
    exit: 0
    "#);
    // Generated names in files are matched without their hash.
    repository.write(&[("base/app.conf", "other\n")]);
    assert_snapshot!(repository.kiln(&["diff", "--from", "out", "--to", "prod"]), @r#"
    stdout:
    prod
      ~ ConfigMap/prod/settings  content hash dk24fb9cg9 → m8g6hfdtdg, rolls Deployment/prod/web
          data.app\.conf:
            @@ -1,9 +1 @@
            -one
            -two
            -three
            -four
            -five
            -six
            -seven
            -eight
            -nine
            +other

    2 changed; 1 rolls pods
    exit: 0
    "#);
    assert_snapshot!(repository.kiln(&["diff", "--from", "out/notes.yaml", "--to", "prod"]), @r#"
    stdout:
    prod  not compared: out/notes.yaml does not compile: [resource::not-an-object] out/notes.yaml:1:1 expected an object of Kubernetes with `apiVersion` and `kind`

    1 not compared
    stderr:
    error[resource::not-an-object]: expected an object of Kubernetes with `apiVersion` and `kind`
     --> out/notes.yaml:1:1
      |
    1 | just: notes
      | ^^^^ this document

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
    assert_snapshot!(repository.kiln(&["diff", "--from", "-", "--to", "-"]), @r#"
    stderr:
    error[cli::usage] only one of `--from` and `--to` can be stdin
    exit: 2
    "#);
    assert_snapshot!(repository.kiln(&["diff", "--from", "nowhere", "--to", "prod"]), @r#"
    stderr:
    error[environment::unknown]: `nowhere` is neither a directory nor an environment
     |
     = help: the environments are `dev`, `prod`

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
}

/// Files that change, and what is affected by inputs and by output.
type Case<'t> = (&'t [(&'t str, &'t str)], &'t str, &'t str);

fn affected(repository: &Repository, arguments: &[&str]) -> String {
    let text = repository.stdout(&[&["affected", "--since", "HEAD"], arguments].concat());
    let names = text.lines().map(|line| line.split_whitespace().next().unwrap_or_default());
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn an_environment_is_affected_if_something_that_it_reads_has_changed() {
    let nothing = shop();
    assert_eq!(affected(&nothing, &[]), "");
    assert_eq!(
        nothing.stdout(&["affected", "--since", "HEAD", "--format", "json"]),
        "{\"any\":false,\"include\":[]}\n"
    );
    let cases: &[Case<'_>] = &[
        (&[("base/app.conf", "x")], "dev prod", "dev prod"),
        (&[("prod/kustomization.yaml", "resources: [../base]\n")], "prod", "prod"),
        (&[("base/unread.yaml", "x")], "", ""),
        (&[("base/web.yaml", &format!("# a comment\n{WEB}"))], "dev prod", ""),
        // A file that may be absent comes; other names of the kustomization file are looked for.
        (&[("prod.yaml", "a: b\n")], "prod", ""),
        (&[("values.yaml", "host: other\n")], "dev prod", ""),
        // What the project file says for one environment, for all, and for none.
        (
            &[("kiln.yaml", &PROJECT.replace("path: dev}", "path: dev, render: {layout: tree}}"))],
            "dev",
            "",
        ),
        (&[("kiln.yaml", &format!("{PROJECT}kubernetes: {{version: '1.30'}}\n"))], "dev prod", ""),
        (&[("kiln.yaml", &format!("# more\n{PROJECT}"))], "", ""),
        (
            &[
                ("kiln.yaml", &format!("{PROJECT}  more: {{path: more}}\n")),
                ("more/kustomization.yaml", "resources: []\n"),
            ],
            "more",
            "more",
        ),
    ];
    for (files, inputs, output) in cases {
        let mut repository = shop();
        repository.write(files);
        assert_eq!(affected(&repository, &[]), *inputs, "{files:?}");
        assert_eq!(affected(&repository, &["--by", "output"]), *output, "{files:?}");
    }
    let mut repository = shop();
    repository.write(&[("prod/kustomization.yaml", "resources: [../base]\n")]);
    assert_snapshot!(repository.kiln(&["affected", "--since", "HEAD", "--format", "json"]), @r#"
    stdout:
    {"any":true,"include":[{"env":"prod","path":"prod"}]}
    exit: 0
    "#);
    repository.write(&[("kiln.yaml", &PROJECT.replace("  dev: {path: dev}\n", ""))]);
    assert_snapshot!(repository.kiln(&["affected", "--since", "HEAD"]), @r#"
    stdout:
    prod  prod
    stderr:
    deleted since then: dev
    exit: 0
    "#);
}

#[test]
fn a_submodule_that_nothing_reads_is_no_fault() {
    // Without a project file all kustomizations are looked for.
    let mut repository = Repository::new(&[
        ("prod/kustomization.yaml", "resources: [web.yaml]\n"),
        ("prod/web.yaml", WEB),
    ]);
    repository.files.insert("vendor".to_owned(), format!("submodule {}", "1".repeat(40)));
    repository.commit();
    repository.write(&[("prod/web.yaml", &WEB.replace("web:1", "web:2"))]);
    repository.commit();
    assert_snapshot!(repository.kiln(&["diff", "HEAD~1..HEAD"]), @r#"
    stdout:
    prod
      ~ Deployment/web  rolls pods
          spec.template.spec.containers[name=web].image: web:1 → web:2

    1 changed; 1 rolls pods
    exit: 0
    "#);
}

#[test]
fn a_submodule_concerns_only_what_reads_it() {
    let mut repository = shop();
    repository.write(&[("prod/kustomization.yaml", "resources: [../vendor/lib]\n")]);
    let module = |repository: &mut Repository, digit: &str| {
        repository.files.insert("vendor".to_owned(), format!("submodule {}", digit.repeat(40)));
        repository.commit();
    };
    module(&mut repository, "1");
    module(&mut repository, "2");
    repository.write(&[("base/app.conf", "x\n")]);
    repository.commit();
    // Another commit of the module, another file, and both.
    let concerned = |since: &str| {
        let text = repository.stdout(&["affected", "--since", since]);
        text.split_whitespace().step_by(2).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(concerned("HEAD~2..HEAD~1"), "prod");
    assert_eq!(concerned("HEAD~1..HEAD"), "dev");
    assert_eq!(concerned("HEAD~2..HEAD"), "dev prod");
    assert_snapshot!(repository.kiln(&["diff", "HEAD~1..HEAD"]), @r#"
    stdout:
    dev
      ~ ConfigMap/dev/settings  content hash dk24fb9cg9 → fm6k7tbd2d, rolls Deployment/dev/web
          data.app\.conf:
            @@ -1,9 +1 @@
            -one
            -two
            -three
            -four
            -five
            -six
            -seven
            -eight
            -nine
            +x

    1 of 2 environments differs: 2 changed; 1 rolls pods
    stderr:
    not compared, since they compile on neither side and nothing they read has changed: prod
    exit: 0
    "#);
    assert_snapshot!(repository.kiln(&["diff", "HEAD~2..HEAD", "--format", "unified"]), @r#"
    stdout:
    # dev/ConfigMap/dev/settings: content hash dk24fb9cg9 → fm6k7tbd2d, rolls Deployment/dev/web
    --- a/dev/ConfigMap/dev/settings
    +++ b/dev/ConfigMap/dev/settings
    @@ -1,15 +1,7 @@
     apiVersion: v1
     data:
       app.conf: |
    -    one
    -    two
    -    three
    -    four
    -    five
    -    six
    -    seven
    -    eight
    -    nine
    +    x
     kind: ConfigMap
     metadata:
       name: settings-fm6k7tbd2d
    # prod: not compared: HEAD~2 (c18e419e49) does not compile: [git::submodule] prod/kustomization.yaml:1:13 `vendor` is a submodule at 1111111111, whose files are in another repository
    stderr:
    error[git::submodule]: `vendor` is a submodule at 1111111111, whose files are in another repository, at HEAD~2 (c18e419e49)
     --> prod/kustomization.yaml:1:13
      |
    1 | resources: [../vendor/lib]
      |             ^^^^^^^^^^^^^ named here
      |
      = help: a revision does not contain it: check both sides out and compare them with `--from` and `--to`

    1 error; `kiln explain CODE` says more about a code
    error[git::submodule]: `vendor` is a submodule at 2222222222, whose files are in another repository, at HEAD (37b10347c0)
     --> prod/kustomization.yaml:1:13
      |
    1 | resources: [../vendor/lib]
      |             ^^^^^^^^^^^^^ named here
      |
      = help: a revision does not contain it: check both sides out and compare them with `--from` and `--to`

    1 error; `kiln explain CODE` says more about a code
    exit: 1
    "#);
}
