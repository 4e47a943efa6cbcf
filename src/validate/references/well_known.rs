//! What every cluster has of itself.
//!
//! The roles are those that the API server creates (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy` of Kubernetes) and those that
//! OpenShift adds to them; what begins with `system:` or with the name of a vendor belongs to the control plane.

use super::{
    CLUSTER_ROLE, CONFIG_MAP, PRIORITY_CLASS, ROLE, SECRET, SERVICE, SERVICE_ACCOUNT, Type,
};

/// Roles of Kubernetes for users.
const CLUSTER_ROLES: [&str; 4] = ["admin", "cluster-admin", "edit", "view"];
/// Roles that every OpenShift has.
const OPENSHIFT_CLUSTER_ROLES: [&str; 25] = [
    "alert-routing-edit",
    "basic-user",
    "cluster-debugger",
    "cluster-monitoring-operator",
    "cluster-monitoring-view",
    "cluster-reader",
    "cluster-status",
    "console-extensions-reader",
    "global-operators-admin",
    "global-operators-edit",
    "global-operators-view",
    "helm-chartrepos-viewer",
    "monitoring-edit",
    "monitoring-rules-edit",
    "monitoring-rules-view",
    "olm-operators-admin",
    "olm-operators-edit",
    "olm-operators-view",
    "registry-admin",
    "registry-editor",
    "registry-viewer",
    "self-access-reviewer",
    "self-provisioner",
    "storage-admin",
    "sudoer",
];
/// What the names of roles begin with that the control plane or its vendor creates.
const RESERVED: [&str; 5] = ["system:", "eks:", "gce:", "aks:", "cloud-provider"];
const CONFIG_MAPS: [&str; 3] =
    ["kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert"];
/// The first is Kubernetes', the others are those of OpenShift.
const SERVICE_ACCOUNTS: [&str; 3] = ["default", "builder", "deployer"];
const CONTROL_PLANE: [&str; 8] = [
    "control-plane",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-dns",
    "kube-proxy",
    "kube-scheduler",
    "kubelet",
];
const KUBE_SYSTEM_ROLES: [&str; 1] = ["extension-apiserver-authentication-reader"];
const KUBE_SYSTEM_SERVICES: [&str; 1] = ["kube-dns"];
const KUBE_SYSTEM_CONFIG_MAPS: [&str; 5] = [
    "coredns",
    "extension-apiserver-authentication",
    "kube-apiserver-legacy-service-account-token-tracking",
    "kubeadm-config",
    "kubelet-config",
];

/// Returns whether a value of a label is that of pods of the control plane: of `component`, `k8s-app` or `tier`.
pub(super) fn labels_pods(value: &str) -> bool {
    CONTROL_PLANE.contains(&value)
}

/// Returns whether a namespace is one in which the control plane and its vendor keep their own objects.
pub(super) fn is_of_platform(namespace: &str) -> bool {
    namespace.starts_with("kube-")
        || namespace == "openshift"
        || namespace.starts_with("openshift-")
}

/// Returns whether a cluster has something without anybody having applied it.
pub(super) fn exists(wanted: Type<'_>, namespace: &str, name: &str) -> bool {
    let in_namespace = |one: &str| namespace == one || namespace.is_empty();
    match wanted {
        CLUSTER_ROLE => {
            CLUSTER_ROLES.contains(&name)
                || OPENSHIFT_CLUSTER_ROLES.contains(&name)
                || is_reserved(name)
        }
        ROLE => {
            is_reserved(name) || in_namespace("kube-system") && KUBE_SYSTEM_ROLES.contains(&name)
        }
        PRIORITY_CLASS => name.starts_with("system-") || name.starts_with("openshift-"),
        CONFIG_MAP => {
            CONFIG_MAPS.contains(&name)
                || in_namespace("kube-system") && KUBE_SYSTEM_CONFIG_MAPS.contains(&name)
        }
        SERVICE_ACCOUNT => SERVICE_ACCOUNTS.contains(&name),
        SERVICE => {
            in_namespace("default") && name == "kubernetes"
                || in_namespace("kube-system") && KUBE_SYSTEM_SERVICES.contains(&name)
        }
        // The sources of those that OpenShift has in every namespace have names that change.
        SECRET => false,
        _ => false,
    }
}

fn is_reserved(role: &str) -> bool {
    RESERVED.iter().any(|start| role.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objects_of_the_cluster_are_known() {
        assert!(exists(CLUSTER_ROLE, "", "system:auth-delegator"));
        assert!(exists(CLUSTER_ROLE, "", "view"));
        assert!(!exists(CLUSTER_ROLE, "", "viewer"));
        assert!(exists(ROLE, "kube-system", "extension-apiserver-authentication-reader"));
        assert!(!exists(ROLE, "shop", "extension-apiserver-authentication-reader"));
        assert!(exists(CONFIG_MAP, "shop", "kube-root-ca.crt"));
        assert!(exists(SERVICE_ACCOUNT, "shop", "default"));
        assert!(exists(SERVICE, "default", "kubernetes"));
        assert!(!exists(SERVICE, "shop", "kubernetes"));
        assert!(exists(PRIORITY_CLASS, "", "system-node-critical"));
    }
}
