//! The `ValueAddTransformer` plugin: a value put into fields, or into file paths that fields hold.

use super::namespace::{self, SetNamespace, SubjectMode};
use super::path::{LookupFault, lookup_create};
use super::set_value::path_fault;
use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::project::{FieldSpecs, split_path};
use crate::provenance::{OriginId, Recorder, StepKind};
use crate::resource::{AliasWrites, ResourceSet, Selector, set_scalar};
use crate::session::{Context, Text};
use crate::yaml::{Node, NodeKind};

/// The configuration of a ValueAddTransformer.
#[derive(Debug)]
pub(crate) struct ValueAdd {
    pub(crate) at: OriginId,
    pub(crate) value: Text,
    pub(crate) targets: Vec<ValueTarget>,
}

/// Where the value goes.
#[derive(Debug)]
pub(crate) struct ValueTarget {
    pub(crate) at: OriginId,
    pub(crate) selector: Option<Selector>,
    pub(crate) field_path: Text,
    /// The position in a file path, from 1; 0 replaces the whole value.
    pub(crate) file_path_position: usize,
}

/// Puts the value into the fields of the objects of a set.
pub(crate) fn apply(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    config: &ValueAdd,
) -> Fallible<()> {
    let step = cx.provenance.step(StepKind::ValueAdd, config.at);
    for target in &config.targets {
        let selected = match &target.selector {
            None => (0..set.len()).collect(),
            Some(selector) => selector.select(set).map_err(|error| {
                let diagnostic = cx.selector_error(&error, target.at);
                cx.fail(diagnostic)
            })?,
        };
        for index in selected {
            if target.field_path.as_str() == "metadata/namespace" {
                set_namespace(cx, set, index, config, step)?;
                continue;
            }
            let parts = split_path_keeping_slash(target.field_path.as_str());
            let mut recorder = Recorder::new(&mut cx.provenance, step);
            let result = set.update(index, |resource| -> Result<(), LookupFault> {
                let root = resource.node_mut();
                let at = config.value.at;
                let Some(node) = lookup_create(root, &parts, NodeKind::Scalar, at)? else {
                    return Ok(());
                };
                super::path::require_kind(node, NodeKind::Scalar, target.field_path.as_str())?;
                let (text, origin) = match target.file_path_position {
                    0 => (config.value.value.to_string(), recorder.write(at, node)),
                    position => {
                        let part = config.value.as_str();
                        let text = insert_path_part(node.text(), position - 1, part);
                        (text, recorder.extend(at, node))
                    }
                };
                let mut writes = AliasWrites::default();
                set_scalar(node, Node::untyped(text, origin), &mut writes);
                writes.apply(root);
                Ok(())
            });
            if let Err(fault) = result {
                let path = &target.field_path;
                let id = set.get(index).id();
                let message = format!("`{}` of `{id}` cannot be set: {fault}", path.value);
                let d = Diagnostic::error(Code::FieldPathConflict, message)
                    .at(cx.span(path.at), "this path");
                return Err(cx.fail(d));
            }
        }
    }
    Ok(())
}

fn set_namespace(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    index: usize,
    config: &ValueAdd,
    step: crate::provenance::StepId,
) -> Fallible<()> {
    let namespace = SetNamespace {
        at: config.at,
        namespace: config.value.clone(),
        specs: FieldSpecs::default(),
        unset_only: false,
        subjects: SubjectMode::DefaultOnly,
    };
    let mut recorder = Recorder::new(&mut cx.provenance, step);
    let result = set.update(index, |r| namespace::apply_to_metadata(r, &namespace, &mut recorder));
    result.map_err(|(fault, path)| {
        path_fault(cx, fault, &path, &set.get(index).id().clone(), config.at)
    })
}

/// A slash at the start is an empty part, which is skipped when the path is followed.
fn split_path_keeping_slash(path: &str) -> Vec<String> {
    split_path(path, '/')
}

/// Inserts a part into a file path; a leading slash stays where it is.
fn insert_path_part(path: &str, position: usize, part: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for piece in path.split('/').filter(|p| !p.is_empty()) {
        parts.push(piece);
    }
    let position = position.min(parts.len());
    parts.insert(position, part);
    // The path is cleaned, as Go's `filepath.Join` does.
    let mut clean: Vec<&str> = Vec::with_capacity(parts.len());
    for piece in parts.iter().flat_map(|part| part.split('/')) {
        match piece {
            "" | "." => {}
            ".." if clean.last().is_some_and(|last| *last != "..") => {
                clean.pop();
            }
            ".." if absolute => {}
            piece => clean.push(piece),
        }
    }
    let joined = clean.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_inserted_into_a_path() {
        let cases = [
            ("", 0, "P"),
            ("/", 0, "/P"),
            ("pie", 0, "P/pie"),
            ("/pie", 0, "/P/pie"),
            ("raw", 1, "raw/P"),
            ("/raw", 9, "/raw/P"),
            ("a/nice/warm/pie", 3, "a/nice/warm/P/pie"),
            ("/a/nice/warm/pie", 3, "/a/nice/warm/P/pie"),
        ];
        for (path, position, want) in cases {
            assert_eq!(insert_path_part(path, position, "P"), want, "{path} {position}");
        }
    }
}
