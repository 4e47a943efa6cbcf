//! Setting a value at the end of a path, and reporting why it could not be set.

use super::field_path::PathFault;
use crate::diagnostic::{Code, Diagnostic, Reported};
use crate::provenance::OriginId;
use crate::resource::{AliasWrites, ResourceId, set_field, set_scalar};
use crate::session::Context;
use crate::yaml::{Node, NodeKind};

/// Sets the text of a scalar; a null becomes one.
pub(crate) fn put_scalar(
    node: &mut Node,
    value: Node,
    writes: &mut AliasWrites,
) -> Result<(), PathFault> {
    require(node, NodeKind::Scalar)?;
    set_scalar(node, value, writes);
    Ok(())
}

/// Sets an entry of a map. A null stays one. Without a name, kyaml's setter looks for a scalar to set.
pub(crate) fn put_entry(
    node: &mut Node,
    name: &str,
    value: Node,
    writes: &mut AliasWrites,
) -> Result<(), PathFault> {
    require(node, NodeKind::Map)?;
    if name.is_empty() {
        require(node, NodeKind::Scalar)?;
    }
    set_field(node, name, value, writes);
    Ok(())
}

/// Requires that a value has a kind; a null has every kind.
pub(crate) fn require(node: &Node, needed: NodeKind) -> Result<(), PathFault> {
    if node.is_null() || node.kind() == needed {
        return Ok(());
    }
    Err(PathFault::Kind { at: node.origin(), found: node.kind(), needed })
}

/// Reports that a path could not be followed. `at`: what asked for it.
pub(crate) fn path_fault(
    cx: &mut Context<'_>,
    fault: PathFault,
    path: &str,
    id: &ResourceId,
    at: OriginId,
) -> Reported {
    let diagnostic = match fault {
        PathFault::Crosses(value) => {
            let message = format!("`{path}` of `{id}` leads through a scalar, which has no fields");
            Diagnostic::error(Code::FieldPathConflict, message).at(cx.span(value), "a scalar")
        }
        PathFault::Kind { at: value, found, needed } => {
            let message =
                format!("`{path}` of `{id}` must be a {}, found a {}", needed.name(), found.name());
            Diagnostic::error(Code::FieldPathConflict, message)
                .at(cx.span(value), format!("a {}", found.name()))
        }
        PathFault::EmptyPart => Diagnostic::error(
            Code::FieldPathConflict,
            format!("the path `{path}` has an empty part"),
        ),
        PathFault::Index => {
            let message =
                format!("the path `{path}` names a list element; lists are walked as a whole");
            Diagnostic::error(Code::FieldPathConflict, message)
        }
    };
    cx.fail(diagnostic.at(cx.span(at), "asked for here"))
}
