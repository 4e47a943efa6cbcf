//! Names of ConfigMaps, Secrets, ServiceAccounts, claims, roles and workloads in objects.

use super::pods::pod_spec;
use super::tree::{at, child, each, text};
use super::{
    CLAIM, CLUSTER_ROLE, CONFIG_MAP, Checker, PRIORITY_CLASS, RBAC, ROLE, Reference, SECRET,
    SERVICE, SERVICE_ACCOUNT, Type,
};
use crate::diagnostic::Code;
use crate::yaml::Node;

/// A field that names an object in the same namespace.
struct NameField {
    /// Where the map is that has the name, and perhaps `optional: true`.
    holder: &'static str,
    name: &'static str,
    /// Where the names of keys are, below the holder; may be empty.
    keys: &'static str,
    wanted: Type<'static>,
    code: Code,
}

const fn config_map(holder: &'static str, keys: &'static str) -> NameField {
    NameField {
        holder,
        name: "name",
        keys,
        wanted: CONFIG_MAP,
        code: Code::ReferenceMissingConfigMap,
    }
}

const fn secret(holder: &'static str, name: &'static str, keys: &'static str) -> NameField {
    NameField { holder, name, keys, wanted: SECRET, code: Code::ReferenceMissingSecret }
}

const POD_FIELDS: &[NameField] = &[
    config_map("volumes[].configMap", "items[].key"),
    config_map("volumes[].projected.sources[].configMap", "items[].key"),
    config_map("initContainers[].env[].valueFrom.configMapKeyRef", "key"),
    config_map("initContainers[].envFrom[].configMapRef", ""),
    config_map("containers[].env[].valueFrom.configMapKeyRef", "key"),
    config_map("containers[].envFrom[].configMapRef", ""),
    secret("volumes[].secret", "secretName", "items[].key"),
    secret("volumes[].projected.sources[].secret", "name", "items[].key"),
    secret("volumes[].azureFile", "secretName", ""),
    secret("volumes[].cephfs.secretRef", "name", ""),
    secret("volumes[].csi.nodePublishSecretRef", "name", ""),
    secret("volumes[].flexVolume.secretRef", "name", ""),
    secret("volumes[].iscsi.secretRef", "name", ""),
    secret("volumes[].rbd.secretRef", "name", ""),
    secret("volumes[].scaleIO.secretRef", "name", ""),
    secret("volumes[].storageos.secretRef", "name", ""),
    secret("initContainers[].env[].valueFrom.secretKeyRef", "name", "key"),
    secret("initContainers[].envFrom[].secretRef", "name", ""),
    secret("containers[].env[].valueFrom.secretKeyRef", "name", "key"),
    secret("containers[].envFrom[].secretRef", "name", ""),
    secret("imagePullSecrets[]", "name", ""),
    NameField {
        holder: "volumes[].persistentVolumeClaim",
        name: "claimName",
        keys: "",
        wanted: CLAIM,
        code: Code::ReferenceMissingClaim,
    },
    NameField {
        holder: "",
        name: "serviceAccountName",
        keys: "",
        wanted: SERVICE_ACCOUNT,
        code: Code::ReferenceMissingServiceAccount,
    },
    NameField {
        holder: "",
        name: "priorityClassName",
        keys: "",
        wanted: PRIORITY_CLASS,
        code: Code::ReferenceMissingPriorityClass,
    },
];

const SERVICE_ACCOUNT_FIELDS: &[NameField] =
    &[secret("secrets[]", "name", ""), secret("imagePullSecrets[]", "name", "")];
const INGRESS_FIELDS: &[NameField] = &[secret("spec.tls[]", "secretName", "")];
const STATEFUL_SET_FIELDS: &[NameField] = &[NameField {
    holder: "spec",
    name: "serviceName",
    keys: "",
    wanted: SERVICE,
    code: Code::ReferenceMissingService,
}];

impl<'n> Checker<'_, 'n> {
    /// Checks the names of single objects.
    pub(super) fn check_names(&mut self) {
        let object = self.object;
        if let Some(spec) = pod_spec(self.own, object) {
            if !self.is_idle() {
                self.check_fields(spec, POD_FIELDS);
            }
            self.check_probes(spec);
        }
        match (self.own.group, self.own.kind) {
            ("", "ServiceAccount") => self.check_fields(object, SERVICE_ACCOUNT_FIELDS),
            ("networking.k8s.io", "Ingress") => self.check_fields(object, INGRESS_FIELDS),
            ("apps", "StatefulSet") => self.check_fields(object, STATEFUL_SET_FIELDS),
            (RBAC, "RoleBinding" | "ClusterRoleBinding") => self.check_binding(),
            ("autoscaling", "HorizontalPodAutoscaler") | ("keda.sh", "ScaledObject") => {
                self.check_target("spec.scaleTargetRef");
            }
            ("autoscaling.k8s.io", "VerticalPodAutoscaler") => self.check_target("spec.targetRef"),
            _ => {}
        }
    }

    /// Returns whether a workload is to have no pod, which then lacks nothing.
    fn is_idle(&mut self) -> bool {
        if text(self.object, "spec.replicas") != "0" {
            return false;
        }
        let name = text(self.object, "metadata.name");
        self.known().is_some_and(|inventory| !inventory.scaled.contains(name))
    }

    fn check_fields(&mut self, root: &'n Node, fields: &[NameField]) {
        for field in fields {
            for holder in each(root, field.holder) {
                let is_optional = child(holder, "optional").is_some_and(|o| o.text() == "true");
                let Some(name) = child(holder, field.name).filter(|_| !is_optional) else {
                    continue;
                };
                let keys =
                    if field.keys.is_empty() { Vec::new() } else { each(holder, field.keys) };
                let reference = Reference::new(field.code, field.wanted, self.namespace, name);
                self.refer(&Reference { keys, ..reference });
            }
        }
    }

    /// Checks the role and the ServiceAccounts of a RoleBinding or a ClusterRoleBinding.
    fn check_binding(&mut self) {
        let object = self.object;
        if let Some(role) = at(object, "roleRef")
            && let Some(name) = child(role, "name")
        {
            let wanted = if text(role, "kind") == "Role" { ROLE } else { CLUSTER_ROLE };
            let code = Code::ReferenceMissingRole;
            self.refer(&Reference::new(code, wanted, self.namespace, name));
        }
        for subject in each(object, "subjects[]") {
            let Some(name) = child(subject, "name") else { continue };
            if text(subject, "kind") != "ServiceAccount" {
                continue;
            }
            let stated = text(subject, "namespace");
            let namespace = if stated.is_empty() { self.namespace } else { stated };
            let code = Code::ReferenceMissingSubject;
            self.refer(&Reference::new(code, SERVICE_ACCOUNT, namespace, name));
        }
    }

    /// Checks the workload that an autoscaler names.
    fn check_target(&mut self, path: &str) {
        let Some(target) = at(self.object, path) else { return };
        let Some(name) = child(target, "name") else { return };
        let stated = Type::of(target);
        // KEDA scales Deployments where nothing else is said.
        let kind = if stated.kind.is_empty() { "Deployment" } else { stated.kind };
        let is_of_apps = matches!(kind, "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet");
        let group = if is_of_apps && stated.group.is_empty() { "apps" } else { stated.group };
        let code = Code::ReferenceMissingScaleTarget;
        self.refer(&Reference::new(code, Type { group, kind }, self.namespace, name));
    }
}
