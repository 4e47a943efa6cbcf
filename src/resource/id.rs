//! What identifies an object.

use ecow::EcoString;

use super::Gvk;

/// The namespace that stands for "outside namespaces" where ids are compared.
pub(crate) const NOT_NAMESPACED: &str = "_non_namespaceable_";

/// The namespace that an empty one means.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// The id of an object: type, name and namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceId {
    /// The type.
    pub gvk: Gvk,
    /// The name.
    pub name: EcoString,
    /// The namespace as written; empty where none is.
    pub namespace: EcoString,
    /// Whether the kind certainly lives outside namespaces.
    pub cluster_scoped: bool,
}

impl ResourceId {
    /// Returns the namespace that counts when ids are compared: `default` for none, a mark for cluster-scoped kinds.
    pub fn effective_namespace(&self) -> &str {
        if self.cluster_scoped {
            NOT_NAMESPACED
        } else if self.namespace.is_empty() {
            DEFAULT_NAMESPACE
        } else {
            &self.namespace
        }
    }

    /// Returns whether both ids name the same object (kustomize's `ResId.Equals`).
    pub fn matches(&self, other: &ResourceId) -> bool {
        self.name == other.name
            && self.gvk == other.gvk
            && self.effective_namespace() == other.effective_namespace()
    }
}

impl std::fmt::Display for ResourceId {
    /// Writes `Kind.group/namespace/name`, without what is empty.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/", self.gvk)?;
        if !self.namespace.is_empty() && !self.cluster_scoped {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

/// A name, namespace and kind that an object had before a transformer changed one of them.
///
/// The group and version of an earlier id are always the present ones (`api/internal/utils/makeResIds.go`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PreviousId {
    /// The name.
    pub name: EcoString,
    /// The namespace that counted when the id was current.
    pub namespace: EcoString,
    /// The kind.
    pub kind: EcoString,
}

impl PreviousId {
    /// Returns the id that this was, with the present group and version.
    pub fn with_version_of(&self, gvk: &Gvk) -> ResourceId {
        ResourceId {
            gvk: Gvk {
                group: gvk.group.clone(),
                version: gvk.version.clone(),
                kind: self.kind.clone(),
            },
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            cluster_scoped: false,
        }
    }
}
