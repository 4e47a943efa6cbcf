//! The schema of Kubernetes 1.21.2, as a table of lines that is searched where it lies.
//!
//! `schema/merge-keys-v1.21.2.txt` lists the types in order, then one schema a line: `o` an object with its properties, `a`
//! a list with its elements' schema and its merge rule, `s` anything else. The names of definitions follow. Nothing is
//! decoded before a patch asks.

use foldhash::HashMap;
use std::cell::RefCell;
use std::sync::LazyLock;

use super::ListRule;
use crate::resource::Gvk;

static TABLE: &str = include_str!("../../schema/merge-keys-v1.21.2.txt");

/// The number of a schema in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SchemaId(u32);

struct Lines {
    types: Vec<(&'static str, &'static str, u32)>,
    schemas: Vec<&'static str>,
}

static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let (types, rest) = TABLE.split_once("\nschemas\n").unwrap_or_default();
    let (schemas, _) = rest.split_once("\ndefinitions\n").unwrap_or((rest, ""));
    let types = types.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?, words.next()?.parse().ok()?))
    });
    Lines { types: types.collect(), schemas: schemas.lines().collect() }
});

struct Definitions {
    by_name: HashMap<&'static str, SchemaId>,
    names: HashMap<SchemaId, &'static str>,
}

/// The definitions by name, and their names by number; only documents of users ask for them.
static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| {
    let (_, lines) = TABLE.split_once("\ndefinitions\n").unwrap_or_default();
    let pairs = lines.lines().filter_map(|line| {
        let (name, number) = line.split_once(' ')?;
        Some((name, SchemaId(number.parse().ok()?)))
    });
    let by_name: HashMap<&str, SchemaId> = pairs.clone().collect();
    Definitions { by_name, names: pairs.map(|(name, id)| (id, name)).collect() }
});

pub(super) fn definition(name: &str) -> Option<SchemaId> {
    DEFINITIONS.by_name.get(name).copied()
}

pub(super) fn name_of(id: SchemaId) -> Option<&'static str> {
    DEFINITIONS.names.get(&id).copied()
}

fn line(id: SchemaId) -> (&'static str, &'static str) {
    let line = LINES.schemas.get(id.0 as usize).copied().unwrap_or_default();
    line.split_once(' ').unwrap_or((line, ""))
}

pub(super) fn for_type(gvk: &Gvk) -> Option<SchemaId> {
    let api_version = gvk.api_version();
    let wanted = (api_version.as_str(), gvk.kind.as_str());
    let index = LINES.types.binary_search_by(|(api, kind, _)| (*api, *kind).cmp(&wanted)).ok()?;
    Some(SchemaId(LINES.types[index].2))
}

/// The properties of an object: their schemas by name, and the schema of all others.
#[derive(Default)]
struct Properties {
    named: HashMap<&'static str, SchemaId>,
    any: Option<SchemaId>,
}

impl Properties {
    fn of(id: SchemaId) -> Self {
        let mut out = Self::default();
        let ("o", properties) = line(id) else { return out };
        for property in properties.split(' ') {
            let Some((name, number)) = property.rsplit_once(':') else { continue };
            let Ok(schema) = number.parse().map(SchemaId) else { continue };
            if name == "*" {
                out.any = Some(schema);
            } else {
                out.named.entry(name).or_insert(schema);
            }
        }
        out
    }
}

thread_local! {
    /// The properties that this thread has asked for: those of a few objects, again and again.
    static PROPERTIES: RefCell<HashMap<SchemaId, Properties>> = RefCell::default();
}

pub(super) fn field(id: SchemaId, name: &str) -> Option<SchemaId> {
    PROPERTIES.with_borrow_mut(|known| {
        let properties = known.entry(id).or_insert_with(|| Properties::of(id));
        properties.named.get(name).copied().or(properties.any)
    })
}

pub(super) fn elements(id: SchemaId) -> Option<SchemaId> {
    let ("a", rest) = line(id) else { return None };
    rest.split(' ').next()?.parse().ok().map(SchemaId)
}

pub(super) fn list_rule(id: SchemaId) -> ListRule {
    let ("a", rest) = line(id) else { return ListRule::default() };
    let Some((_, rule)) = rest.split_once(' ') else { return ListRule::default() };
    let (strategy, keys) = rule.split_once(':').unwrap_or((rule, ""));
    let keys = keys.split(',').filter(|k| !k.is_empty()).map(str::to_owned).collect();
    ListRule { strategy: strategy.to_owned(), keys }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(gvk: &Gvk, path: &[&str]) -> ListRule {
        let start = for_type(gvk).unwrap();
        let end = path.iter().fold(start, |id, name| match *name {
            "[]" => elements(id).unwrap(),
            name => field(id, name).unwrap(),
        });
        list_rule(end)
    }

    #[test]
    fn lists_have_the_merge_keys_of_kubernetes() {
        let deployment = Gvk::new("apps", "v1", "Deployment");
        let containers = ["spec", "template", "spec", "containers"];
        assert_eq!(rule(&deployment, &containers).keys, ["name"]);
        let ports = ["spec", "template", "spec", "containers", "[]", "ports"];
        assert_eq!(rule(&deployment, &ports).keys, ["containerPort", "protocol"]);
        assert!(rule(&deployment, &ports).merges());
        let args = ["spec", "template", "spec", "containers", "[]", "args"];
        assert!(!rule(&deployment, &args).merges());
        let finalizers = ["metadata", "finalizers"];
        assert_eq!(
            rule(&deployment, &finalizers),
            ListRule { strategy: "merge".to_owned(), keys: vec![] }
        );
        assert!(for_type(&Gvk::new("example.com", "v1", "Deployment")).is_none());
        assert!(field(for_type(&deployment).unwrap(), "nope").is_none());
    }
}
