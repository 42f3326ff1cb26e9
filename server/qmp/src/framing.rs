//! One JSON value at a time out of a stream of bytes, cut by structure.
//!
//! QEMU ends its lines with CRLF, the agent with LF, and a pretty-printing
//! monitor spreads a value over many lines; so newlines mean nothing here. The
//! framer finds where a value ends and looks no further: whether the value is
//! JSON is its reader's to check.

use memchr::memchr3;
use thiserror::Error;

/// How many bytes there is room for at least.
const ROOM: usize = 4 << 10;

/// How much room there is when the last was too little, and how much is kept
/// when it is not in use.
const MORE_ROOM: usize = 64 << 10;

/// Cuts values out of bytes. Every byte is looked at once, however the bytes
/// are split on their way. Holds at most the limit and what was pushed last.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Where in the buffer is what was not cut yet: a value, or what comes
    /// before it.
    start: usize,
    /// How far the value at the start has been looked at.
    scanned: usize,
    state: State,
    depth: usize,
    limit: usize,
    /// Whether 0xFF begins anew.
    sentinel: bool,
}

/// The byte that a guest agent sends before the reply to
/// `guest-sync-delimited`. It is in no UTF-8 text.
const SENTINEL: u8 = 0xFF;

/// What ends where in the buffer.
enum Cut {
    /// A value, before this place.
    Value(usize),
    /// An unfinished value, with the sentinel at this place.
    Sentinel(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a value.
    Between,
    /// In an object or array, outside its strings.
    Structure,
    /// In a string; a backslash was just seen, or not.
    String { escaped: bool },
    /// In something that is neither object, array nor string.
    Token,
}

/// Why no more values can be had.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FramingError {
    /// A value is longer than the limit.
    #[error("a message is longer than the limit of {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
}

impl Framer {
    /// A framer for values of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            state: State::Between,
            depth: 0,
            limit,
            sentinel: false,
        }
    }

    /// For the bytes of a guest agent: an 0xFF makes it forget the value that
    /// it is in, and is nothing between values. Elsewhere 0xFF is a byte of a
    /// value, which then is no text.
    pub fn with_sentinel(mut self) -> Self {
        self.sentinel = true;
        self
    }

    /// Where to append more bytes, with room for some.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        // What fills its room has more to come.
        let room = match self.buffer.len() == self.buffer.capacity() {
            true if !self.buffer.is_empty() => MORE_ROOM,
            _ => ROOM,
        };
        self.buffer.drain(..self.start);
        self.start = 0;
        if self.buffer.is_empty() {
            self.buffer.shrink_to(MORE_ROOM);
        }
        self.buffer.reserve(room);
        &mut self.buffer
    }

    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer().extend_from_slice(bytes);
    }

    /// The next value, `None` when its end has not arrived yet.
    ///
    /// # Errors
    ///
    /// [`FramingError::TooLong`]; the framer is of no use afterwards.
    pub fn next_value(&mut self) -> Result<Option<Vec<u8>>, FramingError> {
        loop {
            if self.state == State::Between && !self.begin() {
                return Ok(None);
            }
            match self.scan() {
                Some(Cut::Sentinel(at)) if at <= self.limit => {
                    self.start += at + 1;
                    self.restart();
                }
                Some(Cut::Value(end)) if end <= self.limit => {
                    let value = self.uncut()[..end].to_vec();
                    self.start += end;
                    self.restart();
                    return Ok(Some(value));
                }
                None if self.uncut().len() <= self.limit => {
                    self.scanned = self.uncut().len();
                    return Ok(None);
                }
                _ => return Err(FramingError::TooLong { limit: self.limit }),
            }
        }
    }

    /// How many bytes of an unfinished value there are; 0 between values.
    pub fn unfinished(&self) -> usize {
        match self.state {
            State::Between => self.uncut().trim_ascii_start().len(),
            _ => self.uncut().len(),
        }
    }

    /// Drops everything up to the last 0xFF sentinel, and the sentinel itself;
    /// does nothing and is false when there is none. For the guest agent, whose
    /// `guest-sync-delimited` marks the beginning of a fresh reply so.
    pub fn skip_to_sentinel(&mut self) -> bool {
        let Some(at) = memchr::memrchr(SENTINEL, self.uncut()) else {
            return false;
        };
        self.start += at + 1;
        self.restart();
        true
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.start = self.buffer.len();
        self.restart();
    }

    fn uncut(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    fn restart(&mut self) {
        self.state = State::Between;
        self.scanned = 0;
        self.depth = 0;
    }

    /// Drops what is between values and recognises what begins; whether
    /// anything does.
    fn begin(&mut self) -> bool {
        let between =
            |byte: &u8| byte.is_ascii_whitespace() || (self.sentinel && *byte == SENTINEL);
        self.start += self.uncut().iter().take_while(|byte| between(byte)).count();
        let Some(first) = self.uncut().first() else {
            return false;
        };
        (self.state, self.depth, self.scanned) = match first {
            b'{' | b'[' => (State::Structure, 0, 0),
            b'"' => (State::String { escaped: false }, 0, 1),
            _ => (State::Token, 0, 1),
        };
        true
    }

    /// Where the value ends, if it does.
    fn scan(&mut self) -> Option<Cut> {
        let bytes = &self.buffer[self.start..];
        let (mut at, mut state, mut depth) = (self.scanned, self.state, self.depth);
        let cut = loop {
            let Some(&byte) = bytes.get(at) else {
                break None;
            };
            match state {
                State::String { escaped: true } => {
                    state = State::String { escaped: false };
                    // A sentinel is one wherever it is.
                    if byte == SENTINEL {
                        continue;
                    }
                }
                State::String { escaped: false } => {
                    let Some(skipped) = memchr3(b'"', b'\\', SENTINEL, &bytes[at..]) else {
                        break None;
                    };
                    at += skipped;
                    match bytes[at] {
                        b'\\' => state = State::String { escaped: true },
                        SENTINEL if self.sentinel => break Some(Cut::Sentinel(at)),
                        SENTINEL => {}
                        _ if depth == 0 => break Some(Cut::Value(at + 1)),
                        _ => state = State::Structure,
                    }
                }
                State::Structure => match byte {
                    b'"' => state = State::String { escaped: false },
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            break Some(Cut::Value(at + 1));
                        }
                    }
                    SENTINEL if self.sentinel => break Some(Cut::Sentinel(at)),
                    _ => {}
                },
                State::Token => {
                    if self.sentinel && byte == SENTINEL {
                        break Some(Cut::Sentinel(at));
                    }
                    if byte.is_ascii_whitespace() || matches!(byte, b'{' | b'[' | b'"') {
                        break Some(Cut::Value(at));
                    }
                }
                State::Between => break None,
            }
            at += 1;
        };
        (self.state, self.depth) = (state, depth);
        cut
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<String> {
        let mut framer = Framer::new(1 << 20);
        let mut values = Vec::new();
        for chunk in chunks {
            framer.push(chunk);
            while let Some(value) = framer.next_value().unwrap() {
                values.push(String::from_utf8(value).unwrap());
            }
        }
        values
    }

    #[test]
    fn newlines_mean_nothing() {
        let bytes =
            b"\r\n{\"a\":\r\n [1,\n{\"b\":\"}\\\"]\\\\\"}]}{}\n\n[]  \"x\\\"{\"12 {\"c\":1}";
        let expected = [
            "{\"a\":\r\n [1,\n{\"b\":\"}\\\"]\\\\\"}]}",
            "{}",
            "[]",
            "\"x\\\"{\"",
            "12",
            "{\"c\":1}",
        ];
        assert_eq!(cut(&[bytes]), expected);
    }

    #[test]
    fn what_is_not_json_is_cut_too_for_its_reader_to_refuse() {
        assert_eq!(cut(&[b"HTTP/1.1 400 Bad"]), ["HTTP/1.1", "400"]);
    }

    #[test]
    fn the_limit_is_for_a_value_whole_or_not() {
        let mut framer = Framer::new(4);
        framer.push(b"{}  [1]      [12]");
        for expected in ["{}", "[1]", "[12]"] {
            assert_eq!(framer.next_value().unwrap().unwrap(), expected.as_bytes());
        }
        framer.push(b"[123]");
        assert_eq!(framer.next_value(), Err(FramingError::TooLong { limit: 4 }));
        let mut framer = Framer::new(4);
        framer.push(b"[123");
        assert_eq!(framer.next_value(), Ok(None));
        framer.push(b"4");
        assert_eq!(framer.next_value(), Err(FramingError::TooLong { limit: 4 }));
    }

    #[test]
    fn an_unfinished_value_is_told_from_none() {
        let mut framer = Framer::new(100);
        framer.push(b"{} \r\n");
        framer.next_value().unwrap();
        assert_eq!(framer.unfinished(), 0);
        framer.push(b"{\"a");
        assert_eq!(framer.next_value(), Ok(None));
        assert_eq!(framer.unfinished(), 3);
    }

    #[test]
    fn the_sentinel_ends_what_is_stale() {
        let mut framer = Framer::new(100);
        framer.push(b"{\"stale\": ");
        assert_eq!(framer.next_value(), Ok(None));
        assert!(!framer.skip_to_sentinel());
        framer.push(b"1}\n\xff{\"return\": \xff{\"return\": 1}");
        assert!(framer.skip_to_sentinel());
        assert_eq!(framer.next_value().unwrap().unwrap(), b"{\"return\": 1}");
        framer.push(b"{\"half");
        assert_eq!(framer.next_value(), Ok(None));
        framer.clear();
        framer.push(b"{}");
        assert_eq!(framer.next_value().unwrap().unwrap(), b"{}");
    }

    #[test]
    fn for_an_agent_the_sentinel_drops_the_value_that_it_is_in_and_no_other() {
        let bytes = b"{\"a\": 1}\xff{\"half\": \xff\xff {\"b\\\xff{}12\xff[3]\xff";
        for size in 1..bytes.len() {
            let mut framer = Framer::new(100).with_sentinel();
            let mut values = Vec::new();
            for chunk in bytes.chunks(size) {
                framer.push(chunk);
                while let Some(value) = framer.next_value().unwrap() {
                    values.push(String::from_utf8(value).unwrap());
                }
            }
            assert_eq!(values, ["{\"a\": 1}", "{}", "[3]"]);
        }
        let mut framer = Framer::new(100);
        framer.push(b"{\"\xff\\\xff\": \xff}");
        let value = framer.next_value().unwrap().unwrap();
        assert_eq!(value, b"{\"\xff\\\xff\": \xff}");
    }

    #[test]
    fn a_value_that_the_sentinel_drops_is_within_the_limit_too() {
        for chunk in [1, 7] {
            let mut framer = Framer::new(4).with_sentinel();
            let mut chunks = b"[123\xff{}[1234\xff".chunks(chunk);
            let error = chunks.find_map(|bytes| {
                framer.push(bytes);
                loop {
                    match framer.next_value() {
                        Ok(Some(value)) => assert_eq!(value, b"{}"),
                        Ok(None) => return None,
                        Err(error) => return Some(error),
                    }
                }
            });
            assert_eq!(error, Some(FramingError::TooLong { limit: 4 }));
        }
    }

    proptest! {
        #[test]
        fn the_same_values_however_bytes_are_split(
            values in prop::collection::vec("\\{(\"[a\\\\\\\\{}\\[\\]]{0,6}\\\\\"\":[0-9]{1,3})?\\}", 0..8),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let bytes = values.join("\r\n").into_bytes();
            let whole = cut(&[&bytes]);
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let chunks: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(cut(&chunks), whole);
        }
    }
}
