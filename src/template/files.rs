//! The functions of templates that read files of the project.

use std::path::Path;
use std::sync::Arc;

use minijinja::{Environment as Engine, Error, ErrorKind};

use super::{Rendering, joined, lock};
use crate::diagnostic::Code;
use crate::project::Glob;
use crate::provenance::OriginId;
use crate::source::EntryKind;

impl Rendering<'_> {
    /// Adds the functions that read files, relative to the template and inside the project.
    pub(super) fn add_files(&self, engine: &mut Engine<'static>) {
        // The functions live as long as the engine, and the session does not: what they may read is collected before.
        let contents = self.contents();
        let fault = Arc::clone(&self.fault);
        let files = Arc::clone(&contents);
        let tracker = self.tracker.clone();
        engine.add_function("file", move |state: &minijinja::State, path: &str| {
            let name = joined(path, state.name());
            if name.starts_with("..") || Path::new(path).is_absolute() {
                let message = format!("`{path}` is outside the project");
                *lock(&fault) = Some((Code::TemplateOutsideProject, message.clone()));
                return Err(Error::new(ErrorKind::InvalidOperation, message));
            }
            match files.iter().find(|(known, _)| *known == name) {
                Some((_, Ok((origin, text)))) => {
                    tracker.notes().read(*origin, text);
                    Ok(text.clone())
                }
                Some((_, Err(reason))) => {
                    Err(Error::new(ErrorKind::InvalidOperation, format!("`{path}`: {reason}")))
                }
                None => Err(Error::new(
                    ErrorKind::InvalidOperation,
                    format!("there is no file `{path}`"),
                )),
            }
        });
        engine.add_function("files", move |state: &minijinja::State, pattern: &str| {
            let directory = state.name().rsplit_once('/').map_or("", |(directory, _)| directory);
            let glob = Glob::new(&joined(pattern, state.name()));
            let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
            let names = contents.iter().map(|(name, _)| name).filter(|name| glob.is_match(name));
            names
                .map(|name| name.strip_prefix(&prefix).map_or_else(|| name.clone(), str::to_owned))
                .collect::<Vec<String>>()
        });
    }

    /// Returns the files that the template may read: those of its directory and below, if it reads any.
    fn contents(&self) -> Arc<Vec<Content>> {
        let texts: Vec<(String, String)> = lock(&self.loaded)
            .iter()
            .map(|l| (l.name.clone(), String::from_utf8_lossy(l.file.bytes()).into_owned()))
            .collect();
        if !texts.iter().any(|(_, text)| text.contains("file(") || text.contains("files(")) {
            return Arc::default();
        }
        let named = self.named(&texts);
        let mut out = Vec::new();
        let mut waiting = vec![self.set.root.clone()];
        while let Some(directory) = waiting.pop() {
            for name in self.session.reader().list(&directory).unwrap_or_default() {
                let path = directory.join(&name);
                if name.to_string_lossy().starts_with('.') {
                    continue;
                }
                match self.session.reader().kind(&path) {
                    Ok(EntryKind::Directory) => waiting.push(path),
                    Ok(EntryKind::File) => {
                        let name = self.name_of(&path);
                        let content = if named.iter().any(|named| named.fits(&name)) {
                            self.content(&path)
                        } else {
                            Err("no text in the template or value is a part of its name".to_owned())
                        };
                        out.push((name, content));
                    }
                    _ => {}
                }
            }
        }
        out.sort_by(|a, b| a.0.cmp(&b.0));
        Arc::new(out)
    }

    /// Returns what the names of files may be made of: the texts of the templates, and the values.
    fn named(&self, texts: &[(String, String)]) -> Vec<Named> {
        let mut out = Vec::new();
        for (name, text) in texts {
            out.extend(quoted(text).map(|text| Named::new(text, name)));
            let leaves = self.set.values.leaves();
            out.extend(leaves.iter().map(|(_, node)| Named::new(node.text(), name)));
        }
        out
    }

    fn content(&self, path: &Path) -> Result<(OriginId, String), String> {
        let file = self.session.file(path).map_err(|error| error.to_string())?;
        let text = String::from_utf8(file.bytes().to_vec());
        let text = text.map_err(|_| "the file is not UTF-8 text".to_owned())?;
        Ok((OriginId::written(file.base()), text))
    }
}

/// The name of a file in the project, and where its text begins and what it is, or why it cannot be read.
type Content = (String, Result<(OriginId, String), String>);

/// A text that may be the name of a file, a pattern of names, or a part of one.
struct Named {
    text: String,
    path: String,
    glob: Glob,
}

/// A shorter text is a part of nearly any name.
const MIN_PART: usize = 3;

impl Named {
    fn new(text: &str, template: &str) -> Self {
        let path = joined(text, template);
        Self { text: text.to_owned(), glob: Glob::new(&path), path }
    }

    fn fits(&self, name: &str) -> bool {
        self.path == name
            || self.glob.is_match(name)
            || self.text.len() >= MIN_PART && name.contains(&self.text)
    }
}

/// Returns the texts between quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(['"', '\''])?;
        let quote = rest[start..].chars().next()?;
        let inside = &rest[start + 1..];
        let end = inside.find([quote, '\n']).unwrap_or(inside.len());
        rest = inside.get(end + 1..).unwrap_or_default();
        Some(&inside[..end])
    })
}
