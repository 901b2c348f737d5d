//! What an expression can read: closed records of fields, each with its place in a row.

use super::value::{Shape, Value};

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The record, such as `post`.
    pub record: Box<str>,
    /// The field of it, such as `age`.
    pub name: Box<str>,
    /// Its type and bounds.
    pub shape: Shape,
}

/// The fields that an expression may read, in the order of a row (`FEED-4`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    fields: Vec<Field>,
}

impl Scope {
    /// A scope of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field at the end of the row, unless it is there already or the row is full.
    #[must_use]
    pub fn with(mut self, record: &str, name: &str, shape: Shape) -> Self {
        if self.find(record, name).is_none() && self.fields.len() < usize::from(u16::MAX) {
            self.fields.push(Field { record: record.into(), name: name.into(), shape });
        }
        self
    }

    /// The fields in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// True where a row has a value for each field that fits its shape.
    pub fn fits(&self, row: &[Value]) -> bool {
        row.len() == self.fields.len() && self.fields.iter().zip(row).all(|(field, value)| field.shape.fits(value))
    }

    /// The place of a field in the row, and its shape.
    pub(super) fn find(&self, record: &str, name: &str) -> Option<(u16, Shape)> {
        let place = self.fields.iter().position(|field| *field.record == *record && *field.name == *name)?;
        Some((u16::try_from(place).ok()?, self.fields[place].shape))
    }
}
