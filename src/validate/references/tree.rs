//! Fields of objects, by paths as `spec.rules[].http.paths[]`.

use ecow::EcoString;

pub(super) use super::super::fields::child;
use super::super::report::Path;
use super::super::structure::is_null;
use crate::yaml::{Key, Node, known};

/// Returns the value at a path of fields; lists cannot be crossed. An empty path is the node itself.
pub(super) fn at<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    if path.is_empty() {
        return Some(node);
    }
    path.split('.').try_fold(node, child)
}

/// Returns the text at a path of fields; empty where there is none.
pub(super) fn text<'n>(node: &'n Node, path: &str) -> &'n str {
    at(node, path).map_or("", Node::text)
}

/// Returns a field of the metadata of an object; none where it is absent or null.
pub(super) fn metadata(object: &Node, field: Key) -> Option<&Node> {
    object.get(known::METADATA)?.get(field).filter(|value| !is_null(value))
}

/// Like [`text`], to be kept.
pub(super) fn shared(node: &Node, path: &str) -> EcoString {
    at(node, path).map(Node::shared_text).unwrap_or_default()
}

/// Returns every value at a path of fields, where `field[]` stands for each element of a list.
pub(super) fn each<'n>(node: &'n Node, path: &str) -> Vec<&'n Node> {
    let mut found = Vec::new();
    collect(node, path, &mut found);
    found
}

fn collect<'n>(node: &'n Node, path: &str, found: &mut Vec<&'n Node>) {
    if path.is_empty() {
        found.push(node);
        return;
    }
    let (part, rest) = path.split_once('.').unwrap_or((path, ""));
    match part.strip_suffix("[]") {
        Some(name) => {
            let elements = child(node, name).and_then(Node::elements).unwrap_or_default();
            for element in elements.iter().filter(|element| !is_null(element)) {
                collect(element, rest, found);
            }
        }
        None => {
            if let Some(value) = child(node, part) {
                collect(value, rest, found);
            }
        }
    }
}

/// Returns where a node lies below a root, in which it is found by its address.
///
/// Copies share what they have in common, so the path may be that of an equal value elsewhere in the object.
pub(super) fn path_to(root: &Node, wanted: &Node) -> String {
    let mut path = Path::default();
    find(root, wanted, &mut path);
    path.to_string()
}

fn find<'n>(node: &'n Node, wanted: &Node, path: &mut Path<'n>) -> bool {
    if std::ptr::eq(node, wanted) {
        return true;
    }
    for entry in node.entries().into_iter().flatten() {
        path.push_key(entry.key.text());
        if find(&entry.value, wanted, path) {
            return true;
        }
        path.pop();
    }
    for (index, element) in node.elements().into_iter().flatten().enumerate() {
        path.push_index(index);
        if find(element, wanted, path) {
            return true;
        }
        path.pop();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Dialect, parse_document};

    #[test]
    fn paths_lead_to_values_and_back() {
        let text = "a:\n- b: {x.y: 1}\n- b: null\n- {c: 3}\n- b: {x.y: 2}\nd: {e: f}\n";
        let root = parse_document(text, 1, Dialect::V2).unwrap().unwrap();
        let found = each(&root, "a[].b");
        let paths: Vec<String> = found.iter().map(|node| path_to(&root, node)).collect();
        assert_eq!(paths, ["a[0].b", "a[3].b"]);
        assert_eq!(path_to(&root, child(found[1], "x.y").unwrap()), "a[3].b[x.y]");
        assert_eq!((super::text(&root, "d.e"), super::text(&root, "d.g")), ("f", ""));
        assert!(at(&root, "a.b").is_none(), "a list is not crossed");
    }
}
