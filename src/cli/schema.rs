//! `kiln schema`: the JSON Schemas of the files that kiln reads, for editors.

use super::args::SchemaKind;
use super::{CommandError, Ending, write_stdout};

const PROJECT: &str = include_str!("../../schema/project.schema.json");
const KUSTOMIZATION: &str = include_str!("../../schema/kustomization.schema.json");

pub(super) fn run(kind: SchemaKind) -> Result<Ending, CommandError> {
    let text = match kind {
        SchemaKind::Project => PROJECT,
        SchemaKind::Kustomization => KUSTOMIZATION,
    };
    write_stdout(text.as_bytes())?;
    Ok(Ending::Done)
}
