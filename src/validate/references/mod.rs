//! References between the objects of one output: names that nothing in it provides, and selectors that select nothing.
//!
//! A reference is satisfied by an object of the output, by what an object of it creates ([`creators`]), by what every cluster
//! has ([`well_known`]), by another output that the project names, and by what the project says to exist outside
//! ([`crate::project::External`]). An object without a namespace is in the one that a deployment chooses, which may be any; so a reference
//! between one with and one without a namespace is satisfied by the name alone. A name in which a later tool fills something in
//! is not looked at.

mod creators;
mod inventory;
mod kinds;
mod makers;
mod names;
mod pods;
mod questions;
mod routes;
mod selectors;
mod tree;
mod well_known;

use std::collections::HashSet;

use super::report::Found;
use super::{Finding, placed};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::provenance::OriginId;
use crate::session::Context;
use crate::yaml::{Key, Node, known};
use inventory::{ANY_NAMESPACE, Held, Keys, Presence};
use tree::path_to;

pub(crate) use inventory::Inventory;
pub(crate) use questions::{Question, questions};

/// A type of objects, in any version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Type<'n> {
    group: &'n str,
    kind: &'n str,
}

const fn core(kind: &'static str) -> Type<'static> {
    Type { group: "", kind }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const CLAIM: Type<'static> = core("PersistentVolumeClaim");
const CLUSTER_ROLE: Type<'static> = Type { group: RBAC, kind: "ClusterRole" };
const CONFIG_MAP: Type<'static> = core("ConfigMap");
const POD: Type<'static> = core("Pod");
const PRIORITY_CLASS: Type<'static> = Type { group: "scheduling.k8s.io", kind: "PriorityClass" };
const ROLE: Type<'static> = Type { group: RBAC, kind: "Role" };
const SECRET: Type<'static> = core("Secret");
const SERVICE: Type<'static> = core("Service");
const SERVICE_ACCOUNT: Type<'static> = core("ServiceAccount");

impl<'n> Type<'n> {
    /// Returns the type that an object, or a reference to one, states.
    fn of(node: &'n Node) -> Self {
        let text = |key| node.get(key).map_or("", Node::text);
        let (api_version, kind) = (text(known::API_VERSION), text(known::KIND));
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        // What was in this group is in others now.
        let group = match (group, kind) {
            ("extensions", "Ingress" | "NetworkPolicy") => "networking.k8s.io",
            ("extensions", _) => "apps",
            _ => group,
        };
        Self { group, kind }
    }

    /// Returns the same type with texts that stay.
    fn kept(self) -> Type<'static> {
        Type { group: Key::text_key(self.group).text(), kind: Key::text_key(self.kind).text() }
    }

    fn is_cluster_scoped(self) -> bool {
        self == CLUSTER_ROLE || self == PRIORITY_CLASS
    }
}

/// Checks the references of objects, which come with their numbers. `inventory`: what is there, these objects included.
pub(crate) fn check<'n>(
    cx: &Context<'_>,
    inventory: &Inventory,
    objects: impl IntoIterator<Item = (usize, &'n Node)>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, object) in objects {
        let mut checker = Checker::new(Some(inventory), object);
        checker.check();
        let placed = |found: Found| Finding {
            object: index,
            diagnostic: placed(cx, &found),
            path: found.path,
        };
        findings.extend(checker.found.into_iter().map(placed));
    }
    findings
}

/// Checks the references of one object.
struct Checker<'a, 'n> {
    /// None while it is being found out what there is: the checker then only notes what it would look up.
    inventory: Option<&'a Inventory>,
    object: &'n Node,
    own: Type<'n>,
    namespace: &'n str,
    found: Vec<Found>,
    /// What is missing and has been reported.
    missing: HashSet<(Type<'n>, &'n str, &'n str)>,
    questions: Vec<Question>,
}

/// The name of an object in another one.
#[derive(Clone, Debug)]
struct Reference<'n> {
    code: Code,
    wanted: Type<'n>,
    namespace: &'n str,
    name: &'n str,
    /// The value that holds the name.
    at: &'n Node,
    /// Keys that must be there.
    keys: Vec<&'n Node>,
}

impl<'n> Reference<'n> {
    /// Returns a reference by a value that is the name.
    fn new(code: Code, wanted: Type<'n>, namespace: &'n str, at: &'n Node) -> Self {
        Self { code, wanted, namespace, name: at.text(), at, keys: Vec::new() }
    }

    /// Returns whether it is yet to be filled in.
    fn is_open(&self) -> bool {
        is_open_name(self.name) || is_open(self.namespace)
    }

    /// Returns the namespace in which the object is looked for.
    fn place(&self) -> &'n str {
        if self.wanted.is_cluster_scoped() { ANY_NAMESPACE } else { self.namespace }
    }
}

/// Returns whether a text is yet to be filled in, by Flux or by a template.
fn is_open(text: &str) -> bool {
    text.contains(['$', '{', '<', '%', '*', '@', '#', ' ']) || text.starts_with("ENC[")
}

/// Returns whether a name is yet to be filled in: names of objects have no capital letters, unlike `REPLACE_ME`.
fn is_open_name(name: &str) -> bool {
    is_open(name) || !name.contains(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
}

impl<'a, 'n> Checker<'a, 'n> {
    fn new(inventory: Option<&'a Inventory>, object: &'n Node) -> Self {
        Self {
            inventory,
            object,
            own: Type::of(object),
            namespace: inventory::namespace_of(object),
            found: Vec::new(),
            missing: HashSet::new(),
            questions: Vec::new(),
        }
    }

    fn check(&mut self) {
        self.check_names();
        self.check_routes();
        self.check_selectors();
    }

    /// Looks up what an object names, and returns the objects that it may be.
    fn refer(&mut self, reference: &Reference<'n>) -> Vec<&'a Held> {
        let Reference { wanted, name, .. } = *reference;
        if reference.is_open() {
            return Vec::new();
        }
        let Some(inventory) = self.inventory else {
            self.ask(Question::of(reference));
            return Vec::new();
        };
        let namespace = reference.place();
        match inventory.presence(wanted, namespace, name) {
            Presence::Absent => {
                self.report_missing(inventory, &Reference { namespace, ..reference.clone() });
                Vec::new()
            }
            Presence::Assumed => Vec::new(),
            Presence::Present(held) => {
                for key in &reference.keys {
                    self.check_key(reference, key, &held);
                }
                held
            }
        }
    }

    fn report_missing(&mut self, inventory: &Inventory, reference: &Reference<'n>) {
        let Reference { code, wanted, namespace, name, at, .. } = *reference;
        // Further fields that name the same thing tell nothing new.
        if !self.missing.insert((wanted, namespace, name)) {
            return;
        }
        let path = path_to(self.object, at);
        let place = match namespace {
            ANY_NAMESPACE => String::new(),
            namespace => format!(" in namespace `{namespace}`"),
        };
        let message =
            format!("`{path}` names {} `{name}`, and nothing{place} provides it", wanted.kind);
        let help = match inventory.similar(wanted, namespace, name) {
            Some(near) => format!("did you mean {} `{near}`?", wanted.kind),
            None => match inventory.elsewhere(wanted, name) {
                Some(other) => format!("there is one in namespace `{other}`"),
                None => {
                    let entry = external_entry(wanted.kind, namespace, name);
                    format!(
                        "if it exists outside, write `external: [{entry}]` under `validate` in kiln.yaml"
                    )
                }
            },
        };
        self.push(path, at.origin(), None, Diagnostic::warning(code, message).help(help));
    }

    fn check_key(&mut self, reference: &Reference<'n>, key: &'n Node, held: &[&Held]) {
        let text = key.text();
        let Some(known) = lacking_key(held, text) else { return };
        let Reference { wanted, name, .. } = reference;
        let path = path_to(self.object, key);
        let message =
            format!("`{path}` names key `{text}`, which {} `{name}` does not have", wanted.kind);
        let mut diagnostic = Diagnostic::warning(Code::ReferenceMissingKey, message);
        let help = match nearest(text, known.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if known.len() <= 8 => Some(format!("it has `{}`", known.join("`, `"))),
            None => None,
        };
        if let Some(help) = help {
            diagnostic = diagnostic.help(help);
        }
        let object = held.iter().find_map(|one| one.source.object());
        let other = object.map(|at| (at, "the object that lacks it"));
        self.push(path, key.origin(), other, diagnostic);
    }

    fn push(
        &mut self,
        path: String,
        at: OriginId,
        other: Option<(OriginId, &'static str)>,
        diagnostic: Diagnostic,
    ) {
        // What a file writes once, with an anchor, is found at each of its aliases.
        let is_known = |one: &Found| one.path == path && one.diagnostic.code == diagnostic.code;
        if !self.found.iter().any(is_known) {
            self.found.push(Found { path, at, value: None, other, diagnostic });
        }
    }
}

/// Returns the keys of ConfigMaps or Secrets of which none has a key; none if one has it, or may have it.
fn lacking_key(held: &[&Held], key: &str) -> Option<Vec<&'static str>> {
    let mut known = Vec::new();
    for one in held {
        match one.source.keys() {
            Keys::Any => return None,
            Keys::Known(keys) => known.extend(keys.iter().map(|key| key.text())),
        }
    }
    (!is_open(key) && !known.contains(&key)).then_some(known)
}

/// Returns what a project writes under `external` for an object.
fn external_entry(kind: &str, namespace: &str, name: &str) -> String {
    match namespace {
        ANY_NAMESPACE => format!("{kind}/{name}"),
        namespace => format!("{kind}/{namespace}/{name}"),
    }
}

#[cfg(test)]
mod tests;
