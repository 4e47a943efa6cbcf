//! What is checked and dropped once a whole set is there.

use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::provenance::{LogEntry, LogKind, OriginId, StepKind, ValuePath};
use crate::resource::{Resource, ResourceSet, get_or_create_map, metadata_map};
use crate::session::Context;
use crate::source::Span;
use crate::yaml::{Node, NodeKind, known, write_document};

/// Drops the objects that are marked as local (`config.kubernetes.io/local-config`), whatever the mark says but `false`.
/// Every object must still have a kind and a name.
pub(crate) fn drop_local_objects(cx: &mut Context<'_>, set: &mut ResourceSet) -> Fallible<()> {
    let mut result = Ok(());
    for resource in &*set {
        let id = resource.id();
        let metadata = resource.node().get(known::METADATA);
        if let Some(metadata) = metadata.filter(|m| !m.is_null() && m.kind() != NodeKind::Map) {
            let found = metadata.kind().name();
            let message = format!("`metadata` of `{id}` must be a map, found a {found}");
            let d = Diagnostic::error(Code::FieldPathConflict, message)
                .at(cx.span(metadata.origin()), format!("a {found}"));
            result = Err(cx.fail(d));
            continue;
        }
        let is_null = |key| resource.node().get(key).is_some_and(Node::is_null);
        let missing = match (id.gvk.kind.as_str(), id.name.as_str()) {
            ("", _) => (Code::ResourceMissingKind, "the object has no `kind`"),
            _ if is_null(known::KIND) => (Code::ResourceMissingKind, "the object has no `kind`"),
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
    for index in 0..set.len() {
        if set.get(index).node().get(known::METADATA).is_none() {
            // A list needs no metadata, and has some once kustomize has taken its own annotations off.
            set.update_content(index, |resource| {
                let origin = resource.node().origin();
                get_or_create_map(resource.node_mut(), known::METADATA, origin);
            });
        }
    }
    if set.iter().any(|resource| local_mark(resource).is_some()) {
        let step = cx.provenance.step(StepKind::LocalConfig, OriginId::NONE);
        for index in 0..set.len() {
            let Some(at) = local_mark(set.get(index)) else { continue };
            set.update_content(index, |resource| {
                let (path, previous) = (ValuePath::default(), resource.node().origin());
                let kind = LogKind::Local;
                resource.push_log(LogEntry { step, at, path, kind, previous, value: None });
            });
        }
        set.retain(|resource| local_mark(resource).is_none());
    }
    Ok(())
}

/// Returns where an object is marked as local.
fn local_mark(resource: &Resource) -> Option<OriginId> {
    // Of several equal marks the first counts.
    let annotations = metadata_map(resource.node(), known::ANNOTATIONS)?;
    let mark = annotations.get(known::LOCAL_CONFIG)?;
    (mark.text() != "false").then(|| mark.origin())
}

/// Secret texts that are shorter are not looked for in other values: they are parts of other words.
const MIN_SEARCHED_SECRET: usize = 6;

/// Refuses objects that hold a value which may reach only the data of Secrets.
pub(crate) fn forbid_leaks(cx: &mut Context<'_>, set: &ResourceSet) -> Fallible<()> {
    let mut result = Ok(());
    let Some(templates) = &cx.options.templates else { return result };
    let secrets = templates.secrets();
    let files = cx.sources().secret_files();
    if secrets.is_empty() && !files.iter().any(|file| file.is_rendered()) {
        return result;
    }
    let secrets: Vec<&str> =
        secrets.iter().map(String::as_str).filter(|s| s.len() >= MIN_SEARCHED_SECRET).collect();
    for resource in set {
        let id = resource.id();
        let is_secret = id.gvk.kind == "Secret" && id.gvk.group.is_empty();
        let mut found = Vec::new();
        for entry in resource.node().entries().into_iter().flatten() {
            if !is_secret || !matches!(entry.key.text(), "data" | "stringData") {
                find_leaks(cx, &entry.value, &secrets, &mut found);
            }
        }
        for span in found {
            let message = if is_secret {
                format!("a secret value stands outside the data of `{id}`")
            } else {
                format!("a secret value reaches `{id}`, which is no Secret")
            };
            let d =
                Diagnostic::error(Code::ValuesSecretLeak, message).at(span, "for everyone to read");
            result =
                Err(cx.fail(d.help("put the value into the data of a Secret, and refer to that")));
        }
    }
    result
}

fn find_leaks(cx: &Context<'_>, node: &Node, secrets: &[&str], found: &mut Vec<Option<Span>>) {
    let holds = |text: &str| secrets.iter().any(|secret| text.contains(secret));
    if node.is_scalar() {
        let span = cx.span(node.origin());
        let printed = span.and_then(|span| {
            let file = cx.sources().file(span.file)?;
            let secret = file.prints().iter().filter(|print| print.is_secret);
            let mut inside =
                secret.filter(|print| print.start < span.end && span.start < print.end);
            inside.next().map(|print| Span { start: print.start, end: print.end, ..span })
        });
        if printed.is_some() || holds(node.text()) {
            found.push(printed.or(span));
        }
    }
    for entry in node.entries().into_iter().flatten() {
        if holds(entry.key.text()) {
            found.push(cx.span(entry.key_origin));
        }
        find_leaks(cx, &entry.value, secrets, found);
    }
    for element in node.elements().into_iter().flatten() {
        find_leaks(cx, element, secrets, found);
    }
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
