//! Objects that are checked one by one, as they come.
//!
//! Of most objects nothing is kept but what they are called, where they stand, what others may look up in them, and what they
//! would look up themselves. Custom resources are kept until all definitions are known. In the end, only objects whose
//! questions are not answered are looked at again: from the tree, if it was kept, or else from their file.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::HashMap;

use super::references::{self, Inventory, Question};
use super::{Finding, Findings, ObjectId, Rules, check_alone, duplicates, kind_name, manifests};
use crate::diagnostic::{Code, Diagnostic};
use crate::project::External;
use crate::provenance::OriginId;
use crate::resource::Gvk;
use crate::schema::Known;
use crate::session::{Context, in_parallel};
use crate::source::FileId;
use crate::yaml::Node;

/// So many objects are looked at by one thread at once.
const BATCH: usize = 64;

/// One thread reads so many objects of a file again at once.
const GROUP: usize = 1024;

/// Objects that were taken in.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    objects: Vec<Seen>,
    found: Findings,
    inventory: Inventory,
    /// With the numbers of the objects; ascending.
    questions: Vec<(u32, Question)>,
    /// The trees that are kept; ascending.
    kept: Vec<(u32, Kept)>,
    /// The types of objects.
    types: Vec<Arc<Gvk>>,
}

/// An object that was taken in.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) id: ObjectId,
    /// Where it begins.
    pub(crate) at: OriginId,
}

/// The tree of an object.
#[derive(Debug)]
struct Kept {
    node: Node,
    is_checked: bool,
}

impl Intake {
    /// Takes in an object of a file. If its type is part of Kubernetes, it is checked, and need not be kept.
    pub(crate) fn add_written(&mut self, cx: &Context<'_>, rules: &Rules, node: Node) {
        let id = ObjectId::written(&node, self.type_of(&node));
        let at = node.origin();
        let index = self.look_up(&node);
        let known = rules.types.kind(&id.gvk.api_version(), &id.gvk.kind);
        let is_checked = matches!(known, Known::Served(_));
        if is_checked {
            self.found.add(index as usize, check_alone(cx, rules, &node));
        }
        // A definition is needed to check others.
        if !is_checked || is_definition(&id) {
            self.kept.push((index, Kept { node, is_checked }));
        }
        self.objects.push(Seen { id, at });
    }

    /// Takes in an object that is kept.
    pub(crate) fn add(&mut self, id: ObjectId, node: Node) {
        let at = node.origin();
        let index = self.look_up(&node);
        self.kept.push((index, Kept { node, is_checked: false }));
        self.objects.push(Seen { id, at });
    }

    /// Notes what others may look up in the next object, and what it looks up itself; returns its number.
    fn look_up(&mut self, node: &Node) -> u32 {
        let index = self.objects.len() as u32;
        self.inventory.add(node);
        self.questions.extend(references::questions(node).map(|question| (index, question)));
        index
    }

    /// Forgets questions that have answers here which nothing that comes later can take away.
    pub(crate) fn settle(&mut self) {
        let inventory = &self.inventory;
        self.questions.retain(|(_, question)| !question.is_settled(inventory));
    }

    /// Adds what was taken in elsewhere, behind all that is here.
    pub(crate) fn append(&mut self, other: Self) {
        let first = self.objects.len() as u32;
        self.objects.extend(other.objects);
        self.found.append(first as usize, other.found);
        self.inventory.append(other.inventory);
        self.questions.extend(other.questions.into_iter().map(|(at, one)| (first + at, one)));
        self.kept.extend(other.kept.into_iter().map(|(at, one)| (first + at, one)));
    }

    /// Returns the definitions of custom resources.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = &Node> {
        let objects = self.kept.iter();
        objects
            .filter(|(index, _)| is_definition(&self.objects[*index as usize].id))
            .map(|(_, kept)| &kept.node)
    }

    /// Returns the objects alone.
    pub(crate) fn into_objects(self) -> Vec<Seen> {
        self.objects
    }

    /// Returns whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Makes it known what else is there.
    pub(crate) fn look_at(&mut self, outside: &Node) {
        self.inventory.add(outside);
    }

    /// Checks what could not be checked before, with up to `jobs` threads; the result does not depend on how many.
    /// `external`: what exists besides. `context`: what every thread works with.
    pub(crate) fn finish<'c>(
        &mut self,
        rules: &Rules,
        external: Vec<External>,
        jobs: usize,
        context: impl Fn() -> Context<'c> + Sync,
    ) -> Findings {
        let cx = context();
        let mut found = std::mem::take(&mut self.found);
        let unchecked: Vec<(usize, &Node)> = (self.kept.iter())
            .filter(|(_, kept)| !kept.is_checked)
            .map(|(index, kept)| (*index as usize, &kept.node))
            .collect();
        let batches: Vec<_> = unchecked.chunks(BATCH).collect();
        let checked = in_parallel(batches.len(), jobs, |batch| {
            let cx = context();
            let alone = |(index, node): &(usize, &Node)| (*index, check_alone(&cx, rules, node));
            batches[batch].iter().map(alone).collect::<Vec<_>>()
        });
        for (index, alone) in checked.into_iter().flatten() {
            found.add(index, alone);
        }
        let object = |index: usize| (self.objects[index].id.identity(), self.objects[index].at);
        found.findings.extend(duplicates(&cx, self.objects.len(), object));
        found.findings.extend(self.unknown_kinds(&cx, rules, &found.unknown_kinds));
        self.inventory.finish(external);
        found.findings.extend(self.check_references(jobs, context));
        found.findings.sort_by_key(|finding| finding.object);
        found
    }

    /// Checks the references of the objects whose questions are not answered.
    fn check_references<'c>(
        &self,
        jobs: usize,
        context: impl Fn() -> Context<'c> + Sync,
    ) -> Vec<Finding> {
        let inventory = &self.inventory;
        let batches: Vec<_> = self.questions.chunks(BATCH).collect();
        let unanswered = in_parallel(batches.len(), jobs, |batch| {
            let open = |(_, question): &&(u32, Question)| !question.is_answered(inventory);
            batches[batch].iter().filter(open).map(|(index, _)| *index).collect::<Vec<_>>()
        });
        let mut unanswered: Vec<u32> = unanswered.into_iter().flatten().collect();
        unanswered.dedup();
        // Objects of one file follow each other.
        let mut groups: Vec<Group> = Vec::new();
        let cx = context();
        for index in unanswered {
            let file = match self.node(index) {
                Some(_) => None,
                None => cx.file_of(self.objects[index as usize].at),
            };
            let has_room = |group: &&mut Group| {
                group.file == file && file.is_some() && group.objects.len() < GROUP
            };
            match groups.last_mut().filter(has_room) {
                Some(group) => group.objects.push(index),
                None => groups.push(Group { file, objects: vec![index] }),
            }
        }
        let found = in_parallel(groups.len(), jobs, |group| {
            let cx = context();
            let Group { file, objects } = &groups[group];
            match file {
                Some(file) => self.check_again(&cx, *file, objects),
                None => {
                    let node = |index: &u32| Some((*index as usize, self.node(*index)?));
                    references::check(&cx, inventory, objects.iter().filter_map(node))
                }
            }
        });
        found.into_iter().flatten().collect()
    }

    /// Returns the tree of an object, if it was kept.
    fn node(&self, index: u32) -> Option<&Node> {
        let at = self.kept.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        Some(&self.kept[at].1.node)
    }

    /// Reads objects of a file again, and checks their references.
    fn check_again(&self, cx: &Context<'_>, file: FileId, objects: &[u32]) -> Vec<Finding> {
        let mut found = Vec::new();
        let Some(file) = cx.sources().file(file) else { return found };
        let at = |index: &u32| self.objects[*index as usize].at;
        let wanted: Vec<OriginId> = objects.iter().map(at).collect();
        let numbers: HashMap<OriginId, u32> =
            wanted.iter().copied().zip(objects.iter().copied()).collect();
        let number = |node: &Node| numbers.get(&node.origin()).map(|number| *number as usize);
        // It was read before: what is not there any more needs no check.
        let _ = manifests::read_again(cx, &file, &wanted, |nodes| {
            let objects = nodes.iter().filter_map(|node| Some((number(node)?, node)));
            found.extend(references::check(cx, &self.inventory, objects));
        });
        found
    }

    /// Says once for each kind that no schema is known.
    fn unknown_kinds(
        &self,
        cx: &Context<'_>,
        rules: &Rules,
        counts: &BTreeMap<String, usize>,
    ) -> Vec<Finding> {
        let mut kinds: Vec<&Gvk> = Vec::new();
        let mut findings = Vec::new();
        if counts.is_empty() {
            return findings;
        }
        for (index, seen) in self.objects.iter().enumerate() {
            let gvk = seen.id.gvk.as_ref();
            if kinds.contains(&gvk) {
                continue;
            }
            let name = kind_name(gvk);
            let Some(count) = counts.get(&name) else { continue };
            let are =
                if *count == 1 { "1 object is".to_owned() } else { format!("{count} objects are") };
            let message = format!("no schema is known for {name}: {are} not checked");
            let known = rules.crds.versions_of(&gvk.group, &gvk.kind).join("`, `");
            let own = "name its CustomResourceDefinition under `kubernetes.crds` or with `--crds`";
            let help = match rules.crds.release_of(&gvk.group, &gvk.kind) {
                Some(release) => format!("{release} has the versions `{known}`; {own}"),
                None if known.is_empty() => own.to_owned(),
                None => format!("its definition has the versions `{known}`"),
            };
            let diagnostic = Diagnostic::warning(Code::SchemaUnknownKind, message)
                .at(cx.span(seen.at), "the first one")
                .help(help);
            findings.push(Finding { object: index, path: String::new(), diagnostic });
            kinds.push(gvk);
        }
        findings
    }

    /// Returns a type that is shared between objects.
    fn type_of(&mut self, node: &Node) -> Arc<Gvk> {
        if let Some(known) = self.types.iter().find(|gvk| gvk.is_of(node)) {
            return Arc::clone(known);
        }
        let gvk = Arc::new(Gvk::of(node));
        self.types.push(Arc::clone(&gvk));
        gvk
    }
}

/// Objects that are looked at together.
struct Group {
    /// Where they are read from; none if they are kept.
    file: Option<FileId>,
    objects: Vec<u32>,
}

fn is_definition(id: &ObjectId) -> bool {
    id.gvk.kind == "CustomResourceDefinition"
}
