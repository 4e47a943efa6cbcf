//! What becomes of a generated object: it is new, or it replaces or extends one that is there.
//!
//! See `appendReplaceOrMerge` in `api/resmap/reswrangler.go`.

use std::collections::HashMap;

use ecow::EcoString;

use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::provenance::{LogEntry, LogKind, OriginId, StepKind, ValuePath};
use crate::resource::{AliasWrites, Behavior, Resource, ResourceSet, get_or_create_map, set_field};
use crate::session::Context;
use crate::yaml::{Key, Node, known};

/// Adds a generated object to a set. `at`: the generator.
pub(crate) fn absorb(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    mut resource: Resource,
    at: OriginId,
) -> Fallible<()> {
    let matches = set.by_any_id(resource.id());
    let behavior = resource.behavior.unwrap_or_default();
    match (matches[..].first(), behavior) {
        (None, Behavior::Merge | Behavior::Replace) => {
            let verb = if behavior == Behavior::Merge { "merge into" } else { "replace" };
            let message = format!("`{}` does not exist: there is nothing to {verb}", resource.id());
            let d = Diagnostic::error(Code::GeneratorNothingToMerge, message)
                .at(cx.span(at), "this generator");
            Err(cx.fail(d.help(
                "leave `behavior` out to create the object, or correct its name and namespace",
            )))
        }
        (None, Behavior::Create | Behavior::Unspecified) => match set.append(resource) {
            Ok(_) => Ok(()),
            Err(clash) => Err(cx.id_clash(set, &clash, at)),
        },
        (Some(_), _) if matches.len() > 1 => {
            let message = format!("`{}` fits {} objects", resource.id(), matches.len());
            let mut d =
                Diagnostic::error(Code::GeneratorExists, message).at(cx.span(at), "this generator");
            for &index in &matches {
                d = d.at(cx.span(set.get(index).node().origin()), "one of them");
            }
            Err(cx.fail(d.help("set the namespace of the generator")))
        }
        (Some(&index), Behavior::Create | Behavior::Unspecified) => {
            let message = format!("`{}` exists already", resource.id());
            let d = Diagnostic::error(Code::GeneratorExists, message)
                .at(cx.span(at), "generated again here")
                .at(cx.span(set.get(index).node().origin()), "first defined here");
            Err(cx.fail(d.help("write `behavior: merge` or `behavior: replace`, or another name")))
        }
        (Some(&index), Behavior::Merge | Behavior::Replace) => {
            let old = set.get(index);
            let origin_annotation =
                old.string_map(known::ANNOTATIONS).into_iter().find(|(key, ..)| is_origin(key));
            take_metadata(cx, &mut resource, old);
            if behavior == Behavior::Merge {
                for field in [known::DATA, known::BINARY_DATA] {
                    require_keys(cx, &resource, field, at)?;
                    require_keys(cx, set.get(index), field, at)?;
                }
                let old = set.get(index);
                merge_data(cx, &mut resource, old.node(), known::DATA);
                merge_data(cx, &mut resource, old.node(), known::BINARY_DATA);
                if let Some(annotation) = origin_annotation {
                    let mut annotations = resource.string_map(known::ANNOTATIONS);
                    annotations.retain(|(key, ..)| !is_origin(key));
                    annotations.push(annotation);
                    annotations.sort_by(|a, b| a.0.cmp(&b.0));
                    resource.set_string_map(known::ANNOTATIONS, &annotations);
                }
            }
            let step = cx.provenance.step(StepKind::Generate, at);
            let old = set.get(index).node();
            let (kind, previous) = (LogKind::MapReplaced, old.origin());
            let (path, value) = (ValuePath::default(), cx.provenance.kept(old));
            resource.push_log(LogEntry { step, at, path, kind, previous, value });
            resource.refresh(set.scopes());
            set.replace(index, resource);
            Ok(())
        }
    }
}

fn is_origin(key: &str) -> bool {
    key == known::ORIGIN_ANNOTATION.text()
}

type Pairs = Vec<(EcoString, EcoString, OriginId)>;

/// Adds the pairs of `old` that `new` does not have.
fn union(cx: &mut Context<'_>, old: Pairs, mut new: Pairs) -> Pairs {
    for pair in old {
        match new.iter_mut().find(|(key, ..)| *key == pair.0) {
            Some(own) => own.2 = cx.provenance.over(own.2, &Node::string(pair.1, pair.2)),
            None => new.push(pair),
        }
    }
    new.sort_by(|a, b| a.0.cmp(&b.0));
    new
}

/// Takes over name, namespace and memory of the old object, and those of its labels and annotations that the new one
/// does not set.
fn take_metadata(cx: &mut Context<'_>, resource: &mut Resource, old: &Resource) {
    for field in [known::LABELS, known::ANNOTATIONS] {
        let pairs = union(cx, old.string_map(field), resource.string_map(field));
        resource.set_string_map(field, &pairs);
    }
    let origin =
        old.node().at(&[known::METADATA, known::NAME]).map_or(OriginId::NONE, Node::origin);
    resource.set_name(&old.id().name.clone(), origin);
    let origin =
        old.node().at(&[known::METADATA, known::NAMESPACE]).map_or(OriginId::NONE, Node::origin);
    resource.set_namespace(&old.id().namespace.clone(), origin);
    resource.take_memory(old);
}

/// A merge sets every key anew, and an empty one cannot be set.
fn require_keys(
    cx: &mut Context<'_>,
    resource: &Resource,
    field: Key,
    at: OriginId,
) -> Fallible<()> {
    let Some(entry) = resource.node().get(field).and_then(|map| map.entry(known::EMPTY)) else {
        return Ok(());
    };
    let message = format!("`{}` of `{}` has an empty key", field.text(), resource.id());
    let d = Diagnostic::error(Code::GeneratorInvalid, message)
        .at(cx.span(entry.key_origin), "an empty key")
        .at(cx.span(at), "merged by this generator");
    Err(cx.fail(d))
}

/// Adds what the old object's map holds and the new one's does not.
fn merge_data(cx: &mut Context<'_>, resource: &mut Resource, old: &Node, field: Key) {
    let texts = |node: &Node| -> Vec<(EcoString, Node)> {
        let entries = node.get(field).and_then(Node::entries).unwrap_or_default();
        let mut out: Vec<(EcoString, Node)> = Vec::with_capacity(entries.len());
        let mut seen = std::collections::HashSet::with_capacity(entries.len());
        for entry in entries {
            // Of two equal keys the first is read twice.
            if seen.insert(entry.key.text()) {
                let text = if entry.value.is_null() {
                    EcoString::new()
                } else {
                    entry.value.shared_text()
                };
                out.push((entry.key.text().into(), Node::string(text, entry.value.origin())));
            }
        }
        out
    };
    let mut pairs = texts(resource.node());
    let own: HashMap<EcoString, usize> =
        pairs.iter().enumerate().map(|(index, (key, _))| (key.clone(), index)).collect();
    for (key, value) in texts(old) {
        match own.get(&key) {
            Some(&index) => {
                let new = &mut pairs[index].1;
                new.set_origin(cx.provenance.over(new.origin(), &value));
            }
            None => pairs.push((key, value)),
        }
    }
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    let node = resource.node_mut();
    let origin = node.get(field).or_else(|| old.get(field)).map_or(node.origin(), Node::origin);
    node.remove(field);
    if pairs.is_empty() {
        return;
    }
    if let Some(map) = get_or_create_map(node, field, origin) {
        for (key, value) in pairs {
            set_field(map, &key, value, &mut AliasWrites::default());
        }
    }
}
