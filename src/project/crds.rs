//! `crds`: OpenAPI definitions whose vendor extensions say which fields are names, labels and annotations.
//!
//! These are not CRD manifests but definitions as Go's openapi-gen writes them: a map from a type's name to `Schema` (see
//! `api/internal/accumulator/loadconfigfromcrds.go`). A manifest here is a fault.

use super::load::report_clash;
use super::{FieldPath, FieldSpec, FieldSpecClash, Layer, NameReference, TransformerConfig};
use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::resource::Gvk;
use crate::session::{Context, Text, json_error};
use crate::source::SourceFile;
use crate::yaml::{MAX_DEPTH, Node, NodeKind, Scalar, direct, parse_json};

const ANNOTATION: &str = "x-kubernetes-annotation";
const LABEL_SELECTOR: &str = "x-kubernetes-label-selector";
const IDENTITY: &str = "x-kubernetes-identity";
const REFERENCE_VERSION: &str = "x-kubernetes-object-ref-api-version";
const REFERENCE_KIND: &str = "x-kubernetes-object-ref-kind";
const REFERENCE_NAME_KEY: &str = "x-kubernetes-object-ref-name-key";

/// Reads the files of `crds` into one configuration.
pub(crate) fn load_crds(cx: &mut Context<'_>, layer: &Layer) -> Fallible<TransformerConfig> {
    let mut config = TransformerConfig::default();
    for entry in &layer.kustomization.crds {
        let file = cx.file(&layer.root, entry)?;
        let Some(definitions) = read_definitions(cx, &file, entry)? else { continue };
        require_definitions(cx, &definitions)?;
        if !has_types(&definitions) {
            let message = format!("`{}` defines no kind of object", entry.value);
            let d = Diagnostic::warning(Code::CrdsNoDefinition, message)
                .at(cx.span(entry.at), "without effect");
            cx.warn(d.help(
                "`crds` takes OpenAPI definitions that say which fields are names or labels; list a \
                 CustomResourceDefinition under `resources`",
            ));
        }
        let added = read_types(&definitions).map_err(|clash| report_clash(cx, &clash, entry.at))?;
        config.merge(&added).map_err(|clash| report_clash(cx, &clash, entry.at))?;
    }
    Ok(config)
}

fn read_definitions(
    cx: &mut Context<'_>,
    file: &SourceFile,
    entry: &Text,
) -> Fallible<Option<Node>> {
    if file.bytes().is_empty() {
        let message = format!("`{}` is empty", entry.value);
        let diagnostic =
            Diagnostic::error(Code::OpenapiInvalid, message).at(cx.span(entry.at), "named here");
        return Err(cx.fail(diagnostic));
    }
    if file.bytes().first() != Some(&b'{') {
        return cx.document(file);
    }
    let text = String::from_utf8_lossy(file.bytes());
    match parse_json(&text, file.base()) {
        Ok(node) => Ok(Some(node)),
        Err(error) => Err(cx.fail(json_error(&error, file, 0))),
    }
}

/// A file of definitions is a map from names to maps.
fn require_definitions(cx: &mut Context<'_>, file: &Node) -> Fallible<()> {
    let is_fit = |node: &Node, kind: NodeKind| node.is_null() || node.kind() == kind;
    let misfit = if is_fit(file, NodeKind::Map) {
        let fields = |definition: &Node| {
            let schema = go_field(definition, "Schema").filter(|s| !is_fit(s, NodeKind::Map));
            let needed = go_field(definition, "Dependencies");
            schema.or(needed.filter(|n| !is_fit(n, NodeKind::Sequence))).map(Node::origin)
        };
        let mut definitions = file.entries().into_iter().flatten().map(|entry| &entry.value);
        definitions
            .find_map(|d| if is_fit(d, NodeKind::Map) { fields(d) } else { Some(d.origin()) })
    } else {
        Some(file.origin())
    };
    let Some(at) = misfit else { return Ok(()) };
    let message = "`crds` takes OpenAPI definitions: a map from type names to their `Schema`";
    let d = Diagnostic::error(Code::OpenapiInvalid, message).at(cx.span(at), "no definition");
    Err(cx.fail(d.help("list a CustomResourceDefinition under `resources` instead")))
}

fn child<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    node.entries()?.iter().rev().find(|e| e.key.text() == name).map(|e| &e.value)
}

/// A field of a Go structure, whose name matches in any case.
fn go_field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    child(node, name).or_else(|| {
        let entries = node.entries()?.iter().rev();
        entries.into_iter().find(|e| e.key.text().eq_ignore_ascii_case(name)).map(|e| &e.value)
    })
}

/// The text of a vendor extension; its name matches in any case.
fn extension(node: &Node, name: &str) -> Option<String> {
    match direct(go_field(node, name)?) {
        Ok(Scalar::Str(text)) => Some(text.into_owned()),
        _ => None,
    }
}

fn properties(definition: &Node) -> &[crate::yaml::Entry] {
    let schema = go_field(definition, "Schema");
    schema.and_then(|s| child(s, "properties")).and_then(Node::entries).unwrap_or_default()
}

/// Returns whether any definition is that of an object.
fn has_types(definitions: &Node) -> bool {
    definitions.entries().into_iter().flatten().any(|entry| is_object(properties(&entry.value)))
}

fn is_object(fields: &[crate::yaml::Entry]) -> bool {
    let has = |name: &str| fields.iter().any(|f| f.key.text() == name);
    has("kind") && has("apiVersion") && has("metadata")
}

fn read_types(definitions: &Node) -> Result<TransformerConfig, FieldSpecClash> {
    let mut config = TransformerConfig::default();
    for entry in definitions.entries().unwrap_or_default() {
        let fields = properties(&entry.value);
        if !is_object(fields) {
            continue;
        }
        let kind = entry.key.text().rsplit('.').next().unwrap_or_default();
        let mut added = TransformerConfig::default();
        read_type(definitions, &entry.value, &Gvk::new("", "", kind), &mut Vec::new(), &mut added)?;
        config.merge(&added)?;
    }
    Ok(config)
}

fn read_type(
    definitions: &Node,
    definition: &Node,
    gvk: &Gvk,
    path: &mut Vec<String>,
    config: &mut TransformerConfig,
) -> Result<(), FieldSpecClash> {
    if path.len() > MAX_DEPTH {
        return Ok(());
    }
    for property in properties(definition) {
        path.push(property.key.text().to_owned());
        let schema = &property.value;
        let spec =
            || FieldSpec { gvk: gvk.clone(), path: FieldPath::new(&path.join("/")), create: false };
        if extension(schema, ANNOTATION).is_some() {
            config.common_annotations.add(&spec())?;
        }
        if extension(schema, LABEL_SELECTOR).is_some() {
            config.common_labels.add(&spec())?;
        }
        if extension(schema, IDENTITY).is_some() {
            config.name_prefix.add(&spec())?;
        }
        if let (Some(version), Some(kind)) =
            (extension(schema, REFERENCE_VERSION), extension(schema, REFERENCE_KIND))
        {
            let name = extension(schema, REFERENCE_NAME_KEY).unwrap_or_else(|| "name".to_owned());
            let path = FieldPath::new(&format!("{}/{name}", path.join("/")));
            let referrer = FieldSpec { gvk: gvk.clone(), path, create: false };
            let reference = NameReference {
                gvk: Gvk::new("", &version, &kind),
                referrers: vec![referrer].into(),
            };
            config.add_name_reference(&reference)?;
        }
        let target = child(schema, "$ref").and_then(|r| child(definitions, r.text()));
        if let Some(target) = target {
            read_type(definitions, target, gvk, path, config)?;
        }
        path.pop();
    }
    Ok(())
}
