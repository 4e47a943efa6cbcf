//! `edit add|remove patch`, and the old fields of patches.

use super::tree::{
    elements, elements_mut, field, map_of, position, push, remove, remove_if_empty, text, text_of,
};
use super::{Edit, EditError};
use crate::yaml::Node;

/// The fields of a target, in the order in which they are written.
const TARGET: [&str; 7] =
    ["group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"];

/// A patch as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PatchArg {
    pub(crate) path: String,
    pub(crate) patch: String,
    /// The fields of the target: group, version, kind, name, namespace, label selector, annotation selector.
    pub(crate) target: [String; 7],
}

impl PatchArg {
    /// Checks what `edit remove` takes.
    pub(crate) fn check(&self) -> Result<(), EditError> {
        if !self.path.is_empty() && !self.patch.is_empty() {
            return Err(EditError::usage("patch and path can't be set at the same time"));
        }
        Ok(())
    }

    /// Checks what `edit add` takes.
    pub(crate) fn check_added(&self) -> Result<(), EditError> {
        self.check()?;
        if self.path.is_empty() && self.patch.is_empty() {
            return Err(EditError::usage("must provide either patch or path"));
        }
        Ok(())
    }

    fn has_target(&self) -> bool {
        self.target.iter().any(|part| !part.is_empty())
    }

    /// Returns whether an entry says the same, field by field.
    fn is(&self, entry: &Node) -> bool {
        let has_same_target = match field(entry, "target") {
            None => !self.has_target(),
            Some(target) => {
                let mut parts = TARGET.iter().zip(&self.target);
                self.has_target() && parts.all(|(name, part)| text(target, name) == part.as_str())
            }
        };
        has_same_target
            && field(entry, "options").is_none()
            && text(entry, "path") == self.path.as_str()
            && text(entry, "patch") == self.patch.as_str()
    }

    fn node(&self) -> Node {
        let mut node = map_of(&[("path", &self.path), ("patch", &self.patch)]);
        if self.has_target() {
            let parts: Vec<(&str, &str)> =
                TARGET.iter().copied().zip(self.target.iter().map(String::as_str)).collect();
            push(&mut node, "target", map_of(&parts));
        }
        node
    }

    /// What messages call it.
    fn name(&self) -> &str {
        if self.path.is_empty() { &self.patch } else { &self.path }
    }
}

impl Edit {
    /// Adds a patch that is not there yet.
    pub(crate) fn add_patch(&mut self, patch: &PatchArg) {
        if elements(&self.root, "patches").iter().any(|entry| patch.is(entry)) {
            let name = patch.name();
            return self.notice(format!("patch {name} already in kustomization file"));
        }
        elements_mut(&mut self.root, "patches").push(patch.node());
    }

    /// Removes a patch.
    pub(crate) fn remove_patch(&mut self, patch: &PatchArg) {
        if !elements(&self.root, "patches").iter().any(|entry| patch.is(entry)) {
            let name = patch.name();
            return self.notice(format!("patch {name} doesn't exist in kustomization file"));
        }
        elements_mut(&mut self.root, "patches").retain(|entry| !patch.is(entry));
        remove_if_empty(&mut self.root, "patches");
    }

    /// Moves the patches of the old fields to `patches`. `is_file`: whether a text is the path of a file.
    pub(super) fn fix_patches(&mut self, is_file: impl Fn(&str) -> bool) {
        const STRATEGIC: &str = "patchesStrategicMerge";
        for entry in elements(&self.root, STRATEGIC).to_vec().into_iter().enumerate() {
            let (index, old) = entry;
            let name = if is_file(&text_of(&old)) { "path" } else { "patch" };
            // It stands where the text stood.
            let mut patch = Node::map(Vec::new(), old.origin());
            push(&mut patch, name, old);
            elements_mut(&mut self.root, STRATEGIC)[index] = patch;
        }
        for old in ["patchesJson6902", STRATEGIC] {
            self.fold_list(old, "patches");
        }
    }

    /// Moves the elements of a list to the end of another. If that one is not there, the list gets its name.
    pub(super) fn fold_list(&mut self, old: &str, new: &str) {
        if elements(&self.root, old).is_empty() {
            return remove(&mut self.root, old);
        }
        if elements(&self.root, new).is_empty() {
            remove(&mut self.root, new);
            return super::fix::rename(&mut self.root, old, new);
        }
        let moved = elements(&self.root, old).to_vec();
        remove(&mut self.root, old);
        elements_mut(&mut self.root, new).extend(moved);
        debug_assert!(position(&self.root, old).is_none());
    }
}
