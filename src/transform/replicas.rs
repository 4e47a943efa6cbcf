//! `replicas`.

use super::field_path::{Leaf, visit};
use super::set_value::{path_fault, put_scalar};
use crate::diagnostic::{Code, Diagnostic, Fallible, nearest};
use crate::project::{FieldSpecs, Replica};
use crate::provenance::{Recorder, StepKind};
use crate::resource::{AliasWrites, Resource, ResourceSet};
use crate::session::Context;
use crate::yaml::{Node, ScalarStyle, Tag};

/// Sets the number of replicas of the objects that have, or had, a name. It is a fault if there is none.
pub(crate) fn apply(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    replica: &Replica,
    specs: &FieldSpecs,
) -> Fallible<()> {
    let step = cx.provenance.step(StepKind::Replicas, replica.at);
    let name = replica.name.as_str();
    let candidates = set.named(name);
    let mut found = false;
    for spec in specs.0.iter() {
        for &index in &candidates {
            let fits =
                |r: &Resource| r.any_id(|id| id.name == name && id.gvk.is_selected_by(&spec.gvk));
            if set.get(index).is_deleted() || !fits(set.get(index)) {
                continue;
            }
            found = true;
            if !set.get(index).id().gvk.is_selected_by(&spec.gvk) {
                continue;
            }
            let mut recorder = Recorder::new(&mut cx.provenance, step);
            let result = set.update(index, |resource| {
                let mut writes = AliasWrites::default();
                let root = resource.node_mut();
                let leaf = Leaf::Scalar(Tag::Int);
                let result = visit(root, &spec.path, spec.create, leaf, replica.at, &mut |node| {
                    let origin = recorder.write(replica.count_at, node);
                    let count = replica.count.to_string();
                    put_scalar(
                        node,
                        Node::scalar(count, ScalarStyle::Plain, Tag::Int, origin),
                        &mut writes,
                    )
                });
                writes.apply(root);
                result
            });
            if let Err(fault) = result {
                let id = set.get(index).id().clone();
                return Err(path_fault(cx, fault, spec.path.as_str(), &id, replica.at));
            }
        }
    }
    if found {
        return Ok(());
    }
    let mut kinds: Vec<&str> = specs.0.iter().map(|spec| spec.gvk.kind.as_str()).collect();
    kinds.dedup();
    let message = format!("there is no {} named `{name}`", kinds.join(", "));
    let d =
        Diagnostic::error(Code::ReplicasNoMatch, message).at(cx.span(replica.name.at), "not found");
    let scalable =
        set.iter().filter(|r| specs.0.iter().any(|spec| r.id().gvk.is_selected_by(&spec.gvk)));
    let d = match nearest(name, scalable.map(|r| r.id().name.as_str())) {
        Some(near) => d.help(format!("write `name: {near}`")),
        None => d,
    };
    Err(cx.fail(d))
}
