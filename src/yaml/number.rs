//! Numbers as Go reads and writes them.
//!
//! go-yaml hands a plain scalar to `strconv`: integers with `ParseInt(text, 0, 64)` after dropping underscores, floats
//! with `ParseFloat` behind a pattern. The way out is Go's `encoding/json` followed by go-yaml v2's `%g`.

use std::borrow::Cow;

/// A number in the ranges that Go's decoder produces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// An integer in the signed 64-bit range.
    Int(i64),
    /// An integer above it, in the unsigned 64-bit range.
    Uint(u64),
    /// A floating-point number.
    Float(f64),
}

/// Returns the number that a plain scalar beginning with a digit, a sign or a dot stands for (go-yaml's `resolve`).
pub(super) fn parse_number(text: &str) -> Option<Number> {
    if text.starts_with('.') {
        return go_float(text).map(Number::Float);
    }
    let plain: Cow<'_, str> =
        if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) };
    let plain = plain.as_ref();
    if let Some(int) = go_int(plain) {
        return Some(int);
    }
    if looks_like_float(plain)
        && let Some(float) = go_float(plain)
    {
        return Some(Number::Float(float));
    }
    None
}

/// Go's `ParseInt(text, 0, 64)`, else `ParseUint(text, 0, 64)`.
fn go_int(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let value = go_digits(digits)?;
    if negative {
        return (value <= 1 << 63).then(|| Number::Int((value as i64).wrapping_neg()));
    }
    match i64::try_from(value) {
        Ok(value) => Some(Number::Int(value)),
        Err(_) if text.starts_with('+') => None,
        Err(_) => Some(Number::Uint(value)),
    }
}

fn go_digits(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let (radix, digits) = match bytes {
        [] => return None,
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0'] => return Some(0),
        [b'0', ..] => (8, &text[1..]),
        _ => (10, text),
    };
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// The pattern `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`.
fn looks_like_float(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    let rest = &rest[whole..];
    let rest = match rest.strip_prefix('.') {
        Some(after) => {
            let fraction = digits(after);
            if whole == 0 && fraction == 0 {
                return false;
            }
            &after[fraction..]
        }
        None if whole == 0 => return false,
        None => rest,
    };
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else { return rest.is_empty() };
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

/// Go's `ParseFloat(text, 64)` for the decimal forms; a value out of range is none.
fn go_float(text: &str) -> Option<f64> {
    if !looks_like_float(text) {
        return None;
    }
    text.parse::<f64>().ok().filter(|f| f.is_finite())
}

/// Returns Go's `strconv.FormatFloat(f, 'g', -1, 64)`: the shortest digits that read back as the same number, with an
/// exponent below 1e-4 and from 1e6.
pub(crate) fn format_general(float: f64) -> String {
    if float.is_nan() {
        return ".nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { ".inf".to_owned() } else { "-.inf".to_owned() };
    }
    general(&format!("{float:e}"))
}

/// Returns Go's `strconv.FormatFloat(f, 'g', -1, 32)`, for places where a number is read into a string.
pub(crate) fn format_general_f32(float: f64) -> String {
    general(&format!("{:e}", float as f32))
}

fn general(scientific_text: &str) -> String {
    let shortest = Shortest::of(scientific_text);
    if shortest.exponent < -4 || shortest.exponent >= 6 {
        shortest.scientific(2)
    } else {
        shortest.positional()
    }
}

/// Returns a finite float as Go's `encoding/json` writes it: positional from 1e-6 to 1e21.
pub(super) fn format_json(float: f64) -> String {
    let shortest = Shortest::of(&format!("{float:e}"));
    let zero = shortest.digits.bytes().all(|b| b == b'0');
    if !zero && (shortest.exponent < -6 || shortest.exponent >= 21) {
        shortest.scientific(if shortest.exponent < 0 { 1 } else { 2 })
    } else {
        shortest.positional()
    }
}

/// The shortest decimal form of a float: digits and the exponent of the first one.
struct Shortest {
    negative: bool,
    digits: String,
    exponent: i32,
}

impl Shortest {
    fn of(scientific: &str) -> Self {
        let (negative, rest) = match scientific.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, scientific),
        };
        let (mantissa, exponent) = rest.split_once('e').unwrap_or((rest, "0"));
        let digits = mantissa.chars().filter(char::is_ascii_digit).collect();
        Self { negative, digits, exponent: exponent.parse().unwrap_or(0) }
    }

    fn sign(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }

    fn scientific(&self, exponent_digits: usize) -> String {
        let (first, rest) = self.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if self.exponent < 0 { '-' } else { '+' };
        let magnitude = self.exponent.abs();
        format!("{}{first}{point}{rest}e{sign}{magnitude:0exponent_digits$}", self.sign())
    }

    fn positional(&self) -> String {
        let (sign, digits) = (self.sign(), &self.digits);
        if self.exponent < 0 {
            let zeros = "0".repeat((-self.exponent - 1) as usize);
            return format!("{sign}0.{zeros}{digits}");
        }
        let whole = self.exponent as usize + 1;
        if digits.len() <= whole {
            format!("{sign}{digits}{}", "0".repeat(whole - digits.len()))
        } else {
            format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        use Number::{Float, Int, Uint};
        let cases = [
            ("0", Some(Int(0))),
            ("-0", Some(Int(0))),
            ("0644", Some(Int(420))),
            ("0o644", Some(Int(420))),
            ("0x1F", Some(Int(31))),
            ("-0x10", Some(Int(-16))),
            ("0b101", Some(Int(5))),
            ("1_000", Some(Int(1000))),
            ("08", Some(Float(8.0))),
            ("+5", Some(Int(5))),
            ("18446744073709551615", Some(Uint(u64::MAX))),
            ("-9223372036854775808", Some(Int(i64::MIN))),
            ("18446744073709551616", Some(Float(18_446_744_073_709_551_616.0))),
            ("1.0", Some(Float(1.0))),
            ("1.", Some(Float(1.0))),
            (".5", Some(Float(0.5))),
            ("1e3", Some(Float(1000.0))),
            ("1e400", None),
            ("1:30", None),
            ("1.2.3", None),
            ("-", None),
            (".", None),
            ("12e", None),
            ("0x", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse_number(text), want, "{text}");
        }
    }

    #[test]
    fn floats_are_written_as_go_writes_them() {
        let cases = [
            (1.0, "1", "1"),
            (100_000.0, "100000", "100000"),
            (1e6, "1e+06", "1000000"),
            (1_234_567.5, "1.2345675e+06", "1234567.5"),
            (1e21, "1e+21", "1e+21"),
            (0.0001, "0.0001", "0.0001"),
            (0.00001, "1e-05", "0.00001"),
            (1e-7, "1e-07", "1e-7"),
            (12_345_678_901_234_567_890.0, "1.2345678901234567e+19", "12345678901234567000"),
            (-123_456.7, "-123456.7", "-123456.7"),
            (0.0, "0", "0"),
            (-0.0, "-0", "-0"),
        ];
        for (float, general, json) in cases {
            assert_eq!(format_general(float), general);
            assert_eq!(format_json(float), json);
        }
        assert_eq!(format_general_f32(123_456_789.5), "1.2345679e+08");
    }
}
