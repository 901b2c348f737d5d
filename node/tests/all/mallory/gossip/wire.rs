//! Frames of gossipsub, written and read by hand: protobuf with its length before it.

use futures::{AsyncRead, AsyncReadExt};

/// One message of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) from: Option<Vec<u8>>,
    pub(super) data: Vec<u8>,
    pub(super) seqno: Option<Vec<u8>>,
    pub(super) topic: String,
    pub(super) signature: Option<Vec<u8>>,
    pub(super) key: Option<Vec<u8>>,
}

/// What stands in a frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// Topics, and whether they are joined or left.
    pub(super) subscriptions: Vec<(bool, String)>,
    pub(super) messages: Vec<Message>,
    pub(super) ihave: Vec<(String, Vec<Vec<u8>>)>,
    pub(super) iwant: Vec<Vec<Vec<u8>>>,
    pub(super) graft: Vec<String>,
    /// Topics and backoffs in seconds.
    pub(super) prune: Vec<(String, u64)>,
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn number(field: u64, number: u64) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

fn bytes(field: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn optional(field: u64, value: Option<&Vec<u8>>) -> Vec<u8> {
    value.map(|value| bytes(field, value)).unwrap_or_default()
}

impl Message {
    fn encode(&self) -> Vec<u8> {
        let Self { from, data, seqno, topic, signature, key } = self;
        let parts = [optional(1, from.as_ref()), bytes(2, data), optional(3, seqno.as_ref())];
        let rest = [bytes(4, topic.as_bytes()), optional(5, signature.as_ref()), optional(6, key.as_ref())];
        [parts.concat(), rest.concat()].concat()
    }
}

impl Frame {
    /// The bytes on the stream, length and all.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut frame = Vec::new();
        for (joins, topic) in &self.subscriptions {
            frame.extend(bytes(1, &[number(1, u64::from(*joins)), bytes(2, topic.as_bytes())].concat()));
        }
        for message in &self.messages {
            frame.extend(bytes(2, &message.encode()));
        }
        let mut control = Vec::new();
        for (topic, ids) in &self.ihave {
            let ids: Vec<u8> = ids.iter().flat_map(|id| bytes(2, id)).collect();
            control.extend(bytes(1, &[bytes(1, topic.as_bytes()), ids].concat()));
        }
        for ids in &self.iwant {
            control.extend(bytes(2, &ids.iter().flat_map(|id| bytes(1, id)).collect::<Vec<u8>>()));
        }
        for topic in &self.graft {
            control.extend(bytes(3, &bytes(1, topic.as_bytes())));
        }
        for (topic, backoff) in &self.prune {
            control.extend(bytes(4, &[bytes(1, topic.as_bytes()), number(3, *backoff)].concat()));
        }
        if !control.is_empty() {
            frame.extend(bytes(3, &control));
        }
        [varint(frame.len() as u64), frame].concat()
    }

    /// Reads what an honest node has written.
    fn decode(frame: &[u8]) -> Self {
        let mut read = Self::default();
        for (field, value) in fields(frame) {
            match field {
                1 => {
                    let parts = fields(value.bytes());
                    let joins = parts.iter().any(|(field, value)| *field == 1 && value.number() == 1);
                    read.subscriptions.push((joins, text_of(&parts, 2)));
                }
                2 => read.messages.push(message(value.bytes())),
                3 => read.control(value.bytes()),
                _ => {}
            }
        }
        read
    }

    fn control(&mut self, control: &[u8]) {
        for (field, value) in fields(control) {
            let parts = match value {
                Value::Bytes(bytes) => fields(bytes),
                Value::Number(_) => continue,
            };
            let ids = |field| parts.iter().filter(|(at, _)| *at == field).map(|(_, id)| id.bytes().to_vec()).collect();
            match field {
                1 => self.ihave.push((text_of(&parts, 1), ids(2))),
                2 => self.iwant.push(ids(1)),
                3 => self.graft.push(text_of(&parts, 1)),
                4 => {
                    let backoff = parts.iter().find(|(field, _)| *field == 3).map_or(0, |(_, value)| value.number());
                    self.prune.push((text_of(&parts, 1), backoff));
                }
                _ => {}
            }
        }
    }

    /// Reads the next frame of a stream; none where it ends.
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Self> {
        let mut length = 0_usize;
        for shift in (0..21).step_by(7) {
            let mut byte = [0];
            stream.read_exact(&mut byte).await.ok()?;
            length |= usize::from(byte[0] & 0x7f) << shift;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        let mut frame = vec![0; length];
        stream.read_exact(&mut frame).await.ok()?;
        Some(Self::decode(&frame))
    }
}

fn message(bytes: &[u8]) -> Message {
    let parts = fields(bytes);
    let part = |field| parts.iter().find(|(at, _)| *at == field).map(|(_, value)| value.bytes().to_vec());
    Message {
        from: part(1),
        data: part(2).unwrap_or_default(),
        seqno: part(3),
        topic: text_of(&parts, 4),
        signature: part(5),
        key: part(6),
    }
}

fn text_of(parts: &[(u64, Value<'_>)], field: u64) -> String {
    let found = parts.iter().find(|(at, _)| *at == field);
    found.map(|(_, value)| String::from_utf8_lossy(value.bytes()).into_owned()).unwrap_or_default()
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(_) => &[],
        }
    }

    fn number(&self) -> u64 {
        match self {
            Self::Bytes(_) => 0,
            Self::Number(number) => *number,
        }
    }
}

/// The fields of a message of an honest node.
fn fields(mut rest: &[u8]) -> Vec<(u64, Value<'_>)> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let tag = take_varint(&mut rest);
        let value = match tag & 7 {
            0 => Value::Number(take_varint(&mut rest)),
            2 => {
                let length = usize::try_from(take_varint(&mut rest)).expect("short");
                let (bytes, after) = rest.split_at(length);
                rest = after;
                Value::Bytes(bytes)
            }
            other => panic!("a field of kind {other}"),
        };
        fields.push((tag >> 3, value));
    }
    fields
}

fn take_varint(rest: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, after) = rest.split_first().expect("goes on");
        *rest = after;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            break;
        }
    }
    number
}
