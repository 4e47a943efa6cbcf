//! Unified differences of the objects' YAML, as `diff -u` writes them.

use std::fmt::Write as _;

use super::value;
use super::{Look, Outcome, Report, hash_text, reported};
use crate::diff::{Fate, ObjectId, ResourceChange};

const NOTHING: &str = "/dev/null";

/// Returns a difference of each object that differs. What a content hash in a name causes stands in a line that begins with
/// `#`, unless [`Look::raw`] asks for all.
pub(crate) fn unified(report: &Report, look: &Look) -> String {
    let mut out = String::new();
    for environment in report.different() {
        let name = &environment.name;
        if let Outcome::Failed { .. } = &environment.outcome {
            let _ = writeln!(out, "# {name}: {}", environment.summary());
        }
        if let Some(was) = &environment.was {
            let _ = writeln!(out, "# {name}: renamed from {was}");
        }
        let Some(comparison) = environment.outcome.comparison() else { continue };
        for change in reported(comparison, look) {
            resource(&mut out, name, change, look);
        }
        if comparison.reordered && (look.raw || comparison.resources.is_empty()) {
            let _ = writeln!(out, "# {name}: the objects stand in another order");
        }
    }
    out
}

fn resource(out: &mut String, environment: &str, change: &ResourceChange, look: &Look) {
    let path = |side: char, id: &ObjectId| format!("{side}/{environment}/{id}");
    match &change.fate {
        Fate::Created(object) => {
            let text = value::yaml_of_object(object, None, look.show_secrets);
            difference(out, "", &text, NOTHING, &path('b', &change.id));
        }
        Fate::Deleted(object) => {
            let text = value::yaml_of_object(object, None, look.show_secrets);
            difference(out, &text, "", &path('a', &change.id), NOTHING);
        }
        Fate::Changed(changed) => {
            if let Some(text) = hash_text(changed).filter(|_| !look.raw) {
                let _ = writeln!(out, "# {environment}/{}: {text}", change.id);
            }
            let mut old = changed.old.clone();
            if !look.raw {
                old.node = changed.old_with_new_names.clone();
            }
            let (old, new) = (
                value::yaml_of_object(&old, None, look.show_secrets),
                value::yaml_of_object(&changed.new, Some(&changed.old), look.show_secrets),
            );
            difference(out, &old, &new, &path('a', &change.id), &path('b', &change.id));
        }
    }
}

fn difference(out: &mut String, old: &str, new: &str, from: &str, to: &str) {
    let lines = value::lines(old, new);
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "--- {from}\n+++ {to}");
    for line in lines {
        let _ = match line.sign {
            '@' => writeln!(out, "{}", line.text),
            sign => writeln!(out, "{sign}{}", line.text),
        };
    }
}
