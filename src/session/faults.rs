//! Faults of reading, as diagnostics.

use std::path::Path;

use super::{Context, DocumentFault, Text};
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported, nearest};
use crate::git::{self, GitError};
use crate::provenance::OriginId;
use crate::resource::{IdClash, PatternError, ReadFault, ResourceSet, SelectorError};
use crate::source::{LoadError, SourceFile, display_path};
use crate::yaml::{Limit, SyntaxError, Tag, ViewFault, ViewFaultKind};

impl Context<'_> {
    /// Reports why an entry of the kustomization in `root` cannot be read.
    pub(crate) fn load_error(&mut self, error: &LoadError, root: &Path, entry: &Text) -> Reported {
        let span = self.span(entry.at);
        let text = entry.as_str();
        let diagnostic = match error {
            LoadError::Missing(path) => {
                let mut d =
                    Diagnostic::error(Code::FileMissing, format!("`{text}` does not exist"))
                        .at(span, "named here");
                if let Some(help) = self.nearest_file(path, root) {
                    d = d.help(help);
                }
                d
            }
            LoadError::NotAFile(_) => {
                Diagnostic::error(Code::FileNotAFile, format!("`{text}` is not a file"))
                    .at(span, "named here")
            }
            LoadError::NotADirectory(_) => {
                Diagnostic::error(Code::BaseNotADirectory, format!("`{text}` is not a directory"))
                    .at(span, "named here")
            }
            LoadError::OutsideRoot { path, root } => {
                let shown = display_path(path, root);
                let message =
                    format!("`{text}` is outside the directory of the kustomization: `{shown}`");
                Diagnostic::error(Code::FileOutsideRoot, message).at(span, "named here").help(
                    "move the file below the kustomization, make it part of a base, or build with \
                     `--load-restrictor LoadRestrictionsNone`",
                )
            }
            LoadError::Absolute(_) => {
                let message = format!("a base cannot be an absolute path: `{text}`");
                Diagnostic::error(Code::BaseAbsolute, message)
                    .at(span, "named here")
                    .help("write the path relative to the kustomization")
            }
            LoadError::Empty => Diagnostic::error(Code::InvalidEntry, "the entry is empty")
                .at(span, "names nothing"),
            LoadError::Remote(remote) => {
                let help = match remote {
                    Some(remote) => {
                        let reference = match remote.reference.as_str() {
                            "" => String::new(),
                            reference => format!(" at `{reference}`"),
                        };
                        format!(
                            "kiln does not use the network: copy `{}` of {}{reference} into the repository and \
                             name the copy",
                            if remote.directory.is_empty() { "." } else { &remote.directory },
                            remote.clone_url,
                        )
                    }
                    None => "kiln does not use the network: copy the file into the repository and name the copy"
                        .to_owned(),
                };
                Diagnostic::error(Code::BaseRemote, format!("`{text}` is remote"))
                    .at(span, "named here")
                    .help(help)
            }
            LoadError::Template(path) => self.template_fault(path).unwrap_or_else(|| {
                Diagnostic::error(Code::TemplateFailed, error.to_string()).at(span, "named here")
            }),
            LoadError::TooMuchInput(_) => {
                Diagnostic::error(Code::FileTooLarge, "more than 2 GiB of input in one run")
                    .at(span, "read here")
            }
            LoadError::Io { error, .. } => {
                let git = error.get_ref().and_then(|inner| inner.downcast_ref::<GitError>());
                let diagnostic = git.map_or_else(
                    || {
                        let message = format!("`{text}` cannot be read: {error}");
                        Diagnostic::error(Code::FileUnreadable, message)
                    },
                    git_error,
                );
                diagnostic.at(span, "named here")
            }
        };
        self.fail(diagnostic)
    }

    /// Reports that the directory that an entry of the kustomization in `root` names does not exist.
    pub(crate) fn missing_base(&mut self, path: &Path, root: &Path, entry: &Text) -> Reported {
        let remotes = &self.options.remotes;
        let message = match remotes.iter().find(|(remote, _)| remote == entry.as_str()) {
            Some((remote, copy)) => {
                let copy = display_path(copy, &self.options.shown_from);
                format!("the copy `{copy}`, which stands for `{remote}`, does not exist")
            }
            None => format!("the directory `{}` does not exist", entry.value),
        };
        let mut d =
            Diagnostic::error(Code::BaseMissing, message).at(self.span(entry.at), "named here");
        if let Some(help) = self.nearest_file(path, root) {
            d = d.help(help);
        }
        self.fail(d)
    }

    fn nearest_file(&self, missing: &Path, root: &Path) -> Option<String> {
        let directory = missing.parent()?;
        let name = missing.file_name()?.to_str()?;
        let names = self.loader.names(directory);
        let near = nearest(name, names.iter().map(String::as_str))?;
        Some(format!("there is `{}`", display_path(&directory.join(near), root)))
    }

    /// Reports why a file does not hold objects.
    pub(crate) fn read_fault(&mut self, fault: &ReadFault, file: &SourceFile) -> Reported {
        let diagnostic = self.read_fault_diagnostic(fault, file);
        self.fail(diagnostic)
    }

    /// Returns the diagnostic that says why a file does not hold objects.
    pub(crate) fn read_fault_diagnostic(&self, fault: &ReadFault, file: &SourceFile) -> Diagnostic {
        let at = |offset: usize| file.character(offset);
        let path = display_path(file.path(), &self.options.shown_from);
        if let Some(fault) = git::lfs_fault(&path, file.bytes()) {
            return git_error(&fault).at(at(0), "a pointer, no object");
        }
        match fault {
            ReadFault::NotUtf8(offset) => {
                Diagnostic::error(Code::FileNotUtf8, "the file is not UTF-8 text")
                    .at(at(*offset), "not UTF-8")
            }
            ReadFault::Separator(offset) => Diagnostic::error(
                Code::YamlSyntax,
                "a document separator holds more than `---` and a comment",
            )
            .at(at(*offset), "separator")
            .help("begin the document on the next line"),
            ReadFault::Retyped(origin) => {
                let span = self.span(*origin);
                let text = span.and_then(|span| {
                    let file = self.sources().file(span.file)?;
                    let bytes = file.bytes().get(span.start as usize..span.end as usize)?;
                    Some(String::from_utf8_lossy(bytes).into_owned())
                });
                let message = format!(
                    "the string `{}` is no string once it is rendered",
                    text.unwrap_or_default()
                );
                Diagnostic::error(Code::TemplateRetyped, message)
                    .at(span, "printed without quotes")
                    .help("print it with `| quote`, or make the value a number or a boolean")
            }
            ReadFault::Syntax(error, piece) => syntax_error(error, file, *piece),
            ReadFault::NotAnObject(origin) => Diagnostic::error(
                Code::ResourceNotAnObject,
                "expected a Kubernetes object with `apiVersion`, `kind` and `metadata`",
            )
            .at(self.span(*origin), "not an object"),
            ReadFault::MissingKind(origin) => {
                Diagnostic::error(Code::ResourceMissingKind, "the object has no `kind`")
                    .at(self.span(*origin), "this object")
            }
            ReadFault::MissingName(origin, kind) => {
                let message = format!("the object of kind `{kind}` has no `metadata.name`");
                Diagnostic::error(Code::ResourceMissingName, message)
                    .at(self.span(*origin), "this object")
            }
            ReadFault::AnnotationsAreAList(origin) => Diagnostic::error(
                Code::ResourceNotAnObject,
                "the annotations of an object must be a map, found a list",
            )
            .at(self.span(*origin), "a list"),
            ReadFault::ItemsNotAList(origin, kind) => {
                let message = format!("the `items` of a `{kind}` must be a list");
                Diagnostic::error(Code::ResourceItemsNotAList, message)
                    .at(self.span(*origin), "not a list")
            }
            ReadFault::View(fault) => self.view_fault_diagnostic(fault),
        }
    }

    /// Reports why a kustomization or another configuration is not YAML.
    pub(crate) fn document_fault(&mut self, fault: &DocumentFault, file: &SourceFile) -> Reported {
        let diagnostic = match fault {
            DocumentFault::NotUtf8(offset) => {
                Diagnostic::error(Code::FileNotUtf8, "the file is not UTF-8 text")
                    .at(file.character(*offset), "not UTF-8")
            }
            DocumentFault::Syntax(error) => syntax_error(error, file, 0),
        };
        self.fail(diagnostic)
    }

    /// Reports why an object cannot be written.
    pub(crate) fn view_fault(&mut self, fault: &ViewFault) -> Reported {
        let diagnostic = self.view_fault_diagnostic(fault);
        self.fail(diagnostic)
    }

    pub(crate) fn view_fault_diagnostic(&self, fault: &ViewFault) -> Diagnostic {
        let at = self.span(fault.at);
        match &fault.kind {
            ViewFaultKind::DuplicateKey(key) => {
                Diagnostic::error(Code::YamlDuplicateKey, format!("the key `{key}` is set twice in this map"))
                    .at(at, "set again here")
                    .at(self.span(fault.other), "first set here")
                    .help("remove one of them")
            }
            ViewFaultKind::NonStringKey(key) => {
                Diagnostic::error(Code::YamlKeyNotString, format!("the key `{key}` is not a string"))
                    .at(at, "not a string")
                    .help(format!("put it in quotes: \"{key}\""))
            }
            ViewFaultKind::TypeMismatch { text, found, expected } => {
                let (found, expected) = (tag_name(*found), tag_name(*expected));
                let message = format!("`{text}` is {found}, but its place holds {expected}");
                Diagnostic::error(Code::YamlTypeMismatch, message).at(at, format!("not {expected}"))
            }
            ViewFaultKind::LeadingTab => Diagnostic::error(
                Code::YamlUnwritable,
                "a text of several lines that begins with a tab cannot be written as kustomize writes it",
            )
            .at(at, "begins with a tab")
            .help("begin the text with a space or a line without a tab"),
            ViewFaultKind::EmptyBelowComment => Diagnostic::error(
                Code::YamlUnwritable,
                "nothing is left below this key, and kustomize writes `{}` into the comment behind it",
            )
            .at(at, "a key with a comment behind it")
            .help("move the comment to a line of its own, or delete the key as well"),
            ViewFaultKind::MergeOfNoMap => Diagnostic::error(
                Code::YamlUnwritable,
                "the key `<<` merges maps when it is read back, and this is none",
            )
            .at(at, "not a map"),
            ViewFaultKind::NotFinite => {
                Diagnostic::error(Code::YamlUnwritable, "a number must be finite").at(at, "not a finite number")
            }
            ViewFaultKind::InvalidBase64 => {
                Diagnostic::error(Code::YamlTypeMismatch, "a value tagged `!!binary` must be base64")
                    .at(at, "not base64")
            }
            ViewFaultKind::ControlCharacter(character) => {
                let message = format!("the control character U+{:04X} cannot be written", u32::from(*character));
                Diagnostic::error(Code::YamlUnwritable, message).at(at, "holds a control character")
            }
            ViewFaultKind::LongKey => {
                Diagnostic::error(Code::YamlUnwritable, "a key is longer than 1,024 characters").at(at, "the value")
            }
        }
    }

    /// Reports that an object has the id of another. `at`: what adds it.
    pub(crate) fn id_clash(
        &mut self,
        set: &ResourceSet,
        clash: &IdClash,
        at: OriginId,
    ) -> Reported {
        let id = clash.added.id();
        let added = clash.added.node().origin();
        let added = if added == OriginId::NONE { at } else { added };
        let d =
            Diagnostic::error(Code::ResourceDuplicateId, format!("there are two objects `{id}`"))
                .at(self.span(added), "defined again here")
                .at(self.span(set.get(clash.existing).node().origin()), "first defined here");
        self.fail(d.help("remove one of them, or give it another name or namespace"))
    }

    /// Reports two objects of a set that have one id. `after`: what made them so; none if it has no place.
    pub(crate) fn require_distinct_ids(
        &mut self,
        set: &ResourceSet,
        after: OriginId,
    ) -> Fallible<()> {
        for (index, resource) in set.iter().enumerate() {
            let id = resource.id();
            let Some(first) = set.by_current_id(id).filter(|&first| first != index) else {
                continue;
            };
            let message = format!("there are two objects `{id}`");
            let d = Diagnostic::error(Code::ResourceDuplicateId, message)
                .at(self.span(after), "after this")
                .at(self.span(set.get(first).node().origin()), "one of them")
                .at(self.span(resource.node().origin()), "the other one");
            return Err(self.fail(d));
        }
        Ok(())
    }

    /// Returns the diagnostic that says why a selector cannot be used.
    pub(crate) fn selector_error(&self, error: &SelectorError, at: OriginId) -> Diagnostic {
        let span = self.span(at);
        match error {
            SelectorError::Pattern(error) => pattern_error(error).at(span, "this selector"),
            SelectorError::Labels(text, reason) => {
                let message = format!("`{text}` is not a label selector: {reason}");
                Diagnostic::error(Code::SelectorInvalid, message).at(span, "this selector")
            }
        }
    }
}

pub(crate) fn pattern_error(error: &PatternError) -> Diagnostic {
    Diagnostic::error(Code::SelectorInvalid, error.to_string())
}

/// Returns the diagnostic for a text that is not JSON; `base` is the offset of the text in its file.
pub(crate) fn json_error(error: &SyntaxError, file: &SourceFile, base: usize) -> Diagnostic {
    let diagnostic = syntax_error(error, file, base);
    match diagnostic.code {
        Code::YamlSyntax => Diagnostic { code: Code::JsonSyntax, ..diagnostic },
        _ => diagnostic,
    }
}

/// Returns the diagnostic for a text that is not YAML; `base` is the offset of the text in its file.
pub(crate) fn syntax_error(error: &SyntaxError, file: &SourceFile, base: usize) -> Diagnostic {
    let span = |offset: usize| file.character(base + offset);
    let code = match error.limit() {
        None => Code::YamlSyntax,
        Some(Limit::Depth) => Code::YamlTooDeep,
        Some(Limit::Aliases) => Code::YamlTooManyAliases,
    };
    let mut diagnostic =
        Diagnostic::error(code, error.message.clone()).at(span(error.at), "found here");
    if let Some((what, at)) = error.context {
        diagnostic = diagnostic.at(span(at), format!("while reading {what} that begins here"));
    }
    diagnostic
}

fn tag_name(tag: Tag) -> &'static str {
    match tag {
        Tag::Str => "a string",
        Tag::Int => "an integer",
        Tag::Float => "a number",
        Tag::Bool => "a boolean",
        Tag::Null => "null",
        Tag::Timestamp => "a date",
        Tag::Binary => "binary data",
        _ => "another type",
    }
}

/// Returns what is said about a fault of a git repository.
pub(crate) fn git_error(error: &GitError) -> Diagnostic {
    let code = match error {
        GitError::NoRepository(_) => Code::GitNoRepository,
        GitError::Revision { .. } => Code::GitUnknownRevision,
        GitError::NoMergeBase { .. } => Code::GitNoMergeBase,
        GitError::MissingObject { .. } => Code::GitMissingObject,
        GitError::Submodule { .. } => Code::GitSubmodule,
        GitError::LfsPointer { .. } => Code::GitLfsPointer,
        GitError::Unreadable(_) | GitError::Index(_) => Code::GitUnreadable,
    };
    let diagnostic = Diagnostic::error(code, error.to_string());
    match error.help() {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}
