//! What is checked and dropped once a whole set is there.

use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::provenance::OriginId;
use crate::resource::{Resource, ResourceSet, metadata_entry, metadata_map};
use crate::session::Context;
use crate::yaml::{Node, NodeKind, known, write_document};

/// Drops the objects that are marked as local (`config.kubernetes.io/local-config`), whatever the mark says but `false`.
/// Every object must still have a kind and a name.
pub(crate) fn drop_local_objects(cx: &mut Context<'_>, set: &mut ResourceSet) -> Fallible<()> {
    let mut result = Ok(());
    for resource in &*set {
        let id = resource.id();
        let missing = match (id.gvk.kind.as_str(), id.name.as_str()) {
            ("", _) => (Code::ResourceMissingKind, "the object has no `kind`"),
            (kind, "") if !kind.ends_with("List") => {
                (Code::ResourceMissingName, "the object has no `metadata.name`")
            }
            _ => continue,
        };
        let d = Diagnostic::error(missing.0, format!("{} once it is built", missing.1))
            .at(cx.span(resource.node().origin()), "this object");
        result = Err(cx.fail(d));
    }
    result?;
    set.retain(|resource| {
        let mark = metadata_entry(resource.node(), known::ANNOTATIONS, known::LOCAL_CONFIG.text());
        mark.is_none_or(|mark| mark == "false")
    });
    Ok(())
}

/// Gives every object a `metadata`: kustomize looks there for its own annotations. A list object may have come without.
pub(crate) fn complete_metadata(cx: &mut Context<'_>, set: &mut ResourceSet) -> Fallible<()> {
    let mut result = Ok(());
    for index in 0..set.len() {
        match set.get(index).node().get(known::METADATA) {
            None => set.update_content(index, |resource| {
                let empty = Node::map(Vec::new(), OriginId::NONE);
                resource.node_mut().push_entry(known::METADATA, OriginId::NONE, empty);
            }),
            Some(metadata) if metadata.is_null() || metadata.kind() == NodeKind::Map => {}
            Some(metadata) => {
                let message = format!("`metadata` is a {}, expected a map", metadata.kind().name());
                let d = Diagnostic::error(Code::ResourceNotAnObject, message);
                let d = d.at(cx.span(metadata.origin()), "not a map");
                result = Err(cx.fail(d));
            }
        }
    }
    result
}

/// Requires that a validator has changed nothing but the label by which it signs.
pub(crate) fn require_unchanged(
    cx: &mut Context<'_>,
    before: &ResourceSet,
    after: &ResourceSet,
) -> Fallible<()> {
    if before.len() != after.len() {
        let d = Diagnostic::error(Code::PluginInvalid, "a validator has added or removed objects");
        return Err(cx.fail(d));
    }
    let mut result = Ok(());
    for resource in before {
        let changed = after.by_current_id(resource.id()).map(|index| after.get(index));
        if !changed.is_some_and(|changed| is_same(resource, changed)) {
            result = Err(changed_by_validator(cx, resource));
        }
    }
    result
}

fn changed_by_validator(cx: &mut Context<'_>, resource: &Resource) -> Reported {
    let message = format!("a validator has changed `{}`", resource.id());
    let d = Diagnostic::error(Code::PluginInvalid, message)
        .at(cx.span(resource.node().origin()), "this object");
    cx.fail(d.help("name the plugin under `transformers`"))
}

fn is_same(before: &Resource, after: &Resource) -> bool {
    let mut after = after.clone();
    if metadata_map(after.node(), known::LABELS)
        .is_some_and(|labels| labels.get(known::VALIDATED_BY).is_some())
    {
        let mut labels = after.string_map(known::LABELS);
        labels.retain(|(key, ..)| key != known::VALIDATED_BY.text());
        after.set_string_map(known::LABELS, &labels);
    }
    let text = |resource: &Resource| {
        let mut out = Vec::new();
        write_document(resource.node(), &mut out).ok().map(|()| out)
    };
    before.has_same_memory(&after)
        && text(before).is_some_and(|text_before| text(&after) == Some(text_before))
}
