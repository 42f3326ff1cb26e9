//! `rest-execute`, `ws-execute`: one command after the other, on real QEMU.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use qmp_client::client::{Client, Options};
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::client::{IntoClientRequest, client_with_config};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use crate::console::Console;
use crate::http::Http;
use crate::process::Qemu;
use crate::proxy::Proxy;
use crate::report::{Measured, median};
use crate::{Arguments, Result};

/// How often a command is executed in a round.
const TIMES: usize = 2000;

/// What the benchmark's own socket reads at once. It clears all of that before
/// each read, and what that takes is not the console's.
const READ_BUFFER_BYTES: usize = 4 << 10;

/// QEMU reads a command a byte at a time, each of which takes it some
/// microseconds; so this one's id is as long as those of a client that counts.
const STATUS: &[u8] = b"{\"execute\":\"query-status\",\"id\":10000}";

/// What negotiates with QEMU what `qmp-client` does.
const NEGOTIATION: &[u8] =
    b"{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}";

pub(crate) fn measure(arguments: &Arguments, directory: &Path) -> Result<Vec<Measured>> {
    let qemu = Qemu::start(directory, &["socket", "client", "proxy", "console"])?;
    let console = Console::on(directory, &qemu.monitor("console"))?;
    let token = console.viewer()?;
    let mut socket = Socket::negotiated(UnixStream::connect(qemu.monitor("socket"))?)?;
    let proxy = Proxy::start(&qemu.monitor("proxy"))?;
    let bridged = TcpStream::connect(&proxy.host)?;
    bridged.set_nodelay(true)?;
    let mut bridged = Socket::negotiated(bridged)?;
    let direct = Direct::connect(&qemu.monitor("client"))?;
    let mut rest = Http::connect(&console.host, &token)?;
    let mut browser = Browser::connect(&console.host, &token)?;

    let of = |name| Measured::new(name, "us");
    let mut beside_client = [
        of("rest-execute").beside("qmp-client").goal("ratio <= 1.3"),
        of("ws-execute").beside("qmp-client").goal("ratio <= 1.15"),
    ];
    let mut beside_proxy = ["rest-execute", "ws-execute"].map(|it| of(it).beside("bytes by TCP"));
    let mut bare = of("client-execute").beside("bare socket");
    let body = r#"{"execute":"query-status"}"#;
    let request = rest.request("POST", "/api/v1/sessions/vm/execute", body);
    let rounds = arguments.rounds(11);
    for round in 0..=rounds {
        let floor = median_of(|| socket.exchange(STATUS))?;
        let client = direct.median()?;
        let bridged = median_of(|| bridged.exchange(STATUS))?;
        let ours = [
            median_of(|| rest.exchange(&request).map(drop))?,
            median_of(|| browser.execute())?,
        ];
        // The first one warms up.
        if round > 0 {
            for (index, ours) in ours.into_iter().enumerate() {
                beside_client[index].add(ours, Some(client));
                beside_proxy[index].add(ours, Some(bridged));
            }
            bare.add(client, Some(floor));
        }
    }
    Ok(beside_client
        .into_iter()
        .chain(beside_proxy)
        .chain([bare])
        .collect())
}

/// How long one takes, in microseconds.
fn median_of(mut once: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut taken = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let start = Instant::now();
        once()?;
        taken.push(Some(start.elapsed().as_secs_f64() * 1e6));
    }
    Ok(median(taken.into_iter()).ok_or("nothing was measured")?)
}

/// A blocking socket, and nothing else.
struct Socket<S>(S);

impl<S: Read + Write> Socket<S> {
    fn negotiated(stream: S) -> Result<Self> {
        let mut socket = Self(stream);
        socket.exchange(b"")?;
        socket.exchange(NEGOTIATION)?;
        Ok(socket)
    }

    /// Writes a command, and reads a line.
    fn exchange(&mut self, command: &[u8]) -> Result<()> {
        self.0.write_all(command)?;
        let mut buffer = [0; 4096];
        loop {
            let length = self.0.read(&mut buffer)?;
            match buffer[..length].last() {
                None => return Err("QEMU is gone".into()),
                Some(b'\n') => return Ok(()),
                Some(_) => {}
            }
        }
    }
}

/// `qmp-client`, on one thread.
struct Direct {
    runtime: Runtime,
    client: Client,
}

impl Direct {
    fn connect(path: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let client = Client::new(Options::default());
        let address = format!("unix:{}", path.display()).parse()?;
        runtime.block_on(client.connect(&address))?;
        Ok(Self { runtime, client })
    }

    fn median(&self) -> Result<f64> {
        self.runtime.block_on(async {
            let mut taken = Vec::with_capacity(TIMES);
            for _ in 0..TIMES {
                let start = Instant::now();
                self.client.execute("query-status").await?;
                taken.push(Some(start.elapsed().as_secs_f64() * 1e6));
            }
            Ok(median(taken.into_iter()).ok_or("nothing was measured")?)
        })
    }
}

/// A console socket that is not subscribed to anything.
struct Browser {
    socket: WebSocket<TcpStream>,
    next: u64,
}

impl Browser {
    fn connect(host: &str, token: &str) -> Result<Self> {
        let mut request = format!("ws://{host}/api/v1/ws").into_client_request()?;
        let bearer = format!("Bearer {token}").parse()?;
        request.headers_mut().insert("authorization", bearer);
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
        let (socket, _) = client_with_config(request, stream, Some(config))?;
        Ok(Self { socket, next: 0 })
    }

    fn execute(&mut self) -> Result<()> {
        self.next += 1;
        let id = self.next;
        let frame =
            format!(r#"{{"type":"execute","id":{id},"session":"vm","execute":"query-status"}}"#);
        self.socket.send(Message::text(frame))?;
        let wanted = format!(r#"{{"type":"reply","id":{id},"return":"#);
        loop {
            match self.socket.read()? {
                Message::Text(text) if text.starts_with(&wanted) => return Ok(()),
                Message::Text(text) if text.starts_with(r#"{"type":"reply""#) => {
                    return Err(text.as_str().into());
                }
                // The counters of the session, once a second.
                Message::Text(_) | Message::Ping(_) => {}
                other => return Err(format!("{other:?}").into()),
            }
        }
    }
}
