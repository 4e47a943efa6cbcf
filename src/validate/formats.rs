//! How Kubernetes writes names, quantities, times and schedules.
//!
//! The rules are those of `k8s.io/apimachinery` (`util/validation`, `api/resource`), of Go's `time` package, and of the cron
//! library that the CronJob controller uses.

use std::net::IpAddr;

/// The longest DNS label, in bytes.
const MAX_LABEL: usize = 63;
/// The longest DNS name, in bytes.
const MAX_SUBDOMAIN: usize = 253;

/// Returns whether a text is a quantity, as `100m`, `2Gi`, `1e3` or `0.5`.
pub(super) fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return false;
    }
    if let Some(exponent) = suffix.strip_prefix(['e', 'E']).filter(|rest| !rest.is_empty()) {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    }
    let suffixes =
        ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    suffixes.contains(&suffix)
}

/// Returns whether a text is a duration of Go's `time.ParseDuration`, as `1h30m` or `1.5s`.
pub(super) fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, unit) = rest.split_at(end);
        if number.matches('.').count() > 1 || !number.bytes().any(|b| b.is_ascii_digit()) {
            return false;
        }
        let end = unit.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(unit.len());
        if !["ns", "us", "µs", "μs", "ms", "s", "m", "h"].contains(&&unit[..end]) {
            return false;
        }
        rest = &unit[end..];
    }
    true
}

/// Returns whether a text is a date and time of RFC 3339.
pub(super) fn is_date_time(text: &str) -> bool {
    let digits = |from: usize, to: usize, least: u32, most: u32| {
        let part = text.get(from..to).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
        part.and_then(|part| part.parse().ok()).is_some_and(|n| (least..=most).contains(&n))
    };
    let is_at =
        |at: usize, wanted: &[u8]| text.as_bytes().get(at).is_some_and(|b| wanted.contains(b));
    let date = digits(0, 4, 0, 9999) && is_at(4, b"-") && digits(5, 7, 1, 12) && is_at(7, b"-");
    let time = is_at(10, b"T") && digits(11, 13, 0, 23) && is_at(13, b":") && digits(14, 16, 0, 59);
    if !(date && digits(8, 10, 1, 31) && time && is_at(16, b":") && digits(17, 19, 0, 60)) {
        return false;
    }
    let mut zone = &text[19..];
    if let Some(fraction) = zone.strip_prefix('.') {
        zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        if zone.len() == fraction.len() {
            return false;
        }
    }
    let offset = zone.as_bytes();
    zone == "Z"
        || matches!(offset, [b'+' | b'-', h1, h2, b':', m1, m2]
            if [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()))
}

/// Returns whether a text is standard base64 with padding; line breaks do not count.
pub(super) fn is_base64(text: &str) -> bool {
    let mut length = 0_usize;
    let mut padding = 0_usize;
    for byte in text.bytes().filter(|b| !matches!(b, b'\n' | b'\r')) {
        length += 1;
        match byte {
            b'=' => padding += 1,
            _ if padding > 0 => return false,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {}
            _ => return false,
        }
    }
    length.is_multiple_of(4) && padding <= 2
}

/// Returns whether a text is a DNS label (RFC 1123): lower-case letters, digits and `-`, at most 63.
pub(super) fn is_dns_label(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty()
        && text.len() <= MAX_LABEL
        && text.bytes().all(inside)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Returns whether a text is a DNS label that begins with a letter (RFC 1035).
pub(super) fn is_dns_1035_label(text: &str) -> bool {
    is_dns_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Returns whether a text is a DNS name (RFC 1123), at most 253 bytes.
pub(super) fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= MAX_SUBDOMAIN
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// Returns whether a text can be a part of a path of the API: no `/`, no `%`, not `.` or `..`.
pub(super) fn is_path_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(['/', '%'])
}

fn is_qualified_part(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let (first, last) = (text.as_bytes().first(), text.as_bytes().last());
    text.len() <= MAX_LABEL
        && text.bytes().all(inside)
        && first.is_some_and(u8::is_ascii_alphanumeric)
        && last.is_some_and(u8::is_ascii_alphanumeric)
}

/// Returns whether a text is the key of a label or an annotation: a name of at most 63 bytes, perhaps behind a DNS name and `/`.
pub(super) fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_qualified_part(name),
        None => is_qualified_part(text),
    }
}

/// Returns whether a text is the value of a label.
pub(super) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_qualified_part(text)
}

/// Returns whether a text is the name of a container's or Service's port: at most 15 lower-case letters, digits and single `-`.
pub(super) fn is_port_name(text: &str) -> bool {
    text.len() <= 15
        && is_dns_label(text)
        && !text.contains("--")
        && text.bytes().any(|b| b.is_ascii_lowercase())
}

/// Returns whether a text is a key of a ConfigMap or a Secret.
pub(super) fn is_config_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_SUBDOMAIN
        && !matches!(text, "." | "..")
        && !text.starts_with("..")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Returns whether a text is an address, of version 4 or 6.
pub(super) fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// Returns whether a text is an address and the length of its prefix, as `10.0.0.0/8`.
pub(super) fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let longest = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    digits && length.parse::<u8>().is_ok_and(|length| length <= longest)
}

/// Returns whether a text is a schedule of a CronJob: five fields, or one of the `@` words.
pub(super) fn is_schedule(text: &str) -> bool {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    if let Some(word) = text.strip_prefix('@') {
        let words = ["yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"];
        return words.contains(&word) || word.strip_prefix("every ").is_some_and(is_duration);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else { return false };
    is_cron_field(minute, 0, 59, &[])
        && is_cron_field(hour, 0, 23, &[])
        && is_cron_field(day, 1, 31, &[])
        && is_cron_field(month, 1, 12, &MONTHS)
        && is_cron_field(weekday, 0, 6, &DAYS)
}

/// `*`, `?`, a number or name, a range, each perhaps with a step; several joined by commas. `names`: of the numbers from `first` on.
fn is_cron_field(text: &str, first: u32, last: u32, names: &[&str]) -> bool {
    let number = |text: &str| -> Option<u32> {
        let name = names.iter().position(|name| text.eq_ignore_ascii_case(name));
        match name {
            Some(at) => u32::try_from(at).ok().map(|at| first + at),
            None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            None => None,
        }
    };
    let range = |text: &str| match text.split_once('-') {
        _ if matches!(text, "*" | "?") => true,
        Some((low, high)) => match (number(low), number(high)) {
            (Some(low), Some(high)) => first <= low && low <= high && high <= last,
            _ => false,
        },
        None => number(text).is_some_and(|one| (first..=last).contains(&one)),
    };
    text.split(',').all(|part| match part.split_once('/') {
        Some((part, step)) => range(part) && step.parse::<u32>().is_ok_and(|step| step > 0),
        None => range(part),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is: fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(is(text), "`{text}` is one");
        }
        for text in bad {
            assert!(!is(text), "`{text}` is none");
        }
    }

    #[test]
    fn quantities() {
        check(
            is_quantity,
            &["1", "100m", "2Gi", "0.5", ".5", "5.", "1e3", "1E-3", "1E", "-1", "+2k"],
            &["", "1gi", "1 Gi", "Gi", "1e", "1.2.3", "1GB", "0x10", "1mm", "1K"],
        );
    }

    #[test]
    fn durations_and_times() {
        check(
            is_duration,
            &["1h30m", "1.5s", "0", "-2ms", "10µs"],
            &["", "1", "1d", "h", "1h30", "."],
        );
        check(
            is_date_time,
            &["2024-01-02T03:04:05Z", "2024-01-02T03:04:05.5+01:00"],
            &["2024-01-02", "yesterday", ""],
        );
    }

    #[test]
    fn names() {
        check(is_dns_label, &["a", "a-1", "1a"], &["", "-a", "a-", "A", "a.b", &"a".repeat(64)]);
        check(is_dns_1035_label, &["a1"], &["1a"]);
        check(is_dns_subdomain, &["a.b-c.d", "1.2"], &["a..b", ".a", "a_b", "A.b", ""]);
        check(
            is_qualified_name,
            &["app", "a.b/App_1", "x.Y-z"],
            &["", "a/", "/a", "a/b/c", "-a", "A.b/c"],
        );
        check(is_label_value, &["", "a", "1.2_3"], &["-a", "a b", "a/b", &"a".repeat(64)]);
        check(is_port_name, &["http", "a-1"], &["1", "Http", "a--b", "sixteen-letters-x"]);
        check(is_config_key, &["a", ".env", "A_b-c.d"], &["", ".", "..", "..a", "a/b", "a b"]);
    }

    #[test]
    fn addresses_and_base64() {
        check(is_ip, &["10.0.0.1", "::1"], &["10.0.0", "10.0.0.01", "a"]);
        check(is_cidr, &["10.0.0.0/8", "::/0"], &["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "/8"]);
        check(is_base64, &["", "YQ==", "YWI=", "YWJj\n"], &["YQ", "a b=", "====", "ENC[x]"]);
    }

    #[test]
    fn schedules() {
        check(
            is_schedule,
            &["*/5 * * * *", "0 3 1-7 jan,DEC mon-fri", "@daily", "@every 1h30m", "? 0 * * 0"],
            &[
                "* * * *",
                "60 * * * *",
                "* * 0 * *",
                "* * * * 7",
                "*/0 * * * *",
                "@often",
                "5-1 * * * *",
                "",
            ],
        );
    }
}
