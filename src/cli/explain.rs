//! `kiln explain`.

use std::fmt::Write;

use super::{CommandError, Ending, write_stdout};
use crate::Code;
use crate::diagnostic::nearest;

pub(super) fn run(code: Option<&str>) -> Result<Ending, CommandError> {
    let Some(name) = code else {
        let width = Code::ALL.iter().map(|code| code.name().len()).max().unwrap_or_default();
        let mut text = String::new();
        for code in Code::ALL {
            let _ = writeln!(text, "{:width$}  {}", code.name(), code.meaning());
        }
        write_stdout(text.as_bytes())?;
        return Ok(Ending::Done);
    };
    // The name may be copied with its brackets.
    let name = name.trim_matches(['[', ']']);
    match Code::from_name(name) {
        Some(code) => {
            write_stdout(code.page().as_bytes())?;
            Ok(Ending::Done)
        }
        None => {
            let near = nearest(name, Code::ALL.iter().map(|code| code.name()));
            let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            Err(CommandError::Usage(format!("`{name}` is not a code{meant}")))
        }
    }
}
