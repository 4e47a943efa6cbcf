//! The pods of an output, and what selects them.

use std::collections::HashMap;

use super::Type;
use super::inventory::{may_be_same, namespace_of};
use super::tree::{at, child, each, text};
use crate::diagnostic::nearest;
use crate::schema::Kubernetes;
use crate::yaml::Node;

/// How deep pods are looked for in custom resources.
const MAX_DEPTH: usize = 12;
/// At most so many pods are compared to find those that a selector misses by one label.
const MAX_COMPARED: usize = 1024;
/// Labels that the controllers of Kubernetes give to pods.
const GIVEN_LABELS: [&str; 9] = [
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-hash",
    "rollouts-pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
];
/// Values of labels by which the members of a database say, while they run, what they are.
const ROLES: [&str; 8] =
    ["active", "leader", "master", "primary", "replica", "secondary", "slave", "standby"];

/// The pods of one workload.
#[derive(Debug)]
pub(super) struct Pod<'n> {
    pub(super) namespace: &'n str,
    labels: Option<&'n Node>,
    pub(super) spec: &'n Node,
    /// An operator makes pods of this, and may add labels and containers.
    is_partial: bool,
}

/// The pods of an output, by their labels.
#[derive(Debug, Default)]
pub(super) struct Pods<'n> {
    all: Vec<Pod<'n>>,
    by_label: HashMap<(&'n str, &'n str), Vec<usize>>,
}

/// A label selector that is not empty.
#[derive(Debug, Default)]
pub(super) struct Selector<'n> {
    /// Labels with their values.
    pub(super) labels: Vec<(&'n str, &'n Node)>,
    expressions: Vec<Expression<'n>>,
}

#[derive(Debug)]
struct Expression<'n> {
    key: &'n str,
    operator: &'n str,
    values: Vec<&'n str>,
}

/// The label that a selector wants, and the value that pods have.
pub(super) type Near<'s, 'n> = ((&'s str, &'s Node), &'n Node);

/// Returns the specification of the pods of a workload.
pub(super) fn pod_spec<'n>(own: Type<'_>, object: &'n Node) -> Option<&'n Node> {
    at(object, pod_path(own)?.1)
}

/// Returns where a workload has the labels and the specification of its pods.
fn pod_path(own: Type<'_>) -> Option<(&'static str, &'static str)> {
    const TEMPLATE: (&str, &str) = ("spec.template.metadata.labels", "spec.template.spec");
    let paths = match (own.group, own.kind) {
        ("", "Pod") => ("metadata.labels", "spec"),
        ("", "ReplicationController")
        | ("apps", "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet")
        | ("batch", "Job")
        | ("argoproj.io", "Rollout")
        | ("apps.openshift.io", "DeploymentConfig")
        | ("serving.knative.dev", "Service" | "Configuration") => TEMPLATE,
        ("", "PodTemplate") => ("template.metadata.labels", "template.spec"),
        ("batch", "CronJob") => (
            "spec.jobTemplate.spec.template.metadata.labels",
            "spec.jobTemplate.spec.template.spec",
        ),
        ("keda.sh", "ScaledJob") => {
            ("spec.jobTargetRef.template.metadata.labels", "spec.jobTargetRef.template.spec")
        }
        _ => return None,
    };
    Some(paths)
}

impl<'n> Pods<'n> {
    /// Takes in the pods of an object.
    pub(super) fn add(&mut self, own: Type<'n>, object: &'n Node) {
        let namespace = namespace_of(object);
        if let Some((labels, spec)) = pod_path(own) {
            if let Some(spec) = at(object, spec) {
                let labels = at(object, labels);
                // Knative adds containers.
                let is_partial = own.group == "serving.knative.dev";
                self.push(Pod { namespace, labels, spec, is_partial });
            }
        } else if !Kubernetes::serves_group(own.group) && own.group != "kyverno.io" {
            self.add_embedded(object, None, namespace, 0);
        }
    }

    /// Looks for pods in a custom resource: a map with `containers`, and labels beside it.
    fn add_embedded(
        &mut self,
        node: &'n Node,
        labels: Option<&'n Node>,
        namespace: &'n str,
        depth: usize,
    ) {
        if depth > MAX_DEPTH {
            return;
        }
        if child(node, "containers").is_some_and(|containers| containers.elements().is_some()) {
            self.push(Pod { namespace, labels, spec: node, is_partial: true });
            return;
        }
        let own = at(node, "metadata.labels").filter(|_| depth > 0);
        for entry in node.entries().into_iter().flatten() {
            self.add_embedded(&entry.value, own, namespace, depth + 1);
        }
        for element in node.elements().into_iter().flatten() {
            self.add_embedded(element, None, namespace, depth + 1);
        }
    }

    fn push(&mut self, pod: Pod<'n>) {
        for entry in pod.labels.and_then(Node::entries).unwrap_or_default() {
            let label = (entry.key.text(), entry.value.text());
            self.by_label.entry(label).or_default().push(self.all.len());
        }
        self.all.push(pod);
    }

    /// Returns the pods that a selector selects in the namespaces that `is_in` accepts.
    pub(super) fn selected(
        &self,
        selector: &Selector<'n>,
        is_in: impl Fn(&str) -> bool,
    ) -> Vec<&Pod<'n>> {
        let fits = |pod: &&Pod<'n>| is_in(pod.namespace) && selector.selects(pod);
        let lists: Vec<_> =
            selector.fixed().map(|(key, value)| self.by_label.get(&(*key, value.text()))).collect();
        if lists.iter().any(Option::is_none) {
            return Vec::new();
        }
        match lists.into_iter().flatten().min_by_key(|list| list.len()) {
            Some(list) => list.iter().map(|index| &self.all[*index]).filter(fits).collect(),
            None => self.all.iter().filter(fits).collect(),
        }
    }

    /// Returns whether there are pods in the namespaces that `is_in` accepts.
    pub(super) fn has_any(&self, is_in: impl Fn(&str) -> bool) -> bool {
        self.all.iter().any(|pod| is_in(pod.namespace))
    }

    /// Returns whether pods of a namespace have a label, whatever its value.
    pub(super) fn has_key(&self, key: &str, namespace: &str) -> bool {
        let mut here = self.all.iter().filter(|pod| may_be_same(pod.namespace, namespace));
        here.any(|pod| pod.label(key).is_some())
    }

    /// Returns the label of pods in a namespace that a selector misses by this one label: what it wants, and what is there.
    pub(super) fn nearly<'s>(
        &self,
        selector: &Selector<'s>,
        namespace: &str,
    ) -> Option<Near<'s, 'n>> {
        let here = self.all.iter().filter(|pod| may_be_same(pod.namespace, namespace));
        let here: Vec<&Pod<'n>> = here.take(MAX_COMPARED).collect();
        let others = |missed: usize, pod: &Pod<'n>| {
            let mut rest = selector.labels.iter().enumerate().filter(|(index, _)| *index != missed);
            rest.all(|(_, (key, value))| pod.has(key, value.text()))
        };
        for (index, (key, value)) in selector.labels.iter().enumerate() {
            let fitting: Vec<&Node> = here
                .iter()
                .filter(|pod| others(index, pod))
                .filter_map(|pod| child(pod.labels?, key))
                .collect();
            let is_enough = selector.labels.len() > 1;
            let near = nearest(value.text(), fitting.iter().map(|label| label.text()));
            let found = match near {
                Some(near) => fitting.iter().find(|label| label.text() == near),
                None => fitting.first().filter(|_| is_enough),
            };
            if let Some(found) = found {
                return Some(((key, value), found));
            }
        }
        None
    }
}

impl Pod<'_> {
    fn has(&self, key: &str, value: &str) -> bool {
        self.labels.and_then(|labels| child(labels, key)).is_some_and(|own| own.text() == value)
    }

    fn label(&self, key: &str) -> Option<&str> {
        child(self.labels?, key).map(Node::text)
    }

    /// Returns the names of the ports of the containers; none if an operator may add others.
    pub(super) fn port_names(&self) -> Option<Vec<&str>> {
        if self.is_partial {
            return None;
        }
        let lists = ["containers[].ports[].name", "initContainers[].ports[].name"];
        let names = lists.into_iter().flat_map(|path| each(self.spec, path));
        Some(names.map(Node::text).collect())
    }
}

impl<'n> Selector<'n> {
    /// Reads the map of labels that Services have.
    pub(super) fn of_labels(labels: &'n Node) -> Self {
        let entries = labels.entries().unwrap_or_default().iter();
        Self {
            labels: entries.map(|entry| (entry.key.text(), &entry.value)).collect(),
            expressions: Vec::new(),
        }
    }

    /// Reads a selector with `matchLabels` and `matchExpressions`.
    pub(super) fn of(node: &'n Node) -> Self {
        let mut selector = child(node, "matchLabels").map_or_else(Self::default, Self::of_labels);
        selector.expressions = each(node, "matchExpressions[]")
            .into_iter()
            .map(|one| Expression {
                key: text(one, "key"),
                operator: text(one, "operator"),
                values: each(one, "values[]").into_iter().map(Node::text).collect(),
            })
            .collect();
        selector
    }

    /// Returns whether the selector asks for nothing, and so selects everything.
    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }

    /// Returns the values of the labels.
    pub(super) fn values(&self) -> impl Iterator<Item = &'n Node> {
        self.labels.iter().map(|(_, value)| *value)
    }

    /// Returns the keys of the labels and of the expressions.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'n str> {
        let expressions = self.expressions.iter().map(|one| one.key);
        self.labels.iter().map(|(key, _)| *key).chain(expressions)
    }

    /// Returns the labels that stand in the template of a pod.
    fn fixed(&self) -> impl Iterator<Item = &(&'n str, &'n Node)> {
        self.labels.iter().filter(|(key, value)| {
            let is_role = key.ends_with("role") && ROLES.contains(&value.text());
            // Vault says so what it is.
            let is_given = GIVEN_LABELS.contains(key) || key.starts_with("vault-");
            !is_role && !is_given
        })
    }

    fn selects(&self, pod: &Pod<'_>) -> bool {
        self.fixed().all(|(key, value)| pod.has(key, value.text()))
            && self.expressions.iter().all(|one| one.fits(pod.label(one.key)))
    }

    /// Returns whether the selector fits labels.
    pub(super) fn fits(&self, labels: Option<&Node>) -> bool {
        let label = |key: &str| labels.and_then(|labels| child(labels, key)).map(Node::text);
        self.labels.iter().all(|(key, value)| label(key) == Some(value.text()))
            && self.expressions.iter().all(|one| one.fits(label(one.key)))
    }
}

/// As `app=web,tier in (a, b)`.
impl std::fmt::Display for Selector<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let labels = self.labels.iter().map(|(key, value)| format!("{key}={}", value.text()));
        let expressions = self.expressions.iter().map(|one| match one.operator {
            "Exists" => one.key.to_owned(),
            "DoesNotExist" => format!("!{}", one.key),
            "In" => format!("{} in ({})", one.key, one.values.join(", ")),
            _ => format!("{} notin ({})", one.key, one.values.join(", ")),
        });
        f.write_str(&labels.chain(expressions).collect::<Vec<_>>().join(","))
    }
}

impl Expression<'_> {
    fn fits(&self, label: Option<&str>) -> bool {
        let is_one = label.is_some_and(|label| self.values.contains(&label));
        match self.operator {
            "In" => is_one,
            "NotIn" => !is_one,
            "Exists" => label.is_some() || GIVEN_LABELS.contains(&self.key),
            "DoesNotExist" => label.is_none(),
            _ => true,
        }
    }
}
