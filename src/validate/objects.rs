//! One object: its type, its name, and everything in it.

use super::custom::Custom;
use super::fields::field;
use super::formats;
use super::report::{Path, Report};
use super::structure::{Structure, is_null, is_placeholder, shortened};
use super::{Checked, Rules, kind_name};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::resource::Gvk;
use crate::schema::{CrdState, CrdVersion, Known, Kubernetes, retirement};
use crate::yaml::{Node, known};

/// The longest name of a CronJob, in bytes: its Jobs append eleven to it.
const MAX_CRON_JOB_NAME: usize = 52;

/// What the name of an object must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameRule {
    Subdomain,
    Label,
    Label1035,
    PathSegment,
}

impl NameRule {
    fn of(gvk: &Gvk) -> Self {
        match (gvk.group.as_str(), gvk.kind.as_str()) {
            ("", "Namespace") => Self::Label,
            ("", "Service") => Self::Label1035,
            ("rbac.authorization.k8s.io", _) => Self::PathSegment,
            _ => Self::Subdomain,
        }
    }

    fn fits(self, name: &str) -> bool {
        match self {
            Self::Subdomain => formats::is_dns_subdomain(name),
            Self::Label => formats::is_dns_label(name),
            Self::Label1035 => formats::is_dns_1035_label(name),
            Self::PathSegment => formats::is_path_segment(name),
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Subdomain => "a DNS name: lower-case letters, digits, `-` and `.`",
            Self::Label => "at most 63 lower-case letters, digits and `-`",
            Self::Label1035 => "at most 63 lower-case letters, digits and `-`, a letter first",
            Self::PathSegment => "without `/` and `%`, and not `.` or `..`",
        }
    }
}

/// Checks an object against its type.
pub(super) fn check(rules: &Rules, object: &Node) -> Checked {
    let gvk = Gvk::of(object);
    let mut report = Report::default();
    let mut checked = Checked::default();
    if let Some(name) = served_type(rules, &gvk, object, &mut report) {
        Structure::new(&rules.types, &mut report, object).check_type(
            name,
            object,
            &mut Path::default(),
        );
        check_name(&gvk, object, &mut report);
        check_selector(object, &mut report);
    } else if let Some(version) = rules.crds.get(&gvk) {
        check_version(rules, &gvk, version, object, &mut report);
        match &version.schema {
            Some(schema) => {
                let mut custom = Custom::new(&rules.types, &mut report, version.keeps_unknown);
                custom.check_object(schema, object);
                checked.skipped_rules = custom.skipped_rules;
                if let Some(release) = version.release {
                    add_release(release, &mut report);
                }
            }
            None => checked.unknown_kind = Some(kind_name(&gvk)),
        }
        check_name(&gvk, object, &mut report);
    } else if report.found.is_empty() {
        checked.unknown_kind = Some(kind_name(&gvk));
    }
    rules.policy.check(object, &mut report);
    checked.found = report.found;
    checked
}

/// Returns the name of the type of an object of Kubernetes; reports versions that are not served.
fn served_type(
    rules: &Rules,
    gvk: &Gvk,
    object: &Node,
    report: &mut Report,
) -> Option<&'static str> {
    let api_version = gvk.api_version();
    let at = object.get(known::API_VERSION).map_or(object.origin(), Node::origin);
    let minor = rules.types.minor();
    let what = format!("`{}` of `{api_version}`", gvk.kind);
    let retirement = retirement(&api_version, &gvk.kind);
    let replacement = |retirement: Option<crate::schema::Retirement>| {
        let named = retirement.and_then(|retirement| retirement.replacement);
        let served = || rules.types.versions_of(&gvk.group, &gvk.kind).into_iter().next();
        named.or_else(served).map(|version| match version.split_once(':') {
            Some((version, kind)) => format!("use `{kind}` of `{version}`"),
            None => format!("use `{version}`"),
        })
    };
    let mut push = |d: Diagnostic, help: Option<String>| {
        let d = match help {
            Some(help) => d.help(help),
            None => d,
        };
        report.push("apiVersion".to_owned(), at, d);
    };
    match rules.types.kind(&api_version, &gvk.kind) {
        Known::Served(name) => {
            if let Some(retirement) = retirement.filter(|r| r.deprecated <= minor) {
                let end = match retirement.removed {
                    Some(removed) => format!(", and gone from 1.{removed} on"),
                    None => String::new(),
                };
                let message = format!(
                    "{what} is deprecated since Kubernetes 1.{}{end}",
                    retirement.deprecated
                );
                let d = Diagnostic::warning(Code::SchemaDeprecatedVersion, message);
                push(d, replacement(Some(retirement)));
            }
            Some(name)
        }
        Known::Elsewhere { before, after } => {
            let message = match (before, after) {
                (Some(last), _) => format!("{what} is not served since Kubernetes 1.{}", last + 1),
                (None, Some(first)) => {
                    format!("{what} is served from Kubernetes 1.{first} on, not by 1.{minor}")
                }
                (None, None) => format!("{what} is not served by Kubernetes 1.{minor}"),
            };
            push(Diagnostic::error(Code::SchemaRemovedVersion, message), replacement(retirement));
            None
        }
        Known::Unknown => {
            if let Some(retirement) = retirement {
                let message = match retirement.removed {
                    Some(removed) => format!("{what} is not served since Kubernetes 1.{removed}"),
                    None => format!("{what} is not served by Kubernetes 1.{minor}"),
                };
                push(
                    Diagnostic::error(Code::SchemaRemovedVersion, message),
                    replacement(Some(retirement)),
                );
            } else if Kubernetes::serves_group(&gvk.group) && rules.crds.get(gvk).is_none() {
                let versions = rules.types.versions_of(&gvk.group, &gvk.kind);
                let message = format!("Kubernetes has no {what}");
                let help = match versions.first() {
                    Some(version) => Some(format!("use `{version}`")),
                    None => {
                        let kinds = Kubernetes::kinds_of(&gvk.group);
                        nearest(&gvk.kind, kinds).map(|near| format!("did you mean `{near}`?"))
                    }
                };
                push(Diagnostic::error(Code::SchemaNoSuchKind, message), help);
            }
            None
        }
    }
}

/// Says by which release a field is unknown: that in the cluster may be another one.
fn add_release(release: &str, report: &mut Report) {
    for found in &mut report.found {
        let d = &mut found.diagnostic;
        if d.code == Code::SchemaUnknownField && d.help.is_none() {
            let help = format!(
                "{release} does not have it; `kiln schema import` adds the definition of another release"
            );
            d.help = Some(help);
        }
    }
}

fn check_version(
    rules: &Rules,
    gvk: &Gvk,
    version: &CrdVersion,
    object: &Node,
    report: &mut Report,
) {
    let at = object.get(known::API_VERSION).map_or(object.origin(), Node::origin);
    let what = format!("`{}` of `{}`", gvk.kind, gvk.api_version());
    let by = version.release.unwrap_or("its definition");
    let d = match version.state {
        CrdState::Served => return,
        CrdState::NotServed => {
            Diagnostic::error(Code::SchemaRemovedVersion, format!("{what} is not served by {by}"))
        }
        CrdState::Deprecated => Diagnostic::warning(
            Code::SchemaDeprecatedVersion,
            format!("{what} is deprecated by {by}"),
        ),
        // The cluster may have an older release.
        CrdState::Gone => Diagnostic::warning(
            Code::SchemaDeprecatedVersion,
            format!("{what} is no longer served by {by}"),
        ),
    };
    let versions = rules.crds.versions_of(&gvk.group, &gvk.kind);
    let other = versions.into_iter().find(|other| *other != gvk.version);
    let d = match other {
        Some(other) => d.help(format!("use `{}/{other}`", gvk.group)),
        None => d,
    };
    report.push("apiVersion".to_owned(), at, d);
}

fn check_name(gvk: &Gvk, object: &Node, report: &mut Report) {
    let metadata = object.get(known::METADATA).filter(|metadata| !is_null(metadata));
    let given = |name| {
        let value = metadata.and_then(|metadata| field(metadata, &[name]));
        value.filter(|value| value.is_scalar() && !value.text().is_empty())
    };
    let Some(name) = given("name") else {
        // A review is an answer, and has no name.
        let is_nameless = given("generateName").is_some() || gvk.kind.ends_with("Review");
        if !is_nameless {
            let at = metadata.unwrap_or(object).origin();
            let mut path = Path::default();
            path.push_key("metadata");
            report.missing(&path, "name", at);
        }
        return;
    };
    if is_placeholder(name) {
        return;
    }
    let text = name.text();
    let mut path = Path::default();
    path.push_key("metadata");
    path.push_key("name");
    let rule = NameRule::of(gvk);
    if !rule.fits(text) {
        let message = format!("must be {}, not `{}`", rule.expected(), shortened(text));
        report.invalid(&path, name.origin(), &message, None);
    } else if gvk.kind == "CronJob" && gvk.group == "batch" && text.len() > MAX_CRON_JOB_NAME {
        let message =
            format!("must have at most {MAX_CRON_JOB_NAME} characters, not {}", text.len());
        report.invalid(&path, name.origin(), &message, None);
    }
}

/// A workload's selector must fit the labels of its own pods.
fn check_selector(object: &Node, report: &mut Report) {
    let kind = object.get(known::KIND).map_or("", Node::text);
    if !matches!(kind, "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet") {
        return;
    }
    let Some(wanted) = field(object, &["spec", "selector", "matchLabels"]).and_then(Node::entries)
    else {
        return;
    };
    let Some(template) = field(object, &["spec", "template"]) else { return };
    let labels = field(template, &["metadata", "labels"]);
    for entry in wanted {
        let key = entry.key.text();
        let own = labels.and_then(|labels| field(labels, &[key]));
        if own.is_some_and(|own| own.text() == entry.value.text()) || is_placeholder(&entry.value) {
            continue;
        }
        let mut path = Path::default();
        for part in ["spec", "selector", "matchLabels"] {
            path.push_key(part);
        }
        let message = match own {
            Some(own) => format!("is `{}`, and the pods have `{}`", entry.value.text(), own.text()),
            None => format!("is `{}`, and the pods have no such label", entry.value.text()),
        };
        report.invalid_field(&path, key, entry.value.origin(), &message);
    }
}
