//! The file that an object is rendered to.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::project::RenderLayout;
use crate::resource::Resource;

/// The longest name of a file or folder, in bytes.
const MAX_NAME: usize = 200;

/// The groups that are part of Kubernetes, which a path leaves out.
const BUILT_IN_GROUPS: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// Names that Windows gives to devices, with or without an extension.
fn is_device(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = |prefix: &str| {
        base.strip_prefix(prefix).is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']))
    };
    matches!(base.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// Returns the path of an object inside the folder of its environment.
pub(super) fn path(resource: &Resource, layout: RenderLayout) -> String {
    let id = resource.id();
    let namespace =
        if id.cluster_scoped || id.namespace.is_empty() { "_none" } else { &id.namespace };
    let mut kind = id.gvk.kind.to_lowercase();
    if !BUILT_IN_GROUPS.contains(&id.gvk.group.as_str()) {
        kind = ecow::eco_format!("{kind}.{}", id.gvk.group);
    }
    let name = format!("{kind}-{}", plain_name(resource));
    match layout {
        RenderLayout::Single => "manifests.yaml".to_owned(),
        RenderLayout::Flat => file_name(&format!("{namespace}.{name}"), ".yaml"),
        RenderLayout::Tree => format!("{}/{}", file_name(namespace, ""), file_name(&name, ".yaml")),
    }
}

/// Returns the name of an object without its content hash.
pub(crate) fn plain_name(resource: &Resource) -> &str {
    let name = resource.id().name.as_str();
    name.strip_suffix(resource.hash_suffix()).unwrap_or(name)
}

fn file_name(name: &str, extension: &str) -> String {
    let mut out = String::new();
    for (index, byte) in name.bytes().enumerate() {
        let is_safe = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        // A name does not begin or end with a dot, and is no device.
        let is_dot =
            byte == b'.' && (index == 0 || index + 1 == name.len() && extension.is_empty());
        if is_safe && !is_dot && !(index == 0 && is_device(name)) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    if out.len() + extension.len() > MAX_NAME {
        let digest = Sha256::digest(&out);
        out.truncate(MAX_NAME - extension.len() - "-01234567".len());
        out.push('-');
        for byte in digest.iter().take(4) {
            let _ = write!(out, "{byte:02x}");
        }
    }
    out + extension
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_on_every_disk() {
        assert_eq!(file_name("shop.deployment-api", ".yaml"), "shop.deployment-api.yaml");
        assert_eq!(
            file_name("_none.clusterrole-system:x", ".yaml"),
            "_none.clusterrole-system%3Ax.yaml"
        );
        assert_eq!(file_name("con", ""), "%63on");
        assert_eq!(file_name("com1.service-a", ".yaml"), "%63om1.service-a.yaml");
        assert_eq!(file_name("console", ""), "console");
        assert_eq!(file_name("..", ""), "%2E%2E");
        let long = file_name(&"a".repeat(300), ".yaml");
        assert_eq!(long.len(), 200);
        assert_ne!(long, file_name(&"a".repeat(301), ".yaml"));
    }
}
