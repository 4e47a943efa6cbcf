//! `labels`, `commonLabels` and `commonAnnotations`.

use ecow::EcoString;

use super::Transformer;
use super::field_path::{Leaf, SpecsByType, visit};
use super::set_value::{path_fault, put_entry};
use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::project::{
    FieldPath, FieldSpec, FieldSpecClash, FieldSpecs, Kustomization, Label, TransformerConfig,
    report_clash,
};
use crate::provenance::{OriginId, Recorder, StepKind};
use crate::resource::{AliasWrites, Gvk, Resource, ResourceSet, metadata_entry};
use crate::session::{Context, Text};
use crate::yaml::{Key, Node, ScalarStyle, Tag, known};

/// Labels or annotations to set.
#[derive(Clone, Debug)]
pub(crate) struct SetEntries {
    pub(crate) step: StepKind,
    pub(crate) at: OriginId,
    /// Sorted by key.
    pub(crate) pairs: Vec<(EcoString, Text)>,
    pub(crate) specs: FieldSpecs,
}

/// Returns the transformers of `labels` and `commonLabels`. The latter is there even without labels, as soon as either
/// field is used, which kustomize's annotations show.
pub(super) fn configure(
    cx: &mut Context<'_>,
    fields: &Kustomization,
    config: &TransformerConfig,
) -> Vec<Fallible<Transformer>> {
    let common = fields.common_labels.as_ref().filter(|labels| !labels.pairs.is_empty());
    if fields.labels.is_empty() && common.is_none() {
        return Vec::new();
    }
    let mut out = Vec::with_capacity(fields.labels.len() + 1);
    for label in &fields.labels {
        let specs = label_specs(label, config).map_err(|clash| report_clash(cx, &clash, label.at));
        out.push(specs.map(|specs| {
            let (at, pairs) = (label.at, label.pairs.clone());
            Transformer::Entries(SetEntries { step: StepKind::Labels, at, pairs, specs })
        }));
    }
    let common = common.cloned().unwrap_or_default();
    out.push(Ok(Transformer::Entries(SetEntries {
        step: StepKind::Labels,
        at: common.at,
        pairs: common.pairs,
        specs: config.common_labels.clone(),
    })));
    out
}

/// Sets labels that no field of a kustomization asks for.
pub(crate) fn set_labels(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    (step, at): (StepKind, OriginId),
    pairs: Vec<(EcoString, Text)>,
    specs: FieldSpecs,
) -> Fallible<()> {
    apply(cx, set, &SetEntries { step, at, pairs, specs })
}

fn label_specs(label: &Label, config: &TransformerConfig) -> Result<FieldSpecs, FieldSpecClash> {
    let mut specs = FieldSpecs::from(label.fields.clone());
    specs.add_all(&config.labels)?;
    if label.include_selectors {
        specs.add_all(&config.common_labels)?;
        return Ok(specs);
    }
    if label.include_templates {
        specs.add_all(&config.template_labels)?;
    }
    let own =
        FieldSpec { gvk: Gvk::default(), path: FieldPath::new("metadata/labels"), create: true };
    specs.add(&own)?;
    Ok(specs)
}

/// A Service without a selector may have its endpoints written down; with one, Kubernetes overwrites them.
fn warn_of_selector(
    cx: &mut Context<'_>,
    set: &ResourceSet,
    slices: &[usize],
    index: usize,
    config: &SetEntries,
) {
    let service = set.get(index);
    let creates = |spec: &FieldSpec| {
        spec.create
            && spec.path.as_str() == "spec/selector"
            && service.id().gvk.is_selected_by(&spec.gvk)
    };
    let node = service.node();
    let spec = node.get(Key::text_key("spec"));
    let field = |name| spec.and_then(|spec| spec.get(Key::text_key(name)));
    let is_external = field("type").is_some_and(|node| node.text() == "ExternalName");
    if is_external || field("selector").is_some() || !config.specs.0.iter().any(creates) {
        return;
    }
    let Some(endpoints) = endpoints_of(set, slices, service) else { return };
    let message = format!("`{}` has no selector and is given one", service.id());
    let d = Diagnostic::warning(Code::LabelsSelectorCreated, message)
        .at(cx.span(config.at), "by these labels")
        .at(cx.span(node.origin()), "this Service")
        .at(cx.span(endpoints.node().origin()), "Kubernetes overwrites these endpoints");
    cx.warn(d.help(
        "use `labels` without `includeSelectors`, or build the Service in another kustomization",
    ));
}

/// Returns the endpoints of a Service that are written down. `slices`: the `EndpointSlice`s of the set.
fn endpoints_of<'s>(
    set: &'s ResourceSet,
    slices: &[usize],
    service: &Resource,
) -> Option<&'s Resource> {
    let (name, namespace) = (&service.id().name, service.id().effective_namespace());
    let is_beside = |r: &&Resource| r.id().effective_namespace() == namespace;
    let mut named = set.named(name).into_iter().map(|index| set.get(index));
    named.find(|r| r.id().gvk.kind == "Endpoints" && is_beside(r)).or_else(|| {
        slices.iter().map(|&index| set.get(index)).filter(is_beside).find(|r| {
            metadata_entry(r.node(), known::LABELS, "kubernetes.io/service-name")
                .is_some_and(|service| service == name.as_str())
        })
    })
}

/// Sets labels or annotations on the objects of a set.
///
/// In kustomize the value of a key is one node for all fields of an object in which it is created, so that a later write
/// through one of them shows in all; hence the groups.
pub(crate) fn apply(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    config: &SetEntries,
) -> Fallible<()> {
    if config.pairs.is_empty() {
        return Ok(());
    }
    let step = cx.provenance.step(config.step, config.at);
    let mut specs = SpecsByType::new(&config.specs);
    let is_slice = |index: &usize| set.get(*index).id().gvk.kind == "EndpointSlice";
    let slices: Vec<usize> = (0..set.len()).filter(is_slice).collect();
    for index in 0..set.len() {
        if set.get(index).is_deleted() {
            continue;
        }
        let gvk = set.get(index).id().gvk.clone();
        if gvk.kind == "Service" {
            warn_of_selector(cx, set, &slices, index, config);
        }
        let mut recorder = Recorder::new(&mut cx.provenance, step);
        let result = set.update(index, |resource| {
            for (key, value) in &config.pairs {
                let mut group = None;
                for spec in specs.of(&gvk) {
                    let mut writes = AliasWrites::default();
                    let mut created = 0;
                    let next_group = group.unwrap_or_else(|| resource.new_alias_group());
                    let root = resource.node_mut();
                    let result =
                        visit(root, &spec.path, spec.create, Leaf::Map, value.at, &mut |node| {
                            let existing = node.get(Key::text_key(key));
                            let is_new = existing.is_none();
                            let origin = match existing {
                                Some(existing) => recorder.write(value.at, existing),
                                None => recorder.create(value.at),
                            };
                            let mut new = Node::scalar(
                                value.value.clone(),
                                ScalarStyle::Plain,
                                Tag::Str,
                                origin,
                            );
                            if is_new {
                                new.set_alias_group(next_group);
                                created += 1;
                            }
                            put_entry(node, key, new, &mut writes)
                        });
                    writes.apply(root);
                    result.map_err(|fault| (fault, spec.path.as_str().to_owned()))?;
                    group = Some(next_group).filter(|_| created > 0 || group.is_some());
                }
            }
            Ok(())
        });
        if let Err((fault, path)) = result {
            return Err(path_fault(cx, fault, &path, &set.get(index).id().clone(), config.at));
        }
    }
    Ok(())
}
