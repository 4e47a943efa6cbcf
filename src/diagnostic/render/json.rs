//! One JSON document, `kiln/diagnostics/v1`; see `docs/diagnostics.md`.

use serde::Serialize;

use super::{Place, Position, RenderOptions, Viewer};
use crate::diagnostic::Diagnostic;
use crate::source::SourceMap;

#[derive(Serialize)]
struct Report<'v> {
    schema: &'static str,
    diagnostics: Vec<Item<'v>>,
}

#[derive(Serialize)]
struct Item<'v> {
    code: &'static str,
    severity: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// The place at fault first.
    labels: Vec<Label>,
    trace: Vec<Step<'v>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Label {
    path: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: String,
}

#[derive(Serialize)]
struct Step<'v> {
    path: String,
    line: u32,
    column: u32,
    what: &'v str,
}

impl From<Place> for Label {
    fn from(place: Place) -> Self {
        let Position { path, line, column } = place.position;
        let Position { line: end_line, column: end_column, .. } = place.end_position;
        Self { path, line, column, end_line, end_column, text: place.text }
    }
}

fn item<'d>(viewer: &mut Viewer<'_>, diagnostic: &'d Diagnostic) -> Item<'d> {
    let view = viewer.view(diagnostic);
    let steps = view.trace.into_iter();
    Item {
        code: diagnostic.code.name(),
        severity: diagnostic.severity.name(),
        message: view.message,
        help: view.help,
        labels: view.places.into_iter().map(Label::from).collect(),
        trace: steps
            .map(|(Position { path, line, column }, what)| Step { path, line, column, what })
            .collect(),
    }
}

/// Returns each diagnostic as a JSON object, as in [`json`].
pub(crate) fn json_items<'d>(
    diagnostics: impl IntoIterator<Item = &'d Diagnostic>,
    sources: &SourceMap,
    options: &RenderOptions<'_>,
) -> Vec<serde_json::Value> {
    let mut viewer = Viewer::new(sources, options);
    let value =
        |diagnostic| serde_json::to_value(item(&mut viewer, diagnostic)).unwrap_or_default();
    diagnostics.into_iter().map(value).collect()
}

/// Returns diagnostics as one JSON document on one line.
pub fn json(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    options: &RenderOptions<'_>,
) -> String {
    let mut viewer = Viewer::new(sources, options);
    let items = diagnostics.iter().map(|diagnostic| item(&mut viewer, diagnostic)).collect();
    let report = Report { schema: "kiln/diagnostics/v1", diagnostics: items };
    // Strings and numbers always have a JSON form.
    serde_json::to_string(&report).unwrap_or_default() + "\n"
}
