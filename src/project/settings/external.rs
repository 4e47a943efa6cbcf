//! What the project says to exist outside: `KIND[.GROUP]/[NAMESPACE/]NAME`, with `*` for any characters.

use super::Glob;

/// One entry of `validate.external`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct External {
    kind: Glob,
    /// The kind is followed by its group.
    has_group: bool,
    namespace: Glob,
    name: Glob,
}

impl External {
    /// Reads an entry; none if it has not two or three parts.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let (kind, namespace, name) = match parts[..] {
            [kind, name] => (kind, "*", name),
            [kind, namespace, name] => (kind, namespace, name),
            _ => return None,
        };
        let is_empty = [kind, namespace, name].iter().any(|part| part.is_empty());
        (!is_empty).then(|| Self {
            kind: Glob::new(kind),
            has_group: kind.contains('.'),
            namespace: Glob::new(namespace),
            name: Glob::new(name),
        })
    }

    /// Returns whether the entry is about an object. Where the namespace is not known, and so empty, any will do.
    pub(crate) fn covers(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let kind = if self.has_group {
            self.kind.is_match(&format!("{kind}.{group}"))
        } else {
            self.kind.is_match(kind)
        };
        kind && (namespace.is_empty() || self.namespace.is_match(namespace))
            && self.name.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use super::External;

    #[test]
    fn entries_cover_kinds_namespaces_and_names() {
        let covers = |entry: &str, group: &str, kind: &str, namespace: &str, name: &str| {
            External::parse(entry).unwrap().covers(group, kind, namespace, name)
        };
        assert!(covers("Secret/regcred", "", "Secret", "shop", "regcred"));
        assert!(!covers("Secret/regcred", "", "Secret", "shop", "regcred-2"));
        let istio = "Service/istio-system/*";
        assert!(covers(istio, "", "Service", "istio-system", "gateway"));
        assert!(!covers(istio, "", "Service", "shop", "gateway"));
        assert!(covers(istio, "", "Service", "", "gateway"), "it may be there");
        assert!(!covers("Secret/*", "", "Service", "shop", "gateway"));
        let group = "networking.istio.io";
        assert!(covers("Gateway/*/main", group, "Gateway", "shop", "main"));
        assert!(covers("Gateway.networking.istio.io/main", group, "Gateway", "shop", "main"));
        assert!(!covers("Gateway.gateway.networking.k8s.io/main", group, "Gateway", "a", "main"));
        for entry in ["regcred", "Secret/", "/regcred", "Secret/a/b/c", "Secret//regcred", ""] {
            assert!(External::parse(entry).is_none(), "{entry}");
        }
    }
}
