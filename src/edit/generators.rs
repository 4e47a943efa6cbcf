//! `edit add|set|remove configmap` and `secret`.

use std::path::Path;

use super::tree::{
    elements, elements_mut, map_of, push, remove, remove_if_empty, set, set_text, string,
    string_at, text, text_of, yes,
};
use super::{Edit, EditError};
use crate::diagnostic::Reported;
use crate::generate::{GeneratedKind, generate};
use crate::project::{Decoder, Kustomization, Rules};
use crate::session::Context;
use crate::yaml::Node;

/// What is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GeneratorKind {
    ConfigMap,
    Secret,
}

impl GeneratorKind {
    fn field(self) -> &'static str {
        match self {
            Self::ConfigMap => "configMapGenerator",
            Self::Secret => "secretGenerator",
        }
    }

    /// How the command is called.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmap",
            Self::Secret => "secret",
        }
    }

    /// What kustomize's errors call the object.
    pub(crate) fn structure(self) -> String {
        format!("{} structure", self.object())
    }

    /// How the object is called.
    fn object(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// What the flags of `edit add` and `edit set` say.
#[derive(Clone, Debug, Default)]
pub(crate) struct GeneratorChange {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) literals: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) env_file: String,
    pub(crate) behavior: String,
    /// The type of a Secret; empty for a ConfigMap.
    pub(crate) secret_type: String,
    pub(crate) disable_name_suffix_hash: bool,
    pub(crate) new_namespace: String,
}

fn name_of(arguments: &[String]) -> Result<String, EditError> {
    match arguments {
        [name] => Ok(name.clone()),
        _ => Err(EditError::usage("name must be specified once")),
    }
}

impl GeneratorChange {
    /// Checks what `edit add` takes.
    pub(crate) fn check_added(mut self, arguments: &[String]) -> Result<Self, EditError> {
        self.name = name_of(arguments)?;
        let (literals, files) = (!self.literals.is_empty(), !self.files.is_empty());
        let env_file = !self.env_file.is_empty();
        if !literals && !files && !env_file {
            let message = "at least from-env-file, or from-file or from-literal must be set";
            return Err(EditError::usage(message));
        }
        if env_file && (literals || files) {
            let message = "from-env-file cannot be combined with from-file or from-literal";
            return Err(EditError::usage(message));
        }
        if !matches!(self.behavior.as_str(), "" | "create" | "merge" | "replace") {
            let message = "invalid behavior: must be one of \"create\", \"merge\", or \"replace\"";
            return Err(EditError::usage(message));
        }
        Ok(self)
    }

    /// Checks what `edit set` takes.
    pub(crate) fn check_set(mut self, arguments: &[String]) -> Result<Self, EditError> {
        self.name = name_of(arguments)?;
        if self.literals.is_empty() && self.new_namespace.is_empty() {
            let message = "at least one of [--from-literal, --new-namespace] must be specified";
            return Err(EditError::usage(message));
        }
        Ok(self)
    }
}

/// Puts the files that patterns fit in the place of the patterns of `--from-file`. `glob` returns them for one pattern.
pub(crate) fn expand_sources(
    sources: &[String],
    mut glob: impl FnMut(&str) -> Result<Vec<String>, EditError>,
) -> Result<Vec<String>, EditError> {
    let mut out = Vec::new();
    for source in sources {
        let parts: Vec<&str> = source.split('=').collect();
        let (key, pattern) = match parts[..] {
            [key, pattern] => (key, pattern),
            _ => ("", parts[0]),
        };
        let found = glob(pattern)?;
        if key.is_empty() {
            out.extend(found);
        } else if let [file] = &found[..] {
            out.push(format!("{key}={file}"));
        } else {
            let found = found.join(" ");
            return Err(EditError::usage(format!(
                "'pattern '{source}' catches files [{found}], should catch only one"
            )));
        }
    }
    Ok(out)
}

/// A namespace that is left out is `default`.
fn same_namespace(a: &str, b: &str) -> bool {
    fn full(namespace: &str) -> &str {
        if namespace.is_empty() { "default" } else { namespace }
    }
    full(a) == full(b)
}

/// Splits a literal that has exactly one `=`.
fn split_literal(literal: &str) -> Result<(&str, &str), EditError> {
    match literal.split_once('=') {
        Some((key, value)) if !value.contains('=') => Ok((key, value)),
        _ => Err(EditError::refused(
            "failed to update literal sources: failed to update resource: invalid format: literal values must be specified in the key=value format",
        )),
    }
}

impl Edit {
    fn find_generator(&self, kind: GeneratorKind, name: &str, namespace: &str) -> Option<usize> {
        elements(&self.root, kind.field()).iter().position(|entry| {
            text(entry, "name") == name && same_namespace(&text(entry, "namespace"), namespace)
        })
    }

    /// Adds sources to a generator, which is made if it is not there. Returns its number.
    pub(crate) fn add_generator(&mut self, kind: GeneratorKind, change: &GeneratorChange) -> usize {
        let field = kind.field();
        let found = self.find_generator(kind, &change.name, &change.namespace);
        let index = found.unwrap_or_else(|| {
            let entry = map_of(&[
                ("name", &change.name),
                ("namespace", &change.namespace),
                ("type", &change.secret_type),
            ]);
            let entries = elements_mut(&mut self.root, field);
            entries.push(entry);
            entries.len() - 1
        });
        let entry = &mut elements_mut(&mut self.root, field)[index];
        if !change.behavior.is_empty() {
            set_text(entry, "behavior", &change.behavior);
        }
        for (list, sources) in [("literals", &change.literals), ("files", &change.files)] {
            if !sources.is_empty() {
                elements_mut(entry, list).extend(sources.iter().map(|source| string(source)));
            }
        }
        if !change.env_file.is_empty() {
            elements_mut(entry, "envs").push(string(&change.env_file));
        }
        if change.disable_name_suffix_hash {
            self.disable_hash(kind, index);
        }
        index
    }

    /// Turns the hash off, and with that, as kustomize does, all other options of the generator.
    fn disable_hash(&mut self, kind: GeneratorKind, index: usize) {
        const HASH: &str = "disableNameSuffixHash";
        let entry = &mut elements_mut(&mut self.root, kind.field())[index];
        let is_it = |e: &crate::yaml::Entry| e.key.text().eq_ignore_ascii_case(HASH);
        let old = super::tree::field(entry, "options").and_then(Node::entries).unwrap_or_default();
        let lost: Vec<&str> = old.iter().filter(|e| !is_it(e)).map(|e| e.key.text()).collect();
        let lost = lost.join(", ");
        let is_done = lost.is_empty()
            && old.len() == 1
            && super::tree::field(entry, "options").is_some_and(|o| super::tree::is_on(o, HASH));
        if !is_done {
            let mut options = Node::default();
            push(&mut options, HASH, yes());
            set(entry, "options", options);
        }
        if !lost.is_empty() {
            let name = text(entry, "name").into_owned();
            let kind = kind.command();
            self.notice(format!("{kind} {name} loses its other options: {lost}"));
        }
    }

    /// Changes literals of a generator, or its namespace. Returns its number.
    pub(crate) fn set_generator(
        &mut self,
        kind: GeneratorKind,
        change: &GeneratorChange,
    ) -> Result<usize, EditError> {
        let object = kind.object();
        let found = self.find_generator(kind, &change.name, &change.namespace);
        let index = found.ok_or_else(|| {
            EditError::refused(format!(
                "could not set new {object} value: unable to find {object} with name \"{}\"",
                change.name
            ))
        })?;
        let entry = &mut elements_mut(&mut self.root, kind.field())[index];
        if !change.literals.is_empty() {
            set_literals(entry, &change.literals)?;
        }
        if !change.new_namespace.is_empty() {
            set_text(entry, "namespace", &change.new_namespace);
        }
        Ok(index)
    }

    /// Makes the object of a generator, to find what is wrong with its sources. `directory`: that of the kustomization.
    pub(crate) fn check_generator(
        &self,
        cx: &mut Context<'_>,
        directory: &Path,
        kind: GeneratorKind,
        index: usize,
    ) -> Result<(), EditError> {
        let mut decoder = Decoder::new(Rules::Kustomization);
        let kustomization = Kustomization::decode(&mut decoder, &self.root);
        let (generators, kind) = match kind {
            GeneratorKind::ConfigMap => {
                (kustomization.config_map_generators, GeneratedKind::ConfigMap)
            }
            GeneratorKind::Secret => (kustomization.secret_generators, GeneratedKind::Secret),
        };
        let Some(args) = generators.get(index) else { return Ok(()) };
        match generate(cx, directory, kind, args) {
            Ok(_) => Ok(()),
            Err(Reported) => {
                let fault = cx.sink.diagnostics().last();
                Err(EditError::refused(fault.map_or("", |fault| fault.message.as_str())))
            }
        }
    }

    /// Removes generators by name.
    pub(crate) fn remove_generators(
        &mut self,
        kind: GeneratorKind,
        names: &[String],
        namespace: &str,
    ) -> Result<(), EditError> {
        let field = kind.field();
        let goes = |entry: &Node| {
            let name = text(entry, "name");
            names.iter().any(|n| *n == name) && same_namespace(&text(entry, "namespace"), namespace)
        };
        let found: Vec<String> = elements(&self.root, field)
            .iter()
            .filter(|entry| goes(entry))
            .map(|entry| text(entry, "name").into_owned())
            .collect();
        let what = kind.command();
        if found.is_empty() {
            let message =
                format!("no specified {what}(s) were found in the kustomization.yaml file");
            return Err(EditError::refused(message));
        }
        for name in names.iter().filter(|name| !found.contains(name)) {
            self.notice(format!("{what} {name} doesn't exist in kustomization file"));
        }
        elements_mut(&mut self.root, field).retain(|entry| !goes(entry));
        remove_if_empty(&mut self.root, field);
        Ok(())
    }

    /// Moves `env` to `envs` in all generators.
    pub(super) fn fix_env_files(&mut self) {
        for kind in [GeneratorKind::ConfigMap, GeneratorKind::Secret] {
            let old = elements(&self.root, kind.field());
            if !old.iter().any(|entry| super::tree::position(entry, "env").is_some()) {
                continue;
            }
            for entry in elements_mut(&mut self.root, kind.field()) {
                let Some(env) = super::tree::field(entry, "env").cloned() else {
                    remove(entry, "env");
                    continue;
                };
                if text_of(&env).is_empty() {
                    remove(entry, "env");
                } else if elements(entry, "envs").is_empty() {
                    remove(entry, "envs");
                    super::fix::rename(entry, "env", "envs");
                    // The list stands where the name stood.
                    set(entry, "envs", Node::sequence(vec![env.clone()], env.origin()));
                } else {
                    remove(entry, "env");
                    elements_mut(entry, "envs").push(env);
                }
            }
        }
    }
}

/// Changes the values of literals that are there. Of several with one key, the last counts.
fn set_literals(entry: &mut Node, changes: &[String]) -> Result<(), EditError> {
    for literal in elements(entry, "literals") {
        split_literal(&text_of(literal))?;
    }
    let literals = elements_mut(entry, "literals");
    for change in changes {
        let (key, _) = split_literal(change)?;
        let has_key =
            |node: &Node| text_of(node).split_once('=').is_some_and(|(known, _)| known == key);
        let Some(last) = literals.iter().rposition(has_key) else {
            return Err(EditError::refused(format!(
                "failed to update literal sources: key '{key}' not found in resource"
            )));
        };
        if text_of(&literals[last]) != change.as_str() {
            literals[last] = string_at(change, literals[last].origin());
        }
    }
    let keys: Vec<String> = literals
        .iter()
        .map(|node| text_of(node).split_once('=').unwrap_or_default().0.to_owned())
        .collect();
    let mut index = 0;
    literals.retain(|_| {
        index += 1;
        !keys[index..].contains(&keys[index - 1])
    });
    Ok(())
}
