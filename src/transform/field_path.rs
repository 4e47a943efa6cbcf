//! Field specifications applied to objects.
//!
//! A path names fields, never list elements: a list on the way stands for all of its elements. This is kustomize's
//! `fieldspec` filter (`api/filters/fieldspec/fieldspec.go`), with its way of creating what is missing.

use std::cell::OnceCell;

use foldhash::HashMap;

use crate::project::{FieldPath, FieldSpec, FieldSpecs, PartFault, PathPart};
use crate::provenance::OriginId;
use crate::resource::Gvk;
use crate::yaml::{Node, NodeKind, Tag};

/// What stands at the end of a path, for the case that it has to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// Nothing is created.
    Found,
    /// A scalar with a tag.
    Scalar(Tag),
    /// A map.
    Map,
}

/// Why a path could not be followed, or the value at its end not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathFault {
    /// A scalar stands where the path goes on.
    Crosses(OriginId),
    /// The value has another kind than the one needed.
    Kind { at: OriginId, found: NodeKind, needed: NodeKind },
    /// A part of the path is empty.
    EmptyPart,
    /// A part of the path is a list index, which a path of fields cannot hold.
    Index,
}

impl From<PartFault> for PathFault {
    fn from(fault: PartFault) -> Self {
        match fault {
            PartFault::Empty => Self::EmptyPart,
            PartFault::Index => Self::Index,
        }
    }
}

/// Calls `set` for every value that a path leads to. `origin`: that of what is created.
pub(crate) fn visit(
    node: &mut Node,
    path: &FieldPath,
    may_create: bool,
    leaf: Leaf,
    origin: OriginId,
    set: &mut dyn FnMut(&mut Node) -> Result<(), PathFault>,
) -> Result<(), PathFault> {
    let create = may_create && leaf != Leaf::Found;
    // Most paths lead nowhere in most objects: look before anything is copied.
    if !create && !leads_somewhere(node, path.parts()) {
        return Ok(());
    }
    Visit { create, leaf, origin }.walk(node, path.parts(), set)
}

fn leads_somewhere(node: &Node, path: &[PathPart]) -> bool {
    let Some((part, rest)) = path.split_first() else { return true };
    if node.is_null() {
        return false;
    }
    if part.fault.is_some() {
        return true;
    }
    match node.kind() {
        NodeKind::Scalar => true,
        // A null becomes a list where the path says so.
        NodeKind::Map => node
            .get(part.key)
            .is_some_and(|value| part.is_list && value.is_null() || leads_somewhere(value, rest)),
        NodeKind::Sequence => node
            .elements()
            .is_some_and(|elements| elements.iter().any(|e| leads_somewhere(e, path))),
    }
}

/// Paths as one tree, so that one walk over an object tells which of them lead somewhere in it.
pub(crate) struct PathTree(Vec<PathStep>);

/// A part that several paths have in common.
#[derive(Default)]
struct PathStep {
    part: Option<PathPart>,
    /// The steps that go on from here.
    next: Vec<usize>,
    /// The paths that end here.
    ends: Vec<usize>,
    /// The paths that go on from here.
    below: Vec<usize>,
}

impl PathTree {
    /// Returns the tree of paths that are known by their numbers.
    pub(crate) fn new<'p>(paths: impl IntoIterator<Item = &'p FieldPath>) -> Self {
        let mut steps = vec![PathStep::default()];
        for (number, path) in paths.into_iter().enumerate() {
            let mut at = 0;
            for part in path.parts() {
                steps[at].below.push(number);
                let same =
                    |step: &usize| steps[*step].part.as_ref().is_some_and(|p| p.is_same(part));
                let known = steps[at].next.iter().copied().find(same);
                at = known.unwrap_or_else(|| {
                    steps.push(PathStep { part: Some(*part), ..PathStep::default() });
                    let new = steps.len() - 1;
                    steps[at].next.push(new);
                    new
                });
            }
            steps[at].ends.push(number);
        }
        Self(steps)
    }

    /// Calls `found` for each path for which [`visit`], if it creates nothing, would do more than look: those that lead to
    /// a value that matters, and those that cannot be followed. Some come more than once.
    pub(crate) fn find(
        &self,
        root: &Node,
        matters: &impl Fn(&Node) -> bool,
        found: &mut impl FnMut(usize),
    ) {
        self.step(0, root, matters, found);
    }

    fn step(
        &self,
        at: usize,
        node: &Node,
        matters: &impl Fn(&Node) -> bool,
        found: &mut impl FnMut(usize),
    ) {
        if !self.0[at].ends.is_empty() && matters(node) {
            self.0[at].ends.iter().for_each(|&number| found(number));
        }
        self.go_on(at, node, matters, found);
    }

    fn go_on(
        &self,
        at: usize,
        node: &Node,
        matters: &impl Fn(&Node) -> bool,
        found: &mut impl FnMut(usize),
    ) {
        let step = &self.0[at];
        if step.next.is_empty() || node.is_null() {
            return;
        }
        if node.is_scalar() {
            return step.below.iter().for_each(|&number| found(number));
        }
        for &next in &step.next {
            let behind = &self.0[next];
            let Some(part) = &behind.part else { continue };
            let value = node.get(part.key);
            let becomes_list = part.is_list && value.is_some_and(Node::is_null);
            if part.fault.is_some() || becomes_list {
                behind.ends.iter().chain(&behind.below).for_each(|&number| found(number));
            } else if let Some(value) = value {
                self.step(next, value, matters, found);
            }
        }
        for element in node.elements().into_iter().flatten() {
            self.go_on(at, element, matters, found);
        }
    }
}

struct Visit {
    create: bool,
    leaf: Leaf,
    origin: OriginId,
}

impl Visit {
    fn walk(
        &self,
        node: &mut Node,
        path: &[PathPart],
        set: &mut dyn FnMut(&mut Node) -> Result<(), PathFault>,
    ) -> Result<(), PathFault> {
        let Some((part, rest)) = path.split_first() else { return set(node) };
        if node.is_null() {
            return Ok(());
        }
        if let Some(elements) = node.elements() {
            let count = elements.len();
            for index in 0..count {
                let wanted = self.create
                    || node.elements().is_some_and(|e| leads_somewhere(&e[index], path));
                if wanted && let Some(elements) = node.elements_mut() {
                    self.walk(&mut elements[index], path, set)?;
                }
            }
            return Ok(());
        }
        if node.is_scalar() {
            return Err(PathFault::Crosses(node.origin()));
        }
        self.walk_map(node, part, rest, set)
    }

    fn walk_map(
        &self,
        node: &mut Node,
        part: &PathPart,
        rest: &[PathPart],
        set: &mut dyn FnMut(&mut Node) -> Result<(), PathFault>,
    ) -> Result<(), PathFault> {
        if let Some(fault) = part.fault {
            return Err(fault.into());
        }
        let create = self.create && !part.is_list;
        if node.get(part.key).is_none() {
            if !create {
                return Ok(());
            }
            let value =
                if rest.is_empty() { self.new_leaf() } else { Node::map(Vec::new(), self.origin) };
            node.push_entry(part.created, self.origin, value);
        }
        let Some(field) = node.get_mut(part.key) else { return Ok(()) };
        if field.is_null() {
            // A null takes the type that the path needs.
            if part.is_list && !create {
                *field = Node::sequence(Vec::new(), field.origin());
            } else if create && (!rest.is_empty() || self.leaf == Leaf::Map) {
                *field = Node::map(Vec::new(), field.origin());
            } else if create && let Leaf::Scalar(tag) = self.leaf {
                field.set_tag(tag);
            }
        }
        self.walk(field, rest, set)
    }

    fn new_leaf(&self) -> Node {
        match self.leaf {
            Leaf::Map => Node::map(Vec::new(), self.origin),
            // It is written over at once, and was no value before.
            Leaf::Scalar(_) | Leaf::Found => Node::untyped("", OriginId::NONE),
        }
    }
}

/// The specifications of a list that concern a type, found once per type.
pub(crate) struct SpecsByType<'s> {
    specs: &'s [FieldSpec],
    by_type: HashMap<Gvk, SpecsOfType<'s>>,
}

/// The specifications that select one type, in order.
#[derive(Default)]
struct SpecsOfType<'s> {
    specs: Vec<&'s FieldSpec>,
    paths: OnceCell<PathTree>,
}

impl<'s> SpecsByType<'s> {
    pub(crate) fn new(specs: &'s FieldSpecs) -> Self {
        Self { specs: &specs.0, by_type: HashMap::default() }
    }

    fn of_type(&mut self, gvk: &Gvk) -> &SpecsOfType<'s> {
        if !self.by_type.contains_key(gvk) {
            let fits = |spec: &&FieldSpec| gvk.is_selected_by(&spec.gvk);
            let specs = self.specs.iter().filter(fits).collect();
            self.by_type.insert(gvk.clone(), SpecsOfType { specs, paths: OnceCell::new() });
        }
        &self.by_type[gvk]
    }

    /// Returns the specifications that select a type, in order.
    pub(crate) fn of(&mut self, gvk: &Gvk) -> impl Iterator<Item = &'s FieldSpec> + use<'s, '_> {
        self.of_type(gvk).specs.iter().copied()
    }

    /// Returns those that lead, in an object, to a value that matters or cannot be followed, in order.
    pub(crate) fn found(
        &mut self,
        gvk: &Gvk,
        root: &Node,
        matters: &impl Fn(&Node) -> bool,
    ) -> Vec<&'s FieldSpec> {
        let SpecsOfType { specs, paths } = self.of_type(gvk);
        let paths = paths.get_or_init(|| PathTree::new(specs.iter().map(|spec| &spec.path)));
        let mut numbers = Vec::new();
        paths.find(root, matters, &mut |number| numbers.push(number));
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().map(|number| specs[number]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Dialect, parse_document};

    fn visited(text: &str, path: &str, leaf: Leaf) -> Result<Vec<String>, PathFault> {
        let mut node = parse_document(text, 1, Dialect::V3).unwrap().unwrap();
        let mut found = Vec::new();
        visit(&mut node, &FieldPath::new(path), true, leaf, OriginId::NONE, &mut |n| {
            found.push(format!("{n:?}"));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn lists_stand_for_their_elements() {
        let text = "a: [{b: x}, {c: y}, {b: z}]\n";
        assert_eq!(visited(text, "a/b", Leaf::Found).unwrap(), ["\"x\":Str", "\"z\":Str"]);
        assert_eq!(visited(text, "a[]/b", Leaf::Found).unwrap().len(), 2);
        assert_eq!(visited(text, "a/b", Leaf::Map).unwrap().len(), 3);
        assert_eq!(visited(text, "a[]/b", Leaf::Map).unwrap().len(), 3);
    }

    #[test]
    fn what_is_missing_is_created() {
        assert_eq!(visited("a: {}\n", "a/b/c", Leaf::Map).unwrap(), ["{}"]);
        assert_eq!(visited("a: {}\n", "a/b[]/c", Leaf::Map).unwrap().len(), 0);
        assert_eq!(visited("a:\n", "a/b", Leaf::Scalar(Tag::Str)).unwrap(), ["\"\":Empty"]);
        assert_eq!(visited("a:\n", "a", Leaf::Scalar(Tag::Int)).unwrap(), ["\"\":Int"]);
        assert_eq!(visited("a:\n", "a/b", Leaf::Found).unwrap().len(), 0);
    }

    #[test]
    fn a_tree_of_paths_finds_what_each_path_leads_to() {
        let paths = ["a/b", "a/c", "a[]/b", "a", "a/b/c", "x//y", "x/0", "l[]", "l/m", "q/r"]
            .map(FieldPath::new);
        let tree = PathTree::new(&paths);
        let texts = [
            "a: {b: 1}\n",
            "a: [{b: 1}, {c: {}}, ~, []]\n",
            "a: x\n",
            "a:\n",
            "x: {y: z}\n",
            "x: 1\n",
            "l:\n",
            "l: []\n",
            "l: [{m: n}]\n",
            "a: {b: {c: d}}\n",
            "a: [[{b: 1}]]\n",
            "{}\n",
            "x: []\n",
            "x: [~]\n",
        ];
        for text in texts {
            let node = parse_document(text, 1, Dialect::V3).unwrap().unwrap();
            let mut found = [false; 10];
            tree.find(&node, &|_| true, &mut |number| found[number] = true);
            for (path, found) in paths.iter().zip(found) {
                assert_eq!(
                    leads_somewhere(&node, path.parts()),
                    found,
                    "{} in {text}",
                    path.as_str()
                );
            }
        }
    }

    #[test]
    fn a_path_does_not_cross_a_scalar() {
        assert!(matches!(visited("a: x\n", "a/b", Leaf::Found), Err(PathFault::Crosses(_))));
        assert!(matches!(visited("a: x\n", "a//b", Leaf::Found), Err(PathFault::Crosses(_))));
        assert_eq!(visited("a: {x: y}\n", "a//b", Leaf::Found), Err(PathFault::EmptyPart));
        assert_eq!(visited("a: {x: y}\n", "a/0", Leaf::Found), Err(PathFault::Index));
    }
}
