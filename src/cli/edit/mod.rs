//! `kiln edit`: the editing commands of kustomize, on the text of the file.
//!
//! Each command reads its arguments first, then finds the kustomization of the directory, changes it and puts the new text in its
//! place. The order of these steps, and so which of several faults is reported, is kustomize's.

#![expect(
    clippy::disallowed_methods,
    reason = "the command line is where paths, files and streams come from"
)]

pub(super) mod args;
mod create;
mod fix;
mod opened;
mod paths;

use std::io::{self, Write};
use std::path::Path;

use args::{
    AddCommand, AddConfigMapArgs, AddLabelArgs, AddResourceArgs, AddSecretArgs, EditArgs,
    EditCommand, ListArgs, PatchArgs, RemoveCommand, RemoveGeneratorArgs, RemoveMetadataArgs,
    SetCommand, SetGeneratorArgs, SourceArgs,
};
pub(super) use create::run as create;
use opened::Opened;

use super::{CommandError, Ending, Name, Terminal};
use crate::Code;
use crate::edit::{
    Edit, EditError, GeneratorChange, GeneratorKind, LabelForm, MetadataKind, Overwrite, PatchArg,
    StringList, expand_sources, parse_build_metadata, parse_images, parse_keys, parse_metadata,
    parse_replicas,
};

/// Why a command ends without a change.
enum Failure {
    /// The message, which is not printed yet.
    Edit(EditError),
    /// The code and the message.
    Coded(Code, String),
    /// What is wrong has been reported.
    Reported,
    Command(CommandError),
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::Command(error)
    }
}

impl Failure {
    fn during(self, what: &str) -> Self {
        match self {
            Self::Edit(error) => Self::Edit(error.during(what)),
            Self::Coded(code, message) => Self::Coded(code, format!("{what}: {message}")),
            other => other,
        }
    }
}

type Edited<T = ()> = Result<T, Failure>;

/// Where a command works, and the name that kiln was called by.
pub(super) struct Place<'t> {
    pub(super) terminal: &'t Terminal,
    pub(super) name: Name,
}

impl Place<'_> {
    fn directory(&self) -> &Path {
        &self.terminal.directory
    }

    /// Prints what is no error.
    fn notice(&self, message: &str) {
        if self.terminal.quiet {
            return;
        }
        let mark = match self.name {
            Name::Kiln => "note: ",
            Name::Kustomize => "",
        };
        // There is no place left to report that stderr cannot be written.
        let _ = writeln!(io::stderr(), "{mark}{message}");
    }

    /// Prints why a command ends, and returns how.
    fn end(&self, result: Edited) -> Result<Ending, CommandError> {
        let (code, message) = match result {
            Ok(()) => return Ok(Ending::Done),
            Err(Failure::Reported) => return Ok(Ending::No),
            Err(Failure::Command(error)) => return Err(error),
            Err(Failure::Edit(EditError::Usage(message))) if self.name == Name::Kiln => {
                return Err(CommandError::Usage(message));
            }
            Err(Failure::Edit(EditError::Usage(message))) => (Code::Usage, message),
            Err(Failure::Edit(EditError::Refused(message))) => (Code::EditRefused, message),
            Err(Failure::Coded(code, message)) => (code, message),
        };
        if self.name == Name::Kustomize {
            return Ok(refuse_as_kustomize(&message));
        }
        let _ = writeln!(io::stderr(), "error[{code}] {message}");
        Ok(Ending::No)
    }
}

/// Prints why a command ends under the name `kustomize`, and returns how.
pub(super) fn refuse_as_kustomize(message: &str) -> Ending {
    let _ = writeln!(io::stderr(), "Error: {message}");
    Ending::No
}

pub(super) fn run(args: &EditArgs, place: &Place<'_>) -> Result<Ending, CommandError> {
    let result = match &args.command {
        None => return super::print_help(place.name),
        Some(EditCommand::Add(args)) => match &args.command {
            None => return super::print_help(place.name),
            Some(command) => add(command, place),
        },
        Some(EditCommand::Set(args)) => match &args.command {
            None => return super::print_help(place.name),
            Some(command) => set(command, place),
        },
        Some(EditCommand::Remove(args)) => match &args.command {
            None => return super::print_help(place.name),
            Some(command) => remove(command, place),
        },
        Some(EditCommand::Fix(args)) => fix::run(args, place),
    };
    place.end(result)
}

fn add(command: &AddCommand, place: &Place<'_>) -> Edited {
    match command {
        AddCommand::Annotation(args) => {
            let pairs = parse_metadata(&args.arguments, MetadataKind::Annotation)?;
            let overwrite = overwrite(args.force);
            change(place, |e| Ok(e.add_metadata(MetadataKind::Annotation, &pairs, overwrite)?))
        }
        AddCommand::Base(args) => add_base(args, place),
        AddCommand::Buildmetadata(args) => {
            let options = parse_build_metadata(&args.arguments)?;
            change(place, |e| Ok(e.add_build_metadata(&options)?))
        }
        AddCommand::Component(args) => {
            if args.arguments.is_empty() {
                return usage("must specify a component file");
            }
            let found = paths::entries(place.directory(), &args.arguments)?;
            add_to_list(place, StringList::Components, found)
        }
        AddCommand::Configmap(args) => add_config_map(args, place),
        AddCommand::Generator(args) => {
            let message = "must specify a yaml file which contains a generator plugin resource";
            add_files(args, StringList::Generators, message, place)
        }
        AddCommand::Label(args) => add_label(args, place),
        AddCommand::Patch(args) => {
            let patch = patch_arg(args);
            patch.check_added()?;
            change(place, |e| {
                e.add_patch(&patch);
                Ok(())
            })
        }
        AddCommand::Resource(args) => add_resource(args, place),
        AddCommand::Secret(args) => add_secret(args, place),
        AddCommand::Transformer(args) => {
            let message = "must specify a yaml file which contains a transformer plugin resource";
            add_files(args, StringList::Transformers, message, place)
        }
    }
}

fn set(command: &SetCommand, place: &Place<'_>) -> Edited {
    match command {
        SetCommand::Annotation(args) => set_metadata(args, MetadataKind::Annotation, place),
        SetCommand::Label(args) => set_metadata(args, MetadataKind::Label, place),
        SetCommand::Buildmetadata(args) => {
            let options = parse_build_metadata(&args.arguments)?;
            change(place, |e| {
                e.set_build_metadata(&options);
                Ok(())
            })
        }
        SetCommand::Image(args) => {
            let images = parse_images(&args.arguments)?;
            change(place, |e| {
                e.set_images(&images);
                Ok(())
            })
        }
        SetCommand::Replicas(args) => {
            let replicas = parse_replicas(&args.arguments)?;
            change(place, |e| {
                e.set_replicas(&replicas);
                Ok(())
            })
        }
        SetCommand::Nameprefix(args) => set_text(args, "namePrefix", "prefix", place),
        SetCommand::Namesuffix(args) => set_text(args, "nameSuffix", "suffix", place),
        SetCommand::Namespace(args) => set_text(args, "namespace", "namespace", place),
        SetCommand::Configmap(args) => set_generator(args, GeneratorKind::ConfigMap, place),
        SetCommand::Secret(args) => set_generator(args, GeneratorKind::Secret, place),
    }
}

fn remove(command: &RemoveCommand, place: &Place<'_>) -> Edited {
    match command {
        RemoveCommand::Annotation(args) => remove_metadata(args, MetadataKind::Annotation, place),
        RemoveCommand::Label(args) => remove_metadata(args, MetadataKind::Label, place),
        RemoveCommand::Buildmetadata(args) => {
            let options = parse_build_metadata(&args.arguments)?;
            change(place, |e| {
                e.remove_build_metadata(&options);
                Ok(())
            })
        }
        RemoveCommand::Patch(args) => {
            let patch = patch_arg(args);
            patch.check()?;
            change(place, |e| {
                e.remove_patch(&patch);
                Ok(())
            })
        }
        RemoveCommand::Configmap(args) => remove_generator(args, GeneratorKind::ConfigMap, place),
        RemoveCommand::Secret(args) => remove_generator(args, GeneratorKind::Secret, place),
        RemoveCommand::Resource(args) => {
            remove_from_list(args, StringList::Resources, "must specify a resource file", place)
        }
        RemoveCommand::Transformer(args) => {
            let message = "must specify a transformer file";
            remove_from_list(args, StringList::Transformers, message, place)
        }
    }
}

fn usage<T>(message: &str) -> Edited<T> {
    Err(EditError::Usage(message.to_owned()).into())
}

fn overwrite(force: bool) -> Overwrite {
    if force { Overwrite::Allowed } else { Overwrite::Refused }
}

fn set_text(args: &ListArgs, field: &str, what: &str, place: &Place<'_>) -> Edited {
    let [value] = &args.arguments[..] else {
        return usage(&format!("must specify exactly one {what} value"));
    };
    change(place, |e| {
        e.set_text(field, value);
        Ok(())
    })
}

fn set_metadata(args: &ListArgs, kind: MetadataKind, place: &Place<'_>) -> Edited {
    let pairs = parse_metadata(&args.arguments, kind)?;
    crate::edit::check_set(kind, &pairs)?;
    change(place, |e| Ok(e.add_metadata(kind, &pairs, Overwrite::Allowed)?))
}

fn remove_metadata(args: &RemoveMetadataArgs, kind: MetadataKind, place: &Place<'_>) -> Edited {
    let keys = parse_keys(&args.arguments)?;
    change(place, |e| Ok(e.remove_metadata(kind, &keys, args.ignore_non_existence)?))
}

fn add_label(args: &AddLabelArgs, place: &Place<'_>) -> Edited {
    if args.arguments.is_empty() {
        return usage("must specify label");
    }
    let form = match (args.without_selector, args.include_templates) {
        (false, false) => LabelForm::Common,
        (true, false) => LabelForm::WithoutSelectors,
        (true, true) => LabelForm::WithTemplates,
        (false, true) => {
            return usage(
                "--without-selector flag must be specified for --include-templates to work",
            );
        }
    };
    let pairs = parse_metadata(&args.arguments, MetadataKind::Label)?;
    change(place, |e| Ok(e.add_labels(&pairs, overwrite(args.force), form)?))
}

fn add_base(args: &ListArgs, place: &Place<'_>) -> Edited {
    let [bases] = &args.arguments[..] else { return usage("must specify a base directory") };
    change(place, |e| {
        for base in bases.split(',') {
            if base.is_empty() || !place.directory().join(base).exists() {
                let message = format!("{base} does not exist");
                return Err(EditError::Refused(message).into());
            }
            e.add_base(base)?;
        }
        Ok(())
    })
}

fn add_resource(args: &AddResourceArgs, place: &Place<'_>) -> Edited {
    if args.arguments.is_empty() {
        return usage("must specify a resource file");
    }
    let found = if args.no_verify {
        args.arguments.clone()
    } else {
        paths::entries(place.directory(), &args.arguments)?
    };
    add_to_list(place, StringList::Resources, found)
}

/// Adds entries to a list; the kustomization itself is none.
fn add_to_list(place: &Place<'_>, list: StringList, mut found: Vec<String>) -> Edited {
    if found.is_empty() {
        return Ok(());
    }
    let mut opened = Opened::new(place)?;
    if matches!(list, StringList::Resources | StringList::Components) {
        found.retain(|entry| entry != opened.file_name);
    }
    opened.edit.add_to_list(list, &found);
    opened.write(place)
}

fn add_files(args: &ListArgs, list: StringList, message: &str, place: &Place<'_>) -> Edited {
    if args.arguments.is_empty() {
        return usage(message);
    }
    let mut notices = Vec::new();
    let found = paths::files(place.directory(), &args.arguments, &mut notices)?;
    for notice in &notices {
        place.notice(notice);
    }
    add_to_list(place, list, found)
}

fn remove_from_list(args: &ListArgs, list: StringList, message: &str, place: &Place<'_>) -> Edited {
    if args.arguments.is_empty() {
        return usage(message);
    }
    change(place, |e| Ok(e.remove_from_list(list, &args.arguments)?))
}

fn patch_arg(args: &PatchArgs) -> PatchArg {
    let target = [
        &args.group,
        &args.version,
        &args.kind,
        &args.name,
        &args.namespace,
        &args.label_selector,
        &args.annotation_selector,
    ];
    PatchArg {
        path: args.path.clone(),
        patch: args.patch.clone(),
        target: target.map(Clone::clone),
    }
}

fn add_config_map(args: &AddConfigMapArgs, place: &Place<'_>) -> Edited {
    let change = GeneratorChange { behavior: args.behavior.clone(), ..GeneratorChange::default() };
    add_generator(&args.sources, change, GeneratorKind::ConfigMap, place)
}

fn add_secret(args: &AddSecretArgs, place: &Place<'_>) -> Edited {
    let change =
        GeneratorChange { secret_type: args.secret_type.clone(), ..GeneratorChange::default() };
    add_generator(&args.sources, change, GeneratorKind::Secret, place)
}

fn add_generator(
    args: &SourceArgs,
    change: GeneratorChange,
    kind: GeneratorKind,
    place: &Place<'_>,
) -> Edited {
    let mut notices = Vec::new();
    let glob = |pattern: &str| paths::files(place.directory(), &[pattern.to_owned()], &mut notices);
    let files = expand_sources(&args.from_file, glob);
    for notice in &notices {
        place.notice(notice);
    }
    let files = files.map_err(|e| e.during("failed to expand file source"))?;
    let change = GeneratorChange {
        namespace: args.namespace.clone(),
        literals: args.from_literal.clone(),
        files,
        env_file: args.from_env_file.clone(),
        disable_name_suffix_hash: args.disable_name_suffix_hash,
        ..change
    };
    let change =
        change.check_added(&args.arguments).map_err(|e| e.during("failed to validate flags"))?;
    let mut opened = Opened::new(place).map_err(|e| e.during(LOADING))?;
    let index = opened.edit.add_generator(kind, &change);
    opened.check_generator(kind, index, place, "")?;
    opened.write(place)
}

/// What kustomize's errors say about the command that could not read the kustomization.
const LOADING: &str = "failed to load kustomization file";

fn set_generator(args: &SetGeneratorArgs, kind: GeneratorKind, place: &Place<'_>) -> Edited {
    let change = GeneratorChange {
        namespace: args.namespace.clone(),
        literals: args.from_literal.clone(),
        new_namespace: args.new_namespace.clone(),
        ..GeneratorChange::default()
    };
    let change =
        change.check_set(&args.arguments).map_err(|e| e.during("failed to validate flags"))?;
    let mut opened = Opened::new(place).map_err(|e| e.during(LOADING))?;
    let creating = format!("failed to create {}", kind.command());
    let index =
        opened.edit.set_generator(kind, &change).map_err(|error| error.during(&creating))?;
    opened.check_generator(kind, index, place, "failed to validate ")?;
    opened.write(place)
}

fn remove_generator(args: &RemoveGeneratorArgs, kind: GeneratorKind, place: &Place<'_>) -> Edited {
    let what = kind.command();
    let names: Vec<String> = match &args.arguments[..] {
        [] => return usage(&format!("at least one {what} name must be specified")),
        [names] => names.split(',').map(str::to_owned).collect(),
        names => {
            return usage(&format!(
                "too many arguments: [{}]; to provide multiple {what}s to remove, please separate {what} names by commas",
                names.join(" ")
            ));
        }
    };
    let mut opened =
        Opened::new(place).map_err(|e| e.during("could not read kustomization file"))?;
    opened.edit.remove_generators(kind, &names, &args.namespace)?;
    opened.write(place)
}

/// Changes the kustomization of the directory.
fn change(place: &Place<'_>, change: impl FnOnce(&mut Edit) -> Edited) -> Edited {
    let mut opened = Opened::new(place)?;
    change(&mut opened.edit)?;
    opened.write(place)
}
