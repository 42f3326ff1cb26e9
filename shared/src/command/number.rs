//! Numbers as typed.

use super::path::quoted;
use crate::json;

const OUT_OF_RANGE: &str =
    "out of range: integers go from -9223372036854775808 to 18446744073709551615";

/// Units that may follow an integer, by the power of two they stand for.
const UNITS: &[(char, u32)] = &[
    ('K', 10),
    ('M', 20),
    ('G', 30),
    ('T', 40),
    ('P', 50),
    ('E', 60),
];

/// The JSON of an integer that has been typed: decimal digits, which stay as
/// they are, hexadecimal digits after `0x`, or a size. That is a decimal number
/// with a unit of `KMGTPE`, which may go on with `B` or `iB`; as in QEMU all
/// are powers of 1024. Its bytes must be whole.
pub(super) fn integer(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    let not_an_integer = || Err("not an integer".to_owned());
    let (negative, digits) = match typed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, typed),
    };
    let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    let sized = unit(digits).filter(|_| hexadecimal.is_none());
    let (digits, fraction) = match (hexadecimal, sized) {
        (Some(digits), _) => (digits, ""),
        (None, Some((number, _))) => number.split_once('.').unwrap_or((number, "0")),
        (None, None) => (digits, ""),
    };
    let radix = if hexadecimal.is_some() { 16 } else { 10 };
    // `from_str_radix` takes a sign of its own.
    let are_digits = |text: &str| text.chars().all(|digit| digit.is_digit(radix));
    if digits.is_empty() || !are_digits(digits) || !are_digits(fraction) {
        return not_an_integer();
    }
    if sized.is_some() && fraction.is_empty() {
        return not_an_integer();
    }
    if radix == 10 && digits.len() > 1 && digits.starts_with('0') {
        return Err("not an integer: a decimal number does not begin with 0".to_owned());
    }
    let shift = sized.map_or(0, |(_, shift)| shift);
    let value = u64::from_str_radix(digits, radix).ok();
    let value = value.and_then(|value| value.checked_mul(1 << shift));
    let Some(part) = part_of(fraction, shift) else {
        return Err("not a whole number of bytes".to_owned());
    };
    let value = value.and_then(|value| value.checked_add(part));
    let limit = if negative { 1 << 63 } else { u64::MAX };
    let Some(value) = value.filter(|value| *value <= limit) else {
        return Err(OUT_OF_RANGE.to_owned());
    };
    if radix == 10 && sized.is_none() {
        return Ok(typed.to_owned());
    }
    let sign = if negative { "-" } else { "" };
    Ok(format!("{sign}{value}"))
}

/// What an integer is that was typed in another way than it is sent: a size, or
/// hexadecimal. `None` for plain digits, and for what is no integer.
pub fn understood(typed: &str) -> Option<String> {
    let sent = integer(typed).ok()?;
    (sent != typed.trim()).then_some(sent)
}

/// The number before a size's unit, and the power of two that the unit stands
/// for.
fn unit(size: &str) -> Option<(&str, u32)> {
    let last = |text: &str, c: char| {
        let found = text.chars().next_back();
        found.is_some_and(|last| last.eq_ignore_ascii_case(&c))
    };
    let mut number = size;
    let mut binary = false;
    let in_bytes = last(number, 'B');
    if in_bytes {
        number = &number[..number.len() - 1];
        binary = last(number, 'i');
        number = if binary {
            &number[..number.len() - 1]
        } else {
            number
        };
    }
    let known = UNITS.iter().find(|(unit, _)| last(number, *unit));
    let (number, shift) = match known {
        Some((_, shift)) => (&number[..number.len() - 1], *shift),
        // Bytes have no prefix of their own.
        None if in_bytes && !binary => (number, 0),
        None => return None,
    };
    Some((number.trim_end(), shift))
}

/// The bytes of a decimal fraction of a unit, if they are whole.
fn part_of(fraction: &str, shift: u32) -> Option<u64> {
    let fraction = fraction.trim_end_matches('0');
    // 2 to the power of 60 has no more factors of ten's than this.
    if fraction.len() > 60 {
        return None;
    }
    // Digit by digit from the end: each step divides by ten, exactly or not.
    let mut digits: Vec<u8> = fraction.bytes().map(|digit| digit - b'0').collect();
    let mut whole = 0_u64;
    for _ in 0..shift {
        let mut carry = 0;
        for digit in digits.iter_mut().rev() {
            let doubled = *digit * 2 + carry;
            *digit = doubled % 10;
            carry = doubled / 10;
        }
        whole = whole * 2 + u64::from(carry);
    }
    digits.iter().all(|digit| *digit == 0).then_some(whole)
}

/// Checks a JSON number where an integer is wanted.
pub(super) fn check_integer(number: &str) -> Result<(), String> {
    let digits = number.strip_prefix('-').unwrap_or(number);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("not an integer: {}", quoted(number)));
    }
    integer(number).map(drop)
}

/// The JSON of a number that has been typed: itself, if it is one.
pub(super) fn number(typed: &str) -> Result<&str, String> {
    let typed = typed.trim();
    let begins = typed.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    if !begins || json::check(typed).is_err() {
        return Err("not a number".to_owned());
    }
    // QEMU would take it for infinity, which JSON does not have.
    if !typed.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err("out of range for a number".to_owned());
    }
    Ok(typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stay_as_typed() {
        for typed in [
            "0",
            "-0",
            "7",
            "-1",
            "18446744073709551615",
            "-9223372036854775808",
        ] {
            assert_eq!(integer(typed).as_deref(), Ok(typed));
        }
        assert_eq!(integer(" 12\n").as_deref(), Ok("12"));
    }

    #[test]
    fn units_and_hexadecimal_are_converted_exactly() {
        for (typed, json) in [
            ("4K", "4096"),
            ("1g", "1073741824"),
            ("-2M", "-2097152"),
            ("3T", "3298534883328"),
            ("1P", "1125899906842624"),
            ("15E", "17293822569102704640"),
            ("-8E", "-9223372036854775808"),
            ("0x10", "16"),
            ("0XfF", "255"),
            ("-0x8000000000000000", "-9223372036854775808"),
            ("0xffffffffffffffff", "18446744073709551615"),
            ("0x1e", "30"),
            ("0x1b", "27"),
            ("1.5G", "1610612736"),
            ("1GiB", "1073741824"),
            ("64 MB", "67108864"),
            ("64 mib", "67108864"),
            ("1KB", "1024"),
            ("512B", "512"),
            ("0.5k", "512"),
            ("1.0009765625 K", "1025"),
            ("-0.25 KiB", "-256"),
            (
                "15.999999999999999999132638262011596452794037759304046630859375E",
                "18446744073709551615",
            ),
        ] {
            assert_eq!(integer(typed).as_deref(), Ok(json), "{typed}");
        }
    }

    #[test]
    fn integers_have_a_range() {
        for typed in [
            "18446744073709551616",
            "-9223372036854775809",
            "16E",
            "-9E",
            "0x10000000000000000",
            "-0x8000000000000001",
            "99999999999999999999999999999999999999999",
        ] {
            assert_eq!(integer(typed).unwrap_err(), OUT_OF_RANGE, "{typed}");
        }
    }

    #[test]
    fn what_is_not_an_integer() {
        for typed in [
            "-", "+1", "1.0", "1e3", "K", "0x", "0xg", "0x-1", "--1", "1iB", "1 2K", "ten", "٣",
            "1é", "1.K", ".5K", "1..5K", "1,5G", "B", "iB", "1KK", "1x", "1.5.0G", "1Kib ps",
        ] {
            assert_eq!(integer(typed).unwrap_err(), "not an integer", "{typed}");
        }
        assert!(integer("007").unwrap_err().starts_with("not an integer"));
    }

    #[test]
    fn bytes_are_whole() {
        for typed in ["1.3K", "0.0001K", "1.5B", "0.1G", "1.00048828125K"] {
            assert_eq!(
                integer(typed).unwrap_err(),
                "not a whole number of bytes",
                "{typed}"
            );
        }
        assert_eq!(understood("1.5 K").as_deref(), Some("1536"));
        assert_eq!(understood("0x10").as_deref(), Some("16"));
        assert_eq!((understood(" 7 "), understood("1.3K")), (None, None));
    }

    #[test]
    fn numbers_are_those_of_json() {
        for typed in ["0", "-1.5e+3", "1e308", "12345678901234567890123"] {
            assert_eq!(number(typed), Ok(typed));
        }
        assert_eq!(number(" 1.5 "), Ok("1.5"));
        for typed in [
            "", "inf", "NaN", ".5", "5.", "+1", "0x1", "01", "1 2", "true",
        ] {
            assert_eq!(number(typed).unwrap_err(), "not a number", "{typed}");
        }
        assert!(number("1e400").unwrap_err().starts_with("out of range"));
    }
}
