//! Arguments that name something: sessions, and where to listen.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use qmp_client::address::Address;

/// `NAME=ADDRESS` of `--session`.
#[derive(Clone, Debug)]
pub(super) struct NamedSession {
    pub(super) name: String,
    pub(super) address: Address,
}

impl FromStr for NamedSession {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, address)) = text.split_once('=') else {
            return Err("expected NAME=ADDRESS, for example vm=unix:/run/vm.qmp".into());
        };
        let address = Address::from_command_line(address)
            .map_err(|error| format!("session {name:?}: {error}"))?;
        Ok(Self {
            name: name.to_owned(),
            address,
        })
    }
}

/// Where to listen: `HOST:PORT` as an IP address, or `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Listen {
    /// Whether only this machine can reach it.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() {
                return Err("the path after `unix:` is empty".into());
            }
            return Ok(Self::Unix(path.into()));
        }
        let numeric = text
            .strip_prefix("localhost:")
            .map(|port| format!("127.0.0.1:{port}"));
        numeric
            .as_deref()
            .unwrap_or(text)
            .parse()
            .map(Self::Tcp)
            .map_err(|_| "expected IP:PORT, for example 127.0.0.1:8090, or unix:PATH".into())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}/"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_addresses() {
        for (text, local) in [
            ("127.0.0.1:8090", true),
            ("localhost:0", true),
            ("[::1]:8090", true),
            ("unix:/run/console.sock", true),
            ("0.0.0.0:8090", false),
            ("[::]:8090", false),
            ("10.0.0.1:80", false),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap().is_local(), local, "{text}");
        }
        for bad in [
            "",
            "8090",
            "127.0.0.1",
            "unix:",
            "host.example:80",
            "127.0.0.1:99999",
        ] {
            assert!(bad.parse::<Listen>().is_err(), "{bad}");
        }
    }

    #[test]
    fn sessions_name_their_fault() {
        let session: NamedSession = "vm=unix:/run/vm=1.qmp".parse().unwrap();
        assert_eq!(session.name, "vm");
        assert_eq!(session.address.to_string(), "unix:/run/vm=1.qmp");
        assert!(
            "vm".parse::<NamedSession>()
                .unwrap_err()
                .contains("NAME=ADDRESS")
        );
        let error = "vm=localhost:44x".parse::<NamedSession>().unwrap_err();
        assert!(error.contains("\"vm\"") && error.contains("44x"), "{error}");
    }
}
