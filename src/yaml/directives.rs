//! What stands before `---`: `%YAML` and `%TAG`.

use super::SyntaxError;
use super::scan::{Scanner, TokenKind, TokenText};

/// The handles that tags of a document are written with, and what each stands for. The latest definition of a handle is
/// the first.
pub(super) struct TagHandles(Vec<(String, String)>);

impl Default for TagHandles {
    /// Returns the handles that every document has: `!` for local tags and `!!` for YAML's own.
    fn default() -> Self {
        let own = |handle: &str, prefix: &str| (handle.to_owned(), prefix.to_owned());
        Self(vec![own("!", "!"), own("!!", "tag:yaml.org,2002:")])
    }
}

impl TagHandles {
    /// Reads the directives of a document and adds the handles that they define.
    pub(super) fn read_directives(&mut self, scanner: &mut Scanner<'_>) -> Result<(), SyntaxError> {
        let fail =
            |message: &str, at| Err(SyntaxError { message: message.to_owned(), at, context: None });
        let mut own: Vec<(String, String)> = Vec::new();
        let mut version = false;
        loop {
            let (kind, at) = scanner.peek().map(|token| (token.kind, token.start))?;
            match kind {
                TokenKind::VersionDirective if version => {
                    return fail("found a second %YAML directive", at);
                }
                TokenKind::VersionDirective => {
                    version = true;
                    let token = scanner.next()?;
                    let numbers = token.text.as_str().split('.').map(str::parse::<u8>);
                    if !numbers.eq([Ok(1), Ok(1)]) {
                        return fail("only YAML 1.1 can be asked for", at);
                    }
                }
                TokenKind::TagDirective => {
                    let TokenText::Tag(tag) = scanner.next()?.text else { continue };
                    if own.iter().any(|(handle, _)| *handle == tag.0) {
                        return fail("found a second %TAG directive for this handle", at);
                    }
                    own.push(*tag);
                }
                _ => break,
            }
        }
        self.0.splice(0..0, own);
        Ok(())
    }

    /// Returns the full name of a tag; `at` is where its node begins.
    pub(super) fn name(&self, tag: &TokenText<'_>, at: usize) -> Result<String, SyntaxError> {
        let TokenText::Tag(tag) = tag else { return Ok(String::new()) };
        let (handle, suffix) = tag.as_ref();
        if handle.is_empty() {
            return Ok(suffix.clone());
        }
        match self.0.iter().find(|(known, _)| known == handle) {
            Some((_, prefix)) => Ok(format!("{prefix}{suffix}")),
            None => {
                let message = format!("undefined tag handle `{handle}`");
                Err(SyntaxError { message, at, context: None })
            }
        }
    }
}
