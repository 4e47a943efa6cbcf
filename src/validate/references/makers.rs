//! Programs of the output that may create objects: pods that run as a ServiceAccount whose roles allow it.
//!
//! An operator creates the Secret for its webhook while it runs, and a Job the password of a database. What they call it is
//! known to them alone; but they need a role for it, and the role is there to be read.

use ecow::EcoString;
use foldhash::{HashMap, HashSet};

use super::inventory::ANY_NAMESPACE;
use super::tree::{each, shared, text};
use super::{POD, SECRET, Type};
use crate::yaml::Node;

/// Roles of Kubernetes that allow to create most things.
const POWERFUL: [&str; 3] = ["admin", "cluster-admin", "edit"];
/// Every resource.
const ALL: &str = "*";

/// A role: its namespace, none for a ClusterRole, and its name.
type Role = (Option<EcoString>, EcoString);

/// Who may create what.
#[derive(Debug, Default)]
pub(super) struct Makers {
    /// The resources, as `secrets`, that roles allow to create.
    roles: HashMap<Role, Vec<EcoString>>,
    /// Roles and the ServiceAccounts, by namespace and name, that have them.
    bindings: Vec<(Role, EcoString, EcoString)>,
    /// The ServiceAccounts of pods, by namespace and name.
    accounts: HashSet<(EcoString, EcoString)>,
    /// Resources that a program in a namespace may create.
    makes: HashMap<EcoString, Vec<EcoString>>,
}

impl Makers {
    pub(super) fn add_role(&mut self, namespace: &EcoString, object: &Node) {
        let mut resources = Vec::new();
        for rule in each(object, "rules[]") {
            let has = |path: &str, wanted: &str| {
                each(rule, path).iter().any(|one| one.text() == wanted || one.text() == ALL)
            };
            if has("verbs[]", "create") {
                resources.extend(each(rule, "resources[]").into_iter().map(Node::shared_text));
            }
        }
        if !resources.is_empty() {
            let namespace = (text(object, "kind") == "Role").then(|| namespace.clone());
            self.roles.insert((namespace, shared(object, "metadata.name")), resources);
        }
    }

    pub(super) fn add_binding(&mut self, namespace: &EcoString, object: &Node) {
        let of_namespace = (text(object, "roleRef.kind") == "Role").then(|| namespace.clone());
        let role = (of_namespace, shared(object, "roleRef.name"));
        for subject in each(object, "subjects[]") {
            if text(subject, "kind") == "ServiceAccount" {
                let stated = shared(subject, "namespace");
                let namespace = if stated.is_empty() { namespace.clone() } else { stated };
                self.bindings.push((role.clone(), namespace, shared(subject, "name")));
            }
        }
    }

    /// Takes in the pods of an object.
    pub(super) fn add_pods(&mut self, namespace: &EcoString, spec: &Node) {
        let account = shared(spec, "serviceAccountName");
        if !account.is_empty() {
            self.accounts.insert((namespace.clone(), account));
        }
    }

    /// Adds what is known of other objects.
    pub(super) fn append(&mut self, other: Self) {
        self.roles.extend(other.roles);
        self.bindings.extend(other.bindings);
        self.accounts.extend(other.accounts);
    }

    /// Finds out who may create what, once everything is known.
    pub(super) fn finish(&mut self) {
        for (role, namespace, account) in &self.bindings {
            let runs = [namespace.clone(), EcoString::from(ANY_NAMESPACE)]
                .into_iter()
                .any(|namespace| self.accounts.contains(&(namespace, account.clone())));
            if !runs {
                continue;
            }
            let resources = self.makes.entry(namespace.clone()).or_default();
            match self.roles.get(role) {
                Some(allowed) => resources.extend(allowed.iter().cloned()),
                None if POWERFUL.contains(&role.1.as_str()) => resources.push(ALL.into()),
                None => {}
            }
        }
    }

    /// Returns whether a program may create something in a namespace.
    pub(super) fn may_create(&self, wanted: Type<'_>, namespace: &str) -> bool {
        // Programs create Services and ConfigMaps, too, but hardly ever any that manifests name.
        let names: &[&str] = match wanted {
            POD => &["pods", "daemonsets", "deployments", "jobs", "statefulsets"],
            SECRET => &["secrets"],
            _ => return false,
        };
        let makes = |resources: &Vec<EcoString>| {
            resources.iter().any(|one| one == ALL || names.contains(&one.as_str()))
        };
        match namespace {
            ANY_NAMESPACE => self.makes.values().any(makes),
            namespace => {
                [namespace, ANY_NAMESPACE].iter().filter_map(|one| self.makes.get(*one)).any(makes)
            }
        }
    }
}
