//! Text from endpoints, made safe to look at.
//!
//! The document only ever gets such text as text nodes, so it cannot become
//! markup; what remains is text that lies to the reader: control characters,
//! and marks that turn the writing direction or take no space.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is encoded in an address: all but what stands for itself in each part of it
/// ([RFC 3986, section 2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3)).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The text with every invisible or direction-turning character written as
/// JSON escapes it, `\u202e`, and line breaks as `\n`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if is_hidden(c) => push_escaped(&mut shown, c),
            _ => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Appends the character as JSON escapes it
/// ([RFC 8259, section 7](https://www.rfc-editor.org/rfc/rfc8259#section-7)).
pub(crate) fn push_escaped(text: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        text.push_str("\\u");
        for shift in [12, 8, 4, 0] {
            text.extend(char::from_digit(u32::from(*unit) >> shift & 15, 16));
        }
    }
}

/// The start of the text, at most `limit` bytes, cut between characters; and
/// how many bytes were left out.
pub(crate) fn clip(text: &str, limit: usize) -> (&str, usize) {
    if text.len() <= limit {
        return (text, 0);
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (&text[..end], text.len() - end)
}

/// A count with its digits grouped: `12,345`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: `1 event`, `2 events`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    grouped(count) + " " + noun + plural
}

/// Text as one part of a path or query in an address.
pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// What [`percent_encoded`] was made from; whatever cannot be that stays as it
/// is.
pub(crate) fn percent_decoded(part: &str) -> String {
    let decoded = percent_decode_str(part).decode_utf8();
    decoded.map_or_else(|_| part.to_owned(), Cow::into_owned)
}

/// Whether the character cannot be seen, or makes others be seen elsewhere.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_shown() {
        assert_eq!(visible("a\u{202e}b\u{0}\n"), "a\\u202eb\\u0000\\n");
        assert_eq!(visible("\u{e0041}"), "\\udb40\\udc41");
        assert!(matches!(visible("Grüße <b>"), Cow::Borrowed("Grüße <b>")));
    }

    #[test]
    fn clips_between_characters() {
        assert_eq!(clip("aé", 2), ("a", 2));
        assert_eq!(clip("aé", 3), ("aé", 0));
    }

    #[test]
    fn counts() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(counted(1, "event"), "1 event");
        assert_eq!(counted(2_000, "event"), "2,000 events");
    }

    #[test]
    fn addresses_are_encoded() {
        assert_eq!(
            percent_encoded("BLOCK_*,a/b ü"),
            "BLOCK_%2A%2Ca%2Fb%20%C3%BC"
        );
    }

    #[test]
    fn an_address_is_read_back() {
        for text in ["", "a b/ü%", "\u{202e}", "100%"] {
            assert_eq!(percent_decoded(&percent_encoded(text)), text);
        }
        assert_eq!(percent_decoded("50%+%4"), "50%+%4");
        assert_eq!(percent_decoded("%FF"), "%FF");
    }
}
