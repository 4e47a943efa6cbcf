//! Values inside text: a path that leads through a scalar which itself holds YAML or JSON.
//!
//! A replacement may set a field of a configuration file that is an entry of a ConfigMap. The text is read, changed and
//! printed again (`setValueInStructuredData` of `api/filters/replacement/replacement.go`): YAML keeps its comments and its
//! quotes, JSON gets sorted keys and stays on one line unless it was indented. Texts inside such texts are not changed:
//! what is found there counts as found, and is lost.

use super::match_path::{Matcher, Tree};
use super::path::{LookupFault, lookup, lookup_mut};
use crate::provenance::{OriginId, Recorder};
use crate::resource::AliasWrites;
use crate::yaml::{
    Commented, CommentedKind, Dialect, JsonNumbers, Key, Node, NodeKind, created_key, indent_json,
    parse_document, write_json,
};

impl Tree for Node {
    fn kind(&self) -> Option<NodeKind> {
        Some(self.kind())
    }

    fn is_null(&self) -> bool {
        self.is_null()
    }

    fn origin(&self) -> OriginId {
        self.origin()
    }

    fn is_empty_text(&self) -> bool {
        !self.is_null() && self.is_scalar() && self.text().is_empty()
    }

    fn put(&mut self, value: Self) {
        *self = value;
    }

    fn field_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.get_mut(Key::text_key(name))
    }

    fn push_field(&mut self, name: &str, value: Self) {
        let origin = value.origin();
        self.push_entry(created_key(name), origin, value);
    }

    fn element_count(&self) -> usize {
        self.elements().map_or(0, <[Node]>::len)
    }

    fn element_mut(&mut self, index: usize) -> Option<&mut Self> {
        self.elements_mut()?.get_mut(index)
    }

    fn push_element(&mut self, element: Self) {
        if let Some(elements) = self.elements_mut() {
            elements.push(element);
        }
    }

    fn empty(kind: NodeKind, origin: OriginId) -> Self {
        super::path::empty(kind, origin)
    }

    fn scalar(text: &str, origin: OriginId) -> Self {
        Node::untyped(text, origin)
    }

    fn written(&self) -> String {
        Commented::from_node(self).to_text()
    }

    fn visit_inside(
        &mut self,
        path: &[String],
        matcher: &Matcher,
        set: &mut dyn FnMut(&mut Self) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        let Ok(Some(mut inner)) = Commented::parse(self.text()) else {
            return Err(LookupFault::Scalar(path[0].clone(), self.origin()));
        };
        matcher.visit(&mut inner, path, &mut |found: &mut Commented| {
            let mut copy = match found.kind() {
                CommentedKind::Scalar => Node::untyped(found.text(), OriginId::NONE),
                _ => super::path::empty(NodeKind::Map, OriginId::NONE),
            };
            set(&mut copy)
        })
    }
}

impl Tree for Commented {
    fn kind(&self) -> Option<NodeKind> {
        match self.kind() {
            CommentedKind::Scalar => Some(NodeKind::Scalar),
            CommentedKind::Map => Some(NodeKind::Map),
            CommentedKind::Sequence => Some(NodeKind::Sequence),
            CommentedKind::Alias => None,
        }
    }

    fn is_null(&self) -> bool {
        self.is_null()
    }

    fn origin(&self) -> OriginId {
        OriginId::NONE
    }

    fn is_empty_text(&self) -> bool {
        !self.is_null() && self.kind() == CommentedKind::Scalar && self.text().is_empty()
    }

    fn put(&mut self, value: Self) {
        self.replace(value);
    }

    fn field_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.get_mut(name)
    }

    fn push_field(&mut self, name: &str, value: Self) {
        self.push_entry(name, value);
    }

    fn element_count(&self) -> usize {
        self.elements().map_or(0, <[Commented]>::len)
    }

    fn element_mut(&mut self, index: usize) -> Option<&mut Self> {
        self.elements_mut()?.get_mut(index)
    }

    fn push_element(&mut self, element: Self) {
        self.push_element(element);
    }

    fn empty(kind: NodeKind, _: OriginId) -> Self {
        match kind {
            NodeKind::Scalar => Self::scalar(""),
            NodeKind::Map => Self::map(),
            NodeKind::Sequence => Self::sequence(),
        }
    }

    fn scalar(text: &str, _: OriginId) -> Self {
        Self::scalar(text)
    }

    fn written(&self) -> String {
        self.to_text()
    }

    fn visit_inside(
        &mut self,
        path: &[String],
        matcher: &Matcher,
        set: &mut dyn FnMut(&mut Self) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        match Self::parse(self.text()) {
            Ok(Some(mut inner)) => matcher.visit(&mut inner, path, set),
            _ => Err(LookupFault::Scalar(path[0].clone(), OriginId::NONE)),
        }
    }
}

/// Sets a value inside a text. Returns whether the path led into one and the value was set there.
pub(super) fn set_inside(
    root: &mut Node,
    parts: &[String],
    value: &Node,
    create: Option<NodeKind>,
    recorder: &mut Recorder<'_>,
    writes: &mut AliasWrites,
) -> bool {
    let holds_document = |end: usize| {
        let scalar = lookup(root, &parts[..end]).ok()??;
        if !scalar.is_scalar() {
            return None;
        }
        let document = Commented::parse(scalar.text()).ok()?;
        Some((end, document, scalar.shared_text()))
    };
    let Some((end, document, before)) = (1..parts.len()).find_map(holds_document) else {
        return false;
    };
    let Some(mut document) = document else { return false };
    let matcher = Matcher { create, origin: OriginId::NONE };
    let found = matcher.visit(&mut document, &parts[end..], &mut |node: &mut Commented| {
        if node.kind() == CommentedKind::Scalar {
            node.set_text(value.shared_text());
        } else {
            node.replace(Commented::from_node(value));
        }
        Ok(())
    });
    if !found.is_ok_and(|count| count > 0) {
        return false;
    }
    let Some(text) = printed(&document, &before) else { return false };
    let Ok(Some(scalar)) = lookup_mut(root, &parts[..end]) else { return false };
    let origin = recorder.write(value.origin(), scalar.origin());
    scalar.set_text(text);
    scalar.set_origin(origin);
    writes.changed(scalar);
    true
}

/// Prints a changed text in the way it was written before; none if it is JSON that JSON cannot hold.
fn printed(document: &Commented, before: &str) -> Option<String> {
    let yaml = document.to_text();
    if !before.trim_start().starts_with(['{', '[']) {
        return Some(yaml.trim().to_owned());
    }
    let node = parse_document(&yaml, 0, Dialect::V3).ok()??;
    let mut json = String::new();
    write_json(&node, JsonNumbers::Exact, &mut json).ok()?;
    let is_indented = before.contains('\n') && before.contains("  ");
    Some(if is_indented { indent_json(&json) } else { json })
}
