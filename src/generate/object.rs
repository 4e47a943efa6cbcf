//! ConfigMaps, Secrets and the service accounts of IAM policies, as `api/internal/generators` makes them.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ecow::EcoString;

use super::sources::{self, Pair};
use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::project::{GeneratorArgs, GeneratorOptions};
use crate::provenance::{OriginId, Recorder, StepKind};
use crate::resource::{
    AliasWrites, Behavior, Resource, get_or_create_map, set_field, set_string_map_entry,
};
use crate::session::{Context, Text};
use crate::yaml::{Key, Node, ScalarStyle, Tag, known};

/// Which kind a generator makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GeneratedKind {
    ConfigMap,
    Secret,
}

impl GeneratedKind {
    fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// Makes the object of a generator.
pub(crate) fn generate(
    cx: &mut Context<'_>,
    root: &Path,
    kind: GeneratedKind,
    args: &GeneratorArgs,
) -> Fallible<Resource> {
    if args.name.is_empty() {
        let message = format!("a {} generator needs a name", kind.name());
        let d =
            Diagnostic::error(Code::GeneratorInvalid, message).at(cx.span(args.at), "no `name`");
        return Err(cx.fail(d));
    }
    let pairs = sources::read(cx, root, kind, args)?;
    if !matches!(args.behavior.as_str(), "" | "create" | "replace" | "merge" | "unspecified") {
        let message =
            format!("the behavior `{}` is not known and counts as `create`", args.behavior.value);
        let d = Diagnostic::warning(Code::GeneratorUnknownBehavior, message)
            .at(cx.span(args.behavior.at), "not known")
            .help("write `create`, `replace` or `merge`");
        cx.warn(d);
    }
    let scopes = cx.scopes.clone();
    let mut recorder = cx.step(StepKind::Generate, args.at);
    let mut node = base(kind.name(), &args.name, &args.namespace, &mut recorder);
    if kind == GeneratedKind::Secret {
        let secret_type =
            if args.secret_type.is_empty() { "Opaque" } else { args.secret_type.as_str() };
        let origin = recorder.create(args.secret_type.at);
        set(&mut node, known::TYPE, Node::string(secret_type, origin));
        let origin = recorder.create(OriginId::NONE);
        get_or_create_map(&mut node, known::DATA, origin);
    }
    for pair in pairs {
        let (field, value) = data_value(kind, pair, &mut recorder);
        let origin = recorder.create(OriginId::NONE);
        if let Some(map) = get_or_create_map(&mut node, field, origin) {
            set_field(map, &value.0, value.1, &mut AliasWrites::default());
        }
    }
    if let Some(options) = &args.options {
        apply_options(&mut node, options, &mut recorder);
    }
    let mut resource = Resource::new(node, &scopes);
    resource.needs_hash = !args.options.as_ref().is_some_and(|o| o.disable_name_suffix_hash);
    resource.behavior = Some(Behavior::from_name(args.behavior.as_str()));
    Ok(resource)
}

fn set(node: &mut Node, key: Key, value: Node) {
    set_field(node, key.text(), value, &mut AliasWrites::default());
}

fn base(kind: &str, name: &Text, namespace: &Text, recorder: &mut Recorder<'_>) -> Node {
    // No text says what kind it is.
    let whole = recorder.create(OriginId::NONE);
    let text = |text: &str| Node::scalar(text, ScalarStyle::Plain, Tag::Str, whole);
    let mut node = Node::map(Vec::new(), whole);
    node.push_entry(known::API_VERSION, whole, text("v1"));
    node.push_entry(known::KIND, whole, text(kind));
    let mut metadata = Node::map(Vec::new(), whole);
    set(&mut metadata, known::NAME, Node::string(name.value.clone(), recorder.create(name.at)));
    if !namespace.is_empty() {
        let origin = recorder.create(namespace.at);
        set(&mut metadata, known::NAMESPACE, Node::string(namespace.value.clone(), origin));
    }
    node.push_entry(known::METADATA, whole, metadata);
    node
}

/// Returns the field that a value goes into, and its entry there.
fn data_value(
    kind: GeneratedKind,
    pair: Pair,
    recorder: &mut Recorder<'_>,
) -> (Key, (EcoString, Node)) {
    let origin = recorder.create(pair.text_at);
    let (field, text) = match kind {
        GeneratedKind::Secret => (known::DATA, in_lines(&STANDARD.encode(&pair.value))),
        GeneratedKind::ConfigMap => match String::from_utf8(pair.value) {
            Ok(text) => (known::DATA, text),
            Err(error) => (known::BINARY_DATA, in_lines(&STANDARD.encode(error.as_bytes()))),
        },
    };
    (field, (pair.key, Node::string(text, origin)))
}

/// Cuts base64 into lines of 70 characters, if it is longer than one.
fn in_lines(encoded: &str) -> String {
    const LINE: usize = 70;
    // The number of lines is computed before they are cut, so a text of exactly one line is cut too.
    if encoded.len() < LINE {
        return encoded.to_owned();
    }
    let mut out = String::with_capacity(encoded.len() + encoded.len() / LINE + 1);
    let mut rest = encoded;
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(LINE));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out
}

fn apply_options(node: &mut Node, options: &GeneratorOptions, recorder: &mut Recorder<'_>) {
    for (field, pairs) in
        [(known::LABELS, &options.labels), (known::ANNOTATIONS, &options.annotations)]
    {
        for (key, value) in pairs {
            let origin = recorder.create(value.at);
            set_string_map_entry(node, field, key, value.as_str(), origin);
        }
    }
    if let Some(at) = options.immutable {
        let origin = recorder.create(at);
        let value = Node::scalar("true", ScalarStyle::Plain, Tag::Bool, origin);
        set(node, known::IMMUTABLE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_base64_is_cut_into_lines() {
        assert_eq!(in_lines(&"a".repeat(69)), "a".repeat(69));
        assert_eq!(in_lines(&"a".repeat(70)), format!("{}\n", "a".repeat(70)));
        assert_eq!(in_lines(&"a".repeat(72)), format!("{}\naa\n", "a".repeat(70)));
    }
}
