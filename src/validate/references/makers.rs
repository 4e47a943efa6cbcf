//! Programs of the output that may create objects: pods that run as a ServiceAccount whose roles allow it.
//!
//! An operator creates the Secret for its webhook while it runs, and a Job the password of a database. What they call it is
//! known to them alone; but they need a role for it, and the role is there to be read.

use std::collections::{HashMap, HashSet};

use super::inventory::{ANY_NAMESPACE, namespace_of};
use super::tree::{each, text};
use super::{POD, SECRET, Type};
use crate::yaml::Node;

/// Roles of Kubernetes that allow to create most things.
const POWERFUL: [&str; 3] = ["admin", "cluster-admin", "edit"];
/// Every resource.
const ALL: &str = "*";

/// A role: its namespace, none for a ClusterRole, and its name.
type Role<'n> = (Option<&'n str>, &'n str);

/// Who may create what.
#[derive(Debug, Default)]
pub(super) struct Makers<'n> {
    /// The resources, as `secrets`, that roles allow to create.
    roles: HashMap<Role<'n>, Vec<&'n str>>,
    /// Roles and the ServiceAccounts, by namespace and name, that have them.
    bindings: Vec<(Role<'n>, &'n str, &'n str)>,
    /// The ServiceAccounts of pods, by namespace and name.
    accounts: HashSet<(&'n str, &'n str)>,
    /// Resources that a program in a namespace may create.
    makes: HashMap<&'n str, Vec<&'n str>>,
}

impl<'n> Makers<'n> {
    pub(super) fn add_role(&mut self, object: &'n Node) {
        let mut resources = Vec::new();
        for rule in each(object, "rules[]") {
            let has = |path: &str, wanted: &str| {
                each(rule, path).iter().any(|one| one.text() == wanted || one.text() == ALL)
            };
            if has("verbs[]", "create") {
                resources.extend(each(rule, "resources[]").iter().map(|one| one.text()));
            }
        }
        if !resources.is_empty() {
            let namespace = (text(object, "kind") == "Role").then(|| namespace_of(object));
            self.roles.insert((namespace, text(object, "metadata.name")), resources);
        }
    }

    pub(super) fn add_binding(&mut self, object: &'n Node) {
        let namespace = namespace_of(object);
        let of_namespace = (text(object, "roleRef.kind") == "Role").then_some(namespace);
        let role = (of_namespace, text(object, "roleRef.name"));
        for subject in each(object, "subjects[]") {
            if text(subject, "kind") == "ServiceAccount" {
                let stated = text(subject, "namespace");
                let namespace = if stated.is_empty() { namespace } else { stated };
                self.bindings.push((role, namespace, text(subject, "name")));
            }
        }
    }

    /// Takes in the pods of an object.
    pub(super) fn add_pods(&mut self, object: &'n Node, spec: &'n Node) {
        let account = text(spec, "serviceAccountName");
        if !account.is_empty() {
            self.accounts.insert((namespace_of(object), account));
        }
    }

    /// Finds out who may create what, once everything is known.
    pub(super) fn finish(&mut self) {
        for (role, namespace, account) in &self.bindings {
            let runs = [*namespace, ANY_NAMESPACE]
                .iter()
                .any(|namespace| self.accounts.contains(&(*namespace, *account)));
            if !runs {
                continue;
            }
            let resources = self.makes.entry(namespace).or_default();
            match self.roles.get(role) {
                Some(allowed) => resources.extend(allowed),
                None if POWERFUL.contains(&role.1) => resources.push(ALL),
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
        let makes =
            |resources: &Vec<&str>| resources.iter().any(|one| *one == ALL || names.contains(one));
        match namespace {
            ANY_NAMESPACE => self.makes.values().any(makes),
            namespace => {
                [namespace, ANY_NAMESPACE].iter().filter_map(|one| self.makes.get(one)).any(makes)
            }
        }
    }
}
