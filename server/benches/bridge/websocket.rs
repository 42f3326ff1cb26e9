//! The client's side of WebSockets (RFC 6455), as much as a receiver needs.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::Result;

/// A frame that a server has sent.
pub(crate) struct Frame<'a> {
    pub(crate) payload: &'a [u8],
    /// How long it is with its header.
    pub(crate) length: usize,
}

impl<'a> Frame<'a> {
    /// The first frame, if it is all there (section 5.2). A server does not
    /// mask.
    pub(crate) fn first(bytes: &'a [u8]) -> Option<Self> {
        let (header, length) = match *bytes.get(1)? & 0x7F {
            126 => {
                let length: [u8; 2] = bytes.get(2..4)?.try_into().ok()?;
                (4, usize::from(u16::from_be_bytes(length)))
            }
            127 => {
                let length: [u8; 8] = bytes.get(2..10)?.try_into().ok()?;
                (10, usize::try_from(u64::from_be_bytes(length)).ok()?)
            }
            length => (2, usize::from(length)),
        };
        let length = header + length;
        let payload = bytes.get(header..length)?;
        Some(Self { payload, length })
    }
}

/// Opens a console socket, or one that is like it. Nothing beyond the answer's
/// headers has been read.
pub(crate) fn open(host: &str, token: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET /api/v1/ws HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    match head.starts_with(b"HTTP/1.1 101") {
        true => Ok(stream),
        false => Err(String::from_utf8_lossy(&head).into()),
    }
}

/// Sends a short text, masked with zeros.
pub(crate) fn send(stream: &mut TcpStream, text: &str) -> Result<()> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length < 126);
    let length = length.ok_or("too long a text")?;
    let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    stream.write_all(&frame)?;
    Ok(())
}

/// Reads frames until one begins like this, and nothing beyond it.
pub(crate) fn skip_to(stream: &mut TcpStream, beginning: &str) -> Result<()> {
    let mut bytes = Vec::new();
    loop {
        match Frame::first(&bytes) {
            Some(frame) if frame.payload.starts_with(beginning.as_bytes()) => return Ok(()),
            Some(_) => bytes.clear(),
            None => {
                let mut byte = [0];
                stream.read_exact(&mut byte)?;
                bytes.extend(byte);
            }
        }
    }
}
