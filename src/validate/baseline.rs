//! The findings that a team knows of and has not yet dealt with.
//!
//! A baseline is a JSON document, `{"schema": "kiln/baseline/v1", "findings": […]}`, one finding on a line:
//! `{"code": …, "object": "KIND.GROUP/NAMESPACE/NAME", "path": …, "in": [environment, …]}`. Names are without content hash, and there are
//! no line numbers, so that unrelated changes do not touch it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use super::fields::child;
use crate::diagnostic::{Code, Diagnostic};
use crate::provenance::OriginId;
use crate::resource::{ReadFault, read_documents};
use crate::session::Context;
use crate::source::SourceFile;
use crate::yaml::Node;

/// What a baseline says it is.
const SCHEMA: &str = "kiln/baseline/v1";

/// A finding, as a baseline knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// The environment or directory; empty for plain files.
    pub(crate) unit: String,
    /// As `KIND.GROUP/NAMESPACE/NAME`.
    pub(crate) object: String,
    /// The field, as findings show it.
    pub(crate) path: String,
    pub(crate) code: Code,
}

/// A baseline that was read.
#[derive(Debug, Default)]
pub(crate) struct Baseline {
    entries: HashMap<Entry, OriginId>,
    used: Mutex<HashSet<Entry>>,
}

impl Baseline {
    /// Reads a baseline. Codes that this version does not know are left out: what they are about is not found either.
    pub(crate) fn read(cx: &Context<'_>, file: &SourceFile) -> Result<Self, Box<Diagnostic>> {
        let fault = |fault| Box::new(cx.read_fault_diagnostic(&fault, file));
        let text = std::str::from_utf8(file.bytes())
            .map_err(|error| fault(ReadFault::NotUtf8(error.valid_up_to())))?;
        let documents = read_documents(text, file.base())
            .map_err(|(error, at)| fault(ReadFault::Syntax(error, at)))?;
        let invalid = |at: OriginId| {
            let message =
                format!("this is no baseline: expected `\"schema\": \"{SCHEMA}\"` and `findings`");
            let d = Diagnostic::error(Code::BaselineInvalid, message).at(cx.span(at), "here");
            Box::new(d.help("write it anew with `kiln validate --write-baseline`"))
        };
        let start = OriginId::written(file.base());
        let root = documents.first().ok_or_else(|| invalid(start))?;
        let findings = child(root, "findings").and_then(Node::elements);
        let is_ours = child(root, "schema").is_some_and(|schema| schema.text() == SCHEMA);
        let findings = findings.filter(|_| is_ours).ok_or_else(|| invalid(root.origin()))?;
        let mut entries = HashMap::new();
        for finding in findings {
            let text = |name| child(finding, name).map(|node| node.text().to_owned());
            let (Some(code), Some(object), Some(path)) =
                (text("code"), text("object"), text("path"))
            else {
                return Err(invalid(finding.origin()));
            };
            let Some(code) = Code::from_name(&code) else { continue };
            let units = child(finding, "in").and_then(Node::elements);
            let units: Vec<String> = match units {
                Some(units) => units.iter().map(|unit| unit.text().to_owned()).collect(),
                None => vec![String::new()],
            };
            for unit in units {
                let entry = Entry { unit, object: object.clone(), path: path.clone(), code };
                entries.insert(entry, finding.origin());
            }
        }
        Ok(Self { entries, used: Mutex::default() })
    }

    /// Returns whether the baseline has a finding.
    pub(crate) fn has(&self, entry: &Entry) -> bool {
        let found = self.entries.contains_key(entry);
        if found {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(entry.clone());
        }
        found
    }

    /// Returns the entries of other units than these.
    pub(crate) fn of_others(&self, units: &BTreeSet<String>) -> impl Iterator<Item = Entry> {
        let mut others: Vec<Entry> =
            self.entries.keys().filter(|entry| !units.contains(&entry.unit)).cloned().collect();
        others.sort_unstable();
        others.into_iter()
    }

    /// Warns of what is no longer found in these units.
    pub(crate) fn stale(&self, cx: &Context<'_>, units: &BTreeSet<String>) -> Vec<Diagnostic> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let is_stale = |entry: &&Entry| units.contains(&entry.unit) && !used.contains(*entry);
        let mut stale: Vec<&Entry> = self.entries.keys().filter(is_stale).collect();
        stale.sort_unstable();
        let warning = |entry: &Entry| {
            let inside =
                if entry.unit.is_empty() { String::new() } else { format!(" in `{}`", entry.unit) };
            let message =
                format!("`{}` is no longer found in {}{inside}", entry.code, entry.object);
            Diagnostic::warning(Code::BaselineStale, message)
                .at(self.entries.get(entry).and_then(|at| cx.span(*at)), "this entry")
                .help("remove the entry, or write the baseline anew with `kiln validate --write-baseline`")
        };
        stale.into_iter().map(warning).collect()
    }
}

/// Returns findings as the text of a baseline.
pub(crate) fn written(entries: impl IntoIterator<Item = Entry>) -> String {
    let mut units: BTreeMap<(String, String, &str), BTreeSet<String>> = BTreeMap::new();
    for entry in entries {
        let key = (entry.object, entry.path, entry.code.name());
        units.entry(key).or_default().insert(entry.unit);
    }
    let mut out = format!("{{\n\"schema\": \"{SCHEMA}\",\n\"findings\": [");
    for (index, ((object, path, code), units)) in units.into_iter().enumerate() {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        let (code, object, path) = (quoted(code), quoted(&object), quoted(&path));
        let _ = write!(out, "{{\"code\": {code}, \"object\": {object}, \"path\": {path}");
        if units.iter().any(|unit| !unit.is_empty()) {
            let units: Vec<String> = units.iter().map(|unit| quoted(unit)).collect();
            let _ = write!(out, ", \"in\": [{}]", units.join(", "));
        }
        out.push('}');
    }
    out.push_str("\n]\n}\n");
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::{BuildOptions, MemoryReader, Session};

    fn entry(unit: &str, path: &str) -> Entry {
        let object = "Deployment.apps/shop/web".to_owned();
        Entry {
            unit: unit.to_owned(),
            object,
            path: path.to_owned(),
            code: Code::SchemaUnknownField,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let text = written([
            entry("prod", "spec.a[\"x\"]"),
            entry("dev", "spec.a[\"x\"]"),
            entry("", "spec.b"),
        ]);
        assert_eq!(text.lines().count(), 7, "{text}");
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        let mut reader = MemoryReader::new();
        reader.insert("/b.json", text.as_str());
        let session = Session::new(&reader);
        let options = BuildOptions::default();
        let cx = Context::new(&session, &options);
        let file: Arc<SourceFile> = session.file(Path::new("/b.json")).unwrap();
        let baseline = Baseline::read(&cx, &file).unwrap();
        assert!(baseline.has(&entry("dev", "spec.a[\"x\"]")) && baseline.has(&entry("", "spec.b")));
        assert!(!baseline.has(&entry("", "spec.a[\"x\"]")));
        let of =
            |units: &[&str]| units.iter().map(|unit| (*unit).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(baseline.stale(&cx, &of(&["dev", ""])), []);
        let stale = baseline.stale(&cx, &of(&["prod"]));
        assert_eq!(stale.len(), 1);
        assert_eq!(
            stale[0].message,
            "`schema::unknown-field` is no longer found in Deployment.apps/shop/web in `prod`"
        );
        assert_eq!(baseline.of_others(&of(&["dev", ""])).count(), 1);
    }
}
