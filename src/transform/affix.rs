//! `namePrefix` and `nameSuffix`.

use super::field_path::{Leaf, visit};
use super::set_value::{path_fault, put_scalar};
use crate::diagnostic::Fallible;
use crate::project::FieldSpecs;
use crate::provenance::{OriginId, Recorder, StepKind};
use crate::resource::{AliasWrites, Gvk, ResourceSet};
use crate::session::{Context, Text};
use crate::yaml::{Node, Tag};

/// Which end of a name is extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AffixKind {
    Prefix,
    Suffix,
}

/// A prefix or suffix for names.
#[derive(Clone, Debug)]
pub(crate) struct Affix {
    pub(crate) kind: AffixKind,
    pub(crate) text: Text,
    pub(crate) specs: FieldSpecs,
}

/// Returns whether objects of a type keep their name, whatever the field specifications say.
fn keeps_name(gvk: &Gvk) -> bool {
    matches!(gvk.kind.as_str(), "CustomResourceDefinition" | "Namespace")
        || gvk.kind == "APIService" && gvk.group == "apiregistration.k8s.io"
}

/// Extends the names of the objects of a set. An empty text changes no name, but sets the fields that it concerns.
pub(crate) fn apply(cx: &mut Context<'_>, set: &mut ResourceSet, affix: &Affix) -> Fallible<()> {
    let kind = match affix.kind {
        AffixKind::Prefix => StepKind::NamePrefix,
        AffixKind::Suffix => StepKind::NameSuffix,
    };
    let at: OriginId = affix.text.at;
    let step = cx.provenance.step(kind, at);
    for index in 0..set.len() {
        let original = set.get(index).original_gvk();
        if keeps_name(&original) || set.get(index).is_deleted() {
            continue;
        }
        for spec in affix.specs.0.iter().filter(|spec| original.is_selected_by(&spec.gvk)) {
            let mut recorder = Recorder::new(&mut cx.provenance, step);
            let result = set.update(index, |resource| {
                if spec.path.as_str() == "metadata/name" && !affix.text.is_empty() {
                    // kustomize keeps these in a list with commas.
                    let parts = affix.text.as_str().split(',').map(Into::into);
                    match affix.kind {
                        AffixKind::Prefix => resource.prefixes.extend(parts),
                        AffixKind::Suffix => resource.suffixes.extend(parts),
                    }
                    resource.store_previous_id();
                }
                if !resource.id().gvk.is_selected_by(&spec.gvk) {
                    return Ok(());
                }
                let mut writes = AliasWrites::default();
                let root = resource.node_mut();
                let leaf = Leaf::Scalar(Tag::Str);
                let result =
                    visit(root, &spec.path, spec.create, leaf, at, &mut |node: &mut Node| {
                        let text = match affix.kind {
                            AffixKind::Prefix => format!("{}{}", affix.text.value, node.text()),
                            AffixKind::Suffix => format!("{}{}", node.text(), affix.text.value),
                        };
                        let origin = recorder.extend(at, node);
                        put_scalar(node, Node::untyped(text, origin), &mut writes)
                    });
                writes.apply(root);
                result
            });
            if let Err(fault) = result {
                return Err(path_fault(
                    cx,
                    fault,
                    spec.path.as_str(),
                    &set.get(index).id().clone(),
                    at,
                ));
            }
        }
    }
    Ok(())
}
