//! The objects of one side, and which of them correspond to those of the other.

use std::collections::{HashMap, HashSet};
use std::fmt;

use ecow::EcoString;

use crate::provenance::OriginId;
use crate::resource::{Gvk, Resource, read_documents};
use crate::tree;
use crate::yaml::{Node, known};

/// The characters that a content hash is written with, and how many there are.
const HASH_CHARACTERS: &[u8] = b"2456789bcdfghkmt";
const HASH_LENGTH: usize = 10;

/// What an object is called, whatever its version; a generated name without its content hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectId {
    pub(crate) group: EcoString,
    pub(crate) kind: EcoString,
    pub(crate) namespace: EcoString,
    pub(crate) name: EcoString,
}

impl ObjectId {
    /// Returns the kind, with the group where a kind of Kubernetes could be meant.
    pub(crate) fn kind_text(&self) -> String {
        let is_own = !self.group.contains('.') || self.group.ends_with(".k8s.io");
        if is_own { self.kind.to_string() } else { format!("{}.{}", self.kind, self.group) }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.kind_text())?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

/// An object of one side.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) id: ObjectId,
    /// Its whole name.
    pub(crate) name: String,
    pub(crate) node: Node,
}

impl Object {
    /// Returns whether its data are secret.
    pub(crate) fn is_secret(&self) -> bool {
        self.id.group.is_empty() && self.id.kind == "Secret"
    }
}

/// How an object of a side is held: by its text, which is parsed only where it differs.
#[derive(Clone, Debug)]
enum Content {
    Text(Box<str>),
    Tree(Node),
}

/// An object of a side, with what it is matched by.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    id: ObjectId,
    name: String,
    content: Content,
}

impl Entry {
    pub(super) fn id(&self) -> &ObjectId {
        &self.id
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn has_same_text(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Content::Text(own), Content::Text(other)) => own == other,
            _ => false,
        }
    }

    pub(super) fn object(&self) -> Object {
        let node = match &self.content {
            Content::Tree(node) => node.clone(),
            // What was written a moment ago can be read; if not, it differs as a text.
            Content::Text(text) => {
                let read = read_documents(text, 1).ok().and_then(|mut nodes| nodes.pop());
                read.unwrap_or_else(|| Node::string(text.as_ref(), OriginId::NONE))
            }
        };
        Object { id: self.id.clone(), name: self.name.clone(), node }
    }
}

/// The objects of one side, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    entries: Vec<Entry>,
}

impl Snapshot {
    /// Takes the objects of a build.
    pub(crate) fn of_build(build: &crate::Build) -> Self {
        let crate::Output::Stream(stream) = &build.output else { return Self::default() };
        let texts = if stream.is_empty() { Vec::new() } else { tree::documents(stream) };
        debug_assert_eq!(texts.len(), build.resources.len(), "each object is a document");
        let entry = |(resource, text): (&Resource, &[u8])| {
            let id = resource.id();
            let node = resource.node();
            let namespace = node.at(&[known::METADATA, known::NAMESPACE]).map_or("", Node::text);
            Entry {
                id: ObjectId {
                    group: id.gvk.group.clone(),
                    kind: id.gvk.kind.clone(),
                    namespace: namespace.into(),
                    name: tree::plain_name(resource).into(),
                },
                name: id.name.to_string(),
                content: Content::Text(String::from_utf8_lossy(text).into()),
            }
        };
        Self { entries: build.resources.iter().zip(texts).map(entry).collect() }.with_distinct_ids()
    }

    /// Takes objects that were read from files. The names of `ConfigMap`s and Secrets that end as a content hash does are
    /// taken for generated ones.
    pub(crate) fn of_objects(objects: Vec<Node>) -> Self {
        let entry = |node: Node| {
            let gvk = Gvk::of(&node);
            let metadata = |key| node.at(&[known::METADATA, key]).map_or("", Node::text);
            let (name, namespace) = (metadata(known::NAME), metadata(known::NAMESPACE));
            let has_hash =
                gvk.group.is_empty() && matches!(gvk.kind.as_str(), "ConfigMap" | "Secret");
            let plain = if has_hash { without_hash(name) } else { name };
            Entry {
                id: ObjectId {
                    namespace: namespace.into(),
                    name: plain.into(),
                    group: gvk.group,
                    kind: gvk.kind,
                },
                name: name.to_owned(),
                content: Content::Tree(node),
            }
        };
        Self { entries: objects.into_iter().map(entry).collect() }.with_distinct_ids()
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Objects whose plain names are the same keep their whole names.
    fn with_distinct_ids(mut self) -> Self {
        let mut count: HashMap<ObjectId, usize> = HashMap::new();
        for entry in &self.entries {
            *count.entry(entry.id.clone()).or_default() += 1;
        }
        for entry in &mut self.entries {
            if count[&entry.id] > 1 {
                entry.id.name = entry.name.as_str().into();
            }
        }
        self
    }
}

/// Returns a name without what looks like a content hash at its end.
fn without_hash(name: &str) -> &str {
    let Some((plain, hash)) = name.rsplit_once('-') else { return name };
    let is_hash =
        hash.len() == HASH_LENGTH && hash.bytes().all(|byte| HASH_CHARACTERS.contains(&byte));
    if is_hash && !plain.is_empty() { plain } else { name }
}

/// Returns for each object of the new side the number of the old one that it corresponds to.
pub(super) fn matched(old: &Snapshot, new: &Snapshot) -> Vec<Option<usize>> {
    // Objects with one id, which only files can hold, are matched in order.
    let mut free: HashMap<&ObjectId, Vec<usize>> = HashMap::new();
    for (index, entry) in old.entries.iter().enumerate().rev() {
        free.entry(&entry.id).or_default().push(index);
    }
    let mut pairs: Vec<Option<usize>> =
        new.entries.iter().map(|entry| free.get_mut(&entry.id)?.pop()).collect();
    // A name that is generated on one side alone, or that is not told apart by its plain form on one side.
    let taken: HashSet<usize> = pairs.iter().flatten().copied().collect();
    let whole = |entry: &Entry| {
        let ObjectId { group, kind, namespace, .. } = entry.id.clone();
        ObjectId { group, kind, namespace, name: entry.name.as_str().into() }
    };
    let left = old.entries.iter().enumerate().filter(|(index, _)| !taken.contains(index));
    let mut by_name: HashMap<ObjectId, usize> =
        left.map(|(index, entry)| (whole(entry), index)).collect();
    for (pair, entry) in pairs.iter_mut().zip(&new.entries).filter(|(pair, _)| pair.is_none()) {
        *pair = by_name.remove(&whole(entry));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(names: &[&str]) -> Snapshot {
        let object = |name: &&str| {
            let (kind, name) = name.split_once('/').unwrap();
            let text = format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n");
            read_documents(&text, 1).unwrap().pop().unwrap()
        };
        Snapshot::of_objects(names.iter().map(object).collect())
    }

    #[test]
    fn generated_names_match_without_their_hash() {
        for (old, new, pairs) in [
            (&["ConfigMap/a-8h6ft5mg26"][..], &["ConfigMap/a-2bt9k7dfc4"][..], &[Some(0)][..]),
            (&["ConfigMap/a"], &["ConfigMap/a-2bt9k7dfc4"], &[Some(0)]),
            // Not a hash, or no kind that has one.
            (&["ConfigMap/a-kubernetes"], &["ConfigMap/a-controller"], &[None]),
            (&["Service/a-8h6ft5mg26"], &["Service/a-2bt9k7dfc4"], &[None]),
            // Two of one plain name keep their whole names.
            (
                &["ConfigMap/a-8h6ft5mg26", "ConfigMap/a-2bt9k7dfc4"],
                &["ConfigMap/a-2bt9k7dfc4", "ConfigMap/b"],
                &[Some(1), None],
            ),
            (&["ConfigMap/a", "Secret/a"], &["Secret/a", "ConfigMap/a"], &[Some(1), Some(0)]),
        ] {
            assert_eq!(matched(&snapshot(old), &snapshot(new)), pairs, "{old:?} {new:?}");
        }
    }
}
