//! Fields of objects.

use super::structure::is_null;
use crate::yaml::Node;

/// Returns the value of a field; none where it is absent or null.
pub(super) fn child<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let entry = node.entries()?.iter().find(|entry| entry.key.text() == name)?;
    (!is_null(&entry.value)).then_some(&entry.value)
}

/// Returns the value at a path of fields; none where one is absent or null.
pub(super) fn field<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, name| child(node, name))
}
