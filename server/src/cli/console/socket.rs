//! A console's WebSocket, frame by frame.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use qmp_shared::wire::{ClientFrame, SUBPROTOCOL, ServerFrame};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::Fault;
use super::dial::Stream;

/// How long a console may be silent: it sends a ping every 20 seconds.
const SILENCE: Duration = Duration::from_secs(60);

/// Largest frame that is read, in bytes: a reply is one frame.
const MAX_FRAME_BYTES: usize = 256 << 20;

/// The first frame of a socket, of which this is of use here.
#[derive(Debug)]
pub(in crate::cli) struct Hello {
    /// Names the run of sequence numbers.
    pub(in crate::cli) journal: String,
}

/// An open console socket.
pub(in crate::cli) struct Socket(WebSocketStream<Box<dyn Stream>>);

impl Socket {
    /// Opens a socket on this connection and reads its `hello`.
    pub(super) async fn open(
        stream: Box<dyn Stream>,
        url: &str,
        authorization: HeaderValue,
    ) -> Result<(Self, Hello), Fault> {
        let mut request = url.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, authorization);
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        let upgrade =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        let mut socket = Self(upgrade?.0);
        match socket.receive().await? {
            ServerFrame::Hello(hello) => {
                let journal = hello.journal;
                Ok((socket, Hello { journal }))
            }
            _ => Err(Fault::Protocol("the first frame is no `hello`".to_owned())),
        }
    }

    /// Sends a frame.
    ///
    /// # Errors
    ///
    /// [`Fault`]. Whether the console has the frame is unknown then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may leave a frame half sent: drop the socket too.
    pub(in crate::cli) async fn send(&mut self, frame: &ClientFrame) -> Result<(), Fault> {
        let text = serde_json::to_string(frame);
        let text = text.map_err(|error| Fault::Protocol(error.to_string()))?;
        Ok(self.0.send(Message::text(text)).await?)
    }

    /// The next frame of a kind that this version knows. A console that is
    /// silent for a minute counts as lost.
    ///
    /// # Errors
    ///
    /// [`Fault`]. The socket is over then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no frame.
    pub(in crate::cli) async fn receive(&mut self) -> Result<ServerFrame, Fault> {
        loop {
            // Also what answers the console's pings.
            let next = timeout(SILENCE, self.0.next());
            let message = next.await.map_err(|_| Fault::Late(SILENCE))?;
            match message {
                None => return Err(Fault::Closed(None, String::new())),
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) = match frame {
                        Some(frame) => (Some(frame.code.into()), frame.reason.to_string()),
                        None => (None, String::new()),
                    };
                    return Err(Fault::Closed(code, reason));
                }
                Some(Ok(Message::Text(text))) => {
                    let frame = ServerFrame::decode(&text)
                        .map_err(|error| Fault::Protocol(error.to_string()))?;
                    if let Some(frame) = frame {
                        return Ok(frame);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    /// A socket, and the console's end of it.
    async fn pair() -> (Socket, WebSocketStream<tokio::io::DuplexStream>) {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let ours: Box<dyn Stream> = Box::new(ours);
        let ours = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
        let theirs = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        (Socket(ours), theirs)
    }

    #[tokio::test(start_paused = true)]
    async fn a_ping_is_a_sign_of_life_and_silence_is_none() {
        let (mut socket, mut console) = pair().await;
        let since = Instant::now();
        let pings = async {
            for _ in 0..5 {
                tokio::time::sleep(SILENCE / 2).await;
                console.send(Message::Ping("x".into())).await.unwrap();
                let pong = console.next().await.unwrap().unwrap();
                assert!(pong.is_pong(), "{pong:?}");
            }
        };
        let (received, ()) = tokio::join!(socket.receive(), pings);
        assert!(
            matches!(received, Err(Fault::Late(SILENCE))),
            "{received:?}"
        );
        assert_eq!(since.elapsed().as_secs(), (SILENCE * 7 / 2).as_secs());
    }

    #[tokio::test]
    async fn what_a_newer_console_says_is_passed_over() {
        let (mut socket, mut console) = pair().await;
        for text in [
            r#"{"type":"weather","rain":true}"#,
            r#"{"type":"pong","id":1,"new":2}"#,
            "[]",
        ] {
            console.send(Message::text(text)).await.unwrap();
        }
        let frame = socket.receive().await.unwrap();
        assert!(matches!(frame, ServerFrame::Pong(_)), "{frame:?}");
        let fault = socket.receive().await.unwrap_err();
        assert!(matches!(fault, Fault::Protocol(_)), "{fault:?}");
    }

    #[tokio::test]
    async fn a_close_has_its_reason() {
        let (mut socket, mut console) = pair().await;
        let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame {
            code: 4401.into(),
            reason: "revoked".into(),
        };
        console.close(Some(frame)).await.unwrap();
        let fault = socket.receive().await.unwrap_err();
        assert!(!fault.is_passing());
        assert_eq!(
            fault.to_string(),
            "the console closed the connection: revoked"
        );
    }
}
