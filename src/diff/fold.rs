//! Content hashes in names: what of a comparison they explain.
//!
//! A generator that gives other data gives another name, and every reference to it changes too. All these edits are one fact:
//! the data changed, and the workloads that name the object start new pods.

use std::collections::{HashMap, HashSet};

use super::edits::{self, Edit, Path};
use super::impact::is_in_pods;
use super::object::{Object, Snapshot};
use super::{Comparison, Fate, ObjectId, edits::Step};
use crate::yaml::Node;

/// Another content hash in the name of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HashChange {
    /// The whole name before.
    pub(crate) from: String,
    /// The whole name after.
    pub(crate) to: String,
    /// The workloads whose pods name the object.
    pub(crate) rolls: Vec<ObjectId>,
    /// The other objects that name it.
    pub(crate) named_by: Vec<ObjectId>,
}

impl HashChange {
    pub(super) fn of(old: &Object, new: &Object) -> Self {
        Self { from: old.name.clone(), to: new.name.clone(), ..Self::default() }
    }
}

/// The names that have another content hash, the old by the new one.
pub(super) struct ChangedNames {
    names: HashMap<String, String>,
    /// Which comparison names which of them, and whether in its pods.
    references: std::cell::RefCell<Vec<(usize, Reference)>>,
}

/// A reference that follows a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    name: String,
    in_pods: bool,
}

/// What is left of the edits of an object, and what was folded.
pub(super) struct Folded {
    pub(super) own: Vec<Edit>,
    /// The old object with the new names.
    pub(super) old: Node,
    /// The names that it follows, before and after.
    pub(super) names: Vec<(String, String)>,
    pub(super) references: Vec<Reference>,
}

/// Returns the names that changed only in their content hash.
pub(super) fn changed_names(
    old: &Snapshot,
    new: &Snapshot,
    pairs: &[Option<usize>],
) -> ChangedNames {
    let mut names = HashMap::new();
    for (after, before) in new.entries().iter().zip(pairs) {
        let Some(before) = before.map(|index| &old.entries()[index]) else { continue };
        if before.name() != after.name() {
            names.insert(before.name().to_owned(), after.name().to_owned());
        }
    }
    ChangedNames { names, references: std::cell::RefCell::default() }
}

impl ChangedNames {
    /// Folds the edits of an object that follow from other names.
    pub(super) fn fold(&self, old: &Object, new: &Object, edits: &[Edit]) -> Folded {
        let mut folded = Folded {
            own: edits.to_vec(),
            old: old.node.clone(),
            names: Vec::new(),
            references: Vec::new(),
        };
        if self.names.is_empty() {
            return folded;
        }
        let mut mentioned = HashSet::new();
        scalars(&old.node, &mut |text| {
            if let Some((name, _)) = self.names.get_key_value(text) {
                mentioned.insert(name.as_str());
            }
        });
        // A text that is still there was no reference.
        scalars(&new.node, &mut |text| {
            mentioned.remove(text);
        });
        if mentioned.is_empty() {
            return folded;
        }
        let mut path = Path::default();
        let renamed = self.renamed(&old.node, &mentioned, &mut path, &mut |path, name| {
            if path.fields().eq(["metadata", "name"]) {
                return;
            }
            let in_pods = is_in_pods(new, path);
            let reference = Reference { name: name.to_owned(), in_pods };
            if !folded.references.contains(&reference) {
                folded.references.push(reference);
            }
        });
        folded.own = edits::between(&renamed, &new.node);
        folded.old = renamed;
        let mut names: Vec<&str> = mentioned.into_iter().collect();
        names.sort_unstable();
        let pair = |name: &str| (name.to_owned(), self.names[name].clone());
        folded.names = names.into_iter().map(pair).collect();
        folded
    }

    /// Returns a tree with the new names in the place of the old ones.
    fn renamed(
        &self,
        node: &Node,
        mentioned: &HashSet<&str>,
        path: &mut Path,
        note: &mut dyn FnMut(&Path, &str),
    ) -> Node {
        let mut out = node.clone();
        if let Some(entries) = out.entries_mut() {
            for entry in entries {
                path.0.push(Step::Field(entry.key.text().into()));
                entry.value = self.renamed(&entry.value, mentioned, path, note);
                path.0.pop();
            }
        } else if let Some(elements) = out.elements_mut() {
            for (index, element) in elements.iter_mut().enumerate() {
                path.0.push(Step::Index(index));
                *element = self.renamed(element, mentioned, path, note);
                path.0.pop();
            }
        } else if mentioned.contains(node.text()) {
            let name = &self.names[node.text()];
            note(path, node.text());
            out.set_text(name.as_str());
        }
        out
    }

    /// Notes what the object of a comparison refers to.
    pub(super) fn note(&self, references: &[Reference], index: usize) {
        let found = references.iter().map(|reference| (index, reference.clone()));
        self.references.borrow_mut().extend(found);
    }

    /// Tells each object with another content hash who names it. `of_name`: the comparisons of those objects, by their names
    /// before and after.
    pub(super) fn distribute(
        &self,
        comparison: &mut Comparison,
        of_name: &HashMap<(String, String), usize>,
    ) {
        for (index, reference) in self.references.borrow().iter() {
            let id = comparison.resources[*index].id.clone();
            let Some(to) = self.names.get(&reference.name) else { continue };
            let Some(named) = of_name.get(&(reference.name.clone(), to.clone())) else { continue };
            let Fate::Changed(changed) = &mut comparison.resources[*named].fate else { continue };
            let Some(hash) = &mut changed.hash else { continue };
            let list = if reference.in_pods { &mut hash.rolls } else { &mut hash.named_by };
            if !list.contains(&id) {
                list.push(id);
            }
        }
    }
}

fn scalars(node: &Node, see: &mut dyn FnMut(&str)) {
    for entry in node.entries().into_iter().flatten() {
        scalars(&entry.value, see);
    }
    for element in node.elements().into_iter().flatten() {
        scalars(element, see);
    }
    if node.is_scalar() {
        see(node.text());
    }
}
