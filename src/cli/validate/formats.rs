//! How findings are printed for other programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::checker::{Checked, Report, Shown, Verdict};
use crate::diagnostic::render::{RenderOptions, escaped, json_items};
use crate::diagnostic::{Code, Diagnostic, Level};
use crate::{Severity, SourceMap};

/// The page of the version of SARIF, which names its schema.
const SARIF_SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Returns findings as one JSON document, `kiln/validate/v1`.
pub(super) fn json_document(
    report: &Report,
    sources: &SourceMap,
    options: &RenderOptions<'_>,
) -> String {
    let items = items(report, sources, options);
    let findings = report.findings.iter().zip(items).map(|(one, mut item)| {
        let checked = &report.objects[one.object];
        item["object"] = json!({
            "apiVersion": checked.id.gvk.api_version().as_str(),
            "kind": checked.id.gvk.kind.as_str(),
            "namespace": checked.id.namespace.as_str(),
            "name": checked.id.name.as_str(),
        });
        if !checked.unit.is_empty() {
            item["target"] = checked.unit.as_ref().into();
        }
        item["path"] = one.path.as_str().into();
        item
    });
    let summary = &report.summary;
    let document = json!({
        "schema": "kiln/validate/v1",
        "summary": {
            "objects": summary.objects,
            "invalid": summary.invalid,
            "withoutSchema": summary.skipped,
            "skippedRules": summary.skipped_rules,
            "waived": summary.waived,
            "inBaseline": summary.known,
        },
        "findings": findings.collect::<Vec<_>>(),
        "faults": json_items(&report.faults, sources, options),
    });
    document.to_string() + "\n"
}

fn items(report: &Report, sources: &SourceMap, options: &RenderOptions<'_>) -> Vec<Value> {
    json_items(report.findings.iter().map(|one| &one.diagnostic), sources, options)
}

/// Returns findings as a log in SARIF 2.1.0, with what kept kiln from checking among the results.
pub(super) fn sarif(report: &Report, sources: &SourceMap, options: &RenderOptions<'_>) -> String {
    let diagnostics: Vec<(&Diagnostic, Option<&Shown>)> = report
        .faults
        .iter()
        .map(|fault| (fault, None))
        .chain(report.findings.iter().map(|one| (&one.diagnostic, Some(one))))
        .collect();
    let mut rules: BTreeMap<&str, Code> = BTreeMap::new();
    for (diagnostic, _) in &diagnostics {
        rules.insert(diagnostic.code.name(), diagnostic.code);
    }
    let numbers: BTreeMap<&str, usize> =
        rules.keys().enumerate().map(|(number, name)| (*name, number)).collect();
    let items = json_items(diagnostics.iter().map(|(diagnostic, _)| *diagnostic), sources, options);
    let results = diagnostics.iter().zip(items).map(|((diagnostic, shown), item)| {
        let number = numbers[diagnostic.code.name()];
        let object = shown.map(|one| (&report.objects[one.object], one.path.as_str()));
        result(diagnostic, number, &item, object)
    });
    let log = json!({
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kiln",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    });
    log.to_string() + "\n"
}

fn rule(code: Code) -> Value {
    let level = match code.default_level() {
        None | Some(Level::Deny) => "error",
        Some(Level::Warn | Level::Allow) => "warning",
    };
    json!({
        "id": code.name(),
        "shortDescription": {"text": code.meaning()},
        "help": {"text": code.page(), "markdown": code.page()},
        "defaultConfiguration": {"level": level},
    })
}

fn result(
    diagnostic: &Diagnostic,
    rule: usize,
    item: &Value,
    object: Option<(&Checked, &str)>,
) -> Value {
    let text = |name: &str| item[name].as_str().unwrap_or_default();
    let mut message = text("message").to_owned();
    if let Some(help) = item["help"].as_str() {
        let _ = write!(message, "; {help}");
    }
    let labels = item["labels"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut location = json!({});
    if let Some(first) = labels.first() {
        location["physicalLocation"] = physical(first);
    }
    let mut fingerprint = Sha256::new();
    fingerprint.update(diagnostic.code.name());
    if let Some((checked, path)) = object {
        let whole = match path {
            "" => checked.id.text(),
            path => format!("{}:{path}", checked.id.text()),
        };
        fingerprint.update(checked.unit.as_bytes());
        fingerprint.update(&whole);
        location["logicalLocations"] = json!([{"fullyQualifiedName": whole}]);
    } else {
        fingerprint.update(&message);
    }
    let digest = fingerprint.finalize();
    let mut result = json!({
        "ruleId": diagnostic.code.name(),
        "ruleIndex": rule,
        "level": diagnostic.severity.name(),
        "message": {"text": message},
        "partialFingerprints": {"kilnFinding/v1": hex(&digest)},
    });
    if location.as_object().is_some_and(|location| !location.is_empty()) {
        result["locations"] = json!([location]);
    }
    if labels.len() > 1 {
        let related = labels[1..].iter().enumerate().map(|(number, label)| {
            json!({
                "id": number,
                "physicalLocation": physical(label),
                "message": {"text": label["text"].as_str().unwrap_or_default()},
            })
        });
        result["relatedLocations"] = related.collect();
    }
    result
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn physical(label: &Value) -> Value {
    let start = |name: &str| label[name].as_u64().unwrap_or(1).max(1);
    json!({
        "artifactLocation": {"uri": uri(label["path"].as_str().unwrap_or_default())},
        "region": {
            "startLine": start("line"),
            "startColumn": start("column"),
            "endLine": start("endLine").max(start("line")),
            "endColumn": start("endColumn"),
        },
    })
}

/// Returns a path as a relative or absolute URI.
fn uri(path: &str) -> String {
    let mut out = String::new();
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A finding on one line.
struct Line {
    severity: Severity,
    code: Code,
    message: String,
    /// With its place.
    whole: String,
}

/// Returns the errors that kept something from being checked.
fn faults(report: &Report, sources: &SourceMap, options: &RenderOptions<'_>) -> Vec<Line> {
    let errors: Vec<&Diagnostic> =
        report.faults.iter().filter(|fault| fault.severity == Severity::Error).collect();
    let items = json_items(errors.iter().copied(), sources, options);
    errors.into_iter().zip(items).map(|(error, item)| Line::new(error, &item)).collect()
}

impl Line {
    fn new(diagnostic: &Diagnostic, item: &Value) -> Self {
        let mut whole = String::new();
        if let Some(place) = item["labels"].get(0) {
            let path = place["path"].as_str().unwrap_or_default();
            let _ = write!(whole, "{path}:{}:{} ", place["line"], place["column"]);
        }
        let message = item["message"].as_str().unwrap_or_default().replace('\n', " ");
        let (severity, code) = (diagnostic.severity, diagnostic.code);
        let _ = write!(whole, "{}[{code}] {message}", severity.name());
        Self { severity, code, message, whole }
    }
}

/// Returns the findings of each object.
fn lines(
    report: &Report,
    sources: &SourceMap,
    options: &RenderOptions<'_>,
) -> BTreeMap<usize, Vec<Line>> {
    let mut out: BTreeMap<usize, Vec<Line>> = BTreeMap::new();
    for (one, item) in report.findings.iter().zip(items(report, sources, options)) {
        let line = Line::new(&one.diagnostic, &item);
        out.entry(one.object).or_default().push(line);
    }
    out
}

/// Returns the objects as test cases in the format of JUnit, a suite for each target.
pub(super) fn junit(report: &Report, sources: &SourceMap, options: &RenderOptions<'_>) -> String {
    let lines = lines(report, sources, options);
    let faults = faults(report, sources, options);
    let mut suites: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, checked) in report.objects.iter().enumerate() {
        suites.entry(&checked.unit).or_default().push(index);
    }
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"kiln validate\">\n",
    );
    for (unit, objects) in suites {
        let count =
            |verdict| objects.iter().filter(|i| report.objects[**i].verdict == verdict).count();
        let name = if unit.is_empty() { "files" } else { unit };
        let (tests, failures, skipped) =
            (objects.len(), count(Verdict::Invalid), count(Verdict::Skipped));
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">",
            attribute(name)
        );
        for index in objects {
            let checked = &report.objects[index];
            let found = lines.get(&index).map(Vec::as_slice).unwrap_or_default();
            case(checked, found, &mut out);
        }
        out.push_str("  </testsuite>\n");
    }
    if !faults.is_empty() {
        let count = faults.len();
        let _ = writeln!(
            out,
            "  <testsuite name=\"kiln\" tests=\"{count}\" failures=\"0\" errors=\"{count}\" skipped=\"0\">"
        );
        for line in &faults {
            let (code, message, whole) =
                (line.code, attribute(&line.message), attribute(&line.whole));
            let _ = writeln!(
                out,
                "    <testcase classname=\"kiln\" name=\"{message}\">\n      \
                 <error type=\"{code}\" message=\"{message}\">{whole}</error>\n    </testcase>"
            );
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(checked: &Checked, found: &[Line], out: &mut String) {
    let (name, kind) = (attribute(&checked.id.text()), attribute(&checked.id.gvk.kind));
    let _ = write!(out, "    <testcase classname=\"{kind}\" name=\"{name}\"");
    if found.is_empty() && checked.verdict == Verdict::Valid {
        out.push_str("/>\n");
        return;
    }
    out.push_str(">\n");
    let (errors, warnings): (Vec<_>, Vec<_>) =
        found.iter().partition(|line| line.severity == Severity::Error);
    for line in errors {
        let (code, message, whole) = (line.code, attribute(&line.message), attribute(&line.whole));
        let _ =
            writeln!(out, "      <failure type=\"{code}\" message=\"{message}\">{whole}</failure>");
    }
    if checked.verdict == Verdict::Skipped {
        out.push_str("      <skipped message=\"no schema is known\"/>\n");
    }
    if !warnings.is_empty() {
        let lines: Vec<String> = warnings.iter().map(|line| attribute(&line.whole)).collect();
        let _ = writeln!(out, "      <system-out>{}</system-out>", lines.join("\n"));
    }
    out.push_str("    </testcase>\n");
}

/// Returns text for an attribute in XML, whose lines would otherwise be joined.
fn attribute(text: &str) -> String {
    escaped(text).replace('\n', "&#10;")
}

/// Returns the objects as tests in the Test Anything Protocol, version 13.
pub(super) fn tap(report: &Report, sources: &SourceMap, options: &RenderOptions<'_>) -> String {
    let lines = lines(report, sources, options);
    let faults = faults(report, sources, options);
    let count = report.objects.len() + faults.len();
    let mut out = format!("TAP version 13\n1..{count}\n");
    for (index, checked) in report.objects.iter().enumerate() {
        let number = index + 1;
        let inside =
            if checked.unit.is_empty() { String::new() } else { format!(" in {}", checked.unit) };
        // A `#` would begin a directive.
        let name = format!("{}{inside}", checked.id.text()).replace('#', "\\#");
        let (status, directive) = match checked.verdict {
            Verdict::Valid => ("ok", ""),
            Verdict::Invalid => ("not ok", ""),
            Verdict::Skipped => ("ok", " # SKIP no schema is known"),
        };
        let _ = writeln!(out, "{status} {number} - {name}{directive}");
        for line in lines.get(&index).into_iter().flatten() {
            let _ = writeln!(out, "# {}", line.whole);
        }
    }
    for (index, line) in faults.iter().enumerate() {
        let number = report.objects.len() + index + 1;
        let _ = writeln!(out, "not ok {number} - {}\n# {}", line.code, line.whole);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_texts_are_escaped() {
        assert_eq!(uri("a b/c#d.yaml"), "a%20b/c%23d.yaml");
        assert_eq!(uri("/x/é"), "file:///x/%C3%A9");
        assert_eq!(attribute("a<b\n\u{1}"), "a&lt;b&#10;\u{fffd}");
    }
}
