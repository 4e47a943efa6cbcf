//! What differs between two builds of one environment: objects, fields, and what a cluster would do about it.
//!
//! Comes in: two [`Snapshot`]s, the objects of both sides as they are written. Goes out: a [`Comparison`] with every edit,
//! from which `format` makes a report. Nothing here builds or prints.
//!
//! Objects are matched by group, kind, namespace and name; the version is a field like any other, and a generated name
//! counts without its content hash. What is left over on both sides is created and deleted; where a created object is mostly
//! a deleted one, it says what it was renamed from.
//!
//! Fields are compared as values: `"1"` and `1` differ, `0x10` and `16` do not, and neither comments nor the order of keys
//! count. The elements of a list that Kubernetes tells apart by a key are matched by it, and so are those of any other list
//! whose elements all have a name of their own; an element that changed its place has moved. All other lists are aligned
//! by their longest common part.
//!
//! Applying the edits of a comparison to one side gives the other ([`Change`] says how).

mod align;
mod edits;
mod fold;
pub(crate) mod format;
mod impact;
mod object;
mod rename;

use std::collections::{HashMap, HashSet};

pub(crate) use edits::{Change, Edit, KeyValue, Path, Step, is_same as same_value};
pub(crate) use fold::HashChange;
pub(crate) use impact::Impact;
pub(crate) use object::{Object, ObjectId, Snapshot};

use crate::yaml::Node;

/// What became of an object.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// Only the second side has it.
    Created(Object),
    /// Only the first side has it.
    Deleted(Object),
    /// Both have it.
    Changed(Box<Changed>),
}

/// An object that both sides have and that differs.
#[derive(Clone, Debug)]
pub(crate) struct Changed {
    pub(crate) old: Object,
    pub(crate) new: Object,
    /// Every edit.
    pub(crate) edits: Vec<Edit>,
    /// The edits without those that a content hash in a name has caused.
    pub(crate) own_edits: Vec<Edit>,
    /// The old object with the content hashes of the new side in the names that it mentions.
    pub(crate) old_with_new_names: Node,
    /// Those names, before and after.
    pub(crate) followed: Vec<(String, String)>,
    /// The new content hash of its name, and what it rolls.
    pub(crate) hash: Option<HashChange>,
}

/// An object of the one side or of both, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct ResourceChange {
    pub(crate) id: ObjectId,
    pub(crate) fate: Fate,
    pub(crate) impact: Impact,
    /// The object on the other side that this one was, or became.
    pub(crate) renamed: Option<ObjectId>,
}

impl ResourceChange {
    /// Returns whether nothing is left once the effects of content hashes are folded away.
    pub(crate) fn is_folded(&self) -> bool {
        matches!(&self.fate, Fate::Changed(changed) if changed.own_edits.is_empty() && changed.hash.is_none())
    }
}

/// What differs between two builds of one environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comparison {
    /// The objects that differ, in the order of the second side; deleted ones at the end.
    pub(crate) resources: Vec<ResourceChange>,
    /// How many objects are the same.
    pub(crate) unchanged: usize,
    /// The objects that both sides have stand in another order.
    pub(crate) reordered: bool,
}

impl Comparison {
    /// Returns whether both sides are the same.
    pub(crate) fn is_empty(&self) -> bool {
        self.resources.is_empty() && !self.reordered
    }
}

/// Compares two sides.
pub(crate) fn compare(old: &Snapshot, new: &Snapshot) -> Comparison {
    let pairs = object::matched(old, new);
    let mut comparison =
        Comparison { reordered: !pairs.iter().flatten().is_sorted(), ..Comparison::default() };
    let names = fold::changed_names(old, new, &pairs);
    let taken: HashSet<usize> = pairs.iter().flatten().copied().collect();
    let mut of_name: HashMap<(String, String), usize> = HashMap::new();
    for (after, before) in new.entries().iter().zip(&pairs) {
        let Some(before) = before else {
            let object = after.object();
            let (id, fate) = (after.id().clone(), Fate::Created(object));
            comparison.resources.push(ResourceChange {
                id,
                fate,
                impact: Impact::Create,
                renamed: None,
            });
            continue;
        };
        let before = &old.entries()[*before];
        if before.has_same_text(after) {
            comparison.unchanged += 1;
            continue;
        }
        let (before, after) = (before.object(), after.object());
        let edits = edits::between(&before.node, &after.node);
        if edits.is_empty() {
            comparison.unchanged += 1;
            continue;
        }
        let folded = names.fold(&before, &after, &edits);
        if before.name != after.name {
            let key = (before.name.clone(), after.name.clone());
            of_name.insert(key, comparison.resources.len());
        }
        let hash = (before.name != after.name).then(|| HashChange::of(&before, &after));
        let impact = impact::of(&before, &after, &edits);
        comparison.resources.push(ResourceChange {
            id: after.id.clone(),
            impact,
            renamed: None,
            fate: Fate::Changed(Box::new(Changed {
                old: before,
                new: after,
                edits,
                own_edits: folded.own,
                old_with_new_names: folded.old,
                followed: folded.names,
                hash,
            })),
        });
        // The objects that a new content hash rolls are known once all are compared.
        names.note(&folded.references, comparison.resources.len() - 1);
    }
    names.distribute(&mut comparison, &of_name);
    for (index, before) in old.entries().iter().enumerate() {
        if !taken.contains(&index) {
            let fate = Fate::Deleted(before.object());
            comparison.resources.push(ResourceChange {
                id: before.id().clone(),
                fate,
                impact: Impact::Delete,
                renamed: None,
            });
        }
    }
    rename::note(&mut comparison);
    comparison
}
