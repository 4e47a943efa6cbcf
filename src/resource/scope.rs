//! Which kinds live outside namespaces.
//!
//! kustomize knows this for the kinds of Kubernetes 1.21 (`precomputedIsNamespaceScoped` in `kyaml/openapi/openapi.go`);
//! every other kind counts as namespaced, custom resources included. A schema of one's own can add to the table.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Gvk;

/// The cluster-scoped kinds of Kubernetes 1.21: `apiVersion` and kind, sorted.
const CLUSTER_SCOPED: &[(&str, &str)] = &[
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("apiregistration.k8s.io/v1beta1", "APIService"),
    ("certificates.k8s.io/v1", "CertificateSigningRequest"),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "PriorityLevelConfiguration"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("networking.k8s.io/v1beta1", "IngressClass"),
    ("node.k8s.io/v1", "RuntimeClass"),
    ("node.k8s.io/v1beta1", "RuntimeClass"),
    ("policy/v1beta1", "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("scheduling.k8s.io/v1beta1", "PriorityClass"),
    ("storage.k8s.io/v1", "CSIDriver"),
    ("storage.k8s.io/v1", "CSINode"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("storage.k8s.io/v1", "VolumeAttachment"),
    ("storage.k8s.io/v1beta1", "CSIDriver"),
    ("storage.k8s.io/v1beta1", "CSINode"),
    ("storage.k8s.io/v1beta1", "StorageClass"),
    ("storage.k8s.io/v1beta1", "VolumeAttachment"),
    ("v1", "ComponentStatus"),
    ("v1", "Namespace"),
    ("v1", "Node"),
    ("v1", "NodeProxyOptions"),
    ("v1", "PersistentVolume"),
];

/// The namespaced kinds that the precomputed table knows; a schema cannot change what the table says.
const NAMESPACED: &[(&str, &str)] = &[
    ("apps/v1", "ControllerRevision"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
    ("autoscaling/v1", "HorizontalPodAutoscaler"),
    ("autoscaling/v1", "Scale"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("batch/v1beta1", "CronJob"),
    ("coordination.k8s.io/v1", "Lease"),
    ("coordination.k8s.io/v1beta1", "Lease"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("discovery.k8s.io/v1beta1", "EndpointSlice"),
    ("events.k8s.io/v1", "Event"),
    ("events.k8s.io/v1beta1", "Event"),
    ("extensions/v1beta1", "Ingress"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("networking.k8s.io/v1beta1", "Ingress"),
    ("policy/v1", "PodDisruptionBudget"),
    ("policy/v1beta1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1beta1", "Role"),
    ("rbac.authorization.k8s.io/v1beta1", "RoleBinding"),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity"),
    ("v1", "ConfigMap"),
    ("v1", "Endpoints"),
    ("v1", "Event"),
    ("v1", "LimitRange"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Pod"),
    ("v1", "PodAttachOptions"),
    ("v1", "PodExecOptions"),
    ("v1", "PodPortForwardOptions"),
    ("v1", "PodProxyOptions"),
    ("v1", "PodTemplate"),
    ("v1", "ReplicationController"),
    ("v1", "ResourceQuota"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("v1", "ServiceProxyOptions"),
];

/// Where kinds live.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    /// What a schema of one's own says, beyond the table: whether the kind is namespaced.
    added: HashMap<Gvk, bool>,
    /// Whether a kind outside the table was asked for.
    met_unknown: AtomicBool,
}

impl Clone for Scopes {
    fn clone(&self) -> Self {
        let met_unknown = AtomicBool::new(self.unknown_kind_was_met());
        Self { added: self.added.clone(), met_unknown }
    }
}

impl Scopes {
    /// Adds what a schema says about a kind.
    pub(crate) fn add(&mut self, gvk: Gvk, namespaced: bool) {
        let known = self.added.entry(gvk).or_insert(namespaced);
        *known |= namespaced;
    }

    /// Returns whether the scope of a kind outside the table was asked for.
    pub(crate) fn unknown_kind_was_met(&self) -> bool {
        self.met_unknown.load(Ordering::Relaxed)
    }

    /// Notes that the scope of such a kind was asked for.
    pub(crate) fn note_unknown_kind(&self) {
        self.met_unknown.store(true, Ordering::Relaxed);
    }

    /// Returns whether a kind certainly lives outside namespaces.
    pub(crate) fn is_cluster_scoped(&self, gvk: &Gvk) -> bool {
        let api_version = gvk.api_version();
        let wanted = (api_version.as_str(), gvk.kind.as_str());
        if CLUSTER_SCOPED.binary_search(&wanted).is_ok() {
            return true;
        }
        if NAMESPACED.binary_search(&wanted).is_ok() {
            return false;
        }
        self.met_unknown.store(true, Ordering::Relaxed);
        self.added.get(gvk).is_some_and(|namespaced| !namespaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_searched() {
        assert!(CLUSTER_SCOPED.is_sorted() && NAMESPACED.is_sorted());
        let scopes = Scopes::default();
        assert!(scopes.is_cluster_scoped(&Gvk::new("", "v1", "Namespace")));
        assert!(scopes.is_cluster_scoped(&Gvk::new(
            "rbac.authorization.k8s.io",
            "v1",
            "ClusterRole"
        )));
        assert!(!scopes.is_cluster_scoped(&Gvk::new("", "v1", "Pod")));
        assert!(!scopes.is_cluster_scoped(&Gvk::new("example.com", "v1", "Cluster")));
    }

    #[test]
    fn a_schema_adds_kinds_but_does_not_change_known_ones() {
        let mut scopes = Scopes::default();
        let custom = Gvk::new("example.com", "v1", "Cluster");
        scopes.add(custom.clone(), false);
        scopes.add(Gvk::new("", "v1", "Pod"), false);
        assert!(scopes.is_cluster_scoped(&custom));
        assert!(!scopes.is_cluster_scoped(&Gvk::new("", "v1", "Pod")));
        scopes.add(custom.clone(), true);
        assert!(!scopes.is_cluster_scoped(&custom));
    }
}
