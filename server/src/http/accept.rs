//! Which kind of answer a client accepts most: `Accept`, RFC 9110, section
//! 12.5.1.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// One of the `Accept` header's members: `type/subtype`, either of which can be
/// `*`, and how much it is wanted, in thousandths.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    quality: u16,
}

/// Of what is offered, the one that is accepted most; of those accepted alike,
/// the one that is named more closely, and then the one that is named first.
/// Where nothing is accepted, or no wish is told, the first that is offered: an
/// answer of another kind says more than none.
pub(super) fn preferred(headers: &HeaderMap, offered: &[&'static str]) -> &'static str {
    let values = headers.get_all(ACCEPT).into_iter();
    let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    let members = values.iter().flat_map(|value| split(value, ','));
    let ranges: Vec<Range<'_>> = members.filter_map(Range::read).collect();
    let mut best = (offered[0], (0, 0));
    let mut first = usize::MAX;
    for &offer in offered {
        // The closest one counts, also where it wants it less.
        let matching = ranges.iter().enumerate();
        let matching = matching.filter_map(|(place, range)| Some((range.closeness(offer)?, place)));
        let Some((closeness, place)) =
            matching.max_by_key(|(closeness, place)| (*closeness, std::cmp::Reverse(*place)))
        else {
            continue;
        };
        let rank = (ranges[place].quality, closeness);
        if rank.0 > 0 && (rank > best.1 || (rank == best.1 && place < first)) {
            best = (offer, rank);
            first = place;
        }
    }
    best.0
}

impl<'a> Range<'a> {
    /// `None` when it is none.
    fn read(member: &'a str) -> Option<Self> {
        let mut parts = split(member, ';');
        let (kind, subtype) = parts.next()?.trim().split_once('/')?;
        let mut quality = 1000;
        for parameter in parts {
            let Some((name, value)) = parameter.split_once('=') else {
                continue;
            };
            if name.trim().eq_ignore_ascii_case("q") {
                quality = thousandths(value.trim())?;
            }
        }
        Some(Self {
            kind,
            subtype,
            quality,
        })
    }

    /// How closely it names a media type, if at all.
    fn closeness(&self, offer: &str) -> Option<u8> {
        let (kind, subtype) = offer.split_once('/')?;
        match (self.kind, self.subtype) {
            ("*", "*") => Some(1),
            (ours, "*") if ours.eq_ignore_ascii_case(kind) => Some(2),
            (ours, its) => {
                let same = ours.eq_ignore_ascii_case(kind) && its.eq_ignore_ascii_case(subtype);
                same.then_some(3)
            }
        }
    }
}

/// A weight: 0 to 1, with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, decimals) {
        ("0", _) => Some(decimals),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// The parts between separators that are not within a quoted string.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return c == separator && !quoted,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "application/json";
    const LINES: &str = "application/x-ndjson";
    const STREAM: &str = "text/event-stream";

    fn of(values: &[&str]) -> &'static str {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, value.parse().unwrap());
        }
        preferred(&headers, &[JSON, STREAM, LINES])
    }

    #[test]
    fn the_one_that_is_wanted_most() {
        for (accept, kind) in [
            ("", JSON),
            ("*/*", JSON),
            ("image/png", JSON),
            ("application/x-ndjson", LINES),
            ("Application/X-NDJSON", LINES),
            ("text/event-stream ; charset=utf-8 ; Q=0.001", STREAM),
            ("text/event-stream-x", JSON),
            ("text/*", STREAM),
            ("application/*", JSON),
            ("application/json;q=0.2, text/event-stream;q=0.3", STREAM),
            ("text/event-stream, application/x-ndjson", STREAM),
            ("application/x-ndjson, text/event-stream", LINES),
            ("*/*, application/x-ndjson", LINES),
            ("application/*;q=0, */*;q=0.1", STREAM),
            ("text/event-stream;q=0, text/*", JSON),
        ] {
            assert_eq!(of(&[accept]), kind, "{accept}");
        }
        assert_eq!(of(&[]), JSON);
        assert_eq!(of(&["text/html", "application/x-ndjson"]), LINES);
    }

    #[test]
    fn what_is_malformed_does_not_count() {
        for weight in ["2", "1.5", "-1", "0.1234", "x", "", "1.0x", "1.001", "+1"] {
            let accept = format!("text/event-stream;q={weight}, application/x-ndjson;q=0.1");
            assert_eq!(of(&[&accept]), LINES, "{weight}");
        }
        for accept in [
            "text",
            "/",
            ",,;;",
            "a/b;c=\"\\\", text/event-stream\"",
            "*/event-stream",
        ] {
            assert_eq!(of(&[accept]), JSON, "{accept}");
        }
    }
}
