//! The order of the output.

use std::cmp::Ordering;

use foldhash::{HashMap, HashMapExt};

use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::project::{ORDER_FIRST, ORDER_LAST, SortOptions};
use crate::provenance::OriginId;
use crate::resource::{Gvk, ResourceId, ResourceSet};
use crate::session::{Context, Reorder};

/// Puts the objects into the order that the kustomization, or else the command line, asks for.
pub(crate) fn sort(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    options: Option<&SortOptions>,
) -> Fallible<()> {
    let ranks = match options {
        Some(options) => match custom_ranks(cx, options)? {
            Some(ranks) => ranks,
            None => return Ok(()),
        },
        None if cx.options.reorder == Reorder::None => return Ok(()),
        None => Ranks::new(&ORDER_FIRST, &ORDER_LAST),
    };
    let order = {
        let mut kinds = Kinds::new(&ranks);
        let mut places: Vec<(Place<'_>, usize)> = set
            .iter()
            .enumerate()
            .map(|(index, resource)| (kinds.place(resource.id()), index))
            .collect();
        places.sort_by(|(a, _), (b, _)| kinds.compare(a, b));
        places.into_iter().map(|(_, index)| index).collect::<Vec<usize>>()
    };
    set.reorder(&order);
    // Sorting puts the objects into a new set, which holds every id once.
    cx.require_distinct_ids(set, OriginId::NONE)
}

/// The ranks that `sortOptions` asks for; none for the order in which objects were loaded.
fn custom_ranks(cx: &mut Context<'_>, options: &SortOptions) -> Fallible<Option<Ranks>> {
    match (options.order.as_str(), &options.legacy) {
        ("fifo", None) => Ok(None),
        ("fifo", Some(_)) => {
            let message = "`legacySortOptions` has no meaning with `order: fifo`";
            let d = Diagnostic::error(Code::SortInvalid, message)
                .at(cx.span(options.at), "both are set");
            Err(cx.fail(d.help("write `order: legacy`, or remove `legacySortOptions`")))
        }
        ("legacy", None) => Ok(Some(Ranks::new(&ORDER_FIRST, &ORDER_LAST))),
        ("legacy", Some((first, last))) => {
            let texts = |list: &[crate::session::Text]| -> Vec<String> {
                list.iter().map(|text| text.value.to_string()).collect()
            };
            Ok(Some(Ranks::new(&texts(first), &texts(last))))
        }
        (other, _) => {
            let message = format!("`sortOptions.order` is `legacy` or `fifo`, not `{other}`");
            let at = if options.order.at == OriginId::NONE { options.at } else { options.order.at };
            let d = Diagnostic::error(Code::SortInvalid, message).at(cx.span(at), "not known");
            Err(cx.fail(d))
        }
    }
}

/// The ranks of kinds: negative for those that come first, positive for those that come last.
struct Ranks(HashMap<String, i64>);

impl Ranks {
    fn new<T: AsRef<str>>(first: &[T], last: &[T]) -> Self {
        let mut ranks = HashMap::new();
        for (index, kind) in first.iter().enumerate() {
            ranks.insert(kind.as_ref().to_owned(), index as i64 - first.len() as i64);
        }
        for (index, kind) in last.iter().enumerate() {
            ranks.insert(kind.as_ref().to_owned(), index as i64 + 1);
        }
        Self(ranks)
    }
}

/// What decides about the place of a kind.
struct KindPlace<'r> {
    rank: i64,
    gvk: &'r Gvk,
    text: String,
}

/// What decides about the place of an object: the number of its kind, its namespace and its name.
struct Place<'r> {
    kind: usize,
    namespace: &'r str,
    name: &'r str,
}

/// The kinds of the objects, each once.
struct Kinds<'r> {
    ranks: &'r Ranks,
    kinds: Vec<KindPlace<'r>>,
    numbers: HashMap<&'r Gvk, usize>,
}

impl<'r> Kinds<'r> {
    fn new(ranks: &'r Ranks) -> Self {
        Self { ranks, kinds: Vec::new(), numbers: HashMap::default() }
    }

    fn place(&mut self, id: &'r ResourceId) -> Place<'r> {
        let gvk = &id.gvk;
        let kind = *self.numbers.entry(gvk).or_insert_with(|| {
            let rank = self.ranks.0.get(gvk.kind.as_str()).copied().unwrap_or_default();
            self.kinds.push(KindPlace { rank, gvk, text: gvk.sort_text() });
            self.kinds.len() - 1
        });
        let or = |text: &'r str, empty| if text.is_empty() { empty } else { text };
        Place { kind, namespace: or(&id.namespace, "~X"), name: or(&id.name, "~N") }
    }

    fn compare(&self, a: &Place<'_>, b: &Place<'_>) -> Ordering {
        if a.kind == b.kind {
            return a.compare_within_kind(b);
        }
        let (a, b) = (&self.kinds[a.kind], &self.kinds[b.kind]);
        // Of two kinds named Namespace, one of them in no group, the order of the groups is reversed.
        let both = a.gvk.kind == "Namespace" && b.gvk.kind == "Namespace";
        let core = a.gvk.group.is_empty() || b.gvk.group.is_empty();
        let by_text = a.text.cmp(&b.text);
        a.rank.cmp(&b.rank).then(if both && core { by_text.reverse() } else { by_text })
    }
}

impl Place<'_> {
    /// Compares namespace and name as one text, with `|` between them.
    fn compare_within_kind(&self, other: &Self) -> Ordering {
        if self.namespace == other.namespace {
            return self.name.cmp(other.name);
        }
        let bytes = |place: &Self| [place.namespace, "|", place.name].map(str::as_bytes).concat();
        bytes(self).cmp(&bytes(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(ids: &[(&str, &str, &str, &str)]) -> Vec<String> {
        let ranks = Ranks::new(&ORDER_FIRST, &ORDER_LAST);
        let ids: Vec<ResourceId> = ids
            .iter()
            .map(|&(group, kind, namespace, name)| ResourceId {
                gvk: Gvk::new(group, "v1", kind),
                name: name.into(),
                namespace: namespace.into(),
                cluster_scoped: false,
            })
            .collect();
        let mut kinds = Kinds::new(&ranks);
        let mut places: Vec<_> = ids.iter().map(|id| (kinds.place(id), id)).collect();
        places.sort_by(|(a, _), (b, _)| kinds.compare(a, b));
        let text = |id: &ResourceId| {
            format!("{}/{}/{}/{}", id.gvk.group, id.gvk.kind, id.namespace, id.name)
        };
        places.into_iter().map(|(_, id)| text(id)).collect()
    }

    #[test]
    fn known_kinds_come_first_and_webhooks_last() {
        let ids = [
            ("x", "ValidatingWebhookConfiguration", "", "a"),
            ("", "Pod", "", "a"),
            ("apps", "Deployment", "", "a"),
            ("g", "Foo", "", "a"),
            ("", "Namespace", "", "b"),
            ("g", "Namespace", "", "b"),
        ];
        assert_eq!(
            sorted(&ids),
            [
                "/Namespace//b",
                "g/Namespace//b",
                "apps/Deployment//a",
                "g/Foo//a",
                "/Pod//a",
                "x/ValidatingWebhookConfiguration//a",
            ]
        );
    }

    #[test]
    fn an_empty_namespace_comes_last() {
        let ids =
            [("", "ConfigMap", "", "a"), ("", "ConfigMap", "z", "a"), ("", "ConfigMap", "b", "z")];
        assert_eq!(sorted(&ids), ["/ConfigMap/b/z", "/ConfigMap/z/a", "/ConfigMap//a"]);
    }
}
