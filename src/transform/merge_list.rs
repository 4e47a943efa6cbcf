//! Strategic merge of lists whose elements have a key, or are scalars that are merged as a set.
//!
//! This is kyaml's `walkAssociativeSequence` (`kyaml/yaml/walk/associative_sequence.go`), step by step: what it makes of
//! elements without a key, with half a key, or twice in a list is visible in the output and follows no simpler rule.

use std::rc::Rc;

use ecow::EcoString;

use super::merge::{Merge, MergeFault, NoticeKind, Outcome, PathStep};
use crate::provenance::{LogKind, OriginId};
use crate::resource::{AliasWrites, set_field};
use crate::schema::{ListRule, Schema};
use crate::yaml::{Key, Node, NodeKind, known};

type Values = Vec<EcoString>;

/// An element is not a map although its list has a key.
struct NotAMap(OriginId);

/// Merges the elements of a patch into a list; without a patch, the list is only rebuilt.
pub(super) fn merge_lists(
    merge: &mut Merge<'_, '_>,
    target: &mut Node,
    patch: Option<&mut Node>,
    schema: &Schema,
) -> Result<Node, MergeFault> {
    let origin = target.origin();
    let elements = target.elements_mut().map(std::mem::take).unwrap_or_default();
    let patch = patch.map(|p| p.elements_mut().map(std::mem::take).unwrap_or_default());
    let list = Lists { target: elements, patch, is_one: false };
    list.merge(merge, origin, schema)
}

/// Merges a list with itself.
pub(super) fn merge_with_itself(
    merge: &mut Merge<'_, '_>,
    list: &mut Node,
    schema: &Schema,
) -> Result<Node, MergeFault> {
    let origin = list.origin();
    let elements = list.elements_mut().map(std::mem::take).unwrap_or_default();
    Lists { target: elements, patch: None, is_one: true }.merge(merge, origin, schema)
}

/// Returns whether the elements are told apart by their keys; such a list is not changed by being rebuilt.
pub(super) fn has_distinct_keys(elements: &[Node], rule: &ListRule) -> bool {
    distinct_keys(&[elements], &keys_of(rule)).is_some()
}

/// Returns the keys that count, if every list tells its elements apart by them: each key is set in all elements or in none.
fn distinct_keys(lists: &[&[Node]], keys: &[Key]) -> Option<Vec<Key>> {
    let elements = || lists.iter().copied().flatten();
    if is_primitive(keys) {
        let plain = |e: &Node| e.is_scalar() && !e.is_null() && !e.text().is_empty();
        return (elements().all(plain) && lists.iter().all(|list| all_differ(list, keys)))
            .then(|| keys.to_vec());
    }
    if !elements().all(|e| e.kind() == NodeKind::Map) {
        return None;
    }
    let mut used = Vec::with_capacity(keys.len());
    for key in keys {
        let mut set = elements()
            .map(|e| e.get(*key).is_some_and(|f| !f.is_null_or_empty() && !f.text().is_empty()));
        match set.next() {
            None | Some(false) if set.all(|set| !set) => {}
            Some(true) if set.all(|set| set) => used.push(*key),
            _ => return None,
        }
    }
    (!used.is_empty() && lists.iter().all(|list| all_differ(list, &used))).then_some(used)
}

fn all_differ(list: &[Node], keys: &[Key]) -> bool {
    let mut seen = std::collections::HashSet::with_capacity(list.len());
    list.iter().all(|element| seen.insert(tuple(element, keys)))
}

fn tuple(element: &Node, keys: &[Key]) -> Values {
    if is_primitive(keys) { vec![element.shared_text()] } else { element_values(element, keys) }
}

/// Takes the elements out of a list that hold a directive with this value.
pub(super) fn remove_directives(elements: &mut Vec<Node>, value: &EcoString) {
    // The list was found to hold maps with the directive, so no element is one that a key cannot be looked up in.
    let _ = set_element(elements, &[known::PATCH_DIRECTIVE], std::slice::from_ref(value), None);
}

fn keys_of(rule: &ListRule) -> Vec<Key> {
    if rule.keys.is_empty() {
        vec![known::EMPTY]
    } else {
        rule.keys.iter().map(|k| Key::text_key(k)).collect()
    }
}

fn is_primitive(keys: &[Key]) -> bool {
    keys.first().is_none_or(|key| key.text().is_empty())
}

/// The texts of an element's keys; empty for one that is missing or empty.
fn element_values(element: &Node, keys: &[Key]) -> Values {
    let text = |key: &Key| {
        let field = element.get(*key).filter(|f| !f.is_null_or_empty());
        field.map(Node::shared_text).unwrap_or_default()
    };
    keys.iter().map(text).collect()
}

/// The lists that are merged.
struct Lists {
    target: Vec<Node>,
    patch: Option<Vec<Node>>,
    /// The list is merged with itself.
    is_one: bool,
}

impl Lists {
    fn merge(
        mut self,
        merge: &mut Merge<'_, '_>,
        origin: OriginId,
        schema: &Schema,
    ) -> Result<Node, MergeFault> {
        let keys = keys_of(&schema.list_rule());
        let schema = schema.elements();
        let lists = [self.patch.as_deref().unwrap_or_default(), self.target.as_slice()];
        if let Some(keys) = distinct_keys(&lists, &keys).filter(|k| k.len() == 1) {
            return self.merge_distinct(merge, origin, &keys, schema.as_ref());
        }
        let before = Before::new(&self, &keys);
        let mut tuples = self.tuples(&keys);
        if keys.len() > 1 {
            join_half_keys(&mut tuples);
        }
        let filled: Vec<bool> =
            (0..keys.len()).map(|k| tuples.iter().any(|values| !values[k].is_empty())).collect();
        let mut added: Vec<Node> = Vec::with_capacity(self.target.len());
        let mut used_keys = Vec::new();
        for values in &tuples {
            let (tuple_keys, values) = used(&keys, values, &filled);
            used_keys.clone_from(&tuple_keys);
            merge.path.push(PathStep::Element(tuple_keys.as_slice().into(), values.clone()));
            let element = self.merge_element(merge, &tuple_keys, &values, schema.clone())?;
            let element = element.filter(|e| !is_blank(e));
            match element {
                None => {
                    if let Some(own) = find(&self.target, &tuple_keys, &values)
                        && !self.is_one
                    {
                        merge.note(LogKind::Deleted, merge.recorder.at(), &self.target[own]);
                    }
                    set_element(&mut self.target, &tuple_keys, &values, None).map_err(
                        |NotAMap(at)| MergeFault::Element { path: merge.path_text(), at },
                    )?;
                }
                Some(element) => {
                    set_element(&mut added, &tuple_keys, &values, Some(element)).map_err(
                        |NotAMap(at)| MergeFault::Element { path: merge.path_text(), at },
                    )?;
                }
            }
            merge.path.pop();
        }
        if tuples.is_empty() {
            return Ok(Node::sequence(self.target, origin));
        }
        append(&mut added, self.target, &used_keys)
            .map_err(|NotAMap(at)| MergeFault::Element { path: merge.path_text(), at })?;
        for (index, at) in before.missing_in(&added, &keys).into_iter().enumerate() {
            merge.note_origin(LogKind::Deleted, merge.recorder.at(), at, None);
            if index == 0 {
                merge.notice(NoticeKind::ElementDropped, at);
            }
        }
        Ok(Node::sequence(added, origin))
    }

    /// Merges lists that tell their elements apart, which is most of them, in one pass.
    fn merge_distinct(
        mut self,
        merge: &mut Merge<'_, '_>,
        origin: OriginId,
        keys: &[Key],
        schema: Option<&Schema>,
    ) -> Result<Node, MergeFault> {
        let mut out = Vec::with_capacity(self.target.len());
        let mut rest: Vec<Option<Node>> = self.target.drain(..).map(Some).collect();
        let places: std::collections::HashMap<Values, usize> = match &self.patch {
            Some(patch) if !patch.is_empty() => {
                let own = rest.iter().enumerate();
                own.filter_map(|(i, element)| Some((tuple(element.as_ref()?, keys), i))).collect()
            }
            _ => std::collections::HashMap::new(),
        };
        let path_keys: Rc<[Key]> = keys.into();
        for mut element in self.patch.take().into_iter().flatten() {
            let values = tuple(&element, keys);
            let own = places.get(&values).and_then(|&i| rest[i].take());
            merge.path.push(PathStep::Element(Rc::clone(&path_keys), values));
            match own {
                None => {
                    let outcome = merge.pair(None, Some(&mut element), schema.cloned())?;
                    if !matches!(outcome, Outcome::Cleared) && !is_blank(&element) {
                        element.set_origin(merge.recorder.create(element.origin()));
                        out.push(element);
                    }
                }
                Some(mut own) => {
                    let directive = element.get(known::PATCH_DIRECTIVE).map(Node::origin);
                    let key_origins = key_origins(&own, keys);
                    match merge.pair(Some(&mut own), Some(&mut element), schema.cloned())? {
                        Outcome::Cleared => {
                            merge.note(LogKind::Deleted, element.origin(), &own);
                        }
                        // An element that is to be replaced stays: kustomize puts the old one back.
                        outcome => {
                            if let (Outcome::Taken, Some(at)) = (outcome, directive) {
                                merge.notice(NoticeKind::ReplaceIgnored, at);
                            }
                            restore_origins(&mut own, &key_origins);
                            out.push(own);
                        }
                    }
                }
            }
            merge.path.pop();
        }
        for mut own in rest.into_iter().flatten() {
            let outcome = if own.is_scalar() {
                Outcome::Stays
            } else {
                merge.path.push(PathStep::Element(Rc::clone(&path_keys), tuple(&own, keys)));
                let outcome = if self.is_one {
                    merge.settle(&mut own, schema.cloned())?
                } else {
                    merge.target_only(&mut own, schema.cloned())?
                };
                if !self.is_one && (matches!(outcome, Outcome::Cleared) || is_blank(&own)) {
                    merge.note(LogKind::EmptyDropped, merge.recorder.at(), &own);
                }
                merge.path.pop();
                outcome
            };
            if !matches!(outcome, Outcome::Cleared) && !is_blank(&own) {
                out.push(own);
            }
        }
        Ok(Node::sequence(out, origin))
    }

    /// The keys of all elements, the patch's first, each once.
    fn tuples(&self, keys: &[Key]) -> Vec<Values> {
        let sources = [self.patch.as_deref().unwrap_or_default(), &self.target];
        let mut seen = std::collections::HashSet::new();
        let mut tuples = Vec::new();
        for element in sources.into_iter().flatten() {
            let values = tuple(element, keys);
            if seen.insert(values.clone()) {
                tuples.push(values);
            }
        }
        tuples
    }

    /// Merges the elements with these keys. Nothing is left of them, or one element, which is also in its list.
    fn merge_element(
        &mut self,
        merge: &mut Merge<'_, '_>,
        keys: &[Key],
        values: &[EcoString],
        schema: Option<Schema>,
    ) -> Result<Option<Node>, MergeFault> {
        let filled: Vec<bool> = values.iter().map(|v| !v.is_empty()).collect();
        let (find_keys, find_values) = used(keys, values, &filled);
        let own = find(&self.target, &find_keys, &find_values);
        let target = own.map(|i| &mut self.target[i]);
        let (before, kept) = (
            target.as_deref().map(Node::origin),
            target.as_deref().and_then(|t| merge.recorder.kept(t)),
        );
        let key_origins = target.as_deref().map(|t| key_origins(t, &find_keys)).unwrap_or_default();
        let (element, taken_from) = if self.is_one {
            match target {
                Some(element) => (merge.settle(element, schema)?, None),
                None => (Outcome::Cleared, None),
            }
        } else {
            let patch = self.patch.as_mut().and_then(|elements| {
                find(elements, &find_keys, &find_values).map(|i| &mut elements[i])
            });
            match patch {
                Some(patch) => {
                    let outcome = merge.pair(target, Some(patch), schema)?;
                    (outcome, Some(patch))
                }
                None => (merge.pair(target, None, schema)?, None),
            }
        };
        match element {
            Outcome::Cleared => Ok(None),
            Outcome::New(list) => Ok(Some(list)),
            Outcome::Stays => Ok(own.map(|i| {
                let element = &mut self.target[i];
                restore_origins(element, &key_origins);
                set_keys(element, keys, values);
                element.clone()
            })),
            Outcome::Taken => Ok(taken_from.map(|patch| {
                set_keys(patch, keys, values);
                let mut element = patch.clone();
                element.set_origin(merge.recorder.write_kept(
                    patch.origin(),
                    before.unwrap_or_default(),
                    kept,
                ));
                element
            })),
        }
    }
}

/// Returns where the keys of an element are written. A patch that names the element to be found says nothing about them.
fn key_origins(element: &Node, keys: &[Key]) -> Vec<(Key, OriginId)> {
    keys.iter().filter_map(|key| Some((*key, element.get(*key)?.origin()))).collect()
}

fn restore_origins(element: &mut Node, origins: &[(Key, OriginId)]) {
    for (key, origin) in origins {
        if element.get(*key).is_some_and(|field| field.origin() != *origin)
            && let Some(field) = element.get_mut(*key)
        {
            field.set_origin(*origin);
        }
    }
}

/// The elements that should be in the merged list, each by its keys.
struct Before {
    elements: Vec<(Values, OriginId)>,
}

impl Before {
    fn new(lists: &Lists, keys: &[Key]) -> Self {
        let is_directive = |e: &&Node| e.get(known::PATCH_DIRECTIVE).is_some();
        let own = || lists.patch.iter().flatten().chain(&lists.target);
        let deleted: Vec<Values> =
            own().filter(is_directive).map(|e| element_values(e, keys)).collect();
        let kept = own().filter(|e| !is_blank(e) && !is_directive(e));
        let elements = kept.map(|e| (tuple(e, keys), e.origin()));
        Self { elements: elements.filter(|(values, _)| !deleted.contains(values)).collect() }
    }

    /// Returns the elements that are not in a list. A key that an element lacks may have been filled in.
    fn missing_in(&self, list: &[Node], keys: &[Key]) -> Vec<OriginId> {
        let found: std::collections::HashSet<Values> =
            list.iter().map(|element| tuple(element, keys)).collect();
        let is_there = |values: &Values| {
            found.contains(values)
                || found.iter().any(|f| f.iter().zip(values).all(|(f, v)| v.is_empty() || f == v))
        };
        let missing = self.elements.iter().filter(|(values, _)| !is_there(values));
        missing.map(|&(_, at)| at).collect()
    }
}

fn is_blank(element: &Node) -> bool {
    element.is_null() || element.kind() == NodeKind::Map && element.is_empty()
}

/// The keys of a tuple that count: those that any element of the list has, or all if there are none.
fn used(keys: &[Key], values: &[EcoString], filled: &[bool]) -> (Vec<Key>, Values) {
    if !filled.contains(&true) {
        return (keys.to_vec(), values.to_vec());
    }
    let kept = || filled.iter().enumerate().filter(|(_, filled)| **filled).map(|(i, _)| i);
    (kept().map(|i| keys[i]).collect(), kept().map(|i| values[i].clone()).collect())
}

/// Tuples that agree where both say something are one: a port without a protocol is the one with.
fn join_half_keys(tuples: &mut [Values]) {
    for i in 0..tuples.len() {
        let own = tuples[i].clone();
        for j in 0..tuples.len() {
            let (a, b) = (&own, &tuples[j]);
            let pairs = || a.iter().zip(b);
            let common = pairs().any(|(a, b)| a == b);
            let differ = pairs().any(|(a, b)| a != b && !a.is_empty() && !b.is_empty());
            if common && !differ {
                let joined: Values = pairs()
                    .map(|(a, b)| if a.is_empty() { b.clone() } else { a.clone() })
                    .collect();
                tuples[i].clone_from(&joined);
                tuples[j] = joined;
            }
        }
    }
}

/// Returns the first element with these keys (kyaml's `ElementMatcher`).
fn find(elements: &[Node], keys: &[Key], values: &[EcoString]) -> Option<usize> {
    if is_primitive(keys) {
        return elements.iter().position(|e| e.text() == values[0].as_str());
    }
    elements.iter().position(|element| {
        let fits = |(key, value): (&Key, &EcoString)| {
            element.get(*key).is_some_and(|field| field.text() == value.as_str())
        };
        element.kind() == NodeKind::Map && keys.iter().zip(values).all(fits)
    })
}

/// Makes sure that an element has its keys.
fn set_keys(element: &mut Node, keys: &[Key], values: &[EcoString]) {
    for (key, value) in keys.iter().zip(values) {
        if !key.text().is_empty() && !value.is_empty() && element.get(*key).is_none() {
            let origin = element.origin();
            set_field(
                element,
                key.text(),
                Node::untyped(value.clone(), origin),
                &mut AliasWrites::default(),
            );
        }
    }
}

/// Replaces the elements with these keys, or adds one, or removes them (kyaml's `ElementSetter`).
fn set_element(
    elements: &mut Vec<Node>,
    keys: &[Key],
    values: &[EcoString],
    element: Option<Node>,
) -> Result<(), NotAMap> {
    let sets_a_map = keys.first().is_some_and(|k| !k.text().is_empty())
        && values.first().is_some_and(|v| !v.is_empty());
    let mut kept = Vec::with_capacity(elements.len() + 1);
    let mut found_one = false;
    for own in elements.drain(..) {
        let is_map = own.kind() == NodeKind::Map;
        if own.is_null() || is_map && own.is_empty() {
            continue;
        }
        if !is_map && sets_a_map {
            kept.push(own);
            continue;
        }
        if !fits(&own, keys, values)? {
            // Without any value to compare, what does not fit goes too.
            if !values.is_empty() {
                kept.push(own);
            }
            continue;
        }
        found_one = true;
        kept.extend(element.clone());
    }
    if !found_one {
        kept.extend(element.filter(|e| !e.is_null()));
    }
    *elements = kept;
    Ok(())
}

/// Returns whether an element has these keys. An empty value asks only that the key is there; a key without a value
/// counts as the one before it does.
fn fits(element: &Node, keys: &[Key], values: &[EcoString]) -> Result<bool, NotAMap> {
    let mut last = false;
    for (index, key) in keys.iter().enumerate() {
        if let Some(value) = values.get(index) {
            last = if key.text().is_empty() {
                if !element.is_scalar() {
                    return Err(NotAMap(element.origin()));
                }
                element.text() == value.as_str()
            } else if element.kind() == NodeKind::Map {
                let field = element.get(*key);
                field.is_some_and(|f| value.is_empty() || f.text() == value.as_str())
            } else {
                return Err(NotAMap(element.origin()));
            };
        }
        if !last {
            return Ok(false);
        }
    }
    Ok(last)
}

/// Puts the elements of a list into another: in the place of those with the same keys, or at the end.
fn append(list: &mut Vec<Node>, elements: Vec<Node>, keys: &[Key]) -> Result<(), NotAMap> {
    if is_primitive(keys) {
        let mut places: std::collections::HashSet<EcoString> =
            list.iter().map(Node::shared_text).collect();
        for element in elements {
            // A scalar that is there is replaced by its like; only what is new needs a place.
            if !element.is_scalar() || element.is_null() || !places.insert(element.shared_text()) {
                let value = element.shared_text();
                set_element(list, &[known::EMPTY], &[value], Some(element))?;
            } else {
                list.push(element);
            }
        }
        return Ok(());
    }
    for element in elements {
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            if element.is_scalar() && !element.is_null() || element.elements().is_some() {
                return Err(NotAMap(element.origin()));
            }
            match element.get(*key) {
                Some(field) => values.push(field.shared_text()),
                // An element without the key is added at once, and looked for all the same.
                None => list.push(element.clone()),
            }
        }
        if keys.len() > 1 {
            set_element(list, keys, &values, None)?;
        }
        set_element(list, keys, &values, Some(element))?;
    }
    Ok(())
}
