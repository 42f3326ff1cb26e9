//! Where an endpoint is: the address syntax, which resembles QEMU's `-qmp`.
//!
//! The meaning is ours: we connect, unless told `listen=on`. QEMU's own words
//! for "I listen" are accepted, so that an argument pasted from a command line
//! works.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use qmp_shared::model::EndpointKind;
use thiserror::Error;

/// An endpoint's address.
///
/// ```
/// use qmp_client::address::Address;
///
/// let address: Address = "/run/vm.qmp,server=on,wait=off".parse()?;
/// assert_eq!(address.to_string(), "unix:/run/vm.qmp");
/// # Ok::<(), qmp_client::address::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    socket: Socket,
    kind: EndpointKind,
    listens: bool,
    tls: Option<Tls>,
}

/// How a TCP connection is secured. Files are PEM, and read whenever there is
/// something to connect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tls {
    /// The authorities that the other side's certificate must come from. When
    /// we listen without them, any client will do.
    pub ca: Option<PathBuf>,
    /// Our certificate, and those between it and its authority.
    pub cert: Option<PathBuf>,
    /// The private key of our certificate.
    pub key: Option<PathBuf>,
    /// The name that the server's certificate must have, if that is not the
    /// host of the address.
    pub hostname: Option<String>,
}

/// The socket of an [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Socket {
    /// A unix socket.
    Unix(PathBuf),
    /// A TCP port on a host: a name or an IP address, without brackets.
    Tcp {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// A connected socket that this process was started with, by the number of
    /// its descriptor.
    Inherited(i32),
}

/// What is wrong with an address. Each names the part.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Nothing there.
    #[error("the address is empty")]
    Empty,
    /// Neither a path nor a host with a port.
    #[error("{0:?} is neither a path (which contains a `/`) nor HOST:PORT")]
    Unrecognised(String),
    /// A URL.
    #[error(
        "{0:?} is not where QMP is spoken: an address is unix:PATH, tcp:HOST:PORT or HOST:PORT"
    )]
    Scheme(String),
    /// `unix:` without a path.
    #[error("the path after `unix:` is empty")]
    EmptyPath,
    /// A path that does not fit into a socket address.
    #[error("the path has {0} bytes; a unix socket's has at most 107")]
    LongPath(usize),
    /// A character that is no part of any address, and can pretend in a log that
    /// it ends there.
    #[error("the address contains a control character, {0:?}")]
    Control(char),
    /// `:PORT` without a host.
    #[error("the host before `:{0}` is empty")]
    EmptyHost(String),
    /// A host that cannot be one.
    #[error("host {0:?} is neither a name nor an IP address; an IPv6 address is put in brackets")]
    BadHost(String),
    /// A socket that was inherited, where only the command line may name one.
    #[error("an inherited socket, {0:?}, can be used on the command line only")]
    Inherited(String),
    /// A descriptor that is none.
    #[error("descriptor {0:?} is not a number from 0 on")]
    BadDescriptor(String),
    /// An inherited socket is connected already.
    #[error("option \"listen\" is \"on\", but an inherited socket is connected already")]
    InheritedListens,
    /// QEMU secures TCP connections only.
    #[error("option \"tls\" is \"on\", but only a TCP connection can be secured")]
    TlsWithoutTcp,
    /// An option that means nothing without TLS.
    #[error("option {0:?} is for \"tls=on\" only")]
    WithoutTls(&'static str),
    /// An option that must be there.
    #[error("\"tls=on\" needs the option {option:?}{why}")]
    TlsNeeds {
        /// The option.
        option: &'static str,
        /// When it does, if not always.
        why: &'static str,
    },
    /// Both sides would wait for each other.
    #[error("options \"listen\" and {0:?} say that both sides listen")]
    BothListen(String),
    /// No port.
    #[error("host {0:?} has no port")]
    NoPort(String),
    /// A port that is none.
    #[error("port {0:?} is not a number from 1 to 65535")]
    BadPort(String),
    /// An option that does not exist.
    #[error("option {0:?} is not known")]
    UnknownOption(String),
    /// An option with a value that it does not take.
    #[error("option {option:?} is {value:?}, not {expected}")]
    BadValue {
        /// The option.
        option: String,
        /// Its value.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// QEMU would connect to somebody, and so would we.
    #[error("option \"server\" is \"off\": then QEMU connects, and does not listen for us")]
    QemuConnects,
}

impl Address {
    /// An address of this socket, for an endpoint of this kind.
    pub fn new(socket: Socket, kind: EndpointKind) -> Self {
        Self {
            socket,
            kind,
            listens: false,
            tls: None,
        }
    }

    /// How the connection is secured, if it is.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// The same socket, to listen on for the endpoint to connect, or not.
    pub fn listening(mut self, listens: bool) -> Self {
        self.listens = listens;
        self
    }

    /// Reads an address of the command line, which unlike others may name a
    /// socket that this process inherited: `fd:N`.
    ///
    /// # Errors
    ///
    /// [`AddressError`] names the part that is wrong.
    pub fn from_command_line(text: &str) -> Result<Self, AddressError> {
        parse(text, true)
    }

    /// Whether we listen, and the endpoint connects.
    pub fn listens(&self) -> bool {
        self.listens
    }

    /// Where to connect to, or to listen.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// What kind of endpoint is there.
    pub fn kind(&self) -> EndpointKind {
        self.kind
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse(text, false)
    }
}

fn parse(text: &str, may_inherit: bool) -> Result<Address, AddressError> {
    if let Some(control) = text.chars().find(|it| it.is_control()) {
        return Err(AddressError::Control(control));
    }
    let mut parts = split_options(text).into_iter();
    let socket: Socket = parts.next().unwrap_or_default().parse()?;
    if let (Socket::Inherited(number), false) = (&socket, may_inherit) {
        return Err(AddressError::Inherited(format!("fd:{number}")));
    }
    let mut address = Address::new(socket, EndpointKind::Qmp);
    // The option by which QEMU listens.
    let mut server = None;
    let mut secure = false;
    let mut tls = Tls::default();
    for option in parts {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option.as_str(), None),
        };
        match (name, value) {
            ("kind", Some("qmp")) => address.kind = EndpointKind::Qmp,
            ("kind", Some("qga")) => address.kind = EndpointKind::Qga,
            ("kind", value) => return Err(bad_value("kind", value, "qmp or qga")),
            ("listen", Some("on")) => address.listens = true,
            ("listen", Some("off")) => address.listens = false,
            ("listen", value) => return Err(bad_value("listen", value, "on or off")),
            ("server", None | Some("on" | "yes" | "true")) => server = Some(option),
            ("server", Some("off" | "no" | "false")) => return Err(AddressError::QemuConnects),
            ("server", value) => return Err(bad_value("server", value, "on")),
            ("wait", None | Some("on" | "off" | "yes" | "no" | "true" | "false")) => {}
            ("wait", value) => return Err(bad_value("wait", value, "on or off")),
            ("nowait", None) => {}
            ("tls", Some("on")) => secure = true,
            ("tls", Some("off")) => secure = false,
            ("tls", value) => return Err(bad_value("tls", value, "on or off")),
            ("ca", Some(path)) if !path.is_empty() => tls.ca = Some(path.into()),
            ("cert", Some(path)) if !path.is_empty() => tls.cert = Some(path.into()),
            ("key", Some(path)) if !path.is_empty() => tls.key = Some(path.into()),
            ("ca" | "cert" | "key", value) => return Err(bad_value(name, value, "a file")),
            ("hostname", Some(host)) if !host.is_empty() => tls.hostname = Some(host.into()),
            ("hostname", value) => return Err(bad_value("hostname", value, "a host name")),
            _ => return Err(AddressError::UnknownOption(name.to_owned())),
        }
    }
    check_tls(&address, secure, &tls)?;
    address.tls = secure.then_some(tls);
    match (address.listens, server, &address.socket) {
        (true, Some(option), _) => Err(AddressError::BothListen(option)),
        (true, None, Socket::Inherited(_)) => Err(AddressError::InheritedListens),
        _ => Ok(address),
    }
}

fn check_tls(address: &Address, secure: bool, tls: &Tls) -> Result<(), AddressError> {
    let needs = |option, why| Err(AddressError::TlsNeeds { option, why });
    if !secure {
        let given = [
            ("ca", tls.ca.is_some()),
            ("cert", tls.cert.is_some()),
            ("key", tls.key.is_some()),
            ("hostname", tls.hostname.is_some()),
        ];
        return match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => Err(AddressError::WithoutTls(option)),
            None => Ok(()),
        };
    }
    if !matches!(address.socket, Socket::Tcp { .. }) {
        return Err(AddressError::TlsWithoutTcp);
    }
    match (&tls.ca, &tls.cert, &tls.key) {
        (None, ..) if !address.listens => needs("ca", ""),
        (_, None, _) if address.listens => needs("cert", " to listen"),
        (_, Some(_), None) => needs("key", " for its certificate"),
        (_, None, Some(_)) => needs("cert", " for its key"),
        _ => Ok(()),
    }
}

fn bad_value(option: &str, value: Option<&str>, expected: &'static str) -> AddressError {
    AddressError::BadValue {
        option: option.to_owned(),
        value: value.unwrap_or_default().to_owned(),
        expected,
    }
}

/// Splits at single commas; a doubled one is a comma.
fn split_options(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == ',' && characters.next_if_eq(&',').is_none() {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
}

impl FromStr for Socket {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(path);
        }
        if let Some(address) = text.strip_prefix("tcp:") {
            return tcp(address);
        }
        if let Some(number) = text.strip_prefix("fd:") {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            return match number.parse() {
                Ok(number) if digits => Ok(Socket::Inherited(number)),
                _ => Err(AddressError::BadDescriptor(number.to_owned())),
            };
        }
        if let Some((scheme, _)) = text.split_once("://")
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return Err(AddressError::Scheme(scheme.to_owned() + "://"));
        }
        if text.contains('/') {
            return unix(text);
        }
        if text.contains(':') {
            return tcp(text);
        }
        Err(AddressError::Unrecognised(text.to_owned()))
    }
}

fn unix(path: &str) -> Result<Socket, AddressError> {
    if path.is_empty() {
        return Err(AddressError::EmptyPath);
    }
    // `sun_path` of unix(7) has 108 bytes, the last one a NUL.
    if path.len() > 107 {
        return Err(AddressError::LongPath(path.len()));
    }
    Ok(Socket::Unix(path.into()))
}

fn tcp(text: &str) -> Result<Socket, AddressError> {
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(AddressError::NoPort(text.to_owned()));
    };
    if text.starts_with('[') && text.ends_with(']') {
        return Err(AddressError::NoPort(text.to_owned()));
    }
    if host.is_empty() {
        return Err(AddressError::EmptyHost(port.to_owned()));
    }
    let bare = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(v6) if v6.parse::<std::net::Ipv6Addr>().is_ok() => v6,
        Some(_) => return Err(AddressError::BadHost(host.to_owned())),
        None => host,
    };
    let is_name = |host: &str| {
        host.chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    if bare == host && !is_name(host) {
        return Err(AddressError::BadHost(host.to_owned()));
    }
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(number) if digits && number > 0 => Ok(Socket::Tcp {
            host: bare.to_owned(),
            port: number,
        }),
        _ => Err(AddressError::BadPort(port.to_owned())),
    }
}

/// In the canonical form, which parses to the same address.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)?;
        if self.listens {
            f.write_str(",listen=on")?;
        }
        if let Some(tls) = &self.tls {
            f.write_str(",tls=on")?;
            for (name, path) in [("ca", &tls.ca), ("cert", &tls.cert), ("key", &tls.key)] {
                if let Some(path) = path {
                    write!(f, ",{name}={}", doubled(path))?;
                }
            }
            if let Some(hostname) = &tls.hostname {
                write!(f, ",hostname={}", hostname.replace(',', ",,"))?;
            }
        }
        match self.kind {
            EndpointKind::Qmp => Ok(()),
            EndpointKind::Qga => f.write_str(",kind=qga"),
        }
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => {
                write!(f, "unix:{}", doubled(path))
            }
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
            Self::Inherited(number) => write!(f, "fd:{number}"),
        }
    }
}

/// A path, its commas doubled.
fn doubled(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_forms() {
        for (text, canonical) in [
            ("unix:/run/vm.qmp", "unix:/run/vm.qmp"),
            ("unix:vm.qmp", "unix:vm.qmp"),
            ("./vm.qmp", "unix:./vm.qmp"),
            ("./a://b", "unix:./a://b"),
            ("/a,,b/c", "unix:/a,,b/c"),
            ("tcp:localhost:4444", "tcp:localhost:4444"),
            ("127.0.0.1:4444", "tcp:127.0.0.1:4444"),
            ("[::1]:4444", "tcp:[::1]:4444"),
            ("/run/vm.qmp,server,nowait", "unix:/run/vm.qmp"),
            ("unix:/run/vm.qmp,server=on,wait=off", "unix:/run/vm.qmp"),
            ("/run/qga.sock,kind=qga", "unix:/run/qga.sock,kind=qga"),
            (
                "/run/x,kind=qga,listen=on",
                "unix:/run/x,listen=on,kind=qga",
            ),
            ("[::]:1,listen=on", "tcp:[::]:1,listen=on"),
            ("/run/x,listen=off,server=on", "unix:/run/x"),
            (
                "h:1,hostname=vm,key=k,tls=on,cert=c,,d,ca=/a",
                "tcp:h:1,tls=on,ca=/a,cert=c,,d,key=k,hostname=vm",
            ),
            (
                "h:1,listen=on,tls=on,cert=c,key=k",
                "tcp:h:1,listen=on,tls=on,cert=c,key=k",
            ),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), canonical, "{text}");
            assert_eq!(
                canonical.parse::<Address>().unwrap(),
                address,
                "{canonical}"
            );
        }
    }

    #[test]
    fn faults_name_the_part() {
        for (text, part) in [
            ("", "empty"),
            ("vm", "\"vm\""),
            ("unix:", "path"),
            ("https://vm:4444", "\"https://\" is not where QMP is spoken"),
            ("qemu+ssh://vm/system", "\"qemu+ssh://\" is not where"),
            (
                "localhost:44x",
                "port \"44x\" is not a number from 1 to 65535",
            ),
            ("localhost:0", "\"0\""),
            ("localhost:65536", "\"65536\""),
            ("localhost:+1", "\"+1\""),
            ("tcp:localhost", "no port"),
            (":4444", "host"),
            ("::1:4444", "brackets"),
            ("[::1]", "no port"),
            ("[::g]:1", "[::g]"),
            ("a b:1", "a b"),
            ("fd:3", "inherited socket, \"fd:3\""),
            ("/run/x,kind=ssh", "\"ssh\""),
            ("/run/x,server=off", "QEMU connects"),
            ("fd:", "descriptor \"\""),
            ("fd:-1", "descriptor \"-1\""),
            ("/run/x,listen=maybe", "\"maybe\", not on or off"),
            ("/run/x,listen=on,server", "both sides listen"),
            ("/run/x,tls=on,ca=/a", "only a TCP connection"),
            ("h:1,ca=/a", "option \"ca\" is for \"tls=on\" only"),
            ("h:1,tls=on", "needs the option \"ca\""),
            ("h:1,tls=on,ca=/a,cert=/c", "\"key\" for its certificate"),
            ("h:1,tls=on,ca=/a,key=/k", "\"cert\" for its key"),
            ("h:1,tls=on,listen=on", "\"cert\" to listen"),
            ("h:1,tls=on,ca=", "\"ca\" is \"\", not a file"),
            ("/run/x,", "\"\""),
            ("/run/x\n", "control character, '\\n'"),
            ("h:1,tls=on,ca=/a,hostname=a\u{9b}b", "'\\u{9b}'"),
            ("/run/\0", "'\\0'"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        let inherited = Address::from_command_line("fd:3").unwrap();
        assert_eq!(inherited.to_string(), "fd:3");
        let error = Address::from_command_line("fd:3,listen=on").unwrap_err();
        assert_eq!(error, AddressError::InheritedListens);
        let long = format!("/{}", "x".repeat(107));
        assert_eq!(long.parse::<Address>(), Err(AddressError::LongPath(108)));
    }
}
