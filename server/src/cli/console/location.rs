//! Where a session of a console is: `http(s)://HOST:PORT[/BASE]/SESSION`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A session of a console. Nothing of it is secret: what could hold a token is
/// refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Location {
    /// Whether by TLS.
    pub(super) secure: bool,
    /// A name or an IP address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// What goes before `/api/v1`: empty, or with a leading slash.
    base: String,
    /// The session's name.
    pub(in crate::cli) session: String,
}

impl Location {
    /// Whether what is sent there stays on this machine.
    pub(super) fn is_local(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        host == "localhost"
            || host.ends_with(".localhost")
            || address.is_some_and(|address| address.is_loopback())
    }

    /// `HOST:PORT` as `Host` has it.
    pub(super) fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// The path of something of the API: `path` begins with a slash.
    pub(super) fn api(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.base)
    }

    /// The path of something of the session.
    pub(super) fn of_session(&self, path: &str) -> String {
        self.api(&format!("/sessions/{}{path}", self.session))
    }
}

/// Its errors do not repeat what is refused: a pasted URL may have a token in it.
impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let secure = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err("a console's URL begins with http:// or https://".into()),
        };
        if rest.contains(['#', '?', '@']) {
            let detail = "a console's URL has no user, no query and no fragment; the token goes \
                          into QMP_CONSOLE_TOKEN";
            return Err(detail.into());
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (base, session) = path.rsplit_once('/').unwrap_or(("", path));
        if session.is_empty() {
            return Err("a console's URL ends with the name of a session: \
                        http://HOST:PORT/SESSION"
                .into());
        }
        // What the console itself takes for a name.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !session.bytes().all(plain) {
            return Err(format!("{session:?} cannot be the name of a session"));
        }
        if !base
            .bytes()
            .all(|byte| plain(byte) || b"~%/".contains(&byte))
        {
            return Err(format!("{base:?} cannot be in a URL"));
        }
        let default = if secure { 443 } else { 80 };
        let (host, port) = split_authority(authority, default)?;
        Ok(Self {
            secure,
            host,
            port,
            base: match base {
                "" => String::new(),
                base => format!("/{base}"),
            },
            session: session.to_owned(),
        })
    }
}

fn split_authority(authority: &str, default: u16) -> Result<(String, u16), String> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest
                .split_once(']')
                .ok_or("the host has a `[` without its `]`")?;
            let address = host.parse::<std::net::Ipv6Addr>();
            address.map_err(|_| format!("{host:?} is not an IPv6 address"))?;
            match port.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if port.is_empty() => (host, None),
                None => return Err(format!("{port:?} follows the host")),
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    if host.is_empty() || !host.bytes().all(plain) {
        return Err(format!("{host:?} is not a host"));
    }
    let port = match port {
        None => default,
        Some(text) => match text.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("port {text:?} is not a number from 1 to 65535")),
        },
    };
    Ok((host.to_owned(), port))
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}/", self.authority(), self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_url() {
        for (text, authority, path, local) in [
            ("http://127.0.0.1:8090/vm", "127.0.0.1:8090", "", true),
            ("http://localhost/vm", "localhost:80", "", true),
            ("http://[::1]:8090/vm", "[::1]:8090", "", true),
            ("https://a.example/x/y/vm", "a.example:443", "/x/y", false),
            ("https://10.0.0.1:9/vm", "10.0.0.1:9", "", false),
        ] {
            let location: Location = text.parse().unwrap();
            assert_eq!(location.authority(), authority, "{text}");
            assert_eq!(
                location.of_session("/schema"),
                format!("{path}/api/v1/sessions/vm/schema")
            );
            assert_eq!(location.is_local(), local, "{text}");
            assert_eq!(format!("{location}vm").parse(), Ok(location));
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_a_token_is_not_repeated() {
        for (text, part) in [
            ("http://127.0.0.1:8090", "name of a session"),
            ("http://127.0.0.1:8090/", "name of a session"),
            ("http://127.0.0.1:8090/x/", "name of a session"),
            ("http://h:44x/vm", "port \"44x\""),
            ("http://h:0/vm", "port \"0\""),
            ("http:///vm", "\"\" is not a host"),
            ("http://[::1/vm", "`]`"),
            ("http://[::x]/vm", "IPv6"),
            ("http://h/v%20m", "\"v%20m\""),
            ("http://h/x y/vm", "\"x y\""),
            ("ftp://h/vm", "http://"),
            ("http://h/#token=secret", "QMP_CONSOLE_TOKEN"),
            ("http://h/vm?token=secret", "QMP_CONSOLE_TOKEN"),
            ("http://user:secret@h/vm", "QMP_CONSOLE_TOKEN"),
        ] {
            let error = text.parse::<Location>().unwrap_err();
            assert!(error.contains(part), "no {part:?} in {error:?}");
            assert!(!error.contains("secret"), "{error:?}");
        }
    }
}
