//! The content hash behind the names of generated objects.

use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::generate::{HashFault, content_hash};
use crate::provenance::{OriginId, Recorder, StepKind};
use crate::resource::ResourceSet;
use crate::session::Context;
use crate::yaml::known;

/// Extends the name of every object that asks for it by its content hash.
pub(crate) fn apply(cx: &mut Context<'_>, set: &mut ResourceSet) -> Fallible<()> {
    let step = cx.provenance.step(StepKind::NameHash, OriginId::NONE);
    for index in 0..set.len() {
        if !set.get(index).needs_hash {
            continue;
        }
        let hash = match content_hash(set.get(index)) {
            Ok(hash) => hash,
            Err(HashFault::View(fault)) => return Err(cx.view_fault(&fault)),
            Err(HashFault::Kind) => {
                let id = set.get(index).id();
                let message =
                    format!("`{id}` has no content hash: only a ConfigMap or Secret has one");
                let at = set.get(index).node().origin();
                let d = Diagnostic::error(Code::GeneratorInvalid, message)
                    .at(cx.span(at), "this object");
                return Err(cx.fail(d.help("keep the kind of the generated object")));
            }
        };
        let mut recorder = Recorder::new(&mut cx.provenance, step);
        set.update(index, |resource| {
            let origin = match resource.node().at(&[known::METADATA, known::NAME]) {
                Some(name) => recorder.extend(OriginId::NONE, name),
                None => recorder.create(OriginId::NONE),
            };
            resource.store_previous_id();
            resource.add_hash(&hash, origin);
        });
    }
    Ok(())
}
