//! The edits that make one tree another.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use ecow::EcoString;

use super::align::{Stretch, align, out_of_order};
use crate::resource::Gvk;
use crate::schema::{Schema, Schemas};
use crate::yaml::{Entry, Key, Node, Scalar, direct};

/// Maps with more entries than this are looked up through a table.
const SMALL_MAP: usize = 16;

/// One step into a tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// A field of a map.
    Field(EcoString),
    /// An element of a list: its number in the old list; of an element that is added, in the new one.
    Index(usize),
    /// The element of a list that has these values in these fields.
    Keyed(ElementKey),
}

/// The values of the fields that tell an element from the others; none for a field that it lacks.
pub(crate) type ElementKey = Vec<(EcoString, Option<KeyValue>)>;

/// A value that is a part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct KeyValue {
    pub(crate) text: EcoString,
    pub(crate) is_string: bool,
}

/// The way to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Path(pub(crate) Vec<Step>);

impl Path {
    /// Returns the names of the fields on the way, without the elements of lists between them.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            Step::Index(_) | Step::Keyed(_) => None,
        })
    }
}

/// As `spec.containers[name=api].image`; a dot in a name is written `\.`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) => {
                    if index > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(&name.as_str().replace('.', "\\."))?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Keyed(keys) => {
                    let part = |(key, value): &(EcoString, Option<KeyValue>)| {
                        value.as_ref().map(|value| format!("{key}={}", value.text))
                    };
                    let keys: Vec<String> = keys.iter().filter_map(part).collect();
                    write!(f, "[{}]", keys.join(","))?;
                }
            }
        }
        Ok(())
    }
}

/// What an edit does. Several edits of one list are applied in this order: those inside of elements that stay; removals, by the
/// place in the old list; then elements that are added or moved are put to their places in the new list, and the others
/// fill the places between them in the order in which they were.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A value is new. `at`: of an element of a list, its place in the new list.
    Add {
        /// The value.
        new: Node,
        /// The place of an element.
        at: Option<usize>,
    },
    /// A value is gone. `at`: of an element of a list, its place in the old list.
    Remove {
        /// The value.
        old: Node,
        /// The place of an element.
        at: Option<usize>,
    },
    /// A value stands in the place of another.
    Replace {
        /// The value before.
        old: Node,
        /// The value after.
        new: Node,
    },
    /// An element of a list has another place among those that both lists have.
    Move {
        /// The place in the old list.
        from: usize,
        /// The place in the new list.
        to: usize,
    },
}

/// One edit.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) path: Path,
    pub(crate) change: Change,
}

/// Returns the edits between two objects.
pub(super) fn between(old: &Node, new: &Node) -> Vec<Edit> {
    let schema = Schemas::default().for_type(&Gvk::of(new));
    let mut differ = Differ { path: Path::default(), out: Vec::new() };
    differ.nodes(old, new, schema.as_ref());
    differ.out
}

/// Returns whether two trees have the same value.
pub(crate) fn is_same(old: &Node, new: &Node) -> bool {
    if let (Some(own), Some(other)) = (old.entries(), new.entries()) {
        let other = Fields::new(other);
        let is_same =
            |entry: &Entry| other.get(entry.key).is_some_and(|value| is_same(&entry.value, value));
        return own.len() == other.entries.len() && own.iter().all(is_same);
    }
    if let (Some(own), Some(other)) = (old.elements(), new.elements()) {
        return own.len() == other.len() && own.iter().zip(other).all(|(a, b)| is_same(a, b));
    }
    old.kind() == new.kind() && is_same_scalar(old, new)
}

/// What cannot be decoded is compared by its text.
fn is_same_scalar(old: &Node, new: &Node) -> bool {
    if old.text() == new.text() && old.tag() == new.tag() && old.style() == new.style() {
        return true;
    }
    match (direct(old), direct(new)) {
        (Ok(Scalar::Float(old)), Ok(Scalar::Float(new))) => {
            old.partial_cmp(&new).is_some_and(Ordering::is_eq)
        }
        (Ok(old), Ok(new)) => old == new,
        _ => old.text() == new.text() && old.tag() == new.tag(),
    }
}

/// A text that is the same for all trees of one value, and for no other.
fn fingerprint(node: &Node, out: &mut String) {
    use std::fmt::Write as _;
    if let Some(entries) = node.entries() {
        let mut entries: Vec<&Entry> = entries.iter().collect();
        entries.sort_by_key(|entry| entry.key.text());
        out.push('{');
        for entry in entries {
            let _ = write!(out, "{:?}:", entry.key.text());
            fingerprint(&entry.value, out);
            out.push(',');
        }
        out.push('}');
    } else if let Some(elements) = node.elements() {
        out.push('[');
        for element in elements {
            fingerprint(element, out);
            out.push(',');
        }
        out.push(']');
    } else {
        let _ = match direct(node) {
            Ok(scalar) => write!(out, "{scalar:?}"),
            Err(_) => write!(out, "!{:?}{:?}", node.tag(), node.text()),
        };
    }
}

/// The entries of a map, found by key.
struct Fields<'n> {
    entries: &'n [Entry],
    table: Option<HashMap<u32, &'n Node>>,
}

impl<'n> Fields<'n> {
    fn new(entries: &'n [Entry]) -> Self {
        let table = (entries.len() > SMALL_MAP)
            .then(|| entries.iter().map(|entry| (entry.key.text_id(), &entry.value)).collect());
        Self { entries, table }
    }

    fn get(&self, key: Key) -> Option<&'n Node> {
        match &self.table {
            Some(table) => table.get(&key.text_id()).copied(),
            None => {
                self.entries.iter().find(|entry| entry.key.same_text(key)).map(|entry| &entry.value)
            }
        }
    }
}

struct Differ {
    path: Path,
    out: Vec<Edit>,
}

impl Differ {
    fn push(&mut self, change: Change) {
        self.out.push(Edit { path: self.path.clone(), change });
    }

    fn at(&mut self, step: Step, work: impl FnOnce(&mut Self)) {
        self.path.0.push(step);
        work(self);
        self.path.0.pop();
    }

    fn nodes(&mut self, old: &Node, new: &Node, schema: Option<&Schema>) {
        if let (Some(own), Some(other)) = (old.entries(), new.entries()) {
            return self.maps(own, other, schema);
        }
        if let (Some(own), Some(other)) = (old.elements(), new.elements()) {
            return self.lists(own, other, schema);
        }
        if old.kind() != new.kind() || !is_same_scalar(old, new) {
            self.push(Change::Replace { old: old.clone(), new: new.clone() });
        }
    }

    fn maps(&mut self, old: &[Entry], new: &[Entry], schema: Option<&Schema>) {
        let (own, other) = (Fields::new(old), Fields::new(new));
        for entry in old {
            let step = Step::Field(entry.key.text().into());
            match other.get(entry.key) {
                Some(value) => {
                    let below = schema.and_then(|schema| schema.field(entry.key.text()));
                    self.at(step, |differ| differ.nodes(&entry.value, value, below.as_ref()));
                }
                None => self.at(step, |differ| {
                    differ.push(Change::Remove { old: entry.value.clone(), at: None });
                }),
            }
        }
        for entry in new.iter().filter(|entry| own.get(entry.key).is_none()) {
            self.at(Step::Field(entry.key.text().into()), |differ| {
                differ.push(Change::Add { new: entry.value.clone(), at: None });
            });
        }
    }

    fn lists(&mut self, old: &[Node], new: &[Node], schema: Option<&Schema>) {
        let below = schema.and_then(Schema::elements);
        match keyed(old, new, schema) {
            Some((old_keys, new_keys)) => {
                self.keyed_lists((old, old_keys), (new, new_keys), below.as_ref());
            }
            None => self.plain_lists(old, new, below.as_ref()),
        }
    }

    fn keyed_lists(
        &mut self,
        (old, old_keys): (&[Node], Vec<ElementKey>),
        (new, new_keys): (&[Node], Vec<ElementKey>),
        schema: Option<&Schema>,
    ) {
        let places: HashMap<&ElementKey, usize> =
            new_keys.iter().enumerate().map(|(index, key)| (key, index)).collect();
        // The places in the new list of the elements that both lists have, in the order of the old list.
        let common: Vec<(usize, usize)> = old_keys
            .iter()
            .enumerate()
            .filter_map(|(from, key)| places.get(key).map(|to| (from, *to)))
            .collect();
        let targets: Vec<usize> = common.iter().map(|(_, to)| *to).collect();
        let mut moved = out_of_order(&targets).into_iter();
        let known: HashSet<&ElementKey> = old_keys.iter().collect();
        for (from, (element, key)) in old.iter().zip(&old_keys).enumerate() {
            let target = places.get(key).copied();
            self.at(Step::Keyed(key.clone()), |differ| match target {
                Some(to) => {
                    if moved.next() == Some(true) {
                        differ.push(Change::Move { from, to });
                    }
                    differ.nodes(element, &new[to], schema);
                }
                None => differ.push(Change::Remove { old: element.clone(), at: Some(from) }),
            });
        }
        for (to, (element, key)) in new.iter().zip(&new_keys).enumerate() {
            if !known.contains(key) {
                self.at(Step::Keyed(key.clone()), |differ| {
                    differ.push(Change::Add { new: element.clone(), at: Some(to) });
                });
            }
        }
    }

    fn plain_lists(&mut self, old: &[Node], new: &[Node], schema: Option<&Schema>) {
        let prints = |nodes: &[Node]| -> Vec<String> {
            let print = |node: &Node| {
                let mut out = String::new();
                fingerprint(node, &mut out);
                out
            };
            nodes.iter().map(print).collect()
        };
        for stretch in align(&prints(old), &prints(new)) {
            let Stretch::Other { old: from, old_len, new: to, new_len } = stretch else { continue };
            let both = old_len.min(new_len);
            for offset in 0..both {
                let (own, other) = (&old[from + offset], &new[to + offset]);
                self.at(Step::Index(from + offset), |differ| differ.nodes(own, other, schema));
            }
            for (offset, element) in old[from..from + old_len].iter().enumerate().skip(both) {
                let index = from + offset;
                self.at(Step::Index(index), |differ| {
                    differ.push(Change::Remove { old: element.clone(), at: Some(index) });
                });
            }
            for (offset, element) in new[to..to + new_len].iter().enumerate().skip(both) {
                let index = to + offset;
                self.at(Step::Index(index), |differ| {
                    differ.push(Change::Add { new: element.clone(), at: Some(index) });
                });
            }
        }
    }
}

/// Returns the keys of the elements of two lists, if they have keys that tell them apart.
fn keyed(
    old: &[Node],
    new: &[Node],
    schema: Option<&Schema>,
) -> Option<(Vec<ElementKey>, Vec<ElementKey>)> {
    let rule = schema.map(Schema::list_rule).filter(|rule| rule.merges() && !rule.keys.is_empty());
    let by = |fields: &[String]| Some((keys(old, fields)?, keys(new, fields)?));
    rule.and_then(|rule| by(&rule.keys)).or_else(|| by(&["name".to_owned()]))
}

/// Returns the keys of all elements; none if an element lacks the first field, or two have the same.
fn keys(elements: &[Node], fields: &[String]) -> Option<Vec<ElementKey>> {
    let mut found = Vec::with_capacity(elements.len());
    for element in elements {
        let mut key = ElementKey::new();
        for (index, field) in fields.iter().enumerate() {
            let value = match element.get(Key::text_key(field)) {
                Some(value) if !value.is_scalar() => return None,
                Some(value) if !value.is_null() => Some(KeyValue {
                    text: value.shared_text(),
                    is_string: matches!(direct(value), Ok(Scalar::Str(_))),
                }),
                _ if index == 0 => return None,
                _ => None,
            };
            key.push((field.as_str().into(), value));
        }
        found.push(key);
    }
    let distinct: BTreeSet<&ElementKey> = found.iter().collect();
    (distinct.len() == found.len()).then_some(found)
}

#[cfg(test)]
mod tests;
