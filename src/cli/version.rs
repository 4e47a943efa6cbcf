//! `kiln version`.

use super::{CommandError, Ending, Name, write_stdout};
use crate::build_metadata::KUSTOMIZE_VERSION;

pub(super) fn run(name: Name) -> Result<Ending, CommandError> {
    let text = match name {
        Name::Kiln => {
            format!("kiln {}\nkustomize {KUSTOMIZE_VERSION}\n", env!("CARGO_PKG_VERSION"))
        }
        Name::Kustomize => format!("{KUSTOMIZE_VERSION}\n"),
    };
    write_stdout(text.as_bytes())?;
    Ok(Ending::Done)
}
