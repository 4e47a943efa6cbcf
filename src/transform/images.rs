//! `images`.
//!
//! Every entry is applied twice, as in kustomize: to the `image` of every element of any list called `containers` or
//! `initContainers`, wherever it stands, and then by field specifications. That is why a `tagSuffix` comes twice on the
//! standard kinds.

use std::collections::BTreeSet;

use super::field_path::{Leaf, PathFault, SpecsByType, visit};
use super::set_value::{path_fault, put_scalar, require};
use crate::diagnostic::{Code, Diagnostic, Fallible, nearest};
use crate::project::{FieldSpecs, Image};
use crate::provenance::{OriginId, Recorder, StepId, StepKind};
use crate::resource::{AliasWrites, Pattern, PatternError, ResourceSet};
use crate::session::{Context, pattern_error};
use crate::yaml::{Node, NodeKind, known};

/// What may follow the name of an image.
const AFTER_NAME: &str = "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$";

/// An entry of `images`, ready to match. The name is a regular expression, as kustomize has it; one that is faulty is
/// a fault once it is compared with an image.
#[derive(Debug)]
pub(crate) struct ImageRule {
    image: Image,
    pattern: Result<ImageName, PatternError>,
}

/// The name of an image to find.
#[derive(Debug)]
enum ImageName {
    /// A text in which nothing but a dot has a meaning, as nearly all names are: it stands for any character.
    Plain(String),
    Pattern(Pattern),
}

impl ImageName {
    fn new(name: &str) -> Result<Self, PatternError> {
        let is_plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':');
        if name.chars().all(is_plain) {
            return Ok(Self::Plain(name.to_owned()));
        }
        Pattern::between("^", name, AFTER_NAME).map(Self::Pattern)
    }

    fn is_match(&self, image: &str) -> bool {
        let name = match self {
            Self::Plain(name) => name,
            Self::Pattern(pattern) => return pattern.is_match(image),
        };
        let mut rest = image.chars();
        for wanted in name.chars() {
            if !rest.next().is_some_and(|c| c == wanted || wanted == '.' && c != '\n') {
                return false;
            }
        }
        let mut rest = rest.as_str();
        let is_tag =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '{' | '}' | '-');
        for mark in [":", "@sha256:"] {
            if let Some(part) = rest.strip_prefix(mark) {
                rest = part.trim_start_matches(is_tag);
            }
        }
        rest.is_empty()
    }
}

impl ImageRule {
    /// Returns whether an image matches, or has a fault.
    fn concerns(&self, image: &Node) -> bool {
        let matches = |pattern: &ImageName| pattern.is_match(image.text());
        !image.is_scalar() || self.pattern.as_ref().map_or(true, matches)
    }

    /// Returns whether a container has a matching image, or a fault.
    fn concerns_container(&self, container: &Node) -> bool {
        match container.get(known::IMAGE) {
            Some(image) => self.concerns(image),
            None => container.kind() != NodeKind::Map,
        }
    }
}

/// Prepares an entry of `images`.
pub(crate) fn configure(image: &Image) -> ImageRule {
    let pattern = ImageName::new(image.name.as_str());
    ImageRule { image: image.clone(), pattern }
}

/// Applies entries of `images`, in order, to the objects of a set.
pub(crate) fn apply(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    rules: &[ImageRule],
    specs: &FieldSpecs,
) -> Fallible<()> {
    let mut steps = Vec::with_capacity(rules.len());
    for rule in rules {
        steps.push(cx.provenance.step(StepKind::Images, rule.image.at));
    }
    let mut found: Vec<Found> = rules.iter().map(|_| Found::default()).collect();
    let mut by_type = SpecsByType::new(specs);
    for index in 0..set.len() {
        let resource = set.get(index);
        if resource.is_deleted() || resource.id().gvk.kind == "CustomResourceDefinition" {
            continue;
        }
        let gvk = resource.id().gvk.clone();
        let mut lists = Vec::new();
        find_container_lists(resource.node(), &mut Vec::new(), &mut lists);
        // What a rule writes may match the next one.
        let matters = |node: &Node| rules.iter().any(|rule| rule.concerns(node));
        let specs = by_type.found(&gvk, resource.node(), &matters);
        if lists.is_empty() && specs.is_empty() {
            continue;
        }
        let provenance = &mut cx.provenance;
        let found = &mut found;
        let mut faulty = None;
        let result = set.update_content(index, |resource| {
            let root = resource.node_mut();
            for ((rule, &step), found) in rules.iter().zip(&steps).zip(found.iter_mut()) {
                let writes = AliasWrites::default();
                let mut writer = Writer { rule, step, provenance, writes, found, is_faulty: false };
                for path in &lists {
                    writer
                        .containers(root, path)
                        .map_err(|fault| (fault, "containers", rule.image.at))?;
                }
                for spec in &specs {
                    let mut set = |node: &mut Node| writer.update(node);
                    visit(root, &spec.path, spec.create, Leaf::Found, OriginId::NONE, &mut set)
                        .map_err(|fault| (fault, spec.path.as_str(), rule.image.at))?;
                }
                writer.writes.apply(root);
                if writer.is_faulty {
                    faulty = Some(rule);
                    break;
                }
            }
            Ok(())
        });
        let names_it =
            |path: &str| matches!(path.split('/').next(), Some("metadata" | "kind" | "apiVersion"));
        if specs.iter().any(|spec| names_it(spec.path.as_str())) {
            set.update(index, |_| ());
        }
        if let Err((fault, path, at)) = result {
            return Err(path_fault(cx, fault, path, &set.get(index).id().clone(), at));
        }
        if let Some(ImageRule { image, pattern: Err(error) }) = faulty {
            let diagnostic = Diagnostic { code: Code::ImageInvalid, ..pattern_error(error) }
                .at(cx.span(image.name.at), "this name");
            return Err(cx.fail(diagnostic));
        }
    }
    let images = if found.iter().all(|found| found.any) { Vec::new() } else { images_of(set) };
    for (rule, found) in rules.iter().zip(&found) {
        warn(cx, &images, rule, found);
    }
    Ok(())
}

/// What an entry has found.
#[derive(Debug, Default)]
struct Found {
    any: bool,
    /// An image that fits only because the name is read as a regular expression.
    by_pattern: Option<String>,
    /// An image to which the suffix was added once more.
    suffixed: Option<String>,
}

fn warn(cx: &mut Context<'_>, images: &[String], rule: &ImageRule, found: &Found) {
    let image = &rule.image;
    let name = &image.name.value;
    let at = if image.name.is_empty() { image.at } else { image.name.at };
    let parts = [&image.digest, &image.new_tag, &image.tag_suffix, &image.new_name];
    if parts.iter().all(|part| part.is_empty()) {
        let message = format!("the entry says nothing that would change the image `{name}`");
        let d = Diagnostic::warning(Code::ImageNoChange, message).at(cx.span(at), "unchanged");
        cx.warn(d.help("set `newName`, `newTag`, `digest` or `tagSuffix`"));
    } else if found.any {
        cx.sink.effective(Code::ImageNoMatch, image.at);
    } else {
        let message = format!("no object has the image `{name}`");
        let d = Diagnostic::warning(Code::ImageNoMatch, message).at(cx.span(at), "not found");
        let d = match near_image(images, name) {
            Some(near) => d.help(format!("there is `{near}`")),
            None => d,
        };
        cx.warn_idle(image.at, d);
    }
    if let Some(other) = &found.by_pattern {
        let message = format!("`{name}` is read as a regular expression and fits `{other}` too");
        let d = Diagnostic::warning(Code::ImageMatchedAsPattern, message)
            .at(cx.span(at), "a pattern")
            .help(format!("write `{}`", regex_lite::escape(name)));
        cx.warn(d);
    }
    if let Some(text) = &found.suffixed {
        let message = format!("the suffix is added twice: the image becomes `{text}`");
        let d = Diagnostic::warning(Code::ImageSuffixTwice, message)
            .at(cx.span(image.tag_suffix.at), "added twice")
            .help("write the whole tag as `newTag`");
        cx.warn(d);
    }
}

/// Returns the names of the images in a set, each once.
fn images_of(set: &ResourceSet) -> Vec<String> {
    fn walk(node: &Node, out: &mut BTreeSet<String>) {
        for entry in node.entries().into_iter().flatten() {
            if entry.key.same_text(known::IMAGE) && entry.value.is_scalar() {
                out.insert(split(entry.value.text()).0.to_owned());
            }
            walk(&entry.value, out);
        }
        for element in node.elements().into_iter().flatten() {
            walk(element, out);
        }
    }
    let mut images = BTreeSet::new();
    for resource in set {
        walk(resource.node(), &mut images);
    }
    images.into_iter().collect()
}

/// Returns the image whose name is near, or ends in the same part.
fn near_image<'i>(images: &'i [String], name: &str) -> Option<&'i str> {
    let last = |image: &str| image.rsplit('/').next().map(str::to_owned);
    let same_end = || images.iter().find(|image| last(image) == last(name)).map(String::as_str);
    nearest(name, images.iter().map(String::as_str)).or_else(same_end)
}

fn is_container_list(key: crate::yaml::Key) -> bool {
    key.same_text(known::CONTAINERS) || key.same_text(known::INIT_CONTAINERS)
}

/// Finds the lists of containers below a node, as the numbers of entries and elements that lead there; the inner ones
/// first.
fn find_container_lists(node: &Node, path: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
    for (index, entry) in node.entries().into_iter().flatten().enumerate() {
        if entry.value.is_scalar() {
            continue;
        }
        path.push(index);
        find_container_lists(&entry.value, path, found);
        if is_container_list(entry.key) && entry.value.kind() == NodeKind::Sequence {
            found.push(path.clone());
        }
        path.pop();
    }
    for (index, element) in node.elements().into_iter().flatten().enumerate() {
        path.push(index);
        find_container_lists(element, path, found);
        path.pop();
    }
}

/// Returns the node that numbers of entries and elements lead to.
fn look<'n>(node: &'n Node, path: &[usize]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, &index| match node.entries() {
        Some(entries) => entries.get(index).map(|entry| &entry.value),
        None => node.elements()?.get(index),
    })
}

/// Like [`look`], to change the node.
fn follow<'n>(mut node: &'n mut Node, path: &[usize]) -> Option<&'n mut Node> {
    for &index in path {
        node = match node.kind() {
            NodeKind::Map => &mut node.entries_mut()?.get_mut(index)?.value,
            _ => node.elements_mut()?.get_mut(index)?,
        };
    }
    Some(node)
}

struct Writer<'r> {
    rule: &'r ImageRule,
    step: StepId,
    provenance: &'r mut crate::provenance::Provenance,
    writes: AliasWrites,
    found: &'r mut Found,
    /// An image was to be compared with a faulty pattern.
    is_faulty: bool,
}

impl Writer<'_> {
    /// Updates the images of the list of containers at the end of a path.
    fn containers(&mut self, root: &mut Node, path: &[usize]) -> Result<(), PathFault> {
        // Looks first, so that lists without a matching image are not copied.
        if !look(root, path)
            .into_iter()
            .filter_map(Node::elements)
            .flatten()
            .any(|container| self.rule.concerns_container(container))
        {
            return Ok(());
        }
        let Some(list) = follow(root, path) else { return Ok(()) };
        for container in list.elements_mut().into_iter().flatten() {
            require(container, NodeKind::Map)?;
            if let Some(image) = container.get_mut(known::IMAGE) {
                self.update(image)?;
            }
        }
        Ok(())
    }

    fn update(&mut self, node: &mut Node) -> Result<(), PathFault> {
        require(node, NodeKind::Scalar)?;
        let Ok(pattern) = &self.rule.pattern else {
            self.is_faulty = true;
            return Ok(());
        };
        if !pattern.is_match(node.text()) {
            return Ok(());
        }
        let text = rewrite(node.text(), &self.rule.image);
        self.note(node, &text);
        let origin = self.record(node);
        put_scalar(node, Node::untyped(text, origin), &mut self.writes)
    }

    /// Notes what the entry has found.
    fn note(&mut self, node: &Node, text: &str) {
        let (image, found) = (&self.rule.image, &mut *self.found);
        found.any = true;
        let name = split(node.text()).0;
        if found.by_pattern.is_none() && name != image.name.value {
            // A name that was written to be a pattern is no surprise.
            let meant = image.name.value.contains(['*', '+', '(', '[', '\\', '|', '^', '$', '?']);
            found.by_pattern = (!meant).then(|| name.to_owned());
        }
        // The field specification comes to an image that the walk has changed in the same step.
        let has_suffix =
            !image.tag_suffix.is_empty() && image.new_tag.is_empty() && image.digest.is_empty();
        if has_suffix && self.found.suffixed.is_none() && self.is_changed(node) {
            self.found.suffixed = Some(text.to_owned());
        }
    }

    /// Returns whether this step has written the value before.
    fn is_changed(&self, node: &Node) -> bool {
        match self.provenance.origin(node.origin()) {
            crate::provenance::Origin::Derived(derived) => derived.step == self.step,
            _ => false,
        }
    }

    /// Records what the entry says about the new text, one write for each of its parts; the one that says most comes last.
    fn record(&mut self, node: &Node) -> OriginId {
        let image = &self.rule.image;
        let (tag, digest) = (!image.new_tag.is_empty(), !image.digest.is_empty());
        let parts = [
            (&image.new_name, !image.new_name.is_empty()),
            (&image.tag_suffix, !image.tag_suffix.is_empty() && !tag && !digest),
            (&image.new_tag, tag),
            (&image.digest, digest),
        ];
        let mut recorder = Recorder::new(self.provenance, self.step);
        let mut written: Option<OriginId> = None;
        for (part, _) in parts.into_iter().filter(|(_, counts)| *counts) {
            let origin = match written {
                None => recorder.extend(part.at, node),
                Some(previous) => recorder.extend_origin(part.at, previous),
            };
            written = Some(origin);
        }
        written.unwrap_or_else(|| recorder.extend(image.at, node))
    }
}

/// Returns whether the order of two entries, each with its name and its new name, may decide what an image becomes.
pub(crate) fn may_interact(a: (&str, &str), b: (&str, &str)) -> bool {
    let concerns = |(name, _): (&str, &str), (other, new): (&str, &str)| match ImageName::new(name)
    {
        Ok(ImageName::Plain(plain)) => {
            let name = ImageName::Plain(plain);
            name.is_match(other) || !new.is_empty() && name.is_match(new)
        }
        // What else two patterns fit cannot be seen.
        _ => true,
    };
    concerns(a, b) || concerns(b, a)
}

/// The parts of an image: name, tag and digest, each perhaps empty. A port of the registry belongs to the name.
pub(crate) fn split(image: &str) -> (&str, &str, &str) {
    // A domain in front is not searched; a slash at the start is not one behind a domain.
    let start = image.find('/').filter(|&i| i > 0).unwrap_or(0);
    let rest = &image[start..];
    let (at, colon) = (rest.find('@').map(|i| i + start), rest.find(':').map(|i| i + start));
    match (at, colon) {
        (None, None) => (image, "", ""),
        (Some(at), colon) if colon.is_none_or(|colon| at < colon) => {
            (&image[..at], "", &image[at + 1..])
        }
        (Some(at), Some(colon)) => (&image[..colon], &image[colon + 1..at], &image[at + 1..]),
        (_, Some(colon)) => (&image[..colon], &image[colon + 1..], ""),
        (Some(_), None) => (image, "", ""),
    }
}

fn rewrite(image: &str, rule: &Image) -> String {
    let (name, tag, digest) = split(image);
    let name = if rule.new_name.is_empty() { name } else { rule.new_name.as_str() };
    let (tag, digest) = match (!rule.new_tag.is_empty(), !rule.digest.is_empty()) {
        (true, true) => (rule.new_tag.value.to_string(), rule.digest.as_str()),
        (true, false) => (rule.new_tag.value.to_string(), ""),
        (false, true) => (String::new(), rule.digest.as_str()),
        (false, false) if !rule.tag_suffix.is_empty() => {
            (format!("{tag}{}", rule.tag_suffix.value), "")
        }
        (false, false) => (tag.to_owned(), digest),
    };
    let mut out = name.to_owned();
    for (mark, part) in [(':', tag.as_str()), ('@', digest)] {
        if !part.is_empty() {
            out.push(mark);
            out.push_str(part);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_match_as_their_patterns_do() {
        let images = [
            "",
            "nginx",
            "nginx:1",
            "nginx:1@sha256:ab",
            "nginx@sha256:ab",
            "nginx:1:2",
            "nginx@md5:a",
            "nginxx",
            "xnginx",
            "nginx:1\n",
            "nginx\n",
            "a.b/nginx:{x}",
            "axb/nginx",
            "a\nb/nginx",
            "nginx:@sha256:",
            "h:5000/nginx:1",
        ];
        for name in ["", "nginx", "a.b/nginx", "h:5000/nginx", "nginx:1", "..nginx"] {
            let pattern = Pattern::between("^", name, AFTER_NAME).unwrap();
            let plain = ImageName::new(name).unwrap();
            assert!(matches!(plain, ImageName::Plain(_)));
            for image in images {
                assert_eq!(plain.is_match(image), pattern.is_match(image), "{name} {image:?}");
            }
        }
    }

    #[test]
    fn an_image_has_a_name_a_tag_and_a_digest() {
        assert_eq!(split("nginx"), ("nginx", "", ""));
        assert_eq!(split("nginx:1.2"), ("nginx", "1.2", ""));
        assert_eq!(split("nginx@sha256:ab"), ("nginx", "", "sha256:ab"));
        assert_eq!(split("nginx:1.2@sha256:ab"), ("nginx", "1.2", "sha256:ab"));
        assert_eq!(split("host:5000/a/nginx"), ("host:5000/a/nginx", "", ""));
        assert_eq!(split("host:5000/a/nginx:1"), ("host:5000/a/nginx", "1", ""));
    }

    #[test]
    fn new_parts_replace_tag_and_digest() {
        let rule = |tag: &str, digest: &str, suffix: &str, name: &str| {
            let text = |t: &str| crate::session::Text { value: t.into(), at: OriginId::NONE };
            Image {
                new_tag: text(tag),
                digest: text(digest),
                tag_suffix: text(suffix),
                new_name: text(name),
                ..Image::default()
            }
        };
        assert_eq!(rewrite("a:1@sha256:x", &rule("2", "", "", "")), "a:2");
        assert_eq!(rewrite("a:1", &rule("", "sha256:y", "", "b")), "b@sha256:y");
        assert_eq!(rewrite("a:1", &rule("2", "sha256:y", "", "")), "a:2@sha256:y");
        assert_eq!(rewrite("a:1@sha256:x", &rule("", "", "-s", "")), "a:1-s");
        assert_eq!(rewrite("a:1@sha256:x", &rule("", "", "", "b")), "b:1@sha256:x");
    }
}
