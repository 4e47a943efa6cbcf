//! Values inside text: a path that leads through a scalar which itself holds YAML or JSON.
//!
//! A replacement may set a field of a configuration file that is an entry of a ConfigMap. The text is read, changed and
//! printed again (`setValueInStructuredData` of `api/filters/replacement/replacement.go`): YAML keeps its comments and its
//! quotes, JSON gets sorted keys and stays on one line unless it was indented. Only the first document of a text is kept.
//!
//! Nothing is changed where kustomize changes nothing: in a text that is reached through `*` or inside another text, and
//! in JSON that is no JSON any more. What the path finds there still counts as found.

use std::cell::RefCell;

use super::match_path::{Matcher, Tree};
use super::path::{LookupFault, lookup, lookup_mut};
use crate::provenance::{OriginId, Recorder};
use crate::resource::AliasWrites;
use crate::yaml::{Commented, Key, Node, NodeKind, created_key, indent_json, yaml_to_json};

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

    fn text(&self) -> &str {
        self.text()
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

    fn clear(&mut self, kind: NodeKind, origin: OriginId) {
        let mut empty = super::path::empty(kind, origin);
        empty.copy_look(self);
        *self = empty;
    }

    fn scalar(text: &str, origin: OriginId) -> Self {
        Node::untyped(text, origin)
    }

    fn written(&self) -> String {
        Commented::from_node(self).to_text()
    }
}

/// What is inside a text has no origin: a fault in it is a fault of the scalar that holds it.
impl Tree for Commented {
    fn kind(&self) -> Option<NodeKind> {
        self.kind()
    }

    fn is_null(&self) -> bool {
        self.is_null()
    }

    fn origin(&self) -> OriginId {
        OriginId::NONE
    }

    fn text(&self) -> &str {
        self.text()
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

    fn clear(&mut self, kind: NodeKind, origin: OriginId) {
        let style = self.style();
        self.replace(<Self as Tree>::empty(kind, origin));
        self.set_style(style);
    }

    fn scalar(text: &str, _: OriginId) -> Self {
        Self::scalar(text)
    }

    fn written(&self) -> String {
        self.to_text()
    }
}

/// Sets a value inside a text. Returns whether the path led into one and the value was set there; if not, the path is to
/// be followed as any other.
pub(super) fn set_inside(
    root: &mut Node,
    parts: &[String],
    value: &Node,
    create: Option<NodeKind>,
    recorder: &mut Recorder<'_>,
    writes: &mut AliasWrites,
    loose: &RefCell<Option<(String, String)>>,
) -> Result<bool, LookupFault> {
    let Some((end, document)) = first_text(root, parts)? else { return Ok(false) };
    let (to_scalar, inside) = parts.split_at(end);
    let Some(mut document) = document else { return Ok(false) };
    let matcher = Matcher { create, origin: OriginId::NONE, needed: None, loose };
    let found = matcher.visit(&mut document, inside, &mut |node: &mut Commented| {
        if node.kind() == Some(NodeKind::Scalar) {
            node.set_text(value.shared_text());
        } else {
            node.replace(Commented::from_node(value));
        }
        Ok(())
    });
    if !found.is_ok_and(|count| count > 0) {
        return Ok(false);
    }
    let Some(scalar) = lookup_mut(root, to_scalar)? else { return Ok(false) };
    let Some(text) = printed(&document, scalar.text()) else { return Ok(false) };
    let origin = recorder.extend(value.origin(), scalar);
    scalar.set_text(text);
    scalar.set_origin(origin);
    writes.changed(scalar);
    Ok(true)
}

/// Returns how many parts of a path lead to its first scalar that can be read as YAML with more of the path to follow,
/// and the document in it, none in an empty text.
fn first_text(
    root: &Node,
    parts: &[String],
) -> Result<Option<(usize, Option<Commented>)>, LookupFault> {
    for end in 1..=parts.len() {
        let scalar = match lookup(root, &parts[..end]) {
            Ok(Some(node)) if node.is_scalar() && end < parts.len() => node,
            // The last element of an empty list ends the build.
            Err(fault @ LookupFault::IndexTooLarge { .. }) => return Err(fault),
            Ok(_) | Err(_) => continue,
        };
        if let Ok(document) = Commented::parse(scalar.text()) {
            return Ok(Some((end, document)));
        }
    }
    Ok(None)
}

/// Prints a changed document in the way its text was written before; none if it was JSON and JSON cannot hold it.
fn printed(document: &Commented, before: &str) -> Option<String> {
    let yaml = document.to_text();
    if !before.trim_start().starts_with(['{', '[']) {
        return Some(yaml.trim().to_owned());
    }
    let json = yaml_to_json(&yaml)?;
    let is_indented = before.contains('\n') && before.contains("  ");
    Some(if is_indented { indent_json(&json) } else { json })
}

#[cfg(test)]
mod tests {
    use super::super::path::split_dots;
    use super::*;
    use crate::provenance::{Provenance, StepKind};
    use crate::yaml::{ScalarStyle, Tag};

    /// Returns the text after a value was set at a path inside it; none if it was not set.
    fn after(text: &str, path: &str, value: &Node, create: Option<NodeKind>) -> Option<String> {
        let scalar = Node::scalar(text, ScalarStyle::Literal, Tag::Str, OriginId::NONE);
        let mut root = Node::map(Vec::new(), OriginId::NONE);
        root.push_entry(Key::text_key("t"), OriginId::NONE, scalar);
        let mut provenance = Provenance::default();
        let step = provenance.step(StepKind::Replacements, OriginId::NONE);
        let mut recorder = Recorder::new(&mut provenance, step);
        let (parts, mut writes) = (split_dots(&format!("t.{path}")), AliasWrites::default());
        let loose = RefCell::new(None);
        let set = set_inside(&mut root, &parts, value, create, &mut recorder, &mut writes, &loose);
        let text = root.get(Key::text_key("t"))?.text().to_owned();
        set.unwrap().then_some(text)
    }

    #[test]
    fn a_text_is_printed_as_it_was_written() {
        let value = Node::untyped("new", OriginId::NONE);
        let cases = [
            ("# c\n\na:   'b' # d\n", "a", Some("# c\n\na: 'new' # d")),
            ("a: &x {b: 1}\nc: *x\n", "c", Some("a: &x {b: 1}\nc: new")),
            ("a:\n  - n: \"x\"\n    v: 1\n", "a.[n=x].v", Some("a:\n- n: \"x\"\n  v: !!int new")),
            ("a: b\n---\nc: d\n", "a", Some("a: new")),
            (r#"{"b": "<", "a": [1, "x"]}"#, "a.1", Some(r#"{"a":[1,"new"],"b":"\u003c"}"#)),
            ("{\n  \"a\": \"b\"\n}\n", "a", Some("{\n  \"a\": \"new\"\n}")),
            ("a: 'b: c'\n", "a.b", Some("a: 'b: c'")),
            ("a: &x {b: 1}\nc: *x\n", "c.b", None),
            ("{1: a, b: c}", "b", None),
            ("a: b\n", "c", None),
            ("# nothing\n", "a", None),
            ("a: [", "a", None),
        ];
        for (text, path, want) in cases {
            assert_eq!(after(text, path, &value, None).as_deref(), want, "{text:?} {path}");
        }
    }

    #[test]
    fn what_is_missing_in_a_text_is_created() {
        let mut list = Node::sequence(Vec::new(), OriginId::NONE);
        list.elements_mut().unwrap().push(Node::untyped("x", OriginId::NONE));
        let scalar = Node::untyped("y", OriginId::NONE);
        let cases = [
            ("a: 1 # c\n", "b.c", &scalar, "a: 1 # c\nb:\n  c: y"),
            ("a: []\n", "a.[n=x].v", &scalar, "a: [{n: x, v: y}]"),
            ("a: 1\n", "b", &list, "a: 1\nb:\n- x"),
            ("{\"a\": 1}", "b.0", &scalar, r#"{"a":1,"b":["y"]}"#),
            ("a: ~ # c\n", "a.b", &scalar, "a: ~ # c"),
        ];
        for (text, path, value, want) in cases {
            let text_after = after(text, path, value, Some(value.kind()));
            assert_eq!(text_after.as_deref(), Some(want), "{text:?} {path}");
        }
    }
}
