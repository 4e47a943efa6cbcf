//! A template to one that also says where it is.
//!
//! MiniJinja does not tell which place of a template a stretch of its output comes from. So a call is put before each
//! stretch of literal text, and around each printed expression: `{{ name }}` becomes `{{ __at(__from(0), 12, (name), "name", name) }}`,
//! with the number of the template and the byte offset; where a loop binds the name, also with how often it has gone round. The
//! calls print nothing themselves. They stand where they change no white space that a tag beside them strips, and lines stay
//! lines.
//!
//! What a variable is set to is noted too: `{% set a = b %}` becomes `{% set a = __set("a", __from(0), (b)) %}`, and
//! `{% set a %}` becomes `{% set __mark = __from(0) %}{% set a | __set("a") %}`.

/// What the calls are named; a template that uses one of the names itself is not rewritten.
pub(super) const AT: &str = "__at";
pub(super) const FROM: &str = "__from";
pub(super) const SET: &str = "__set";
/// A variable that is never read.
const MARK: &str = "__mark";

/// A template with its calls.
pub(super) struct Instrumented {
    pub(super) text: String,
    /// Pairs of offsets, in this text and in the template; between two pairs they advance together.
    shifts: Vec<(usize, usize)>,
}

impl Instrumented {
    /// Returns the offset in the template of an offset in the text.
    pub(super) fn source_offset(&self, offset: usize) -> usize {
        let after = self.shifts.partition_point(|(own, _)| *own <= offset);
        match self.shifts.get(after.wrapping_sub(1)) {
            Some((own, source)) => source + (offset - own),
            None => offset,
        }
    }
}

struct Writer<'t> {
    source: &'t str,
    number: usize,
    out: Instrumented,
    /// The blocks that are open.
    blocks: Vec<Block<'t>>,
}

/// A block that is open.
enum Block<'t> {
    /// A loop, and the variables that it binds.
    Loop(Vec<&'t str>),
    /// A macro, in which no loop around it counts.
    Macro,
    Other,
}

/// Adds the calls to a template with a number.
pub(super) fn instrument(source: &str, number: usize) -> Instrumented {
    let out = Instrumented { text: String::with_capacity(source.len() * 2), shifts: Vec::new() };
    let mut writer = Writer { source, number, out, blocks: Vec::new() };
    if [AT, FROM, SET, MARK].iter().any(|name| source.contains(name)) {
        writer.copy(0, source.len());
        return writer.out;
    }
    let mut at = 0;
    let mut strips_before = false;
    while at < source.len() {
        let open = next_tag(source, at).unwrap_or(source.len());
        writer.literal(at, open, strips_before);
        at = open;
        if at == source.len() {
            break;
        }
        let rest = &source[at..];
        let end = if rest.starts_with("{#") {
            rest.find("#}").map(|length| at + length + 2)
        } else {
            expression_end(source, at + 2)
        };
        // What does not end is a fault, which MiniJinja reports.
        let Some(end) = end else {
            writer.copy(at, source.len());
            break;
        };
        strips_before = source[at..end].trim_end_matches(['}', '%', '#']).ends_with('-');
        if rest.starts_with("{{") {
            writer.expression(at, end);
            at = end;
        } else {
            let end = raw_end(source, at, end).unwrap_or(end);
            if rest.starts_with("{%") {
                writer.tag(at, end);
            } else {
                writer.copy(at, end);
            }
            at = end;
        }
    }
    writer.out
}

/// Returns where the literal text ends that begins at an offset.
pub(super) fn literal_end(source: &str, from: usize) -> usize {
    next_tag(source, from).unwrap_or(source.len())
}

fn next_tag(source: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += source[at..].find('{')?;
        match source.as_bytes().get(at + 1) {
            Some(b'{' | b'%' | b'#') => return Some(at),
            _ => at += 1,
        }
    }
}

/// Returns where a tag ends whose inside begins at an offset: behind its `}}` or `%}`, outside strings and brackets.
fn expression_end(source: &str, from: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut at = from;
    let mut depth = 0_usize;
    let mut quote = None;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(bytes[at]),
            (None, b'}' | b'%') if depth == 0 && bytes.get(at + 1) == Some(&b'}') => {
                return Some(at + 2);
            }
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        at += 1;
    }
    None
}

/// Returns where a raw block ends whose opening tag is `open..end`; none if it is another tag.
fn raw_end(source: &str, open: usize, end: usize) -> Option<usize> {
    let inside = source[open..end].trim_start_matches(['{', '%', '-', '+']).trim_start();
    if inside.trim_end_matches(['}', '%', '-', '+']).trim_end() != "raw" {
        return None;
    }
    let mut at = end;
    while let Some(found) = source[at..].find("{%") {
        let tag = at + found;
        let close = source[tag..].find("%}").map(|length| tag + length + 2)?;
        let inside = source[tag + 2..close - 2].trim_matches(['-', '+']).trim();
        if inside == "endraw" {
            return Some(close);
        }
        at = tag + 2;
    }
    None
}

impl Writer<'_> {
    fn copy(&mut self, from: usize, to: usize) {
        self.out.shifts.push((self.out.text.len(), from));
        self.out.text.push_str(&self.source[from..to]);
    }

    fn add(&mut self, text: &str, source: usize) {
        self.out.shifts.push((self.out.text.len(), source));
        self.out.text.push_str(text);
    }

    /// Copies literal text with a call before its first visible character, or at the start of that line.
    fn literal(&mut self, from: usize, to: usize, strips_before: bool) {
        let text = &self.source[from..to];
        let Some(visible) = text.find(|c: char| !c.is_whitespace()) else {
            return self.copy(from, to);
        };
        let line = text[..visible].rfind('\n').map_or(0, |at| at + 1);
        let mark = from + if strips_before || line == 0 { visible } else { line };
        self.copy(from, mark);
        let call = format!("{{{{ {AT}({}, {mark}) }}}}", self.number);
        self.add(&call, mark);
        self.copy(mark, to);
    }

    /// Puts a call around a printed expression.
    fn expression(&mut self, open: usize, end: usize) {
        let source = self.source;
        if end < open + 4 || !source[open..end].ends_with("}}") {
            return self.copy(open, end);
        }
        let (mut from, mut to) = (open + 2, end - 2);
        if source[from..to].starts_with(['-', '+']) {
            from += 1;
        }
        if to > from && source[from..to].ends_with(['-', '+']) {
            to -= 1;
        }
        let inside = source[from..to].trim();
        if inside.is_empty() {
            return self.copy(open, end);
        }
        self.copy(open, from);
        self.add(&format!(" {AT}({FROM}({}), {open}, (", self.number), open);
        self.copy(from, to);
        // Where a variable is printed, perhaps through filters, it says itself what it is.
        let variable = inside.split('|').next().unwrap_or_default().trim();
        let call = if !is_name(variable) {
            ")) ".to_owned()
        } else if self.is_bound_by_a_loop(variable) {
            format!("), \"{variable}\", {variable}, loop.index0) ")
        } else {
            format!("), \"{variable}\", {variable}) ")
        };
        self.add(&call, open);
        self.copy(to, end);
    }

    /// Returns whether the innermost loop binds a variable.
    fn is_bound_by_a_loop(&self, variable: &str) -> bool {
        let innermost = self.blocks.iter().rev().find(|block| !matches!(block, Block::Other));
        matches!(innermost, Some(Block::Loop(names)) if names.contains(&variable))
    }

    /// Copies a tag, and notes what a variable is set to.
    fn tag(&mut self, open: usize, end: usize) {
        let source = self.source;
        if end < open + 4 || !source[open..end].ends_with("%}") {
            return self.copy(open, end);
        }
        let start = open + if source[open + 2..].starts_with(['-', '+']) { 3 } else { 2 };
        let close = end - if source[start..end - 2].ends_with(['-', '+']) { 3 } else { 2 };
        let inside = source[start.min(close)..close].trim();
        let (word, rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        match word {
            "for" => {
                let names = rest.split_once(" in ").map_or("", |(names, _)| names);
                let names = names.split(',').map(|name| name.trim_matches([' ', '(', ')']));
                self.blocks.push(Block::Loop(names.collect()));
            }
            "macro" | "call" => self.blocks.push(Block::Macro),
            "if" | "with" | "filter" | "block" | "autoescape" => self.blocks.push(Block::Other),
            // Behind it no loop goes round.
            "else" => {
                if let Some(block @ Block::Loop(_)) = self.blocks.last_mut() {
                    *block = Block::Other;
                }
            }
            "set" if is_name(rest.split(['=', '|']).next().unwrap_or_default().trim()) => {
                return self.assignment(open, start, close, end);
            }
            "endset" => {}
            _ if word.starts_with("end") => drop(self.blocks.pop()),
            _ => {}
        }
        self.copy(open, end);
    }

    /// Copies a tag that sets a variable; `start..close` is what stands between its marks.
    fn assignment(&mut self, open: usize, start: usize, close: usize, end: usize) {
        let (source, number) = (self.source, self.number);
        let inside = &source[start..close];
        let name = inside.trim().trim_start_matches("set").split(['=', '|']).next();
        let name = name.unwrap_or_default().trim();
        if let Some(equals) = inside.find('=').filter(|at| !inside[..*at].contains('|')) {
            let from = start + equals + 1;
            self.copy(open, from);
            self.add(&format!(" {SET}(\"{name}\", {FROM}({number}), ("), from);
            self.copy(from, close);
            self.add(")) ", close);
            return self.copy(close, end);
        }
        // The mark of the tag that strips white space before it belongs to the first of the two.
        self.copy(open, start);
        self.add(&format!(" set {MARK} = {FROM}({number}) %}}{{%"), start);
        self.copy(start, close);
        self.add(&format!(" | {SET}(\"{name}\") "), close);
        self.copy(close, end);
    }
}

/// Returns whether a text is the name of a variable.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !matches!(text, "true" | "false" | "none" | "not" | "loop" | "self")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_stand_before_text_and_around_expressions() {
        let text = |source: &str| instrument(source, 3).text;
        assert_eq!(
            text("a: {{ b }}\n"),
            "{{ __at(3, 0) }}a: {{ __at(__from(3), 3, ( b ), \"b\", b) }}\n"
        );
        assert_eq!(
            text("{% if a -%}\n  b\n{% endif %}\n"),
            "{% if a -%}\n  {{ __at(3, 14) }}b\n{% endif %}\n"
        );
        assert_eq!(
            text("{% if a %}\n  b\n{% endif %}\n"),
            "{% if a %}\n{{ __at(3, 11) }}  b\n{% endif %}\n"
        );
        assert_eq!(text("{{- a.b|f('}}') -}}"), "{{- __at(__from(3), 0, ( a.b|f('}}') )) -}}");
        assert_eq!(
            text("{# {{ #}{% raw %}{{ x }}{% endraw %}"),
            "{# {{ #}{% raw %}{{ x }}{% endraw %}"
        );
        assert_eq!(text("{{ {'a': {}} }}"), "{{ __at(__from(3), 0, ( {'a': {}} )) }}");
        for open in ["{{ a", "{{", "{{\u{e9}Z", "{{ '}}", "{%", "{#"] {
            assert_eq!(text(open), open);
        }
        assert_eq!(text("{{ }}"), "{{ }}");
    }

    #[test]
    fn variables_say_what_they_are_set_to() {
        let text = |source: &str| instrument(source, 3).text;
        assert_eq!(
            text("{%- set a = b | f('=') -%}"),
            "{%- set a = __set(\"a\", __from(3), ( b | f('=') )) -%}"
        );
        assert_eq!(
            text("{%- set a | upper -%}b{% endset %}"),
            "{%- set __mark = __from(3) %}{% set a | upper  | __set(\"a\") -%}{{ __at(3, 21) }}b{% endset %}"
        );
        assert_eq!(
            text("{% set a, b = c %}{% set n.a = b %}"),
            "{% set a, b = c %}{% set n.a = b %}"
        );
    }

    #[test]
    fn a_loop_says_how_often_it_has_gone_round() {
        let text = |source: &str| instrument(source, 3).text;
        let print = |name: &str, more: &str| {
            format!("{{{{ __at(__from(3), #, ({name}), \"{name}\", {name}{more}) }}}}")
        };
        let found = text(
            "{% for k, v in m %}{{v}}{% if c %}{{k}}{% endif %}{{c}}{% else %}{{v}}{% endfor %}{{v}}",
        );
        let found = regex_lite::Regex::new(r"\(3\), \d+")
            .unwrap()
            .replace_all(&found, "(3), #")
            .into_owned();
        let (own, other) = (|name| print(name, ", loop.index0"), |name| print(name, ""));
        let want = format!(
            "{{% for k, v in m %}}{}{{% if c %}}{}{{% endif %}}{}{{% else %}}{}{{% endfor %}}{}",
            own("v"),
            own("k"),
            other("c"),
            other("v"),
            other("v")
        );
        assert_eq!(found, want);
    }

    #[test]
    fn offsets_lead_back() {
        let source = "a: {{ b }}\nc: d\n";
        let out = instrument(source, 0);
        for word in ["b", "c: d"] {
            let at = out.text.find(word).unwrap();
            assert_eq!(out.source_offset(at), source.find(word).unwrap(), "{word}");
        }
    }
}
