//! A directory to a checked kustomization.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::decode::{DecodeFault, DecodeNotice, Decoder, Rules};
use super::{FieldSpecClash, Kustomization, Replacement, TransformerConfig, decode_replacement};
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::provenance::OriginId;
use crate::session::{Context, Text};
use crate::source::{SourceFile, display_path};
use crate::yaml::{Node, second_document};

/// The names of kustomization files, in the order in which they are looked for.
pub(crate) const FILE_NAMES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A kustomization and where it lies.
#[derive(Debug)]
pub(crate) struct Layer {
    /// The directory, symbolic links resolved.
    pub(crate) root: PathBuf,
    /// The name of the kustomization file in it.
    pub(crate) file_name: &'static str,
    pub(crate) kustomization: Kustomization,
    /// Where the file begins.
    pub(crate) whole: OriginId,
}

/// Reads the kustomization in a directory. `entry`: the entry that names the directory, none for the target of a build.
pub(crate) fn load_layer(
    cx: &mut Context<'_>,
    root: &Path,
    entry: Option<&Text>,
) -> Fallible<Layer> {
    let (file_name, file) = find_file(cx, root, entry)?;
    let document = cx.document(&file)?;
    let node = document.unwrap_or_default();
    let mut decoder = Decoder::new(Rules::Kustomization);
    let kustomization = if node.is_null() {
        Kustomization::default()
    } else {
        Kustomization::decode(&mut decoder, &node)
    };
    report_faults(cx, &decoder.faults)?;
    warn_of_notices(cx, decoder.notices);
    warn_of_second_document(cx, &file);
    warn_deprecated(cx, &kustomization);
    let whole = OriginId::written(file.base());
    check(cx, &kustomization, whole)?;
    Ok(Layer { root: root.to_path_buf(), file_name, kustomization, whole })
}

/// Checks that a kustomization file has known fields with values of the right types, which is all that its editors ask.
pub(crate) fn check_types(cx: &mut Context<'_>, file: &SourceFile) -> Fallible<()> {
    let Some(node) = cx.document(file)?.filter(|node: &Node| !node.is_null()) else {
        return Ok(());
    };
    let mut decoder = Decoder::new(Rules::Kustomization);
    Kustomization::decode(&mut decoder, &node);
    report_faults(cx, &decoder.faults)
}

fn find_file(
    cx: &mut Context<'_>,
    root: &Path,
    entry: Option<&Text>,
) -> Fallible<(&'static str, Arc<SourceFile>)> {
    let mut found: Vec<(&'static str, Arc<SourceFile>)> = Vec::new();
    for name in FILE_NAMES {
        if let Ok(file) = cx.try_file(root, name) {
            found.push((name, file));
        }
    }
    let span = entry.and_then(|e| cx.span(e.at));
    let shown = match entry {
        Some(entry) => entry.value.to_string(),
        None => display_path(root, &cx.options.shown_from),
    };
    match found.len() {
        1 => found.pop().ok_or(Reported),
        0 => {
            let message = format!("`{shown}` has no kustomization file");
            let names = FILE_NAMES.map(|n| format!("`{n}`"));
            let help = format!("the file is called {}, {} or {}", names[0], names[1], names[2]);
            Err(cx.fail(
                Diagnostic::error(Code::KustomizationMissing, message)
                    .at(span, "named here")
                    .help(help),
            ))
        }
        _ => {
            let names: Vec<String> = found.iter().map(|(n, _)| format!("`{n}`")).collect();
            let message =
                format!("`{shown}` has several kustomization files: {}", names.join(", "));
            let span = span.or_else(|| cx.span_at(found[1].1.base()));
            let diagnostic =
                Diagnostic::error(Code::KustomizationAmbiguous, message).at(span, "one too many");
            Err(cx.fail(diagnostic.help("keep one of them")))
        }
    }
}

/// Decodes a file that holds one replacement or a list of them; none if it holds neither.
pub(crate) fn decode_replacements(
    cx: &mut Context<'_>,
    document: Option<&Node>,
) -> Fallible<Option<Vec<Replacement>>> {
    let mut decoder = Decoder::new(Rules::Lenient);
    let found = match document {
        Some(node) if node.entries().is_some() => vec![decode_replacement(&mut decoder, node)],
        Some(node) => match node.elements() {
            Some(elements) => {
                elements.iter().map(|e| decode_replacement(&mut decoder, e)).collect()
            }
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    report_faults(cx, &decoder.faults)?;
    warn_of_notices(cx, decoder.notices);
    Ok(Some(found))
}

/// The codes under which a decoder's faults are reported.
#[derive(Clone, Copy)]
pub(crate) struct FaultCodes {
    unknown_field: Code,
    wrong_type: Code,
}

impl FaultCodes {
    /// Those of kustomizations and all files that they name.
    const KUSTOMIZATION: Self =
        Self { unknown_field: Code::UnknownField, wrong_type: Code::WrongType };
    /// Those of the project file.
    pub(crate) const PROJECT: Self =
        Self { unknown_field: Code::ProjectUnknownField, wrong_type: Code::ProjectWrongType };
}

/// Reports what a decoder has found.
pub(crate) fn report_faults(cx: &mut Context<'_>, faults: &[DecodeFault]) -> Fallible<()> {
    report_faults_as(cx, faults, FaultCodes::KUSTOMIZATION)
}

pub(crate) fn report_faults_as(
    cx: &mut Context<'_>,
    faults: &[DecodeFault],
    codes: FaultCodes,
) -> Fallible<()> {
    let mut result = Ok(());
    for fault in faults {
        let diagnostic = match fault {
            DecodeFault::UnknownField { name, at, of, meant } => {
                let place = if of.is_empty() { String::new() } else { format!(" in `{of}`") };
                let d = Diagnostic::error(
                    codes.unknown_field,
                    format!("unknown field `{name}`{place}"),
                )
                .at(cx.span(*at), "not known");
                match meant {
                    Some(meant) => d.help(format!("did you mean `{meant}`?")),
                    None => d,
                }
            }
            DecodeFault::WrongType { at, field, expected, found } => {
                let message = format!("`{field}` takes {expected}, found {found}");
                let d = Diagnostic::error(codes.wrong_type, message)
                    .at(cx.span(*at), format!("not {expected}"));
                let scalar = found.starts_with("the boolean") || found.starts_with("the number");
                if *expected == "a string" && scalar {
                    d.help("put the value in quotes")
                } else {
                    d
                }
            }
            DecodeFault::DuplicateKey { name, at } => {
                Diagnostic::error(Code::YamlDuplicateKey, format!("the key `{name}` is set twice"))
                    .at(cx.span(*at), "set again here")
            }
        };
        result = Err(cx.fail(diagnostic));
    }
    result
}

/// Reports what a decoder has found to be without effect.
pub(crate) fn warn_of_notices(cx: &mut Context<'_>, notices: Vec<DecodeNotice>) {
    for notice in notices {
        let mut d =
            Diagnostic::warning(notice.code, notice.message).at(cx.span(notice.at), notice.text);
        d.help = notice.help.map(str::to_owned);
        cx.warn(d);
    }
}

/// Of a kustomization file, the first document counts.
fn warn_of_second_document(cx: &mut Context<'_>, file: &SourceFile) {
    let text = String::from_utf8_lossy(file.bytes());
    let Some(offset) = second_document(&text) else { return };
    let at = cx.span_at(file.base() + offset as u32);
    let d = Diagnostic::warning(
        Code::DocumentIgnored,
        "a kustomization file is one document: what follows counts for nothing",
    );
    cx.warn(d.at(at, "not read").help("remove it, or move it to a file of its own"));
}

fn warn_deprecated(cx: &mut Context<'_>, kustomization: &Kustomization) {
    for &(deprecated, at) in &kustomization.deprecated {
        let (old, new) = deprecated.names();
        let message = format!("`{old}` is deprecated");
        let diagnostic = Diagnostic::warning(Code::DeprecatedField, message)
            .at(cx.span(at), "deprecated")
            .help(format!("use `{new}`"));
        cx.warn(diagnostic);
    }
}

fn check(cx: &mut Context<'_>, kustomization: &Kustomization, whole: OriginId) -> Fallible<()> {
    if !kustomization.says_something {
        let diagnostic =
            Diagnostic::error(Code::KustomizationEmpty, "the kustomization says nothing")
                .at(cx.span(whole), "nothing but kind and version")
                .help("name something under `resources`");
        return Err(cx.fail(diagnostic));
    }
    let kind = kustomization.kind.as_str();
    let mut result = Ok(());
    if !matches!(kind, "" | "Kustomization" | "Component") {
        let message =
            format!("the kind of a kustomization is `Kustomization` or `Component`, not `{kind}`");
        let span = cx.span(kustomization.kind.at);
        result = Err(
            cx.fail(Diagnostic::error(Code::KustomizationVersion, message).at(span, "not known"))
        );
    }
    let has_generator = !kustomization.config_map_generators.is_empty()
        || !kustomization.secret_generators.is_empty();
    if let Some(options) = kustomization.generator_options.as_ref().filter(|_| !has_generator) {
        let message = "`generatorOptions` count for the generators of this file, and it has none";
        let d = Diagnostic::warning(Code::GeneratorOptionsUnused, message)
            .at(cx.span(options.at), "without effect");
        cx.warn(d.help("move them to the kustomization whose generators they are for"));
    }
    let wanted = if kustomization.is_component() {
        "kustomize.config.k8s.io/v1alpha1"
    } else {
        "kustomize.config.k8s.io/v1beta1"
    };
    let version = kustomization.api_version.as_str();
    if !version.is_empty() && version != wanted {
        let what = if kind.is_empty() { "Kustomization" } else { kind };
        let message = format!("the `apiVersion` of a {what} is `{wanted}`, not `{version}`");
        let span = cx.span(kustomization.api_version.at);
        let diagnostic =
            Diagnostic::error(Code::KustomizationVersion, message).at(span, "not known");
        result = Err(cx.fail(diagnostic.help(format!("write `apiVersion: {wanted}`"))));
    }
    result
}

/// Reads the files of `configurations` into one configuration.
pub(crate) fn load_configurations(
    cx: &mut Context<'_>,
    layer: &Layer,
) -> Fallible<TransformerConfig> {
    let mut config = TransformerConfig::default();
    for entry in &layer.kustomization.configurations {
        let file = cx.file(&layer.root, entry)?;
        let Some(node) = cx.document(&file)?.filter(|n: &Node| !n.is_null()) else { continue };
        let mut decoder = Decoder::new(Rules::Strict);
        let added = TransformerConfig::decode(&mut decoder, &node);
        report_faults(cx, &decoder.faults)?;
        config.merge(&added).map_err(|clash| report_clash(cx, &clash, entry.at))?;
    }
    Ok(config)
}

/// Reports that two field specifications contradict each other.
pub(crate) fn report_clash(cx: &mut Context<'_>, clash: &FieldSpecClash, at: OriginId) -> Reported {
    let message = format!("two field specifications of `{}` differ in `create`", clash.path);
    let diagnostic = Diagnostic::error(Code::FieldSpecConflict, message)
        .at(cx.span(at), "added here")
        .help("write the same `create` as the other specification");
    cx.fail(diagnostic)
}
