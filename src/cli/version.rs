//! `kiln version`, and `version` under the name `kustomize`.

use std::fmt::Write;

use super::args::KustomizeVersionArgs;
use super::edit::refuse_as_kustomize;
use super::{CommandError, Ending, write_stdout};
use crate::build_metadata::KUSTOMIZE_VERSION;

pub(super) fn run() -> Result<Ending, CommandError> {
    let text = format!("kiln {}\nkustomize {KUSTOMIZE_VERSION}\n", env!("CARGO_PKG_VERSION"));
    write_stdout(text.as_bytes())?;
    Ok(Ending::Done)
}

/// Prints the version of kustomize. The fields about a build of it say that they are not known, and none is about Go.
pub(super) fn run_as_kustomize(args: &KustomizeVersionArgs) -> Result<Ending, CommandError> {
    if args.short && !args.output.is_empty() {
        return Ok(refuse_as_kustomize("--short and --output are mutually exclusive"));
    }
    let fields = [
        ("version", KUSTOMIZE_VERSION),
        ("gitCommit", "unknown"),
        ("buildDate", "unknown"),
        ("goOs", go_os()),
        ("goArch", go_arch()),
    ];
    let mut text = String::new();
    match args.output.as_str() {
        "" => text = format!("{KUSTOMIZE_VERSION}\n"),
        "yaml" => {
            for (name, value) in fields {
                let _ = writeln!(text, "{name}: {value}");
            }
            text.push('\n');
        }
        "json" => {
            let fields = fields.map(|(name, value)| format!("  \"{name}\": \"{value}\""));
            text = format!("{{\n{}\n}}\n", fields.join(",\n"));
        }
        _ => {}
    }
    write_stdout(text.as_bytes())?;
    Ok(Ending::Done)
}

/// Go's name of the operating system.
fn go_os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

/// Go's name of the processor.
fn go_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}
