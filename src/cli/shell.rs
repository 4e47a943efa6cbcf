//! `kiln completions` and `kiln man`.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::args::{Arguments, KustomizeArguments};
use super::{CommandError, Ending, Name, write_stdout};

pub(super) fn completions(shell: Shell, name: Name) -> Result<Ending, CommandError> {
    let mut command = match name {
        Name::Kiln => Arguments::command(),
        Name::Kustomize => KustomizeArguments::command(),
    };
    let called = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, called, &mut script);
    write_stdout(&script)?;
    Ok(Ending::Done)
}

pub(super) fn man(about: &[String]) -> Result<Ending, CommandError> {
    let mut command = Arguments::command().version(env!("CARGO_PKG_VERSION"));
    command.build();
    for (depth, name) in about.iter().enumerate() {
        let found = command.find_subcommand(name).cloned();
        let called = about[..=depth].join(" ");
        let found =
            found.ok_or_else(|| CommandError::Usage(format!("there is no command `{called}`")))?;
        let full = format!("kiln-{}", about[..=depth].join("-"));
        command = found.display_name(full).version(env!("CARGO_PKG_VERSION"));
    }
    write_stdout(&page(command)?)?;
    Ok(Ending::Done)
}

fn page(command: Command) -> Result<Vec<u8>, CommandError> {
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut page);
    rendered.map_err(CommandError::io("the page cannot be written"))?;
    Ok(page)
}
