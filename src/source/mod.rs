//! Files: reading them, naming them, and saying where in them something stands.
//!
//! Comes in: a [`Reader`] and the paths that kustomizations name. Goes out: [`SourceFile`]s in a
//! [`SourceMap`], resolved paths, [`Span`]s. Nothing here knows YAML, and nothing here writes.
//!
//! Every file that a run reads gets a stretch of one global range of byte positions
//! ([`SourceFile::base`]). A single `u32` therefore names a place in any file; a binary search over
//! the bases gives the file back. The range ends at 2 GiB, a limit on the input of one run.
//!
//! Text that is written inside another file (an inline patch in a kustomization) is added as a
//! file of its own with a [`Segments`] table, so that a place in it leads back to the line of the
//! enclosing file.

mod confined;
mod disk;
mod loader;
mod memory;
mod path;
mod reader;
mod remote;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

pub(crate) use confined::ConfinedReader;
pub use disk::DiskReader;
pub use loader::LoadRestriction;
pub(crate) use loader::{LoadError, Loader};
pub use memory::{CountingReader, MemoryReader};
pub(crate) use path::{clean, display_path, join};
pub use reader::{EntryKind, Reader};
pub(crate) use remote::{RemoteSpec, is_http_url, parse_remote};

/// The largest number of input bytes that one run may hold; positions are 31 bits wide.
pub(crate) const MAX_INPUT_BYTES: u32 = 0x7fff_ffff;

/// So many bytes of texts that can be read again are kept.
const MAX_LOADED: usize = 1 << 20;

/// The number of a file within its [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

/// A stretch of bytes in one file, `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte, counted from the start of the file.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A line and a column, both counted from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// How the bytes of a text that was written inside another file, or made from one, map to that file; ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segments(pub Vec<Segment>);

/// A stretch of such a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The offset in the text where the stretch begins.
    pub from: u32,
    /// The global position that the beginning leads to.
    pub at: u32,
    /// Whether all of the stretch leads there; else both advance together.
    pub fixed: bool,
}

impl Segments {
    fn position_of(&self, offset: u32) -> Option<u32> {
        let after = self.0.partition_point(|segment| segment.from <= offset);
        let segment = self.0.get(after.checked_sub(1)?)?;
        Some(if segment.fixed { segment.at } else { segment.at + (offset - segment.from) })
    }
}

/// A value that a template has printed into its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Print {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The global positions of the values that the text was made of, mostly one, in files of values.
    pub(crate) values: Vec<u32>,
    /// The stretches of literal text of templates, as global positions, that a macro or a captured text has added.
    pub(crate) literals: Vec<(u32, u32)>,
    /// The value is a string.
    pub(crate) is_string: bool,
    /// The value may reach only the data of Secrets.
    pub(crate) is_secret: bool,
}

impl Print {
    /// Returns the position of the value, if there is but one.
    pub(crate) fn value(&self) -> Option<u32> {
        if let [value] = self.values[..] { Some(value) } else { None }
    }
}

/// One file that was read, or one text written inside such a file.
#[derive(Debug)]
pub struct SourceFile {
    id: FileId,
    path: Box<Path>,
    text: OnceLock<Arc<[u8]>>,
    /// How many bytes the text has.
    length: u32,
    again: Option<Again>,
    base: u32,
    made: Option<Box<Made>>,
    line_starts: OnceLock<Box<[u32]>>,
    secret: OnceLock<SecretFile>,
    #[expect(clippy::box_collection, reason = "of most files, nothing is secret")]
    secret_ranges: Mutex<Option<Box<Vec<Range<usize>>>>>,
}

/// How a text was made that is written inside another file, or was rendered.
#[derive(Debug)]
struct Made {
    inside: Segments,
    /// The values that a template has printed, in order; none if the text was not rendered.
    prints: Option<Vec<Print>>,
}

/// What reads the text of a file that is not kept.
#[derive(Clone)]
struct Again {
    reader: &'static dyn Reader,
    /// How many bytes of such texts are in memory.
    loaded: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Again {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Again")
    }
}

/// What of a file is secret because of what reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretFile {
    /// All of it: it becomes one value.
    Content,
    /// The values of its lines `KEY=VALUE`.
    Env,
}

impl SourceFile {
    /// Returns the number of the file.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Returns the absolute path the file was read from; for a text inside another file, the path of that file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the bytes of the file, as they were read. Those that were not kept are read again.
    pub fn bytes(&self) -> &Arc<[u8]> {
        self.text.get_or_init(|| {
            // If the file has changed since, positions are wrong, but not beyond its end.
            let mut text: Arc<[u8]> = std::iter::repeat_n(b' ', self.length as usize).collect();
            if let (Some(again), Some(into)) = (&self.again, Arc::get_mut(&mut text)) {
                again.loaded.fetch_add(into.len(), Ordering::Relaxed);
                // What cannot be read any more stays empty.
                let _ = again.reader.read_into(&self.path, into);
            }
            text
        })
    }

    /// Returns the same file without its text, which is read again when it is asked for.
    fn without_text(&self) -> Self {
        Self {
            id: self.id,
            path: self.path.clone(),
            text: OnceLock::new(),
            length: self.length,
            again: self.again.clone(),
            base: self.base,
            // What is made from other files cannot be read again.
            made: None,
            line_starts: OnceLock::new(),
            secret: self.secret.clone(),
            secret_ranges: Mutex::new(
                self.secret_ranges.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            ),
        }
    }

    /// Returns the global position of the first byte.
    pub fn base(&self) -> u32 {
        self.base
    }

    /// Notes that the file is read into a Secret.
    pub(crate) fn mark_secret(&self, secret: SecretFile) {
        // A file that is read both ways is secret either way; the first mark stays.
        let _ = self.secret.set(secret);
    }

    /// Notes that a stretch of the file is secret.
    pub(crate) fn mark_secret_range(&self, range: Range<usize>) {
        let mut ranges = self.secret_ranges.lock().unwrap_or_else(PoisonError::into_inner);
        let ranges = ranges.get_or_insert_default();
        if !ranges.contains(&range) {
            ranges.push(range);
        }
    }

    /// Returns the stretches that were noted to be secret.
    pub(crate) fn secret_ranges(&self) -> Vec<Range<usize>> {
        let ranges = self.secret_ranges.lock().unwrap_or_else(PoisonError::into_inner);
        ranges.as_deref().cloned().unwrap_or_default()
    }

    /// Returns the values that a template has printed into the text, in order.
    pub(crate) fn prints(&self) -> &[Print] {
        let prints = self.made.as_ref().and_then(|made| made.prints.as_deref());
        prints.unwrap_or_default()
    }

    /// Returns whether the text is written inside another file, or made from one.
    pub(crate) fn is_inside(&self) -> bool {
        self.made.is_some()
    }

    /// Returns whether the text was made from a template.
    pub(crate) fn is_rendered(&self) -> bool {
        self.made.as_ref().is_some_and(|made| made.prints.is_some())
    }

    /// Returns whether all of a stretch of a rendered text was printed by expressions.
    pub(crate) fn is_expression(&self, start: u32, end: u32) -> bool {
        let segments = self.made.as_ref().map(|made| made.inside.0.as_slice()).unwrap_or_default();
        let first = segments.partition_point(|segment| segment.from <= start).saturating_sub(1);
        let covering = segments[first.min(segments.len())..].iter();
        covering
            .take_while(|segment| segment.from < end.max(start + 1))
            .all(|segment| segment.fixed)
    }

    /// Returns the printed value that covers a byte.
    pub(crate) fn print_at(&self, offset: u32) -> Option<&Print> {
        let prints = self.prints();
        let after = prints.partition_point(|print| print.start <= offset);
        prints.get(after.checked_sub(1)?).filter(|print| offset < print.end)
    }

    /// Returns what of the file is secret because of what reads it.
    pub fn secret(&self) -> Option<SecretFile> {
        self.secret.get().copied()
    }

    /// Returns the place of the character at a byte offset; at the end of the file it is empty.
    pub(crate) fn character(&self, offset: usize) -> Span {
        let rest = self.bytes().get(offset..).unwrap_or_default();
        let continued = |b: &&u8| **b & 0xc0 == 0x80;
        let width = rest.iter().skip(1).take_while(continued).count() + 1;
        let start = offset.min(self.length as usize);
        let end = start + width.min(rest.len());
        Span { file: self.id, start: start as u32, end: end as u32 }
    }

    /// Returns the line and column of a byte offset in this file.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let starts = self.line_starts.get_or_init(|| {
            let breaks = memchr::memchr_iter(b'\n', self.bytes());
            std::iter::once(0).chain(breaks.map(|at| at as u32 + 1)).collect()
        });
        let offset = offset.min(self.length);
        let line = starts.partition_point(|&s| s <= offset).max(1);
        let start = starts[line - 1];
        let before = &self.bytes()[start as usize..offset as usize];
        let column = before.iter().filter(|&&b| b & 0xc0 != 0x80).count() as u32 + 1;
        LineColumn { line: line as u32, column }
    }

    /// Returns the bytes of line `line` (from 1) without its line break, with the offset of its first byte.
    pub fn line(&self, line: u32) -> (u32, &[u8]) {
        let _ = self.line_column(0);
        let starts = self.line_starts.get().map(AsRef::as_ref).unwrap_or_default();
        let Some(&start) = starts.get(line as usize - 1) else { return (0, &[]) };
        let end = starts.get(line as usize).map_or(self.length as usize, |&e| e as usize - 1);
        let text = &self.bytes()[start as usize..end.max(start as usize)];
        (start, text.strip_suffix(b"\r").unwrap_or(text))
    }
}

/// The text of a new file, or how to come by it.
enum Text {
    Kept(Arc<[u8]>),
    Again(usize, &'static dyn Reader),
}

/// The files of a run, in the order they were read. Shared between threads.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: RwLock<Vec<Arc<SourceFile>>>,
    /// How many bytes are in memory of texts that can be read again, and how many the longest of those has.
    loaded: Arc<AtomicUsize>,
    longest: AtomicUsize,
}

/// The input of a run is larger than positions can name ([`MAX_INPUT_BYTES`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than 2 GiB of input in one run")]
pub struct TooMuchInput;

impl SourceMap {
    /// Adds the text of a file.
    pub fn add(&self, path: PathBuf, text: Arc<[u8]>) -> Result<Arc<SourceFile>, TooMuchInput> {
        self.push(path, Text::Kept(text), None, None)
    }

    /// Adds a file of `length` bytes without its text, which `reader` reads again whenever it is first asked for.
    pub(crate) fn add_without_text(
        &self,
        path: PathBuf,
        length: usize,
        reader: &'static dyn Reader,
    ) -> Result<Arc<SourceFile>, TooMuchInput> {
        self.push(path, Text::Again(length, reader), None, None)
    }

    /// Adds a text that is written inside another file, with its map to that file.
    pub fn add_inside(
        &self,
        path: PathBuf,
        text: Arc<[u8]>,
        segments: Segments,
    ) -> Result<Arc<SourceFile>, TooMuchInput> {
        self.push(path, Text::Kept(text), Some(segments), None)
    }

    /// Adds the text that a template was rendered to, with its map to the template.
    pub(crate) fn add_rendered(
        &self,
        path: PathBuf,
        text: Arc<[u8]>,
        segments: Segments,
        prints: Vec<Print>,
    ) -> Result<Arc<SourceFile>, TooMuchInput> {
        self.push(path, Text::Kept(text), Some(segments), Some(prints))
    }

    fn push(
        &self,
        path: PathBuf,
        text: Text,
        inside: Option<Segments>,
        prints: Option<Vec<Print>>,
    ) -> Result<Arc<SourceFile>, TooMuchInput> {
        let (text, length, again) = match text {
            Text::Kept(text) => {
                let length = text.len();
                (OnceLock::from(text), length, None)
            }
            Text::Again(length, reader) => {
                self.longest.fetch_max(length, Ordering::Relaxed);
                let loaded = Arc::clone(&self.loaded);
                (OnceLock::new(), length, Some(Again { reader, loaded }))
            }
        };
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        // One byte between files, so that the end of a file is not the start of the next; position 0 is no place.
        let base = files.last().map_or(1, |f| f.base + f.length + 1);
        let end = base as usize + length;
        if end >= MAX_INPUT_BYTES as usize {
            return Err(TooMuchInput);
        }
        let id = FileId(files.len() as u32);
        let file = Arc::new(SourceFile {
            id,
            path: path.into(),
            text,
            length: length as u32,
            again,
            base,
            made: inside.map(|inside| Box::new(Made { inside, prints })),
            line_starts: OnceLock::new(),
            secret: OnceLock::new(),
            secret_ranges: Mutex::default(),
        });
        files.push(Arc::clone(&file));
        Ok(file)
    }

    /// Returns the number of the file that a global position is in.
    pub(crate) fn file_at(&self, position: u32) -> Option<FileId> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let after = files.partition_point(|f| f.base <= position);
        files.get(after.checked_sub(1)?).map(|file| file.id)
    }

    /// Lets go of texts that can be read again, once there are many. Who holds a file keeps its text.
    fn let_go(&self) {
        let longest = self.longest.load(Ordering::Relaxed);
        if self.loaded.load(Ordering::Relaxed) <= MAX_LOADED.max(2 * longest) {
            return;
        }
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        self.loaded.store(0, Ordering::Relaxed);
        for file in
            files.iter_mut().filter(|file| file.again.is_some() && file.text.get().is_some())
        {
            *file = Arc::new(file.without_text());
        }
    }

    /// Returns a file by its number.
    pub fn file(&self, id: FileId) -> Option<Arc<SourceFile>> {
        self.let_go();
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        files.get(id.0 as usize).cloned()
    }

    /// Returns the file and the offset in it that a global position names.
    pub fn locate(&self, position: u32) -> Option<(Arc<SourceFile>, u32)> {
        self.let_go();
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let after = files.partition_point(|f| f.base <= position);
        let file = files.get(after.checked_sub(1)?)?;
        let offset = position - file.base;
        (offset <= file.length).then(|| (Arc::clone(file), offset))
    }

    /// Like [`SourceMap::locate`], but leads from a text inside a file to the file on disk.
    pub fn locate_on_disk(&self, position: u32) -> Option<(Arc<SourceFile>, u32)> {
        let (mut file, mut offset) = self.locate(position)?;
        while let Some(made) = &file.made {
            (file, offset) = self.locate(made.inside.position_of(offset)?)?;
        }
        Some((file, offset))
    }

    /// Returns the file and the offset in it that a text inside it, or made from it, leads to.
    pub(crate) fn locate_outside(
        &self,
        file: &SourceFile,
        offset: u32,
    ) -> Option<(Arc<SourceFile>, u32)> {
        self.locate(file.made.as_ref()?.inside.position_of(offset)?)
    }

    /// Returns how many bytes all files hold together.
    pub(crate) fn total_bytes(&self) -> u32 {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        files.last().map_or(0, |file| file.base + file.length)
    }

    /// Returns the files that are read into Secrets.
    pub(crate) fn secret_files(&self) -> Vec<Arc<SourceFile>> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let is_secret =
            |file: &&Arc<SourceFile>| file.secret().is_some() || !file.secret_ranges().is_empty();
        files.iter().filter(is_secret).cloned().collect()
    }

    /// Returns all files, in the order in which they were added.
    pub(crate) fn all(&self) -> Vec<Arc<SourceFile>> {
        self.files.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how many files were added.
    pub fn len(&self) -> usize {
        self.files.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Returns whether no file was added.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_lead_back_to_files() {
        let map = SourceMap::default();
        let a = map.add("/a".into(), Arc::from(&b"one\ntwo\n"[..])).unwrap();
        let b = map.add("/b".into(), Arc::from("\u{e9}x\n".as_bytes())).unwrap();
        let (file, offset) = map.locate(a.base() + 4).unwrap();
        assert_eq!((file.id(), offset), (a.id(), 4));
        assert_eq!(file.line_column(offset), LineColumn { line: 2, column: 1 });
        let (file, offset) = map.locate(b.base() + 2).unwrap();
        assert_eq!(file.line_column(offset), LineColumn { line: 1, column: 2 });
        assert_eq!(file.line(1), (0, "\u{e9}x".as_bytes()));
        let ends = |offset| (file.character(offset).start, file.character(offset).end);
        assert_eq!([ends(0), ends(2), ends(4), ends(9)], [(0, 2), (2, 3), (4, 4), (4, 4)]);
        assert!(map.locate(0).is_none());
    }

    #[test]
    fn a_text_that_is_not_kept_is_read_again() {
        static READERS: OnceLock<[MemoryReader; 2]> = OnceLock::new();
        let [there, gone] = READERS.get_or_init(|| {
            let mut there = MemoryReader::new();
            there.insert("/a", "one\ntwo\n");
            [there, MemoryReader::new()]
        });
        let map = SourceMap::default();
        let a = map.add_without_text("/a".into(), 8, there).unwrap();
        let b = map.add_without_text("/a".into(), 8, gone).unwrap();
        let c = map.add("/c".into(), Arc::from(&b"c"[..])).unwrap();
        assert_eq!((b.base(), c.base()), (10, 19));
        assert_eq!(map.file_at(b.base() + 3), Some(b.id()));
        assert_eq!(a.line_column(5), LineColumn { line: 2, column: 2 });
        assert_eq!(a.line(2), (4, &b"two"[..]));
        assert_eq!((b.line_column(5).line, b.bytes().len()), (1, 8), "it is gone");
        b.mark_secret_range(1..2);
        map.loaded.store(MAX_LOADED + 1, Ordering::Relaxed);
        let later = map.file(a.id()).unwrap();
        assert!(later.text.get().is_none() && a.text.get().is_some(), "who holds it keeps it");
        assert_eq!((later.line(2), later.base()), ((4, &b"two"[..]), a.base()));
        assert!(map.file(b.id()).unwrap().secret_ranges().contains(&(1..2)));
    }

    #[test]
    fn a_text_inside_a_file_points_into_that_file() {
        let map = SourceMap::default();
        let outer = map.add("/k".into(), Arc::from(&b"patch: |\n  a: 1\n  b: 2\n"[..])).unwrap();
        let segments = Segments(vec![
            Segment { from: 0, at: outer.base() + 11, fixed: false },
            Segment { from: 5, at: outer.base() + 18, fixed: false },
        ]);
        let inner = map.add_inside("/k".into(), Arc::from(&b"a: 1\nb: 2\n"[..]), segments).unwrap();
        let (file, offset) = map.locate_on_disk(inner.base() + 8).unwrap();
        assert_eq!(file.id(), outer.id());
        assert_eq!(file.line_column(offset), LineColumn { line: 3, column: 6 });
    }
}
