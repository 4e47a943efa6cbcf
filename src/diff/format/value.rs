//! Values as they are shown, without secrets.

use similar::TextDiff;

use super::super::{Object, Path, Step};
use crate::provenance::OriginId;
use crate::yaml::{Key, Node, Scalar, direct, write_document, write_json_string};

/// Collections whose text is longer than this stand on lines of their own.
const MAX_INLINE: usize = 60;
/// Lines around a change of a text.
const CONTEXT_LINES: usize = 3;
/// The fields of a Secret whose values are secret.
const SECRET_FIELDS: [&str; 2] = ["data", "stringData"];
/// The annotation in which `kubectl apply` keeps the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn placeholder(node: &Node) -> Node {
    Node::string(format!("<secret, {} bytes>", node.text().len()), OriginId::NONE)
}

/// Returns a tree with every scalar masked.
fn all_masked(node: &Node) -> Node {
    let mut out = node.clone();
    if let Some(entries) = out.entries_mut() {
        for entry in entries {
            entry.value = all_masked(&entry.value);
        }
    } else if let Some(elements) = out.elements_mut() {
        for element in elements {
            *element = all_masked(element);
        }
    } else if !node.is_null() {
        out = placeholder(node);
    }
    out
}

/// Returns a value of an object as it may be shown.
pub(super) fn shown(object: &Object, path: &Path, node: &Node, show_secrets: bool) -> Node {
    if show_secrets || !object.is_secret() {
        return node.clone();
    }
    let fields: Vec<&str> = path.0.iter().map_while(field_name).collect();
    masked(node, &fields)
}

fn field_name(step: &Step) -> Option<&str> {
    match step {
        Step::Field(name) => Some(name.as_str()),
        Step::Index(_) | Step::Keyed(_) => None,
    }
}

/// Masks what is secret of the value of a Secret at a path.
fn masked(node: &Node, path: &[&str]) -> Node {
    let is_secret = match path {
        [first, ..] if SECRET_FIELDS.contains(first) => true,
        ["metadata", "annotations", name, ..] => *name == LAST_APPLIED,
        _ => false,
    };
    if is_secret {
        return all_masked(node);
    }
    let mut out = node.clone();
    if path.len() < 3
        && let Some(entries) = out.entries_mut()
    {
        for entry in entries {
            let mut below = path.to_vec();
            below.push(entry.key.text());
            entry.value = masked(&entry.value, &below);
        }
    }
    out
}

/// Returns an object as it may be shown.
pub(super) fn object(object: &Object, show_secrets: bool) -> Node {
    shown(object, &Path::default(), &object.node, show_secrets)
}

/// Returns whether something of a value of an object is masked.
pub(super) fn is_masked(object: &Object, path: &Path, node: &Node) -> bool {
    fn differs(a: &Node, b: &Node) -> bool {
        match (a.entries(), b.entries(), a.elements(), b.elements()) {
            (Some(a), Some(b), ..) => a.iter().zip(b).any(|(a, b)| differs(&a.value, &b.value)),
            (_, _, Some(a), Some(b)) => a.iter().zip(b).any(|(a, b)| differs(a, b)),
            _ => a.text() != b.text(),
        }
    }
    object.is_secret() && differs(node, &shown(object, path, node, false))
}

/// Returns a scalar as it is written on one line: a string that could be taken for something else is quoted.
pub(super) fn scalar(node: &Node) -> String {
    let text = node.text();
    let Ok(Scalar::Str(string)) = direct(node) else {
        return if node.is_null() { "null".to_owned() } else { text.to_owned() };
    };
    let plain = Node::untyped(string.as_ref(), OriginId::NONE);
    let is_string = matches!(direct(&plain), Ok(Scalar::Str(_)));
    let is_clear = !string.is_empty()
        && string.trim() == string
        && !string.contains(char::is_control)
        && !string.starts_with(['"', '\'', '{', '[']);
    if is_string && is_clear {
        return string.into_owned();
    }
    let mut out = String::new();
    write_json_string(&string, &mut out);
    out
}

/// Returns a value as one line, if it is short.
pub(super) fn inline(node: &Node) -> Option<String> {
    fn write(node: &Node, out: &mut String) -> bool {
        if out.len() > MAX_INLINE {
            return false;
        }
        if let Some(entries) = node.entries() {
            out.push('{');
            for (index, entry) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(entry.key.text());
                out.push_str(": ");
                if !write(&entry.value, out) {
                    return false;
                }
            }
            out.push('}');
        } else if let Some(elements) = node.elements() {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                if !write(element, out) {
                    return false;
                }
            }
            out.push(']');
        } else {
            out.push_str(&scalar(node));
        }
        true
    }
    if node.is_scalar() {
        return (!node.text().contains('\n')).then(|| scalar(node));
    }
    let mut out = String::new();
    (write(node, &mut out) && out.len() <= MAX_INLINE).then_some(out)
}

/// Returns a value as YAML, with a line break at its end.
pub(super) fn yaml(node: &Node) -> String {
    if node.is_scalar() {
        let mut text = node.text().to_owned();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        return text;
    }
    let mut bytes = Vec::new();
    match write_document(node, &mut bytes) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        // What cannot be written as kustomize writes it was read from a file.
        Err(_) => format!("{}\n", crate::yaml::tree_text(node)),
    }
}

/// Returns an object as YAML in which what is secret and differs from another says so.
pub(super) fn yaml_of_object(one: &Object, other: Option<&Object>, show_secrets: bool) -> String {
    let mut node = object(one, show_secrets);
    if let Some(other) = other.filter(|_| one.is_secret() && !show_secrets) {
        for field in SECRET_FIELDS {
            let key = Key::text_key(field);
            let (Some(own), Some(before)) = (one.node.get(key), other.node.get(key)) else {
                continue;
            };
            let Some(entries) = node.get_mut(key).and_then(Node::entries_mut) else { continue };
            for entry in entries {
                let is_other = match (own.get(entry.key), before.get(entry.key)) {
                    (Some(own), Some(before)) => !super::super::edits::is_same(own, before),
                    _ => false,
                };
                if is_other {
                    let text = entry.value.text().replace('>', ", changed>");
                    entry.value = Node::string(text, OriginId::NONE);
                }
            }
        }
    }
    yaml(&node)
}

/// A line of a difference of two texts.
pub(super) struct Line {
    /// `+`, `-`, a blank for what is the same, `@` for the head of a stretch.
    pub(super) sign: char,
    /// Without a line break.
    pub(super) text: String,
}

/// Texts with more lines than this are compared as a whole: the best difference costs their product.
const MAX_LINES_PRODUCT: usize = 16_000_000;

/// Returns the lines in which two texts differ, with some around them.
pub(super) fn lines(old: &str, new: &str) -> Vec<Line> {
    let mut out = Vec::new();
    let product = old.lines().count().saturating_mul(new.lines().count());
    if product > MAX_LINES_PRODUCT {
        let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let head = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
        let rest = a.len().min(b.len()) - head;
        let tail =
            a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
        out.push(Line { sign: '@', text: format!("@@ line {} @@", head + 1) });
        let line = |sign, text: &&str| Line { sign, text: (*text).to_owned() };
        out.extend(a[head..a.len() - tail].iter().map(|text| line('-', text)));
        out.extend(b[head..b.len() - tail].iter().map(|text| line('+', text)));
        return out;
    }
    let diff = TextDiff::from_lines(old, new);
    for hunk in diff.unified_diff().context_radius(CONTEXT_LINES).iter_hunks() {
        out.push(Line { sign: '@', text: hunk.header().to_string() });
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                similar::ChangeTag::Equal => ' ',
                similar::ChangeTag::Delete => '-',
                similar::ChangeTag::Insert => '+',
            };
            let text = change.value();
            let has_end = text.ends_with('\n');
            let text = text.strip_suffix('\n').unwrap_or(text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            out.push(Line { sign, text: text.to_owned() });
            if !has_end {
                out.push(Line { sign: '\\', text: " No newline at end".to_owned() });
            }
        }
    }
    out
}
