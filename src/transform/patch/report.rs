//! What a merge could not do, and what it did as kustomize does it and nobody can want.

use crate::diagnostic::{Code, Diagnostic, Reported};
use crate::provenance::OriginId;
use crate::resource::Resource;
use crate::session::Context;
use crate::transform::merge::{MergeFault, Notice, NoticeKind};
use crate::yaml::{Key, Node, known};

/// Reports the nulls among the labels and annotations of a patch, which do not remove what they stand for.
pub(super) fn warn_of_nulls(cx: &mut Context<'_>, patch: &Resource) {
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

/// The keys of a patch that look like directives, each with its origin.
pub(super) fn directives_of(patch: &Node) -> Vec<(Key, OriginId)> {
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
pub(super) fn warn_of_merge(
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

pub(super) fn merge_fault(
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
