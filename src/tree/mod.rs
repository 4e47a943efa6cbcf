//! The rendered tree: which file each object of an environment is in, and what differs from the files that are there.
//!
//! A path depends on its object alone, so that a change of one object is a change of one file. What kiln may replace or
//! remove is marked by the first line of the file, and by nothing else. Nothing is written here.

mod compare;
mod layout;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::project::{Environment, Glob, RenderLayout, SecretPolicy, Settings};
use crate::resource::Resource;
use crate::session::Context;
use crate::source::{EntryKind, Print, Reader, display_path};
use crate::yaml::{Key, Node};
use crate::{Build, Output, SourceMap};

pub(crate) use compare::changes;
pub(crate) use layout::plain_name;

/// What the first line of a rendered file begins with.
const MARK: &str = "# rendered by kiln from ";

/// The start and the end of the name of a file that is being written.
pub(crate) const TEMPORARY: (&str, &str) = (".kiln-", ".tmp");

/// The folder of the rendered tree, if nothing else is said.
const DEFAULT_DIRECTORY: &str = "rendered";

/// A file of the rendered tree as it is to be.
#[derive(Clone, Debug)]
pub(crate) struct TreeFile {
    pub(crate) bytes: Vec<u8>,
    /// The numbers of its objects in the build.
    pub(crate) objects: Vec<usize>,
}

/// The files of an environment by their paths in the rendered tree, with `/` between parts.
pub(crate) type Tree = BTreeMap<String, TreeFile>;

/// Returns the directory of the rendered tree.
pub(crate) fn directory(root: &Path, settings: &Settings) -> PathBuf {
    let name = settings.render_dir.as_ref().map_or(DEFAULT_DIRECTORY, |dir| dir.as_str());
    root.join(name)
}

/// Returns the files that an environment is rendered to.
pub(crate) fn of(
    cx: &mut Context<'_>,
    environment: &Environment,
    settings: &Settings,
    build: &Build,
) -> Fallible<Tree> {
    let header = format!("{MARK}{}; do not edit\n", environment.path);
    let layout = settings.layout.unwrap_or_default();
    let Output::Stream(stream) = &build.output else { return Ok(Tree::new()) };
    let documents = documents(stream);
    let mut tree = Tree::new();
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    let mut result = Ok(());
    for (index, resource) in build.resources.iter().enumerate() {
        if let Err(reported) = allow_secret(cx, settings, resource) {
            result = Err(reported);
        }
        let path = format!("{}/{}", environment.name, layout::path(resource, layout));
        let text = documents.get(index).copied().unwrap_or_default();
        // Some file systems know no case.
        let owner = owners.get(&path.to_lowercase()).copied();
        match (owner, tree.get_mut(&path)) {
            (Some(_), Some(file)) if layout == RenderLayout::Single => {
                file.bytes.extend_from_slice(b"---\n");
                file.bytes.extend_from_slice(text);
                file.objects.push(index);
            }
            (Some(owner), _) => {
                let other = Some(build.resources.get(owner).id());
                let message = format!(
                    "`{}` and `{}` are both rendered to `{path}`",
                    resource.id(),
                    other.map(ToString::to_string).unwrap_or_default()
                );
                let span = cx.span(resource.node().origin());
                let d = Diagnostic::error(Code::RenderConflict, message).at(span, "this object");
                result = Err(cx.fail(d.help(
                    "give one of the objects another name, or render with `layout: single`",
                )));
            }
            (None, _) => {
                owners.insert(path.to_lowercase(), index);
                let mut bytes = header.clone().into_bytes();
                bytes.extend_from_slice(text);
                tree.insert(path, TreeFile { bytes, objects: vec![index] });
            }
        }
    }
    result.map(|()| tree)
}

/// Returns the documents of a stream. Nothing in a document begins a line as a separator does: it is a map, and all below
/// its keys is indented.
pub(crate) fn documents(stream: &[u8]) -> Vec<&[u8]> {
    const SEPARATOR: &[u8] = b"\n---\n";
    let (mut out, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(found) = stream[at..].iter().position(|b| *b == b'\n') {
        at += found;
        if stream[at..].starts_with(SEPARATOR) {
            out.push(&stream[start..=at]);
            start = at + SEPARATOR.len();
        }
        at += 1;
    }
    out.push(&stream[start..]);
    out
}

fn is_secret(resource: &Resource) -> bool {
    let gvk = &resource.id().gvk;
    gvk.kind == "Secret" && gvk.group.is_empty()
}

/// Returns what `allowSecrets` calls a Secret.
fn secret_name(resource: &Resource) -> String {
    format!("Secret/{}/{}", resource.id().namespace, plain_name(resource))
}

fn is_allowed(settings: &Settings, resource: &Resource) -> bool {
    let name = secret_name(resource);
    let allowed = settings.allowed_secrets.as_deref().unwrap_or_default();
    allowed.iter().any(|pattern| Glob::new(pattern.as_str()).is_match(&name))
}

fn allow_secret(cx: &mut Context<'_>, settings: &Settings, resource: &Resource) -> Fallible<()> {
    if !is_secret(resource) {
        return Ok(());
    }
    let policy = settings.secrets.unwrap_or_default();
    let is_harmless = match policy {
        SecretPolicy::Allow => true,
        SecretPolicy::Encrypted => is_encrypted(resource.node()),
        SecretPolicy::Forbid => false,
    };
    if is_harmless || is_allowed(settings, resource) {
        return Ok(());
    }
    let (id, name) = (resource.id(), secret_name(resource));
    let message = format!("`{id}` would stand in the rendered tree for everyone to read");
    let d = Diagnostic::error(Code::RenderSecret, message)
        .at(first_span(cx, resource.node()), "this Secret");
    Err(cx.fail(d.help(format!(
        "use a SealedSecret or an ExternalSecret, or encrypt it with SOPS; or allow it: `allowSecrets: [{name}]`, or \
         `secrets: allow` where values are dummies"
    ))))
}

/// Refuses the Secrets that must not be handed to what applies them as they are: all, if the project forbids them, and those
/// that SOPS has encrypted, whose ciphertext would become their content. A plain Secret is what a cluster needs.
pub(crate) fn require_readable_secrets(
    cx: &mut Context<'_>,
    settings: &Settings,
    build: &Build,
) -> Fallible<()> {
    let forbidden = settings.secrets == Some(SecretPolicy::Forbid);
    let mut result = Ok(());
    for resource in build.resources.iter().filter(|resource| is_secret(resource)) {
        let id = resource.id();
        let d = if is_sops(resource.node()) {
            let message = format!("`{id}` is encrypted with SOPS, and nothing decrypts it here");
            Diagnostic::error(Code::ArgocdEncrypted, message)
                .help("use a SealedSecret or an ExternalSecret, which the cluster decrypts")
        } else if forbidden && !is_allowed(settings, resource) {
            let name = secret_name(resource);
            Diagnostic::error(Code::RenderSecret, format!("the project forbids `{id}`")).help(
                format!(
                    "use a SealedSecret or an ExternalSecret; or allow it: `allowSecrets: [{name}]`"
                ),
            )
        } else {
            continue;
        };
        result = Err(cx.fail(d.at(first_span(cx, resource.node()), "this Secret")));
    }
    result
}

/// Returns the first place of an object, which a generator may have made.
fn first_span(cx: &Context<'_>, node: &Node) -> Option<crate::source::Span> {
    let data = ["data", "stringData"].iter().find_map(|field| node.get(Key::text_key(field)));
    let data = data.and_then(|data| first_span(cx, data));
    cx.span(node.origin())
        .or(data)
        .or_else(|| {
            node.entries()?
                .iter()
                .find_map(|e| cx.span(e.key_origin).or_else(|| first_span(cx, &e.value)))
        })
        .or_else(|| node.elements()?.iter().find_map(|e| first_span(cx, e)))
}

fn is_sops(node: &Node) -> bool {
    node.get(Key::text_key("sops")).is_some()
}

/// A Secret without data, or one whose data SOPS has encrypted.
fn is_encrypted(node: &Node) -> bool {
    let is_sops = is_sops(node);
    ["data", "stringData"].iter().filter_map(|field| node.get(Key::text_key(field))).all(|data| {
        let entries = data.entries().unwrap_or_default();
        let is_map = data.is_null() || data.entries().is_some();
        is_map && entries.iter().all(|e| is_sops && e.value.text().starts_with("ENC["))
    })
}

/// The rendered tree on disk.
#[derive(Debug, Default)]
pub(crate) struct OnDisk {
    /// The files that kiln has written, by their paths in the tree, with their bytes.
    pub(crate) own: BTreeMap<String, Vec<u8>>,
    /// All other files.
    pub(crate) foreign: BTreeSet<String>,
    /// Folders.
    pub(crate) folders: BTreeSet<String>,
    /// What an interrupted run has left behind.
    pub(crate) temporary: Vec<String>,
}

impl OnDisk {
    /// Reads what is below a directory. Symbolic links are not followed; they are files of others.
    pub(crate) fn read(reader: &dyn Reader, directory: &Path) -> Self {
        let mut found = Self::default();
        found.read_below(reader, directory, "");
        found
    }

    fn read_below(&mut self, reader: &dyn Reader, directory: &Path, prefix: &str) {
        for name in reader.list(directory).unwrap_or_default() {
            let path = directory.join(&name);
            let name = format!("{prefix}{}", name.to_string_lossy());
            let base = name.rsplit('/').next().unwrap_or(&name);
            let is_temporary = base.starts_with(TEMPORARY.0) && base.ends_with(TEMPORARY.1);
            // No object has such a name. The tree may be a work tree of its own, with `.git`.
            if base.starts_with('.') && !is_temporary {
                self.foreign.insert(name);
                continue;
            }
            match reader.kind(&path) {
                Ok(EntryKind::Directory) => {
                    self.read_below(reader, &path, &format!("{name}/"));
                    self.folders.insert(name);
                }
                Ok(EntryKind::File) if is_temporary => self.temporary.push(name),
                Ok(EntryKind::File) => match reader.read(&path) {
                    Ok(bytes) if is_own(base, &bytes) => drop(self.own.insert(name, bytes)),
                    _ => drop(self.foreign.insert(name)),
                },
                Ok(_) => drop(self.foreign.insert(name)),
                Err(_) => {}
            }
        }
    }

    /// Returns the part of the tree that belongs to an environment, and to no other one whose name begins like it.
    pub(crate) fn of_environment<'d>(
        &'d self,
        name: &str,
        others: &[Environment],
    ) -> impl Iterator<Item = (&'d String, &'d Vec<u8>)> {
        let prefix = format!("{name}/");
        let inner: Vec<String> = others
            .iter()
            .map(|other| format!("{}/", other.name))
            .filter(|other| other.starts_with(&prefix) && *other != prefix)
            .collect();
        self.own.iter().filter(move |(path, _)| {
            path.starts_with(&prefix) && !inner.iter().any(|other| path.starts_with(other))
        })
    }
}

/// Returns whether kiln has written a file: it begins with the mark, or it is empty, which is what a loss of power leaves.
fn is_own(name: &str, bytes: &[u8]) -> bool {
    bytes.starts_with(MARK.as_bytes())
        || bytes.is_empty()
            && Path::new(name).extension().is_some_and(|extension| extension == "yaml")
}

/// Refuses to write over what kiln has not written.
pub(crate) fn require_own(
    cx: &mut Context<'_>,
    directory: &Path,
    tree: &Tree,
    disk: &OnDisk,
) -> Fallible<()> {
    let mut result = Ok(());
    for path in tree.keys() {
        // A file where a folder is needed is in the way as well.
        let mut ancestors = path.match_indices('/').map(|(at, _)| &path[..at]);
        let in_the_way = Some(path.as_str())
            .into_iter()
            .chain(ancestors.by_ref())
            .find(|p| disk.foreign.contains(*p) || *p == path && disk.folders.contains(*p));
        if let Some(found) = in_the_way {
            let shown = display_path(&directory.join(found), &cx.options.shown_from);
            let message = format!("`{shown}` was not written by kiln and is in the way");
            let file = cx.session.file(&directory.join(found)).ok();
            let span = file.map(|file| file.character(0));
            let d = Diagnostic::error(Code::RenderForeignFile, message).at(span, "in the way");
            result = Err(cx.fail(
                d.help("move or remove the file; kiln replaces only files that it has written"),
            ));
        }
    }
    result
}

/// Returns where a value is written: in a values file, or else in a file on disk.
pub(crate) fn place_of(
    sources: &SourceMap,
    position: u32,
) -> Option<(PathBuf, crate::source::LineColumn)> {
    let (file, offset) = sources.locate(position)?;
    if let Some(value) = file.print_at(offset).and_then(Print::value) {
        return place_of(sources, value);
    }
    let (file, offset) = sources.locate_on_disk(position)?;
    Some((file.path().to_path_buf(), file.line_column(offset)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemoryReader;

    #[test]
    fn what_is_on_disk_is_kilns_or_not() {
        let mut reader = MemoryReader::new();
        for (path, text) in [
            ("prod/a.yaml", "# rendered by kiln from overlays/prod; do not edit\n"),
            ("prod/lost.yaml", ""),
            ("prod/own.yaml", "kind: Own\n"),
            ("prod/.kiln-a.yaml.tmp", ""),
            ("notes.txt", ""),
            (".gitkeep", ""),
            (".git/FETCH_HEAD", ""),
            (".git/x.yaml", "# rendered by kiln from overlays/prod; do not edit\n"),
        ] {
            reader.insert(format!("/r/{path}"), text);
        }
        let found = OnDisk::read(&reader, Path::new("/r"));
        let own: Vec<&String> = found.own.keys().collect();
        assert_eq!(own, ["prod/a.yaml", "prod/lost.yaml"]);
        assert_eq!(found.temporary, ["prod/.kiln-a.yaml.tmp"]);
        let foreign: Vec<&String> = found.foreign.iter().collect();
        assert_eq!(foreign, [".git", ".gitkeep", "notes.txt", "prod/own.yaml"]);
    }
}
