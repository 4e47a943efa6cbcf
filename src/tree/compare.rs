//! What differs between two objects, field by field.

use crate::provenance::OriginId;
use crate::yaml::{Key, Node, known};

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldChange {
    /// The field, as `spec.containers[name=api].image`.
    pub(crate) path: String,
    /// The value before; none where there was no field.
    pub(crate) old: Option<String>,
    /// The value after; none where there is no field any more.
    pub(crate) new: Option<String>,
    /// Where the new value comes from.
    pub(crate) origin: OriginId,
}

impl FieldChange {
    /// Returns how many bytes the old and the new text have in common at their beginning.
    pub(crate) fn same_start(&self) -> u32 {
        let (Some(old), Some(new)) = (&self.old, &self.new) else { return 0 };
        let same = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
        // The last byte of the new text, if it is but shorter.
        same.min(new.len().saturating_sub(1)) as u32
    }
}

/// Returns the fields in which two objects differ. The values of a Secret are left out of the texts.
pub(crate) fn changes(old: &Node, new: &Node) -> Vec<FieldChange> {
    let kind = |node: &Node| node.get(known::KIND).map(Node::text) == Some("Secret");
    let mut compare = Compare { out: Vec::new(), is_secret: kind(old) || kind(new) };
    compare.nodes(old, new, "");
    compare.out
}

struct Compare {
    out: Vec<FieldChange>,
    is_secret: bool,
}

impl Compare {
    fn shown(&self, node: &Node, path: &str) -> String {
        if self.is_secret && (path.starts_with("data") || path.starts_with("stringData")) {
            return format!("<secret, {} bytes>", node.text().len());
        }
        match (node.entries(), node.elements()) {
            (Some([]), _) => "{}".to_owned(),
            (_, Some([])) => "[]".to_owned(),
            (Some([_]), _) => "{1 field}".to_owned(),
            (_, Some([_])) => "[1 element]".to_owned(),
            (Some(entries), _) => format!("{{{} fields}}", entries.len()),
            (_, Some(elements)) => format!("[{} elements]", elements.len()),
            _ if node.text().contains('\n') => format!("{} lines", node.text().lines().count()),
            _ => node.text().to_owned(),
        }
    }

    fn push(&mut self, path: &str, old: Option<&Node>, new: Option<&Node>) {
        let change = FieldChange {
            path: path.to_owned(),
            old: old.map(|node| self.shown(node, path)),
            new: new.map(|node| self.shown(node, path)),
            origin: new.map_or(OriginId::NONE, Node::origin),
        };
        self.out.push(change);
    }

    fn nodes(&mut self, old: &Node, new: &Node, path: &str) {
        if let (Some(own), Some(other)) = (old.entries(), new.entries()) {
            for entry in own {
                let path = joined(path, entry.key.text());
                match new.get(entry.key) {
                    Some(value) => self.nodes(&entry.value, value, &path),
                    None => self.push(&path, Some(&entry.value), None),
                }
            }
            for entry in other.iter().filter(|e| old.get(e.key).is_none()) {
                self.push(&joined(path, entry.key.text()), None, Some(&entry.value));
            }
            return;
        }
        if let (Some(own), Some(other)) = (old.elements(), new.elements()) {
            return self.lists(own, other, path);
        }
        let is_same =
            old.kind() == new.kind() && old.text() == new.text() && is_same_type(old, new);
        if !is_same {
            self.push(path, Some(old), Some(new));
        }
    }

    fn lists(&mut self, old: &[Node], new: &[Node], path: &str) {
        if let (Some(own), Some(other)) = (names(old), names(new)) {
            for (name, element) in own.iter().zip(old) {
                let path = format!("{path}[name={name}]");
                match other.iter().position(|known| known == name) {
                    Some(at) => self.nodes(element, &new[at], &path),
                    None => self.push(&path, Some(element), None),
                }
            }
            for (name, element) in other.iter().zip(new).filter(|(name, _)| !own.contains(name)) {
                self.push(&format!("{path}[name={name}]"), None, Some(element));
            }
            return;
        }
        for index in 0..old.len().max(new.len()) {
            let path = format!("{path}[{index}]");
            match (old.get(index), new.get(index)) {
                (Some(own), Some(other)) => self.nodes(own, other, &path),
                (own, other) => self.push(&path, own, other),
            }
        }
    }
}

/// What is read back from a file is a string wherever it can be nothing else.
fn is_same_type(old: &Node, new: &Node) -> bool {
    let is_string =
        |node: &Node| matches!(crate::yaml::direct(node), Ok(crate::yaml::Scalar::Str(_)));
    is_string(old) == is_string(new)
}

fn joined(path: &str, name: &str) -> String {
    let name = name.replace('.', "\\.");
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// Returns the names of the elements of a list whose elements all have one of their own.
fn names(elements: &[Node]) -> Option<Vec<&str>> {
    let name = |node: &'_ Node| {
        node.get(known::NAME).is_some_and(|n| n.is_scalar() && !n.text().is_empty())
    };
    if elements.is_empty() || !elements.iter().all(name) {
        return None;
    }
    let names: Vec<&str> =
        elements.iter().filter_map(|e| e.get(Key::text_key("name")).map(Node::text)).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    (sorted.len() == names.len()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Dialect, parse_document};

    #[test]
    fn fields_are_compared_by_name() {
        let node = |text: &str| parse_document(text, 1, Dialect::V3).unwrap().unwrap();
        let old = node("spec: {n: 1, c: [{name: a, image: x}, {name: b}], l: [1, 2]}\n");
        let new = node("spec: {n: 2, c: [{name: c}, {name: a, image: y}], l: [1], m: ''}\n");
        let found: Vec<String> = changes(&old, &new)
            .into_iter()
            .map(|c| {
                format!(
                    "{}: {} -> {}",
                    c.path,
                    c.old.unwrap_or("-".into()),
                    c.new.unwrap_or("-".into())
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                "spec.n: 1 -> 2",
                "spec.c[name=a].image: x -> y",
                "spec.c[name=b]: {1 field} -> -",
                "spec.c[name=c]: - -> {1 field}",
                "spec.l[1]: 2 -> -",
                "spec.m: - -> ",
            ]
        );
    }

    #[test]
    fn the_values_of_a_secret_are_not_shown() {
        let node = |text: &str| parse_document(text, 1, Dialect::V3).unwrap().unwrap();
        let found = changes(
            &node("kind: Secret\ndata: {a: Yg==}\n"),
            &node("kind: Secret\ndata: {a: YmM=}\n"),
        );
        assert_eq!(found[0].new.as_deref(), Some("<secret, 4 bytes>"));
    }
}
