//! `edit set image`.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::tree::{elements, map_of, remove, remove_if_empty, set_text, text};
use super::{Edit, EditError};
use crate::transform::{may_interact, split_image};
use crate::yaml::Node;

/// What stands for the part that an image has already.
const AS_IT_IS: &str = "*";

/// The fields of the kustomization that list images, in the order in which they are applied.
const LISTS: [&str; 2] = ["images", "imageTags"];

const FORMS: &str = "invalid format of image, use one of the following options:
- <image>=<newimage>:<newtag>
- <image>=<newimage>@<digest>
- <image>=<newimage>:<newtag>@<digest>
- <image>=<newimage>
- <image>:<newtag>
- <image>:<newtag>@<digest>
- <image>@<digest>";

/// What an image is to be changed to. An empty part is none, and `*` the one it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ImageChange {
    name: String,
    new_name: String,
    new_tag: String,
    digest: String,
}

/// Reads images as they are typed: `name:tag`, `name=new:tag@digest`, with `*` for a part that stays.
pub(crate) fn parse_images(arguments: &[String]) -> Result<Vec<ImageChange>, EditError> {
    if arguments.is_empty() {
        return Err(EditError::usage("no image specified"));
    }
    arguments.iter().map(|argument| parse(argument)).collect()
}

fn parse(argument: &str) -> Result<ImageChange, EditError> {
    let (name, value) = argument.split_once('=').unwrap_or(("", argument));
    let (new_name, new_tag, digest) = split_image(value);
    if new_name == argument {
        return Err(EditError::usage(FORMS));
    }
    let (new_tag, digest) = (new_tag.to_owned(), digest.to_owned());
    Ok(if name.is_empty() {
        ImageChange { name: new_name.to_owned(), new_tag, digest, ..ImageChange::default() }
    } else {
        ImageChange { name: name.to_owned(), new_name: new_name.to_owned(), new_tag, digest }
    })
}

/// Returns the part that an image gets.
fn part<'p>(wanted: &'p str, present: &'p str) -> &'p str {
    let part = if wanted == AS_IT_IS { present } else { wanted };
    if part == AS_IT_IS { "" } else { part }
}

impl Edit {
    /// Sets what images are changed to. The other parts of an image that is listed are gone, as in kustomize.
    pub(crate) fn set_images(&mut self, changes: &[ImageChange]) {
        let mut wanted: BTreeMap<&str, &ImageChange> = BTreeMap::new();
        for change in changes {
            wanted.insert(&change.name, change);
        }
        self.keep_first_of_each("image", &LISTS);
        for list in LISTS {
            if elements(&self.root, list).is_empty() {
                continue;
            }
            for image in super::tree::elements_mut(&mut self.root, list) {
                let name = text(image, "name").into_owned();
                set_parts(image, wanted.remove(name.as_str()));
            }
        }
        let new = wanted.into_iter().map(|(name, change)| {
            map_of(&[
                ("name", name),
                ("newName", part(&change.new_name, "")),
                ("newTag", part(&change.new_tag, "")),
                ("digest", part(&change.digest, "")),
            ])
        });
        self.insert_by_name("images", new.collect());
        self.sort_if(&LISTS, |a, b| {
            may_interact(
                (&text(a, "name"), &text(a, "newName")),
                (&text(b, "name"), &text(b, "newName")),
            )
        });
    }

    /// Removes all but the first of the elements that have one name: the last would win in a build, but kustomize keeps the first.
    pub(super) fn keep_first_of_each(&mut self, what: &str, lists: &[&str]) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for list in lists {
            for element in elements(&self.root, list) {
                *seen.entry(text(element, "name").into_owned()).or_default() += 1;
            }
        }
        let doubled: BTreeMap<String, usize> =
            seen.into_iter().filter(|(_, count)| *count > 1).collect();
        if doubled.is_empty() {
            return;
        }
        let mut met: HashSet<String> = HashSet::new();
        for list in lists {
            if elements(&self.root, list).is_empty() {
                continue;
            }
            super::tree::elements_mut(&mut self.root, list).retain(|element| {
                let name = text(element, "name").into_owned();
                !doubled.contains_key(&name) || met.insert(name)
            });
            remove_if_empty(&mut self.root, list);
        }
        for name in doubled.into_keys() {
            self.notice(format!("{what} {name} was listed more than once, only the first is kept"));
        }
    }

    /// Adds elements where their names belong if the list is sorted, else at the end.
    pub(super) fn insert_by_name(&mut self, list: &str, new: Vec<Node>) {
        if new.is_empty() {
            return;
        }
        let list = super::tree::elements_mut(&mut self.root, list);
        let is_sorted = list.is_sorted_by_key(|element| text(element, "name").into_owned());
        list.extend(new);
        if is_sorted {
            list.sort_by_cached_key(|element| text(element, "name").into_owned());
        }
    }

    /// Sorts elements by name, as kustomize does, if the order of two matters that stand the other way around.
    pub(super) fn sort_if(&mut self, lists: &[&str], interact: impl Fn(&Node, &Node) -> bool) {
        let all: Vec<&Node> = lists.iter().flat_map(|list| elements(&self.root, list)).collect();
        let names: Vec<_> = all.iter().map(|element| text(element, "name")).collect();
        if names.is_sorted() {
            return;
        }
        let matters = (0..all.len()).any(|later| {
            (0..later)
                .any(|earlier| names[earlier] > names[later] && interact(all[earlier], all[later]))
        });
        if !matters {
            return;
        }
        let mut sorted: Vec<Node> = all.into_iter().cloned().collect();
        sorted.sort_by(|a, b| text(a, "name").cmp(&text(b, "name")));
        for list in &lists[1..] {
            remove(&mut self.root, list);
        }
        *super::tree::elements_mut(&mut self.root, lists[0]) = sorted;
    }
}

fn set_parts(image: &mut Node, change: Option<&ImageChange>) {
    let present = |field: &str| text(image, field).into_owned();
    let (new_name, new_tag, digest) = (present("newName"), present("newTag"), present("digest"));
    let is_left = change.is_none() && [&new_name, &new_tag, &digest].iter().all(|p| *p != AS_IT_IS);
    if is_left {
        return;
    }
    let own = ImageChange {
        name: String::new(),
        new_name: AS_IT_IS.to_owned(),
        new_tag: AS_IT_IS.to_owned(),
        digest: AS_IT_IS.to_owned(),
    };
    let change = change.unwrap_or(&own);
    set_text(image, "newName", part(&change.new_name, &new_name));
    set_text(image, "newTag", part(&change.new_tag, &new_tag));
    set_text(image, "digest", part(&change.digest, &digest));
    remove(image, "tagSuffix");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, new_name: &str, new_tag: &str, digest: &str) -> ImageChange {
        let [name, new_name, new_tag, digest] =
            [name, new_name, new_tag, digest].map(str::to_owned);
        ImageChange { name, new_name, new_tag, digest }
    }

    #[test]
    fn images_are_typed_in_several_forms() {
        let cases = [
            ("app:v1", change("app", "", "v1", "")),
            ("app=new:v1@sha256:ab", change("app", "new", "v1", "sha256:ab")),
            ("app=new", change("app", "new", "", "")),
            ("app=:v1", change("app", "", "v1", "")),
            ("app=*:v1", change("app", "*", "v1", "")),
            ("=*:v1", change("*", "", "v1", "")),
            ("=app:v1", change("app", "", "v1", "")),
            ("app@sha256:ab", change("app", "", "", "sha256:ab")),
            ("host:5000/app:v1", change("host:5000/app", "", "v1", "")),
            ("app=", change("app", "", "", "")),
            ("a=b=c:1", change("a", "b=c", "1", "")),
        ];
        for (argument, want) in cases {
            assert_eq!(parse(argument), Ok(want), "{argument}");
        }
        assert!(parse("app").is_err() && parse_images(&[]).is_err());
    }
}
