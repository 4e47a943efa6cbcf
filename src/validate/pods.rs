//! The pods that objects ask for.

use super::fields::field;
use super::report::Path;
use crate::yaml::{Node, known};

/// The lists of containers of a pod.
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// A pod, or the template of pods.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pod<'n> {
    /// The kind of the object that it stands in.
    pub(super) kind: &'n str,
    /// From the root of the object to what has `metadata` and `spec`.
    pub(super) at: &'static [&'static str],
    pub(super) metadata: Option<&'n Node>,
    pub(super) spec: &'n Node,
}

/// A container of a pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container<'n> {
    /// The list that it stands in.
    pub(super) list: &'static str,
    pub(super) index: usize,
    pub(super) node: &'n Node,
}

impl<'n> Pod<'n> {
    /// Returns the pod of an object: a `Pod`, or the template of a workload of Kubernetes or of a Rollout.
    pub(super) fn of(object: &'n Node) -> Option<Self> {
        let kind = object.get(known::KIND).map_or("", Node::text);
        let api_version = object.get(known::API_VERSION).map_or("", Node::text);
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let at: &[&str] = match (group, kind) {
            ("", "Pod") => &[],
            ("", "PodTemplate") => &["template"],
            ("", "ReplicationController")
            | ("apps" | "extensions", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job")
            | ("argoproj.io", "Rollout") => &["spec", "template"],
            ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template"],
            _ => return None,
        };
        let node = field(object, at)?;
        let spec = field(node, &["spec"])?;
        Some(Self { kind, at, metadata: field(node, &["metadata"]), spec })
    }

    /// Returns the path of its specification, from the root of the object.
    pub(super) fn path(&self) -> Path<'n> {
        let mut path = Path::default();
        for part in self.at {
            path.push_key(part);
        }
        path.push_key("spec");
        path
    }

    /// Returns every container, in the order in which they start.
    pub(super) fn containers(&self) -> impl Iterator<Item = Container<'n>> + use<'n> {
        let spec = self.spec;
        CONTAINERS.into_iter().flat_map(move |list| {
            let nodes = field(spec, &[list]).and_then(Node::elements).unwrap_or_default();
            nodes.iter().enumerate().map(move |(index, node)| Container { list, index, node })
        })
    }

    /// Returns the path of a container.
    pub(super) fn container_path(&self, container: Container<'n>) -> Path<'n> {
        let mut path = self.path();
        path.push_key(container.list);
        path.push_index(container.index);
        path
    }
}

impl Container<'_> {
    /// Returns its name, for messages.
    pub(super) fn name(&self) -> &str {
        field(self.node, &["name"]).map_or("", Node::text)
    }
}
