//! Transformers: what a kustomization does to the objects it has gathered.
//!
//! Comes in: the typed fields of a kustomization, or plugin configurations, and the objects. Goes out: changed objects.
//! [`configure`] is the order in which the fields of one kustomization work; it is fixed, whatever the order in the file
//! (`api/internal/target/kusttarget_configplugin.go`). Three transformers run once, at the end of a build: [`name_hash`],
//! [`name_refs`] and [`vars`].
//!
//! Every value that a transformer writes gets an origin that names the step, the entry that asked for it, and where the
//! text came from.

mod affix;
mod embedded;
mod field_path;
mod images;
mod json_patch;
mod labels;
mod match_path;
mod merge;
mod merge_list;
pub(crate) mod name_hash;
pub(crate) mod name_refs;
mod namespace;
mod patch;
mod path;
mod plugin;
mod replacements;
mod replicas;
mod set_value;
mod value_add;
pub(crate) mod vars;

use std::path::Path;

use crate::diagnostic::Fallible;
use crate::project::{FieldSpecs, Kustomization, Replica, TransformerConfig};
use crate::provenance::StepKind;
use crate::resource::ResourceSet;
use crate::session::Context;

pub(crate) use images::{may_interact, split as split_image};
pub(crate) use labels::set_labels;
pub(crate) use plugin::{Plugin, helm_unsupported, load_plugin};

/// One transformer, ready to work.
#[derive(Debug)]
pub(crate) enum Transformer {
    StrategicMerge(Vec<patch::LoadedPatch>),
    Patch(Box<patch::LoadedPatch>),
    Json6902(Box<patch::LoadedPatch>),
    Namespace(namespace::SetNamespace),
    Affix(affix::Affix),
    /// Both ends, as a plugin configuration may ask for.
    Affixes(affix::Affix, affix::Affix),
    Entries(labels::SetEntries),
    Replicas(Replica, FieldSpecs),
    Images(Vec<images::ImageRule>, FieldSpecs),
    Replacements(Vec<replacements::LoadedReplacement>),
    ValueAdd(value_add::ValueAdd),
    NameHash,
}

impl Transformer {
    /// Returns the name of kustomize's plugin that does this, for its annotations, and how many of them this stands for.
    pub(crate) fn plugin(&self) -> (&'static str, usize) {
        let name = match self {
            Self::StrategicMerge(_) => "PatchStrategicMergeTransformer",
            Self::Patch(_) => "PatchTransformer",
            Self::Json6902(_) => "PatchJson6902Transformer",
            Self::Namespace(_) => "NamespaceTransformer",
            Self::Affix(affix) if affix.kind == affix::AffixKind::Prefix => "PrefixTransformer",
            Self::Affix(_) => "SuffixTransformer",
            Self::Affixes(..) => "PrefixSuffixTransformer",
            Self::Entries(entries) if entries.step == StepKind::Annotations => {
                "AnnotationsTransformer"
            }
            Self::Entries(_) => "LabelTransformer",
            Self::Replicas(..) => "ReplicaCountTransformer",
            Self::Images(rules, _) => return ("ImageTagTransformer", rules.len()),
            Self::Replacements(_) => "ReplacementTransformer",
            Self::ValueAdd(_) => "ValueAddTransformer",
            Self::NameHash => "HashTransformer",
        };
        (name, 1)
    }

    /// Changes the objects of a set. Objects that a patch deletes are gone afterwards.
    pub(crate) fn apply(&self, cx: &mut Context<'_>, set: &mut ResourceSet) -> Fallible<()> {
        let result = match self {
            Self::StrategicMerge(patches) => patches.iter().try_for_each(|patch| {
                patch::apply(cx, set, patch)?;
                set.drop_deleted();
                Ok(())
            }),
            Self::Patch(patch) | Self::Json6902(patch) => patch::apply(cx, set, patch),
            Self::Namespace(config) => namespace::apply(cx, set, config),
            Self::Affix(affix) => affix::apply(cx, set, affix),
            Self::Affixes(prefix, suffix) => {
                affix::apply(cx, set, prefix).and_then(|()| affix::apply(cx, set, suffix))
            }
            Self::Entries(entries) => labels::apply(cx, set, entries),
            Self::Replicas(replica, specs) => replicas::apply(cx, set, replica, specs),
            Self::Images(rules, specs) => images::apply(cx, set, rules, specs),
            Self::Replacements(replacements) => replacements::apply(cx, set, replacements),
            Self::ValueAdd(config) => value_add::apply(cx, set, config),
            Self::NameHash => name_hash::apply(cx, set),
        };
        set.drop_deleted();
        result
    }
}

/// Collects transformers; a faulty one is reported and the others are checked all the same.
struct Plan {
    transformers: Vec<Transformer>,
    result: Fallible<()>,
}

impl Plan {
    fn add(&mut self, transformer: Fallible<Transformer>) {
        match transformer {
            Ok(transformer) => self.transformers.push(transformer),
            Err(reported) => self.result = Err(reported),
        }
    }
}

/// Returns the transformers that the fields of a kustomization ask for, in the order in which they work.
pub(crate) fn configure(
    cx: &mut Context<'_>,
    root: &Path,
    fields: &Kustomization,
    config: &TransformerConfig,
) -> Fallible<Vec<Transformer>> {
    let mut plan = Plan { transformers: Vec::new(), result: Ok(()) };
    if !fields.patches_strategic_merge.is_empty() {
        let entries = fields.patches_strategic_merge.iter();
        let patches: Vec<Fallible<patch::LoadedPatch>> =
            entries.map(|entry| patch::load_strategic_merge(cx, root, entry)).collect();
        let patches: Fallible<Vec<_>> = patches.into_iter().collect();
        plan.add(
            patches.and_then(|patches| {
                patch::require_some(cx, patches, &fields.patches_strategic_merge)
            }),
        );
    }
    for entry in &fields.patches {
        plan.add(patch::load_patch(cx, root, entry).map(Box::new).map(Transformer::Patch));
    }
    if !fields.namespace.is_empty() {
        plan.add(Ok(Transformer::Namespace(namespace::SetNamespace {
            at: fields.namespace.at,
            namespace: fields.namespace.clone(),
            specs: config.namespace.clone(),
            unset_only: false,
            subjects: namespace::SubjectMode::DefaultOnly,
        })));
    }
    let affixes = [
        (affix::AffixKind::Prefix, &fields.name_prefix, &config.name_prefix),
        (affix::AffixKind::Suffix, &fields.name_suffix, &config.name_suffix),
    ];
    for (kind, text, specs) in affixes {
        if !text.is_empty() {
            let affix = affix::Affix { kind, text: text.clone(), specs: specs.clone() };
            plan.add(Ok(Transformer::Affix(affix)));
        }
    }
    for transformer in labels::configure(cx, fields, config) {
        plan.add(transformer);
    }
    if let Some(annotations) = fields.common_annotations.as_ref().filter(|a| !a.pairs.is_empty()) {
        plan.add(Ok(Transformer::Entries(labels::SetEntries {
            step: StepKind::Annotations,
            at: annotations.at,
            pairs: annotations.pairs.clone(),
            specs: config.common_annotations.clone(),
        })));
    }
    for entry in &fields.patches_json6902 {
        plan.add(patch::load_json6902(cx, root, entry).map(Box::new).map(Transformer::Json6902));
    }
    for replica in &fields.replicas {
        plan.add(Ok(Transformer::Replicas(replica.clone(), config.replicas.clone())));
    }
    if !fields.images.is_empty() {
        let rules = fields.images.iter().map(images::configure).collect();
        plan.add(Ok(Transformer::Images(rules, config.images.clone())));
    }
    if !fields.replacements.is_empty() {
        plan.add(replacements::load(cx, root, &fields.replacements).map(Transformer::Replacements));
    }
    plan.result.map(|()| plan.transformers)
}
