//! Templates: files that are rendered by MiniJinja before they are parsed.
//!
//! Comes in: a template file, and the values of an environment. Goes out: the rendered text as a file of its own, whose
//! places lead back to the lines of the template, and which knows where the values it prints are written.

mod faults;
mod files;
mod filters;
mod instrument;
mod value;

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Object, Rest};
use minijinja::{
    AutoEscape, Environment as Engine, Error, ErrorKind, UndefinedBehavior, Value,
    escape_formatter, syntax::SyntaxConfig,
};

use crate::diagnostic::{Code, Diagnostic};
use crate::project::{Environment, FILE_NAMES, Glob, Project, Settings};
use crate::provenance::OriginId;
use crate::session::{Session, Templates};
use crate::source::{EntryKind, Print, Segment, Segments, SourceFile, clean};
use crate::values::Values;
use crate::yaml::{Key, Node};
use instrument::{AT, Instrumented, instrument};
use value::{Made, Touch, Tracker};

/// How many instructions one template may execute.
const FUEL: u64 = 10_000_000;

/// The largest text that a template may be rendered to, in bytes.
const MAX_OUTPUT: usize = 64 << 20;

/// How deep templates may include each other and macros call themselves.
const MAX_RECURSION: usize = 100;

/// The templates of one environment.
pub(crate) struct TemplateSet {
    /// The directory of the project file, symbolic links resolved.
    root: PathBuf,
    globs: Vec<Glob>,
    values: Values,
    /// Whether what is built is an environment.
    is_environment: bool,
    /// The value of `env`.
    env: Node,
    /// From where paths in messages are written.
    shown_from: PathBuf,
    used: Mutex<HashSet<OriginId>>,
}

impl fmt::Debug for TemplateSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateSet").field("root", &self.root).finish_non_exhaustive()
    }
}

impl TemplateSet {
    /// Returns the templates of an environment; of none, those of the project.
    pub(crate) fn new(
        project: &Project,
        environment: Option<&Environment>,
        settings: &Settings,
        values: Values,
        shown_from: &Path,
    ) -> Self {
        let text = |text: &str, origin| Node::string(text, origin);
        let mut env = Node::map(Vec::new(), OriginId::NONE);
        let mut put = |key: &str, value| env.push_entry(Key::text_key(key), OriginId::NONE, value);
        if let Some(environment) = environment {
            put("name", text(&environment.name, environment.at));
            put("path", text(&environment.path, environment.at));
            let mut vars = Node::map(Vec::new(), environment.at);
            for (key, value) in &environment.vars {
                vars.push_entry(Key::text_key(key), environment.at, text(value, environment.at));
            }
            put("vars", vars);
        }
        if let Some(version) = &settings.kubernetes_version {
            put("kubernetes_version", text(version.as_str(), version.at));
        }
        Self {
            root: project.root().unwrap_or(Path::new("/")).to_path_buf(),
            globs: project.templates.clone(),
            values,
            is_environment: environment.is_some(),
            env,
            shown_from: shown_from.to_path_buf(),
            used: Mutex::default(),
        }
    }

    /// Returns where the values are written that templates have asked for.
    pub(crate) fn used(&self) -> HashSet<OriginId> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Templates for TemplateSet {
    fn is_template(&self, path: &Path) -> bool {
        let Ok(relative) = path.strip_prefix(&self.root) else { return false };
        if path.file_name().is_some_and(|name| FILE_NAMES.iter().any(|known| name == *known)) {
            return false;
        }
        let relative = relative.to_string_lossy();
        self.globs.iter().any(|glob| glob.is_match(&relative))
    }

    fn secrets(&self) -> Vec<String> {
        let leaves = self.values.leaves().into_iter();
        let secret = leaves.filter(|(_, node)| self.values.secrets.contains(&node.origin()));
        // Encoded they are no less secret.
        let forms =
            secret.flat_map(|(_, node)| [node.text().to_owned(), filters::base64(node.text())]);
        forms.collect()
    }

    fn render(
        &self,
        session: &Session<'_>,
        file: &Arc<SourceFile>,
    ) -> Result<Arc<SourceFile>, Box<Diagnostic>> {
        let rendering = Rendering {
            set: self,
            session,
            tracker: Tracker::default(),
            loaded: Arc::default(),
            fault: Arc::default(),
        };
        rendering.run(file)
    }
}

/// A template that takes part in a rendering: the one that is rendered, or one that it includes.
struct Loaded {
    /// What MiniJinja calls it.
    name: String,
    file: Arc<SourceFile>,
    instrumented: Instrumented,
}

/// What a call in a template says about the output that follows it.
#[derive(Debug)]
struct At {
    template: usize,
    offset: usize,
    /// The value that is printed; none for literal text.
    value: Option<Value>,
    made: Made,
}

impl Object for At {}

/// Where a stretch of the output comes from.
struct Mark {
    from: usize,
    template: usize,
    offset: usize,
    /// A printed value.
    print: Option<Printed>,
}

/// A value in the output.
struct Printed {
    end: usize,
    /// What it was made of, each value once.
    touches: Vec<Touch>,
    /// It is a string, and nothing but what was asked for.
    is_string: bool,
}

struct Rendering<'r> {
    set: &'r TemplateSet,
    session: &'r Session<'r>,
    tracker: Tracker,
    loaded: Arc<Mutex<Vec<Loaded>>>,
    /// A fault that MiniJinja has no words for.
    fault: Arc<Mutex<Option<(Code, String)>>>,
}

/// Counts what is written, and refuses more than [`MAX_OUTPUT`].
struct Counted {
    out: Vec<u8>,
    count: Arc<AtomicUsize>,
}

impl io::Write for &mut Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.out.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other("the text is too large"));
        }
        self.out.extend_from_slice(bytes);
        self.count.store(self.out.len(), Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Reported<T> = Result<T, Box<Diagnostic>>;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rendering<'_> {
    fn run(&self, file: &Arc<SourceFile>) -> Reported<Arc<SourceFile>> {
        let name = self.name_of(file.path());
        let marks = Arc::new(Mutex::new(Vec::new()));
        let count = Arc::new(AtomicUsize::new(0));
        let sources = self.load_all(&name, file)?;
        let mut engine = Engine::new();
        self.configure(&mut engine, &marks, &count);
        let mut counted = Counted { out: Vec::new(), count };
        let outcome = Self::rendered(&mut engine, sources, &name, &mut counted);
        if let Err(error) = outcome {
            return Err(Box::new(self.diagnostic(file, &error)));
        }
        lock(&self.set.used).extend(self.tracker.notes().used.iter().copied());
        self.finish(file, counted.out, &lock(&marks))
    }

    /// Loads a template and all that it includes, imports or extends by name.
    fn load_all(&self, name: &str, file: &Arc<SourceFile>) -> Reported<Vec<(String, String)>> {
        let mut sources = vec![(name.to_owned(), self.load(name, file)?)];
        let mut at = 0;
        while at < sources.len() {
            let text = String::from_utf8_lossy(lock(&self.loaded)[at].file.bytes()).into_owned();
            let name = sources[at].0.clone();
            let (mut names, is_open) = references(&text);
            if is_open {
                // The name is made while the template runs: any other template may be meant.
                names.extend(self.all_templates(&name));
            }
            for reference in names {
                let target = joined(&reference, &name);
                if sources.iter().any(|(known, _)| *known == target) {
                    continue;
                }
                // What is not there is reported where it is asked for, if it is.
                if let Some(file) = self.included(&target) {
                    let source = self.load(&target, &file)?;
                    sources.push((target, source));
                }
            }
            at += 1;
        }
        Ok(sources)
    }

    /// Returns all templates of the project but one, as that one names them.
    fn all_templates(&self, name: &str) -> Vec<String> {
        let mut out = Vec::new();
        let mut waiting = vec![self.set.root.clone()];
        while let Some(directory) = waiting.pop() {
            for entry in self.session.reader().list(&directory).unwrap_or_default() {
                let path = directory.join(&entry);
                match self.session.reader().kind(&path) {
                    _ if entry.to_string_lossy().starts_with('.') => {}
                    Ok(EntryKind::Directory) => waiting.push(path),
                    Ok(EntryKind::File) if self.set.is_template(&path) => {
                        let depth = name.matches('/').count();
                        out.push(format!("{}{}", "../".repeat(depth), self.name_of(&path)));
                    }
                    _ => {}
                }
            }
        }
        out
    }

    fn rendered(
        engine: &mut Engine<'static>,
        sources: Vec<(String, String)>,
        name: &str,
        counted: &mut Counted,
    ) -> Result<(), Error> {
        for (name, source) in sources {
            engine.add_template_owned(name, source)?;
        }
        engine.get_template(name)?.render_captured_to((), counted).map(drop)
    }

    fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(&self.set.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// Returns a file inside the project by its path there.
    fn included(&self, name: &str) -> Option<Arc<SourceFile>> {
        let path = clean(&self.set.root.join(name));
        let resolved = self.session.reader().canonicalize(&path).ok()?;
        if !resolved.starts_with(&self.set.root) {
            let message = format!("`{name}` is outside the project");
            *lock(&self.fault) = Some((Code::TemplateOutsideProject, message));
            return None;
        }
        self.session.file(&resolved).ok()
    }

    /// Adds a template, and returns its text with the calls that say where it is.
    fn load(&self, name: &str, file: &Arc<SourceFile>) -> Reported<String> {
        let text = std::str::from_utf8(file.bytes()).map_err(|error| {
            let d = Diagnostic::error(Code::FileNotUtf8, "the template is not UTF-8 text");
            Box::new(d.at(file.character(error.valid_up_to()), "not UTF-8"))
        })?;
        let mut loaded = lock(&self.loaded);
        let instrumented = instrument(text, loaded.len());
        let source = instrumented.text.clone();
        loaded.push(Loaded { name: name.to_owned(), file: Arc::clone(file), instrumented });
        Ok(source)
    }

    fn configure(
        &self,
        engine: &mut Engine<'static>,
        marks: &Arc<Mutex<Vec<Mark>>>,
        count: &Arc<AtomicUsize>,
    ) {
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_auto_escape_callback(|_| AutoEscape::None);
        engine.set_fuel(Some(FUEL));
        engine.set_recursion_limit(MAX_RECURSION);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build();
        if let Ok(syntax) = syntax {
            engine.set_syntax(syntax);
        }
        engine.set_path_join_callback(|name, parent| joined(name, parent).into());
        filters::add_to(engine);
        engine.add_global("values", self.tracker.value(&self.set.values.root, "values"));
        engine.add_global("env", self.tracker.value(&self.set.env, "env"));
        self.add_files(engine);
        self.add_notes(engine);
        let (marks, count) = (Arc::clone(marks), Arc::clone(count));
        let tracker = self.tracker.clone();
        engine.set_formatter(move |out, state, value| {
            let Some(at) = value.downcast_object_ref::<At>() else {
                return escape_formatter(out, state, value);
            };
            let from = count.load(Ordering::Relaxed);
            let print = match &at.value {
                None => None,
                Some(printed) => {
                    let text = value::printed(printed);
                    match &text {
                        Some(text) => out.write_str(text).map_err(Error::from)?,
                        None => escape_formatter(out, state, printed)?,
                    }
                    let end = count.load(Ordering::Relaxed);
                    let is_empty = text.as_deref().or(printed.as_str()).is_some_and(str::is_empty);
                    if end == from && !is_empty {
                        // It is captured, and will be printed, if at all, as a part of something else.
                        tracker.notes().capture(&at.made.touches);
                        return Ok(());
                    }
                    // A text that is YAML already has its type.
                    let is_string =
                        printed.as_str().is_some() && !printed.is_safe() && !at.made.by_macro;
                    let mut touches: Vec<Touch> = Vec::with_capacity(at.made.touches.len());
                    let mut known = HashSet::new();
                    touches
                        .extend(at.made.touches.iter().filter(|t| known.insert(t.origin)).cloned());
                    Some(Printed { end, touches, is_string })
                }
            };
            let (template, offset) = (at.template, at.offset);
            lock(&marks).push(Mark { from, template, offset, print });
            Ok(())
        });
    }

    /// Adds the functions that note what expressions ask for; see [`instrument()`].
    fn add_notes(&self, engine: &mut Engine<'static>) {
        let tracker = self.tracker.clone();
        engine.add_function(instrument::FROM, move |template: usize| {
            tracker.notes().begin();
            template
        });
        let tracker = self.tracker.clone();
        let loaded = Arc::clone(&self.loaded);
        engine.add_function(AT, move |template: usize, offset: usize, rest: Rest<Value>| {
            let Some(value) = rest.first().cloned() else {
                let mut notes = tracker.notes();
                if notes.is_inside()
                    && let Some(template) = lock(&loaded).get(template)
                {
                    let text = std::str::from_utf8(template.file.bytes()).unwrap_or_default();
                    let end = instrument::literal_end(text, offset);
                    let place =
                        |offset: usize| OriginId::written(template.file.base() + offset as u32);
                    notes.literal(place(offset), place(end));
                }
                return Ok(Value::from_object(At {
                    template,
                    offset,
                    value: None,
                    made: Made::default(),
                }));
            };
            // Printing a map or a list asks for its values, which takes the notes as well.
            let variable = rest.get(2).filter(|variable| variable.as_object().is_none());
            let variable = variable.map(ToString::to_string);
            let name = rest.get(1).and_then(Value::as_str).unwrap_or_default();
            let index = rest.get(3).and_then(Value::as_usize);
            let mut notes = tracker.notes();
            let mut made = notes.end();
            if value.is_undefined() {
                return Err(Error::from(ErrorKind::UndefinedError));
            }
            let has_value = made.touches.iter().any(|touch| touch.literal_end.is_none());
            if let (false, Some(text)) = (has_value, variable) {
                made.touches = notes.variable(name, &text, index);
            }
            Ok(Value::from_object(At { template, offset, value: Some(value), made }))
        });
        let tracker = self.tracker.clone();
        let assign = move |name: &str, _: usize, value: Value| {
            let text = value.as_object().is_none().then(|| value.to_string());
            let mut notes = tracker.notes();
            let made = notes.end();
            if let Some(text) = text {
                notes.assign(name, text, made.touches);
            }
            value
        };
        engine.add_function(instrument::SET, assign.clone());
        engine.add_filter(instrument::SET, move |value: Value, name: &str| assign(name, 0, value));
    }

    /// Makes a file of the rendered text.
    fn finish(
        &self,
        file: &Arc<SourceFile>,
        out: Vec<u8>,
        marks: &[Mark],
    ) -> Reported<Arc<SourceFile>> {
        let loaded = lock(&self.loaded);
        let position = |mark: &Mark| {
            let base = loaded.get(mark.template).map_or(0, |loaded| loaded.file.base());
            base + mark.offset as u32
        };
        let mut segments: Vec<Segment> = vec![Segment { from: 0, at: file.base(), fixed: true }];
        let mut prints: Vec<Print> = Vec::new();
        for mark in marks {
            let segment =
                Segment { from: mark.from as u32, at: position(mark), fixed: mark.print.is_some() };
            // Of marks at one place, the last one is nearest to the text.
            match segments.last_mut() {
                Some(last) if last.from == segment.from => *last = segment,
                _ => segments.push(segment),
            }
            let Some(print) = &mark.print else { continue };
            let position = |origin: OriginId| origin.position();
            let literals = print
                .touches
                .iter()
                .filter_map(|touch| Some((position(touch.origin)?, position(touch.literal_end?)?)));
            let literals: Vec<(u32, u32)> = literals.collect();
            let touches: Vec<&Touch> =
                print.touches.iter().filter(|touch| touch.literal_end.is_none()).collect();
            let values: Vec<u32> =
                touches.iter().filter_map(|touch| touch.origin.position()).collect();
            // What is made of several values, or of a captured text, need not be any of them.
            let sole = match touches.as_slice() {
                [touch] if !touch.is_captured => Some(touch),
                _ => None,
            };
            let is_string = print.is_string && sole.is_some();
            // A string without text counts as well: what is left may be no string.
            let is_made = !values.is_empty() || !literals.is_empty();
            if is_made && (print.end > mark.from || is_string) {
                prints.push(Print {
                    start: mark.from as u32,
                    end: print.end as u32,
                    values,
                    literals,
                    is_string: is_string && sole.is_some_and(|touch| touch.is_string),
                    is_secret: sole
                        .is_some_and(|touch| self.set.values.secrets.contains(&touch.origin)),
                });
            }
        }
        let sources = self.session.sources();
        let path = file.path().to_path_buf();
        let added = sources.add_rendered(path, out.into(), Segments(segments), prints);
        let rendered = added.map_err(|_| {
            Box::new(Diagnostic::error(Code::FileTooLarge, "more than 2 GiB of input in one run"))
        })?;
        for print in rendered.prints().iter().filter(|print| print.is_secret) {
            rendered.mark_secret_range(print.start as usize..print.end as usize);
        }
        Ok(rendered)
    }
}

/// Returns the path in the project that a path in a template means.
fn joined(name: &str, parent: &str) -> String {
    let directory = Path::new(parent).parent().unwrap_or(Path::new(""));
    clean(&directory.join(name)).to_string_lossy().into_owned()
}

/// Returns the names that a template includes, imports or extends, and whether some are not written out.
fn references(text: &str) -> (Vec<String>, bool) {
    let (mut out, mut is_open) = (Vec::new(), false);
    for tag in text.split("{%").skip(1) {
        let inside = tag.split("%}").next().unwrap_or_default();
        let inside = inside.trim_start_matches(['-', '+']).trim_start();
        let words = ["include", "import", "from", "extends"];
        let Some(rest) = words.iter().find_map(|word| inside.strip_prefix(word)) else { continue };
        if !rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '[' | '(')) {
            continue;
        }
        let rest = rest.trim_start();
        let list = rest.strip_prefix(['[', '(']);
        // Behind a name that stands alone, a comma is between what is imported.
        let count = if list.is_some() { usize::MAX } else { 1 };
        for part in list.unwrap_or(rest).split(',').take(count) {
            let part = part.trim_start();
            let Some(quote) = part.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                is_open = true;
                break;
            };
            match part[1..].split_once(quote) {
                // What is joined to the text is not known either.
                Some((_, behind)) if behind.trim_start().starts_with('~') => is_open = true,
                Some((name, _)) => out.push(name.to_owned()),
                None => {}
            }
        }
    }
    (out, is_open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found() {
        let names = |text: &str| references(text);
        let found = |list: &[&str], open| (list.iter().map(|&n| n.to_owned()).collect(), open);
        assert_eq!(
            names("{% include 'a.j2' %}{%- from \"b.j2\" import c, d %}"),
            found(&["a.j2", "b.j2"], false)
        );
        assert_eq!(names("{% include ['a', \"b\"] ignore missing %}"), found(&["a", "b"], false));
        assert_eq!(names("{% include values.part %}"), found(&[], true));
        assert_eq!(names("{% include 'a' ~ n %}"), found(&[], true));
        assert_eq!(names("include 'a' {{ from }} {% if includes %}"), found(&[], false));
    }
}
