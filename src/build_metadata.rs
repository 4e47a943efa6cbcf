//! The marks of `buildMetadata`: where an object comes from, what transformed it, and which tool built it.
//!
//! See `api/resource/origin.go`. While an object is built the marks are annotations like any other, so patches may see and
//! change them. Those that were not asked for are taken off at the end.

use std::path::{Component, Path, PathBuf};

use ecow::EcoString;

use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::project::{FieldPath, FieldSpec, FieldSpecs, Kustomization};
use crate::provenance::{OriginId, StepKind};
use crate::resource::{Gvk, Resource, ResourceSet, metadata_entry, metadata_map};
use crate::session::{Context, Text};
use crate::transform::set_labels;
use crate::yaml::{
    Dialect, Key, KeyKind, Node, NodeKind, ScalarStyle, Tag, block_text, known, parse_document,
    resolve_tag,
};

/// The version of kustomize that is built like.
pub(crate) const KUSTOMIZE_VERSION: &str = "v5.8.1";

/// Where an object comes from, or what a transformer was configured by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    path: String,
    configured_in: String,
    configured_by: Option<ConfiguredBy>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ConfiguredBy {
    api_version: String,
    kind: String,
    name: String,
    namespace: String,
}

/// Joins paths as text and cleans the result (Go's `filepath.Join`).
fn join(base: &str, entry: &str) -> String {
    let mut out = PathBuf::new();
    for component in Path::new(base).join(entry).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    let text = out.to_string_lossy().into_owned();
    if text.is_empty() && !(base.is_empty() && entry.is_empty()) { ".".to_owned() } else { text }
}

impl Origin {
    /// Returns the origin of what an entry names.
    pub(crate) fn append(&self, entry: &str) -> Self {
        // An absolute entry is joined like any other here.
        let entry = if self.path.is_empty() { entry } else { entry.trim_start_matches('/') };
        Self { path: join(&self.path, entry), ..self.clone() }
    }

    /// Returns the origin of what a field of a kustomization makes.
    pub(crate) fn configured_by_builtin(&self, file_name: &str, plugin: &str) -> Self {
        let by = ConfiguredBy {
            api_version: "builtin".to_owned(),
            kind: plugin.to_owned(),
            name: String::new(),
            namespace: String::new(),
        };
        Self {
            path: String::new(),
            configured_in: join(&self.path, file_name),
            configured_by: Some(by),
        }
    }

    /// Returns the origin of what a plugin makes; none unless its configuration is marked.
    pub(crate) fn of_plugin(config: &Resource) -> Option<Self> {
        let text =
            metadata_entry(config.node(), known::ANNOTATIONS, known::ORIGIN_ANNOTATION.text())?;
        let document = parse_document(&text, 0, Dialect::V2).ok().flatten()?;
        let path = document.get(Key::text_key("path")).map(|path| path.text().to_owned());
        let id = config.id();
        let by = ConfiguredBy {
            api_version: id.gvk.api_version().to_string(),
            kind: id.gvk.kind.to_string(),
            name: id.name.to_string(),
            namespace: id.namespace.to_string(),
        };
        let configured_in = path.unwrap_or_default();
        Some(Self { path: String::new(), configured_in, configured_by: Some(by) })
    }

    fn node(&self) -> Node {
        let mut node = Node::map(Vec::new(), OriginId::NONE);
        let put = |node: &mut Node, key: &str, text: &str| {
            if !text.is_empty() {
                node.push_entry(
                    Key::text_key(key),
                    OriginId::NONE,
                    Node::string(text, OriginId::NONE),
                );
            }
        };
        put(&mut node, "path", &self.path);
        put(&mut node, "configuredIn", &self.configured_in);
        if let Some(by) = &self.configured_by {
            let mut map = Node::map(Vec::new(), OriginId::NONE);
            put(&mut map, "apiVersion", &by.api_version);
            put(&mut map, "kind", &by.kind);
            put(&mut map, "name", &by.name);
            put(&mut map, "namespace", &by.namespace);
            node.push_entry(Key::text_key("configuredBy"), OriginId::NONE, map);
        }
        node
    }
}

/// What the target's `buildMetadata` asks for; that of other kustomizations does not count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    /// Anything was asked for, so everything is marked.
    active: bool,
    keep_origins: bool,
    keep_transformations: bool,
    managed_by: bool,
    /// Where the marks come from.
    origin_of_origins: OriginId,
    origin_of_transformations: OriginId,
    managed_by_at: OriginId,
}

impl Marks {
    pub(crate) fn new(cx: &mut Context<'_>, fields: &Kustomization) -> Self {
        let active = !fields.build_metadata.is_empty();
        if !active {
            return Self::default();
        }
        let at = |option: &str| {
            let found = fields.build_metadata.iter().find(|own| own.as_str() == option);
            found.map_or(OriginId::NONE, |option| option.at)
        };
        let mut origin =
            |option: &str| cx.step(StepKind::BuildMetadata, at(option)).create(at(option));
        Self {
            active,
            keep_origins: fields.asks_for("originAnnotations"),
            keep_transformations: fields.asks_for("transformerAnnotations"),
            managed_by: fields.asks_for("managedByLabel"),
            origin_of_origins: origin("originAnnotations"),
            origin_of_transformations: origin("transformerAnnotations"),
            managed_by_at: at("managedByLabel"),
        }
    }

    /// Returns whether objects are marked with where they come from.
    pub(crate) fn is_active(&self) -> bool {
        self.active
    }

    /// Marks an object with its origin, unless it has one.
    pub(crate) fn set_origin(
        &self,
        cx: &mut Context<'_>,
        resource: &mut Resource,
        origin: &Origin,
    ) -> Fallible<()> {
        if !self.active {
            return Ok(());
        }
        require_annotations(cx, resource)?;
        let mut annotations = resource.string_map(known::ANNOTATIONS);
        let text = block_text(&origin.node());
        put(&mut annotations, known::ORIGIN_ANNOTATION, text, self.origin_of_origins);
        resource.set_string_map(known::ANNOTATIONS, &annotations);
        Ok(())
    }

    /// Marks every object with a transformer. An object without an origin is taken for one that the transformer made.
    pub(crate) fn add_transformation(&self, set: &mut ResourceSet, origin: &Origin) {
        if !self.active {
            return;
        }
        for index in 0..set.len() {
            set.update_content(index, |resource| {
                let mut annotations = resource.string_map(known::ANNOTATIONS);
                let find = |key: Key| annotations.iter().find(|(own, ..)| own == key.text());
                if find(known::ORIGIN_ANNOTATION).is_none() {
                    let text = block_text(&origin.node());
                    put(&mut annotations, known::ORIGIN_ANNOTATION, text, self.origin_of_origins);
                } else {
                    let before = find(known::TRANSFORMATIONS_ANNOTATION)
                        .map(|(_, text, _)| text.to_string());
                    let item = block_text(&Node::sequence(vec![origin.node()], OriginId::NONE));
                    put(
                        &mut annotations,
                        known::TRANSFORMATIONS_ANNOTATION,
                        before.unwrap_or_default() + &item,
                        self.origin_of_transformations,
                    );
                }
                resource.set_string_map(known::ANNOTATIONS, &annotations);
            });
        }
    }

    /// Adds the label of the tool, and takes off the marks that were not asked for. Annotations are strings from here on.
    pub(crate) fn finish(&self, cx: &mut Context<'_>, set: &mut ResourceSet) -> Fallible<()> {
        if self.managed_by || cx.options.managed_by_label {
            let value = format!("kustomize-{KUSTOMIZE_VERSION}");
            let pairs = vec![(
                known::MANAGED_BY.text().into(),
                Text { value: value.into(), at: self.managed_by_at },
            )];
            let path = FieldPath::new("metadata/labels");
            let specs =
                FieldSpecs::from(vec![FieldSpec { gvk: Gvk::default(), path, create: true }]);
            let step = (StepKind::BuildMetadata, self.managed_by_at);
            set_labels(cx, set, step, pairs, specs)?;
        }
        for index in 0..set.len() {
            if self.needs_cleaning(set.get(index).node()) {
                require_names(cx, set.get(index))?;
                set.update_content(index, |resource| {
                    let mut annotations = resource.string_map(known::ANNOTATIONS);
                    annotations.retain(|(key, ..)| {
                        (self.keep_origins || key != known::ORIGIN_ANNOTATION.text())
                            && (self.keep_transformations
                                || key != known::TRANSFORMATIONS_ANNOTATION.text())
                    });
                    resource.set_string_map(known::ANNOTATIONS, &annotations);
                });
            }
        }
        Ok(())
    }

    /// Returns whether the annotations of an object are not yet what they are to be.
    fn needs_cleaning(&self, node: &Node) -> bool {
        let Some(annotations) = metadata_map(node, known::ANNOTATIONS) else { return false };
        let Some(entries) = annotations.entries().filter(|entries| !entries.is_empty()) else {
            return !(self.keep_origins && self.keep_transformations);
        };
        let clean = entries.iter().enumerate().all(|(index, entry)| {
            entry.key.kind() == KeyKind::Text
                && !entry.key.text().is_empty()
                && !entry.key.same_text(known::ORIGIN_ANNOTATION)
                && !entry.key.same_text(known::TRANSFORMATIONS_ANNOTATION)
                && entry.value.tag() == Tag::Str
                // A text of several lines becomes a literal, whose lines are not folded.
                && (entry.value.style() == ScalarStyle::Literal || !entry.value.text().contains('\n'))
                && resolve_tag(entry.key.text()) == Tag::Str
                && !entries[..index].iter().any(|other| other.key.same_text(entry.key))
        });
        !clean
    }
}

/// Only a map can take an annotation.
fn require_annotations(cx: &mut Context<'_>, resource: &Resource) -> Fallible<()> {
    let metadata = resource.node().get(known::METADATA);
    let annotations = metadata.and_then(|metadata| metadata.get(known::ANNOTATIONS));
    let fields = [("metadata", metadata), ("metadata.annotations", annotations)];
    let misfit = |node: &&Node| !node.is_null() && node.kind() != NodeKind::Map;
    let found = fields.into_iter().find_map(|(name, node)| Some((name, node.filter(misfit)?)));
    let Some((name, node)) = found else { return Ok(()) };
    let found = node.kind().name();
    let message = format!("`{name}` of `{}` must be a map, found a {found}", resource.id());
    let d = Diagnostic::error(Code::FieldPathConflict, message)
        .at(cx.span(node.origin()), format!("a {found}"));
    Err(cx.fail(d))
}

/// An annotation without a name cannot be set.
fn require_names(cx: &mut Context<'_>, resource: &Resource) -> Fallible<()> {
    let entries = metadata_map(resource.node(), known::ANNOTATIONS).and_then(Node::entries);
    match entries.into_iter().flatten().find(|entry| entry.key.text().is_empty()) {
        None => Ok(()),
        Some(entry) => {
            let message = format!("an annotation of `{}` has no name", resource.id());
            let d = Diagnostic::error(Code::YamlKeyNotString, message)
                .at(cx.span(entry.key_origin), "no name");
            Err(cx.fail(d))
        }
    }
}

type Annotations = Vec<(EcoString, EcoString, OriginId)>;

fn put(annotations: &mut Annotations, key: Key, text: String, origin: OriginId) {
    let value = (EcoString::from(key.text()), EcoString::from(text), origin);
    match annotations.iter_mut().find(|(own, ..)| own == key.text()) {
        Some(own) => *own = value,
        None => {
            annotations.push(value);
            annotations.sort_by(|a, b| a.0.cmp(&b.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_joined_as_text() {
        let root = Origin::default();
        assert_eq!(root.append("../base").append("a.yaml").path, "../base/a.yaml");
        assert_eq!(root.append("x").append("../y/./z.yaml").path, "y/z.yaml");
        assert_eq!(root.append("../a").append("../../b").path, "../../b");
    }

    #[test]
    fn an_origin_is_a_yaml_text() {
        let origin =
            Origin::default().append("../base").configured_by_builtin("kustomization.yaml", "X");
        assert_eq!(
            block_text(&origin.node()),
            "configuredIn: ../base/kustomization.yaml\nconfiguredBy:\n  apiVersion: builtin\n  kind: X\n"
        );
        let list = Node::sequence(vec![origin.node()], OriginId::NONE);
        assert!(
            block_text(&list)
                .starts_with("- configuredIn: ../base/kustomization.yaml\n  configuredBy:\n")
        );
    }
}
