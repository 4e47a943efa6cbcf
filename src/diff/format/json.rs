//! `kiln/diff/v1`: for programs, with every edit.
//!
//! `docs/diff.md` describes the form, and how applying the edits to one side gives the other.

use ecow::EcoString;
use serde_json::{Map, Value, json};

use super::{Counts, EnvironmentReport, Look, Outcome, Report, SideName, value};
use crate::diff::{
    Change, Changed, Comparison, Edit, Fate, Impact, KeyValue, Object, ObjectId, Path,
    ResourceChange, Step,
};
use crate::provenance::OriginId;
use crate::yaml::{Node, Scalar, direct};

/// Returns a report as JSON.
pub(crate) fn json(report: &Report, look: &Look) -> String {
    let counts = Counts::of_all(report);
    let same: Vec<&str> = report
        .environments
        .iter()
        .filter(|environment| environment.is_same())
        .map(|environment| environment.name.as_str())
        .collect();
    let environments: Vec<Value> =
        report.different().map(|environment| of_environment(environment, look)).collect();
    let document = json!({
        "schema": "kiln/diff/v1",
        "from": side(&report.from),
        "to": side(&report.to),
        "summary": {
            "environments": report.environments.len(),
            "different": environments.len(),
            "changed": counts.changed,
            "created": counts.created,
            "deleted": counts.deleted,
            "rollsPods": counts.rolls_pods,
            "replaceRequired": counts.replace,
        },
        "same": same,
        "environments": environments,
    });
    format!("{document:#}\n")
}

fn side(side: &SideName) -> Value {
    json!({ "name": side.name, "revision": side.revision })
}

fn of_environment(environment: &EnvironmentReport, look: &Look) -> Value {
    let mut out = Map::new();
    out.insert("name".to_owned(), json!(environment.name));
    out.insert("path".to_owned(), json!(environment.path));
    if let Some(was) = &environment.was {
        out.insert("was".to_owned(), json!(was));
    }
    out.insert("status".to_owned(), json!(environment.status()));
    if let Outcome::Failed { side, code, message } = &environment.outcome {
        out.insert("failure".to_owned(), json!({ "side": side, "code": code, "message": message }));
    }
    if let Some(Comparison { resources, unchanged, reordered }) = environment.outcome.comparison() {
        out.insert("unchanged".to_owned(), json!(unchanged));
        out.insert("reordered".to_owned(), json!(reordered));
        let resources: Vec<Value> = resources.iter().map(|one| resource(one, look)).collect();
        out.insert("resources".to_owned(), json!(resources));
    }
    Value::Object(out)
}

fn id(id: &ObjectId) -> Value {
    json!({ "group": id.group.as_str(), "kind": id.kind.as_str(), "namespace": id.namespace.as_str(), "name": id.name.as_str() })
}

fn resource(change: &ResourceChange, look: &Look) -> Value {
    let mut out = Map::new();
    out.insert("id".to_owned(), id(&change.id));
    let fate = match &change.fate {
        Fate::Created(_) => "create",
        Fate::Deleted(_) => "delete",
        Fate::Changed(_) => "modify",
    };
    out.insert("change".to_owned(), json!(fate));
    let impact = match change.impact {
        Impact::RollsPods => "rolls-pods",
        Impact::Replace => "replace-required",
        other => other.text(),
    };
    out.insert("impact".to_owned(), json!(impact));
    let renamed = |out: &mut Map<String, Value>, key: &str| {
        if let Some(other) = &change.renamed {
            out.insert(key.to_owned(), id(other));
        }
    };
    match &change.fate {
        Fate::Created(object) => {
            renamed(&mut out, "renamedFrom");
            whole(&mut out, object, look);
        }
        Fate::Deleted(object) => {
            renamed(&mut out, "renamedTo");
            whole(&mut out, object, look);
        }
        Fate::Changed(changed) => {
            out.insert("from".to_owned(), json!({ "name": changed.old.name }));
            out.insert("to".to_owned(), json!({ "name": changed.new.name }));
            if let Some(hash) = &changed.hash {
                let ids = |list: &[ObjectId]| list.iter().map(id).collect::<Vec<_>>();
                out.insert(
                    "hash".to_owned(),
                    json!({ "from": hash.from, "to": hash.to, "rolls": ids(&hash.rolls), "namedBy": ids(&hash.named_by) }),
                );
            }
            let edits: Vec<Value> =
                changed.edits.iter().map(|one| edit(one, changed, look)).collect();
            out.insert("edits".to_owned(), json!(edits));
        }
    }
    Value::Object(out)
}

fn whole(out: &mut Map<String, Value>, object: &Object, look: &Look) {
    let path = Path::default();
    let shown = value::shown(object, &path, &object.node, look.show_secrets);
    out.insert("object".to_owned(), tree(&shown));
    if !look.show_secrets && value::is_masked(object, &path, &object.node) {
        out.insert("masked".to_owned(), json!(true));
    }
}

fn edit(edit: &Edit, changed: &Changed, look: &Look) -> Value {
    let mut out = Map::new();
    let mut masked = false;
    let mut shown = |object: &Object, node: &Node| {
        masked |= !look.show_secrets && value::is_masked(object, &edit.path, node);
        tree(&value::shown(object, &edit.path, node, look.show_secrets))
    };
    let (op, fields) = match &edit.change {
        Change::Add { new, at } => {
            ("add", vec![("new", shown(&changed.new, new)), ("at", json!(at))])
        }
        Change::Remove { old, at } => {
            ("remove", vec![("old", shown(&changed.old, old)), ("at", json!(at))])
        }
        Change::Replace { old, new } => {
            ("replace", vec![("old", shown(&changed.old, old)), ("new", shown(&changed.new, new))])
        }
        Change::Move { from, to } => ("move", vec![("at", json!(from)), ("to", json!(to))]),
    };
    out.insert("op".to_owned(), json!(op));
    out.insert("path".to_owned(), steps(&edit.path));
    out.insert("field".to_owned(), json!(edit.path.to_string()));
    for (name, value) in fields {
        if name != "at" || !value.is_null() {
            out.insert(name.to_owned(), value);
        }
    }
    if masked {
        out.insert("masked".to_owned(), json!(true));
    }
    if follows(edit, changed) {
        out.insert("follows".to_owned(), json!("hash"));
    }
    Value::Object(out)
}

/// Returns whether an edit is only that of a name with another content hash.
fn follows(edit: &Edit, changed: &Changed) -> bool {
    let Change::Replace { old, new } = &edit.change else { return false };
    let is_own_name = changed.hash.is_some() && edit.path.fields().eq(["metadata", "name"]);
    let is_pair = |(from, to): &(String, String)| old.text() == from && new.text() == to;
    is_own_name || changed.followed.iter().any(is_pair)
}

fn steps(path: &Path) -> Value {
    let step = |step: &Step| match step {
        Step::Field(name) => json!(name.as_str()),
        Step::Index(index) => json!(index),
        Step::Keyed(keys) => {
            let value = |value: &KeyValue| {
                if value.is_string {
                    json!(value.text.as_str())
                } else {
                    tree(&Node::untyped(value.text.clone(), OriginId::NONE))
                }
            };
            let field = |(key, part): &(EcoString, Option<KeyValue>)| {
                (key.to_string(), part.as_ref().map_or(Value::Null, value))
            };
            Value::Object(keys.iter().map(field).collect())
        }
    };
    Value::Array(path.0.iter().map(step).collect())
}

/// Returns a value as JSON. What JSON has no number for is its text.
pub(super) fn tree(node: &Node) -> Value {
    if let Some(entries) = node.entries() {
        let entry = |entry: &crate::yaml::Entry| (entry.key.text().to_owned(), tree(&entry.value));
        return Value::Object(entries.iter().map(entry).collect());
    }
    if let Some(elements) = node.elements() {
        return Value::Array(elements.iter().map(tree).collect());
    }
    match direct(node) {
        Ok(Scalar::Null) => Value::Null,
        Ok(Scalar::Bool(value)) => json!(value),
        Ok(Scalar::Int(value)) => json!(value),
        Ok(Scalar::Uint(value)) => json!(value),
        Ok(Scalar::Float(value)) if value.is_finite() => json!(value),
        Ok(Scalar::Str(text)) => json!(text),
        Ok(Scalar::Float(_)) | Err(_) => json!(node.text()),
    }
}

#[cfg(test)]
mod tests;
