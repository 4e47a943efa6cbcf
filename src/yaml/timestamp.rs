//! Dates, which go-yaml resolves in plain scalars and kustomize therefore rewrites.

/// Returns the RFC 3339 form of a date that go-yaml recognises, in the zone it was given in.
///
/// The forms are those of go-yaml's `allowedTimestampFormats` under Go's `time.Parse`: `2006-1-2`, `2006-1-2 15:4:5`
/// with a fraction, and `2006-1-2T15:4:5` with a fraction and a zone; months, days, hours, minutes and seconds may have
/// one digit.
pub(super) fn parse_timestamp(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut rest = Cursor(&bytes[5..]);
    let year: u32 = text[..4].parse().ok()?;
    let month = rest.number()?;
    rest.expect(b'-')?;
    let day = rest.number()?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(month, year) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    let Some((&separator, time)) = rest.0.split_first() else {
        return Some(format!("{date}T00:00:00Z"));
    };
    let mut rest = Cursor(time);
    let hour = rest.number()?;
    rest.expect(b':')?;
    let minute = rest.number()?;
    rest.expect(b':')?;
    let second = rest.number()?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.fraction();
    let zone = match separator {
        b'T' | b't' => rest.zone()?,
        b' ' => "Z".to_owned(),
        _ => return None,
    };
    rest.0.is_empty().then(|| format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

fn days_in(month: u32, year: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// Takes one or two digits.
    fn number(&mut self) -> Option<u32> {
        let digits = self.0.iter().take(2).take_while(|b| b.is_ascii_digit()).count();
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        (digits > 0).then(|| number.iter().fold(0, |n, b| n * 10 + u32::from(b - b'0')))
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        (first == byte).then_some(())
    }

    /// Takes a fraction of a second and returns it as Go prints it: nanoseconds without trailing zeros.
    fn fraction(&mut self) -> String {
        if self.0.len() < 2 || !matches!(self.0[0], b'.' | b',') || !self.0[1].is_ascii_digit() {
            return String::new();
        }
        let digits = self.0[1..].iter().take_while(|b| b.is_ascii_digit()).count();
        let text: String = self.0[1..=digits.min(9)].iter().map(|&b| char::from(b)).collect();
        self.0 = &self.0[digits + 1..];
        let text = text.trim_end_matches('0');
        if text.is_empty() { String::new() } else { format!(".{text}") }
    }

    fn zone(&mut self) -> Option<String> {
        let bytes = self.0;
        if let Some(rest) = bytes.strip_prefix(b"Z") {
            self.0 = rest;
            return Some("Z".to_owned());
        }
        let (zone, rest) = bytes.split_at_checked(6)?;
        let digit = |i: usize| zone[i].is_ascii_digit().then(|| u32::from(zone[i] - b'0'));
        let (hours, minutes) = (digit(1)? * 10 + digit(2)?, digit(4)? * 10 + digit(5)?);
        if !matches!(zone[0], b'+' | b'-') || zone[3] != b':' || hours > 24 || minutes > 60 {
            return None;
        }
        self.0 = rest;
        if hours == 0 && minutes == 0 {
            return Some("Z".to_owned());
        }
        Some(String::from_utf8_lossy(zone).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_go_recognises() {
        let cases = [
            ("2001-01-01", Some("2001-01-01T00:00:00Z")),
            ("2001-1-2", Some("2001-01-02T00:00:00Z")),
            ("2001-12-14t21:59:43.10-05:00", Some("2001-12-14T21:59:43.1-05:00")),
            ("2001-12-14 21:59:43.10", Some("2001-12-14T21:59:43.1Z")),
            ("2001-12-15T02:59:43Z", Some("2001-12-15T02:59:43Z")),
            ("2001-12-15T02:59:43", None),
            ("2001-02-30", None),
            ("2000-02-29", Some("2000-02-29T00:00:00Z")),
            ("20010101", None),
            ("2001-01-01x", None),
            ("2001-13-01", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse_timestamp(text).as_deref(), want, "{text}");
        }
    }
}
