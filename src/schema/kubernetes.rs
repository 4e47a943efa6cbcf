//! The types of Kubernetes, by version: what `kiln validate` checks objects against.
//!
//! The table `schema/kubernetes-types.txt` has the fields of every type for each minor version since 1.25. It lies in the program as
//! text: one pass finds its sections when it is first needed, and a section is decoded when an object needs the type.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const TYPES: &str = include_str!("../../schema/kubernetes-types.txt");
const API_VERSIONS: &str = include_str!("../../schema/api-versions.txt");
const FIELD_RULES: &str = include_str!("../../schema/field-rules.txt");

/// The oldest minor version of Kubernetes 1 that is known.
pub(crate) const OLDEST_MINOR: u8 = 25;
/// The newest minor version of Kubernetes 1 that is known.
pub(crate) const NEWEST_MINOR: u8 = 37;

/// What a value may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Anything.
    Any,
    /// A map with any keys and values.
    Object,
    /// Text.
    String,
    /// An integer of 32 bits.
    Int32,
    /// An integer of 64 bits.
    Int64,
    /// A number.
    Number,
    /// A boolean.
    Bool,
    /// A time, as RFC 3339 writes it.
    Time,
    /// Base64.
    Bytes,
    /// A quantity: `100m`, `2Gi`, `3`.
    Quantity,
    /// An integer, or text.
    IntOrString,
    /// A type with fields, by its name.
    Type(&'static str),
    /// A map whose values have one shape.
    Map(Box<Self>),
    /// A list.
    List(ListKind, Box<Self>),
}

/// What tells the elements of a list apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// Nothing.
    Plain,
    /// The elements themselves.
    Set,
    /// Some of their fields.
    Keyed(Vec<&'static str>),
}

/// Lists whose keys only server-side apply insists on; Kubernetes warns at most.
const LENIENT_LISTS: [(&str, &str); 6] = [
    ("core.v1.Container", "env"),
    ("core.v1.Container", "ports"),
    ("core.v1.PodSpec", "hostAliases"),
    ("core.v1.PodSpec", "imagePullSecrets"),
    ("core.v1.ServiceAccount", "secrets"),
    ("apis.meta.v1.ObjectMeta", "ownerReferences"),
];

/// What Kubernetes asks of a value beyond its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// One of these texts.
    Enum(Vec<&'static str>),
    /// A number between two, both included.
    Range(i64, i64),
    /// A text in a format, by its name in `schema/field-rules.txt`.
    Format(&'static str),
    /// The rule is for each element of a list.
    Items(Box<Self>),
}

/// A field of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) shape: Shape,
    pub(crate) rule: Option<Rule>,
    /// It is a keyed list whose keys only server-side apply insists on; Kubernetes warns at most.
    pub(crate) lenient: bool,
}

/// A type with fields, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Type {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<Field>,
}

impl Type {
    /// Returns the field with the name.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.binary_search_by(|field| field.name.cmp(name)).ok().map(|at| &self.fields[at])
    }
}

/// What is known of a kind in an API version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It is served; the name of its type.
    Served(&'static str),
    /// Other minor versions serve it; the newest older one, and the oldest newer one.
    Elsewhere { before: Option<u8>, after: Option<u8> },
    /// It is no kind of Kubernetes.
    Unknown,
}

/// How long an API version lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retirement {
    /// The minor version that deprecated it.
    pub(crate) deprecated: u8,
    /// The first minor version that no longer serves it.
    pub(crate) removed: Option<u8>,
    /// The API version that replaces it.
    pub(crate) replacement: Option<&'static str>,
}

/// Returns how long a kind lasts in an API version, if it is deprecated or removed in any minor version.
pub(crate) fn retirement(api_version: &str, kind: &str) -> Option<Retirement> {
    type Retirements = HashMap<(&'static str, &'static str), Retirement>;
    static RETIREMENTS: OnceLock<Retirements> = OnceLock::new();
    let retirements = RETIREMENTS.get_or_init(|| {
        let mut retirements = Retirements::default();
        for line in API_VERSIONS.lines() {
            let mut words = line.split(' ');
            let (Some(version), Some(kinds), Some(deprecated)) =
                (words.next(), words.next(), words.next().and_then(|word| word.parse().ok()))
            else {
                continue;
            };
            let removed = words.next().and_then(|word| word.parse().ok());
            let replacement = words.next().filter(|word| *word != "-");
            for kind in kinds.split(',') {
                let retirement = Retirement { deprecated, removed, replacement };
                retirements.entry((version, kind)).or_insert(retirement);
            }
        }
        retirements
    });
    retirements.get(&(api_version, kind)).copied()
}

/// The sections of the table.
struct Sections {
    /// Lines of kinds, by API version and kind: the type, and the minor versions.
    kinds: HashMap<(&'static str, &'static str), Vec<(&'static str, &'static str)>>,
    /// The lines of each type.
    types: HashMap<&'static str, &'static str>,
    /// The groups that Kubernetes serves.
    groups: Vec<&'static str>,
    /// Rules, by type and field.
    rules: HashMap<(&'static str, &'static str), Rule>,
}

fn sections() -> &'static Sections {
    static SECTIONS: OnceLock<Sections> = OnceLock::new();
    SECTIONS.get_or_init(|| {
        let mut kinds: HashMap<_, Vec<_>> = HashMap::new();
        let mut types = HashMap::new();
        let mut groups = Vec::new();
        let (head, mut rest) = TYPES.split_once("\ntype ").unwrap_or((TYPES, ""));
        for line in head.lines().filter_map(|line| line.strip_prefix("kind ")) {
            let mut words = line.splitn(4, ' ');
            let (Some(version), Some(kind), Some(name)) =
                (words.next(), words.next(), words.next())
            else {
                continue;
            };
            kinds.entry((version, kind)).or_default().push((name, words.next().unwrap_or("")));
            let group = version.rsplit_once('/').map_or("", |(group, _)| group);
            if groups.last() != Some(&group) && !groups.contains(&group) {
                groups.push(group);
            }
        }
        while !rest.is_empty() {
            let (section, next) = rest.split_once("\ntype ").unwrap_or((rest, ""));
            let (name, fields) = section.split_once('\n').unwrap_or((section, ""));
            types.insert(name, fields);
            rest = next;
        }
        Sections { kinds, types, groups, rules: rules() }
    })
}

fn rules() -> HashMap<(&'static str, &'static str), Rule> {
    FIELD_RULES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut words = line.splitn(3, ' ');
            Some(((words.next()?, words.next()?), rule(words.next()?)))
        })
        .collect()
}

fn rule(text: &'static str) -> Rule {
    if let Some(inner) = text.strip_prefix("items-") {
        return Rule::Items(Box::new(rule(inner)));
    }
    match text.split_once(' ') {
        Some(("enum", values)) => Rule::Enum(values.split(',').collect()),
        Some(("range", bounds)) => {
            let (low, high) = bounds.split_once(' ').unwrap_or((bounds, "-"));
            Rule::Range(low.parse().unwrap_or(i64::MIN), high.parse().unwrap_or(i64::MAX))
        }
        _ => Rule::Format(text),
    }
}

/// Returns whether a list of ranges (`27-`, `-30`, `26-28,30-`) contains a minor version; an empty one contains all.
fn contains(ranges: &str, minor: u8) -> bool {
    ranges.is_empty() || bounds(ranges).any(|(first, last)| (first..=last).contains(&minor))
}

fn bounds(ranges: &str) -> impl Iterator<Item = (u8, u8)> + '_ {
    ranges.split(',').filter_map(|range| {
        let (first, last) = range.split_once('-')?;
        Some((first.parse().unwrap_or(OLDEST_MINOR), last.parse().unwrap_or(NEWEST_MINOR)))
    })
}

fn shape(text: &'static str) -> Shape {
    if let Some(element) = text.strip_prefix("{}") {
        return Shape::Map(Box::new(shape(element)));
    }
    if let Some((kind, element)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let kind = match kind.strip_prefix("map:") {
            Some(keys) => ListKind::Keyed(keys.split(',').collect()),
            None if kind == "set" => ListKind::Set,
            None => ListKind::Plain,
        };
        return Shape::List(kind, Box::new(shape(element)));
    }
    match text {
        "any" => Shape::Any,
        "object" => Shape::Object,
        "string" => Shape::String,
        "int32" => Shape::Int32,
        "int64" => Shape::Int64,
        "number" => Shape::Number,
        "bool" => Shape::Bool,
        "time" => Shape::Time,
        "bytes" => Shape::Bytes,
        "quantity" => Shape::Quantity,
        "int-or-string" => Shape::IntOrString,
        name => Shape::Type(name),
    }
}

/// The types of one minor version. It can be shared between threads.
#[derive(Debug)]
pub(crate) struct Kubernetes {
    minor: u8,
    types: foldhash::HashMap<&'static str, OnceLock<Arc<Type>>>,
}

impl Kubernetes {
    /// Returns the types of Kubernetes 1.`minor`.
    pub(crate) fn new(minor: u8) -> Self {
        let types = sections().types.keys().map(|&name| (name, OnceLock::new())).collect();
        Self { minor, types }
    }

    /// Returns the types of Kubernetes 1.`minor`, which all who ask for them share.
    pub(crate) fn shared(minor: u8) -> Arc<Self> {
        static ALL: Mutex<BTreeMap<u8, Arc<Kubernetes>>> = Mutex::new(BTreeMap::new());
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(minor).or_insert_with(|| Arc::new(Self::new(minor))))
    }

    /// Returns the minor version.
    pub(crate) fn minor(&self) -> u8 {
        self.minor
    }

    /// Returns what is known of a kind.
    pub(crate) fn kind(&self, api_version: &str, kind: &str) -> Known {
        let key = sections().kinds.get_key_value(&(api_version, kind));
        let Some((_, lines)) = key else { return Known::Unknown };
        if let Some((name, _)) = lines.iter().find(|(_, ranges)| contains(ranges, self.minor)) {
            return Known::Served(name);
        }
        let all = || lines.iter().flat_map(|(_, ranges)| bounds(ranges));
        let before = all().map(|(_, last)| last).filter(|last| *last < self.minor).max();
        let after = all().map(|(first, _)| first).filter(|first| *first > self.minor).min();
        Known::Elsewhere { before, after }
    }

    /// Returns the API versions that serve a kind of the group, the most mature first.
    pub(crate) fn versions_of(&self, group: &str, kind: &str) -> Vec<&'static str> {
        let mut found: Vec<&'static str> = sections()
            .kinds
            .iter()
            .filter(|((version, other), lines)| {
                *other == kind
                    && version.rsplit_once('/').map_or("", |(group, _)| group) == group
                    && lines.iter().any(|(_, ranges)| contains(ranges, self.minor))
            })
            .map(|((version, _), _)| *version)
            .collect();
        found.sort_unstable_by_key(|version| {
            (version.contains("alpha"), version.contains("beta"), *version)
        });
        found
    }

    /// Returns whether a group belongs to Kubernetes itself.
    pub(crate) fn serves_group(group: &str) -> bool {
        sections().groups.contains(&group)
    }

    /// Returns the kinds of a group of Kubernetes, in any version.
    pub(crate) fn kinds_of(group: &str) -> impl Iterator<Item = &'static str> {
        let kinds = sections().kinds.keys();
        kinds
            .filter(move |(version, _)| version.rsplit_once('/').map_or("", |(g, _)| g) == group)
            .map(|(_, kind)| *kind)
    }

    /// Returns a type by its name.
    pub(crate) fn type_of(&self, name: &str) -> Option<&Arc<Type>> {
        let (name, cell) = self.types.get_key_value(name)?;
        Some(cell.get_or_init(|| {
            let lines = sections().types.get(name).copied().unwrap_or("");
            let mut fields: Vec<Field> =
                lines.lines().filter_map(|line| self.field(name, line)).collect();
            fields.sort_unstable_by_key(|field| field.name);
            Arc::new(Type { name, fields })
        }))
    }

    fn field(&self, of: &'static str, line: &'static str) -> Option<Field> {
        let mut words = line.strip_prefix(' ')?.splitn(3, ' ');
        let (name, text) = (words.next()?, words.next()?);
        if !contains(words.next().unwrap_or(""), self.minor) {
            return None;
        }
        let required = name.ends_with('!');
        let name = name.trim_end_matches('!');
        let rule = sections().rules.get(&(of, name)).cloned();
        let lenient = LENIENT_LISTS.contains(&(of, name));
        Some(Field { name, required, shape: shape(text), rule, lenient })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// The formats that checks know.
    const FORMATS: [&str; 11] = [
        "annotations",
        "cidr",
        "config-keys",
        "dns-label",
        "dns-name",
        "ip",
        "labels",
        "nonempty",
        "port",
        "port-name",
        "schedule",
    ];

    #[test]
    fn every_type_of_every_version_is_decoded() {
        for minor in OLDEST_MINOR..=NEWEST_MINOR {
            let types = Kubernetes::new(minor);
            let names: BTreeSet<&str> = sections().types.keys().copied().collect();
            for name in names {
                for field in &types.type_of(name).unwrap().fields {
                    let mut shape = &field.shape;
                    while let Shape::Map(inner) | Shape::List(_, inner) = shape {
                        shape = inner;
                    }
                    if let Shape::Type(inner) = shape {
                        let inner = types.type_of(inner);
                        assert!(inner.is_some_and(|t| !t.fields.is_empty()), "{name} {field:?}");
                    }
                }
            }
        }
        let head = TYPES.lines().next();
        assert_eq!(head, Some(format!("versions {OLDEST_MINOR} {NEWEST_MINOR}").as_str()));
    }

    #[test]
    fn kinds_and_fields_depend_on_the_version() {
        let (old, new) = (Kubernetes::new(28), Kubernetes::new(34));
        let pods = |types: &Kubernetes| types.type_of("core.v1.PodSpec").cloned().unwrap();
        assert!(pods(&old).field("resources").is_none());
        assert_eq!(
            pods(&new).field("resources").unwrap().shape,
            Shape::Type("core.v1.ResourceRequirements")
        );
        let containers = pods(&new).field("containers").unwrap().clone();
        assert!(containers.required);
        let keyed = ListKind::Keyed(vec!["name"]);
        assert_eq!(
            containers.shape,
            Shape::List(keyed, Box::new(Shape::Type("core.v1.Container")))
        );

        assert_eq!(old.kind("apps/v1", "Deployment"), Known::Served("apps.v1.Deployment"));
        assert_eq!(old.kind("apps/v1", "Deplyoment"), Known::Unknown);
        let hpa = ("autoscaling/v2beta2", "HorizontalPodAutoscaler");
        assert_eq!(old.kind(hpa.0, hpa.1), Known::Elsewhere { before: Some(25), after: None });
        let policy = ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy");
        assert_eq!(
            old.kind(policy.0, policy.1),
            Known::Elsewhere { before: None, after: Some(30) }
        );
        assert_eq!(new.versions_of("autoscaling", hpa.1), ["autoscaling/v1", "autoscaling/v2"]);
    }

    #[test]
    fn rules_are_about_fields_that_exist() {
        let all: BTreeMap<_, _> = rules().into_iter().collect();
        for ((name, field), rule) in all {
            let known = (OLDEST_MINOR..=NEWEST_MINOR).any(|minor| {
                Kubernetes::new(minor).type_of(name).is_some_and(|t| t.field(field).is_some())
            });
            assert!(known, "{name} {field}");
            let rule = if let Rule::Items(inner) = rule { *inner } else { rule };
            match rule {
                Rule::Range(low, high) => assert!(low < high && low > i64::MIN, "{name} {field}"),
                Rule::Enum(values) => {
                    assert!(values.len() > 1 || field == "apiGroup", "{name} {field}");
                }
                Rule::Format(format) => {
                    assert!(FORMATS.contains(&format), "{name} {field} {format}");
                }
                Rule::Items(_) => panic!("{name} {field}"),
            }
        }
    }

    #[test]
    fn what_replaces_a_removed_version() {
        let found = retirement("policy/v1beta1", "PodDisruptionBudget").unwrap();
        assert_eq!(
            (found.deprecated, found.removed, found.replacement),
            (21, Some(25), Some("policy/v1"))
        );
        let endpoints = retirement("v1", "Endpoints").unwrap();
        assert_eq!((endpoints.deprecated, endpoints.removed), (33, None));
        assert_eq!(retirement("v1", "Service"), None);
    }
}
