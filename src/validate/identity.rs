//! What objects are called.

use std::sync::Arc;

use ecow::EcoString;

use super::Identity;
use crate::resource::{Gvk, Resource, metadata_text};
use crate::tree;
use crate::yaml::{Node, known};

/// What an object is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectId {
    pub(crate) gvk: Arc<Gvk>,
    pub(crate) namespace: EcoString,
    /// Without content hash.
    pub(crate) name: EcoString,
}

impl ObjectId {
    /// Returns what an object of a build is called.
    pub(crate) fn of(resource: &Resource) -> Self {
        let id = resource.id();
        let name = tree::plain_name(resource).into();
        Self { gvk: Arc::new(id.gvk.clone()), namespace: id.namespace.clone(), name }
    }

    /// Returns what an object is called that was not compiled.
    pub(super) fn written(node: &Node, gvk: Arc<Gvk>) -> Self {
        let text = |key| metadata_text(node, key);
        Self { gvk, namespace: text(known::NAMESPACE), name: text(known::NAME) }
    }

    /// Returns what tells it apart from others of a file.
    pub(super) fn identity(&self) -> Identity<'_> {
        (&self.gvk.group, &self.gvk.kind, &self.namespace, &self.name)
    }

    /// Returns it as `KIND.GROUP/NAMESPACE/NAME`, without what is not there.
    pub(crate) fn text(&self) -> String {
        let Self { gvk, namespace, name } = self;
        if namespace.is_empty() {
            format!("{gvk}/{name}")
        } else {
            format!("{gvk}/{namespace}/{name}")
        }
    }
}
