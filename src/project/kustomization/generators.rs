//! The fields that make objects: generators, and charts, which are checked although they are refused.

use ecow::EcoString;

use crate::project::decode::{Decoder, Field};
use crate::provenance::OriginId;
use crate::session::Text;
use crate::yaml::Node;

#[derive(Clone, Debug, Default)]
pub(crate) struct GeneratorArgs {
    pub(crate) at: OriginId,
    pub(crate) namespace: Text,
    pub(crate) name: Text,
    pub(crate) behavior: Text,
    pub(crate) literals: Vec<Text>,
    pub(crate) files: Vec<Text>,
    pub(crate) envs: Vec<Text>,
    pub(crate) options: Option<GeneratorOptions>,
    /// The `type` of a Secret.
    pub(crate) secret_type: Text,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct GeneratorOptions {
    pub(crate) at: OriginId,
    pub(crate) labels: Vec<(EcoString, Text)>,
    pub(crate) annotations: Vec<(EcoString, Text)>,
    pub(crate) disable_name_suffix_hash: bool,
    /// Where it is turned on.
    pub(crate) immutable: Option<OriginId>,
    /// The switches that are written to be off, with their places.
    pub(crate) off: Vec<(&'static str, OriginId)>,
}

impl GeneratorOptions {
    /// Returns these options with what `global` adds: its labels and annotations where there are none, its switches
    /// where they are on.
    pub(crate) fn with_global(own: Option<&Self>, global: Option<&Self>) -> Option<Self> {
        let Some(global) = global else { return own.cloned() };
        let mut merged = own.cloned().unwrap_or_else(|| Self { at: global.at, ..Self::default() });
        let fill = |own: &mut Vec<(EcoString, Text)>, global: &[(EcoString, Text)]| {
            for (key, value) in global {
                if !own.iter().any(|(k, _)| k == key) {
                    own.push((key.clone(), value.clone()));
                }
            }
            own.sort_by(|a, b| a.0.cmp(&b.0));
        };
        fill(&mut merged.labels, &global.labels);
        fill(&mut merged.annotations, &global.annotations);
        merged.disable_name_suffix_hash |= global.disable_name_suffix_hash;
        merged.immutable = merged.immutable.or(global.immutable);
        Some(merged)
    }
}

impl GeneratorOptions {
    /// Returns the switches that these options turn off in vain, because `global` has them on.
    pub(crate) fn off_in_vain(&self, global: &Self) -> Vec<(&'static str, OriginId)> {
        let is_on = |name: &str| match name {
            "disableNameSuffixHash" => global.disable_name_suffix_hash,
            _ => global.immutable.is_some(),
        };
        self.off.iter().copied().filter(|(name, _)| is_on(name)).collect()
    }
}

const GENERATOR_FIELDS: &[&str] =
    &["namespace", "name", "behavior", "literals", "files", "envs", "env", "options"];

const SECRET_FIELDS: &[&str] =
    &["namespace", "name", "behavior", "literals", "files", "envs", "env", "options", "type"];

pub(super) fn decode_config_map(decoder: &mut Decoder, node: &Node) -> GeneratorArgs {
    decode_generator(decoder, node, "configMapGenerator", GENERATOR_FIELDS)
}

pub(super) fn decode_secret(decoder: &mut Decoder, node: &Node) -> GeneratorArgs {
    decode_generator(decoder, node, "secretGenerator", SECRET_FIELDS)
}

/// Decodes an entry of `configMapGenerator` or `secretGenerator`.
pub(crate) fn decode_generator(
    decoder: &mut Decoder,
    node: &Node,
    of: &'static str,
    known: &'static [&'static str],
) -> GeneratorArgs {
    let mut out = GeneratorArgs { at: node.origin(), ..GeneratorArgs::default() };
    let mut env = Text::default();
    decoder.fields(node, of, known, |d, field, value| match field.name {
        "namespace" => out.namespace = d.embedded_text(value, field),
        "name" => out.name = d.embedded_text(value, field),
        "behavior" => out.behavior = d.embedded_text(value, field),
        "literals" => out.literals = embedded_texts(d, value, field),
        "files" => out.files = embedded_texts(d, value, field),
        "envs" => out.envs = embedded_texts(d, value, field),
        "env" => env = d.embedded_text(value, field),
        "options" => out.options = Some(decode_generator_options(d, value)),
        _ => out.secret_type = d.embedded_text(value, field),
    });
    if !env.is_empty() {
        out.envs.push(env);
    }
    out
}

fn embedded_texts(decoder: &mut Decoder, node: &Node, field: Field<'_>) -> Vec<Text> {
    decoder.list(node, field, |d, e| d.embedded_text(e, field))
}

pub(super) fn decode_generator_options(decoder: &mut Decoder, node: &Node) -> GeneratorOptions {
    const FIELDS: &[&str] = &["labels", "annotations", "disableNameSuffixHash", "immutable"];
    let mut out = GeneratorOptions { at: node.origin(), ..GeneratorOptions::default() };
    decoder.fields(node, "generatorOptions", FIELDS, |d, field, value| match field.name {
        "labels" => out.labels = d.embedded_text_map(value, field),
        "annotations" => out.annotations = d.embedded_text_map(value, field),
        name => {
            let on = d.boolean(value, field);
            if !on {
                out.off.push((name, value.origin()));
            }
            match name {
                "disableNameSuffixHash" => out.disable_name_suffix_hash = on,
                _ => out.immutable = on.then(|| value.origin()),
            }
        }
    });
    out
}

pub(super) fn decode_helm_globals(decoder: &mut Decoder, node: &Node) {
    const FIELDS: &[&str] = &["chartHome", "configHome"];
    decoder.fields(node, "helmGlobals", FIELDS, |d, field, value| drop(d.text(value, field)));
}

pub(super) fn decode_helm_chart(decoder: &mut Decoder, node: &Node) {
    const FIELDS: &[&str] = &[
        "name",
        "version",
        "repo",
        "releaseName",
        "namespace",
        "additionalValuesFiles",
        "valuesFile",
        "valuesInline",
        "valuesMerge",
        "includeCRDs",
        "skipHooks",
        "apiVersions",
        "kubeVersion",
        "nameTemplate",
        "skipTests",
        "debug",
        "devel",
    ];
    decoder.fields(node, "helmCharts", FIELDS, |d, field, value| match field.name {
        "additionalValuesFiles" | "apiVersions" => drop(d.texts(value, field)),
        "includeCRDs" | "skipHooks" | "skipTests" | "debug" | "devel" => {
            d.boolean(value, field);
        }
        "valuesInline" => require_map(d, value, field),
        _ => drop(d.text(value, field)),
    });
}

pub(super) fn decode_old_helm_chart(decoder: &mut Decoder, node: &Node) {
    const FIELDS: &[&str] = &[
        "chartName",
        "chartVersion",
        "chartRepoUrl",
        "chartHome",
        "chartRepoName",
        "helmBin",
        "helmHome",
        "values",
        "valuesLocal",
        "valuesMerge",
        "releaseName",
        "releaseNamespace",
        "extraArgs",
    ];
    decoder.fields(node, "helmChartInflationGenerator", FIELDS, |d, field, value| {
        match field.name {
            "extraArgs" => drop(d.texts(value, field)),
            "valuesLocal" => require_map(d, value, field),
            _ => drop(d.text(value, field)),
        }
    });
}

fn require_map(decoder: &mut Decoder, node: &Node, field: Field<'_>) {
    if node.entries().is_none() {
        decoder.wrong_type(node, field, "a map");
    }
}
