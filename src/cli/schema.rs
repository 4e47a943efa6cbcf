//! `kiln schema`: the JSON Schemas of the files that kiln reads, for editors; and the definitions of custom resources.

use super::args::SchemaCommand;
use super::build::Surroundings;
use super::{CommandError, Ending, import, write_stdout};

const PROJECT: &str = include_str!("../../schema/project.schema.json");
const KUSTOMIZATION: &str = include_str!("../../schema/kustomization.schema.json");

pub(super) fn run(
    command: &SchemaCommand,
    around: &Surroundings<'_>,
) -> Result<Ending, CommandError> {
    let text = match command {
        SchemaCommand::Project => PROJECT,
        SchemaCommand::Kustomization => KUSTOMIZATION,
        SchemaCommand::Import(args) => return import::run(args, around),
    };
    write_stdout(text.as_bytes())?;
    Ok(Ending::Done)
}
