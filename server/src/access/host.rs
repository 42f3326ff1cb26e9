//! `Host` and `Origin`: the two headers that tell a browser's own page from
//! somebody else's.
//!
//! A page anywhere on the web can make a browser send requests to loopback.
//! `Origin` names that page; `Host` names the address it used, which differs
//! from ours when a name was rebound to us (DNS rebinding).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::uri::Authority;

/// The names that this console answers to: loopback, and those allowed.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostPolicy {
    allowed: Vec<String>,
}

impl HostPolicy {
    /// Loopback names and these; a name is compared without its port and
    /// without regard to case.
    pub(crate) fn new(allowed: impl IntoIterator<Item = String>) -> Self {
        let allowed = allowed.into_iter().map(|name| name.to_ascii_lowercase());
        Self {
            allowed: allowed.collect(),
        }
    }

    /// Whether a request for this `Host` is meant for us.
    pub(crate) fn accepts(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        // An authority may hold `user@` and any text as its port; a `Host`
        // may not.
        let bare = authority.host().len() == host.len();
        if host.contains('@') || !(bare || authority.port_u16().is_some()) {
            return false;
        }
        let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
        is_loopback(&name) || self.allowed.contains(&name)
    }
}

fn is_loopback(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.octets()[0] == Ipv4Addr::LOCALHOST.octets()[0],
        Ok(IpAddr::V6(ip)) => ip == Ipv6Addr::LOCALHOST,
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

/// Whether an `Origin` is this console's own, as seen by a request for
/// `host`: `http` or `https` (a proxy may speak TLS for us) with the same
/// authority. `null`, and everything else, is not.
pub(crate) fn same_origin(origin: &str, host: &str) -> bool {
    let authority = |scheme: &str| {
        origin
            .strip_prefix(scheme)
            .is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    };
    authority("http://") || authority("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_allowed_names_are_accepted() {
        let policy = HostPolicy::new(["Console.Example".to_owned()]);
        for good in [
            "localhost",
            "localhost:8090",
            "LOCALHOST:1",
            "vm.localhost:8090",
            "127.0.0.1:8090",
            "127.1.2.3",
            "[::1]:8090",
            "console.example",
            "console.example:443",
            "CONSOLE.example.",
        ] {
            assert!(policy.accepts(good), "{good}");
        }
    }

    #[test]
    fn other_names_are_not() {
        let policy = HostPolicy::new(["console.example".to_owned()]);
        for bad in [
            "",
            "evil.example",
            "evil.example:8090",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "notlocalhost",
            "console.example.evil",
            "10.0.0.1:8090",
            "[::2]",
            "user@localhost",
            "localhost:port",
            "localhost/path",
        ] {
            assert!(!policy.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn only_the_own_origin_is_ours() {
        assert!(same_origin("http://127.0.0.1:8090", "127.0.0.1:8090"));
        assert!(same_origin("https://console.example", "console.example"));
        for (origin, host) in [
            ("null", "127.0.0.1:8090"),
            ("", ""),
            ("http://127.0.0.1:8091", "127.0.0.1:8090"),
            ("http://127.0.0.1", "127.0.0.1:8090"),
            ("http://localhost:8090", "127.0.0.1:8090"),
            ("http://127.0.0.1:8090.evil.example", "127.0.0.1:8090"),
            ("http://evil.example", "127.0.0.1:8090"),
            ("file://127.0.0.1:8090", "127.0.0.1:8090"),
            ("chrome-extension://127.0.0.1:8090", "127.0.0.1:8090"),
        ] {
            assert!(!same_origin(origin, host), "{origin} at {host}");
        }
    }
}
