//! Runs every `fixtures/**/case.toml`: one test per folder, `cargo test --test fixtures -- patch/`.
//!
//! A case is the smallest project that shows one behavior. `expected.yaml` is stdout byte for byte, `expected.files/` what
//! `-o DIR` writes, `expected.diag` one line per diagnostic; what is absent is expected to be absent. Every case is also
//! built from memory, built twice, and its output built once more, which must change nothing (or `unstable` says why).
//!
//! The pages that `kiln explain` prints are run too, as `explain/ROOM::FAULT`: see `fixtures/explain.rs`.
//!
//! `KILN_BLESS=1` rewrites the expectations, except those that came from the real tool (`oracle`), and except in CI.

#![expect(clippy::disallowed_methods, reason = "tests read files and the environment")]

#[path = "fixtures/explain.rs"]
mod explain;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kiln::{
    BuildOptions, DiskReader, Layout, LoadRestriction, MemoryReader, Output, Reader, Reorder,
    Session, render,
};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut trials = Vec::new();
    collect(&root, &root, &mut trials);
    explain::collect(&mut trials);
    libtest_mimic::run(&arguments, trials).exit();
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .expect("a fixture folder can be read")
        .flatten()
        .map(|e| e.path())
        .collect();
    paths.sort();
    paths
}

fn collect(root: &Path, directory: &Path, trials: &mut Vec<Trial>) {
    let name = directory.strip_prefix(root).unwrap_or(directory).display().to_string();
    // They belong to `tests/examples.rs`.
    if name == "broken-examples" {
        return;
    }
    if directory.join("case.toml").is_file() {
        let directory = directory.to_path_buf();
        trials.push(Trial::test(name, move || run(&directory)));
        return;
    }
    for path in entries(directory) {
        if path.is_dir() {
            collect(root, &path, trials);
        } else {
            let message = format!("`{}` belongs to no case", path.display());
            trials.push(Trial::test(format!("{name}/stray"), move || Err(Failed::from(message))));
        }
    }
    if directory != root && directory.parent() != Some(root) {
        let message = format!("`{}` has no case.toml", directory.display());
        trials.push(Trial::test(name, move || Err(Failed::from(message))));
    }
}

/// The content of a `case.toml`.
#[derive(Debug, Default)]
struct Case {
    what: String,
    args: Vec<String>,
    oracle: Option<String>,
    /// Why building the output once more changes it.
    unstable: Option<String>,
}

impl Case {
    fn read(text: &str) -> Result<Self, String> {
        let table: toml::Table = text.parse().map_err(|e| format!("case.toml: {e}"))?;
        let mut case = Self::default();
        for (key, value) in table {
            match (key.as_str(), value) {
                ("what", toml::Value::String(what)) => case.what = what,
                ("oracle", toml::Value::String(oracle)) => case.oracle = Some(oracle),
                ("unstable", toml::Value::String(reason)) => case.unstable = Some(reason),
                ("args", toml::Value::Array(args)) => {
                    for arg in args {
                        case.args
                            .push(arg.as_str().ok_or("an argument is not a string")?.to_owned());
                    }
                }
                (key, _) => {
                    return Err(format!("case.toml: `{key}` is unknown or has the wrong type"));
                }
            }
        }
        if case.what.is_empty() {
            return Err("case.toml: `what` says what the case shows".to_owned());
        }
        Ok(case)
    }

    fn options(&self, directory: &Path) -> Result<BuildOptions, String> {
        let mut options =
            BuildOptions { shown_from: directory.to_path_buf(), ..BuildOptions::default() };
        let mut args = self.args.iter().map(String::as_str);
        if args.next() != Some("build") {
            return Err("`args` begins with `build`".to_owned());
        }
        let mut target = ".";
        while let Some(arg) = args.next() {
            match arg {
                "-o" => {
                    // The directory is not written: the files are compared with `expected.files`.
                    args.next();
                    options.layout = Layout::FilePerObject;
                }
                "--load-restrictor" => {
                    options.load_restriction = match args.next() {
                        Some("LoadRestrictionsNone") => LoadRestriction::None,
                        _ => LoadRestriction::RootOnly,
                    };
                }
                "--reorder" => {
                    options.reorder =
                        if args.next() == Some("none") { Reorder::None } else { Reorder::Legacy };
                }
                "--enable-managedby-label" => options.managed_by_label = true,
                flag if flag.starts_with('-') => {
                    return Err(format!("the flag `{flag}` is not known here"));
                }
                path => target = path,
            }
        }
        options.target = directory.join(target);
        Ok(options)
    }
}

/// What a build gives, as the files of a case hold it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Built {
    stdout: Option<Vec<u8>>,
    files: BTreeMap<String, Vec<u8>>,
    diagnostics: String,
}

fn build(reader: &dyn Reader, options: &BuildOptions) -> Built {
    let session = Session::new(reader);
    let outcome = kiln::build(&session, options);
    for span in outcome.diagnostics.iter().flat_map(|d| &d.labels).map(|label| label.span) {
        let file = session.sources().file(span.file).expect("a place is in a file");
        assert!(span.end as usize <= file.bytes().len(), "{span:?} is inside its file");
        let on_disk = session.sources().locate_on_disk(file.base() + span.start);
        assert!(on_disk.is_some(), "{span:?} leads back to a file on disk");
    }
    let diagnostics = {
        let options = render::RenderOptions::plain(&options.shown_from);
        for format in [render::full, render::json, render::github] {
            // Each of them shows every fault; what they look like is tested elsewhere.
            let text = format(&outcome.diagnostics, session.sources(), &options);
            assert!(
                outcome
                    .diagnostics
                    .iter()
                    .all(|d| text.contains(d.code.name().rsplit("::").next().unwrap_or_default()))
            );
        }
        render::short(&outcome.diagnostics, session.sources(), &options)
    };
    let mut result = Built { diagnostics, ..Built::default() };
    match outcome.value.map(|build| build.output) {
        Some(Output::Stream(bytes)) => result.stdout = Some(bytes),
        Some(Output::Files(files)) => {
            result.files = files.into_iter().map(|file| (file.name, file.bytes)).collect();
        }
        None => {}
    }
    result
}

fn expected(directory: &Path) -> Built {
    let files = directory.join("expected.files");
    let files = if files.is_dir() { entries(&files) } else { Vec::new() };
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Built {
        stdout: fs::read(directory.join("expected.yaml")).ok(),
        files: files.iter().map(|path| (name(path), fs::read(path).unwrap_or_default())).collect(),
        diagnostics: fs::read_to_string(directory.join("expected.diag")).unwrap_or_default(),
    }
}

fn wants_blessing() -> bool {
    std::env::var_os("KILN_BLESS").is_some() && std::env::var_os("CI").is_none()
}

fn bless(directory: &Path, case: &Case, got: &Built, want: &Built) -> Result<(), Failed> {
    if got == want {
        return Ok(());
    }
    if case.oracle.is_some() && (got.stdout != want.stdout || got.files != want.files) {
        return Err(
            "the expected output came from the real tool; change it with that tool's output".into(),
        );
    }
    let put = |name: &str, bytes: Option<&[u8]>| {
        let path = directory.join(name);
        match bytes {
            Some(bytes) => fs::write(path, bytes).map_err(|e| Failed::from(e.to_string())),
            None => {
                let _ = fs::remove_file(path);
                Ok(())
            }
        }
    };
    put("expected.yaml", got.stdout.as_deref())?;
    put("expected.diag", Some(got.diagnostics.as_bytes()).filter(|d| !d.is_empty()))?;
    let files = directory.join("expected.files");
    let _ = fs::remove_dir_all(&files);
    if !got.files.is_empty() {
        fs::create_dir_all(&files).map_err(|e| Failed::from(e.to_string()))?;
        for (name, bytes) in &got.files {
            put(&format!("expected.files/{name}"), Some(bytes))?;
        }
    }
    Ok(())
}

fn run(directory: &Path) -> Result<(), Failed> {
    let text =
        fs::read_to_string(directory.join("case.toml")).map_err(|e| Failed::from(e.to_string()))?;
    let case = Case::read(&text).map_err(Failed::from)?;
    let options = case.options(directory).map_err(Failed::from)?;
    let got = build(&DiskReader, &options);
    let want = expected(directory);
    if wants_blessing() {
        bless(directory, &case, &got, &want)?;
    } else {
        compare("diagnostics", got.diagnostics.as_bytes(), want.diagnostics.as_bytes())?;
        compare(
            "output",
            got.stdout.as_deref().unwrap_or_default(),
            want.stdout.as_deref().unwrap_or_default(),
        )?;
        if got.stdout.is_some() != want.stdout.is_some()
            && want.files.is_empty()
            && got.files.is_empty()
        {
            return Err("one of expected and found is an output, the other none".into());
        }
        if got.files != want.files {
            let names = |files: &BTreeMap<String, Vec<u8>>| {
                files.keys().cloned().collect::<Vec<_>>().join(", ")
            };
            let message = format!(
                "files differ: expected {}, found {}",
                names(&want.files),
                names(&got.files)
            );
            return Err(message.into());
        }
    }
    let memory = in_memory(directory);
    if build(&memory, &options) != got {
        return Err("the build from memory differs from the build from disk".into());
    }
    if build(&DiskReader, &options) != got {
        return Err("a second build differs from the first".into());
    }
    match (&got.stdout, &case.unstable) {
        (Some(stdout), None) => output_is_stable(stdout),
        (Some(stdout), Some(_)) if output_is_stable(stdout).is_ok() => {
            Err("the output is stable: `unstable` is out of date".into())
        }
        _ => Ok(()),
    }
}

fn compare(what: &str, got: &[u8], want: &[u8]) -> Result<(), Failed> {
    if got == want {
        return Ok(());
    }
    let (got, want) = (String::from_utf8_lossy(got), String::from_utf8_lossy(want));
    Err(format!("{what} differs\n--- expected\n{want}\n--- found\n{got}").into())
}

/// Building the output once more, in its own order, gives the output.
fn output_is_stable(stdout: &[u8]) -> Result<(), Failed> {
    let mut reader = MemoryReader::new();
    reader.insert("/k/kustomization.yaml", "resources: [out.yaml]\n");
    reader.insert("/k/out.yaml", stdout);
    let options = BuildOptions {
        target: "/k".into(),
        shown_from: "/k".into(),
        reorder: Reorder::None,
        ..BuildOptions::default()
    };
    let again = build(&reader, &options);
    compare("output that is built again", again.stdout.as_deref().unwrap_or_default(), stdout)
}

fn in_memory(directory: &Path) -> MemoryReader {
    let mut reader = MemoryReader::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(directory) = open.pop() {
        for path in entries(&directory) {
            if path.is_symlink() {
                reader.link(&path, fs::read_link(&path).unwrap_or_default());
            } else if path.is_dir() {
                open.push(path);
            } else {
                reader.insert(&path, fs::read(&path).unwrap_or_default());
            }
        }
    }
    reader
}
