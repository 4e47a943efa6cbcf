//! The order of the output.

use std::collections::HashMap;

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
    let mut order: Vec<(Place, usize)> = set
        .iter()
        .enumerate()
        .map(|(index, resource)| (Place::of(resource.id(), &ranks), index))
        .collect();
    order.sort_by(|a, b| a.0.compare(&b.0));
    let order: Vec<usize> = order.into_iter().map(|(_, index)| index).collect();
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

/// What decides about the place of an object.
struct Place {
    rank: i64,
    gvk: Gvk,
    gvk_text: String,
    rest: String,
}

impl Place {
    fn of(id: &ResourceId, ranks: &Ranks) -> Self {
        let or = |text: &str, empty: &str| {
            if text.is_empty() { empty.to_owned() } else { text.to_owned() }
        };
        Self {
            rank: ranks.0.get(id.gvk.kind.as_str()).copied().unwrap_or_default(),
            gvk: id.gvk.clone(),
            gvk_text: id.gvk.sort_text(),
            rest: format!("{}|{}", or(&id.namespace, "~X"), or(&id.name, "~N")),
        }
    }

    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        if self.gvk == other.gvk {
            return self.rest.cmp(&other.rest);
        }
        // Of two kinds named Namespace, one of them in no group, the order of the groups is reversed.
        let both = self.gvk.kind == "Namespace" && other.gvk.kind == "Namespace";
        let core = self.gvk.group.is_empty() || other.gvk.group.is_empty();
        let by_text = self.gvk_text.cmp(&other.gvk_text);
        self.rank.cmp(&other.rank).then(if both && core { by_text.reverse() } else { by_text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(ids: &[(&str, &str, &str, &str)]) -> Vec<String> {
        let ranks = Ranks::new(&ORDER_FIRST, &ORDER_LAST);
        let mut places: Vec<(Place, String)> = ids
            .iter()
            .map(|&(group, kind, namespace, name)| {
                let id = ResourceId {
                    gvk: Gvk::new(group, "v1", kind),
                    name: name.into(),
                    namespace: namespace.into(),
                    cluster_scoped: false,
                };
                (Place::of(&id, &ranks), format!("{group}/{kind}/{namespace}/{name}"))
            })
            .collect();
        places.sort_by(|a, b| a.0.compare(&b.0));
        places.into_iter().map(|(_, text)| text).collect()
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
