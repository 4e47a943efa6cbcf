//! `kiln version`.

use super::{CommandError, Ending, write_stdout};
use crate::build_metadata::KUSTOMIZE_VERSION;

pub(super) fn run() -> Result<Ending, CommandError> {
    let text = format!("kiln {}\nkustomize {KUSTOMIZE_VERSION}\n", env!("CARGO_PKG_VERSION"));
    write_stdout(text.as_bytes())?;
    Ok(Ending::Done)
}
