//! Where the text of a value is written: in a file, in a text inside a file, in a template and the values that it prints.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use ecow::EcoString;

use super::{Place, Source, SourceKind};
use crate::provenance::OriginId;
use crate::resource::{read_documents, read_objects};
use crate::source::{FileId, Print, SourceFile, SourceMap};
use crate::values::Values;
use crate::yaml::{Dialect, Node, parse_document, scalar_end};

/// A scalar of a file.
#[derive(Clone, Debug)]
struct Scalar {
    range: Range<u32>,
    text: EcoString,
}

type Scalars = Rc<Vec<Scalar>>;

/// How a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As YAML.
    Yaml,
    /// By a generator: as a whole, or line by line.
    Lines,
    /// As the name of an object, which is where it is called so first.
    Name,
}

/// The texts of a build.
pub(super) struct Texts<'b> {
    pub(super) sources: &'b SourceMap,
    values: Option<&'b Values>,
    /// The scalars of rendered templates and of files of values, in order.
    scalars: RefCell<HashMap<FileId, Scalars>>,
}

impl<'b> Texts<'b> {
    pub(super) fn new(sources: &'b SourceMap, values: Option<&'b Values>) -> Self {
        Self { sources, values, scalars: RefCell::default() }
    }

    /// Returns the place of a global position, in a file on disk.
    pub(super) fn place(&self, position: u32) -> Option<Place> {
        let (file, offset) = self.sources.locate_on_disk(position)?;
        let at = file.line_column(offset);
        let mut path = file.path().to_path_buf();
        if !path.is_absolute() {
            // A flag: what it sets is its name.
            let text = String::from_utf8_lossy(file.bytes());
            let name = text.split_once('=').map_or("", |(name, _)| name);
            path = format!("{} {name}", path.display()).into();
        }
        Some(Place { path, offset, line: at.line, column: at.column })
    }

    /// Returns whether a value that may reach only Secrets stands at a place.
    pub(super) fn is_secret(&self, place: &Place) -> bool {
        let secrets = self.values.iter().flat_map(|values| &values.secrets);
        let mut positions = secrets.filter_map(|origin| origin.position());
        positions.any(|position| self.place(position).as_ref() == Some(place))
    }

    /// Returns what the text at a global position was made of.
    pub(super) fn at(&self, position: u32, reading: Reading) -> Vec<Source> {
        let Some(place) = self.place(position) else { return Vec::new() };
        let source = |kind| Source {
            place: place.clone(),
            end: None,
            kind,
            writes: Vec::new(),
            overrides: Vec::new(),
        };
        let mut found = self.sources.locate(position);
        while let Some((file, offset)) = found {
            if file.is_rendered() {
                let range = self.range(&file, offset, reading);
                let inside = without_quotes(file.bytes(), &range);
                let kind = if file.is_expression(inside.start, inside.end) {
                    SourceKind::Expression
                } else {
                    SourceKind::Template
                };
                let mut out = vec![source(kind)];
                for value in self.printed(&file, &range) {
                    out.extend(self.value(value));
                }
                for (start, end) in literals(&file, &range) {
                    out.extend(self.literal(start, end));
                }
                return out;
            }
            found = self.sources.locate_outside(&file, offset);
        }
        vec![source(SourceKind::Text)]
    }

    /// Returns a value that a template prints.
    fn value(&self, position: u32) -> Option<Source> {
        let place = self.place(position)?;
        let mut overrides = Vec::new();
        let mut origin = OriginId::written(position);
        while let Some(old) = self.values.and_then(|values| values.overridden.get(&origin)) {
            let position = old.origin().position();
            overrides.extend(position.and_then(|at| Some((self.place(at)?, old.clone()))));
            if old.origin() == origin {
                break;
            }
            origin = old.origin();
        }
        let (end, kind) = (None, SourceKind::Value);
        Some(Source { place, end, kind, writes: Vec::new(), overrides })
    }

    /// Returns a stretch of a template that a macro or a captured text has added.
    fn literal(&self, start: u32, end: u32) -> Option<Source> {
        let place = self.place(start)?;
        let end = Some(place.offset + (end - start));
        let (kind, overrides) = (SourceKind::Template, Vec::new());
        Some(Source { place, end, kind, writes: Vec::new(), overrides })
    }

    /// Returns the scalars of a file, in order; none of one that is not YAML.
    fn scalars(&self, file: &SourceFile) -> Scalars {
        if let Some(known) = self.scalars.borrow().get(&file.id()) {
            return Rc::clone(known);
        }
        let text = std::str::from_utf8(file.bytes()).unwrap_or_default();
        let nodes = match read_objects(file.bytes(), file.base()) {
            Ok(nodes) => nodes,
            Err(_) => read_documents(text, file.base()).unwrap_or_else(|_| {
                parse_document(text, file.base(), Dialect::V2).ok().flatten().into_iter().collect()
            }),
        };
        let mut found = Vec::new();
        for node in &nodes {
            collect(node, file.base(), text, &mut found);
        }
        found.sort_by_key(|scalar: &Scalar| scalar.range.start);
        let found = Rc::new(found);
        self.scalars.borrow_mut().insert(file.id(), Rc::clone(&found));
        found
    }

    /// Returns the stretch of a rendered file that a value was read from.
    fn range(&self, file: &SourceFile, offset: u32, reading: Reading) -> Range<u32> {
        let length = file.bytes().len() as u32;
        // A file that a generator reads is one value; in other files a key comes first.
        if offset == 0 {
            return 0..length;
        }
        let rest = file.bytes().get(offset as usize..).unwrap_or_default();
        let line = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let line = offset..offset + line as u32;
        let scalars = self.scalars(file);
        match scalars.binary_search_by_key(&offset, |scalar| scalar.range.start) {
            Ok(at) if reading != Reading::Lines || scalars[at].range.end <= line.end => {
                scalars[at].range.clone()
            }
            _ => line,
        }
    }

    /// Returns the positions of the values that were printed into a stretch of a rendered file, each once.
    fn printed(&self, file: &SourceFile, range: &Range<u32>) -> Vec<u32> {
        let is_inside = |print: &&Print| {
            let reaches = print.start < range.end && range.start < print.end;
            // A value without text is printed where the value ends that is made of it.
            reaches || print.start == print.end && range.contains(&print.start)
        };
        let mut out: Vec<u32> = Vec::new();
        for print in file.prints().iter().filter(is_inside) {
            for value in self.values_of(file, print, range) {
                if !out.contains(&value) {
                    out.push(value);
                }
            }
        }
        out
    }

    /// Returns the values of a print that a scalar in it was made of. One that spans several scalars has the values in the order
    /// of the scalars, or each in those that hold its text; what is found nowhere may be in all of them.
    fn values_of(&self, file: &SourceFile, print: &Print, range: &Range<u32>) -> Vec<u32> {
        let scalars = self.scalars(file);
        let inside: Vec<&Scalar> = scalars
            .iter()
            .filter(|s| s.range.start < print.end && print.start < s.range.end)
            .collect();
        let Some(own) = inside.iter().position(|s| s.range.start == range.start) else {
            return print.values.clone();
        };
        if inside.len() == 1 {
            return print.values.clone();
        }
        let texts: Vec<Option<EcoString>> =
            print.values.iter().map(|value| self.text(*value)).collect();
        if let Some(places) = in_order(&inside, &texts) {
            let own = places.iter().zip(&print.values).filter(|(place, _)| **place == own);
            return own.map(|(_, value)| *value).collect();
        }
        let mut out = Vec::new();
        for (value, text) in print.values.iter().zip(&texts) {
            let holds = |scalar: &Scalar| {
                text.as_ref()
                    .is_some_and(|text| !text.is_empty() && scalar.text.contains(text.as_str()))
            };
            if holds(inside[own]) || !inside.iter().any(|scalar| holds(scalar)) {
                out.push(*value);
            }
        }
        out
    }

    /// Returns the text of the scalar at a global position in a file of values or behind a flag.
    fn text(&self, position: u32) -> Option<EcoString> {
        let (file, offset) = self.sources.locate(position)?;
        let scalars = self.scalars(&file);
        match scalars.binary_search_by_key(&offset, |scalar| scalar.range.start) {
            Ok(at) => Some(scalars[at].text.clone()),
            Err(_) => {
                let rest = file.bytes().get(offset as usize..)?;
                std::str::from_utf8(rest).ok().map(EcoString::from)
            }
        }
    }
}

/// Returns the stretches of templates that are in a scalar because of a macro or a captured text. Of one that makes
/// several scalars it is not known what is in which.
fn literals(file: &SourceFile, range: &Range<u32>) -> Vec<(u32, u32)> {
    let is_within = |print: &&Print| range.start <= print.start && print.end <= range.end;
    let mut out: Vec<(u32, u32)> = Vec::new();
    for literal in file.prints().iter().filter(is_within).flat_map(|print| &print.literals) {
        if !out.contains(literal) {
            out.push(*literal);
        }
    }
    out
}

/// Returns the stretch between the quotes of a scalar that has some.
fn without_quotes(bytes: &[u8], range: &Range<u32>) -> Range<u32> {
    let is_quoted = bytes.get(range.start as usize).is_some_and(|b| matches!(b, b'"' | b'\''));
    if is_quoted && range.end > range.start + 1 {
        range.start + 1..range.end - 1
    } else {
        range.clone()
    }
}

/// Returns the scalar that each value is, if they follow each other in one order.
fn in_order(scalars: &[&Scalar], texts: &[Option<EcoString>]) -> Option<Vec<usize>> {
    let mut next = 0;
    let mut out = Vec::with_capacity(texts.len());
    for text in texts {
        let text = text.as_ref()?;
        let found = scalars[next..].iter().position(|scalar| scalar.text == *text)?;
        out.push(next + found);
        next += found + 1;
    }
    Some(out)
}

fn collect(node: &Node, base: u32, text: &str, out: &mut Vec<Scalar>) {
    if node.is_scalar()
        && let Some(start) = node.origin().position().and_then(|at| at.checked_sub(base))
    {
        let end = scalar_end(text, start as usize, node.text()) as u32;
        out.push(Scalar { range: start..end, text: node.shared_text() });
    }
    for entry in node.entries().into_iter().flatten() {
        collect(&entry.value, base, text, out);
    }
    for element in node.elements().into_iter().flatten() {
        collect(element, base, text, out);
    }
}
