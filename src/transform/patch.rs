//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.
//!
//! A patch of `patches` is tried as a strategic merge patch first, then as a JSON patch (`api/internal/builtins`,
//! PatchTransformer). The three fields differ in more than their names: which earlier ids are remembered, and whether the
//! labels and annotations of a patch pass through kustomize's string maps on the way, which turns a null into the text
//! `null`.

use std::path::Path;
use std::sync::Arc;

use super::json_patch::{self, JsonPatch};
use super::merge::{Merge, MergeFault, MergeResult, Merged, Notice, NoticeKind};
use super::path::near_field;
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::project::{Patch, Target};
use crate::provenance::{LogEntry, LogKind, OriginId, Recorder, StepKind};
use crate::resource::{
    AliasWrites, ReadFault, Resource, ResourceSet, Selector, get_or_create_map, read_objects,
    set_field,
};
use crate::session::{Context, Text, json_error, syntax_error};
use crate::source::SourceFile;
use crate::yaml::{
    Dialect, Key, Node, known, parse_document, parse_json, round_numbers, second_document,
};

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

/// A text of a patch and the file it lies in.
struct PatchText {
    file: Arc<SourceFile>,
    /// White space around an inline patch does not belong to it.
    start: usize,
    end: usize,
    is_inline: bool,
}

impl PatchText {
    fn file(file: Arc<SourceFile>) -> Self {
        let end = file.bytes().len();
        Self { file, start: 0, end, is_inline: false }
    }

    fn inline(cx: &mut Context<'_>, text: &Text) -> Fallible<Self> {
        let trimmed = text.as_str().trim();
        let start = text.value.len() - text.as_str().trim_start().len();
        let file = cx.inline_file(text)?;
        Ok(Self { file, start, end: start + trimmed.len(), is_inline: true })
    }

    fn bytes(&self) -> &[u8] {
        &self.file.bytes()[self.start..self.end]
    }

    fn base(&self) -> u32 {
        self.file.base() + self.start as u32
    }

    fn objects(&self, cx: &Context<'_>) -> Result<Vec<Node>, ReadFault> {
        if self.is_inline {
            read_objects(self.bytes(), self.base())
        } else {
            cx.try_objects(&self.file)
        }
    }

    /// Of a JSON patch, the first document counts.
    fn warn_of_second_document(&self, cx: &mut Context<'_>) {
        let text = std::str::from_utf8(self.bytes()).unwrap_or_default();
        let Some(offset) = second_document(text) else { return };
        let d = Diagnostic::warning(
            Code::PatchDocumentIgnored,
            "a JSON patch is one document: what follows counts for nothing",
        );
        let at = cx.span_at(self.base() + offset as u32);
        cx.warn(d.at(at, "not read").help("append the operations to the first document"));
    }

    /// Returns the JSON patch that the text is; otherwise, if the reason is its syntax, what is wrong with it.
    fn json_patch(&self) -> Result<JsonPatch, Option<Diagnostic>> {
        let text = std::str::from_utf8(self.bytes()).map_err(|_| None)?;
        if text.starts_with('[') {
            let node = parse_json(text, self.base())
                .map_err(|e| Some(json_error(&e, &self.file, self.start)))?;
            return json_patch::decode(&node, Some((text, self.base()))).ok_or(None);
        }
        let node = parse_document(text, self.base(), Dialect::V2)
            .map_err(|e| Some(syntax_error(&e, &self.file, self.start)))?;
        json_patch::decode(&node.unwrap_or_else(|| Node::null(OriginId::NONE)), None).ok_or(None)
    }
}

/// Reads an entry of `patches`.
pub(crate) fn load_patch(
    cx: &mut Context<'_>,
    root: &Path,
    patch: &Patch,
) -> Fallible<LoadedPatch> {
    let text = patch_text(cx, root, patch)?;
    let content = match text.objects(cx) {
        Ok(nodes) => PatchContent::Strategic(
            nodes.into_iter().map(|n| Resource::new(n, &cx.scopes)).collect(),
        ),
        Err(fault) => match text.json_patch() {
            Ok(json) => {
                text.warn_of_second_document(cx);
                PatchContent::Json(json)
            }
            Err(json_fault) => return Err(unreadable(cx, root, patch, &text, &fault, json_fault)),
        },
    };
    let target = patch_target(cx, patch.target.as_ref())?;
    match (&content, &target) {
        (PatchContent::Strategic(patches), PatchTarget::Selected(_)) if patches.len() > 1 => {
            let message = "a patch with a `target` holds one object";
            let d = Diagnostic::error(Code::InvalidEntry, message)
                .at(cx.span(patches[1].node().origin()), "the second object")
                .at(cx.span(patch.at), "this patch");
            return Err(
                cx.fail(d.help("write one entry of `patches` for each, or leave `target` out"))
            );
        }
        (PatchContent::Json(_), PatchTarget::Named) => {
            let d = Diagnostic::error(Code::InvalidEntry, "a JSON patch needs a `target`");
            return Err(cx.fail(d.at(cx.span(patch.at), "no `target`")));
        }
        _ => {}
    }
    Ok(LoadedPatch {
        at: patch.at,
        target,
        target_at: patch.target.as_ref().map_or(patch.at, |t| t.at),
        content,
        allow_name_change: patch.allow_name_change,
        allow_kind_change: patch.allow_kind_change,
        field: PatchField::Patches,
    })
}

fn patch_text(cx: &mut Context<'_>, root: &Path, patch: &Patch) -> Fallible<PatchText> {
    let inline = patch.patch.as_str().trim();
    match (inline.is_empty(), patch.path.is_empty()) {
        (true, true) => {
            let d = Diagnostic::error(Code::InvalidEntry, "a patch needs `path` or `patch`");
            Err(cx.fail(d.at(cx.span(patch.at), "neither is set")))
        }
        (false, false) => {
            let d =
                Diagnostic::error(Code::InvalidEntry, "a patch has `path` or `patch`, not both")
                    .at(cx.span(patch.patch.at), "`patch`")
                    .at(cx.span(patch.path.at), "`path`");
            Err(cx.fail(d))
        }
        (false, true) => PatchText::inline(cx, &patch.patch),
        (true, false) => Ok(PatchText::file(cx.file(root, &patch.path)?)),
    }
}

fn patch_target(cx: &mut Context<'_>, target: Option<&Target>) -> Fallible<PatchTarget> {
    let Some(target) = target else { return Ok(PatchTarget::Named) };
    match Selector::new(&target.parts) {
        Ok(selector) => Ok(PatchTarget::Selected(Box::new(selector))),
        Err(error) => {
            let diagnostic = cx.selector_error(&error, target.at);
            Err(cx.fail(diagnostic))
        }
    }
}

/// Reports a text that is no patch of either kind. The fault of the kind that the text looks like is the one that helps.
fn unreadable(
    cx: &mut Context<'_>,
    root: &Path,
    patch: &Patch,
    text: &PatchText,
    fault: &ReadFault,
    json_fault: Option<Diagnostic>,
) -> Reported {
    let looks_like_json = text.bytes().starts_with(b"[") || text.bytes().starts_with(b"-");
    let mut diagnostic = match (fault, json_fault) {
        (_, Some(json_fault)) if looks_like_json => json_fault,
        (ReadFault::NotAnObject(at), _) => {
            let message = "a patch is a Kubernetes object or a list of JSON patch operations";
            Diagnostic::error(Code::PatchUnreadable, message).at(cx.span(*at), "neither")
        }
        (fault, _) => cx.read_fault_diagnostic(fault, &text.file),
    };
    // A path in the wrong field is a text like any other.
    let inline = patch.patch.as_str().trim();
    if !inline.is_empty() && !inline.contains('\n') && cx.try_file(root, inline).is_ok() {
        diagnostic = diagnostic.help(format!("`{inline}` is a file: name it under `path`"));
    }
    if diagnostic.help.is_none() && text.bytes().starts_with(b"[") {
        diagnostic = diagnostic
            .help("a patch that begins with `[` is read as JSON: quote its keys and strings");
    }
    diagnostic = diagnostic.at(cx.span(patch.at), "in this patch");
    cx.fail(diagnostic)
}

/// Reads an entry of `patchesStrategicMerge`: a text if it can be read as one, else a path.
pub(crate) fn load_strategic_merge(
    cx: &mut Context<'_>,
    root: &Path,
    entry: &Text,
) -> Fallible<LoadedPatch> {
    let nodes = match read_objects(entry.value.as_bytes(), 0) {
        Ok(_) => {
            let file = cx.inline_file(entry)?;
            Context::inline_objects(&file).unwrap_or_default()
        }
        Err(fault) => {
            if entry.value.contains('\n') && cx.try_file(root, entry.as_str()).is_err() {
                let file = cx.inline_file(entry)?;
                let fault = Context::inline_objects(&file).err().unwrap_or(fault);
                return Err(cx.read_fault(&fault, &file));
            }
            let file = cx.file(root, entry)?;
            cx.objects(&file)?
        }
    };
    Ok(strategic_merge(cx, nodes, entry.at))
}

/// Makes a patch of `patchesStrategicMerge` from its objects.
pub(crate) fn strategic_merge(cx: &Context<'_>, nodes: Vec<Node>, at: OriginId) -> LoadedPatch {
    let patches = nodes.into_iter().map(|n| Resource::new(n, &cx.scopes)).collect();
    LoadedPatch {
        at,
        target: PatchTarget::Named,
        target_at: at,
        content: PatchContent::Strategic(patches),
        allow_name_change: false,
        allow_kind_change: false,
        field: PatchField::StrategicMerge,
    }
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

/// Reads an entry of `patchesJson6902`.
pub(crate) fn load_json6902(
    cx: &mut Context<'_>,
    root: &Path,
    patch: &Patch,
) -> Fallible<LoadedPatch> {
    let Some(target) = patch.target.as_ref().filter(|t| !t.parts.name.is_empty()) else {
        let at = patch.target.as_ref().map_or(patch.at, |t| t.at);
        let d = Diagnostic::error(Code::InvalidEntry, "a JSON patch needs the name of its target");
        return Err(cx.fail(d.at(cx.span(at), "no `target.name`")));
    };
    let mut text = patch_text(cx, root, patch)?;
    // Here an inline text counts as it stands.
    (text.start, text.end) = (0, text.file.bytes().len());
    let json = match text.json_patch() {
        Ok(json) => {
            text.warn_of_second_document(cx);
            json
        }
        Err(fault) => {
            let fault = fault.unwrap_or_else(|| {
                Diagnostic::error(Code::PatchUnreadable, "a JSON patch is a list of operations")
            });
            let fault = fault.at(cx.span(patch.at), "in this patch");
            return Err(cx.fail(fault));
        }
    };
    if json.operations.is_empty() {
        let d = Diagnostic::error(Code::PatchUnreadable, "the JSON patch holds no operation");
        return Err(cx.fail(d.at(cx.span(patch.at), "this patch")));
    }
    Ok(LoadedPatch {
        at: patch.at,
        target: patch_target(cx, Some(target))?,
        target_at: target.at,
        content: PatchContent::Json(json),
        allow_name_change: false,
        allow_kind_change: false,
        field: PatchField::Json6902,
    })
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

/// Reports the nulls among the labels and annotations of a patch, which do not remove what they stand for.
fn warn_of_nulls(cx: &mut Context<'_>, patch: &Resource) {
    for map in [known::LABELS, known::ANNOTATIONS] {
        let entries = patch.node().at(&[known::METADATA, map]).and_then(Node::entries);
        for entry in entries.unwrap_or_default().iter().filter(|e| e.value.is_null()) {
            let (field, key) = (map.text(), entry.key.text());
            let message =
                format!("`{key}` of `{field}` is not removed: it becomes the text `null`");
            let d = Diagnostic::warning(Code::PatchNullBecomesText, message)
                .at(cx.span(entry.key_origin), "becomes `null`")
                .help("use a JSON patch with `op: remove`");
            cx.warn(d);
        }
    }
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

/// The keys of a patch that look like directives, each with its origin.
fn directives_of(patch: &Node) -> Vec<(Key, OriginId)> {
    fn walk(node: &Node, out: &mut Vec<(Key, OriginId)>) {
        for entry in node.entries().into_iter().flatten() {
            if entry.key.text().starts_with('$') {
                out.push((entry.key, entry.key_origin));
            }
            walk(&entry.value, out);
        }
        for element in node.elements().into_iter().flatten() {
            walk(element, out);
        }
    }
    let mut out = Vec::new();
    walk(patch, &mut out);
    out
}

/// Reports what a merge did as kustomize does it and nobody can want.
fn warn_of_merge(
    cx: &mut Context<'_>,
    resource: &Resource,
    notices: &[Notice],
    directives: &[(Key, OriginId)],
) {
    let id = resource.id();
    for notice in notices {
        let (code, message, text) = match notice.kind {
            NoticeKind::ReplaceIgnored => (
                Code::PatchDirectiveIgnored,
                match notice.path.as_str() {
                    "" => format!("`$patch: replace` does not replace `{id}`: nothing changes"),
                    path => format!("`$patch: replace` does not replace `{path}` of `{id}`"),
                },
                "without effect",
            ),
            NoticeKind::ElementDropped => (
                Code::PatchElementDropped,
                format!("an element of `{}` of `{id}` is lost in the merge", notice.path),
                "this element",
            ),
            NoticeKind::EmptyList => (
                Code::PatchEmptyList,
                format!("an empty list leaves `{}` of `{id}` as it is", notice.path),
                "without effect",
            ),
        };
        let help = match notice.kind {
            NoticeKind::ReplaceIgnored => {
                "use a JSON patch, or delete what is not wanted with `null`"
            }
            NoticeKind::ElementDropped => {
                "write the keys that tell the elements apart in all of them, in the patch and in the object"
            }
            NoticeKind::EmptyList => {
                "write `null` to remove the list, or `$patch: delete` in its elements"
            }
        };
        cx.warn(Diagnostic::warning(code, message).at(cx.span(notice.at), text).help(help));
    }
    if directives.is_empty() {
        return;
    }
    let left = directives_of(resource.node());
    for (key, at) in directives {
        if left.iter().any(|(_, origin)| origin == at) {
            let message =
                format!("`{}` is not known here and becomes a field of `{id}`", key.text());
            let d = Diagnostic::warning(Code::PatchDirectiveLeaks, message)
                .at(cx.span(*at), "ends up in the output");
            cx.warn(d.help("remove it: `$patch` with `delete`, `merge` or `replace`, in a map, is the only directive"));
        }
    }
}

fn merge_fault(
    cx: &mut Context<'_>,
    resource: &Resource,
    patch: OriginId,
    fault: &MergeFault,
) -> Reported {
    let id = resource.id();
    let diagnostic = match fault {
        MergeFault::Kind { path, target, target_kind, patch, patch_kind } => {
            let (own, new) = (target_kind.name(), patch_kind.name());
            let message = format!("`{path}` of `{id}` is a {own}, the patch makes it a {new}");
            Diagnostic::error(Code::PatchConflict, message)
                .at(cx.span(*patch), format!("a {new}"))
                .at(cx.span(*target), format!("a {own}"))
        }
        MergeFault::Directive { at, found } => {
            let message = format!("`$patch` is `merge`, `replace` or `delete`, not `{found}`");
            Diagnostic::error(Code::PatchConflict, message).at(cx.span(*at), "not known")
        }
        MergeFault::Key { path, at, found } => {
            let field = if path.is_empty() { String::new() } else { format!("`{path}` of ") };
            let message = format!("a key of {field}`{id}` is {found}");
            Diagnostic::error(Code::PatchConflict, message)
                .at(cx.span(*at), "this key")
                .at(cx.span(patch), "while merging this patch")
        }
        MergeFault::Element { path, at } => {
            let message = format!(
                "the elements of `{path}` of `{id}` are told apart by a key, this one is no map"
            );
            Diagnostic::error(Code::PatchConflict, message)
                .at(cx.span(*at), "not a map")
                .at(cx.span(patch), "while merging this patch")
        }
    };
    cx.fail(diagnostic)
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
        if let Err(fault) = operation.apply(&mut document, &mut recorder) {
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
        let entry = LogEntry {
            step,
            at: patch.at,
            path: String::new(),
            kind: LogKind::Rewritten,
            previous,
        };
        resource.push_log(entry);
    });
    Ok(())
}

/// Makes the transformer of `patchesStrategicMerge`, which must hold something.
pub(crate) fn require_some(
    cx: &mut Context<'_>,
    patches: Vec<LoadedPatch>,
    entries: &[Text],
) -> Fallible<super::Transformer> {
    if patches.iter().all(LoadedPatch::is_empty) {
        let at = entries.first().map_or(OriginId::NONE, |entry| entry.at);
        let d =
            Diagnostic::error(Code::PatchUnreadable, "the strategic merge patches hold no object");
        return Err(cx.fail(d.at(cx.span(at), "this patch")));
    }
    Ok(super::Transformer::StrategicMerge(patches))
}
