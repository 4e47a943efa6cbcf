//! The objects of a build, in load order and by id.
//!
//! Every present and earlier name of an object leads to it through one hash index, so that a patch finds its target, a
//! generator its predecessor and a clash its other half without a scan. An entry of the index may be out of date in one
//! way only: it may name an object that no longer has the name. Look-ups compare ids, so that costs nothing but a
//! comparison; removing objects rebuilds the index.

use foldhash::HashMap;
use std::sync::Arc;

use ecow::EcoString;

use super::{Resource, ResourceId, Scopes};

/// The objects of a build.
#[derive(Clone, Debug, Default)]
pub struct ResourceSet {
    resources: Vec<Resource>,
    /// The objects that were in the set and are no more.
    removed: Vec<Resource>,
    by_name: HashMap<EcoString, Indexes>,
    scopes: Arc<Scopes>,
}

/// Indexes of objects, mostly one.
#[derive(Clone, Debug)]
enum Indexes {
    One(u32),
    Several(Vec<u32>),
}

impl Indexes {
    fn as_slice(&self) -> &[u32] {
        match self {
            Self::One(index) => std::slice::from_ref(index),
            Self::Several(indexes) => indexes,
        }
    }

    fn add(&mut self, index: u32) {
        match self {
            known if known.as_slice().contains(&index) => {}
            Self::One(first) => *self = Self::Several(vec![*first, index]),
            Self::Several(indexes) => indexes.push(index),
        }
    }

    /// Replaces each index by its place in `places`.
    fn renumber(&mut self, places: &[u32]) {
        let indexes = match self {
            Self::One(index) => std::slice::from_mut(index),
            Self::Several(indexes) => indexes.as_mut_slice(),
        };
        for index in indexes {
            *index = places[*index as usize];
        }
    }
}

/// Two objects of a set have the same id.
#[derive(Clone, Debug)]
pub(crate) struct IdClash {
    /// The index of the object that is in the set.
    pub(crate) existing: usize,
    /// The object that was to be added.
    pub(crate) added: Box<Resource>,
}

impl ResourceSet {
    /// Returns an empty set whose kinds live where `scopes` says.
    pub(crate) fn new(scopes: Arc<Scopes>) -> Self {
        Self { scopes, ..Self::default() }
    }

    /// Returns the objects in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.resources.iter()
    }

    /// Returns the objects that a patch has deleted or that are marked as local, as they were before. The last entry of
    /// their log says why.
    pub fn removed(&self) -> &[Resource] {
        &self.removed
    }

    /// Takes over which objects another set has lost.
    pub(crate) fn take_removed(&mut self, other: &mut Self) {
        self.removed.append(&mut other.removed);
    }

    /// Returns how many objects there are.
    pub fn len(&self) -> usize {
        self.resources.len()
    }

    /// Returns whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    pub(crate) fn scopes(&self) -> &Arc<Scopes> {
        &self.scopes
    }

    /// Replaces what is known about scopes; ids follow.
    pub(crate) fn set_scopes(&mut self, scopes: Arc<Scopes>) {
        for resource in &mut self.resources {
            resource.rescope(&scopes);
        }
        self.scopes = scopes;
    }

    /// Takes knowledge of scopes that says the same.
    pub(crate) fn share_scopes(&mut self, scopes: &Arc<Scopes>) {
        self.scopes = Arc::clone(scopes);
    }

    pub(crate) fn get(&self, index: usize) -> &Resource {
        &self.resources[index]
    }

    /// Changes an object; its id is computed anew afterwards.
    pub(crate) fn update<T>(&mut self, index: usize, change: impl FnOnce(&mut Resource) -> T) -> T {
        let resource = &mut self.resources[index];
        let (name, previous) = (resource.id().name.clone(), resource.previous().len());
        let out = change(resource);
        resource.refresh(&self.scopes);
        if resource.id().name != name || resource.previous().len() != previous {
            self.index(index);
        }
        out
    }

    /// Changes an object in ways that leave name, namespace, kind and version as they are.
    pub(crate) fn update_content<T>(
        &mut self,
        index: usize,
        change: impl FnOnce(&mut Resource) -> T,
    ) -> T {
        change(&mut self.resources[index])
    }

    fn index(&mut self, index: usize) {
        let resource = &self.resources[index];
        let previous = resource.previous().iter().map(|p| &p.name);
        for name in previous.chain([&resource.id().name]) {
            let at = index as u32;
            match self.by_name.get_mut(name) {
                Some(known) => known.add(at),
                None => {
                    self.by_name.insert(name.clone(), Indexes::One(at));
                }
            }
        }
    }

    fn reindex(&mut self) {
        self.by_name.clear();
        for index in 0..self.resources.len() {
            self.index(index);
        }
    }

    /// Returns the objects that have, or had, this name: indexes in load order, perhaps with some that no longer do.
    pub(crate) fn named(&self, name: &str) -> Vec<usize> {
        let mut found: Vec<usize> = self
            .by_name
            .get(name)
            .into_iter()
            .flat_map(Indexes::as_slice)
            .map(|&i| i as usize)
            .collect();
        found.sort_unstable();
        found
    }

    /// Returns the object whose present id matches.
    pub(crate) fn by_current_id(&self, id: &ResourceId) -> Option<usize> {
        let candidates = self.by_name.get(&id.name)?.as_slice();
        let fits = candidates.iter().filter(|&&i| self.resources[i as usize].id().matches(id));
        fits.min().map(|&i| i as usize)
    }

    /// Returns whether no two objects have the same present id.
    pub(crate) fn has_distinct_ids(&self) -> bool {
        let first = |resource: &Resource| self.by_current_id(resource.id());
        self.iter().enumerate().all(|(index, resource)| first(resource) == Some(index))
    }

    /// Returns how many objects have this present id.
    pub(crate) fn count_current_id(&self, id: &ResourceId) -> usize {
        let candidates = self.by_name.get(&id.name);
        candidates
            .into_iter()
            .flat_map(Indexes::as_slice)
            .filter(|&&i| self.resources[i as usize].id().matches(id))
            .count()
    }

    /// Returns the objects whose present or any earlier id matches, deleted ones left out.
    pub(crate) fn by_any_id(&self, id: &ResourceId) -> Vec<usize> {
        let fits = |&i: &usize| {
            let resource = &self.resources[i];
            !resource.is_deleted() && resource.any_id(|own| own.matches(id))
        };
        self.named(&id.name).into_iter().filter(fits).collect()
    }

    /// Adds an object, unless there is one with its id.
    pub(crate) fn append(&mut self, resource: Resource) -> Result<usize, IdClash> {
        match self.by_current_id(resource.id()) {
            Some(existing) => Err(IdClash { existing, added: Box::new(resource) }),
            None => Ok(self.push(resource)),
        }
    }

    fn push(&mut self, resource: Resource) -> usize {
        self.resources.push(resource);
        let index = self.resources.len() - 1;
        self.index(index);
        index
    }

    /// Puts an object in the place of another.
    pub(crate) fn replace(&mut self, index: usize, resource: Resource) {
        self.resources[index] = resource;
        self.index(index);
    }

    /// Takes the objects out of the set.
    pub(crate) fn into_resources(self) -> Vec<Resource> {
        self.resources
    }

    /// Takes deleted objects out.
    pub(crate) fn drop_deleted(&mut self) {
        if self.resources.iter().any(Resource::is_deleted) {
            self.retain(|r| !r.is_deleted());
        }
    }

    /// Keeps the objects that satisfy a condition.
    pub(crate) fn retain(&mut self, mut wanted: impl FnMut(&Resource) -> bool) {
        let before = self.resources.len();
        self.removed.extend(self.resources.extract_if(.., |resource| !wanted(resource)));
        if self.resources.len() != before {
            self.reindex();
        }
    }

    /// Puts the objects into another order, given as a permutation of indexes.
    pub(crate) fn reorder(&mut self, order: &[usize]) {
        let mut taken: Vec<Option<Resource>> = self.resources.drain(..).map(Some).collect();
        self.resources.extend(order.iter().filter_map(|&i| taken[i].take()));
        let mut places = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            places[old] = new as u32;
        }
        self.by_name.values_mut().for_each(|indexes| indexes.renumber(&places));
    }
}

impl<'a> IntoIterator for &'a ResourceSet {
    type Item = &'a Resource;
    type IntoIter = std::slice::Iter<'a, Resource>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::OriginId;
    use crate::yaml::{Dialect, parse_document};

    fn resource(text: &str) -> Resource {
        Resource::new(parse_document(text, 1, Dialect::V3).unwrap().unwrap(), &Scopes::default())
    }

    fn config_map(name: &str, namespace: &str) -> Resource {
        let namespace =
            if namespace.is_empty() { String::new() } else { format!(", namespace: {namespace}") };
        resource(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{namespace}}}\n"
        ))
    }

    #[test]
    fn an_empty_namespace_is_the_default_one() {
        let mut set = ResourceSet::default();
        set.append(config_map("a", "")).unwrap();
        set.append(config_map("a", "other")).unwrap();
        assert_eq!(set.append(config_map("a", "default")).unwrap_err().existing, 0);
    }

    #[test]
    fn earlier_names_lead_to_an_object() {
        let mut set = ResourceSet::default();
        set.append(config_map("a", "")).unwrap();
        let old = set.get(0).id().clone();
        set.update(0, |r| {
            r.store_previous_id();
            r.set_name("b", OriginId::NONE);
        });
        assert_eq!(set.by_any_id(&old), [0]);
        assert_eq!(set.by_current_id(&old), None);
        assert_eq!(set.get(0).original_id().name, "a");
        set.retain(|_| false);
        assert!(set.by_any_id(&old).is_empty());
        assert_eq!(set.removed().len(), 1);
    }
}
