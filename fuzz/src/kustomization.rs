//! A whole project: it is built or refused, twice the same way, and every fault has a place that exists.

use crate::project::Project;

/// Returns the project of an input.
pub fn project(data: &[u8]) -> Project {
    Project::parse(data)
}

/// Builds one project.
pub fn run(data: &[u8]) {
    project(data).build();
}
