//! A whole project: it is built or refused, twice the same way, and every fault has a place that exists.

use crate::project::Project;

/// Builds one project.
pub fn run(data: &[u8]) {
    Project::parse(data).build();
}
