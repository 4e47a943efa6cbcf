//! `kiln deps`: every file that a build of a target reads.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::{DepsArgs, DepsFormat};
use super::build::{Surroundings, load_project, value_args};
use super::{CommandError, Ending, write_stdout};
use crate::project::FILE_NAMES;
use crate::source::display_path;
use crate::{BuildOptions, CountingReader, DiskReader, Lints, Session, workspace};

/// What a build has asked for.
struct Inputs {
    /// The directory that was built, symbolic links resolved.
    target: PathBuf,
    /// The directory that paths from the root of the repository start at.
    root: PathBuf,
    /// The files that were read and the links that led to them.
    files: BTreeSet<PathBuf>,
    /// The paths below the root at which nothing was.
    absent: BTreeSet<PathBuf>,
}

pub(super) fn run(args: &DepsArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    if args.output.is_some() && args.format != DepsFormat::Depfile {
        return Err(CommandError::Usage("`--output` belongs to `--format depfile`".to_owned()));
    }
    if args.probed && args.format == DepsFormat::Depfile {
        let message = "a depfile names files that are there, which those of `--probed` are not";
        return Err(CommandError::Usage(message.to_owned()));
    }
    let directory = around.terminal.directory.as_path();
    let Some(inputs) = inputs(args, around)? else { return Ok(Ending::No) };
    let shown = |path: &PathBuf| display_path(path, directory);
    let files: Vec<String> = inputs.files.iter().map(shown).collect();
    let absent: Vec<String> = inputs.absent.iter().filter(|_| args.probed).map(shown).collect();
    let text = match args.format {
        DepsFormat::List => list(&files, &absent, args.probed),
        DepsFormat::Depfile => rule(args.output.as_deref().unwrap_or(&args.target), &files),
        DepsFormat::Argocd => generate_paths(&inputs, args.probed) + "\n",
        DepsFormat::Json => {
            let mut document = json!({
                "schema": "kiln/deps/v1",
                "target": shown(&inputs.target),
                "files": files,
            });
            if args.probed {
                document["absent"] = absent.into();
            }
            format!("{document:#}\n")
        }
    };
    write_stdout(text.as_bytes())?;
    Ok(Ending::Done)
}

/// Builds the target and returns what was asked for; none if it cannot be built.
fn inputs(args: &DepsArgs, around: &Surroundings<'_>) -> Result<Option<Inputs>, CommandError> {
    let terminal = around.terminal;
    let directory = terminal.directory.as_path();
    let reader = CountingReader::new(DiskReader);
    let session = Session::for_one_build(&reader);
    let values = value_args(&args.values, directory)?;
    let above = directory.join(&args.target);
    let above = if above.exists() { above } else { directory.to_path_buf() };
    let Some(project) = load_project(&session, around, &above) else { return Ok(None) };
    let lints = Lints { strict: around.strict, ..Lints::default() };
    let target = workspace::resolve_target(&session, &project, &args.target, directory, &lints);
    terminal.report(&target.diagnostics, session.sources());
    let Some(target) = target.value else { return Ok(None) };
    let options = BuildOptions {
        shown_from: directory.to_path_buf(),
        jobs: around.jobs,
        lints,
        ..BuildOptions::default()
    };
    let prepared = workspace::prepare(&session, &project, &target, &values, options);
    let mut diagnostics = prepared.diagnostics;
    let outcome = prepared.value.map(|prepared| crate::build(&session, &prepared.options));
    let is_built = outcome.as_ref().is_some_and(|outcome| outcome.value.is_some());
    diagnostics.extend(outcome.into_iter().flat_map(|outcome| outcome.diagnostics));
    if !is_built {
        terminal.report(&diagnostics, session.sources());
        return Ok(None);
    }
    let built = std::fs::canonicalize(&target.directory).unwrap_or(target.directory);
    let root = repository_root(&built).or_else(|| project.root().map(Path::to_path_buf));
    let root = root.unwrap_or_else(|| built.clone());
    let mut files: BTreeSet<PathBuf> = reader.reads().into_keys().collect();
    let absent = reader.absent();
    files.retain(|path| !absent.contains(path));
    files.extend(reader.links().into_iter().filter(|path| path.starts_with(&root)));
    // Where a repository begins is no input.
    let is_input = |path: &PathBuf| path.starts_with(&root) && !path.ends_with(".git");
    let absent = absent.into_iter().filter(is_input).collect();
    Ok(Some(Inputs { target: built, root, files, absent }))
}

/// The nearest directory upwards that is the root of a git repository.
fn repository_root(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().find(|path| path.join(".git").exists()).map(Path::to_path_buf)
}

fn list(files: &[String], absent: &[String], probed: bool) -> String {
    let mut out = String::new();
    if !probed {
        for path in files {
            let _ = writeln!(out, "{path}");
        }
        return out;
    }
    let mut lines: Vec<(&String, &str)> = files.iter().map(|path| (path, "read")).collect();
    lines.extend(absent.iter().map(|path| (path, "absent")));
    lines.sort();
    for (path, what) in lines {
        let _ = writeln!(out, "{what:6}  {path}");
    }
    out
}

/// Returns a rule of make.
fn rule(target: &str, files: &[String]) -> String {
    let mut out = escaped(target);
    out.push(':');
    for file in files {
        out.push_str(" \\\n  ");
        out.push_str(&escaped(file));
    }
    out.push('\n');
    out
}

/// Escapes a path as compilers do in their depfiles, which GNU make and Ninja read: a backslash before blanks, `#` and the
/// backslashes that come before those, and a second dollar sign.
fn escaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut backslashes = 0;
    for character in path.chars() {
        match character {
            '\\' => backslashes += 1,
            ' ' | '\t' | '#' => {
                out.push_str(&"\\".repeat(backslashes + 1));
                backslashes = 0;
            }
            '$' => {
                out.push('$');
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        out.push(character);
    }
    out
}

/// Returns the value of Argo CD's annotation: paths that are relative to that of the application, which is the target, or
/// begin with `/` at the root of the repository.
///
/// A path stands for all that is below it, so a directory with a kustomization stands for its files, and for those that will be
/// added. Other files are named one by one: the directory that `kiln.yaml` is in holds everything.
fn generate_paths(inputs: &Inputs, probed: bool) -> String {
    let is_kustomization = |path: &&PathBuf| {
        path.file_name().is_some_and(|name| FILE_NAMES.iter().any(|known| name == *known))
    };
    let mut directories: Vec<&Path> = vec![&inputs.target];
    let built = inputs.files.iter().filter(is_kustomization).filter_map(|path| path.parent());
    directories.extend(built.filter(|path| *path != inputs.root));
    let mut paths: BTreeSet<&Path> = directories.into_iter().collect();
    let absent = inputs.absent.iter().filter(|_| probed);
    paths.extend(inputs.files.iter().chain(absent).map(PathBuf::as_path));
    let is_covered = |path: &Path| path.ancestors().skip(1).any(|above| paths.contains(above));
    let kept = paths.iter().filter(|path| !is_covered(path));
    let shown = kept.filter_map(|path| {
        if *path == inputs.target {
            return Some(".".to_owned());
        }
        let inside = path.strip_prefix(&inputs.root).ok()?;
        Some(format!("/{}", inside.to_string_lossy()))
    });
    let mut shown: Vec<String> = shown.collect();
    // `.` comes first.
    shown.sort();
    shown.join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depfiles_escape_as_compilers_do() {
        let cases = [
            ("a b#c", r"a\ b\#c"),
            ("a$b", "a$$b"),
            (r"a\b", r"a\b"),
            (r"a\ b", r"a\\\ b"),
            ("a:b%c", "a:b%c"),
        ];
        for (path, want) in cases {
            assert_eq!(escaped(path), want, "{path}");
        }
        assert_eq!(rule("out", &["a".into(), "b c".into()]), "out: \\\n  a \\\n  b\\ c\n");
    }

    fn inputs(target: &str, files: &[&str]) -> Inputs {
        Inputs {
            target: target.into(),
            root: "/r".into(),
            files: files.iter().map(PathBuf::from).collect(),
            absent: BTreeSet::from([PathBuf::from("/r/values/more.yaml")]),
        }
    }

    #[test]
    fn directories_of_kustomizations_stand_for_their_files() {
        let files = [
            "/r/kiln.yaml",
            "/r/values/prod.yaml",
            "/r/base/kustomization.yaml",
            "/r/base/web.yaml",
            "/r/overlays/prod/kustomization.yaml",
            "/r/overlays/prod/patches/web.yaml",
        ];
        let inputs = inputs("/r/overlays/prod", &files);
        assert_eq!(generate_paths(&inputs, false), ".;/base;/kiln.yaml;/values/prod.yaml");
        assert_eq!(
            generate_paths(&inputs, true),
            ".;/base;/kiln.yaml;/values/more.yaml;/values/prod.yaml"
        );
    }

    #[test]
    fn a_kustomization_at_the_root_stands_for_its_own_files_only() {
        let files = ["/r/kustomization.yaml", "/r/web.yaml", "/r/prod/kustomization.yaml"];
        let below = inputs("/r/prod", &files);
        assert_eq!(generate_paths(&below, false), ".;/kustomization.yaml;/web.yaml");
        assert_eq!(generate_paths(&inputs("/r", &files), false), ".");
    }
}
