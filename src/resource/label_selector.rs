//! Label selectors: `app=web,tier in (a, b),!legacy`.
//!
//! The grammar is that of `k8s.io/apimachinery/pkg/labels`, of which kustomize holds a copy.

/// A conjunction of requirements on labels or annotations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    DoesNotExist,
    In,
    NotIn,
    Greater,
    Less,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Identifier(&'a str),
    /// The words `in` and `notin`, which are identifiers where a value is expected.
    In,
    NotIn,
    Symbol(&'a str),
    End,
}

const SYMBOLS: [&str; 8] = ["==", "!=", "=", "!", "(", ")", ",", ">"];

impl LabelSelector {
    /// Reads a selector; the error says what was found.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text), at: 0 };
        let mut requirements = Vec::new();
        if parser.peek() == Token::End {
            return Ok(Self::default());
        }
        loop {
            requirements.push(parser.requirement()?);
            match parser.next() {
                Token::End => return Ok(Self(requirements)),
                Token::Symbol(",") => {}
                other => return Err(format!("found {}, expected `,` or the end", show(other))),
            }
        }
    }

    /// Returns whether the values that `value` gives for keys fit.
    pub(crate) fn matches(&self, value: impl Fn(&str) -> Option<String>) -> bool {
        self.0.iter().all(|r| r.matches(value(&r.key).as_deref()))
    }

    /// Returns whether the selector asks for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Requirement {
    fn matches(&self, value: Option<&str>) -> bool {
        let among = |v: &str| self.values.iter().any(|wanted| wanted == v);
        let number = |v: &str| v.parse::<i64>().ok();
        let compare = |wanted: std::cmp::Ordering| {
            let found = value.and_then(number);
            let limit = self.values.first().and_then(|v| number(v));
            found.zip(limit).is_some_and(|(found, limit)| found.cmp(&limit) == wanted)
        };
        match self.operator {
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::In => value.is_some_and(among),
            Operator::NotIn => !value.is_some_and(among),
            Operator::Greater => compare(std::cmp::Ordering::Greater),
            Operator::Less => compare(std::cmp::Ordering::Less),
        }
    }
}

fn show(token: Token<'_>) -> String {
    match token {
        Token::Identifier(text) | Token::Symbol(text) => format!("`{text}`"),
        Token::In => "`in`".to_owned(),
        Token::NotIn => "`notin`".to_owned(),
        Token::End => "the end".to_owned(),
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', '\r', '\n']);
    while !rest.is_empty() {
        let symbol = SYMBOLS.iter().chain(&["<"]).find(|s| rest.starts_with(**s));
        let len = match symbol {
            Some(symbol) => symbol.len(),
            None => rest
                .find([' ', '\t', '\r', '\n', '=', '!', '(', ')', ',', '>', '<'])
                .unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at(len);
        out.push(match (symbol, word) {
            (Some(_), symbol) => Token::Symbol(symbol),
            (None, "in") => Token::In,
            (None, "notin") => Token::NotIn,
            (None, word) => Token::Identifier(word),
        });
        rest = after.trim_start_matches([' ', '\t', '\r', '\n']);
    }
    out
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens.get(self.at).copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let absent = self.peek() == Token::Symbol("!");
        if absent {
            self.next();
        }
        let key = match self.next() {
            Token::Identifier(key) => key,
            Token::In => "in",
            Token::NotIn => "notin",
            other => return Err(format!("found {}, expected a key", show(other))),
        };
        if !is_qualified_name(key) {
            return Err(format!("`{key}` is not a label key"));
        }
        let requirement = |operator, values| Requirement { key: key.to_owned(), operator, values };
        if absent {
            return Ok(requirement(Operator::DoesNotExist, Vec::new()));
        }
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(requirement(Operator::Exists, Vec::new()));
        }
        let operator = match self.next() {
            Token::In => Operator::In,
            Token::NotIn => Operator::NotIn,
            Token::Symbol("=" | "==") => {
                return Ok(requirement(Operator::In, vec![self.exact_value()?]));
            }
            Token::Symbol("!=") => {
                return Ok(requirement(Operator::NotIn, vec![self.exact_value()?]));
            }
            Token::Symbol(symbol @ (">" | "<")) => {
                let value = self.exact_value()?;
                if value.parse::<i64>().is_err() {
                    return Err(format!("`{value}` is not an integer"));
                }
                let operator = if symbol == ">" { Operator::Greater } else { Operator::Less };
                return Ok(requirement(operator, vec![value]));
            }
            other => {
                return Err(format!("found {}, expected `=`, `!=`, `in` or `notin`", show(other)));
            }
        };
        Ok(requirement(operator, self.values()?))
    }

    fn value(&mut self) -> Option<String> {
        let value = match self.peek() {
            Token::Identifier(value) => value,
            Token::In => "in",
            Token::NotIn => "notin",
            _ => return None,
        };
        self.next();
        Some(value.to_owned())
    }

    fn exact_value(&mut self) -> Result<String, String> {
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(String::new());
        }
        match self.value() {
            Some(value) => checked_value(value),
            None => Err(format!("found {}, expected a value", show(self.peek()))),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        if self.next() != Token::Symbol("(") {
            return Err("expected `(` after `in` or `notin`".to_owned());
        }
        let mut values = Vec::new();
        loop {
            values.push(checked_value(self.value().unwrap_or_default())?);
            match self.next() {
                Token::Symbol(")") => return Ok(values),
                Token::Symbol(",") => {}
                other => return Err(format!("found {}, expected `,` or `)`", show(other))),
            }
        }
    }
}

fn checked_value(value: String) -> Result<String, String> {
    if value.is_empty() || is_name(&value) {
        Ok(value)
    } else {
        Err(format!("`{value}` is not a label value"))
    }
}

/// `[prefix/]name`: a DNS subdomain and a name of up to 63 characters.
fn is_qualified_name(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_name(name),
        None => is_name(key),
    }
}

fn is_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let outer = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    bytes.len() <= 63
        && outer(bytes.first())
        && outer(bytes.last())
        && bytes.iter().all(|&b| inner(b))
}

fn is_subdomain(name: &str) -> bool {
    let label = |l: &str| {
        let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let bytes = l.as_bytes();
        edge(bytes.first())
            && edge(bytes.last())
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_match_labels() {
        let labels = |key: &str| match key {
            "app" => Some("web".to_owned()),
            "example.com/tier" => Some("3".to_owned()),
            _ => None,
        };
        let cases = [
            ("", true),
            ("app", true),
            ("!app", false),
            ("app=web", true),
            ("app == web , !legacy", true),
            ("app!=web", false),
            ("legacy!=x", true),
            ("app in (api, web)", true),
            ("app notin (api,web)", false),
            ("example.com/tier>2", true),
            ("example.com/tier<3", false),
            ("app=", false),
            ("app in ()", false),
        ];
        for (text, want) in cases {
            assert_eq!(LabelSelector::parse(text).unwrap().matches(labels), want, "{text}");
        }
        for text in ["=a", "a=b c", "a in b", "a,,b", "a in (b", "-a=b", "a=b,", "a>x"] {
            assert!(LabelSelector::parse(text).is_err(), "{text}");
        }
    }
}
