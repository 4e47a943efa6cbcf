//! Fields of the tree of a kustomization file, found as kustomize's decoder finds them: without regard to case, and of several with
//! one name the last.

use std::borrow::Cow;

use crate::project::scalar;
use crate::provenance::OriginId;
use crate::yaml::{Key, Node, Scalar, ScalarStyle, Tag};

/// Returns a new string.
pub(super) fn string(text: &str) -> Node {
    string_at(text, OriginId::NONE)
}

/// Returns a string in the place of the node that was parsed at `origin`.
pub(super) fn string_at(text: &str, origin: OriginId) -> Node {
    Node::scalar(text, ScalarStyle::DoubleQuoted, Tag::Str, origin)
}

/// Returns a new integer.
pub(super) fn integer(value: i64) -> Node {
    Node::scalar(value.to_string(), ScalarStyle::Plain, Tag::Int, OriginId::NONE)
}

/// Returns `true`.
pub(super) fn yes() -> Node {
    Node::scalar("true", ScalarStyle::Plain, Tag::Bool, OriginId::NONE)
}

/// Returns a new list.
pub(super) fn list(elements: Vec<Node>) -> Node {
    Node::sequence(elements, OriginId::NONE)
}

/// Returns a new map with those strings that are not empty.
pub(super) fn map_of(fields: &[(&str, &str)]) -> Node {
    let mut map = Node::default();
    for (name, text) in fields.iter().filter(|(_, text)| !text.is_empty()) {
        push(&mut map, name, string(text));
    }
    map
}

/// Adds an entry to the end of a map.
pub(super) fn push(map: &mut Node, name: &str, value: Node) {
    map.push_entry(Key::text_key(name), OriginId::NONE, value);
}

/// Returns the number of the entry that counts for a field.
pub(super) fn position(map: &Node, name: &str) -> Option<usize> {
    let entries = map.entries()?.iter().enumerate();
    entries
        .filter(|(_, entry)| entry.key.text().eq_ignore_ascii_case(name))
        .max_by_key(|(index, entry)| (entry.key.text(), *index))
        .map(|(index, _)| index)
}

/// Returns the value of a field; none if it is a null.
pub(super) fn field<'n>(map: &'n Node, name: &str) -> Option<&'n Node> {
    let value = &map.entries()?[position(map, name)?].value;
    (!is_null(value)).then_some(value)
}

fn is_null(node: &Node) -> bool {
    matches!(scalar(node), Some(Scalar::Null))
}

/// Returns the text of a string; empty for anything else.
pub(super) fn text_of(node: &Node) -> Cow<'_, str> {
    match scalar(node) {
        Some(Scalar::Str(text)) => text,
        _ => Cow::Borrowed(""),
    }
}

/// Returns the text of a field; empty if it is absent.
pub(super) fn text<'n>(map: &'n Node, name: &str) -> Cow<'n, str> {
    field(map, name).map_or(Cow::Borrowed(""), text_of)
}

/// Returns whether a field is `true`.
pub(super) fn is_on(map: &Node, name: &str) -> bool {
    field(map, name).is_some_and(|node| matches!(scalar(node), Some(Scalar::Bool(true))))
}

/// Returns the elements of a field that is a list.
pub(super) fn elements<'n>(map: &'n Node, name: &str) -> &'n [Node] {
    field(map, name).and_then(Node::elements).unwrap_or_default()
}

/// Returns the texts of a field that is a list of strings.
pub(super) fn texts<'n>(map: &'n Node, name: &str) -> Vec<Cow<'n, str>> {
    elements(map, name).iter().map(text_of).collect()
}

/// Sets a field.
pub(super) fn set(map: &mut Node, name: &str, value: Node) {
    let found = position(map, name);
    match (found, map.entries_mut()) {
        (Some(index), Some(entries)) => entries[index].value = value,
        _ => push(map, name, value),
    }
}

/// Sets a field to a text, or removes it if the text is empty.
pub(super) fn set_text(map: &mut Node, name: &str, value: &str) {
    if value.is_empty() {
        remove(map, name);
    } else if text(map, name) != value {
        set(map, name, string(value));
    }
}

/// Removes a field, however often it is written.
pub(super) fn remove(map: &mut Node, name: &str) {
    if position(map, name).is_some()
        && let Some(entries) = map.entries_mut()
    {
        entries.retain(|entry| !entry.key.text().eq_ignore_ascii_case(name));
    }
}

/// Returns the elements of a list, to change them. The field is made if it is not there.
pub(super) fn elements_mut<'n>(map: &'n mut Node, name: &str) -> &'n mut Vec<Node> {
    collection_mut(map, name, Node::elements_mut, || list(Vec::new()))
}

/// Returns a field that is a map, to change it. The field is made if it is not there.
pub(super) fn map_mut<'n>(map: &'n mut Node, name: &str) -> &'n mut Node {
    collection_mut(map, name, |node| node.entries().is_some().then_some(node), Node::default)
}

fn collection_mut<'n, T: ?Sized>(
    map: &'n mut Node,
    name: &str,
    as_collection: impl Fn(&'n mut Node) -> Option<&'n mut T>,
    make: impl Fn() -> Node,
) -> &'n mut T {
    let wrong = field(map, name).is_none_or(Node::is_scalar);
    if wrong {
        set(map, name, make());
    }
    let index = position(map, name).unwrap_or_default();
    let entries = map.entries_mut().expect("the tree of a kustomization is a map");
    as_collection(&mut entries[index].value).expect("the file was decoded, so the types are right")
}

/// Removes a list or map that is empty: kustomize writes no such field, and a kustomization that has nothing else is an error.
pub(super) fn remove_if_empty(map: &mut Node, name: &str) {
    if field(map, name).is_some_and(|value| value.is_empty() && !value.is_scalar()) {
        remove(map, name);
    }
}
