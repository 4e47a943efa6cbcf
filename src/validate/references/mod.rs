//! References between the objects of one output: names that nothing in it provides, and selectors that select nothing.
//!
//! A reference is satisfied by an object of the output, by what an object of it creates ([`creators`]), by what every cluster
//! has ([`well_known`]), by another output that the project names, and by what the project says to exist outside
//! ([`External`]). An object without a namespace is in the one that a deployment chooses, which may be any; so a reference
//! between one with and one without a namespace is satisfied by the name alone. A name in which a later tool fills something in
//! is not looked at.

mod creators;
mod inventory;
mod kinds;
mod makers;
mod names;
mod pods;
mod routes;
mod selectors;
mod tree;
mod well_known;

use std::collections::HashSet;

use super::report::Found;
use super::{Finding, placed};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::project::External;
use crate::provenance::OriginId;
use crate::session::Context;
use crate::yaml::{Node, known};
use inventory::{ANY_NAMESPACE, Held, Inventory, Keys, Presence};
use tree::path_to;

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

    fn is_cluster_scoped(self) -> bool {
        self == CLUSTER_ROLE || self == PRIORITY_CLASS
    }
}

/// What may satisfy references besides the objects that are checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    /// The objects of other outputs.
    pub(crate) objects: Vec<Node>,
    pub(crate) external: Vec<External>,
}

/// Checks the references of objects that are deployed together.
pub(crate) fn check(cx: &Context<'_>, objects: &[&Node], outside: &Outside) -> Vec<Finding> {
    let all = objects.iter().copied().chain(&outside.objects);
    let inventory = Inventory::new(all, &outside.external);
    let mut findings = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        let mut checker = Checker::new(&inventory, object);
        checker.check_names();
        checker.check_routes();
        checker.check_selectors();
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
    inventory: &'a Inventory<'n>,
    object: &'n Node,
    own: Type<'n>,
    namespace: &'n str,
    found: Vec<Found>,
    /// What is missing and has been reported.
    missing: HashSet<(Type<'n>, &'n str, &'n str)>,
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
    fn new(inventory: &'a Inventory<'n>, object: &'n Node) -> Self {
        Self {
            inventory,
            object,
            own: Type::of(object),
            namespace: inventory::namespace_of(object),
            found: Vec::new(),
            missing: HashSet::new(),
        }
    }

    /// Looks up what an object names, and returns the objects that it may be.
    fn refer(&mut self, reference: &Reference<'n>) -> Vec<&'a Held<'n>> {
        let Reference { wanted, namespace, name, .. } = *reference;
        if is_open_name(name) || is_open(namespace) {
            return Vec::new();
        }
        let namespace = if wanted.is_cluster_scoped() { ANY_NAMESPACE } else { namespace };
        match self.inventory.presence(wanted, namespace, name) {
            Presence::Absent => {
                self.report_missing(&Reference { namespace, ..reference.clone() });
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

    fn report_missing(&mut self, reference: &Reference<'n>) {
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
        let help = match self.inventory.similar(wanted, namespace, name) {
            Some(near) => format!("did you mean {} `{near}`?", wanted.kind),
            None => match self.inventory.elsewhere(wanted, name) {
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

    fn check_key(&mut self, reference: &Reference<'n>, key: &'n Node, held: &[&Held<'n>]) {
        let mut known = Vec::new();
        for one in held {
            match one.source.keys() {
                Keys::Any => return,
                Keys::Known(keys) => known.extend(keys),
            }
        }
        let text = key.text();
        if is_open(text) || known.contains(&text) {
            return;
        }
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
        let other = object.map(|object| (object.origin(), "the object that lacks it"));
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

/// Returns what a project writes under `external` for an object.
fn external_entry(kind: &str, namespace: &str, name: &str) -> String {
    match namespace {
        ANY_NAMESPACE => format!("{kind}/{name}"),
        namespace => format!("{kind}/{namespace}/{name}"),
    }
}

#[cfg(test)]
mod tests;
