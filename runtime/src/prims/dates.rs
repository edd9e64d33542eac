//! Calendar dates of moments, in UTC. A moment is a number of milliseconds since 1970.
//!
//! Deliberately absent: time zones other than UTC (an offset in a text is taken into account) and
//! locales: names of months and days are English.

use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::value::Word;

prims! { DATES {
    /// A moment (milliseconds, or a text parse-datetime takes) as text: %Y %m %d %H %M %S, %y %e %j %b %B %a %A
    /// %I %p, %F %T %L (milliseconds) %s (seconds since 1970) %z %Z %%. Without a template, ISO 8601.
    "format-date" | "format-datetime" (moment: Any, template: String optional) -> String, Pure, format_date, ["(format-date 0) ; => \"1970-01-01T00:00:00Z\"", "(format-date \"2026-03-05T14:07:00Z\" \"%a %e %B %Y, %H:%M\") ; => \"Thu  5 March 2026, 14:07\""];
    /// The moment a text in ISO 8601 names, in milliseconds since 1970; default (or nil) if it is none.
    "parse-datetime" | "parse-date" (s: String, default: Any optional) -> Any, Pure, parse_datetime, ["(parse-datetime \"1970-01-02\") ; => 86400000", "(parse-datetime \"2026-03-05T14:07:30.5+02:00\") ; => 1772712450500", "(parse-datetime \"no\") ; => nil"];
} }

const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
/// Moments further away are refused: their year has more than six digits.
const MOMENT_MAX: i64 = 8_640_000_000_000_000;

/// A moment taken apart.
struct Date {
    year: i64,
    /// From 1.
    month: i64,
    day: i64,
    /// From 0, Sunday.
    weekday: usize,
    /// From 1.
    day_of_year: i64,
    /// Since midnight.
    ms: i64,
}

/// Days since 1970 of a date of the Gregorian calendar, years counted from March so that the leap
/// day is the last of its year.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days_before_month = (153 * month + 2) / 5;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + days_before_month + day - 719_469
}

fn date_of(moment: i64) -> Date {
    let days = moment.div_euclid(DAY_MS);
    // 400 years have 146097 days, so this guess is never late and at most two years early.
    let mut year = 1969 + (days * 400).div_euclid(146_097);
    while days_of(year + 1, 1, 1) <= days {
        year += 1;
    }
    let day_of_year = days - days_of(year, 1, 1);
    let mut month = 12;
    while days_of(year, month, 1) > days {
        month -= 1;
    }
    Date {
        year,
        month,
        day: days - days_of(year, month, 1) + 1,
        weekday: (days + 4).rem_euclid(7) as usize,
        day_of_year: day_of_year + 1,
        ms: moment.rem_euclid(DAY_MS),
    }
}

fn format_date(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let v = cx.arg(0);
    let moment = match v.as_str() {
        Some(text) => parse(text),
        None => v
            .as_number()
            .and_then(|n| n.floor().to_i64())
            .filter(|ms| ms.abs() <= MOMENT_MAX),
    };
    let moment = moment.ok_or_else(|| Raise::new(Code::Value, "format-date: expected a moment").with_arg(0))?;
    let template = if cx.argc() > 1 {
        cx.text(1)
    } else {
        "%Y-%m-%dT%H:%M:%SZ"
    };
    let text = format_moment(moment, template);
    cx.give_string(&text)
}

fn format_moment(moment: i64, template: &str) -> String {
    let date = date_of(moment);
    let mut out = String::new();
    let mut chars = template.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '%' { chars.next() } else { None }) {
            ('%', Some(directive)) => directive_onto(&mut out, directive, &date, moment),
            (c, _) => out.push(c),
        }
    }
    out
}

fn directive_onto(out: &mut String, directive: char, date: &Date, moment: i64) {
    let (hour, minute, second) = (date.ms / 3_600_000, date.ms / 60_000 % 60, date.ms / 1000 % 60);
    let month = MONTHS[(date.month - 1) as usize];
    let day = DAYS[date.weekday];
    let text = match directive {
        'Y' => format!("{:04}", date.year),
        'm' => format!("{:02}", date.month),
        'd' => format!("{:02}", date.day),
        'e' => format!("{:2}", date.day),
        'H' => format!("{hour:02}"),
        'M' => format!("{minute:02}"),
        'S' => format!("{second:02}"),
        'y' => format!("{:02}", date.year.rem_euclid(100)),
        'j' => format!("{:03}", date.day_of_year),
        'b' => month[..3].to_string(),
        'B' => month.to_string(),
        'a' => day[..3].to_string(),
        'A' => day.to_string(),
        'I' => format!("{:02}", (hour + 11) % 12 + 1),
        'p' => if hour < 12 { "AM" } else { "PM" }.to_string(),
        'F' => format!("{:04}-{:02}-{:02}", date.year, date.month, date.day),
        'T' => format!("{hour:02}:{minute:02}:{second:02}"),
        'L' => format!("{:03}", date.ms % 1000),
        's' => moment.div_euclid(1000).to_string(),
        'z' => "+0000".to_string(),
        'Z' => "UTC".to_string(),
        '%' => "%".to_string(),
        other => format!("%{other}"),
    };
    out.push_str(&text);
}

fn parse_datetime(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    match parse(cx.text(0)) {
        Some(moment) => cx.give_int(moment),
        None => Ok(cx.arg(1).word()),
    }
}

/// `2026-03-05`, then perhaps `T` or a space and `14:07`, `14:07:30`, `14:07:30.5`, then perhaps
/// `Z`, `+02:00` or `+0200`.
fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (
        digits(parts.next()?, 4)?,
        digits(parts.next()?, 2)?,
        digits(parts.next()?, 2)?,
    );
    let next_month = if month == 12 {
        days_of(year + 1, 1, 1)
    } else {
        days_of(year, month + 1, 1)
    };
    let days = days_of(year, month, day);
    if !(1..=12).contains(&month) || day < 1 || days >= next_month {
        return None;
    }
    Some(days * DAY_MS + time.map_or(Some(0), parse_time)?)
}

fn parse_time(text: &str) -> Option<i64> {
    let (clock, offset) = match text.find(['Z', '+', '-']) {
        Some(at) => (&text[..at], parse_offset(&text[at..])?),
        None => (text, 0),
    };
    let mut parts = clock.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (second, ms) = match parts.next().map(|s| s.split_once('.').unwrap_or((s, "0"))) {
        None => (0, 0),
        Some((second, fraction)) => {
            let fraction: String = fraction.chars().chain("00".chars()).take(3).collect();
            (digits(second, 2)?, digits(&fraction, 3)?)
        }
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(((hour * 60 + minute) * 60 + second) * 1000 + ms - offset)
}

fn parse_offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'Z' => return (text.len() == 1).then_some(0),
        b'-' => -1,
        _ => 1,
    };
    let plain = text[1..].replace(':', "");
    let all = digits(&plain, 4)?;
    Some(sign * (all / 100 * 60 + all % 100) * 60_000)
}

/// Exactly `count` digits as a number.
fn digits(text: &str, count: usize) -> Option<i64> {
    let plain = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_both_ways_through_leap_years_and_centuries() {
        let mut day = -800_000;
        while day < 1_200_000 {
            let date = date_of(day * DAY_MS + 1);
            assert_eq!(
                days_of(date.year, date.month, date.day),
                day,
                "{}-{}",
                date.year,
                date.month
            );
            assert!(
                (1..=12).contains(&date.month) && (1..=31).contains(&date.day) && (1..=366).contains(&date.day_of_year)
            );
            day += 97;
        }
        for text in [
            "2000-02-29T23:59:59Z",
            "1969-12-31T00:00:01Z",
            "2100-03-01T12:00:00Z",
            "1600-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text).map(|ms| format_moment(ms, "%FT%TZ")).as_deref(), Some(text));
        }
        for text in [
            "2100-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "2026-01-01T25:00",
            "x",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(date_of(0).weekday, 4);
    }
}
