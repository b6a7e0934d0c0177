//! Numbers for names, in the order in which they were first seen.

use std::sync::Arc;

use ahash::RandomState;
use arrow_array::builder::LargeStringBuilder;
use arrow_array::{Array, ArrayRef, Int64Array, UInt64Array};
use arrow_buffer::NullBuffer;
use arrow_cast::cast;
use arrow_schema::DataType;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::integrations::arrow::ids::Ids;
use crate::methods::truth::ABSTAINED;

/// As many indices as [`Annotations`](crate::truth::Annotations) can have.
pub(super) const AT_MOST: usize = u32::MAX as usize - 1;

/// Distinct names of one column, each once: eight bytes a number, text as it is. The table holds indices alone, five bytes a
/// place.
#[derive(Debug)]
pub(super) struct Names {
    /// As the column has it.
    data_type: DataType,
    held: Held,
    table: HashTable<u32>,
    hasher: RandomState,
    at_most: usize,
}

#[derive(Debug)]
enum Held {
    /// Their bits.
    Signed(Vec<u64>),
    Unsigned(Vec<u64>),
    Text(LargeStringBuilder),
}

/// What cannot be numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Numbers after text, or the other way round.
    OtherKind,
    /// The name in this row is one too many.
    TooMany { row: usize },
}

impl Names {
    /// For a column of this type, of which these are the first rows.
    pub fn new(data_type: &DataType, ids: &Ids) -> Self {
        let held = match ids {
            Ids::Signed(_) => Held::Signed(Vec::new()),
            Ids::Unsigned(_) => Held::Unsigned(Vec::new()),
            Ids::Text(_) => Held::Text(LargeStringBuilder::new()),
        };
        let data_type = match data_type {
            DataType::Dictionary(_, value) => value.as_ref().clone(),
            other => other.clone(),
        };
        Self { data_type, held, table: HashTable::new(), hasher: RandomState::new(), at_most: AT_MOST }
    }

    /// The type of the column.
    pub fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// Appends the index of each id, in the order of rows, and [`ABSTAINED`] for nulls; `seen` is told the row of each name that
    /// is new.
    pub fn index(
        &mut self,
        ids: &Ids,
        nulls: Option<&NullBuffer>,
        to: &mut Vec<u32>,
        mut seen: impl FnMut(usize),
    ) -> Result<(), Refused> {
        let null = |row| nulls.is_some_and(|nulls| nulls.is_null(row));
        let (table, hasher, at_most) = (&mut self.table, &self.hasher, self.at_most);
        let mut number = |held: &mut Vec<u64>, bits: u64, row| {
            let same = |&index: &u32| held[index as usize] == bits;
            let hash = |&index: &u32| hasher.hash_one(held[index as usize]);
            match table.entry(hasher.hash_one(bits), same, hash) {
                Entry::Occupied(entry) => Ok(*entry.get()),
                Entry::Vacant(_) if held.len() >= at_most => Err(Refused::TooMany { row }),
                Entry::Vacant(entry) => {
                    let index = *entry.insert(held.len() as u32).get();
                    held.push(bits);
                    seen(row);
                    Ok(index)
                }
            }
        };
        match (&mut self.held, ids) {
            (Held::Signed(held), Ids::Signed(ids)) => {
                for (row, &id) in ids.values().iter().enumerate() {
                    to.push(if null(row) { ABSTAINED } else { number(held, id.cast_unsigned(), row)? });
                }
            }
            (Held::Unsigned(held), Ids::Unsigned(ids)) => {
                for (row, &id) in ids.values().iter().enumerate() {
                    to.push(if null(row) { ABSTAINED } else { number(held, id, row)? });
                }
            }
            (Held::Text(held), Ids::Text(ids)) => {
                for row in 0..ids.len() {
                    if null(row) {
                        to.push(ABSTAINED);
                        continue;
                    }
                    let id = ids.value(row);
                    let len = held.offsets_slice().len() - 1;
                    let same = |&index: &u32| text(held, index as usize) == id.as_bytes();
                    let hash = |&index: &u32| hasher.hash_one(text(held, index as usize));
                    let index = match table.entry(hasher.hash_one(id.as_bytes()), same, hash) {
                        Entry::Occupied(entry) => *entry.get(),
                        Entry::Vacant(_) if len >= at_most => return Err(Refused::TooMany { row }),
                        Entry::Vacant(entry) => {
                            let index = *entry.insert(len as u32).get();
                            held.append_value(id);
                            seen(row);
                            index
                        }
                    };
                    to.push(index);
                }
            }
            _ => return Err(Refused::OtherKind),
        }
        Ok(())
    }

    /// All names, of the type of their column where that can hold them.
    pub fn finish(self) -> ArrayRef {
        let wide: ArrayRef = match self.held {
            Held::Signed(bits) => {
                Arc::new(Int64Array::from(bits.into_iter().map(u64::cast_signed).collect::<Vec<i64>>()))
            }
            Held::Unsigned(numbers) => Arc::new(UInt64Array::from(numbers)),
            Held::Text(mut texts) => Arc::new(texts.finish()),
        };
        // More than 2 GiB of text are no `Utf8`.
        cast(&wide, &self.data_type).ok().filter(|narrow| narrow.null_count() == 0).unwrap_or(wide)
    }
}

fn text(held: &LargeStringBuilder, index: usize) -> &[u8] {
    let offsets = held.offsets_slice();
    &held.values_slice()[offsets[index] as usize..offsets[index + 1] as usize]
}

#[cfg(test)]
mod tests {
    use arrow_array::StringArray;

    use super::*;

    /// 2^32 names take more memory than a test has.
    #[test]
    fn one_name_too_many_is_refused_where_it_stands() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![-5, 7, -5, 7, 9]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "", "a", "", "b"]));
        for column in [numbers, texts] {
            let ids = Ids::of(&column).unwrap();
            let mut names = Names { at_most: 2, ..Names::new(column.data_type(), &ids) };
            let mut indices = Vec::new();
            assert_eq!(names.index(&ids, None, &mut indices, |_| {}), Err(Refused::TooMany { row: 4 }));
            assert_eq!(indices, [0, 1, 0, 1]);
            assert_eq!(&names.finish(), &column.slice(0, 2));
        }
    }
}
