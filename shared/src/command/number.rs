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
/// they are, digits with a unit of `KMGTPE` in powers of 1024, or hexadecimal
/// digits after `0x`.
pub(super) fn integer(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    let not_an_integer = || Err("not an integer".to_owned());
    let (negative, digits) = match typed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, typed),
    };
    let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    let (digits, radix, shift) = match hexadecimal {
        Some(digits) => (digits, 16, 0),
        None => match unit(digits) {
            Some((digits, shift)) => (digits, 10, shift),
            None => (digits, 10, 0),
        },
    };
    // `from_str_radix` takes a sign of its own.
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return not_an_integer();
    }
    if radix == 10 && digits.len() > 1 && digits.starts_with('0') {
        return Err("not an integer: a decimal number does not begin with 0".to_owned());
    }
    let value = u64::from_str_radix(digits, radix).ok();
    let value = value.and_then(|value| value.checked_mul(1 << shift));
    let limit = if negative { 1 << 63 } else { u64::MAX };
    let Some(value) = value.filter(|value| *value <= limit) else {
        return Err(OUT_OF_RANGE.to_owned());
    };
    if radix == 10 && shift == 0 {
        return Ok(typed.to_owned());
    }
    let sign = if negative { "-" } else { "" };
    Ok(format!("{sign}{value}"))
}

fn unit(digits: &str) -> Option<(&str, u32)> {
    let (index, last) = digits.char_indices().next_back()?;
    let known = UNITS
        .iter()
        .find(|(unit, _)| *unit == last.to_ascii_uppercase())?;
    Some((&digits[..index], known.1))
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
            "-", "+1", "1.0", "1e3", "K", "0x", "0xg", "0x-1", "--1", "1KB", "1 K", "ten", "٣",
            "1é",
        ] {
            assert_eq!(integer(typed).unwrap_err(), "not an integer", "{typed}");
        }
        assert!(integer("007").unwrap_err().starts_with("not an integer"));
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
