//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.
//!
//! A patch of `patches` is tried as a strategic merge patch first, then as a JSON patch (`api/internal/builtins`,
//! PatchTransformer). The three fields differ in more than their names: which earlier ids are remembered, and whether the
//! labels and annotations of a patch pass through kustomize's string maps on the way, which turns a null into the text
//! `null`.
//!
//! [`load`] reads patches, this file applies them, and [`report`] says what a merge could not do or did in vain.

mod load;
mod report;

use super::json_patch::{self, JsonPatch};
use super::merge::{Merge, MergeFault, MergeResult, Merged};
use super::path::near_field;
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::provenance::{LogEntry, LogKind, OriginId, Recorder, StepKind, ValuePath};
use crate::resource::{AliasWrites, Resource, ResourceSet, Selector, get_or_create_map, set_field};
use crate::session::{Context, Text};
use crate::yaml::{Key, Node, known, round_numbers};

pub(crate) use load::{
    load_json6902, load_patch, load_strategic_merge, require_some, strategic_merge,
};
use report::{directives_of, merge_fault, warn_of_merge, warn_of_nulls};

/// Which objects a patch is for.
#[derive(Debug)]
pub(crate) enum PatchTarget {
    /// Those that the patch itself names: exactly one.
    Named,
    /// Those that a selector fits.
    Selected(Box<Selector>),
}

/// A patch, read and checked.
#[derive(Debug)]
pub(crate) struct LoadedPatch {
    at: OriginId,
    target: PatchTarget,
    /// Where the selector stands.
    target_at: OriginId,
    content: PatchContent,
    allow_name_change: bool,
    allow_kind_change: bool,
    /// The field that asks for the patch.
    field: PatchField,
}

/// The field that asks for a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchField {
    Patches,
    StrategicMerge,
    Json6902,
}

#[derive(Debug)]
enum PatchContent {
    Strategic(Vec<Resource>),
    Json(JsonPatch),
}

impl LoadedPatch {
    /// Returns whether the patch holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.content {
            PatchContent::Strategic(patches) => patches.is_empty(),
            PatchContent::Json(json) => json.operations.is_empty(),
        }
    }
}

/// Applies a patch to the objects of a set.
pub(crate) fn apply(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    patch: &LoadedPatch,
) -> Fallible<()> {
    match (&patch.content, &patch.target) {
        (PatchContent::Strategic(patches), PatchTarget::Named) => {
            let mut result = Ok(());
            for own in patches {
                if let Err(reported) = apply_named(cx, set, patch, own) {
                    result = Err(reported);
                }
            }
            result
        }
        (PatchContent::Strategic(patches), PatchTarget::Selected(selector)) => {
            let Some(own) = patches.first() else { return Ok(()) };
            let selected = select(cx, set, selector, patch)?;
            warn_of_nulls(cx, own);
            let prepared = prepare(own.clone(), PatchPass::ThroughStringMaps);
            for index in selected {
                let id = set.get(index).id().clone();
                merge_into(cx, set, index, patch, for_target(&prepared, set.get(index)))?;
                let changed = set.get(index).id();
                if *changed != id
                    && !set.get(index).is_deleted()
                    && set.count_current_id(changed) > 1
                {
                    return Err(name_clash(cx, set, index, patch.at));
                }
            }
            Ok(())
        }
        (PatchContent::Json(json), PatchTarget::Selected(selector)) => {
            let selected = select(cx, set, selector, patch)?;
            let mut result = Ok(());
            for index in selected {
                if let Err(reported) = apply_json(cx, set, index, patch, json) {
                    result = Err(reported);
                }
            }
            result
        }
        (PatchContent::Json(_), PatchTarget::Named) => Ok(()),
    }
}

fn select(
    cx: &mut Context<'_>,
    set: &ResourceSet,
    selector: &Selector,
    patch: &LoadedPatch,
) -> Fallible<Vec<usize>> {
    let selected = selector.select(set).map_err(|error| {
        let diagnostic = cx.selector_error(&error, patch.target_at);
        cx.fail(diagnostic)
    })?;
    if selected.is_empty() {
        let message = format!("the patch changes nothing: no object fits {selector}");
        let d = Diagnostic::warning(Code::PatchNoMatch, message)
            .at(cx.span(patch.target_at), "fits nothing");
        let d = match selector.near_miss(set) {
            Some((index, help)) => {
                d.at(cx.span(set.get(index).node().origin()), "did you mean this one?").help(help)
            }
            None => d,
        };
        cx.warn_idle(patch.at, d);
    } else {
        cx.sink.effective(Code::PatchNoMatch, patch.at);
    }
    Ok(selected)
}

fn name_clash(cx: &mut Context<'_>, set: &ResourceSet, index: usize, at: OriginId) -> Reported {
    let id = set.get(index).id();
    let message = format!("the patch makes two objects `{id}`");
    let mut d = Diagnostic::error(Code::ResourceDuplicateId, message).at(cx.span(at), "this patch");
    for other in set.named(&id.name).into_iter().filter(|&i| set.get(i).id().matches(id)) {
        d = d.at(cx.span(set.get(other).node().origin()), "one of them");
    }
    cx.fail(d)
}

fn apply_named(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    patch: &LoadedPatch,
    own: &Resource,
) -> Fallible<()> {
    let id = own.original_id();
    let found = set.by_any_id(&id);
    match found[..] {
        [index] => {
            let own = match patch.field {
                PatchField::StrategicMerge => {
                    warn_of_nulls(cx, own);
                    for_target(&prepare(own.clone(), PatchPass::ThroughStringMaps), set.get(index))
                }
                _ if patch.allow_name_change || patch.allow_kind_change => {
                    prepare(own.clone(), PatchPass::Flagged).node().clone()
                }
                _ => own.node().clone(),
            };
            merge_into(cx, set, index, patch, own)
        }
        [] => {
            let message = format!("there is no `{id}` to patch");
            let name =
                own.node().at(&[known::METADATA, known::NAME]).map_or(OriginId::NONE, Node::origin);
            let d =
                Diagnostic::error(Code::PatchTargetMissing, message).at(cx.span(name), "not found");
            let d = match near_target(cx, set, &id) {
                Some((index, help)) => d
                    .at(cx.span(set.get(index).node().origin()), "did you mean this one?")
                    .help(help),
                None => d,
            };
            Err(cx.fail(d))
        }
        _ => {
            let message = format!("`{id}` fits {} objects", found.len());
            let name =
                own.node().at(&[known::METADATA, known::NAME]).map_or(OriginId::NONE, Node::origin);
            let mut d = Diagnostic::error(Code::PatchTargetAmbiguous, message)
                .at(cx.span(name), "not unique");
            for index in found {
                d = d.at(cx.span(set.get(index).node().origin()), "one of them");
            }
            Err(cx.fail(d.help("use a `target` with a selector that fits one object")))
        }
    }
}

/// The object that a patch probably means: of the same kind and name elsewhere, or of a name that is near.
fn near_target(
    cx: &Context<'_>,
    set: &ResourceSet,
    id: &crate::resource::ResourceId,
) -> Option<(usize, String)> {
    let same_kind = |other: &crate::resource::ResourceId| other.gvk.kind == id.gvk.kind;
    let _ = cx;
    for index in set.named(&id.name) {
        let other = set.get(index).id();
        if other.name != id.name || !same_kind(other) {
            continue;
        }
        if other.gvk != id.gvk {
            return Some((index, format!("write `apiVersion: {}`", other.gvk.api_version())));
        }
        return Some(match other.namespace.as_str() {
            "" => (index, "remove the namespace from the patch".to_owned()),
            namespace => (index, format!("write `namespace: {namespace}` in the patch")),
        });
    }
    let of_kind = || set.iter().enumerate().filter(|(_, r)| same_kind(r.id()));
    let near = crate::diagnostic::nearest(&id.name, of_kind().map(|(_, r)| r.id().name.as_str()))?;
    let (index, resource) = of_kind().find(|(_, r)| r.id().name == near)?;
    Some((index, format!("write `name: {}`", resource.id().name)))
}

/// What becomes of the labels and annotations of a patch before it is merged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PatchPass {
    /// Both become strings, and so does a null.
    ThroughStringMaps,
    /// The annotations do, because a flag was added to them.
    Flagged,
}

fn prepare(mut patch: Resource, pass: PatchPass) -> Resource {
    if pass == PatchPass::ThroughStringMaps {
        let labels = patch.string_map(known::LABELS);
        patch.set_string_map(known::LABELS, &labels);
    }
    let annotations = patch.string_map(known::ANNOTATIONS);
    patch.set_string_map(known::ANNOTATIONS, &annotations);
    if pass == PatchPass::ThroughStringMaps {
        let origin = |p: &Resource, key| {
            p.node().at(&[known::METADATA, key]).map_or_else(|| p.node().origin(), Node::origin)
        };
        let (name, namespace) = (patch.id().name.clone(), patch.id().namespace.clone());
        let (name_origin, namespace_origin) =
            (origin(&patch, known::NAME), origin(&patch, known::NAMESPACE));
        patch.set_name(&name, name_origin);
        patch.set_namespace(&namespace, namespace_origin);
    }
    patch
}

/// The patch with the version of its target.
fn for_target(patch: &Resource, target: &Resource) -> Node {
    let mut node = patch.node().clone();
    let text = |node: &mut Node, key: Key, text: &str| {
        let origin = node.get(key).map_or_else(|| node.origin(), Node::origin);
        set_field(node, key.text(), Node::untyped(text, origin), &mut AliasWrites::default());
    };
    text(&mut node, known::API_VERSION, &target.id().gvk.api_version());
    text(&mut node, known::KIND, &patch.id().gvk.kind);
    node
}

/// Returns whether a patch removes or replaces the annotations as a whole, and with them what kustomize keeps there.
fn wipes_annotations(patch: &Node) -> bool {
    let wipes = |node: &Node| {
        let directive = node.get(known::PATCH_DIRECTIVE).map_or("", Node::text);
        node.is_null() || matches!(directive, "delete" | "replace")
    };
    let metadata = patch.get(known::METADATA);
    metadata.is_some_and(|m| wipes(m) || m.get(known::ANNOTATIONS).is_some_and(wipes))
}

/// The fields that say which object this is.
const IDENTITY: [&[Key]; 4] = [
    &[known::API_VERSION],
    &[known::KIND],
    &[known::METADATA, known::NAME],
    &[known::METADATA, known::NAMESPACE],
];

fn merge_into(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    index: usize,
    patch: &LoadedPatch,
    mut own: Node,
) -> Fallible<()> {
    let step = cx.provenance.step(StepKind::StrategicMergePatch, patch.at);
    let mut recorder = Recorder::new(&mut cx.provenance, step);
    let schemas = &mut cx.schemas;
    let wipes = wipes_annotations(&own);
    let patch_origin = own.origin();
    let directives = directives_of(&own);
    let mut notices = Vec::new();
    let merged = set.update(index, |resource| -> Result<(), MergeFault> {
        let before = IDENTITY.map(|path| resource.node().at(path).map(Node::origin));
        let id = resource.id().clone();
        if patch.allow_name_change || patch.allow_kind_change {
            resource.store_previous_id();
        }
        let merge = Merge::new(schemas, &mut recorder);
        let MergeResult { merged, log, notices: found } =
            merge.object(resource.node_mut(), &mut own)?;
        notices = found;
        for entry in log {
            resource.push_log(entry);
        }
        if merged == Merged::Deleted || resource.node().is_null_or_empty() {
            let previous = resource.node().origin();
            resource.push_log(LogEntry {
                step: recorder.step(),
                at: patch_origin,
                path: ValuePath::default(),
                kind: LogKind::Deleted,
                previous,
                value: None,
            });
            resource.delete();
            return Ok(());
        }
        if wipes {
            resource.forget_hidden_annotations();
        }
        resource.allow_name_change |= patch.allow_name_change;
        resource.allow_kind_change |= patch.allow_kind_change;
        resource.read_build_annotations();
        if !patch.allow_kind_change {
            let origin = before[1].unwrap_or_default();
            let kind = Node::untyped(id.gvk.kind.clone(), origin);
            set_field(resource.node_mut(), known::KIND.text(), kind, &mut AliasWrites::default());
        }
        if !patch.allow_name_change {
            resource.set_name(&id.name, before[2].unwrap_or_default());
        }
        resource.set_namespace(&id.namespace, before[3].unwrap_or_default());
        if let (Some(origin), Some(node)) =
            (before[0], resource.node_mut().get_mut(known::API_VERSION))
        {
            node.set_origin(origin);
        }
        Ok(())
    });
    merged.map_err(|fault| merge_fault(cx, set.get(index), patch_origin, &fault))?;
    if !notices.is_empty() || !directives.is_empty() {
        warn_of_merge(cx, set.get(index), &notices, &directives);
    }
    Ok(())
}

fn apply_json(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    index: usize,
    patch: &LoadedPatch,
    json: &JsonPatch,
) -> Fallible<()> {
    if patch.field == PatchField::Patches {
        set.update(index, Resource::store_previous_id);
    }
    let mut document = match crate::yaml::json_view(set.get(index).node()) {
        Ok(document) => document,
        Err(fault) => return Err(cx.view_fault(&fault)),
    };
    // kustomize's own annotations are there even if no others are.
    if set.get(index).has_hidden_annotations() {
        let origin = document.origin();
        if let Some(metadata) = get_or_create_map(&mut document, known::METADATA, origin) {
            get_or_create_map(metadata, known::ANNOTATIONS, origin);
        }
    }
    let step = cx.provenance.step(StepKind::JsonPatch, patch.at);
    let mut log = Vec::new();
    for (number, operation) in json.operations.iter().enumerate() {
        if operation.adds_by_replacing(&mut document) {
            let path = operation.path.as_ref().map_or("", Text::as_str);
            let message = format!(
                "there is no `{path}` to replace in `{}`: it is added",
                set.get(index).id()
            );
            let at = operation.path.as_ref().map_or(operation.at, |path| path.at);
            let d = Diagnostic::warning(Code::PatchReplaceAdds, message)
                .at(cx.span(at), "not found")
                .at(cx.span(set.get(index).node().origin()), "in this object");
            cx.warn(d.help("correct the path, or write `op: add`"));
        }
        let mut recorder = Recorder::new(&mut cx.provenance, step);
        if let Err(fault) = operation.apply(&mut document, &mut recorder, &mut log) {
            let id = set.get(index).id();
            let path = operation.path.as_ref().map_or("", Text::as_str);
            let what = match operation.op.as_str() {
                "" => format!("operation {number}"),
                op => format!("operation {number} ({op} `{path}`)"),
            };
            let message = format!("{what} does not apply to `{id}`: {}", fault.message());
            let near = near_field(&document, path.split('/').skip(1)).map(str::to_owned);
            let mut d = Diagnostic::error(Code::PatchOperation, message)
                .at(cx.span(operation.at), "this operation")
                .at(cx.span(set.get(index).node().origin()), "the object it is for");
            if let json_patch::OperationFault::TestFailed { at, .. } = fault {
                d = d.at(cx.span(at), "the value that is tested");
            } else if let Some(near) = near {
                d = d.help(format!("did you mean `{near}`?"));
            }
            return Err(cx.fail(d));
        }
    }
    let mut rounded = Vec::new();
    if let Err(fault) = round_numbers(&mut document, &mut rounded) {
        return Err(cx.view_fault(&fault));
    }
    for (at, text) in rounded {
        let message = format!(
            "the patch rounds a number of `{}` that it need not touch: it becomes `{text}`",
            set.get(index).id()
        );
        let d = Diagnostic::warning(Code::PatchNumberRounded, message)
            .at(cx.span(at), "rounded")
            .at(cx.span(patch.at), "by this patch");
        cx.warn(d.help(
            "put the number in quotes if it may be a string, or use a strategic merge patch",
        ));
    }
    set.update(index, |resource| {
        let previous = resource.node().origin();
        *resource.node_mut() = document;
        // The annotations are set by code afterwards, and so become strings.
        let annotations = resource.string_map(known::ANNOTATIONS);
        resource.set_string_map(known::ANNOTATIONS, &annotations);
        resource.read_build_annotations();
        for entry in log {
            resource.push_log(entry);
        }
        resource.push_log(LogEntry {
            step,
            at: patch.at,
            path: ValuePath::default(),
            kind: LogKind::Rewritten,
            previous,
            value: None,
        });
    });
    Ok(())
}
