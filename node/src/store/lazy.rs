//! A table of a write transaction that is opened when it is first used: of all tables most commits need a few, and
//! each one that is opened is looked up twice, at its opening and in the commit.

use std::borrow::Borrow;
use std::cell::OnceCell;
use std::ops::RangeBounds;

use redb::{AccessGuard, Key, Range, ReadableTable, Table, TableDefinition, Value, WriteTransaction};

use crate::error::StoreError;

/// A table that is opened at its first use.
pub(crate) struct Lazy<'t, K: Key + 'static, V: Value + 'static> {
    txn: &'t WriteTransaction,
    definition: TableDefinition<'static, K, V>,
    table: OnceCell<Table<'t, K, V>>,
}

/// A key and its value.
type Row<'r, K, V> = (AccessGuard<'r, K>, AccessGuard<'r, V>);

/// Gives out the tables of one write transaction.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'t> {
    txn: &'t WriteTransaction,
    at_once: bool,
}

impl<'t> Tables<'t> {
    /// Each is opened when it is first used.
    pub(crate) fn when_used(txn: &'t WriteTransaction) -> Self {
        Self { txn, at_once: false }
    }

    /// Each is opened as it is given out, so that all are there afterwards: readers find none that was never made.
    pub(crate) fn at_once(txn: &'t WriteTransaction) -> Self {
        Self { txn, at_once: true }
    }

    /// One of them.
    pub(crate) fn table<K: Key + 'static, V: Value + 'static>(
        self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<Lazy<'t, K, V>, StoreError> {
        let table = Lazy { txn: self.txn, definition, table: OnceCell::new() };
        if self.at_once {
            table.open()?;
        }
        Ok(table)
    }
}

impl<'t, K: Key + 'static, V: Value + 'static> Lazy<'t, K, V> {
    /// The open table, to be read; made where there is none.
    pub(crate) fn open(&self) -> Result<&Table<'t, K, V>, StoreError> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let opened = self.txn.open_table(self.definition)?;
        Ok(self.table.get_or_init(|| opened))
    }

    /// The open table.
    pub(crate) fn open_mut(&mut self) -> Result<&mut Table<'t, K, V>, StoreError> {
        self.open()?;
        Ok(self.table.get_mut().expect("just opened"))
    }

    /// The value of a key.
    pub(crate) fn get<'k>(&self, key: impl Borrow<K::SelfType<'k>>) -> Result<Option<AccessGuard<'_, V>>, StoreError> {
        Ok(self.open()?.get(key)?)
    }

    /// The rows of a range of keys, in order.
    pub(crate) fn range<'k, Q: Borrow<K::SelfType<'k>> + 'k>(
        &self,
        range: impl RangeBounds<Q> + 'k,
    ) -> Result<Range<'_, K, V>, StoreError> {
        Ok(self.open()?.range(range)?)
    }

    /// All rows, in order.
    pub(crate) fn iter(&self) -> Result<Range<'_, K, V>, StoreError> {
        Ok(self.open()?.iter()?)
    }

    /// Sets the value of a key; answers the one before.
    pub(crate) fn insert<'k, 'v>(
        &mut self,
        key: impl Borrow<K::SelfType<'k>>,
        value: impl Borrow<V::SelfType<'v>>,
    ) -> Result<Option<AccessGuard<'_, V>>, StoreError> {
        Ok(self.open_mut()?.insert(key, value)?)
    }

    /// Takes a key and its value out.
    pub(crate) fn remove<'k>(
        &mut self,
        key: impl Borrow<K::SelfType<'k>>,
    ) -> Result<Option<AccessGuard<'_, V>>, StoreError> {
        Ok(self.open_mut()?.remove(key)?)
    }

    /// Takes the first row out.
    pub(crate) fn pop_first(&mut self) -> Result<Option<Row<'_, K, V>>, StoreError> {
        Ok(self.open_mut()?.pop_first()?)
    }
}
