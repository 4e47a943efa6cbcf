//! The kustomization file, typed.
//!
//! Every field of kustomize 5.8.1 is known, with its deprecated forms; see `api/types/kustomization.go`. Deprecated fields
//! are folded into their successors here (`FixKustomization`): `bases` follow `resources`, `imageTags` follow `images`,
//! `env` follows `envs`.

mod generators;

use ecow::EcoString;

use super::decode::{DecodeNotice, Decoder, Field};
use super::field_spec::{FieldSpec, decode_field_spec, decode_gvk_part};
use crate::diagnostic::Code;
use crate::provenance::OriginId;
use crate::resource::{Gvk, SelectorParts};
use crate::session::Text;
use crate::yaml::Node;

pub(crate) use generators::{GeneratorArgs, GeneratorOptions, decode_generator};
use generators::{
    decode_config_map, decode_generator_options, decode_helm_chart, decode_helm_globals,
    decode_old_helm_chart, decode_secret,
};

/// A kustomization file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kustomization {
    pub(crate) kind: Text,
    pub(crate) api_version: Text,
    pub(crate) openapi: Option<OpenApi>,
    pub(crate) name_prefix: Text,
    pub(crate) name_suffix: Text,
    pub(crate) namespace: Text,
    pub(crate) common_labels: Option<StringMap>,
    pub(crate) labels: Vec<Label>,
    pub(crate) common_annotations: Option<StringMap>,
    pub(crate) patches_strategic_merge: Vec<Text>,
    pub(crate) patches_json6902: Vec<Patch>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) images: Vec<Image>,
    pub(crate) replacements: Vec<Replacement>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) vars: Vec<Var>,
    pub(crate) sort_options: Option<SortOptions>,
    pub(crate) resources: Vec<Text>,
    pub(crate) components: Vec<Text>,
    pub(crate) crds: Vec<Text>,
    pub(crate) config_map_generators: Vec<GeneratorArgs>,
    pub(crate) secret_generators: Vec<GeneratorArgs>,
    pub(crate) helm_charts: Option<OriginId>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) configurations: Vec<Text>,
    pub(crate) generators: Vec<Text>,
    pub(crate) transformers: Vec<Text>,
    pub(crate) validators: Vec<Text>,
    pub(crate) build_metadata: Vec<Text>,
    /// The deprecated fields that are used, in the order in which kustomize warns.
    pub(crate) deprecated: Vec<(Deprecated, OriginId)>,
    /// Whether any field but kind and version says something.
    pub(crate) says_something: bool,
}

/// A deprecated field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deprecated {
    Bases,
    CommonLabels,
    ImageTags,
    PatchesJson6902,
    PatchesStrategicMerge,
    Vars,
}

impl Deprecated {
    /// Returns the field and its successor.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Bases => ("bases", "resources"),
            Self::CommonLabels => ("commonLabels", "labels"),
            Self::ImageTags => ("imageTags", "images"),
            Self::PatchesJson6902 => ("patchesJson6902", "patches"),
            Self::PatchesStrategicMerge => ("patchesStrategicMerge", "patches"),
            Self::Vars => ("vars", "replacements"),
        }
    }
}

/// A map of strings, sorted by key, and where it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct StringMap {
    pub(crate) pairs: Vec<(EcoString, Text)>,
    pub(crate) at: OriginId,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct OpenApi {
    pub(crate) version: Option<Text>,
    pub(crate) path: Option<Text>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Label {
    pub(crate) at: OriginId,
    pub(crate) pairs: Vec<(EcoString, Text)>,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    pub(crate) fields: Vec<FieldSpec>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Patch {
    pub(crate) at: OriginId,
    pub(crate) path: Text,
    pub(crate) patch: Text,
    pub(crate) target: Option<Target>,
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
}

/// A selector and where it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    pub(crate) at: OriginId,
    pub(crate) parts: SelectorParts,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    pub(crate) at: OriginId,
    pub(crate) name: Text,
    pub(crate) new_name: Text,
    pub(crate) tag_suffix: Text,
    pub(crate) new_tag: Text,
    pub(crate) digest: Text,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Replica {
    pub(crate) at: OriginId,
    pub(crate) name: Text,
    pub(crate) count: i64,
    pub(crate) count_at: OriginId,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Replacement {
    pub(crate) at: OriginId,
    pub(crate) source: Option<ReplacementSource>,
    pub(crate) targets: Option<Vec<ReplacementTarget>>,
    pub(crate) source_value: Option<Text>,
    pub(crate) path: Text,
}

/// The object and field that a replacement copies from; an exact match, not a pattern.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReplacementSource {
    pub(crate) at: OriginId,
    pub(crate) gvk: Gvk,
    pub(crate) name: EcoString,
    pub(crate) namespace: EcoString,
    pub(crate) field_path: Text,
    pub(crate) options: FieldOptions,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ReplacementTarget {
    pub(crate) at: OriginId,
    pub(crate) select: Option<Target>,
    pub(crate) reject: Vec<Target>,
    pub(crate) field_paths: Vec<Text>,
    pub(crate) options: FieldOptions,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct FieldOptions {
    pub(crate) delimiter: EcoString,
    pub(crate) index: i64,
    pub(crate) create: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Var {
    pub(crate) at: OriginId,
    pub(crate) name: Text,
    pub(crate) gvk: Gvk,
    pub(crate) object_name: EcoString,
    pub(crate) namespace: EcoString,
    pub(crate) field_path: Text,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct SortOptions {
    pub(crate) at: OriginId,
    pub(crate) order: Text,
    /// The kinds that come first and last, where they are given.
    pub(crate) legacy: Option<(Vec<Text>, Vec<Text>)>,
}

const FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "openapi",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "images",
    "imageTags",
    "replacements",
    "replicas",
    "vars",
    "sortOptions",
    "resources",
    "components",
    "crds",
    "bases",
    "configMapGenerator",
    "secretGenerator",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "generatorOptions",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "buildMetadata",
];

impl Kustomization {
    /// Decodes a kustomization file.
    pub(crate) fn decode(decoder: &mut Decoder, node: &Node) -> Self {
        let mut out = Self::default();
        let (mut bases, mut image_tags) = (Vec::new(), Vec::new());
        decoder.fields(node, "", FIELDS, |d, field, value| {
            let at = value.origin();
            let mut deprecated = |what| out.deprecated.push((what, field.at));
            match field.name {
                "bases" => deprecated(Deprecated::Bases),
                "commonLabels" => deprecated(Deprecated::CommonLabels),
                "imageTags" => deprecated(Deprecated::ImageTags),
                "patchesJson6902" => deprecated(Deprecated::PatchesJson6902),
                "patchesStrategicMerge" => deprecated(Deprecated::PatchesStrategicMerge),
                "vars" => deprecated(Deprecated::Vars),
                _ => {}
            }
            // A list or map says something even if it is empty; a string does not. Three old fields are emptied first.
            out.says_something |= match field.name {
                "apiVersion" | "kind" => false,
                "bases" | "imageTags" | "helmChartInflationGenerator" => !value.is_empty(),
                _ => !value.is_scalar() || !value.text().is_empty(),
            };
            match field.name {
                "apiVersion" => out.api_version = d.text(value, field),
                "kind" => out.kind = d.text(value, field),
                "metadata" => decode_metadata(d, value),
                "openapi" => out.openapi = Some(decode_openapi(d, value, field)),
                "namePrefix" => out.name_prefix = d.text(value, field),
                "nameSuffix" => out.name_suffix = d.text(value, field),
                "namespace" => out.namespace = d.text(value, field),
                "commonLabels" => {
                    out.common_labels = Some(StringMap { pairs: d.text_map(value, field), at });
                }
                "labels" => out.labels = d.list(value, field, decode_label),
                "commonAnnotations" => {
                    out.common_annotations =
                        Some(StringMap { pairs: d.text_map(value, field), at });
                }
                "patchesStrategicMerge" => out.patches_strategic_merge = d.texts(value, field),
                "patchesJson6902" => out.patches_json6902 = d.list(value, field, decode_patch),
                "patches" => out.patches = d.list(value, field, decode_patch),
                "images" => out.images = d.list(value, field, decode_image),
                "imageTags" => image_tags = d.list(value, field, decode_image),
                "replacements" => {
                    out.replacements = d.list(value, field, decode_replacement);
                    // On its way to the transformer an empty list gets lost.
                    for replacement in &mut out.replacements {
                        replacement.targets.take_if(|targets| targets.is_empty());
                    }
                }
                "replicas" => out.replicas = d.list(value, field, decode_replica),
                "vars" => out.vars = d.list(value, field, decode_var),
                "sortOptions" => out.sort_options = Some(decode_sort_options(d, value)),
                "resources" => out.resources = d.texts(value, field),
                "components" => out.components = d.texts(value, field),
                "crds" => out.crds = d.texts(value, field),
                "bases" => bases = d.texts(value, field),
                "configMapGenerator" => {
                    out.config_map_generators = d.list(value, field, decode_config_map);
                }
                "secretGenerator" => out.secret_generators = d.list(value, field, decode_secret),
                "helmGlobals" => decode_helm_globals(d, value),
                "helmCharts" => {
                    d.list(value, field, decode_helm_chart);
                    out.helm_charts =
                        value.elements().filter(|e| !e.is_empty()).map(|_| at).or(out.helm_charts);
                }
                "helmChartInflationGenerator" => {
                    d.list(value, field, decode_old_helm_chart);
                    out.helm_charts =
                        value.elements().filter(|e| !e.is_empty()).map(|_| at).or(out.helm_charts);
                }
                "generatorOptions" => {
                    out.generator_options = Some(decode_generator_options(d, value));
                }
                "configurations" => out.configurations = d.texts(value, field),
                "generators" => out.generators = d.texts(value, field),
                "transformers" => out.transformers = d.texts(value, field),
                "validators" => out.validators = d.texts(value, field),
                _ => out.build_metadata = decode_build_metadata(d, value, field),
            }
        });
        out.resources.append(&mut bases);
        out.images.append(&mut image_tags);
        out.deprecated.sort_unstable_by_key(|(what, _)| *what);
        out
    }

    /// Returns whether the file is a Component.
    pub(crate) fn is_component(&self) -> bool {
        self.kind.as_str() == "Component"
    }

    /// Returns whether `buildMetadata` asks for something.
    pub(crate) fn asks_for(&self, option: &str) -> bool {
        self.build_metadata.iter().any(|o| o.as_str() == option)
    }
}

fn decode_metadata(decoder: &mut Decoder, node: &Node) {
    const FIELDS: &[&str] = &["name", "namespace", "labels", "annotations"];
    decoder.fields(node, "metadata", FIELDS, |d, field, value| match field.name {
        "labels" | "annotations" => drop(d.text_map(value, field)),
        _ => drop(d.text(value, field)),
    });
}

fn decode_openapi(decoder: &mut Decoder, node: &Node, field: Field<'_>) -> OpenApi {
    let mut out = OpenApi::default();
    // A map of strings: its keys are not fields, so nothing but `version` and `path` counts.
    for (key, value) in decoder.text_map(node, field) {
        match key.as_str() {
            "version" => out.version = Some(value),
            "path" => out.path = Some(value),
            _ => unknown_option(
                decoder,
                value.at,
                format!("`openapi` has no option `{key}`"),
                "the options are `version` and `path`",
            ),
        }
    }
    out
}

fn decode_build_metadata(decoder: &mut Decoder, node: &Node, field: Field<'_>) -> Vec<Text> {
    let options = decoder.texts(node, field);
    for option in &options {
        let known = ["originAnnotations", "transformerAnnotations", "managedByLabel"];
        if !known.contains(&option.as_str()) {
            unknown_option(
                decoder,
                option.at,
                format!("`buildMetadata` has no option `{}`", option.value),
                "the options are `originAnnotations`, `transformerAnnotations` and `managedByLabel`",
            );
        }
    }
    options
}

fn unknown_option(decoder: &mut Decoder, at: OriginId, message: String, help: &'static str) {
    decoder.notices.push(DecodeNotice {
        code: Code::UnknownOption,
        at,
        message,
        text: "without effect",
        help: Some(help),
    });
}

fn decode_label(decoder: &mut Decoder, node: &Node) -> Label {
    const FIELDS: &[&str] = &["pairs", "includeSelectors", "includeTemplates", "fields"];
    let mut out = Label { at: node.origin(), ..Label::default() };
    decoder.fields(node, "labels", FIELDS, |d, field, value| match field.name {
        "pairs" => out.pairs = d.text_map(value, field),
        "includeSelectors" => out.include_selectors = d.boolean(value, field),
        "includeTemplates" => out.include_templates = d.boolean(value, field),
        _ => out.fields = d.list(value, field, decode_field_spec),
    });
    out
}

/// Decodes an entry of `patches`, and the configuration of a PatchTransformer.
pub(crate) fn decode_patch(decoder: &mut Decoder, node: &Node) -> Patch {
    const FIELDS: &[&str] = &["path", "patch", "target", "options"];
    const OPTIONS: &[&str] = &["allowNameChange", "allowKindChange"];
    let mut out = Patch { at: node.origin(), ..Patch::default() };
    decoder.fields(node, "patches", FIELDS, |d, field, value| match field.name {
        "path" => out.path = d.text(value, field),
        "patch" => out.patch = d.text(value, field),
        "target" => out.target = Some(decode_target(d, value)),
        _ => d.fields(value, "patches.options", OPTIONS, |d, field, value| match field.name {
            "allowNameChange" => out.allow_name_change = d.boolean(value, field),
            _ => out.allow_kind_change = d.boolean(value, field),
        }),
    });
    out
}

/// Decodes a selector.
pub(crate) fn decode_target(decoder: &mut Decoder, node: &Node) -> Target {
    const FIELDS: &[&str] =
        &["group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"];
    let mut out = Target { at: node.origin(), ..Target::default() };
    decoder.fields(node, "target", FIELDS, |d, field, value| {
        let direct = matches!(field.name, "labelSelector" | "annotationSelector");
        let text = if direct { d.text(value, field) } else { d.embedded_text(value, field) };
        let text = text.value.to_string();
        match field.name {
            "group" => out.parts.group = text,
            "version" => out.parts.version = text,
            "kind" => out.parts.kind = text,
            "name" => out.parts.name = text,
            "namespace" => out.parts.namespace = text,
            "labelSelector" => out.parts.label_selector = text,
            _ => out.parts.annotation_selector = text,
        }
    });
    out
}

/// Decodes an entry of `images`.
pub(crate) fn decode_image(decoder: &mut Decoder, node: &Node) -> Image {
    const FIELDS: &[&str] = &["name", "newName", "tagSuffix", "newTag", "digest"];
    let mut out = Image { at: node.origin(), ..Image::default() };
    decoder.fields(node, "images", FIELDS, |d, field, value| {
        let text = d.text(value, field);
        match field.name {
            "name" => out.name = text,
            "newName" => out.new_name = text,
            "tagSuffix" => out.tag_suffix = text,
            "newTag" => out.new_tag = text,
            _ => out.digest = text,
        }
    });
    out
}

/// Decodes an entry of `replicas`.
pub(crate) fn decode_replica(decoder: &mut Decoder, node: &Node) -> Replica {
    const FIELDS: &[&str] = &["name", "count"];
    let mut out = Replica { at: node.origin(), ..Replica::default() };
    decoder.fields(node, "replicas", FIELDS, |d, field, value| {
        if field.name == "name" {
            out.name = d.text(value, field);
        } else {
            out.count = d.integer(value, field);
            out.count_at = value.origin();
        }
    });
    if out.count_at == OriginId::NONE {
        decoder.notices.push(DecodeNotice {
            code: Code::ReplicasNoCount,
            at: out.at,
            message: format!("without `count`, `{}` is scaled to zero", out.name.value),
            text: "no `count`",
            help: Some("write `count: 0` if that is meant"),
        });
    }
    out
}

/// Decodes an entry of `replacements`, or of a file that such an entry names.
pub(crate) fn decode_replacement(decoder: &mut Decoder, node: &Node) -> Replacement {
    const FIELDS: &[&str] = &["source", "targets", "sourceValue", "path"];
    let mut out = Replacement { at: node.origin(), ..Replacement::default() };
    decoder.fields(node, "replacements", FIELDS, |d, field, value| match field.name {
        "source" => out.source = Some(decode_replacement_source(d, value)),
        "targets" => out.targets = Some(d.list(value, field, decode_replacement_target)),
        "sourceValue" => out.source_value = Some(d.embedded_text(value, field)),
        _ => out.path = d.text(value, field),
    });
    out
}

fn decode_replacement_source(decoder: &mut Decoder, node: &Node) -> ReplacementSource {
    const FIELDS: &[&str] =
        &["group", "version", "kind", "name", "namespace", "fieldPath", "options"];
    let mut out = ReplacementSource { at: node.origin(), ..ReplacementSource::default() };
    decoder.fields(node, "source", FIELDS, |d, field, value| match field.name {
        "name" => out.name = d.embedded_text(value, field).value,
        "namespace" => out.namespace = d.embedded_text(value, field).value,
        "fieldPath" => out.field_path = d.text(value, field),
        "options" => out.options = decode_field_options(d, value),
        _ => decode_gvk_part(d, field, value, &mut out.gvk),
    });
    out
}

fn decode_replacement_target(decoder: &mut Decoder, node: &Node) -> ReplacementTarget {
    const FIELDS: &[&str] = &["select", "reject", "fieldPaths", "options"];
    let mut out = ReplacementTarget { at: node.origin(), ..ReplacementTarget::default() };
    decoder.fields(node, "targets", FIELDS, |d, field, value| match field.name {
        "select" => out.select = Some(decode_target(d, value)),
        "reject" => out.reject = d.list(value, field, decode_target),
        "fieldPaths" => out.field_paths = d.texts(value, field),
        _ => out.options = decode_field_options(d, value),
    });
    out
}

fn decode_field_options(decoder: &mut Decoder, node: &Node) -> FieldOptions {
    const FIELDS: &[&str] = &["delimiter", "index", "encoding", "create"];
    let mut out = FieldOptions::default();
    decoder.fields(node, "options", FIELDS, |d, field, value| match field.name {
        "delimiter" => out.delimiter = d.text(value, field).value,
        "index" => out.index = d.integer(value, field),
        "create" => out.create = d.boolean(value, field),
        _ => {
            d.text(value, field);
            d.notices.push(DecodeNotice {
                code: Code::ReplacementOptionIgnored,
                at: field.at,
                message: format!("`{}` does nothing: the text is copied as it is", field.name),
                text: "without effect",
                help: Some("remove it, and encode the text where it is written"),
            });
        }
    });
    out
}

fn decode_var(decoder: &mut Decoder, node: &Node) -> Var {
    const FIELDS: &[&str] = &["name", "objref", "fieldref"];
    const OBJREF: &[&str] = &["apiVersion", "group", "version", "kind", "name", "namespace"];
    const FIELDREF: &[&str] = &["fieldPath"];
    let mut out = Var { at: node.origin(), ..Var::default() };
    let mut api_version = EcoString::new();
    decoder.fields(node, "vars", FIELDS, |d, field, value| match field.name {
        "name" => out.name = d.text(value, field),
        "objref" => d.fields(value, "vars.objref", OBJREF, |d, field, value| match field.name {
            "apiVersion" => api_version = d.text(value, field).value,
            "name" => out.object_name = d.text(value, field).value,
            "namespace" => out.namespace = d.text(value, field).value,
            _ => decode_gvk_part(d, field, value, &mut out.gvk),
        }),
        _ => d.fields(value, "vars.fieldref", FIELDREF, |d, field, value| {
            out.field_path = d.text(value, field);
        }),
    });
    // An `apiVersion` with more than one `/` sets neither part.
    match api_version.split('/').collect::<Vec<_>>()[..] {
        [version] if !version.is_empty() => out.gvk.version = version.into(),
        [group, version] => {
            out.gvk.group = group.into();
            out.gvk.version = version.into();
        }
        _ => {}
    }
    out
}

/// Decodes `sortOptions`.
pub(crate) fn decode_sort_options(decoder: &mut Decoder, node: &Node) -> SortOptions {
    const FIELDS: &[&str] = &["order", "legacySortOptions"];
    const LEGACY: &[&str] = &["orderFirst", "orderLast"];
    let mut out = SortOptions { at: node.origin(), ..SortOptions::default() };
    decoder.fields(node, "sortOptions", FIELDS, |d, field, value| {
        if field.name == "order" {
            out.order = d.text(value, field);
            return;
        }
        let (mut first, mut last) = (Vec::new(), Vec::new());
        d.fields(value, "sortOptions.legacySortOptions", LEGACY, |d, field, value| {
            match field.name {
                "orderFirst" => first = d.texts(value, field),
                _ => last = d.texts(value, field),
            }
        });
        out.legacy = Some((first, last));
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_allows_what_is_decoded() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../schema/kustomization.schema.json")).unwrap();
        let allowed = schema["properties"].as_object().unwrap();
        let mut known = FIELDS.to_vec();
        known.sort_unstable();
        let mut allowed: Vec<&str> = allowed.keys().map(String::as_str).collect();
        allowed.sort_unstable();
        assert_eq!(allowed, known);
    }
}
