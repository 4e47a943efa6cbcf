//! A comparison as text: one file for each format.
//!
//! Values of Secrets are shown as their size ([`Look::show_secrets`]). Nothing here knows the terminal.

mod html;
mod human;
mod json;
mod markdown;
mod rows;
mod unified;
mod value;

use super::{Change, Changed, Comparison, Edit, Fate, Impact, ResourceChange};

pub(crate) use html::html;
pub(crate) use human::human;
pub(crate) use json::json;
pub(crate) use markdown::markdown;
pub(crate) use unified::unified;

/// One of the two sides.
#[derive(Clone, Debug, Default)]
pub(crate) struct SideName {
    /// What the user calls it.
    pub(crate) name: String,
    /// The commit, if it is one.
    pub(crate) revision: Option<String>,
}

impl SideName {
    /// Returns the name, with the beginning of the commit if that is another text.
    pub(crate) fn text(&self) -> String {
        const DIGITS: usize = 10;
        match &self.revision {
            Some(revision) if !revision.starts_with(&self.name) => {
                format!("{} ({})", self.name, revision.get(..DIGITS).unwrap_or(revision))
            }
            _ => self.name.clone(),
        }
    }
}

/// What became of an environment.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Both sides have it.
    Compared(Comparison),
    /// Only the second side has it.
    Created(Comparison),
    /// Only the first side has it.
    Deleted(Comparison),
    /// A side does not compile.
    Failed {
        /// The name of the side.
        side: String,
        /// The first fault: its code and its message.
        code: String,
        /// The message.
        message: String,
    },
}

impl Outcome {
    /// Returns what differs; nothing if it could not be compared.
    pub(crate) fn comparison(&self) -> Option<&Comparison> {
        match self {
            Self::Compared(comparison) | Self::Created(comparison) | Self::Deleted(comparison) => {
                Some(comparison)
            }
            Self::Failed { .. } => None,
        }
    }
}

/// An environment, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct EnvironmentReport {
    pub(crate) name: String,
    /// Its directory, as it is shown.
    pub(crate) path: String,
    /// Its name on the first side, if that was another.
    pub(crate) was: Option<String>,
    pub(crate) outcome: Outcome,
}

impl EnvironmentReport {
    /// Returns whether there is nothing to report.
    pub(crate) fn is_same(&self) -> bool {
        self.was.is_none() && self.has_same_objects()
    }

    fn has_same_objects(&self) -> bool {
        matches!(&self.outcome, Outcome::Compared(comparison) if comparison.is_empty())
    }

    fn status(&self) -> &'static str {
        match &self.outcome {
            Outcome::Compared(_) if self.is_same() => "same",
            Outcome::Compared(_) if self.has_same_objects() => "renamed",
            Outcome::Compared(_) => "changed",
            Outcome::Created(_) => "created",
            Outcome::Deleted(_) => "deleted",
            Outcome::Failed { .. } => "failed",
        }
    }

    /// Returns what is said about the environment as a whole.
    fn summary(&self) -> String {
        match &self.outcome {
            Outcome::Compared(comparison) if comparison.is_empty() => "the same objects".to_owned(),
            Outcome::Compared(comparison) => Counts::of(comparison).text(),
            Outcome::Created(comparison) => format!("created, {}", objects(comparison)),
            Outcome::Deleted(comparison) => format!("deleted, {}", objects(comparison)),
            Outcome::Failed { side, code, message } => {
                format!("not compared: {side} does not compile: [{code}] {message}")
            }
        }
    }
}

fn objects(comparison: &Comparison) -> String {
    match comparison.resources.len() {
        1 => "1 object".to_owned(),
        count => format!("{count} objects"),
    }
}

/// All that is reported.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) from: SideName,
    pub(crate) to: SideName,
    pub(crate) environments: Vec<EnvironmentReport>,
}

impl Report {
    /// Returns whether the sides are the same everywhere.
    pub(crate) fn is_same(&self) -> bool {
        self.environments.iter().all(EnvironmentReport::is_same)
    }

    /// Returns how many environments differ, and how.
    fn summary(&self) -> String {
        let (different, all) = (self.different().count(), self.environments.len());
        let counts = Counts::of_all(self).text();
        match (different, all) {
            (0, 0) => "There is no environment.".to_owned(),
            (0, 1) => "No difference.".to_owned(),
            (0, _) => format!("No difference in {all} environments."),
            (_, 1) => counts,
            (1, _) => format!("1 of {all} environments differs: {counts}"),
            _ => format!("{different} of {all} environments differ: {counts}"),
        }
    }

    fn different(&self) -> impl Iterator<Item = &EnvironmentReport> {
        self.environments.iter().filter(|environment| !environment.is_same())
    }
}

/// How a report looks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    pub(crate) color: bool,
    /// Secrets are shown as they are.
    pub(crate) show_secrets: bool,
    /// Nothing is folded: every edit that a content hash causes is listed, and every object that comes or goes in full.
    pub(crate) raw: bool,
}

/// How many objects changed, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) changed: usize,
    pub(crate) created: usize,
    pub(crate) deleted: usize,
    pub(crate) rolls_pods: usize,
    pub(crate) replace: usize,
    /// Environments that could not be compared.
    pub(crate) failed: usize,
    /// Environments whose objects stand in another order.
    pub(crate) reordered: usize,
}

impl Counts {
    fn of(comparison: &Comparison) -> Self {
        let mut counts = Self { reordered: usize::from(comparison.reordered), ..Self::default() };
        for change in &comparison.resources {
            match change.fate {
                Fate::Changed(_) => counts.changed += 1,
                Fate::Created(_) => counts.created += 1,
                Fate::Deleted(_) => counts.deleted += 1,
            }
            match change.impact {
                Impact::RollsPods => counts.rolls_pods += 1,
                Impact::Replace => counts.replace += 1,
                Impact::None | Impact::Create | Impact::Delete => {}
            }
        }
        counts
    }

    /// Returns the counts of all environments together.
    fn of_all(report: &Report) -> Self {
        let mut all = Self::default();
        for environment in &report.environments {
            let Some(comparison) = environment.outcome.comparison() else {
                all.failed += 1;
                continue;
            };
            let one = Self::of(comparison);
            all.reordered += one.reordered;
            all.changed += one.changed;
            all.created += one.created;
            all.deleted += one.deleted;
            all.rolls_pods += one.rolls_pods;
            all.replace += one.replace;
        }
        all
    }

    /// Returns the counts in words: `2 changed, 1 created; 1 rolls pods`.
    fn text(self) -> String {
        let listed = |counts: &[(usize, &str)]| {
            let parts: Vec<String> = counts
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}"))
                .collect();
            parts.join(", ")
        };
        let fates = listed(&[
            (self.changed, "changed"),
            (self.created, "created"),
            (self.deleted, "deleted"),
            (self.failed, "not compared"),
        ]);
        let rolls = if self.rolls_pods == 1 { "rolls pods" } else { "roll pods" };
        let replace = if self.replace == 1 { "has to be replaced" } else { "have to be replaced" };
        let impacts = listed(&[(self.rolls_pods, rolls), (self.replace, replace)]);
        match (fates.is_empty(), impacts.is_empty()) {
            (true, _) if self.reordered > 0 => "the order of the objects".to_owned(),
            (true, _) => "no object".to_owned(),
            (false, true) => fates,
            (false, false) => format!("{fates}; {impacts}"),
        }
    }
}

/// Returns the edits that are listed.
fn listed<'c>(changed: &'c Changed, look: &Look) -> &'c [Edit] {
    if look.raw { &changed.edits } else { &changed.own_edits }
}

/// Returns the objects that are reported on their own. What is left of an object that only follows another name is told at
/// that name.
fn reported<'c>(
    comparison: &'c Comparison,
    look: &Look,
) -> impl Iterator<Item = &'c ResourceChange> {
    let raw = look.raw;
    comparison.resources.iter().filter(move |change| raw || !change.is_folded())
}

/// Returns what is said about another content hash: `content hash 8h6ft5mg26 → 2bt9k7dfc4, rolls Deployment/web`.
fn hash_text(changed: &Changed) -> Option<String> {
    let hash = changed.hash.as_ref()?;
    let plain = changed.new.id.name.as_str();
    let own = |name: &str| {
        let rest = name.strip_prefix(plain).map(|rest| rest.trim_start_matches('-'));
        rest.filter(|rest| !rest.is_empty()).unwrap_or("none").to_owned()
    };
    let mut text = format!("content hash {} → {}", own(&hash.from), own(&hash.to));
    let names = |ids: &[super::ObjectId]| {
        ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    if !hash.rolls.is_empty() {
        text.push_str(", rolls ");
        text.push_str(&names(&hash.rolls));
    }
    if !hash.named_by.is_empty() {
        text.push_str(", named by ");
        text.push_str(&names(&hash.named_by));
    }
    Some(text)
}

/// Returns what is said behind the name of an object: its impact, where it comes from, its content hash.
fn notes(change: &ResourceChange) -> Vec<String> {
    let mut notes = Vec::new();
    match &change.fate {
        Fate::Created(_) => notes.extend(
            change
                .renamed
                .as_ref()
                .map(|other| format!("renamed from {}", super::rename::text(&change.id, other))),
        ),
        Fate::Deleted(_) => notes.extend(
            change
                .renamed
                .as_ref()
                .map(|other| format!("renamed to {}", super::rename::text(&change.id, other))),
        ),
        Fate::Changed(changed) => {
            if change.impact != Impact::None {
                notes.push(change.impact.text().to_owned());
            }
            notes.extend(hash_text(changed));
        }
    }
    notes
}

/// The sign of what became of an object.
fn sign(fate: &Fate) -> char {
    match fate {
        Fate::Created(_) => '+',
        Fate::Deleted(_) => '-',
        Fate::Changed(_) => '~',
    }
}

/// Returns whether a change is one of a text of several lines.
fn is_text_change(change: &Change) -> bool {
    let Change::Replace { old, new } = change else { return false };
    let is_long = |node: &crate::yaml::Node| node.text().contains('\n');
    old.is_string() && new.is_string() && (is_long(old) || is_long(new))
}
