//! The fields of a protobuf message: as many as the messages of a relay need, and no more.

use super::RelayMessageError;

/// A number of the field and what it holds.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of one message, in order.
pub(super) struct Fields<'a>(Vec<(u64, Value<'a>)>);

impl<'a> Fields<'a> {
    /// Takes a message apart.
    pub(super) fn read(mut bytes: &'a [u8]) -> Result<Self, RelayMessageError> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes)?;
            let value = match tag & 7 {
                0 => Some(Value::Number(varint(&mut bytes)?)),
                1 => take(&mut bytes, 8).map(|_| None)?,
                2 => {
                    let length = varint(&mut bytes)?;
                    Some(Value::Bytes(take(&mut bytes, length)?))
                }
                5 => take(&mut bytes, 4).map(|_| None)?,
                _ => return Err(RelayMessageError::Field),
            };
            fields.extend(value.map(|value| (tag >> 3, value)));
        }
        Ok(Self(fields))
    }

    /// The last number with this field number.
    pub(super) fn number(&self, number: u64) -> Option<u64> {
        self.0.iter().rev().find_map(|(has, value)| match value {
            Value::Number(value) if *has == number => Some(*value),
            _ => None,
        })
    }

    /// The last bytes with this field number.
    pub(super) fn bytes(&self, number: u64) -> Option<&'a [u8]> {
        self.all_bytes(number).last()
    }

    /// All bytes with this field number.
    pub(super) fn all_bytes(&self, number: u64) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter_map(move |(has, value)| match value {
            Value::Bytes(bytes) if *has == number => Some(*bytes),
            _ => None,
        })
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, RelayMessageError> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or(RelayMessageError::Cut)?;
        *bytes = rest;
        let bits = u64::from(first & 0x7f);
        if shift == 63 && bits > 1 {
            return Err(RelayMessageError::Field);
        }
        value |= bits << shift;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(RelayMessageError::Field)
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], RelayMessageError> {
    let length = usize::try_from(length).map_err(|_| RelayMessageError::Cut)?;
    let (taken, rest) = bytes.split_at_checked(length).ok_or(RelayMessageError::Cut)?;
    *bytes = rest;
    Ok(taken)
}

/// Puts a message together.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// A field that is a number.
    pub(super) fn number(&mut self, number: u64, value: u64) {
        self.varint(number << 3);
        self.varint(value);
    }

    /// A field that is bytes.
    pub(super) fn bytes(&mut self, number: u64, value: &[u8]) {
        self.varint(number << 3 | 2);
        self.varint(u64::try_from(value.len()).unwrap_or(u64::MAX));
        self.0.extend_from_slice(value);
    }

    /// The message.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            let low = u8::try_from(value & 0x7f).unwrap_or(0x7f);
            self.0.push(low | 0x80);
            value >>= 7;
        }
        self.0.push(u8::try_from(value).unwrap_or(0x7f));
    }
}
