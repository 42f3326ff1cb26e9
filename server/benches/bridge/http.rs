//! A blocking HTTP/1.1 client with one connection, which is kept.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::Result;

pub(crate) struct Http {
    stream: TcpStream,
    host: String,
    token: String,
    buffer: Vec<u8>,
}

impl Http {
    pub(crate) fn connect(host: &str, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            host: host.to_owned(),
            token: token.to_owned(),
            buffer: vec![0; 64 << 10],
        })
    }

    /// A request as it is sent.
    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> Vec<u8> {
        let Self { host, token, .. } = self;
        let length = body.len();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// Sends a request; the body of its answer.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Value> {
        let request = self.request(method, path, body);
        Ok(serde_json::from_slice(self.exchange(&request)?)?)
    }

    /// Sends a request; the body of its answer, which was good.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request)?;
        let mut filled = 0;
        let (start, end) = loop {
            if filled == self.buffer.len() {
                self.buffer.resize(2 * filled, 0);
            }
            let length = self.stream.read(&mut self.buffer[filled..])?;
            if length == 0 {
                return Err("the console has hung up".into());
            }
            filled += length;
            if let Some((start, length)) = headers(&self.buffer[..filled])?
                && start + length <= filled
            {
                break (start, start + length);
            }
        };
        let answer = &self.buffer[..end];
        if !answer.starts_with(b"HTTP/1.1 20") {
            return Err(String::from_utf8_lossy(answer).into());
        }
        Ok(&answer[start..])
    }
}

/// Where the body starts and how long it is, once the headers are all there.
fn headers(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..at])?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    Ok(Some((at + 4, length.map_or(Ok(0), str::parse)?)))
}
