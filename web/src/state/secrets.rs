//! Commands that seem to carry a secret: what is kept in the browser, and what
//! goes into an address, is without these.
//!
//! Judged by words alone, and rather once too often: also the name of a key
//! that merely refers to one, and a line of the human monitor.

use serde_json::Value;

/// Words that a secret is announced by.
const WORDS: &[&str] = &["password", "passwd", "passphrase", "secret", "credential"];

/// Whether the command or its arguments, JSON, speak of a secret. What cannot
/// be read counts as one.
pub(crate) fn seems_secret(command: &str, arguments: Option<&str>) -> bool {
    let arguments = arguments.unwrap_or("{}");
    speaks(command) || serde_json::from_str(arguments).map_or(true, |value| within(&value))
}

fn within(value: &Value) -> bool {
    match value {
        Value::String(text) => speaks(text),
        Value::Array(items) => items.iter().any(within),
        Value::Object(members) => {
            let mut members = members.iter();
            members.any(|(name, value)| speaks(name) || within(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn speaks(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_words() {
        for (command, arguments) in [
            ("set_password", None),
            ("guest-set-user-password", Some(r#"{"username":"u"}"#)),
            (
                "object-add",
                Some(r#"{"qom-type":"secret","id":"s","data":"x"}"#),
            ),
            (
                "blockdev-add",
                Some(r#"{"driver":"luks","key-secret":"s"}"#),
            ),
            ("x", Some(r#"{"a":[{"auth-p\u0061ssword":"x"}]}"#)),
            (
                "human-monitor-command",
                Some(r#"{"command-line":"change vnc Password x"}"#),
            ),
            ("x", Some("{oops")),
        ] {
            assert!(seems_secret(command, arguments), "{command} {arguments:?}");
        }
        let plain = r#"{"id":"rng0","driver":"virtio-rng-pci","n":[1,true,null]}"#;
        assert!(!seems_secret("device_add", Some(plain)));
        assert!(!seems_secret("query-status", None));
    }
}
