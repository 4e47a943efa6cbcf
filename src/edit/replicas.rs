//! `edit set replicas`.

use std::collections::BTreeMap;

use super::tree::{elements, elements_mut, field, integer, map_of, push, set, text};
use super::{Edit, EditError};
use crate::project::scalar;
use crate::yaml::Scalar;

/// A number of replicas for the objects of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReplicaChange {
    name: String,
    count: i64,
}

/// Reads `name=count`.
pub(crate) fn parse_replicas(arguments: &[String]) -> Result<Vec<ReplicaChange>, EditError> {
    if arguments.is_empty() {
        return Err(EditError::usage("no replicas specified"));
    }
    let parse = |argument: &String| {
        let (name, count) = argument.split_once('=')?;
        Some(ReplicaChange { name: name.to_owned(), count: count.parse().ok()? })
    };
    let invalid =
        || EditError::usage("invalid format of replica, use the following format: <name>=<count>");
    arguments.iter().map(|argument| parse(argument).ok_or_else(invalid)).collect()
}

impl Edit {
    /// Sets numbers of replicas.
    pub(crate) fn set_replicas(&mut self, changes: &[ReplicaChange]) {
        const LIST: &str = "replicas";
        let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
        for change in changes {
            wanted.insert(&change.name, change.count);
        }
        self.keep_first_of_each("replicas of", &[LIST]);
        if !elements(&self.root, LIST).is_empty() {
            for element in elements_mut(&mut self.root, LIST) {
                let name = text(element, "name").into_owned();
                let Some(count) = wanted.remove(name.as_str()) else { continue };
                let present = field(element, "count").and_then(scalar);
                if present != Some(Scalar::Int(count)) {
                    set(element, "count", integer(count));
                }
            }
        }
        let new = wanted.into_iter().map(|(name, count)| {
            let mut element = map_of(&[("name", name)]);
            push(&mut element, "count", integer(count));
            element
        });
        self.insert_by_name(LIST, new.collect());
        // Two entries may fit one object if it had the name of one before it got that of the other, with a prefix or suffix.
        self.sort_if(&[LIST], |a, b| {
            let (a, b) = (text(a, "name"), text(b, "name"));
            a.contains(b.as_ref()) || b.contains(a.as_ref())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_a_name_and_a_number() {
        let parse = |argument: &str| parse_replicas(&[argument.to_owned()]);
        assert_eq!(parse("a=3"), Ok(vec![ReplicaChange { name: "a".to_owned(), count: 3 }]));
        assert_eq!(parse("a=-1").map(|r| r[0].count), Ok(-1));
        for argument in ["a", "a=", "a=b", "a=1=2", "a=1.5", "a=9223372036854775808"] {
            assert!(parse(argument).is_err(), "{argument}");
        }
    }
}
