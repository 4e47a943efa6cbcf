//! The pods of an output, and what selects them.

use ecow::EcoString;
use foldhash::HashMap;

use super::Type;
use super::inventory::may_be_same;
use super::tree::{at, child, each, shared};
use crate::diagnostic::nearest;
use crate::provenance::OriginId;
use crate::schema::Kubernetes;
use crate::validate::structure::is_null;
use crate::yaml::{Entry, Key, Node};

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

/// A label of a pod or a Service, or one that a selector wants.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) key: Key,
    pub(super) value: EcoString,
    /// The value.
    pub(super) at: OriginId,
}

/// The pods of one workload.
#[derive(Debug)]
pub(super) struct Pod {
    pub(super) namespace: EcoString,
    labels: Box<[Label]>,
    /// The names of the ports of the containers; none if an operator makes pods of this, and may add labels and containers.
    pub(super) port_names: Option<Box<[EcoString]>>,
}

/// The pods of an output, by their labels.
#[derive(Debug, Default)]
pub(super) struct Pods {
    all: Vec<Pod>,
    by_label: HashMap<(Key, EcoString), Vec<u32>>,
}

/// A label selector that is not empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Selector {
    pub(super) labels: Box<[Label]>,
    expressions: Box<[Expression]>,
}

#[derive(Clone, Debug)]
struct Expression {
    key: Key,
    operator: EcoString,
    values: Vec<EcoString>,
}

/// The label that a selector wants, and the one that pods have.
pub(super) type Near<'s, 'p> = (&'s Label, &'p Label);

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

/// Returns the labels of an object, without those that are null.
pub(super) fn labels_of(labels: Option<&Node>) -> Box<[Label]> {
    let entries = labels.and_then(Node::entries).unwrap_or_default().iter();
    let label = |entry: &Entry| Label {
        key: Key::text_key(entry.key.text()),
        value: entry.value.shared_text(),
        at: entry.value.origin(),
    };
    entries.filter(|entry| !is_null(&entry.value)).map(label).collect()
}

fn label_of(labels: &[Label], key: Key) -> Option<&Label> {
    labels.iter().find(|label| label.key == key)
}

/// Returns the names of the ports of the containers of pods.
fn port_names(spec: &Node) -> Box<[EcoString]> {
    let lists = ["containers[].ports[].name", "initContainers[].ports[].name"];
    let names = lists.into_iter().flat_map(|path| each(spec, path));
    names.map(Node::shared_text).collect()
}

impl Pods {
    /// Takes in the pods of an object.
    pub(super) fn add(&mut self, own: Type<'_>, namespace: &EcoString, object: &Node) {
        if let Some((labels, spec)) = pod_path(own) {
            if let Some(spec) = at(object, spec) {
                // Knative adds containers.
                let is_partial = own.group == "serving.knative.dev";
                let port_names = (!is_partial).then(|| port_names(spec));
                let labels = labels_of(at(object, labels));
                self.push(Pod { namespace: namespace.clone(), labels, port_names });
            }
        } else if !Kubernetes::serves_group(own.group) && own.group != "kyverno.io" {
            self.add_embedded(object, None, namespace, 0);
        }
    }

    /// Adds the pods of other objects behind these.
    pub(super) fn append(&mut self, other: Self) {
        self.all.reserve(other.all.len());
        other.all.into_iter().for_each(|pod| self.push(pod));
    }

    /// Looks for pods in a custom resource: a map with `containers`, and labels beside it.
    fn add_embedded(
        &mut self,
        node: &Node,
        labels: Option<&Node>,
        namespace: &EcoString,
        depth: usize,
    ) {
        if depth > MAX_DEPTH {
            return;
        }
        if child(node, "containers").is_some_and(|containers| containers.elements().is_some()) {
            let labels = labels_of(labels);
            self.push(Pod { namespace: namespace.clone(), labels, port_names: None });
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

    fn push(&mut self, pod: Pod) {
        for label in &pod.labels {
            let same = self.by_label.entry((label.key, label.value.clone()));
            same.or_insert_with(|| Vec::with_capacity(1)).push(self.all.len() as u32);
        }
        self.all.push(pod);
    }

    /// Returns the pods that a selector selects in the namespaces that `is_in` accepts.
    pub(super) fn selected(&self, selector: &Selector, is_in: impl Fn(&str) -> bool) -> Vec<&Pod> {
        let fits = |pod: &&Pod| is_in(&pod.namespace) && selector.selects(pod);
        let with = |label: &Label| self.by_label.get(&(label.key, label.value.clone()));
        let lists: Vec<_> = selector.fixed().map(with).collect();
        if lists.iter().any(Option::is_none) {
            return Vec::new();
        }
        match lists.into_iter().flatten().min_by_key(|list| list.len()) {
            Some(list) => {
                list.iter().map(|index| &self.all[*index as usize]).filter(fits).collect()
            }
            None => self.all.iter().filter(fits).collect(),
        }
    }

    /// Returns whether there are pods in the namespaces that `is_in` accepts.
    pub(super) fn has_any(&self, is_in: impl Fn(&str) -> bool) -> bool {
        self.all.iter().any(|pod| is_in(&pod.namespace))
    }

    /// Returns whether pods of a namespace have a label, whatever its value.
    pub(super) fn has_key(&self, key: Key, namespace: &str) -> bool {
        let mut here = self.all.iter().filter(|pod| may_be_same(&pod.namespace, namespace));
        here.any(|pod| pod.label(key).is_some())
    }

    /// Returns the label of pods in a namespace that a selector misses by this one label: what it wants, and what is there.
    pub(super) fn nearly<'s, 'p>(
        &'p self,
        selector: &'s Selector,
        namespace: &str,
    ) -> Option<Near<'s, 'p>> {
        let here = self.all.iter().filter(|pod| may_be_same(&pod.namespace, namespace));
        let here: Vec<&Pod> = here.take(MAX_COMPARED).collect();
        let others = |missed: usize, pod: &Pod| {
            let mut rest = selector.labels.iter().enumerate().filter(|(index, _)| *index != missed);
            rest.all(|(_, wanted)| pod.has(wanted))
        };
        for (index, wanted) in selector.labels.iter().enumerate() {
            let fitting: Vec<&Label> = here
                .iter()
                .filter(|pod| others(index, pod))
                .filter_map(|pod| label_of(&pod.labels, wanted.key))
                .collect();
            let is_enough = selector.labels.len() > 1;
            let near = nearest(&wanted.value, fitting.iter().map(|label| label.value.as_str()));
            let found = match near {
                Some(near) => fitting.iter().find(|label| label.value == near),
                None => fitting.first().filter(|_| is_enough),
            };
            if let Some(found) = found {
                return Some((wanted, found));
            }
        }
        None
    }
}

impl Pod {
    fn has(&self, wanted: &Label) -> bool {
        self.label(wanted.key).is_some_and(|own| own == wanted.value)
    }

    fn label(&self, key: Key) -> Option<&str> {
        label_of(&self.labels, key).map(|label| label.value.as_str())
    }
}

impl Selector {
    /// Reads the map of labels that Services have.
    pub(super) fn of_labels(labels: &Node) -> Self {
        let entries = labels.entries().unwrap_or_default().iter();
        let label = |entry: &Entry| Label {
            key: Key::text_key(entry.key.text()),
            value: entry.value.shared_text(),
            at: entry.value.origin(),
        };
        Self { labels: entries.map(label).collect(), expressions: Box::default() }
    }

    /// Reads a selector with `matchLabels` and `matchExpressions`.
    pub(super) fn of(node: &Node) -> Self {
        let mut selector = child(node, "matchLabels").map_or_else(Self::default, Self::of_labels);
        selector.expressions = each(node, "matchExpressions[]")
            .into_iter()
            .map(|one| Expression {
                key: Key::text_key(&shared(one, "key")),
                operator: shared(one, "operator"),
                values: each(one, "values[]").into_iter().map(Node::shared_text).collect(),
            })
            .collect();
        selector
    }

    /// Returns whether the selector asks for nothing, and so selects everything.
    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }

    /// Returns the values of the labels.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(|label| label.value.as_str())
    }

    /// Returns the keys of the labels and of the expressions.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        let expressions = self.expressions.iter().map(|one| one.key);
        self.labels.iter().map(|label| label.key).chain(expressions)
    }

    /// Returns the labels that stand in the template of a pod.
    fn fixed(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter().filter(|label| {
            let key = label.key.text();
            let is_role = key.ends_with("role") && ROLES.contains(&label.value.as_str());
            // Vault says so what it is.
            let is_given = GIVEN_LABELS.contains(&key) || key.starts_with("vault-");
            !is_role && !is_given
        })
    }

    fn selects(&self, pod: &Pod) -> bool {
        self.fixed().all(|wanted| pod.has(wanted))
            && self.expressions.iter().all(|one| one.fits(pod.label(one.key)))
    }

    /// Returns whether the selector fits labels.
    pub(super) fn fits(&self, labels: &[Label]) -> bool {
        let label = |key| label_of(labels, key).map(|label| label.value.as_str());
        self.labels.iter().all(|wanted| label(wanted.key) == Some(wanted.value.as_str()))
            && self.expressions.iter().all(|one| one.fits(label(one.key)))
    }
}

/// As `app=web,tier in (a, b)`.
impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let labels = self.labels.iter().map(|one| format!("{}={}", one.key.text(), one.value));
        let expressions = self.expressions.iter().map(|one| match one.operator.as_str() {
            "Exists" => one.key.text().to_owned(),
            "DoesNotExist" => format!("!{}", one.key.text()),
            "In" => format!("{} in ({})", one.key.text(), one.values.join(", ")),
            _ => format!("{} notin ({})", one.key.text(), one.values.join(", ")),
        });
        f.write_str(&labels.chain(expressions).collect::<Vec<_>>().join(","))
    }
}

impl Expression {
    fn fits(&self, label: Option<&str>) -> bool {
        let is_one = label.is_some_and(|label| self.values.iter().any(|value| value == label));
        match self.operator.as_str() {
            "In" => is_one,
            "NotIn" => !is_one,
            "Exists" => label.is_some() || GIVEN_LABELS.contains(&self.key.text()),
            "DoesNotExist" => label.is_none(),
            _ => true,
        }
    }
}
