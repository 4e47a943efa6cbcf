//! A line for the project file, put where it belongs without a change to the rest of the text.

use crate::yaml::{Dialect, Key, Node, NodeKind, parse_document};

/// Returns the text of a project file with `kubernetes.crds: [FOLDER]` added. None where there is no simple place for it, or where the file
/// says something under that key already.
pub(crate) fn with_definitions(text: &str, folder: &str) -> Option<String> {
    let document = parse_document(text, 1, Dialect::V2).ok()??;
    let kubernetes = Key::text_key("kubernetes");
    let added = match document.entry(kubernetes) {
        Some(entry) => into_map(text, &entry.value, folder)?,
        None => {
            let after = document.entry(Key::text_key("kind"))?;
            let end = line_end(text, offset(&after.value)?);
            is_block(text, after.key_origin.position()?).then(|| {
                let (before, rest) = text.split_at(end);
                let newline = if before.ends_with('\n') { "" } else { "\n" };
                format!("{before}{newline}kubernetes:\n  crds: [{folder}]\n{rest}")
            })?
        }
    };
    // Whatever the text looks like: nothing but this may have changed.
    let mut expected = document.clone();
    let now = parse_document(&added, 1, Dialect::V2).ok()??;
    let crds = now.at(&[kubernetes, Key::text_key("crds")])?.clone();
    let is_right = crds.elements()?.iter().map(Node::text).eq([folder]);
    match expected.get_mut(kubernetes) {
        Some(map) => map.push_entry(Key::text_key("crds"), crds.origin(), crds),
        None => expected.push_entry(kubernetes, crds.origin(), now.get(kubernetes)?.clone()),
    }
    (is_right && has_same_entries(&expected, &now)).then_some(added)
}

/// Compares values; the entries of maps may stand in another order.
fn has_same_entries(one: &Node, other: &Node) -> bool {
    let same_text = one.text() == other.text() && one.resolved_tag() == other.resolved_tag();
    match (one.entries(), other.entries(), one.elements(), other.elements()) {
        (Some(entries), Some(others), ..) => {
            entries.len() == others.len()
                && entries.iter().all(|entry| {
                    let value = other.get(entry.key);
                    value.is_some_and(|value| has_same_entries(&entry.value, value))
                })
        }
        (None, None, Some(elements), Some(others)) => {
            elements.len() == others.len()
                && elements.iter().zip(others).all(|(one, other)| has_same_entries(one, other))
        }
        (None, None, None, None) => same_text,
        _ => false,
    }
}

fn offset(node: &Node) -> Option<usize> {
    Some(node.origin().position()? as usize - 1)
}

/// Returns whether a key stands first in its line.
fn is_block(text: &str, position: u32) -> bool {
    let at = position as usize - 1;
    at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n')
}

/// Returns where the line after an offset begins.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

fn into_map(text: &str, map: &Node, folder: &str) -> Option<String> {
    if map.kind() != NodeKind::Map || map.get(Key::text_key("crds")).is_some() {
        return None;
    }
    let at = offset(map)?;
    if text[at..].starts_with('{') {
        let comma = if map.is_empty() { "" } else { ", " };
        return Some(format!("{}{{crds: [{folder}]{comma}{}", &text[..at], &text[at + 1..]));
    }
    let first = map.entries()?.first()?.key_origin.position()? as usize - 1;
    let start = text[..first].rfind('\n').map_or(0, |end| end + 1);
    let indent = &text[start..first];
    let is_indent = !indent.is_empty() && indent.bytes().all(|byte| byte == b' ');
    is_indent.then(|| format!("{}{indent}crds: [{folder}]\n{}", &text[..start], &text[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_added_where_there_is_a_simple_place() {
        let cases = [
            (
                "apiVersion: kiln/v1\nkind: Project # ours\n\n# all of them\nenvironments: {}\n",
                "apiVersion: kiln/v1\nkind: Project # ours\nkubernetes:\n  crds: [crds/]\n\n# all of them\nenvironments: {}\n",
            ),
            ("kind: Project", "kind: Project\nkubernetes:\n  crds: [crds/]\n"),
            (
                "kind: Project\nkubernetes:\n    # theirs\n    version: \"1.34\"\n",
                "kind: Project\nkubernetes:\n    # theirs\n    crds: [crds/]\n    version: \"1.34\"\n",
            ),
            (
                "kubernetes: {version: \"1.34\"}\nkind: Project\n",
                "kubernetes: {crds: [crds/], version: \"1.34\"}\nkind: Project\n",
            ),
            ("kubernetes: {}\n", "kubernetes: {crds: [crds/]}\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(with_definitions(text, "crds/").as_deref(), Some(expected));
        }
    }

    #[test]
    fn other_texts_are_left_to_their_authors() {
        for text in [
            "kubernetes:\n  crds: [a.yaml]\nkind: Project\n",
            "{kind: Project}\n",
            "kind: Project\nkubernetes:\n",
            "kind: &k Project\nkubernetes: *k\n",
            "kind: |\n  Project\n",
            "environments: {}\n",
            ": not yaml: [\n",
            "",
        ] {
            assert_eq!(with_definitions(text, "crds/"), None, "{text:?}");
        }
    }
}
