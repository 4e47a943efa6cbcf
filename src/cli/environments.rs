//! `kiln envs`, `kiln survey` and `kiln create --project`: what there is to build.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::{EnvsArgs, ListFormat, SurveyArgs};
use super::build::{Surroundings, load_project};
use super::{CommandError, Ending, write_stdout};
use crate::project::{Project, find_kustomizations};
use crate::source::display_path;
use crate::values::ValueArgs;
use crate::{BuildOptions, DiskReader, Lints, Session, Severity, workspace};

/// The newest version of Kubernetes that a new project file names.
const KUBERNETES_VERSION: &str = "1.34";

fn printed(value: &serde_json::Value) -> Result<Ending, CommandError> {
    write_stdout(format!("{value:#}\n").as_bytes())?;
    Ok(Ending::Done)
}

pub(super) fn envs(args: &EnvsArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let terminal = around.terminal;
    let directory = terminal.directory.as_path();
    let session = Session::new(&DiskReader);
    let Some(project) = load_project(&session, around, directory) else { return Ok(Ending::No) };
    let root = project.root().unwrap_or(directory).to_path_buf();
    let lints = Lints { strict: around.strict, levels: project.levels.clone() };
    let found = workspace::environments(&session, &project, &root, &[], directory, &lints);
    terminal.report(&found.diagnostics, session.sources());
    let Some(found) = found.value else { return Ok(Ending::No) };
    if args.format == ListFormat::Json {
        let environments: Vec<_> = found
            .iter()
            .map(|e| {
                let values: Vec<&str> = e.values.iter().map(|file| file.path.as_str()).collect();
                json!({ "name": e.name, "path": e.path, "values": values, "vars": e.vars })
            })
            .collect();
        return printed(&json!({ "schema": "kiln/envs/v1", "environments": environments }));
    }
    let width = found.iter().map(|e| e.name.len()).max().unwrap_or_default();
    let mut out = String::new();
    for environment in &found {
        let _ = writeln!(out, "{:width$}  {}", environment.name, environment.path);
    }
    write_stdout(out.as_bytes())?;
    Ok(Ending::Done)
}

/// What a survey says about one kustomization.
struct Surveyed {
    path: String,
    objects: Option<usize>,
    /// The first error: its code and its message.
    error: Option<(String, String)>,
}

pub(super) fn survey(args: &SurveyArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let terminal = around.terminal;
    let root = terminal.directory.join(&args.root);
    let root = fs::canonicalize(&root)
        .map_err(CommandError::io(format!("`{}` cannot be read", args.root.display())))?;
    let session = Session::new(&DiskReader);
    let Some(project) = load_project(&session, around, &root) else { return Ok(Ending::No) };
    let lints = Lints { strict: around.strict, ..Lints::default() };
    let mut surveyed = Vec::new();
    for directory in find_kustomizations(&DiskReader, &root) {
        let shown = display_path(&directory, &root);
        let path = if shown.is_empty() { ".".to_owned() } else { shown };
        let text = directory.to_string_lossy().into_owned();
        let target = workspace::resolve_target(&session, &project, &text, &root, &lints);
        let options = BuildOptions {
            shown_from: root.clone(),
            jobs: around.jobs,
            lints: lints.clone(),
            ..BuildOptions::default()
        };
        let mut diagnostics = target.diagnostics;
        let mut objects = None;
        if let Some(target) = target.value {
            let prepared =
                workspace::prepare(&session, &project, &target, &ValueArgs::default(), options);
            diagnostics.extend(prepared.diagnostics);
            if let Some(prepared) = prepared.value {
                let outcome = crate::build(&session, &prepared.options);
                diagnostics.extend(outcome.diagnostics);
                objects = outcome.value.map(|build| build.resources.len());
            }
        }
        let error = diagnostics.iter().find(|d| d.severity == Severity::Error);
        let error = error.map(|d| (d.code.name().to_owned(), d.message.clone()));
        surveyed.push(Surveyed { path, objects, error });
    }
    let builds = surveyed.iter().filter(|one| one.error.is_none()).count();
    if args.format == ListFormat::Json {
        let list: Vec<_> = surveyed
            .iter()
            .map(|one| {
                let error = one.error.as_ref().map(|(code, message)| json!({ "code": code, "message": message }));
                json!({ "path": one.path, "builds": one.error.is_none(), "objects": one.objects, "error": error })
            })
            .collect();
        return printed(&json!({ "schema": "kiln/survey/v1", "kustomizations": list }));
    }
    let mut out = String::new();
    for one in &surveyed {
        let _ = match &one.error {
            None => {
                writeln!(out, "builds  {}  {} objects", one.path, one.objects.unwrap_or_default())
            }
            Some((code, message)) => writeln!(out, "fails   {}  [{code}] {message}", one.path),
        };
    }
    let _ = writeln!(out, "{builds} of {} build", surveyed.len());
    write_stdout(out.as_bytes())?;
    Ok(Ending::Done)
}

/// Writes a project file for the kustomizations that are there.
pub(super) fn create(file: &Path, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let directory = around.terminal.directory.as_path();
    let path = directory.join(file);
    if path.exists() {
        return Err(CommandError::Usage(format!("there is a `{}` already", file.display())));
    }
    let root = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_path_buf());
    let session = Session::new(&DiskReader);
    let lints = Lints::default();
    let found =
        workspace::environments(&session, &Project::default(), &root, &[], directory, &lints)
            .value
            .unwrap_or_default();
    let paths: Vec<PathBuf> = found.iter().map(|e| PathBuf::from(&e.path)).collect();
    let mut text = format!(
        "# The project file of kiln. Paths are relative to this file; `kiln schema project` prints what it may say.\n\
         apiVersion: kiln/v1\n\
         kind: Project\n\n\
         kubernetes:\n  \
         # The version of the clusters.\n  \
         version: \"{KUBERNETES_VERSION}\"\n\n\
         # Values for templates: files that every environment has, and those below of one environment.\n\
         # values:\n#   files: [values/defaults.yaml]\n#   schema: values.schema.json\n\
         # templates: [\"**/*.yaml.j2\"]\n\n\
         # Each environment is a kustomization. `kiln build NAME` builds one, `kiln render` writes all of them.\n"
    );
    text.push_str(if found.is_empty() { "environments: {}\n" } else { "environments:\n" });
    for (environment, path) in found.iter().zip(&paths) {
        let _ = writeln!(
            text,
            "  {}: {{ path: {} }}",
            quoted(&short_name(&environment.path, &paths)),
            quoted(&path.to_string_lossy())
        );
    }
    text.push_str("\nrender:\n  # Where `kiln render` writes; commit the folder for a GitOps tool to sync.\n  dir: rendered\n  # flat, tree or single.\n  layout: flat\n  # Which Secrets may stand there: forbid, encrypted or allow.\n  secrets: encrypted\n");
    super::file::replace(&path, text.as_bytes())?;
    let names = format!("`{}` names {} environments\n", file.display(), found.len());
    write_stdout(names.as_bytes())?;
    Ok(Ending::Done)
}

fn quoted(text: &str) -> String {
    let is_plain =
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/.".contains(&b));
    if is_plain && text != "." { text.to_owned() } else { format!("\"{text}\"") }
}

/// The last part of a path, if no other path ends with it; else the path.
fn short_name(path: &str, all: &[PathBuf]) -> String {
    let last = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    match last {
        Some(last) if all.iter().filter(|other| other.ends_with(&last)).count() == 1 => last,
        _ if path == "." => "root".to_owned(),
        _ => path.to_owned(),
    }
}
