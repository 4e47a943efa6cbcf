//! References to objects whose names changed.
//!
//! Once all names are final, every field that a name reference specification points at is looked up among the *earlier*
//! names of objects, and takes the present name of the one it means. Which one that is, when several had the name, is
//! decided by the sieves of `api/filters/nameref/nameref.go`, in their order: earlier type, role reference, namespace,
//! then the prefixes and suffixes that both went through.

use std::cell::RefCell;
use std::rc::Rc;

use foldhash::HashMap;

use ecow::EcoString;

use super::field_path::{Leaf, PathFault, PathTree, visit};
use super::set_value::path_fault;
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::project::{FieldPath, NameReference, TransformerConfig};
use crate::provenance::{OriginId, Recorder, StepKind};
use crate::resource::{
    AliasWrites, DEFAULT_NAMESPACE, Gvk, NOT_NAMESPACED, PreviousId, Resource, ResourceSet,
    set_field, set_scalar,
};
use crate::session::Context;
use crate::yaml::{Node, NodeKind, Scalar, direct, known};

/// Why a reference could not be fixed.
#[derive(Debug)]
enum ReferenceFault {
    Path(PathFault),
    /// A map that refers to an object has no `name`.
    NoName(OriginId),
    /// A list that refers to objects holds a list.
    Nested(OriginId),
    /// Several objects are meant.
    Ambiguous {
        at: OriginId,
        name: EcoString,
        candidates: Vec<usize>,
    },
}

/// Fixes the references of all objects.
pub(crate) fn apply(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    config: &TransformerConfig,
) -> Fallible<()> {
    require_names_without_commas(cx, set)?;
    let step = cx.provenance.step(StepKind::NameReference, OriginId::NONE);
    let targets = Targets::new(set);
    let mut own = ReferenceSpecs::new(&config.name_reference);
    let mut specs_of = |gvk: &Gvk| match config.as_defaults() {
        Some(defaults) => DEFAULTS.with_borrow_mut(|known| {
            known.references = &defaults.name_reference;
            known.of(gvk)
        }),
        None => own.of(gvk),
    };
    let mut result = Ok(());
    for index in 0..set.len() {
        let referrer = set.get(index);
        let binding_namespaces = match binding_namespaces(referrer) {
            Ok(namespaces) => namespaces,
            Err(at) => {
                let message = format!(
                    "a subject of `{}` has a namespace that is not a string",
                    referrer.id()
                );
                let d = Diagnostic::error(Code::NameReferenceInvalid, message);
                result = Err(cx.fail(d.at(cx.span(at), "not a string")));
                continue;
            }
        };
        let reference = Referrer {
            namespace: referrer.id().effective_namespace().into(),
            cluster_scoped: referrer.id().cluster_scoped,
            prefixes: targets.prefixes[index].clone(),
            suffixes: targets.suffixes[index].clone(),
            role_ref: role_ref(referrer.node()),
            binding_namespaces,
        };
        let original = referrer.original_gvk();
        let of_type = specs_of(&original);
        let SpecsOfType { specs, paths } = of_type.as_ref();
        // What names no object, or only objects that kept their name, stays as it is; a fault may be anywhere but in a
        // scalar.
        let may_refer = |node: &Node| {
            !node.is_scalar() || targets.had_name(node.text()).any(|t| t.name != node.text())
        };
        let mut wanted = vec![false; specs.len()];
        paths.find(referrer.node(), &may_refer, &mut |number| wanted[number] = true);
        if !wanted.contains(&true) {
            continue;
        }
        let mut recorder = Recorder::new(&mut cx.provenance, step);
        let fault = set.update_content(index, |resource| {
            let root = resource.node_mut();
            // A value that was written may be one that the next path leads to.
            let mut has_written = false;
            for ((path, target), wanted) in specs.iter().zip(wanted) {
                if !wanted && !has_written {
                    continue;
                }
                let mut writes = AliasWrites::default();
                let mut fault = None;
                let visited = visit(root, path, false, Leaf::Found, OriginId::NONE, &mut |node| {
                    has_written = true;
                    let fix = Fix {
                        targets: &targets,
                        referrer: &reference,
                        target,
                        path,
                        recorder: &mut recorder,
                    };
                    fix.value(node, &mut writes).or_else(|found| {
                        // The first fault counts; the walk goes on.
                        fault.get_or_insert(found);
                        Ok(())
                    })
                });
                writes.apply(root);
                if let Some(fault) = fault.or(visited.err().map(ReferenceFault::Path)) {
                    return Some((fault, FieldPath::clone(path)));
                }
            }
            None
        });
        if let Some((fault, path)) = fault {
            result = Err(report(cx, set, index, fault, &path));
        }
    }
    result
}

/// kustomize keeps the earlier names, namespaces and kinds of an object in three lists with commas, and ends where they are
/// not equally long.
fn require_names_without_commas(cx: &mut Context<'_>, set: &ResourceSet) -> Fallible<()> {
    let mut result = Ok(());
    for resource in set {
        let commas = |field: fn(&PreviousId) -> &EcoString| {
            resource.previous().iter().map(|id| field(id).matches(',').count()).sum::<usize>()
        };
        let names = commas(|id| &id.name);
        if names != commas(|id| &id.namespace) || names != commas(|id| &id.kind) {
            let message =
                format!("`{}` had a name, namespace or kind with a comma before", resource.id());
            let d = Diagnostic::error(Code::NameReferenceInvalid, message)
                .at(cx.span(resource.node().origin()), "this object");
            result = Err(cx.fail(d.help("take the comma out of the name, the kind or the prefix")));
        }
    }
    result
}

fn report(
    cx: &mut Context<'_>,
    set: &ResourceSet,
    index: usize,
    fault: ReferenceFault,
    path: &FieldPath,
) -> Reported {
    let id = set.get(index).id().clone();
    let diagnostic = match fault {
        ReferenceFault::Path(fault) => {
            return path_fault(cx, fault, path.as_str(), &id, OriginId::NONE);
        }
        ReferenceFault::NoName(at) => {
            let message =
                format!("`{}` of `{id}` refers to an object but has no `name`", path.as_str());
            Diagnostic::error(Code::NameReferenceInvalid, message).at(cx.span(at), "no `name`")
        }
        ReferenceFault::Nested(at) => {
            let message =
                format!("`{}` of `{id}` holds a list where a name is needed", path.as_str());
            Diagnostic::error(Code::NameReferenceInvalid, message).at(cx.span(at), "a list")
        }
        ReferenceFault::Ambiguous { at, name, candidates } => {
            let message =
                format!("`{name}` in `{}` of `{id}` may mean several objects", path.as_str());
            let mut d = Diagnostic::error(Code::NameReferenceAmbiguous, message)
                .at(cx.span(at), "this reference");
            for candidate in candidates {
                let resource = set.get(candidate);
                d = d.at(cx.span(resource.node().origin()), format!("`{}`", resource.id()));
            }
            d.help("give the objects different names, or set their namespaces")
        }
    };
    cx.fail(diagnostic)
}

/// The specifications that concern a type, with the type they refer to, in the order in which they apply.
struct SpecsOfType<'c> {
    specs: Vec<(&'c FieldPath, &'c Gvk)>,
    paths: PathTree,
}

/// The specifications that concern each type that was met.
struct ReferenceSpecs<'c> {
    references: &'c [NameReference],
    by_type: HashMap<Gvk, Rc<SpecsOfType<'c>>>,
}

thread_local! {
    /// Those of kustomize's defaults, which nearly every build has.
    static DEFAULTS: RefCell<ReferenceSpecs<'static>> = RefCell::new(ReferenceSpecs::new(&[]));
}

impl<'c> ReferenceSpecs<'c> {
    fn new(references: &'c [NameReference]) -> Self {
        Self { references, by_type: HashMap::default() }
    }

    fn of(&mut self, gvk: &Gvk) -> Rc<SpecsOfType<'c>> {
        if let Some(known) = self.by_type.get(gvk) {
            return Rc::clone(known);
        }
        let mut specs = Vec::new();
        for reference in self.references {
            let fits = reference.referrers.0.iter().filter(|spec| gvk.is_selected_by(&spec.gvk));
            specs.extend(fits.map(|spec| (&spec.path, &reference.gvk)));
        }
        let paths = PathTree::new(specs.iter().map(|(path, _)| *path));
        let found = Rc::new(SpecsOfType { specs, paths });
        self.by_type.insert(gvk.clone(), Rc::clone(&found));
        found
    }
}

/// The namespaces of the service accounts that a RoleBinding names. The fault: where one is not a string.
fn binding_namespaces(referrer: &Resource) -> Result<Vec<EcoString>, OriginId> {
    let mut namespaces = Vec::new();
    if referrer.id().cluster_scoped || referrer.id().gvk.kind != "RoleBinding" {
        return Ok(namespaces);
    }
    let subjects = referrer.node().get(known::SUBJECTS).and_then(Node::elements);
    for subject in subjects.unwrap_or_default() {
        let kind = subject.get(known::KIND).map_or("", Node::text);
        let Some(namespace) = subject.get(known::NAMESPACE).filter(|_| kind == "ServiceAccount")
        else {
            continue;
        };
        match direct(namespace) {
            Ok(Scalar::Str(text)) if namespace.is_scalar() => namespaces.push(text.as_ref().into()),
            _ => return Err(namespace.origin()),
        }
    }
    Ok(namespaces)
}

/// The type that a `roleRef` names, if it is complete.
fn role_ref(node: &Node) -> Option<Gvk> {
    let role_ref = node.get(known::ROLE_REF)?;
    let group = role_ref.get(known::API_GROUP)?;
    let kind = role_ref.get(known::KIND)?;
    Some(Gvk { group: group.shared_text(), version: EcoString::new(), kind: kind.shared_text() })
}

/// What is known about the object that refers.
struct Referrer {
    namespace: EcoString,
    cluster_scoped: bool,
    prefixes: Vec<EcoString>,
    suffixes: Vec<EcoString>,
    role_ref: Option<Gvk>,
    binding_namespaces: Vec<EcoString>,
}

/// What is known about an object that may be referred to.
struct Target {
    index: usize,
    name: EcoString,
    name_origin: OriginId,
    namespace: EcoString,
    namespace_origin: OriginId,
    effective_namespace: EcoString,
    original_namespace: EcoString,
    cluster_scoped: bool,
    is_service_account: bool,
    gvk: Gvk,
    previous_kinds: Vec<EcoString>,
}

/// All objects, by their earlier names and by their namespaces.
struct Targets {
    all: Vec<Target>,
    by_previous_name: HashMap<EcoString, Vec<u32>>,
    by_original_namespace: HashMap<EcoString, Vec<u32>>,
    prefixes: Vec<Vec<EcoString>>,
    suffixes: Vec<Vec<EcoString>>,
}

impl Targets {
    fn new(set: &ResourceSet) -> Self {
        let mut targets = Self {
            all: Vec::with_capacity(set.len()),
            by_previous_name: HashMap::default(),
            by_original_namespace: HashMap::default(),
            prefixes: Vec::with_capacity(set.len()),
            suffixes: Vec::with_capacity(set.len()),
        };
        for (index, resource) in set.iter().enumerate() {
            let number = index as u32;
            for previous in resource.previous() {
                let known = targets.by_previous_name.entry(previous.name.clone()).or_default();
                if known.last() != Some(&number) {
                    known.push(number);
                }
            }
            let id = resource.id();
            let origin = |key| {
                resource.node().at(&[known::METADATA, key]).map_or(OriginId::NONE, Node::origin)
            };
            let original_namespace: EcoString = match resource.previous().first() {
                _ if id.cluster_scoped => NOT_NAMESPACED.into(),
                Some(previous) if previous.namespace.is_empty() => DEFAULT_NAMESPACE.into(),
                Some(previous) => previous.namespace.clone(),
                None => id.effective_namespace().into(),
            };
            targets
                .by_original_namespace
                .entry(original_namespace.clone())
                .or_default()
                .push(number);
            targets.prefixes.push(resource.prefixes.clone());
            targets.suffixes.push(resource.suffixes.clone());
            targets.all.push(Target {
                index,
                name: id.name.clone(),
                name_origin: origin(known::NAME),
                namespace: id.namespace.clone(),
                namespace_origin: origin(known::NAMESPACE),
                effective_namespace: id.effective_namespace().into(),
                original_namespace,
                cluster_scoped: id.cluster_scoped,
                is_service_account: id.gvk.kind == "ServiceAccount",
                gvk: id.gvk.clone(),
                previous_kinds: resource.previous().iter().map(|p| p.kind.clone()).collect(),
            });
        }
        targets
    }

    fn had_name(&self, name: &str) -> impl Iterator<Item = &Target> {
        self.by_previous_name.get(name).into_iter().flatten().map(|&i| &self.all[i as usize])
    }
}

/// Whether two lists are equal as far as the shorter one goes, counted from the end. An empty list equals only its like.
fn same_end(a: &[EcoString], b: &[EcoString]) -> bool {
    a.is_empty() == b.is_empty() && a.iter().rev().zip(b.iter().rev()).all(|(a, b)| a == b)
}

/// What holds the name of the object that is referred to.
enum Holder<'n> {
    /// A scalar.
    Scalar,
    /// A map, and its namespace if it has one.
    Map(Option<&'n EcoString>),
}

/// One specification on one object.
struct Fix<'a, 'p> {
    targets: &'a Targets,
    referrer: &'a Referrer,
    /// The type that is referred to.
    target: &'a Gvk,
    path: &'a FieldPath,
    recorder: &'a mut Recorder<'p>,
}

impl<'a> Fix<'a, '_> {
    fn value(mut self, node: &mut Node, writes: &mut AliasWrites) -> Result<(), ReferenceFault> {
        if node.is_null() {
            return Ok(());
        }
        match node.kind() {
            NodeKind::Scalar => self.scalar(node, writes),
            NodeKind::Map => self.map(node, writes),
            NodeKind::Sequence => {
                let count = node.len();
                for index in 0..count {
                    let Some(element) = node.elements().map(|e| &e[index]) else { continue };
                    if element.is_null() {
                        continue;
                    }
                    if element.elements().is_some() {
                        return Err(ReferenceFault::Nested(element.origin()));
                    }
                    let Some(element) = node.elements_mut().map(|e| &mut e[index]) else {
                        continue;
                    };
                    match element.kind() {
                        NodeKind::Scalar => self.scalar(element, writes)?,
                        _ => self.map(element, writes)?,
                    }
                }
                Ok(())
            }
        }
    }

    fn scalar(&mut self, node: &mut Node, writes: &mut AliasWrites) -> Result<(), ReferenceFault> {
        let Some(found) = self.select(node.text(), node.origin(), &Holder::Scalar)? else {
            return Ok(());
        };
        if found.name == node.text() {
            return Ok(());
        }
        let origin = self.recorder.extend(found.name_origin, node);
        set_scalar(node, Node::untyped(found.name.clone(), origin), writes);
        Ok(())
    }

    /// A map with a name, and perhaps a namespace, both of which are written.
    fn map(&mut self, node: &mut Node, writes: &mut AliasWrites) -> Result<(), ReferenceFault> {
        let Some(name) = node.get(known::NAME) else {
            return Err(ReferenceFault::NoName(node.origin()));
        };
        let namespace = node.get(known::NAMESPACE).map(Node::shared_text);
        let Some(found) =
            self.select(name.text(), name.origin(), &Holder::Map(namespace.as_ref()))?
        else {
            return Ok(());
        };
        if found.name == name.text() && found.namespace.is_empty() {
            return Ok(());
        }
        let own_origin = name.origin();
        let origin = if found.name == name.text() {
            own_origin
        } else {
            self.recorder.extend(found.name_origin, name)
        };
        set_field(node, known::NAME.text(), Node::untyped(found.name.clone(), origin), writes);
        // No namespace stands for any here, and so does not replace one.
        if !found.namespace.is_empty() {
            let origin = match node.get(known::NAMESPACE) {
                Some(previous) => self.recorder.extend(found.namespace_origin, previous),
                None => self.recorder.create(found.namespace_origin),
            };
            // It was found by its name.
            let origin = self.recorder.extend_origin(own_origin, origin);
            let origin = self.recorder.extend_origin(found.name_origin, origin);
            set_field(
                node,
                known::NAMESPACE.text(),
                Node::untyped(found.namespace.clone(), origin),
                writes,
            );
        }
        Ok(())
    }

    /// Returns whether the referrer can refer to an object at all.
    fn can_refer(&self, target: &Target) -> bool {
        let referrer = self.referrer;
        referrer.cluster_scoped
            || target.cluster_scoped
            || target.effective_namespace == referrer.namespace
            || referrer.binding_namespaces.contains(&target.namespace)
    }

    /// The objects in a namespace: by where they were, if any object was there, else by where they are.
    fn in_namespace(&self, namespace: &EcoString) -> impl Fn(&Target) -> bool {
        let there = self.targets.by_original_namespace.get(namespace);
        let by_original = namespace != NOT_NAMESPACED
            && there.into_iter().flatten().any(|&i| self.can_refer(&self.targets.all[i as usize]));
        let namespace = namespace.clone();
        move |target| {
            if by_original {
                target.original_namespace == namespace
            } else {
                namespace != NOT_NAMESPACED && target.effective_namespace == namespace
            }
        }
    }

    fn select(
        &self,
        name: &str,
        at: OriginId,
        holder: &Holder<'_>,
    ) -> Result<Option<&'a Target>, ReferenceFault> {
        let mut candidates: Vec<&'a Target> =
            self.targets.had_name(name).filter(|t| self.can_refer(t)).collect();
        if candidates.is_empty() {
            return Ok(None);
        }
        if let Holder::Map(Some(namespace)) = holder {
            let inside = self.in_namespace(namespace);
            candidates.retain(|target| inside(target));
        }
        // The group and version of an earlier type are the present ones.
        let had_type = |target: &Target, wanted: &Gvk| {
            let fits = |part: &EcoString, wanted: &EcoString| wanted.is_empty() || part == wanted;
            fits(&target.gvk.group, &wanted.group)
                && fits(&target.gvk.version, &wanted.version)
                && target.previous_kinds.iter().any(|kind| fits(kind, &wanted.kind))
        };
        candidates.retain(|target| had_type(target, self.target));
        if self.path.as_str().ends_with("roleRef/name")
            && let Some(role_ref) = &self.referrer.role_ref
        {
            candidates.retain(|target| had_type(target, role_ref));
        }
        let referrer = self.referrer;
        if !referrer.cluster_scoped {
            candidates.retain(|target| {
                target.cluster_scoped
                    || target.is_service_account
                    || target.effective_namespace == referrer.namespace
            });
        }
        if candidates.len() <= 1 {
            return Ok(candidates.pop());
        }
        self.prefer_same_affixes(&mut candidates, true);
        if candidates.len() > 1 {
            self.prefer_same_affixes(&mut candidates, false);
        }
        let Some((&first, others)) = candidates.split_first() else { return Ok(None) };
        // Several are one where the same would be written.
        let same = |other: &&Target| {
            let same_namespace =
                matches!(holder, Holder::Scalar) || other.namespace == first.namespace;
            other.name == first.name && same_namespace
        };
        if others.iter().all(same) {
            return Ok(Some(first));
        }
        let candidates = candidates.iter().map(|target| target.index).collect();
        Err(ReferenceFault::Ambiguous { at, name: name.into(), candidates })
    }

    fn prefer_same_affixes(&self, candidates: &mut Vec<&Target>, empty_fits: bool) {
        let fits = |own: &[EcoString], other: &[EcoString]| {
            empty_fits && (own.is_empty() || other.is_empty()) || same_end(own, other)
        };
        candidates.retain(|target| {
            fits(&self.targets.prefixes[target.index], &self.referrer.prefixes)
                && fits(&self.targets.suffixes[target.index], &self.referrer.suffixes)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affixes_are_compared_from_the_end() {
        let list = |items: &[&str]| items.iter().map(|&i| i.into()).collect::<Vec<EcoString>>();
        assert!(same_end(&list(&["a", "b"]), &list(&["b"])));
        assert!(same_end(&list(&[]), &list(&[])) && !same_end(&list(&[]), &list(&["b"])));
        assert!(!same_end(&list(&["a", "b"]), &list(&["a"])));
    }
}
