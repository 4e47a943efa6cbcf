//! One object of a build, with what kustomize remembers about it.
//!
//! kustomize keeps its memory in annotations of the object (`internal.config.kubernetes.io/...`) and takes them off at the
//! end. Here it is fields. Since the annotations are part of its behaviour when users write them, they are read into the
//! fields when an object is loaded or patched, and never printed.

use ecow::EcoString;

use super::metadata::{AliasWrites, metadata_text, set_metadata_text, set_string_map, string_map};
use super::{Gvk, PreviousId, ResourceId, Scopes};
use crate::provenance::{LogEntry, OriginId};
use crate::yaml::{Key, Node, known};

/// What a generated object does to one of the same id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// Nothing was asked for; acts as `create`.
    #[default]
    Unspecified,
    /// There must be none.
    Create,
    /// The generated object takes its place.
    Replace,
    /// The generated object adds to it.
    Merge,
}

impl Behavior {
    /// Returns the behavior with this name; any other name asks for nothing.
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "create" => Self::Create,
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            _ => Self::Unspecified,
        }
    }
}

/// One object of a build.
#[derive(Clone, Debug)]
pub struct Resource {
    node: Node,
    id: ResourceId,
    previous: Vec<PreviousId>,
    pub(crate) prefixes: Vec<EcoString>,
    pub(crate) suffixes: Vec<EcoString>,
    /// What a generated object asks for; none for any other.
    pub(crate) behavior: Option<Behavior>,
    pub(crate) needs_hash: bool,
    /// What the content hash has added to the name.
    hash_suffix: EcoString,
    pub(crate) helm_generated: bool,
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
    pub(crate) var_names: Vec<EcoString>,
    alias_groups: u16,
    deleted: bool,
    log: Vec<LogEntry>,
}

impl Resource {
    /// Returns the object that a tree is.
    pub(crate) fn new(node: Node, scopes: &Scopes) -> Self {
        let mut resource = Self {
            node,
            id: ResourceId::default(),
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            behavior: None,
            needs_hash: false,
            hash_suffix: EcoString::new(),
            helm_generated: false,
            allow_name_change: false,
            allow_kind_change: false,
            var_names: Vec::new(),
            alias_groups: 0,
            deleted: false,
            log: Vec::new(),
        };
        resource.read_build_annotations();
        resource.refresh(scopes);
        resource
    }

    /// Returns the tree.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Returns what the content hash has added to the name; empty if there is none.
    pub(crate) fn hash_suffix(&self) -> &str {
        &self.hash_suffix
    }

    /// Extends the name by a content hash.
    pub(crate) fn add_hash(&mut self, hash: &str, origin: OriginId) {
        self.hash_suffix = ecow::eco_format!("-{hash}");
        let hashed = format!("{}{}", self.id.name, self.hash_suffix);
        self.set_name(&hashed, origin);
    }

    /// Returns the present id.
    pub fn id(&self) -> &ResourceId {
        &self.id
    }

    /// Returns what happened to the object that no node can tell.
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }

    pub(crate) fn push_log(&mut self, entry: LogEntry) {
        self.log.push(entry);
    }

    /// Returns the ids that the object had before, oldest first.
    pub(crate) fn previous(&self) -> &[PreviousId] {
        &self.previous
    }

    /// Returns the oldest id (kustomize's `OrgId`).
    pub(crate) fn original_id(&self) -> ResourceId {
        self.previous.first().map_or_else(|| self.id.clone(), |p| p.with_version_of(&self.id.gvk))
    }

    /// Returns the oldest kind, with the present group and version.
    pub(crate) fn original_gvk(&self) -> Gvk {
        self.original_id().gvk
    }

    /// Returns whether the present id or an earlier one satisfies a condition.
    pub(crate) fn any_id(&self, mut wanted: impl FnMut(&ResourceId) -> bool) -> bool {
        let gvk = &self.id.gvk;
        self.previous.iter().any(|p| wanted(&p.with_version_of(gvk))) || wanted(&self.id)
    }

    /// Remembers the present id among the earlier ones.
    pub(crate) fn store_previous_id(&mut self) {
        let id = PreviousId {
            name: self.id.name.clone(),
            namespace: self.id.effective_namespace().into(),
            kind: self.id.gvk.kind.clone(),
        };
        // An id that is already the last one says nothing new; only its being the first one counts.
        if self.previous.last() != Some(&id) {
            self.previous.push(id);
        }
    }

    /// Returns whether a patch deleted the object.
    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted || self.node.is_null_or_empty()
    }

    /// Marks the object as deleted; it disappears after the transformer that did it.
    pub(crate) fn delete(&mut self) {
        self.deleted = true;
    }

    /// Returns the tree, to change it. [`Resource::refresh`] must follow.
    pub(crate) fn node_mut(&mut self) -> &mut Node {
        &mut self.node
    }

    /// Returns a number for a new group of nodes that are one object; 0, for none, once the numbers are used up.
    pub(crate) fn new_alias_group(&mut self) -> u16 {
        self.alias_groups = self.alias_groups.saturating_add(1);
        if self.alias_groups == u16::MAX { 0 } else { self.alias_groups }
    }

    /// Computes the id anew after the tree has changed.
    pub(crate) fn refresh(&mut self, scopes: &Scopes) {
        if !self.id.gvk.is_of(&self.node) || self.id.gvk.is_empty() {
            let gvk = Gvk::of(&self.node);
            self.id.cluster_scoped = scopes.is_cluster_scoped(&gvk);
            self.id.gvk = gvk;
        }
        self.id.name = metadata_text(&self.node, known::NAME);
        self.id.namespace = metadata_text(&self.node, known::NAMESPACE);
    }

    /// Computes the id anew, its scope included, after the knowledge of scopes has changed.
    pub(crate) fn rescope(&mut self, scopes: &Scopes) {
        self.id.cluster_scoped = scopes.is_cluster_scoped(&self.id.gvk);
    }

    /// Sets the name (kustomize's `SetName`).
    pub(crate) fn set_name(&mut self, name: &str, origin: OriginId) {
        let mut writes = AliasWrites::default();
        set_metadata_text(&mut self.node, known::NAME, name, origin, &mut writes);
        writes.apply(&mut self.node);
        self.id.name = name.into();
    }

    /// Sets the namespace, or removes it where it is empty (kustomize's `SetNamespace`).
    pub(crate) fn set_namespace(&mut self, namespace: &str, origin: OriginId) {
        if namespace.is_empty() {
            if self.node.at(&[known::METADATA, known::NAMESPACE]).is_some()
                && let Some(metadata) = self.node.get_mut(known::METADATA)
            {
                metadata.remove(known::NAMESPACE);
            }
        } else {
            let mut writes = AliasWrites::default();
            set_metadata_text(&mut self.node, known::NAMESPACE, namespace, origin, &mut writes);
            writes.apply(&mut self.node);
        }
        self.id.namespace = namespace.into();
    }

    /// Returns annotations or labels as text, sorted.
    pub(crate) fn string_map(&self, field: Key) -> Vec<(EcoString, EcoString, OriginId)> {
        string_map(&self.node, field)
    }

    /// Replaces annotations or labels.
    pub(crate) fn set_string_map(
        &mut self,
        field: Key,
        values: &[(EcoString, EcoString, OriginId)],
    ) {
        set_string_map(&mut self.node, field, values);
    }

    /// Takes over what the build remembers of the object that this one replaces.
    pub(crate) fn take_memory(&mut self, old: &Self) {
        self.previous.clone_from(&old.previous);
        self.prefixes.clone_from(&old.prefixes);
        self.suffixes.clone_from(&old.suffixes);
        self.var_names.clone_from(&old.var_names);
        self.behavior = old.behavior;
        self.helm_generated = old.helm_generated;
        self.allow_name_change = old.allow_name_change;
        self.allow_kind_change = old.allow_kind_change;
        // A hash is added only where both objects ask for one.
        self.needs_hash &= old.needs_hash;
        self.log.clone_from(&old.log);
    }

    /// Returns whether the build remembers the same of both objects.
    pub(crate) fn has_same_memory(&self, other: &Self) -> bool {
        self.previous == other.previous
            && self.prefixes == other.prefixes
            && self.suffixes == other.suffixes
            && self.behavior == other.behavior
            && self.needs_hash == other.needs_hash
            && self.helm_generated == other.helm_generated
            && self.allow_name_change == other.allow_name_change
            && self.allow_kind_change == other.allow_kind_change
    }

    /// Returns whether kustomize keeps something about the object in its annotations, which then are there even if none
    /// can be seen.
    pub(crate) fn has_hidden_annotations(&self) -> bool {
        !self.previous.is_empty()
            || !self.prefixes.is_empty()
            || !self.suffixes.is_empty()
            || self.behavior.is_some()
            || self.needs_hash
            || self.helm_generated
            || self.allow_name_change
            || self.allow_kind_change
    }

    /// Forgets everything that kustomize keeps in annotations, as when a patch removes them all.
    pub(crate) fn forget_hidden_annotations(&mut self) {
        self.previous.clear();
        self.prefixes.clear();
        self.suffixes.clear();
        self.behavior = None;
        self.needs_hash = false;
        self.helm_generated = false;
        self.allow_name_change = false;
        self.allow_kind_change = false;
    }

    /// Takes what kustomize keeps in annotations into the fields, and removes those annotations from the tree.
    pub(crate) fn read_build_annotations(&mut self) {
        let annotations =
            self.node.at(&[known::METADATA, known::ANNOTATIONS]).and_then(Node::entries);
        let found: Vec<(Key, EcoString)> = annotations
            .into_iter()
            .flatten()
            .filter(|e| e.key.is_build_annotation())
            .map(|e| (e.key, e.value.shared_text()))
            .collect();
        if found.is_empty() {
            return;
        }
        let csv = |wanted: Key| -> Option<Vec<EcoString>> {
            let (_, text) = found.iter().find(|(key, _)| key.same_text(wanted))?;
            Some(text.split(',').map(EcoString::from).collect())
        };
        let enabled = |wanted: Key| {
            found.iter().any(|(key, text)| key.same_text(wanted) && text == "enabled")
        };
        if let Some(names) = csv(known::PREVIOUS_NAMES) {
            let namespaces = csv(known::PREVIOUS_NAMESPACES).unwrap_or_default();
            let kinds = csv(known::PREVIOUS_KINDS).unwrap_or_default();
            let ids = names.into_iter().zip(namespaces).zip(kinds);
            self.previous =
                ids.map(|((name, namespace), kind)| PreviousId { name, namespace, kind }).collect();
        }
        self.prefixes.extend(csv(known::PREFIXES).unwrap_or_default());
        self.suffixes.extend(csv(known::SUFFIXES).unwrap_or_default());
        self.needs_hash |= enabled(known::NEEDS_HASH_SUFFIX);
        self.allow_name_change |= enabled(known::ALLOW_NAME_CHANGE);
        self.allow_kind_change |= enabled(known::ALLOW_KIND_CHANGE);
        let text =
            |wanted: Key| found.iter().find(|(key, _)| key.same_text(wanted)).map(|(_, text)| text);
        if let Some(name) = text(known::GENERATOR_BEHAVIOR) {
            self.behavior = Some(Behavior::from_name(name));
        }
        self.helm_generated |= text(known::HELM_GENERATED).is_some_and(|t| t == "true");
        let metadata = self.node.get_mut(known::METADATA);
        if let Some(annotations) = metadata.and_then(|m| m.get_mut(known::ANNOTATIONS))
            && let Some(entries) = annotations.entries_mut()
        {
            entries.retain(|e| !e.key.is_build_annotation());
        }
    }
}
