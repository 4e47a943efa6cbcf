//! What `kiln blame` says is true: a field depends on a text exactly if its history names the text.
//!
//! Every text that a field of an example is made of is changed, one at a time, and the environments are built again. The
//! fields that change must be those whose history names the text: none is missing, and no other changes.
//!
//! `KILN_BLAME=all` checks every text instead of a part of them, and prints the figures; `KILN_BLAME=PART` those of the files whose
//! paths hold the part.

#![expect(clippy::disallowed_methods, reason = "tests read files and run the program")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use kiln::{
    Build, BuildOptions, MemoryReader, Node, ProjectLocation, Session, SourceKind, Tracer,
    environment_options,
};

const EXAMPLES: [&str; 5] = ["discbaboons", "wander", "transparenta", "super-todo", "xuangong"];

/// Texts of which this is not true, each with its line. All but the last three say what type an object has, which decides
/// which steps concern it and how its lists merge: no single field is made of it.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    // Without its type a Namespace is in a namespace, and follows none by its name.
    ("discbaboons", "k8s/overlays/dev/namespace.yaml", "apiVersion: v1"),
    ("discbaboons", "k8s/overlays/prod/app/namespace.yaml", "apiVersion: v1"),
    ("super-todo", "flux-cd/infrastructure/postgres/operator/namespace.yaml", "apiVersion: v1"),
    ("super-todo", "flux-cd/namespaces/base/namespace.yaml", "apiVersion: v1"),
    ("super-todo", "flux-cd/namespaces/base/namespace.yaml", "kind: Namespace"),
    ("wander", "k8s/wander/namespace.yaml", "apiVersion: v1"),
    ("wander", "k8s/wander/namespace.yaml", "kind: Namespace"),
    ("xuangong", "environments/development/namespace.yaml.j2", "apiVersion: v1"),
    ("xuangong", "environments/production/namespace.yaml.j2", "apiVersion: v1"),
    // The claims of a StatefulSet have labels.
    ("wander", "k8s/wander/postgresql-statefulset.yaml.j2", "kind: StatefulSet"),
    ("wander", "k8s/wander/redis-master.yaml.j2", "kind: StatefulSet"),
    ("wander", "k8s/wander/redis-replicas.yaml.j2", "kind: StatefulSet"),
    ("xuangong", "backend/k8s/postgresql-statefulset.yaml.j2", "kind: StatefulSet"),
    // A subject follows the namespace of a ServiceAccount, in a RoleBinding.
    ("super-todo", "flux-cd/namespaces/base/helm-reconciler.yaml", "apiVersion: v1"),
    ("super-todo", "flux-cd/namespaces/base/helm-reconciler.yaml", "kind: ServiceAccount"),
    ("super-todo", "flux-cd/namespaces/base/helm-reconciler.yaml", "kind: RoleBinding"),
    // The lists of a Deployment of another version are replaced by patches, and paths lead nowhere.
    ("discbaboons", "k8s/base/express-deployment.yaml", "apiVersion: apps/v1"),
    ("discbaboons", "k8s/base/postgres-deployment.yaml", "apiVersion: apps/v1"),
    ("transparenta", "k8s/base/redis-deployment.yaml", "apiVersion: apps/v1"),
    ("transparenta", "k8s/base/server-deployment.yaml", "apiVersion: apps/v1"),
    // Without the entry of `images` the image has no tag for the replacement to copy.
    (
        "transparenta",
        "k8s/base/server-deployment.yaml",
        "image: registry.example.com/transparenta/hack-for-facts-eb-server",
    ),
    // The value decides about parts of the templates, and one of them needs another value.
    ("xuangong", "values/defaults.yaml", "enabled: false"),
    ("xuangong", "values/production.yaml", "enabled: true"),
];

/// Where an example lies in memory.
const ROOT: &str = "/p";

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// An object, by the place of its kind and how many before it have the same.
type ObjectKey = (PathBuf, u32, usize);

/// A text: its file and where it begins.
type Text = (PathBuf, u32);

/// A text, or a stretch of a template with several, and where that ends.
type Stretch = (PathBuf, u32, u32);

fn holds(stretch: &Stretch, text: &Text) -> bool {
    stretch.0 == text.0 && (stretch.1..=stretch.2).contains(&text.1)
}

#[derive(Debug, Default)]
struct Object {
    /// What the object is and is called in its own file.
    kind: String,
    first_name: String,
    /// The fields by their paths: what they are, and the texts that they are made of.
    fields: BTreeMap<String, (String, BTreeSet<Stretch>)>,
}

type Objects = BTreeMap<ObjectKey, Object>;

fn root(example: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example)
}

fn read(directory: &Path, files: &mut Files, root: &Path) {
    for entry in fs::read_dir(directory).expect("a folder is read").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if name != "rendered" && name != "golden" {
                read(&path, files, root);
            }
        } else {
            let inside = path.strip_prefix(root).expect("it is inside");
            files.insert(Path::new(ROOT).join(inside), fs::read(&path).expect("a file is read"));
        }
    }
}

fn environments(example: &str) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    let output = command.args(["envs", "--format", "json"]).current_dir(root(example)).output();
    let output = output.expect("kiln is started");
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a list in JSON");
    let list = list["environments"].as_array().expect("there is a list");
    list.iter().map(|entry| entry["name"].as_str().expect("a name").to_owned()).collect()
}

/// Builds an environment and hands it to `then`; none if it is refused.
fn build<T>(
    files: &Files,
    environment: &str,
    keep_history: bool,
    then: impl FnOnce(&Session<'_>, &Build) -> T,
) -> Option<T> {
    let reader: MemoryReader = files.clone().into_iter().collect();
    let session = Session::for_one_build(&reader);
    let root = Path::new(ROOT);
    let location = ProjectLocation::Above(root);
    let project = kiln::load_project(&session, location, root, false).value?;
    let options =
        BuildOptions { shown_from: root.to_path_buf(), keep_history, ..BuildOptions::default() };
    let options = environment_options(&session, &project, environment, &options).value?;
    let built = kiln::build(&session, &options).value?;
    Some(then(&session, &built))
}

/// What a value is, its type included.
fn shown(node: &Node) -> String {
    format!("{:?} {:?} {}", node.kind(), node.resolved_tag(), node.text())
}

/// The fields of an environment with their texts.
fn traced(files: &Files, environment: &str) -> Option<Objects> {
    build(files, environment, true, |session, build| {
        let tracer = Tracer::new(session, build);
        let mut objects = Objects::new();
        let mut seen: BTreeMap<Text, usize> = BTreeMap::new();
        for resource in &build.resources {
            let mut object =
                Object { kind: resource.id().gvk.kind.to_string(), ..Object::default() };
            let mut key = None;
            for field in tracer.fields(resource) {
                let texts = field.texts();
                let texts = texts.iter().filter(|source| source.kind != SourceKind::Expression);
                let texts = texts.map(|source| {
                    let place = &source.place;
                    (
                        place.path.clone(),
                        place.offset,
                        source.end.map_or(place.offset, |end| end - 1),
                    )
                });
                let texts: BTreeSet<Stretch> = texts.collect();
                let path = field.path.to_string();
                if path == "kind" {
                    let write = &field.writes[0];
                    let place = write.sources.first().map(|source| &source.place);
                    let place =
                        place.or(write.at.as_ref()).expect("an object comes from somewhere");
                    key = Some((place.path.clone(), place.offset));
                }
                if path == "metadata.name" {
                    let before = field.writes.iter().rev().find_map(|write| write.before.as_ref());
                    before.unwrap_or(&field.value).text().clone_into(&mut object.first_name);
                }
                object.fields.insert(path, (shown(&field.value), texts));
            }
            let key = key.expect("an object has a kind");
            let count = seen.entry(key.clone()).or_default();
            objects.insert((key.0, key.1, *count), object);
            *count += 1;
        }
        objects
    })
}

/// A change of a text: what stands there afterwards.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

/// Returns the scalar of a YAML file that begins at an offset: what stands between its quotes, or on its line.
fn scalar_at(text: &str, at: usize) -> (usize, usize) {
    let rest = &text[at..];
    let line = rest.find('\n').unwrap_or(rest.len());
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let end = rest[1..].find(quote).expect("a quote is closed");
            (at + 1, at + 1 + end)
        }
        Some('|' | '>') => {
            // The first line of a block.
            let body = &rest[line + 1..];
            let start = body.len() - body.trim_start().len();
            let length = body[start..].find('\n').unwrap_or(body.len() - start);
            (at + line + 1 + start, at + line + 1 + start + length)
        }
        _ => {
            let before = &text[..at];
            let own_line = &before[before.rfind('\n').map_or(0, |i| i + 1)..];
            let in_flow = own_line.contains(['{', '[']);
            let word = &rest[..line];
            let word = &word[..word.find(" #").unwrap_or(word.len())];
            let word = if in_flow {
                &word[..word.find([',', '}', ']']).unwrap_or(word.len())]
            } else {
                word
            };
            (at, at + word.trim_end().len())
        }
    }
}

fn has_expression(scalar: &str) -> bool {
    scalar.contains("{{") || scalar.contains("{%")
}

/// Returns where a scalar with expressions ends, as such a text is one of several literal parts; otherwise where the text
/// begins.
fn end_of_text(file: &Path, content: &str, at: u32) -> u32 {
    if file.extension().is_none_or(|extension| extension != "j2") {
        return at;
    }
    let (start, end) = scalar_at(content, at as usize);
    if has_expression(&content[start..end]) { end as u32 } else { at }
}

/// Returns the changes of a text to try.
fn edits(file: &Path, text: &str, at: usize, field: &str) -> Vec<Edit> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let is_yaml = [".yaml", ".yml", ".yaml.j2"].iter().any(|end| name.ends_with(end));
    let edit = |start: usize, end: usize, text: String| Edit { start, end, text };
    if !is_yaml {
        // A file that a generator reads, or a line of one.
        let line = text[at..].find('\n').unwrap_or(text.len() - at);
        let end = if at == 0 { text.len() } else { at + line };
        return vec![edit(end, end, "x".to_owned())];
    }
    let (start, end) = scalar_at(text, at);
    let own = &text[start..end];
    let is_key = start == at && (own.ends_with(':') || own.contains(": "));
    if is_key {
        // The name of an environment is no text.
        return Vec::new();
    }
    if has_expression(own) {
        // The expressions of a template stay.
        return vec![edit(end, end, "x".to_owned()), edit(start, start, "x".to_owned())];
    }
    if field.starts_with("data.") && own.contains('=') {
        // What a generator makes of a literal is what stands behind its key.
        return vec![edit(start, end, format!("{own}x"))];
    }
    if field == "apiVersion" {
        // The group stays, as it decides what concerns the object.
        return vec![edit(start, end, format!("{own}x"))];
    }
    let all = if field == "kind" { vec![other_kind(own)] } else { others(own) };
    all.into_iter().map(|text| edit(start, end, text)).collect()
}

/// Returns texts that a text is changed to: of its type, and one of them such that a schema for quantities, times and
/// versions accepts it.
fn others(own: &str) -> Vec<String> {
    match own {
        "true" => return vec!["false".to_owned()],
        "false" => return vec!["true".to_owned()],
        _ => {}
    }
    if let Ok(number) = own.parse::<i64>() {
        return vec![(number + 1).to_string(), (number + 2).to_string()];
    }
    let mut out = vec![format!("{own}x"), format!("x{own}")];
    if ["info", "debug"].contains(&own) {
        out.push("warn".to_owned());
    }
    if let Some(digit) = own.rfind(|c: char| c.is_ascii_digit()) {
        let next = (own.as_bytes()[digit] - b'0') % 9 + 1;
        out.push(format!("{}{next}{}", &own[..digit], &own[digit + 1..]));
    }
    // The first character of what a program has encoded.
    if own.len() > 40 && own.starts_with('A') {
        out.push(format!("{}B{}", &own[..8], &own[9..]));
    }
    out
}

/// Returns a kind that the same field specifications concern.
fn other_kind(kind: &str) -> String {
    match kind {
        "Deployment" => "StatefulSet".to_owned(),
        "StatefulSet" => "Deployment".to_owned(),
        "Namespace" => "PersistentVolume".to_owned(),
        kind => format!("{kind}x"),
    }
}

/// An object as patches and selectors name it.
struct Named<'n> {
    kind: &'n str,
    name: &'n str,
}

/// Makes a change of a name, a kind, a version or the name of a list element where patches and selectors name the object by it,
/// as one would who renames something. Returns whether there was such a place.
fn rename(
    files: &mut Files,
    text: &Text,
    object: &Named<'_>,
    field: &str,
    old: &str,
    new: &str,
) -> bool {
    let key = field.rsplit('.').next().unwrap_or(field);
    let is_element = field.contains('[');
    let is_generated = ["ConfigMap", "Secret"].contains(&object.kind);
    let is_scaled = ["Deployment", "StatefulSet"].contains(&object.kind);
    let mut found = false;
    for (path, bytes) in files.iter_mut() {
        let Ok(content) = std::str::from_utf8(bytes) else { continue };
        let is_kustomization = path.ends_with("kustomization.yaml");
        let mut out = String::with_capacity(content.len());
        let mut offset = 0;
        for document in content.split_inclusive("\n---\n") {
            let has = |line: String| document.lines().any(|own| own.trim_end() == line);
            let is_patch =
                has(format!("kind: {}", object.kind)) && has(format!("  name: {}", object.name));
            let is_itself =
                *path == text.0 && (offset..offset + document.len()).contains(&(text.1 as usize));
            offset += document.len();
            let lines: Vec<&str> = document.split_inclusive('\n').collect();
            for (index, line) in lines.iter().enumerate() {
                let bare = line.trim().trim_start_matches("- ");
                let names_it = bare == format!("{key}: {old}");
                let beside = |wanted: String| {
                    let near = lines[index.saturating_sub(3)..(index + 4).min(lines.len())].iter();
                    near.map(|l| l.trim().trim_start_matches("- ")).any(|l| l == wanted)
                };
                let is_selector = is_kustomization
                    && match key {
                        "name" if !is_element => {
                            beside(format!("kind: {}", object.kind))
                                || is_generated && beside("behavior: merge".to_owned())
                                || is_scaled
                                    && lines[..index].iter().any(|l| l.starts_with("replicas:"))
                        }
                        "kind" => {
                            let is_another = |l: &&str| l.trim().starts_with("name:");
                            beside(format!("name: {}", object.name))
                                || !lines.get(index + 1).is_some_and(is_another)
                        }
                        _ => false,
                    };
                let depth = line.len() - line.trim_start().len();
                let is_own = match key {
                    _ if is_element => depth > 2,
                    "name" => depth == 2,
                    _ => depth == 0,
                };
                if !is_itself && names_it && (is_patch && is_own || is_selector) {
                    out.push_str(&line.replacen(old, new, 1));
                    found = true;
                } else if is_kustomization && is_element && line.contains(&format!("[{key}={old}]"))
                {
                    out.push_str(
                        &line.replace(&format!("[{key}={old}]"), &format!("[{key}={new}]")),
                    );
                    found = true;
                } else {
                    out.push_str(line);
                }
            }
        }
        *bytes = out.into_bytes();
    }
    found
}

/// A field of an object of an environment.
type Where = (String, ObjectKey, String);

struct Check<'c> {
    files: &'c Files,
    environments: &'c [String],
    before: &'c BTreeMap<String, Objects>,
}

#[derive(Debug, Default)]
struct Report {
    refused: bool,
    renamed: bool,
    missing: BTreeSet<Where>,
    unexpected: BTreeSet<Where>,
}

impl Report {
    fn is_right(&self) -> bool {
        !self.refused && self.missing.is_empty() && self.unexpected.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists =
            [("named and unchanged", &self.missing), ("changed and not named", &self.unexpected)];
        for (what, places) in lists {
            write!(f, "\n  {what}: {} fields", places.len())?;
            for (environment, _, path) in places.iter().take(5) {
                write!(f, "\n    {environment} {path}")?;
            }
        }
        Ok(())
    }
}

impl Check<'_> {
    /// Changes a text and compares what changes with what names it.
    fn text(&self, text: &Text, own: &Where, named: &BTreeSet<Where>, edits: &[Edit]) -> Report {
        let alone = self.attempt(text, None, named, edits);
        if alone.is_right() {
            return alone;
        }
        let renamed = self.attempt(text, Some(own), named, edits);
        if renamed.is_right() { renamed } else { alone }
    }

    /// Tries all changes of a text. `renames`: a field that is made of it, to change what names its object too.
    fn attempt(
        &self,
        text: &Text,
        renames: Option<&Where>,
        named: &BTreeSet<Where>,
        edits: &[Edit],
    ) -> Report {
        let mut report = Report { refused: true, renamed: renames.is_some(), ..Report::default() };
        let mut changed = BTreeSet::new();
        for edit in edits {
            let mut files = self.files.clone();
            let bytes = files.get_mut(&text.0).expect("the file is there");
            let old = String::from_utf8_lossy(&bytes[edit.start..edit.end]).into_owned();
            bytes.splice(edit.start..edit.end, edit.text.bytes());
            let delta = edit.text.len() as i64 - (edit.end - edit.start) as i64;
            if let Some((environment, key, field)) = renames {
                let object = &self.before[environment][key];
                let object = Named { kind: &object.kind, name: &object.first_name };
                if !rename(&mut files, text, &object, field, &old, &edit.text) {
                    return report;
                }
            }
            let mut own = BTreeSet::new();
            let built = self.environments.iter().all(|environment| {
                let Some(after) = traced(&files, environment) else { return false };
                let before = &self.before[environment];
                compare(environment, before, &after, text, edit.start as u32, delta, &mut own);
                true
            });
            if !built {
                continue;
            }
            report.refused = false;
            let unexpected = own.iter().filter(|(place, is_new)| !named.contains(place) && !is_new);
            report.unexpected.extend(unexpected.map(|(place, _)| place.clone()));
            changed.extend(own.into_iter().map(|(place, _)| place));
        }
        if !report.refused {
            report.missing.extend(named.difference(&changed).cloned());
        }
        report
    }
}

/// Adds the fields that differ, and whether one that is new names the text that was changed.
fn compare(
    environment: &str,
    before: &Objects,
    after: &Objects,
    text: &Text,
    at: u32,
    delta: i64,
    out: &mut BTreeSet<(Where, bool)>,
) {
    // Places behind the change have moved.
    let back = |file: &Path, offset: u32| {
        if file == text.0 && offset > at { (i64::from(offset) - delta) as u32 } else { offset }
    };
    let moved: BTreeMap<ObjectKey, &Object> = after
        .iter()
        .map(|((file, offset, count), object)| {
            ((file.clone(), back(file, *offset), *count), object)
        })
        .collect();
    let keys: BTreeSet<&ObjectKey> = before.keys().chain(moved.keys()).collect();
    for key in keys {
        let none = Object::default();
        let old = before.get(key).unwrap_or(&none);
        let new = moved.get(key).copied().unwrap_or(&none);
        let paths: BTreeSet<&String> = old.fields.keys().chain(new.fields.keys()).collect();
        for path in paths {
            let (was, is) = (old.fields.get(path), new.fields.get(path));
            if was.map(|f| &f.0) == is.map(|f| &f.0) {
                continue;
            }
            let names = |texts: &BTreeSet<Stretch>| {
                texts.iter().any(|(file, start, end)| {
                    holds(&(file.clone(), back(file, *start), back(file, *end)), text)
                })
            };
            let is_new = was.is_none() && is.is_some_and(|(_, texts)| names(texts));
            out.insert(((environment.to_owned(), key.clone(), path.clone()), is_new));
        }
    }
}

/// An example and what its histories say.
struct Example {
    name: &'static str,
    files: Files,
    environments: Vec<String>,
    before: BTreeMap<String, Objects>,
    /// The fields whose histories name a text.
    named: BTreeMap<Text, BTreeSet<Where>>,
}

impl Example {
    fn read(name: &'static str) -> Self {
        let mut files = Files::new();
        read(&root(name), &mut files, &root(name));
        // What values may be is another question.
        let project = files.get_mut(&Path::new(ROOT).join("kiln.yaml")).expect("there is one");
        let text = String::from_utf8_lossy(project).replace("  schema: values.schema.json\n", "");
        *project = text.replace("values:\n\n", "\n").into_bytes();
        let environments = environments(name);
        let traced = |e: &String| (e.clone(), traced(&files, e).expect("the example is built"));
        let before = environments.iter().map(traced).collect();
        let mut example = Self { name, files, environments, before, named: BTreeMap::new() };
        example.find_named();
        example
    }

    fn fields(&self) -> impl Iterator<Item = (Where, &BTreeSet<Stretch>)> {
        self.before.iter().flat_map(|(environment, objects)| {
            objects.iter().flat_map(move |(key, object)| {
                object.fields.iter().map(move |(path, (_, texts))| {
                    ((environment.clone(), key.clone(), path.clone()), texts)
                })
            })
        })
    }

    fn find_named(&mut self) {
        let mut named: BTreeMap<Text, BTreeSet<Where>> = BTreeMap::new();
        let mut stretches: Vec<(Stretch, Where)> = Vec::new();
        for (place, texts) in self.fields() {
            for text in texts {
                if text.1 == text.2 {
                    named.entry((text.0.clone(), text.1)).or_default().insert(place.clone());
                } else {
                    stretches.push((text.clone(), place.clone()));
                }
            }
        }
        for (text, places) in &mut named {
            let (file, start) = text;
            let end = match self.files.get(file) {
                Some(bytes) => end_of_text(file, &String::from_utf8_lossy(bytes), *start),
                None => *start,
            };
            let around = stretches.iter().filter(|((path, first, last), _)| {
                path == file && *first <= end && *last >= *start
            });
            places.extend(around.map(|(_, place)| place.clone()));
        }
        self.named = named;
    }

    /// Returns the texts that can be changed, each with the field that is made of it most, and how.
    fn work(&self) -> Vec<(&Text, Where, Vec<Edit>)> {
        let mut work = Vec::new();
        for (text, places) in &self.named {
            let Some(bytes) = self.files.get(&text.0) else { continue };
            let content = std::str::from_utf8(bytes).expect("an example is text");
            let own = places.iter().filter_map(|place| {
                let texts = &self.before[&place.0][&place.1].fields[&place.2].1;
                texts.contains(&(text.0.clone(), text.1, text.1)).then_some((texts.len(), place))
            });
            let (_, own) = own.min().expect("a field is made of it");
            let edits = edits(&text.0, content, text.1 as usize, &own.2);
            if !edits.is_empty() {
                work.push((text, own.clone(), edits));
            }
        }
        work
    }

    /// Changes texts with all processors.
    fn reports<'e>(&self, work: &[(&'e Text, Where, Vec<Edit>)]) -> Vec<(&'e Text, Report)> {
        let check =
            Check { files: &self.files, environments: &self.environments, before: &self.before };
        let next = AtomicUsize::new(0);
        let reports = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let run = || {
                while let Some((text, own, edits)) = work.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let report = check.text(text, own, &self.named[*text], edits);
                    reports.lock().expect("no thread has failed").push((*text, report));
                }
            };
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                let builder = std::thread::Builder::new().stack_size(256 << 20);
                builder.spawn_scoped(scope, run).expect("a thread is started");
            }
        });
        let mut reports = reports.into_inner().expect("no thread has failed");
        reports.sort_by_key(|(text, _)| *text);
        reports
    }

    fn line_of(&self, text: &Text) -> String {
        let content = String::from_utf8_lossy(&self.files[&text.0]);
        let start = content[..text.1 as usize].rfind('\n').map_or(0, |at| at + 1);
        content[start..].lines().next().unwrap_or_default().trim().to_owned()
    }

    fn exception(
        &self,
        text: &Text,
    ) -> Option<&'static (&'static str, &'static str, &'static str)> {
        let file = text.0.strip_prefix(ROOT).unwrap_or(&text.0).to_string_lossy();
        let line = self.line_of(text);
        EXCEPTIONS.iter().find(|one| **one == (self.name, file.as_ref(), line.as_str()))
    }
}

/// What was found in all examples.
#[derive(Default)]
struct Findings {
    summary: String,
    faults: Vec<String>,
    exceptions: BTreeSet<&'static (&'static str, &'static str, &'static str)>,
    total: usize,
}

impl Findings {
    fn add(&mut self, example: &Example, texts: usize, reports: &[(&Text, Report)]) {
        let (mut excepted, mut renamed) = (0, 0);
        for (text, report) in reports {
            renamed += usize::from(report.renamed && report.is_right());
            let place =
                format!("{} {} `{}`", example.name, text.0.display(), example.line_of(text));
            match (example.exception(text), report.is_right()) {
                (None, true) => {}
                (Some(one), true) => self.faults.push(format!("{place} is no exception: {one:?}")),
                (Some(one), false) => {
                    excepted += 1;
                    self.exceptions.insert(one);
                }
                (None, false) if report.refused => self.faults.push(format!("{place}: refused")),
                (None, false) => self.faults.push(format!("{place}{report}")),
            }
        }
        self.total += reports.len();
        let _ = writeln!(
            self.summary,
            "{}: {} fields, {texts} texts, {} of them changed, {renamed} with what names them, {excepted} exceptions",
            example.name,
            example.fields().count(),
            reports.len()
        );
    }
}

#[test]
fn a_field_changes_exactly_if_its_history_names_the_text_that_is_changed() {
    let wanted = std::env::var("KILN_BLAME").ok();
    let mut findings = Findings::default();
    for name in EXAMPLES {
        let example = Example::read(name);
        let mut work = example.work();
        let texts = work.len();
        match wanted.as_deref() {
            Some("all") => {}
            Some(part) => work.retain(|(text, ..)| text.0.to_string_lossy().contains(part)),
            None => work = work.into_iter().step_by((texts / 8).max(1)).collect(),
        }
        findings.add(&example, texts, &example.reports(&work));
    }
    if wanted.as_deref() == Some("all") {
        let (met, total) = (findings.exceptions.len(), findings.total);
        assert!(met * 100 <= total, "{met} of {total} are exceptions");
        let stale = EXCEPTIONS.iter().filter(|one| !findings.exceptions.contains(one));
        findings.faults.extend(stale.map(|one| format!("no field is made of it: {one:?}")));
    }
    if wanted.is_some() {
        let (summary, met) = (&findings.summary, findings.exceptions.len());
        let text = format!("{summary}{met} exceptions among {} texts\n", findings.total);
        std::io::stderr().write_all(text.as_bytes()).expect("the figures are printed");
    }
    assert!(findings.faults.is_empty(), "{}", findings.faults.join("\n"));
}
