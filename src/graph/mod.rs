//! What includes what: environments, kustomizations, components, and the files that they name.
//!
//! Comes in: a kustomization, read entry by entry; nothing is built. Goes out: a [`Graph`], and its text for people, Graphviz,
//! Mermaid and browsers. What several kustomizations name is one node.

mod dot;
mod mermaid;
mod svg;
mod text;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::Fallible;
use crate::project::{GeneratorArgs, Kustomization, Layer, load_layer};
use crate::resource::read_objects;
use crate::session::{Context, Text};
use crate::source::display_path;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum NodeKind {
    Environment,
    Kustomization,
    Component,
    Resource,
    Patch,
    Source,
    Values,
    Settings,
}

impl NodeKind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Environment,
        Self::Kustomization,
        Self::Component,
        Self::Resource,
        Self::Patch,
        Self::Source,
        Self::Values,
        Self::Settings,
    ];

    /// Returns the name of the kind as pictures use it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Kustomization => "kustomization",
            Self::Component => "component",
            Self::Resource => "resource",
            Self::Patch => "patch",
            Self::Source => "file of a generator",
            Self::Values => "values",
            Self::Settings => "configuration",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    /// What it is called: an environment's name, or a path.
    pub(crate) label: String,
    pub(crate) is_template: bool,
    /// What it includes: the field that says so, and the number of the node.
    pub(crate) edges: Vec<(&'static str, usize)>,
}

impl Node {
    /// Returns the name, and a word where it is a template.
    fn shown(&self) -> String {
        if self.is_template { format!("{} (template)", self.label) } else { self.label.clone() }
    }
}

/// What includes what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// The nodes that were asked for.
    pub(crate) roots: Vec<usize>,
    by_path: HashMap<PathBuf, usize>,
}

impl Graph {
    /// Adds a target: an environment if it has a name, with the files of its values, or a kustomization alone.
    pub(crate) fn add_target(
        &mut self,
        cx: &mut Context<'_>,
        name: Option<&str>,
        directory: &Path,
        values: &[PathBuf],
    ) -> Fallible<()> {
        let text = Text { value: ".".into(), ..Text::default() };
        let root = match cx.loader.existing_directory(directory) {
            Ok(root) => root,
            Err(error) => return Err(cx.load_error(&error, directory, &text)),
        };
        let kustomization = self.kustomization(cx, &root, None)?;
        let Some(name) = name else {
            self.roots.push(kustomization);
            return Ok(());
        };
        let environment = self.push(NodeKind::Environment, name.to_owned(), false);
        for path in values {
            let file = self.file(cx, path, NodeKind::Values);
            self.nodes[environment].edges.push(("values", file));
        }
        self.nodes[environment].edges.push(("path", kustomization));
        self.roots.push(environment);
        Ok(())
    }

    fn push(&mut self, kind: NodeKind, label: String, is_template: bool) -> usize {
        self.nodes.push(Node { kind, label, is_template, edges: Vec::new() });
        self.nodes.len() - 1
    }

    fn file(&mut self, cx: &Context<'_>, path: &Path, kind: NodeKind) -> usize {
        if let Some(&known) = self.by_path.get(path) {
            return known;
        }
        let templates = cx.options.templates.as_deref();
        let is_template = templates.is_some_and(|templates| templates.is_template(path));
        let node = self.push(kind, display_path(path, &cx.options.shown_from), is_template);
        self.by_path.insert(path.to_path_buf(), node);
        node
    }

    /// Returns the kustomization in a directory, with all that it names.
    fn kustomization(
        &mut self,
        cx: &mut Context<'_>,
        root: &Path,
        entry: Option<&Text>,
    ) -> Fallible<usize> {
        if let Some(&known) = self.by_path.get(root) {
            return Ok(known);
        }
        let layer = load_layer(cx, root, entry)?;
        let kind = if layer.kustomization.is_component() {
            NodeKind::Component
        } else {
            NodeKind::Kustomization
        };
        let node = self.push(kind, display_path(root, &cx.options.shown_from), false);
        // Whoever is on the way to here finds it: a cycle has an end.
        self.by_path.insert(root.to_path_buf(), node);
        let mut result = Ok(());
        for (field, kind, entry) in entries(&layer.kustomization) {
            let found = match kind {
                Names::File(kind) => self.named_file(cx, &layer, entry, kind).map(Some),
                Names::FileOrDirectory => self.named(cx, &layer, entry).map(Some),
                Names::Directory => self.named_directory(cx, &layer, entry).map(Some),
                Names::FileOrText => self.named_or_text(cx, &layer, entry),
                Names::KeyAndFile => {
                    let path = entry.as_str().split_once('=').map_or(entry.as_str(), |(_, p)| p);
                    let entry = Text { value: path.into(), at: entry.at };
                    self.named_file(cx, &layer, &entry, NodeKind::Source).map(Some)
                }
            };
            match found {
                Ok(Some(to)) if !self.nodes[node].edges.contains(&(field, to)) => {
                    self.nodes[node].edges.push((field, to));
                }
                Ok(_) => {}
                Err(reported) => result = Err(reported),
            }
        }
        result.map(|()| node)
    }

    fn named_file(
        &mut self,
        cx: &mut Context<'_>,
        layer: &Layer,
        entry: &Text,
        kind: NodeKind,
    ) -> Fallible<usize> {
        match cx.loader.file(&layer.root, entry.as_str()) {
            Ok(path) => Ok(self.file(cx, &path, kind)),
            Err(error) => Err(cx.load_error(&error, &layer.root, entry)),
        }
    }

    fn named_directory(
        &mut self,
        cx: &mut Context<'_>,
        layer: &Layer,
        entry: &Text,
    ) -> Fallible<usize> {
        match cx.loader.directory(&layer.root, entry.as_str()) {
            Ok(root) => self.kustomization(cx, &root, Some(entry)),
            Err(error) => Err(cx.load_error(&error, &layer.root, entry)),
        }
    }

    fn named(&mut self, cx: &mut Context<'_>, layer: &Layer, entry: &Text) -> Fallible<usize> {
        if let Ok(path) = cx.loader.file(&layer.root, entry.as_str()) {
            return Ok(self.file(cx, &path, NodeKind::Resource));
        }
        self.named_directory(cx, layer, entry)
    }

    /// An entry that is a text itself names nothing.
    fn named_or_text(
        &mut self,
        cx: &mut Context<'_>,
        layer: &Layer,
        entry: &Text,
    ) -> Fallible<Option<usize>> {
        let is_text = entry.value.contains('\n')
            || read_objects(entry.value.as_bytes(), 0).is_ok_and(|objects| !objects.is_empty());
        if is_text { Ok(None) } else { self.named(cx, layer, entry).map(Some) }
    }
}

/// What an entry of a kustomization may name.
#[derive(Clone, Copy, Debug)]
enum Names {
    File(NodeKind),
    FileOrDirectory,
    Directory,
    /// A file or a directory, or a text that is no name.
    FileOrText,
    /// `[KEY=]PATH`
    KeyAndFile,
}

type Entries<'k> = Vec<(&'static str, Names, &'k Text)>;

/// Returns the entries of a kustomization that name something, in the order in which they count.
fn entries(fields: &Kustomization) -> Entries<'_> {
    let mut out: Entries<'_> = Vec::new();
    let settings = Names::File(NodeKind::Settings);
    let patch = Names::File(NodeKind::Patch);
    push(&mut out, "resources", Names::FileOrDirectory, &fields.resources);
    push(&mut out, "components", Names::Directory, &fields.components);
    let openapi = fields.openapi.as_ref().and_then(|openapi| openapi.path.as_ref());
    push(&mut out, "openapi", settings, openapi);
    push(&mut out, "configurations", settings, &fields.configurations);
    push(&mut out, "crds", settings, &fields.crds);
    push_sources(&mut out, "configMapGenerator", &fields.config_map_generators);
    push_sources(&mut out, "secretGenerator", &fields.secret_generators);
    push(&mut out, "generators", Names::FileOrText, &fields.generators);
    push(&mut out, "patches", patch, fields.patches.iter().map(|patch| &patch.path));
    push(&mut out, "patchesStrategicMerge", Names::FileOrText, &fields.patches_strategic_merge);
    let json = fields.patches_json6902.iter().map(|patch| &patch.path);
    push(&mut out, "patchesJson6902", patch, json);
    push(&mut out, "replacements", settings, fields.replacements.iter().map(|one| &one.path));
    push(&mut out, "transformers", Names::FileOrText, &fields.transformers);
    push(&mut out, "validators", Names::FileOrText, &fields.validators);
    out
}

fn push<'k>(
    out: &mut Entries<'k>,
    field: &'static str,
    names: Names,
    entries: impl IntoIterator<Item = &'k Text>,
) {
    let named = entries.into_iter().filter(|entry| !entry.is_empty());
    out.extend(named.map(|entry| (field, names, entry)));
}

fn push_sources<'k>(out: &mut Entries<'k>, field: &'static str, generators: &'k [GeneratorArgs]) {
    for generator in generators {
        push(out, field, Names::File(NodeKind::Source), &generator.envs);
        push(out, field, Names::KeyAndFile, &generator.files);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{BuildOptions, Session};
    use crate::source::MemoryReader;

    pub(super) fn graph(files: &[(&str, &str)], targets: &[(Option<&str>, &str)]) -> Graph {
        let mut reader = MemoryReader::new();
        for (path, text) in files {
            reader.insert(format!("/p/{path}"), *text);
        }
        let session = Session::new(&reader);
        let options = BuildOptions { shown_from: "/p".into(), ..BuildOptions::default() };
        let mut cx = Context::new(&session, &options);
        let mut graph = Graph::default();
        for (name, directory) in targets {
            let values = [PathBuf::from("/p/values.yaml")];
            let values = if name.is_some() { &values[..] } else { &[] };
            let directory = Path::new("/p").join(directory);
            let added = graph.add_target(&mut cx, *name, &directory, values);
            assert!(added.is_ok(), "{:?}", cx.sink.diagnostics());
        }
        graph
    }

    pub(super) fn shop() -> Graph {
        let files = [
            (
                "base/kustomization.yaml",
                "resources: [web.yaml]\nconfigMapGenerator:\n- {name: s, files: [\"k=a b.txt\"], envs: [e.env]}\n",
            ),
            ("base/web.yaml", ""),
            ("base/a b.txt", ""),
            ("base/e.env", ""),
            (
                "tls/kustomization.yaml",
                "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nnamePrefix: a-\n",
            ),
            (
                "dev/kustomization.yaml",
                "resources: [../base]\ncomponents: [../tls]\npatches: [{path: web.yaml}, {patch: \"{}\"}]\n",
            ),
            ("dev/web.yaml", ""),
            ("prod/kustomization.yaml", "resources: [../base]\ncomponents: [../tls]\n"),
            ("values.yaml", ""),
        ];
        graph(&files, &[(Some("dev"), "dev"), (Some("prod"), "prod")])
    }

    #[test]
    fn what_several_name_is_one_node() {
        let graph = shop();
        let labels: Vec<&str> = graph.nodes.iter().map(|node| node.label.as_str()).collect();
        assert_eq!(
            labels,
            [
                "dev",
                "base",
                "base/web.yaml",
                "base/e.env",
                "base/a b.txt",
                "tls",
                "dev/web.yaml",
                "dev",
                "values.yaml",
                "prod",
                "prod"
            ]
        );
        assert_eq!(graph.roots.len(), 2);
    }

    #[test]
    fn a_cycle_has_an_end() {
        let files = [
            ("a/kustomization.yaml", "resources: [../b]\n"),
            ("b/kustomization.yaml", "resources: [../a]\n"),
        ];
        assert_eq!(graph(&files, &[(None, "a")]).nodes.len(), 2);
    }
}
