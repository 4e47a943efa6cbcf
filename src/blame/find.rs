//! Which object a name means.

use crate::diagnostic::nearest;
use crate::resource::{Resource, ResourceId, ResourceSet};

/// The name of an object on the command line: `KIND[.GROUP]/[NAMESPACE/]NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectName {
    kind: String,
    group: Option<String>,
    namespace: Option<String>,
    name: String,
}

/// What was found under a name.
pub(crate) enum Found<'r> {
    /// One object.
    One(&'r Resource),
    /// An object that was built and is gone.
    Removed(&'r Resource),
    /// Several objects.
    Several(Vec<&'r Resource>),
    /// None; perhaps this one was meant.
    None(Option<String>),
}

impl ObjectName {
    /// Reads a name; none if it is not written as one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('/')?;
        let (kind, group) = match kind.split_once('.') {
            Some((kind, group)) => (kind, Some(group.to_owned())),
            None => (kind, None),
        };
        let (namespace, name) = match rest.split_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
            None => (None, rest),
        };
        let is_whole = !kind.is_empty() && !name.is_empty() && !name.contains('/');
        is_whole.then(|| Self { kind: kind.to_owned(), group, namespace, name: name.to_owned() })
    }

    fn fits_kind(&self, id: &ResourceId) -> bool {
        id.gvk.kind.eq_ignore_ascii_case(&self.kind)
            && self.group.as_ref().is_none_or(|group| id.gvk.group == group.as_str())
    }

    fn fits_namespace(&self, namespace: &str) -> bool {
        let named = |text: &str| if text.is_empty() { "default" } else { text }.to_owned();
        self.namespace.as_ref().is_none_or(|wanted| named(wanted) == named(namespace))
    }

    /// Returns whether an object has exactly the group and namespace that are written, none if none are.
    fn is_exact(&self, resource: &Resource) -> bool {
        let id = resource.id();
        id.gvk.group == self.group.as_deref().unwrap_or_default()
            && id.namespace == self.namespace.as_deref().unwrap_or_default()
    }

    /// Returns how well an object fits: by its name, by that without the content hash, by one that it had before.
    fn rank(&self, resource: &Resource) -> Option<usize> {
        let id = resource.id();
        if !self.fits_kind(id) {
            return None;
        }
        let is_here = self.fits_namespace(&id.namespace);
        if is_here && id.name == self.name.as_str() {
            return Some(0);
        }
        let plain = id.name.strip_suffix(resource.hash_suffix());
        if is_here && plain.is_some_and(|plain| plain == self.name) {
            return Some(1);
        }
        let had = |previous: &crate::resource::PreviousId| {
            previous.name == self.name.as_str()
                && (is_here || self.fits_namespace(&previous.namespace))
        };
        resource.previous().iter().any(had).then_some(2)
    }
}

/// Finds the object that a name means. An object that is there wins over one that is gone.
pub(crate) fn find<'r>(set: &'r ResourceSet, wanted: &ObjectName) -> Found<'r> {
    for objects in [set.iter().as_slice(), set.removed()] {
        let is_gone = !std::ptr::eq(objects, set.iter().as_slice());
        for rank in 0..3 {
            let found: Vec<&Resource> =
                objects.iter().filter(|r| wanted.rank(r) == Some(rank)).collect();
            match (found.as_slice(), is_gone) {
                ([], _) => {}
                ([one], false) => return Found::One(one),
                // Of several that are gone the last one counts.
                ([.., last], true) => return Found::Removed(last),
                (several, false) => {
                    // What is written out is meant, even if it is the beginning of another.
                    let mut exact = several.iter().filter(|r| wanted.is_exact(r));
                    return match (exact.next(), exact.next()) {
                        (Some(one), None) => Found::One(one),
                        _ => Found::Several(found),
                    };
                }
            }
        }
    }
    Found::None(near_name(set, wanted))
}

/// Returns the object that was probably meant: of the kind and a near name, of the name and another kind, or of a near kind.
fn near_name(set: &ResourceSet, wanted: &ObjectName) -> Option<String> {
    let plain = |r: &Resource| {
        let name = r.id().name.as_str();
        name.strip_suffix(r.hash_suffix()).unwrap_or(name).to_owned()
    };
    let of_kind: Vec<(String, &Resource)> =
        set.iter().filter(|r| wanted.fits_kind(r.id())).map(|r| (plain(r), r)).collect();
    let shown = |r: &Resource| r.id().to_string();
    if let Some(near) = nearest(&wanted.name, of_kind.iter().map(|(name, _)| name.as_str())) {
        return of_kind.iter().find(|(name, _)| name == near).map(|(_, r)| shown(r));
    }
    if let Some(same) = set.iter().find(|r| plain(r) == wanted.name) {
        return Some(shown(same));
    }
    let part = of_kind
        .iter()
        .find(|(name, _)| name.contains(&wanted.name) || wanted.name.contains(name.as_str()));
    if let Some((_, near)) = part.or_else(|| of_kind.first().filter(|_| of_kind.len() == 1)) {
        return Some(shown(near));
    }
    let kinds = set.iter().map(|r| r.id().gvk.kind.as_str());
    let near = nearest(&wanted.kind, kinds)?;
    set.iter().find(|r| r.id().gvk.kind == near).map(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let parts =
            |text: &str| ObjectName::parse(text).map(|n| (n.kind, n.group, n.namespace, n.name));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parts("Deployment/web"), Some(("Deployment".into(), None, None, "web".into())));
        assert_eq!(
            parts("Deployment.apps/prod/web"),
            Some(("Deployment".into(), some("apps"), some("prod"), "web".into()))
        );
        assert_eq!(
            parts("SealedSecret.bitnami.com/a/b"),
            Some(("SealedSecret".into(), some("bitnami.com"), some("a"), "b".into()))
        );
        for bad in ["web", "/web", "Deployment/", "a/b/c/d", ""] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }
}
