//! The project file to what it says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::environments::{Entry, expand, require_relative};
use super::glob::Glob;
use super::{
    External, PodSecurity, Project, RenderLayout, SecretPolicy, Settings, ValuesFile,
    ValuesSettings,
};
use crate::diagnostic::{Code, Diagnostic, Fallible, Level, nearest};
use crate::project::decode::{Decoder, Field, Rules};
use crate::project::load::{FaultCodes, report_faults_as};
use crate::session::{Context, Text};
use crate::source::{SourceFile, join};
use crate::yaml::{Node, NodeKind};

const API_VERSION: &str = "kiln/v1";
const KIND: &str = "Project";

/// The fields of a project file, and of the maps in it.
const FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "kubernetes",
    "values",
    "templates",
    "environments",
    "remotes",
    "render",
    "validate",
    "lints",
];
const KUBERNETES_FIELDS: &[&str] = &["version", "crds", "crdListKeys"];
const VALUES_FIELDS: &[&str] = &["files", "schema"];
const ENVIRONMENT_FIELDS: &[&str] =
    &["path", "values", "kubernetes", "render", "validate", "lints"];
const RENDER_FIELDS: &[&str] = &["dir", "layout", "secrets", "allowSecrets"];
const VALIDATE_FIELDS: &[&str] = &["podSecurity", "external", "with", "baseline"];

/// Settings before their words are checked.
#[derive(Default)]
struct Raw {
    settings: Settings,
    layout: Option<Text>,
    secrets: Option<Text>,
    pod_security: Option<Text>,
    external: Option<Vec<Text>>,
    lints: Vec<(ecow::EcoString, Text)>,
}

/// Returns what a project file says. `root`: its directory.
pub(super) fn project(
    cx: &mut Context<'_>,
    file: &Arc<SourceFile>,
    document: &Node,
    root: &Path,
) -> Fallible<Project> {
    let (mut api_version, mut kind) = (Text::default(), Text::default());
    let mut raw = Raw::default();
    let mut values = ValuesSettings::default();
    let (mut templates, mut remotes) = (Vec::new(), Vec::new());
    let mut environments = Vec::new();
    let mut decoder = Decoder::new(Rules::Strict);
    decoder.fields(document, "", FIELDS, |d, field, value| match field.name {
        "apiVersion" => api_version = d.text(value, field),
        "kind" => kind = d.text(value, field),
        "values" => values = decode_values(d, value),
        "templates" => templates = d.texts(value, field),
        "environments" => environments = decode_environments(d, value, field),
        "remotes" => remotes = d.text_map(value, field),
        _ => decode_setting(d, value, field, &mut raw),
    });
    report_faults_as(cx, &decoder.faults, FaultCodes::PROJECT)?;
    require_type(cx, file, api_version, kind)?;
    let settings = checked(cx, raw)?;
    let mut entries = Vec::new();
    let mut result = Ok(());
    for (name, path, values, raw) in environments {
        match checked(cx, raw) {
            Ok(settings) => entries.push(Entry { name, path, values, settings }),
            Err(reported) => result = Err(reported),
        }
    }
    result?;
    let environments = expand(cx, root, &entries)?;
    let mut project = Project {
        path: None,
        levels: settings.levels.clone(),
        settings,
        values,
        templates: templates.iter().map(|text| Glob::new(text.as_str())).collect(),
        environments,
        remotes: Vec::new(),
    };
    for (remote, path) in remotes {
        project.remotes.push((remote.to_string(), join(root, Path::new(path.as_str()))));
    }
    Ok(project)
}

fn decode_values(decoder: &mut Decoder, node: &Node) -> ValuesSettings {
    let mut values = ValuesSettings::default();
    decoder.fields(node, "values", VALUES_FIELDS, |d, field, value| match field.name {
        "files" => {
            let files = d.texts(value, field);
            values.files =
                files.iter().map(|file| ValuesFile::new(file, &BTreeMap::new())).collect();
        }
        _ => values.schema = Some(d.text(value, field)),
    });
    values
}

type RawEnvironment = (Text, Text, Vec<Text>, Raw);

fn decode_environments(
    decoder: &mut Decoder,
    node: &Node,
    field: Field<'static>,
) -> Vec<RawEnvironment> {
    let Some(entries) = node.entries() else {
        decoder.wrong_type(node, field, "a map");
        return Vec::new();
    };
    let mut out = Vec::new();
    for entry in entries {
        let name = Text { value: entry.key.text().into(), at: entry.key_origin };
        let (mut path, mut values, mut raw) = (None, Vec::new(), Raw::default());
        decoder.fields(&entry.value, "environments", ENVIRONMENT_FIELDS, |d, field, value| {
            match field.name {
                "path" => path = Some(d.text(value, field)),
                "values" => values = d.texts(value, field),
                _ => decode_setting(d, value, field, &mut raw),
            }
        });
        match path {
            Some(path) => out.push((name, path, values, raw)),
            None if entry.value.kind() == NodeKind::Map => {
                let field = Field { of: "environments", name: "path", at: entry.key_origin };
                decoder.wrong_type(&Node::null(entry.key_origin), field, "a path");
            }
            // What is no map is a fault already.
            None => {}
        }
    }
    out
}

/// Returns a word as it is written: `off` is no boolean here.
fn word_text(decoder: &mut Decoder, node: &Node, field: Field<'static>) -> Text {
    let text = decoder.text(node, field);
    Text { value: node.shared_text(), at: text.at }
}

fn decode_setting(decoder: &mut Decoder, node: &Node, field: Field<'static>, raw: &mut Raw) {
    match field.name {
        "kubernetes" => {
            decoder.fields(node, "kubernetes", KUBERNETES_FIELDS, |d, field, value| {
                match field.name {
                    // The number 1.30 is a version, not 1.3.
                    "version" => {
                        raw.settings.kubernetes_version = Some(word_text(d, value, field));
                    }
                    "crds" => raw.settings.crds = Some(d.texts(value, field)),
                    _ => raw.settings.crd_list_keys = Some(d.boolean(value, field)),
                }
            });
        }
        "render" => {
            decoder.fields(node, "render", RENDER_FIELDS, |d, field, value| match field.name {
                "dir" => raw.settings.render_dir = Some(d.text(value, field)),
                "layout" => raw.layout = Some(word_text(d, value, field)),
                "secrets" => raw.secrets = Some(word_text(d, value, field)),
                _ => raw.settings.allowed_secrets = Some(d.texts(value, field)),
            });
        }
        "validate" => {
            decoder.fields(node, "validate", VALIDATE_FIELDS, |d, field, value| match field.name {
                "podSecurity" => raw.pod_security = Some(word_text(d, value, field)),
                "baseline" => raw.settings.baseline = Some(d.text(value, field)),
                "external" => raw.external = Some(d.texts(value, field)),
                _ => raw.settings.with = Some(d.texts(value, field)),
            });
        }
        _ => raw.lints = decoder.text_map(node, field),
    }
}

fn require_type(
    cx: &mut Context<'_>,
    file: &Arc<SourceFile>,
    api_version: Text,
    kind: Text,
) -> Fallible<()> {
    for (name, found, wanted) in [("apiVersion", api_version, API_VERSION), ("kind", kind, KIND)] {
        if found.as_str() != wanted {
            let span = cx.span(found.at).or_else(|| cx.span_at(file.base()));
            let message = match found.as_str() {
                "" => format!("a project file says `{name}: {wanted}`"),
                other => format!("the `{name}` of a project file is `{wanted}`, not `{other}`"),
            };
            let d = Diagnostic::error(Code::ProjectWrongType, message).at(span, "this file");
            return Err(cx.fail(d.help(format!("write `{name}: {wanted}`"))));
        }
    }
    Ok(())
}

/// Checks the words of settings.
fn checked(cx: &mut Context<'_>, raw: Raw) -> Fallible<Settings> {
    let Raw { mut settings, layout, secrets, pod_security, external, lints } = raw;
    let mut result = Ok(());
    let layouts = [
        ("flat", RenderLayout::Flat),
        ("tree", RenderLayout::Tree),
        ("single", RenderLayout::Single),
    ];
    let policies = [
        ("forbid", SecretPolicy::Forbid),
        ("encrypted", SecretPolicy::Encrypted),
        ("allow", SecretPolicy::Allow),
    ];
    let levels = [
        ("off", PodSecurity::Off),
        ("baseline", PodSecurity::Baseline),
        ("restricted", PodSecurity::Restricted),
    ];
    match word(cx, "render.layout", layout.as_ref(), &layouts) {
        Ok(layout) => settings.layout = layout,
        Err(reported) => result = Err(reported),
    }
    match word(cx, "render.secrets", secrets.as_ref(), &policies) {
        Ok(policy) => settings.secrets = policy,
        Err(reported) => result = Err(reported),
    }
    match word(cx, "validate.podSecurity", pod_security.as_ref(), &levels) {
        Ok(level) => settings.pod_security = level,
        Err(reported) => result = Err(reported),
    }
    match external.map(|entries| externals(cx, &entries)).transpose() {
        Ok(external) => settings.external = external,
        Err(reported) => result = Err(reported),
    }
    if let Some(Err(reported)) = settings.render_dir.as_ref().map(|dir| require_relative(cx, dir)) {
        result = Err(reported);
    }
    if let Some(version) = &settings.kubernetes_version {
        let is_minor = version.as_str().split_once('.').is_some_and(|(major, minor)| {
            major == "1" && !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit())
        });
        if !is_minor {
            let message = format!("`{}` is no version of Kubernetes", version.value);
            let d = Diagnostic::error(Code::ProjectWrongType, message)
                .at(cx.span(version.at), "this version");
            result = Err(cx.fail(d.help("write major and minor, as `\"1.34\"`")));
        }
    }
    for (name, level) in lints {
        match lint(cx, &name, &level) {
            Ok((code, level)) => drop(settings.levels.insert(code, level)),
            Err(reported) => result = Err(reported),
        }
    }
    result.map(|()| settings)
}

fn externals(cx: &mut Context<'_>, entries: &[Text]) -> Fallible<Vec<External>> {
    let mut found = Vec::new();
    let mut result = Ok(());
    for entry in entries {
        match External::parse(entry.as_str()) {
            Some(external) => found.push(external),
            None => {
                let message = format!("`{}` names no object", entry.value);
                let d = Diagnostic::error(Code::ProjectWrongType, message)
                    .at(cx.span(entry.at), "this entry");
                let help = "write `KIND/NAME` or `KIND/NAMESPACE/NAME`, as `Secret/shop/regcred`";
                result = Err(cx.fail(d.help(help)));
            }
        }
    }
    result.map(|()| found)
}

fn word<T: Copy>(
    cx: &mut Context<'_>,
    field: &str,
    found: Option<&Text>,
    words: &[(&'static str, T)],
) -> Fallible<Option<T>> {
    let Some(found) = found else { return Ok(None) };
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == found.as_str()) {
        return Ok(Some(*value));
    }
    let names: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    let message = format!("`{field}` is one of {}, not `{}`", names.join(", "), found.value);
    let d = Diagnostic::error(Code::ProjectWrongType, message).at(cx.span(found.at), "not known");
    let near = nearest(found.as_str(), words.iter().map(|(word, _)| *word));
    Err(cx.fail(match near {
        Some(near) => d.help(format!("did you mean `{near}`?")),
        None => d,
    }))
}

fn lint(cx: &mut Context<'_>, name: &str, level: &Text) -> Fallible<(Code, Level)> {
    let at = cx.span(level.at);
    let Some(code) = Code::from_name(name) else {
        let message = format!("`{name}` is not the code of a warning");
        let d = Diagnostic::error(Code::ProjectUnknownCode, message).at(at, "the level of it");
        let warnings = Code::ALL.iter().filter(|code| code.default_level().is_some());
        let near = nearest(name, warnings.map(|code| code.name()));
        return Err(cx.fail(match near {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d,
        }));
    };
    if code.default_level().is_none() {
        let message = format!("`{name}` is an error: its level cannot be set");
        let d = Diagnostic::error(Code::ProjectUnknownCode, message).at(at, "the level of it");
        return Err(cx.fail(d));
    }
    match Level::from_name(level.as_str()) {
        Some(level) => Ok((code, level)),
        None => {
            let message = format!(
                "the level of a warning is `allow`, `warn` or `deny`, not `{}`",
                level.value
            );
            let d = Diagnostic::error(Code::ProjectWrongType, message).at(at, "not a level");
            Err(cx.fail(d))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields that a JSON Schema allows at a place.
    fn allowed(pointer: &str) -> Vec<String> {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../../schema/project.schema.json")).unwrap();
        let fields = schema.pointer(pointer).and_then(|place| place.get("properties"));
        fields.and_then(serde_json::Value::as_object).unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_schema_allows_what_is_decoded() {
        let sorted = |fields: &[&str]| {
            let mut fields: Vec<String> = fields.iter().map(|&f| f.to_owned()).collect();
            fields.sort();
            fields
        };
        let places = [
            ("", FIELDS),
            ("/properties/values", VALUES_FIELDS),
            ("/$defs/environment", ENVIRONMENT_FIELDS),
            ("/$defs/kubernetes", KUBERNETES_FIELDS),
            ("/$defs/render", RENDER_FIELDS),
            ("/$defs/validate", VALIDATE_FIELDS),
        ];
        for (pointer, fields) in places {
            let mut allowed = allowed(pointer);
            allowed.sort();
            assert_eq!(allowed, sorted(fields), "{pointer}");
        }
    }
}
