//! Strategic merge.
//!
//! This follows kyaml's walker and merge visitor (`kyaml/yaml/walk`, `kyaml/yaml/merge2`), whose details show in the
//! output. The walk visits the union of both sides; what only the target has is visited too, and a field without a value
//! disappears from every map on the way. What only the patch has is merged *with itself*, which drops its nulls and obeys
//! its directives. Lists with a merge key are rebuilt, the patch's elements first. Any other list is replaced.
//!
//! Directives (`$patch: delete`, `replace`, `merge`) are taken out of the patch when they are obeyed; where no rule looks
//! for them they stay in the output, as in kustomize.

use std::rc::Rc;

use ecow::EcoString;

use super::merge_list;
use crate::provenance::{self, Kept, LogEntry, LogKind, OriginId, Recorder, ValuePath};
use crate::resource::{AliasWrites, Gvk};
use crate::schema::{Schema, Schemas};
use crate::yaml::{
    Entry, Key, KeyKind, Node, NodeKind, ScalarStyle, is_yaml_1_1_non_string, known,
};

/// Why a patch cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MergeFault {
    /// Patch and target hold values of different kinds.
    Kind {
        path: String,
        target: OriginId,
        target_kind: NodeKind,
        patch: OriginId,
        patch_kind: NodeKind,
    },
    /// A `$patch` directive has an unknown value.
    Directive { at: OriginId, found: EcoString },
    /// An element of a keyed list is not a map.
    Element { path: String, at: OriginId },
    /// The key of a field that is visited is none that kyaml can look up: empty, a list or a map.
    Key { path: String, at: OriginId, found: &'static str },
}

/// What became of a whole object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merged {
    Changed,
    Deleted,
}

/// Something that a merge does, as kustomize does it, and that nobody can want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) kind: NoticeKind,
    /// Where: the field or list, as a path from the root of the object.
    pub(crate) path: String,
    /// The part of the patch, or the element that is gone.
    pub(crate) at: OriginId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    /// `$patch: replace` replaces nothing.
    ReplaceIgnored,
    /// An element is in the list no more, although no directive removes it.
    ElementDropped,
    /// An empty list leaves the elements where they are.
    EmptyList,
}

/// What a merge gives besides the changed object.
pub(crate) struct MergeResult {
    pub(crate) merged: Merged,
    pub(crate) log: Vec<LogEntry>,
    pub(crate) notices: Vec<Notice>,
}

/// What becomes of the target's value.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It goes.
    Cleared,
    /// It stays, changed in place or not.
    Stays,
    /// The patch's value, as it now is, takes its place.
    Taken,
    /// A new list takes its place.
    New(Node),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// One merge of a patch into an object.
pub(crate) struct Merge<'a, 'p> {
    pub(super) schemas: &'a mut Schemas,
    pub(super) recorder: &'a mut Recorder<'p>,
    pub(super) writes: AliasWrites,
    pub(super) log: Vec<LogEntry>,
    pub(super) notices: Vec<Notice>,
    pub(super) path: Vec<PathStep>,
}

/// A step of the path to the value at hand.
#[derive(Clone, Debug)]
pub(super) enum PathStep {
    Field(Key),
    /// The keys of a list and what an element has for them.
    Element(Rc<[Key]>, Vec<EcoString>),
}

impl<'a, 'p> Merge<'a, 'p> {
    pub(crate) fn new(schemas: &'a mut Schemas, recorder: &'a mut Recorder<'p>) -> Self {
        let writes = AliasWrites::default();
        let (log, notices, path) = (Vec::new(), Vec::new(), Vec::new());
        Self { schemas, recorder, writes, log, notices, path }
    }

    /// Merges a patch into an object. The patch loses the directives that were obeyed.
    pub(crate) fn object(
        mut self,
        target: &mut Node,
        patch: &mut Node,
    ) -> Result<MergeResult, MergeFault> {
        let directive = patch.get(known::PATCH_DIRECTIVE).map(Node::origin);
        let outcome = self.pair(Some(target), Some(patch), None)?;
        self.writes.apply(target);
        let merged = match outcome {
            Outcome::Cleared => Merged::Deleted,
            Outcome::Stays | Outcome::New(_) => Merged::Changed,
            // kustomize ignores an object that is replaced as a whole.
            Outcome::Taken => {
                self.notice(NoticeKind::ReplaceIgnored, directive.unwrap_or_default());
                Merged::Changed
            }
        };
        Ok(MergeResult { merged, log: self.log, notices: self.notices })
    }

    pub(super) fn path_text(&self) -> String {
        let mut out = String::new();
        for step in &self.path {
            match step {
                PathStep::Field(key) => {
                    if !out.is_empty() {
                        out.push('.');
                    }
                    out.push_str(key.text());
                }
                PathStep::Element(_, values) => {
                    out.push('[');
                    out.push_str(&values.join(","));
                    out.push(']');
                }
            }
        }
        out
    }

    pub(super) fn note(&mut self, kind: LogKind, at: OriginId, previous: &Node) {
        let value = self.recorder.kept(previous);
        self.note_origin(kind, at, previous.origin(), value);
    }

    /// Like [`Merge::note`], where the value is not at hand any more.
    pub(super) fn note_origin(
        &mut self,
        kind: LogKind,
        at: OriginId,
        previous: OriginId,
        value: Option<Kept>,
    ) {
        let step = self.recorder.step();
        self.log.push(LogEntry { step, at, path: self.value_path(), kind, previous, value });
    }

    fn value_path(&self) -> ValuePath {
        let fields = |keys: &[Key], values: &[EcoString]| {
            let names = keys.iter().map(|key| EcoString::from(key.text()));
            provenance::PathStep::Element(names.zip(values.iter().cloned()).collect())
        };
        let steps = self.path.iter().map(|step| match step {
            PathStep::Field(key) => provenance::PathStep::Key(key.text().into()),
            PathStep::Element(keys, values) => fields(keys, values),
        });
        ValuePath(steps.collect())
    }

    pub(super) fn notice(&mut self, kind: NoticeKind, at: OriginId) {
        let path = self.path_text();
        self.notices.push(Notice { kind, path, at });
    }

    /// The schema of a value: the one its place has, else that of the object it is.
    fn schema(
        &mut self,
        known: Option<Schema>,
        target: Option<&Node>,
        patch: Option<&Node>,
    ) -> Option<Schema> {
        if known.is_some() {
            return known;
        }
        for node in [target, patch].into_iter().flatten() {
            let stated = |key| {
                node.get(key).is_some_and(|n| n.is_scalar() && !n.is_null() && !n.text().is_empty())
            };
            if stated(known::KIND) && stated(known::API_VERSION) {
                let found = self.schemas.for_type(&Gvk::of(node));
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// Merges a value of the patch into one of the target.
    pub(super) fn pair(
        &mut self,
        target: Option<&mut Node>,
        patch: Option<&mut Node>,
        schema: Option<Schema>,
    ) -> Result<Outcome, MergeFault> {
        let Some(patch) = patch else {
            return match target {
                Some(target) => self.target_only(target, schema),
                None => Ok(Outcome::Cleared),
            };
        };
        let schema = self.schema(schema, target.as_deref(), Some(patch));
        let Some(target) = target.filter(|t| !t.is_null()) else {
            return self.added(patch, schema);
        };
        if patch.is_null() {
            return Ok(Outcome::Cleared);
        }
        if target.kind() != patch.kind() {
            return Err(MergeFault::Kind {
                path: self.path_text(),
                target: target.origin(),
                target_kind: target.kind(),
                patch: patch.origin(),
                patch_kind: patch.kind(),
            });
        }
        match target.kind() {
            NodeKind::Scalar => Ok(Outcome::Taken),
            NodeKind::Map => {
                take_look_if_empty(target, patch);
                match directive(patch)? {
                    Directive::Delete => Ok(Outcome::Cleared),
                    Directive::Replace => {
                        self.note(LogKind::MapReplaced, patch.origin(), target);
                        self.settle_fields(patch, schema.as_ref())?;
                        Ok(Outcome::Taken)
                    }
                    Directive::Merge => {
                        self.merge_fields(target, patch, schema.as_ref())?;
                        Ok(Outcome::Stays)
                    }
                }
            }
            NodeKind::Sequence => {
                take_look_if_empty(target, patch);
                let Some(schema) = schema.filter(|s| s.list_rule().merges()) else {
                    self.note(LogKind::ListReplaced, patch.origin(), target);
                    return Ok(Outcome::Taken);
                };
                match directive(patch)? {
                    Directive::Delete => Ok(Outcome::Cleared),
                    Directive::Replace => {
                        self.note(LogKind::ListReplaced, patch.origin(), target);
                        merge_list::merge_with_itself(self, patch, &schema).map(Outcome::New)
                    }
                    Directive::Merge => {
                        if patch.is_empty() && !target.is_empty() {
                            self.notice(NoticeKind::EmptyList, patch.origin());
                        }
                        merge_list::merge_lists(self, target, Some(patch), &schema)
                            .map(Outcome::New)
                    }
                }
            }
        }
    }

    /// A value that the target lacks.
    fn added(&mut self, patch: &mut Node, schema: Option<Schema>) -> Result<Outcome, MergeFault> {
        if patch.is_null() {
            return Ok(Outcome::Cleared);
        }
        match patch.kind() {
            NodeKind::Scalar => Ok(Outcome::Taken),
            NodeKind::Map => {
                // An unknown directive is no fault here; it stays.
                if directive(patch) == Ok(Directive::Delete) {
                    return Ok(Outcome::Cleared);
                }
                self.settle_fields(patch, schema.as_ref())?;
                Ok(Outcome::Taken)
            }
            NodeKind::Sequence => match schema.filter(|s| s.list_rule().merges()) {
                Some(schema) => {
                    merge_list::merge_with_itself(self, patch, &schema).map(Outcome::New)
                }
                None => Ok(Outcome::Taken),
            },
        }
    }

    /// A value that only the target has.
    pub(super) fn target_only(
        &mut self,
        target: &mut Node,
        schema: Option<Schema>,
    ) -> Result<Outcome, MergeFault> {
        if target.is_null() {
            // A null that is spelled out stays, one that is not goes.
            return Ok(if target.text().is_empty() { Outcome::Cleared } else { Outcome::Stays });
        }
        if target.is_scalar() {
            return Ok(Outcome::Stays);
        }
        let schema = self.schema(schema, Some(target), None);
        if self.is_settled(target, schema.as_ref()) {
            return Ok(Outcome::Stays);
        }
        if target.kind() == NodeKind::Sequence {
            return match schema.filter(|s| s.list_rule().merges()) {
                Some(schema) => {
                    merge_list::merge_lists(self, target, None, &schema).map(Outcome::New)
                }
                None => Ok(Outcome::Stays),
            };
        }
        for key in self.field_names(target)? {
            self.target_field(target, key, schema.as_ref())?;
        }
        Ok(Outcome::Stays)
    }

    /// Returns the keys of the fields to visit, each text once.
    fn field_names(&self, node: &Node) -> Result<Vec<Key>, MergeFault> {
        let entries = node.entries().unwrap_or_default();
        for entry in entries {
            if let Some(found) = fault_of_key(entry.key) {
                let (path, at) = (self.path_text(), entry.key_origin);
                return Err(MergeFault::Key { path, at, found });
            }
        }
        Ok(distinct_keys(entries))
    }

    fn target_field(
        &mut self,
        target: &mut Node,
        key: Key,
        schema: Option<&Schema>,
    ) -> Result<(), MergeFault> {
        let field_schema = schema.and_then(|s| s.field(key.text()));
        let Some(field) = target.get(key) else { return Ok(()) };
        let open = match field.kind() {
            NodeKind::Scalar => {
                if is_quoted_when_set(field) {
                    if let Some(field) = target.get_mut(key) {
                        field.set_style(ScalarStyle::DoubleQuoted);
                    }
                    return Ok(());
                }
                field.is_null() && field.text().is_empty()
            }
            _ => !self.is_settled_in_place(field, field_schema.as_ref()),
        };
        if !open {
            return Ok(());
        }
        self.path.push(PathStep::Field(key));
        if let Some(field) = target.get_mut(key) {
            match self.target_only(field, field_schema)? {
                Outcome::Cleared => {
                    if let Some(previous) = target.remove(key) {
                        self.note(LogKind::EmptyDropped, self.recorder.at(), &previous);
                    }
                }
                Outcome::New(mut list) => {
                    list.copy_look(field);
                    self.writes.replace(field, list);
                }
                Outcome::Stays | Outcome::Taken => {}
            }
        }
        self.path.pop();
        Ok(())
    }

    fn is_settled_in_place(&mut self, node: &Node, schema: Option<&Schema>) -> bool {
        let schema = self.schema(schema.cloned(), Some(node), None);
        self.is_settled(node, schema.as_ref())
    }

    /// Returns whether a visit would leave a value as it is, so that it need not be copied.
    fn is_settled(&mut self, node: &Node, schema: Option<&Schema>) -> bool {
        if let Some(entries) = node.entries() {
            return entries.iter().all(|entry| match entry.value.kind() {
                _ if fault_of_key(entry.key).is_some() => false,
                NodeKind::Scalar => {
                    let value = &entry.value;
                    !(value.is_null() && value.text().is_empty() || is_quoted_when_set(value))
                }
                _ => {
                    let field = schema.and_then(|s| s.field(entry.key.text()));
                    self.is_settled_in_place(&entry.value, field.as_ref())
                }
            });
        }
        let Some(schema) = schema else { return true };
        let rule = schema.list_rule();
        if !rule.merges() {
            return true;
        }
        let elements = node.elements().unwrap_or_default();
        if !merge_list::has_distinct_keys(elements, &rule) {
            return elements.is_empty();
        }
        let schema = schema.elements();
        elements.iter().all(|element| {
            element.is_scalar() || self.is_settled_in_place(element, schema.as_ref())
        })
    }

    fn merge_fields(
        &mut self,
        target: &mut Node,
        patch: &mut Node,
        schema: Option<&Schema>,
    ) -> Result<(), MergeFault> {
        let own_keys = self.field_names(target)?;
        let patch_keys = self.field_names(patch)?;
        for key in
            own_keys.into_iter().filter(|own| !patch_keys.iter().any(|key| key.same_text(*own)))
        {
            self.target_field(target, key, schema)?;
        }
        for key in patch_keys {
            let field_schema = schema.and_then(|s| s.field(key.text()));
            let Some(index) =
                patch.entries().and_then(|e| e.iter().position(|e| e.key.same_text(key)))
            else {
                continue;
            };
            let Some(entry) = patch.entries_mut().map(|e| &mut e[index]) else { continue };
            self.path.push(PathStep::Field(key));
            let outcome = self.pair(target.get_mut(key), Some(&mut entry.value), field_schema)?;
            self.put(target, entry, outcome);
            self.path.pop();
        }
        Ok(())
    }

    /// Puts the outcome of a merge into a field of the target (kyaml's `FieldSetter`).
    fn put(&mut self, target: &mut Node, patch: &Entry, outcome: Outcome) {
        let mut value = match outcome {
            Outcome::Stays => return,
            Outcome::Cleared => {
                if let Some(removed) = target.remove(patch.key) {
                    self.note(LogKind::Deleted, patch.value.origin(), &removed);
                }
                return;
            }
            Outcome::Taken => patch.value.clone(),
            Outcome::New(list) => list,
        };
        let from = patch.value.origin();
        match target.get_mut(patch.key) {
            Some(field) => {
                // A list that was merged into stays where it was written.
                if value.origin() == OriginId::NONE || value.origin() != field.origin() {
                    value.set_origin(self.recorder.write(from, field));
                }
                // A value in the place of another keeps how that one is written.
                value.copy_look(field);
                self.writes.replace(field, value);
            }
            None => {
                if is_quoted_when_set(&value) {
                    value.set_style(ScalarStyle::DoubleQuoted);
                }
                // The key is a new one, without the comment of the patch's.
                value.set_commented(false);
                value.set_origin(self.recorder.create(from));
                target.push_entry(patch.key, patch.key_origin, value);
            }
        }
    }

    /// Merges the fields of a map with themselves: nulls go, directives are obeyed.
    fn settle_fields(
        &mut self,
        node: &mut Node,
        schema: Option<&Schema>,
    ) -> Result<(), MergeFault> {
        for key in self.field_names(node)? {
            let field_schema = schema.and_then(|s| s.field(key.text()));
            let Some(field) = node.get_mut(key) else { continue };
            if is_quoted_when_set(field) {
                field.set_style(ScalarStyle::DoubleQuoted);
            }
            self.path.push(PathStep::Field(key));
            match self.settle(field, field_schema)? {
                Outcome::Cleared => {
                    node.remove(key);
                }
                Outcome::New(mut list) => {
                    list.copy_look(field);
                    list.set_commented(field.is_commented());
                    list.set_origin(field.origin());
                    *field = list;
                }
                Outcome::Stays | Outcome::Taken => {}
            }
            self.path.pop();
        }
        Ok(())
    }

    /// Merges a value with itself.
    pub(super) fn settle(
        &mut self,
        node: &mut Node,
        schema: Option<Schema>,
    ) -> Result<Outcome, MergeFault> {
        if node.is_null() {
            return Ok(Outcome::Cleared);
        }
        let schema = self.schema(schema, Some(node), None);
        match node.kind() {
            NodeKind::Scalar => Ok(Outcome::Stays),
            NodeKind::Map => {
                if directive(node)? == Directive::Delete {
                    return Ok(Outcome::Cleared);
                }
                self.settle_fields(node, schema.as_ref())?;
                Ok(Outcome::Stays)
            }
            NodeKind::Sequence => {
                let Some(schema) = schema.filter(|s| s.list_rule().merges()) else {
                    return Ok(Outcome::Stays);
                };
                if directive(node)? == Directive::Delete {
                    return Ok(Outcome::Cleared);
                }
                merge_list::merge_with_itself(self, node, &schema).map(Outcome::New)
            }
        }
    }
}

/// An empty collection takes over how the patch's is written, so that what is merged into `{}` does not stand in flow style.
fn take_look_if_empty(target: &mut Node, patch: &Node) {
    if target.is_empty() {
        target.copy_look(patch);
    }
}

/// Returns what is wrong with the key of a field that is visited.
fn fault_of_key(key: Key) -> Option<&'static str> {
    match key.kind() {
        KeyKind::Complex => Some("a list or a map"),
        _ if key.text().is_empty() => Some("empty"),
        _ => None,
    }
}

/// Returns whether kyaml's field setter, which sees every field of a map that is visited, quotes a value: a plain string
/// that YAML 1.1 would read as something else. The quotes outlive the text: what later takes its place is quoted too.
fn is_quoted_when_set(value: &Node) -> bool {
    value.is_string() && value.style() == ScalarStyle::Plain && is_yaml_1_1_non_string(value.text())
}

/// The keys of a map, each text once.
fn distinct_keys(entries: &[Entry]) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::with_capacity(entries.len());
    if entries.len() <= 16 {
        for entry in entries {
            if !keys.iter().any(|key| key.same_text(entry.key)) {
                keys.push(entry.key);
            }
        }
        return keys;
    }
    let mut seen = std::collections::HashSet::with_capacity(entries.len());
    keys.extend(entries.iter().map(|e| e.key).filter(|key| seen.insert(key.text_id())));
    keys
}

/// Returns the directive of a map or list of the patch, and takes it out.
fn directive(patch: &mut Node) -> Result<Directive, MergeFault> {
    let (value, at) = if patch.entries().is_some() {
        let Some(value) = patch.get(known::PATCH_DIRECTIVE) else { return Ok(Directive::Merge) };
        (value.shared_text(), value.origin())
    } else {
        // Of a list, the first map with the directive counts, and only if it holds nothing else.
        let elements = patch.elements().unwrap_or_default();
        let holder = elements.iter().find(|e| e.get(known::PATCH_DIRECTIVE).is_some());
        let Some(value) =
            holder.filter(|e| e.len() == 1).and_then(|e| e.get(known::PATCH_DIRECTIVE))
        else {
            return Ok(Directive::Merge);
        };
        (value.shared_text(), value.origin())
    };
    let found = match value.as_str() {
        "merge" => Directive::Merge,
        "replace" => Directive::Replace,
        "delete" => Directive::Delete,
        _ => return Err(MergeFault::Directive { at, found: value }),
    };
    if patch.entries().is_some() {
        patch.remove(known::PATCH_DIRECTIVE);
    } else if let Some(elements) = patch.elements_mut() {
        merge_list::remove_directives(elements, &value);
    }
    Ok(found)
}
