//! Keys of maps, interned.
//!
//! The manifests of a project use few distinct keys very often, so a [`Key`] is one number: which text, and what the
//! text resolves to. `1` and `"1"` are the same text and different keys. The texts live for the whole process; their
//! table only ever grows, and reading it takes no lock.

use foldhash::HashMap;
use std::cell::RefCell;
use std::sync::{LazyLock, Mutex, OnceLock};

/// What a key is, apart from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// A string.
    Text,
    /// A number, boolean, date or tagged scalar: not a string, so not a key that JSON can hold.
    NonString,
    /// The word `null` or `~`.
    Null,
    /// A list or a map.
    Complex,
}

/// A key of a map.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u32);

impl Key {
    /// Returns the key with this text.
    pub fn new(text: &str, kind: KeyKind) -> Self {
        Self(TEXTS.id(text) << 2 | kind as u32)
    }

    /// Returns the string key with this text.
    pub fn text_key(text: &str) -> Self {
        Self::new(text, KeyKind::Text)
    }

    /// Returns the text of the key; empty for a list or a map.
    pub fn text(self) -> &'static str {
        TEXTS.text(self.0 >> 2)
    }

    /// Returns what the key is.
    pub fn kind(self) -> KeyKind {
        match self.0 & 3 {
            0 => KeyKind::Text,
            1 => KeyKind::NonString,
            2 => KeyKind::Null,
            _ => KeyKind::Complex,
        }
    }

    /// Returns the number of the key's text.
    pub(crate) fn text_id(self) -> u32 {
        self.0 >> 2
    }

    /// Returns whether both keys have the same text, whatever they resolve to.
    pub fn same_text(self, other: Self) -> bool {
        self.0 >> 2 == other.0 >> 2
    }

    const fn known(index: u32) -> Self {
        Self(index << 2)
    }

    /// Returns whether the key is one of the annotations that a build uses for itself.
    pub(crate) fn is_build_annotation(self) -> bool {
        (FIRST_BUILD_ANNOTATION..KNOWN.len() as u32).contains(&(self.0 >> 2))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.text())?;
        if self.kind() == KeyKind::Text { Ok(()) } else { write!(f, "({:?})", self.kind()) }
    }
}

macro_rules! known_keys {
    ($($name:ident = $text:literal,)* ; $first:ident = $first_text:literal, $($build:ident = $build_text:literal,)*) => {
        /// Texts with fixed numbers: fields that the code names, then the annotations of a build.
        const KNOWN: &[&str] = &[$($text,)* $first_text, $($build_text,)*];

        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "only the order of the names is used")]
        enum Index { $($name,)* $first, $($build,)* }

        const FIRST_BUILD_ANNOTATION: u32 = Index::$first as u32;

        /// Keys that the code names.
        #[allow(dead_code, reason = "some annotations are only recognised, never named")]
        pub(crate) mod known {
            use super::{Index, Key};
            $(pub(crate) const $name: Key = Key::known(Index::$name as u32);)*
            pub(crate) const $first: Key = Key::known(Index::$first as u32);
            $(pub(crate) const $build: Key = Key::known(Index::$build as u32);)*
        }
    };
}

known_keys! {
    EMPTY = "",
    API_VERSION = "apiVersion",
    KIND = "kind",
    METADATA = "metadata",
    NAME = "name",
    NAMESPACE = "namespace",
    LABELS = "labels",
    ANNOTATIONS = "annotations",
    ITEMS = "items",
    FUNCTION_CONFIG = "functionConfig",
    DATA = "data",
    BINARY_DATA = "binaryData",
    STRING_DATA = "stringData",
    TYPE = "type",
    IMMUTABLE = "immutable",
    IMAGE = "image",
    CONTAINERS = "containers",
    INIT_CONTAINERS = "initContainers",
    SUBJECTS = "subjects",
    ROLE_REF = "roleRef",
    API_GROUP = "apiGroup",
    PATCH_DIRECTIVE = "$patch",
    MERGE = "<<",
    LOCAL_CONFIG = "config.kubernetes.io/local-config",
    ORIGIN_ANNOTATION = "config.kubernetes.io/origin",
    TRANSFORMATIONS_ANNOTATION = "alpha.config.kubernetes.io/transformations",
    MANAGED_BY = "app.kubernetes.io/managed-by",
    VALIDATED_BY = "validated-by",
    ;
    PREVIOUS_KINDS = "internal.config.kubernetes.io/previousKinds",
    PREVIOUS_NAMES = "internal.config.kubernetes.io/previousNames",
    PREFIXES = "internal.config.kubernetes.io/prefixes",
    SUFFIXES = "internal.config.kubernetes.io/suffixes",
    PREVIOUS_NAMESPACES = "internal.config.kubernetes.io/previousNamespaces",
    ALLOW_NAME_CHANGE = "internal.config.kubernetes.io/allowNameChange",
    ALLOW_KIND_CHANGE = "internal.config.kubernetes.io/allowKindChange",
    REF_BY = "internal.config.kubernetes.io/refBy",
    GENERATOR_BEHAVIOR = "internal.config.kubernetes.io/generatorBehavior",
    NEEDS_HASH_SUFFIX = "internal.config.kubernetes.io/needsHashSuffix",
    HELM_GENERATED = "internal.config.kubernetes.io/helm-generated",
    PATH_ANNOTATION = "internal.config.kubernetes.io/path",
    INDEX_ANNOTATION = "internal.config.kubernetes.io/index",
    SEQUENCE_INDENT = "internal.config.kubernetes.io/seqindent",
    ID_ANNOTATION = "internal.config.kubernetes.io/id",
    RESOURCE_ID_MIGRATION = "internal.config.kubernetes.io/annotations-migration-resource-id",
    LEGACY_PATH = "config.kubernetes.io/path",
    LEGACY_INDEX = "config.kubernetes.io/index",
    LEGACY_ID = "config.k8s.io/id",
}

/// Chunk `n` holds `FIRST_CHUNK << n` texts, so that texts never move and a read needs no lock.
const FIRST_CHUNK: usize = 1024;
const CHUNKS: usize = 20;

struct Texts {
    chunks: [OnceLock<Box<[OnceLock<&'static str>]>>; CHUNKS],
    ids: Mutex<HashMap<&'static str, u32>>,
}

thread_local! {
    /// The numbers that this thread has asked for: most keys come again, and need no lock then.
    static NUMBERS: RefCell<HashMap<&'static str, u32>> = RefCell::default();
}

static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    let texts = Texts { chunks: [const { OnceLock::new() }; CHUNKS], ids: Mutex::default() };
    for text in KNOWN {
        texts.shared_id(text);
    }
    texts
});

fn chunk_of(id: usize) -> (usize, usize) {
    let chunk = (id / FIRST_CHUNK + 1).ilog2() as usize;
    (chunk, id - ((1 << chunk) - 1) * FIRST_CHUNK)
}

impl Texts {
    fn id(&self, text: &str) -> u32 {
        NUMBERS.with_borrow_mut(|numbers| match numbers.get(text) {
            Some(&id) => id,
            None => {
                let (text, id) = self.shared_id(text);
                numbers.insert(text, id);
                id
            }
        })
    }

    fn shared_id(&self, text: &str) -> (&'static str, u32) {
        let mut ids = self.ids.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((&text, &id)) = ids.get_key_value(text) {
            return (text, id);
        }
        let id = ids.len();
        let (chunk, index) = chunk_of(id);
        let text: &'static str = Box::leak(text.into());
        let slots = self.chunks[chunk]
            .get_or_init(|| (0..FIRST_CHUNK << chunk).map(|_| OnceLock::new()).collect());
        slots[index].get_or_init(|| text);
        ids.insert(text, id as u32);
        (text, id as u32)
    }

    fn text(&self, id: u32) -> &'static str {
        let (chunk, index) = chunk_of(id as usize);
        let slot = self.chunks[chunk].get().and_then(|slots| slots[index].get());
        slot.copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_text_and_its_kind() {
        let text = Key::text_key("1");
        let number = Key::new("1", KeyKind::NonString);
        assert_ne!(text, number);
        assert!(text.same_text(number));
        assert_eq!((number.text(), number.kind()), ("1", KeyKind::NonString));
        assert_eq!(Key::text_key("metadata"), known::METADATA);
        assert!(known::REF_BY.is_build_annotation() && !known::MANAGED_BY.is_build_annotation());
    }

    #[test]
    fn texts_keep_their_numbers_over_many_chunks() {
        let keys: Vec<Key> = (0..5000).map(|i| Key::text_key(&format!("key-{i}"))).collect();
        for (i, key) in keys.iter().enumerate() {
            assert_eq!(key.text(), format!("key-{i}"));
        }
    }
}
