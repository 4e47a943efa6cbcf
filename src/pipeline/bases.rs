//! Bases that several overlays of one session name: built once, and found as they are by the next overlay.
//!
//! What a kustomization gathers depends on the files below it, on options that a [`BaseKey`] holds, and on what was found
//! before: a schema that is chosen, marks that are asked for, the kustomizations that led to it. A base is shared only
//! where nothing was found before, and only if it changes nothing that others depend on; any other is built where it is
//! named, and so is one with a fault, which is reported with the route to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Accumulator, Level, Role, gather_base};
use crate::diagnostic::Sink;
use crate::provenance::Provenance;
use crate::resource::Resource;
use crate::session::{BaseKey, Context, Text};
use crate::yaml::Written;

/// What is known of a base in a session.
enum Known {
    /// It can be shared.
    Shared(Box<SharedBase>),
    /// It has to be built where it is named.
    Apart,
}

/// A base as an overlay finds it.
struct SharedBase {
    gathered: Accumulator,
    written: Arc<Written>,
    findings: Sink,
    provenance: Provenance,
    /// The directories of the kustomizations below it.
    entered: Vec<PathBuf>,
    /// A schema was asked for.
    asked_for_schema: bool,
    /// A kind was met that is in no table of scopes.
    met_unknown_kind: bool,
}

/// Returns what the base in `root` gathers, if it can be shared. None: it is to be built for this overlay alone.
pub(super) fn shared(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    entry: &Text,
    role: Role,
    root: &Path,
) -> Option<Accumulator> {
    let depends_on_overlay = role == Role::Component
        || level.marks.is_active()
        || !cx.schemas.is_open()
        || cx.schema_choice.is_some();
    if depends_on_overlay || !cx.session.keeps_bases() {
        return None;
    }
    let options = cx.options;
    let definitions = options.custom_resources.as_ref().map(|types| types.files().to_vec());
    let (root_path, from) = (root.to_path_buf(), options.shown_from.clone());
    let key: BaseKey = (root_path, options.load_restriction, from, definitions);
    let base = match cx.session.base(&key) {
        Some(base) => base,
        None => cx.session.keep_base(key, Arc::new(build(cx, level, entry, root))),
    };
    let Some(Known::Shared(base)) = base.downcast_ref() else { return None };
    if leads_back(level, &base.entered) {
        return None;
    }
    cx.adopt_findings(&base.findings);
    cx.provenance.adopt(&base.provenance);
    cx.entered.extend_from_slice(&base.entered);
    if base.asked_for_schema {
        cx.schemas.prepare();
    }
    if base.met_unknown_kind {
        cx.scopes.note_unknown_kind();
    }
    cx.written.push(Arc::clone(&base.written));
    // What is known about scopes is the same, as nothing was found before.
    let mut gathered = base.gathered.clone();
    gathered.set.share_scopes(&cx.scopes);
    Some(gathered)
}

/// Returns whether a directory that was entered contains a kustomization on the way to here.
fn leads_back(level: &Level<'_>, entered: &[PathBuf]) -> bool {
    let mut visited = Some(level);
    while let Some(ancestor) = visited {
        if entered.iter().any(|root| ancestor.layer.root.starts_with(root)) {
            return true;
        }
        visited = ancestor.referrer;
    }
    false
}

fn build(cx: &Context<'_>, level: &Level<'_>, entry: &Text, root: &Path) -> Known {
    let mut own = Context::new(cx.session, cx.options);
    let scopes = Arc::clone(&own.scopes);
    let result = gather_base(&mut own, level, entry, root);
    let changes_schema =
        !own.schemas.is_open() || own.schema_choice.is_some() || !Arc::ptr_eq(&own.scopes, &scopes);
    let Ok(gathered) = result else { return Known::Apart };
    // What a template says belongs to one environment.
    if own.sink.has_errors() || changes_schema || own.has_rendered() {
        return Known::Apart;
    }
    let written = Arc::new(Written::of(gathered.set.iter().map(Resource::node)));
    Known::Shared(Box::new(SharedBase {
        gathered,
        written,
        findings: own.sink,
        provenance: own.provenance.complete(),
        entered: own.entered,
        asked_for_schema: own.schemas.is_ready(),
        met_unknown_kind: own.scopes.unknown_kind_was_met(),
    }))
}
