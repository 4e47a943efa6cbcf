//! Whether two trees mean the same to a reader of kustomization files.

use crate::project::scalar;
use crate::yaml::{Entry, Node};

/// Returns the entries of a map that count, sorted by key: of several with one key, the last.
pub(super) fn effective(entries: &[Entry]) -> Vec<&Entry> {
    let mut found: Vec<&Entry> = entries.iter().collect();
    // Stable: the last of equal keys comes last.
    found.sort_by_key(|entry| entry.key.text());
    let mut out: Vec<&Entry> = Vec::with_capacity(found.len());
    for entry in found {
        match out.last_mut() {
            Some(last) if last.key.same_text(entry.key) => *last = entry,
            _ => out.push(entry),
        }
    }
    out
}

/// Returns whether two trees hold the same values, however they are written.
pub(super) fn same(a: &Node, b: &Node) -> bool {
    if let (Some(a), Some(b)) = (a.entries(), b.entries()) {
        let (a, b) = (effective(a), effective(b));
        return a.len() == b.len()
            && a.iter().zip(&b).all(|(a, b)| a.key.same_text(b.key) && same(&a.value, &b.value));
    }
    if let (Some(a), Some(b)) = (a.elements(), b.elements()) {
        return a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
    }
    if !a.is_scalar() || !b.is_scalar() {
        return false;
    }
    match (scalar(a), scalar(b)) {
        // Not a number is not equal to itself.
        (Some(x), Some(y)) => x == y || a.text() == b.text() && a.tag() == b.tag(),
        (None, None) => a.text() == b.text() && a.tag() == b.tag(),
        _ => false,
    }
}
