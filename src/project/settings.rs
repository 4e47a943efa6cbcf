//! `kiln.yaml`, the project file: where it is looked for and what it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::decode::{Decoder, Rules};
use super::load::{FaultCodes, report_faults_as};
use crate::Outcome;
use crate::diagnostic::{Code, Diagnostic, Fallible, Level, nearest};
use crate::session::{BuildOptions, Context, Session, Text};
use crate::source::{EntryKind, LoadError, Reader, SourceFile, display_path};
use crate::yaml::Node;

/// The name of the project file.
const FILE_NAME: &str = "kiln.yaml";

const API_VERSION: &str = "kiln/v1";
const KIND: &str = "Project";

/// What a project file says; the default is a project without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// The project file, absolute.
    pub path: Option<PathBuf>,
    /// The levels of warnings (`lints`).
    pub levels: BTreeMap<Code, Level>,
}

/// Where the project file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectLocation<'p> {
    /// It is looked for in this directory, absolute, and those above it, up to the first with an entry `.git`. There may
    /// be none.
    Above(&'p Path),
    /// It is this file, absolute.
    File(&'p Path),
}

/// Reads the project file. Paths in messages are written as seen from `shown_from`.
pub fn load_project(
    session: &Session<'_>,
    location: ProjectLocation<'_>,
    shown_from: &Path,
) -> Outcome<Project> {
    let options = BuildOptions { shown_from: shown_from.to_path_buf(), ..BuildOptions::default() };
    let mut cx = Context::new(session, &options);
    let path = match location {
        ProjectLocation::File(path) => Some(path.to_path_buf()),
        ProjectLocation::Above(start) => find(session.reader(), start),
    };
    let value = match path {
        None => Ok(Project::default()),
        Some(path) => load(&mut cx, &path),
    };
    Outcome {
        value: value.ok(),
        diagnostics: cx.sink.into_sorted(session.sources(), &options.lints),
    }
}

fn find(reader: &dyn Reader, start: &Path) -> Option<PathBuf> {
    let start = reader.canonicalize(start).ok()?;
    for directory in start.ancestors() {
        let path = directory.join(FILE_NAME);
        if matches!(reader.kind(&path), Ok(EntryKind::File | EntryKind::Symlink)) {
            return Some(path);
        }
        if reader.kind(&directory.join(".git")).is_ok() {
            return None;
        }
    }
    None
}

fn load(cx: &mut Context<'_>, path: &Path) -> Fallible<Project> {
    let file = match cx.session.file(path) {
        Ok(file) => file,
        Err(error) => {
            let shown = display_path(path, &cx.options.shown_from);
            let reason = match &error {
                LoadError::Io { error, .. } => error.to_string(),
                other => other.to_string(),
            };
            let message = format!("the project file `{shown}` cannot be read: {reason}");
            return Err(cx.fail(Diagnostic::error(Code::ProjectMissing, message)));
        }
    };
    let document = cx.document(&file)?.unwrap_or_default();
    let levels = decode(cx, &file, &document)?;
    Ok(Project { path: Some(path.to_path_buf()), levels })
}

fn decode(
    cx: &mut Context<'_>,
    file: &Arc<SourceFile>,
    document: &Node,
) -> Fallible<BTreeMap<Code, Level>> {
    const FIELDS: &[&str] = &["apiVersion", "kind", "lints"];
    let (mut api_version, mut kind) = (Text::default(), Text::default());
    let mut lints = Vec::new();
    let mut decoder = Decoder::new(Rules::Strict);
    decoder.fields(document, "", FIELDS, |d, field, value| match field.name {
        "apiVersion" => api_version = d.text(value, field),
        "kind" => kind = d.text(value, field),
        _ => lints = d.text_map(value, field),
    });
    report_faults_as(cx, &decoder.faults, FaultCodes::PROJECT)?;
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
    let mut levels = BTreeMap::new();
    let mut result = Ok(());
    for (name, level) in lints {
        match lint(cx, &name, &level) {
            Ok((code, level)) => drop(levels.insert(code, level)),
            Err(reported) => result = Err(reported),
        }
    }
    result.map(|()| levels)
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
