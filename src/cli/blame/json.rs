//! Histories as one JSON document.

use serde_json::{Value as Json, json};

use super::{Answer, placeholder};
use crate::blame::{Field, Place, Removal, Source, SourceKind, Write};
use crate::provenance::{Effect, LogKind, StepKind};
use crate::resource::Resource;
use crate::source::display_path;
use crate::yaml::{Node, Scalar, direct};

impl Answer<'_> {
    pub(super) fn json(
        &self,
        resource: &Resource,
        fields: &[Field],
        removal: Option<&Removal>,
    ) -> String {
        let id = resource.id();
        let fields: Vec<Json> = fields.iter().map(|field| self.json_field(field)).collect();
        let mut document = json!({
            "schema": "kiln/blame/v1",
            "target": display_path(&self.prepared.options.target, self.directory()),
            "environment": self.target.environment.as_ref().map(|e| e.name.as_str()),
            "object": {
                "apiVersion": id.gvk.api_version().as_str(),
                "kind": id.gvk.kind.as_str(),
                "namespace": id.namespace.as_str(),
                "name": id.name.as_str(),
            },
            "path": self.path.to_string(),
        });
        let Some(removal) = removal else {
            document["fields"] = fields.into();
            return format!("{document:#}\n");
        };
        let how = match removal.kind {
            LogKind::Local => "local",
            LogKind::EmptyDropped => "empty",
            LogKind::Deleted | LogKind::ListReordered => "deleted",
            LogKind::MapReplaced | LogKind::ListReplaced | LogKind::Rewritten => "replaced",
        };
        document["fields"] = json!([]);
        document["removed"] = json!({
            "path": removal.path.to_string(),
            "how": how,
            "step": removal.step.name(),
            "layer": self.layer(removal.layer.as_deref()),
            "at": removal.at.as_ref().map(|at| self.json_place(at)),
            "fields": fields,
        });
        format!("{document:#}\n")
    }

    fn json_place(&self, place: &Place) -> Json {
        if place.path.is_absolute() {
            let file = display_path(&place.path, self.directory());
            json!({ "file": file, "line": place.line, "column": place.column })
        } else {
            json!({ "flag": place.path.to_string_lossy() })
        }
    }

    fn json_field(&self, field: &Field) -> Json {
        let masked = self.is_masked(field);
        json!({
            "path": field.path.to_string(),
            "value": json_value(&field.value, masked),
            "secret": field.is_secret,
            "history": self.json_writes(&field.writes, masked),
        })
    }

    fn json_writes(&self, writes: &[Write], masked: bool) -> Json {
        let write = |write: &Write| {
            // The values that a hash is made of have their own histories, and may be secret.
            let is_hash = write.step == Some(StepKind::NameHash);
            let source = |source: &Source| self.json_source(source, masked, is_hash);
            let sources: Vec<Json> = write.sources.iter().map(source).collect();
            let mut out = json!({
                "step": write.step.map_or("resource", StepKind::name),
                "layer": self.layer(write.layer.as_deref()),
                "at": write.at.as_ref().map(|at| self.json_place(at)),
                "effect": match (write.effect, &write.before) {
                    (Effect::Extended, _) => "extended",
                    (Effect::Replaced, Some(_)) => "replaced",
                    (Effect::Replaced, None) => "written",
                },
                "sources": sources,
            });
            if let Some(before) = &write.before {
                out["before"] = json_value(before, masked);
            }
            out
        };
        writes.iter().map(write).collect()
    }

    fn json_source(&self, source: &Source, masked: bool, is_hashed: bool) -> Json {
        let mut out = self.json_place(&source.place);
        out["kind"] = match source.kind {
            SourceKind::Text => "text",
            SourceKind::Template => "template",
            SourceKind::Expression => "expression",
            SourceKind::Value => "value",
        }
        .into();
        if !source.writes.is_empty() && !is_hashed {
            out["history"] = self.json_writes(&source.writes, masked);
        }
        if !source.overrides.is_empty() {
            let overrides = source.overrides.iter().map(|(place, old)| {
                let mut out = self.json_place(place);
                out["value"] = json_value(old, masked);
                out
            });
            out["overrides"] = overrides.collect();
        }
        out
    }
}

/// Returns a value as JSON holds it.
fn json_value(node: &Node, masked: bool) -> Json {
    if masked {
        return placeholder(node).into();
    }
    if let Some(entries) = node.entries() {
        let pairs = entries.iter().map(|e| (e.key.text().to_owned(), json_value(&e.value, false)));
        return Json::Object(pairs.collect());
    }
    if let Some(elements) = node.elements() {
        return elements.iter().map(|element| json_value(element, false)).collect();
    }
    match direct(node) {
        Ok(Scalar::Null) => Json::Null,
        Ok(Scalar::Bool(value)) => value.into(),
        Ok(Scalar::Int(value)) => value.into(),
        Ok(Scalar::Uint(value)) => value.into(),
        Ok(Scalar::Float(value)) if value.is_finite() => value.into(),
        _ => node.text().into(),
    }
}
