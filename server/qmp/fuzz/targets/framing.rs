//! [`Framer`]: the same values however the bytes are split, within its limit.
//!
//! The first line of an input says how: its first byte is the limit, each other
//! one the size of a chunk, again and again. What follows it is the stream.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qmp_client::framing::{Framer, FramingError};
use serde_json::value::RawValue;

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
        return;
    };
    let (line, stream) = (&input[..end], &input[end + 1..]);
    let limit = line.first().map_or(usize::MAX, |&byte| byte.into());
    let chunks = split(stream, line.get(1..).unwrap_or_default());
    for sentinel in [false, true] {
        let whole = values(&[stream], limit, sentinel);
        assert_eq!(values(&chunks, limit, sentinel), whole);
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(values(&single, limit, sentinel), whole);
    }
    every_object_is_cut(stream);
});

fn split<'a>(stream: &'a [u8], sizes: &[u8]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    let mut rest = stream;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().map_or(rest.len(), |&size| size.into());
        let (chunk, after) = rest.split_at(size.clamp(1, rest.len()));
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

/// The values, and the error that ends them, if one does.
fn values(
    chunks: &[&[u8]],
    limit: usize,
    sentinel: bool,
) -> (Vec<Vec<u8>>, Result<(), FramingError>) {
    let mut framer = Framer::new(limit);
    if sentinel {
        framer = framer.with_sentinel();
    }
    let mut values = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        // A reader fills the buffer itself.
        match index % 2 {
            0 => framer.push(chunk),
            _ => framer.buffer().extend_from_slice(chunk),
        }
        loop {
            match framer.next_value() {
                Ok(Some(value)) => {
                    assert!(!value.is_empty() && value.len() <= limit);
                    values.push(value);
                }
                Ok(None) => break,
                Err(error) => return (values, Err(error)),
            }
        }
        assert!(framer.unfinished() <= limit);
        assert!(framer.buffer().len() <= limit);
    }
    (values, Ok(()))
}

/// The objects that another reader of JSON finds at the beginning of the stream
/// are found.
fn every_object_is_cut(stream: &[u8]) {
    let (found, _) = values(&[stream], usize::MAX, false);
    let objects = serde_json::Deserializer::from_slice(stream).into_iter::<Box<RawValue>>();
    let objects = objects
        .map_while(Result::ok)
        .take_while(|value| value.get().starts_with('{'));
    for (index, object) in objects.enumerate() {
        assert_eq!(found[index], object.get().as_bytes());
    }
}
