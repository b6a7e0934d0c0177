//! A column of item ids or source names, whatever integer or string type it has.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, Int64Array, LargeStringArray, UInt64Array};
use arrow_schema::DataType;

use crate::error::{FileError, Result};

/// Ids in the widest type of their kind.
#[derive(Debug)]
pub(super) enum Ids {
    Signed(Int64Array),
    Unsigned(UInt64Array),
    Text(LargeStringArray),
}

/// One id, borrowed: numbers compare numerically, text bytewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum IdRef<'a> {
    Number(i128),
    Text(&'a str),
}

/// One id, owned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Id {
    Number(i128),
    Text(String),
}

impl Ids {
    /// Whether a column of this type can hold ids.
    pub fn fits(data_type: &DataType) -> bool {
        match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
            DataType::Dictionary(_, value) => Self::fits(value),
            other => other.is_integer(),
        }
    }

    /// The ids of a column without nulls; `None` for a type that holds no ids.
    pub fn of(column: &ArrayRef) -> Option<Self> {
        let to = match column.data_type() {
            data_type if data_type.is_signed_integer() => DataType::Int64,
            data_type if data_type.is_unsigned_integer() => DataType::UInt64,
            data_type if Self::fits(data_type) => DataType::LargeUtf8,
            _ => return None,
        };
        let wide = arrow_cast::cast(column, &to).ok()?;
        Some(match to {
            DataType::Int64 => Self::Signed(wide.as_primitive::<Int64Type>().clone()),
            DataType::UInt64 => Self::Unsigned(wide.as_primitive::<UInt64Type>().clone()),
            _ => Self::Text(wide.as_string::<i64>().clone()),
        })
    }

    /// The ids of a file's column, none of which may be null.
    pub fn of_file(path: &Path, name: &str, column: &ArrayRef, first_row: u64) -> Result<Self> {
        refuse_nulls(path, name, column, first_row)?;
        let wrong = || FileError::Layout {
            path: path.to_owned(),
            why: format!("column `{name}` is of type {}; integers or strings are needed", column.data_type()),
        };
        Ok(Self::of(column).ok_or_else(wrong)?)
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Signed(ids) => ids.len(),
            Self::Unsigned(ids) => ids.len(),
            Self::Text(ids) => ids.len(),
        }
    }

    pub fn get(&self, row: usize) -> IdRef<'_> {
        match self {
            Self::Signed(ids) => IdRef::Number(ids.value(row).into()),
            Self::Unsigned(ids) => IdRef::Number(ids.value(row).into()),
            Self::Text(ids) => IdRef::Text(ids.value(row)),
        }
    }
}

impl IdRef<'_> {
    pub fn to_owned(self) -> Id {
        match self {
            Self::Number(number) => Id::Number(number),
            Self::Text(text) => Id::Text(text.to_owned()),
        }
    }

    /// What stands under it in a map by names, in which numbers are decimal.
    pub fn look_up(self, map: &HashMap<String, usize>) -> Option<usize> {
        match self {
            Self::Number(number) => map.get(number.to_string().as_str()),
            Self::Text(text) => map.get(text),
        }
        .copied()
    }
}

impl Id {
    pub fn as_ref(&self) -> IdRef<'_> {
        match self {
            Self::Number(number) => IdRef::Number(*number),
            Self::Text(text) => IdRef::Text(text),
        }
    }
}

/// A column of a file in which every row needs a value.
pub(super) fn refuse_nulls(path: &Path, name: &str, column: &ArrayRef, first_row: u64) -> Result<()> {
    let null = (0..column.len()).find(|&row| column.null_count() > 0 && column.is_null(row));
    match null {
        None => Ok(()),
        Some(row) => {
            let (path, column, row) = (path.to_owned(), name.to_owned(), first_row + row as u64);
            Err(FileError::Value { path, column, row, why: "it is null; every row needs a value here".to_owned() }
                .into())
        }
    }
}

impl fmt::Display for IdRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}
