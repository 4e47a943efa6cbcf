//! Entries of a kustomization, and the texts that they name, to patches.

use std::path::Path;
use std::sync::Arc;

use super::{LoadedPatch, PatchContent, PatchField, PatchTarget};
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::project::{Patch, Target};
use crate::provenance::OriginId;
use crate::resource::{ReadFault, Resource, Selector, read_objects};
use crate::session::{Context, Text, json_error, syntax_error};
use crate::source::SourceFile;
use crate::transform::Transformer;
use crate::transform::json_patch::{self, JsonPatch};
use crate::yaml::{Dialect, Node, parse_document, parse_json, second_document};

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

/// Makes the transformer of `patchesStrategicMerge`, which must hold something.
pub(crate) fn require_some(
    cx: &mut Context<'_>,
    patches: Vec<LoadedPatch>,
    entries: &[Text],
) -> Fallible<Transformer> {
    if patches.iter().all(LoadedPatch::is_empty) {
        let at = entries.first().map_or(OriginId::NONE, |entry| entry.at);
        let d =
            Diagnostic::error(Code::PatchUnreadable, "the strategic merge patches hold no object");
        return Err(cx.fail(d.at(cx.span(at), "this patch")));
    }
    Ok(Transformer::StrategicMerge(patches))
}
