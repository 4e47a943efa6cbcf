//! Reading and writing the fields that every object has.
//!
//! The reading is as forgiving as kyaml's: a field counts if its text can be taken, whatever its type. The writing follows
//! kyaml's setters: a value that replaces another keeps how that one is written, a string that YAML 1.1 would misread is
//! put into double quotes, and annotations that code has touched are strings.

use ecow::EcoString;

use crate::provenance::OriginId;
use crate::yaml::{Key, Node, NodeKind, ScalarStyle, created_key, is_yaml_1_1_non_string, known};

/// Writes into nodes that kustomize holds as one object; see [`Node::alias_group`].
///
/// kustomize's label transformer appends *one* value node at several paths of an object. A later write through any of
/// these paths shows at all of them. The nodes of a group carry its number; a write is noted here and repeated for the
/// others by [`AliasWrites::apply`].
#[derive(Debug, Default)]
pub(crate) struct AliasWrites(Vec<(u16, Node)>);

impl AliasWrites {
    /// Puts a value in the place of another, in its group.
    pub(crate) fn replace(&mut self, target: &mut Node, mut value: Node) {
        let group = target.alias_group();
        value.set_alias_group(group);
        // The comment is that of the key, which stays.
        value.set_commented(target.is_commented());
        if group != 0 {
            self.0.push((group, value.clone()));
        }
        *target = value;
    }

    /// Notes that a node was changed in place.
    pub(crate) fn changed(&mut self, node: &Node) {
        if node.alias_group() != 0 {
            self.0.push((node.alias_group(), node.clone()));
        }
    }

    /// Repeats the writes for the other nodes of their groups, in order.
    pub(crate) fn apply(&mut self, root: &mut Node) {
        for (group, value) in self.0.drain(..) {
            write_group(root, group, &value);
        }
    }
}

fn write_group(node: &mut Node, group: u16, value: &Node) {
    if node.alias_group() == group {
        *node = value.clone();
        return;
    }
    if !holds_group(node, group) {
        return;
    }
    for entry in node.entries_mut().into_iter().flatten() {
        write_group(&mut entry.value, group, value);
    }
    for element in node.elements_mut().into_iter().flatten() {
        write_group(element, group, value);
    }
}

/// Looks first, so that a write copies only what it must.
fn holds_group(node: &Node, group: u16) -> bool {
    node.alias_group() == group
        || node.entries().into_iter().flatten().any(|e| holds_group(&e.value, group))
        || node.elements().into_iter().flatten().any(|e| holds_group(e, group))
}

/// Returns the text of a field of `metadata`; empty where there is none.
pub(crate) fn metadata_text(node: &Node, key: Key) -> EcoString {
    let metadata = node.get(known::METADATA).filter(|m| !m.is_null_or_empty());
    let field = metadata.and_then(|m| m.get(key)).filter(|f| !f.is_null_or_empty());
    field.map(Node::shared_text).unwrap_or_default()
}

/// Returns the annotation or label with this key; `field` is [`known::ANNOTATIONS`] or [`known::LABELS`].
pub(crate) fn metadata_entry(node: &Node, field: Key, key: &str) -> Option<EcoString> {
    let entries = metadata_map(node, field)?.entries()?;
    // The last of several equal keys counts, as when a Go map is filled.
    entries.iter().rev().find(|e| e.key.text() == key).map(|e| e.value.shared_text())
}

/// Returns the labels or annotations as they stand.
pub(crate) fn metadata_map(node: &Node, field: Key) -> Option<&Node> {
    node.get(known::METADATA).filter(|m| !m.is_null_or_empty())?.get(field)
}

/// Returns the labels or annotations as text, sorted by key, with the origin of each value.
pub(crate) fn string_map(node: &Node, field: Key) -> Vec<(EcoString, EcoString, OriginId)> {
    let entries = metadata_map(node, field).and_then(Node::entries).unwrap_or_default();
    let mut out: Vec<(EcoString, EcoString, OriginId)> = Vec::with_capacity(entries.len());
    for entry in entries {
        let item = (entry.key.text().into(), entry.value.shared_text(), entry.value.origin());
        match out.iter_mut().find(|(key, ..)| *key == item.0) {
            Some(known) => *known = item,
            None => out.push(item),
        }
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

/// Sets a field of a map (kyaml's `FieldSetter`): a value in the place of another keeps how that one is written.
pub(crate) fn set_field(parent: &mut Node, name: &str, mut value: Node, writes: &mut AliasWrites) {
    quote_for_yaml_1_1(&mut value);
    let key = created_key(name);
    if let Some(existing) = parent.get_mut(key) {
        value.copy_look(existing);
        writes.replace(existing, value);
        return;
    }
    let origin = value.origin();
    parent.push_entry(key, origin, value);
}

/// Sets the text of a scalar (kyaml's `FieldSetter` without a name): the new value keeps how the old one is written.
pub(crate) fn set_scalar(target: &mut Node, mut value: Node, writes: &mut AliasWrites) {
    quote_for_yaml_1_1(&mut value);
    value.copy_look(target);
    writes.replace(target, value);
}

fn quote_for_yaml_1_1(value: &mut Node) {
    let open = value.is_string() && value.style() == ScalarStyle::Plain;
    if open && is_yaml_1_1_non_string(value.text()) {
        value.set_style(ScalarStyle::DoubleQuoted);
    }
}

/// Returns the map at a field, created where there is none.
pub(crate) fn get_or_create_map(
    parent: &mut Node,
    key: Key,
    origin: OriginId,
) -> Option<&mut Node> {
    if parent.get(key).is_none() {
        parent.push_entry(key, origin, Node::map(Vec::new(), origin));
    }
    parent.get_mut(key).filter(|n| n.kind() == NodeKind::Map)
}

/// Sets a field of `metadata` to a text whose type is left open, as `SetName` and `SetNamespace` do.
pub(crate) fn set_metadata_text(
    node: &mut Node,
    key: Key,
    text: &str,
    origin: OriginId,
    writes: &mut AliasWrites,
) {
    if let Some(metadata) = get_or_create_map(node, known::METADATA, origin) {
        set_field(metadata, key.text(), Node::untyped(text, origin), writes);
    }
}

/// Sets one label or annotation of an object that code makes.
pub(crate) fn set_string_map_entry(
    node: &mut Node,
    field: Key,
    key: &str,
    value: &str,
    origin: OriginId,
) {
    let Some(metadata) = get_or_create_map(node, known::METADATA, origin) else { return };
    let Some(map) = get_or_create_map(metadata, field, origin) else { return };
    let mut value = Node::string(value, origin);
    value.set_style(ScalarStyle::SingleQuoted);
    set_field(map, key, value, &mut AliasWrites::default());
}

/// Replaces the labels or annotations by string values, sorted; nothing is left of an empty map.
pub(crate) fn set_string_map(
    node: &mut Node,
    field: Key,
    values: &[(EcoString, EcoString, OriginId)],
) {
    let origin = node.origin();
    let Some(metadata) = get_or_create_map(node, known::METADATA, origin) else { return };
    let key_origin = metadata.entry(field).map_or(origin, |e| e.key_origin);
    metadata.remove(field);
    if values.is_empty() {
        return;
    }
    let mut map = Node::map(Vec::with_capacity(values.len()), key_origin);
    for (key, value, origin) in values {
        let mut value = Node::string(value.clone(), *origin);
        quote_for_yaml_1_1(&mut value);
        map.push_entry(created_key(key), *origin, value);
    }
    metadata.push_entry(field, key_origin, map);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Dialect, Tag, parse_document};

    #[test]
    fn a_write_to_one_alias_shows_at_all() {
        let mut root =
            parse_document("a: {x: 1}\nb: {x: 1}\nc: {x: 1}\n", 1, Dialect::V3).unwrap().unwrap();
        let x = Key::text_key("x");
        for key in ["a", "b"] {
            root.get_mut(Key::text_key(key)).unwrap().get_mut(x).unwrap().set_alias_group(1);
        }
        let mut writes = AliasWrites::default();
        let target = root.get_mut(Key::text_key("b")).unwrap().get_mut(x).unwrap();
        writes.replace(target, Node::untyped("2", OriginId::NONE));
        writes.apply(&mut root);
        let text = |key| root.at(&[Key::text_key(key), x]).unwrap().text().to_owned();
        assert_eq!([text("a"), text("b"), text("c")], ["2", "2", "1"]);
    }

    #[test]
    fn a_value_keeps_how_the_one_before_it_was_written() {
        let mut root = parse_document("a: \"1\"\n", 1, Dialect::V3).unwrap().unwrap();
        let mut writes = AliasWrites::default();
        set_field(&mut root, "a", Node::untyped("2", OriginId::NONE), &mut writes);
        set_field(&mut root, "b", Node::untyped("yes", OriginId::NONE), &mut writes);
        let style = |key| root.get(Key::text_key(key)).unwrap().style();
        assert_eq!([style("a"), style("b")], [ScalarStyle::DoubleQuoted; 2]);
        assert_eq!(root.get(Key::text_key("a")).unwrap().tag(), Tag::Empty);
    }
}
