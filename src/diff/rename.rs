//! Objects that were renamed: deleted under one name and created under another.

use std::collections::{HashMap, HashSet};

use super::{Comparison, Fate, Object, ObjectId};
use crate::yaml::{Node, known};

/// So many of the values of both have to be the same, in percent.
const MIN_SAME_PERCENT: usize = 60;
/// Objects with fewer values say too little, unless all are the same.
const MIN_VALUES: usize = 4;
/// Up to so many pairs of one kind are compared; beyond it, only those that differ in nothing but their names are found.
const MAX_PAIRS: usize = 10_000;

/// Notes at created and deleted objects which of them are one that was renamed.
pub(super) fn note(comparison: &mut Comparison) {
    let mut kinds: HashMap<(String, String), (Vec<usize>, Vec<usize>)> = HashMap::new();
    let mut order = Vec::new();
    for (index, change) in comparison.resources.iter().enumerate() {
        let key = (change.id.group.to_string(), change.id.kind.to_string());
        let lists = match &change.fate {
            Fate::Changed(_) => continue,
            Fate::Created(_) | Fate::Deleted(_) => {
                if !kinds.contains_key(&key) {
                    order.push(key.clone());
                }
                kinds.entry(key).or_default()
            }
        };
        match &change.fate {
            Fate::Created(_) => lists.0.push(index),
            _ => lists.1.push(index),
        }
    }
    for key in order {
        let (created, deleted) = &kinds[&key];
        for (new, old) in renamed(comparison, created, deleted) {
            let (was, became) =
                (comparison.resources[old].id.clone(), comparison.resources[new].id.clone());
            comparison.resources[new].renamed = Some(was);
            comparison.resources[old].renamed = Some(became);
        }
    }
}

fn renamed(comparison: &Comparison, created: &[usize], deleted: &[usize]) -> Vec<(usize, usize)> {
    let object = |index: usize| match &comparison.resources[index].fate {
        Fate::Created(object) | Fate::Deleted(object) => Some(object),
        Fate::Changed(_) => None,
    };
    let values_of = |list: &[usize]| -> Vec<Vec<String>> {
        list.iter().map(|index| object(*index).map(values).unwrap_or_default()).collect()
    };
    if created.is_empty() || deleted.is_empty() {
        return Vec::new();
    }
    let (new, old) = (values_of(created), values_of(deleted));
    let mut found = Vec::new();
    let (mut free_new, mut free_old): (HashSet<usize>, HashSet<usize>) =
        ((0..new.len()).collect(), (0..old.len()).collect());
    let mut same: HashMap<&[String], Vec<usize>> = HashMap::new();
    for (index, values) in old.iter().enumerate().rev() {
        same.entry(values).or_default().push(index);
    }
    for (index, values) in new.iter().enumerate() {
        if let Some(other) = same.get_mut(values.as_slice()).and_then(Vec::pop) {
            found.push((created[index], deleted[other]));
            free_new.remove(&index);
            free_old.remove(&other);
        }
    }
    if free_new.len().saturating_mul(free_old.len()) <= MAX_PAIRS {
        let mut likely: Vec<(usize, usize, usize)> = Vec::new();
        for index in (0..new.len()).filter(|index| free_new.contains(index)) {
            for other in (0..old.len()).filter(|other| free_old.contains(other)) {
                let percent = same_percent(&old[other], &new[index]);
                let is_large = old[other].len().max(new[index].len()) >= MIN_VALUES;
                if percent >= MIN_SAME_PERCENT && is_large {
                    likely.push((percent, index, other));
                }
            }
        }
        // The likeliest first; of equal ones, those that come first.
        likely.sort_by_key(|(percent, index, other)| (std::cmp::Reverse(*percent), *index, *other));
        for (_, index, other) in likely {
            if free_new.contains(&index) && free_old.remove(&other) {
                free_new.remove(&index);
                found.push((created[index], deleted[other]));
            }
        }
    }
    found
}

/// Returns the values of an object with their paths, sorted, without its name and namespace.
fn values(object: &Object) -> Vec<String> {
    fn collect(node: &Node, path: &mut String, out: &mut Vec<String>) {
        let length = path.len();
        if let Some(entries) = node.entries() {
            for entry in entries {
                path.push('.');
                path.push_str(entry.key.text());
                collect(&entry.value, path, out);
                path.truncate(length);
            }
        } else if let Some(elements) = node.elements() {
            path.push_str("[]");
            for element in elements {
                collect(element, path, out);
            }
            path.truncate(length);
        } else {
            out.push(format!("{path}={}", node.text()));
        }
    }
    let mut out = Vec::new();
    let mut node = object.node.clone();
    if let Some(metadata) = node.get_mut(known::METADATA) {
        metadata.remove(known::NAME);
        metadata.remove(known::NAMESPACE);
    }
    collect(&node, &mut String::new(), &mut out);
    out.sort();
    out
}

/// Returns how many of the values are in both lists, in percent of the longer one.
fn same_percent(old: &[String], new: &[String]) -> usize {
    let (mut a, mut b, mut same) = (0, 0, 0);
    while let (Some(one), Some(other)) = (old.get(a), new.get(b)) {
        match one.cmp(other) {
            std::cmp::Ordering::Less => a += 1,
            std::cmp::Ordering::Greater => b += 1,
            std::cmp::Ordering::Equal => {
                same += 1;
                a += 1;
                b += 1;
            }
        }
    }
    same * 100 / old.len().max(new.len()).max(1)
}

/// Returns what is said about a renamed object.
pub(super) fn text(id: &ObjectId, other: &ObjectId) -> String {
    if id.namespace == other.namespace { other.name.to_string() } else { other.to_string() }
}
