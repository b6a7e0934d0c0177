//! Columns of lists of numbers.

use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, ListArray, PrimitiveArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Float32Type};
use datafusion::common::{Result, exec_err, internal_err, plan_err};

/// The type of a column of lists: with the length of each where the type says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListType(pub Option<usize>);

impl ListType {
    /// Of a column that holds lists of numbers, or can be made to.
    pub(super) fn of(data_type: &DataType, what: &str) -> Result<Self> {
        let (item, length) = match data_type {
            DataType::FixedSizeList(item, length) => (item, usize::try_from(*length).ok()),
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::ListView(item)
            | DataType::LargeListView(item) => (item, None),
            // Nothing is there.
            DataType::Null => return Ok(Self(None)),
            other => return plan_err!("{what} must be a list of numbers, and not {other}"),
        };
        match item.data_type() {
            number if number.is_numeric() || *number == DataType::Null => Ok(Self(length)),
            other => plan_err!("{what} must be a list of numbers, and not of {other}"),
        }
    }

    /// The type with such items.
    pub(super) fn with(self, item: DataType) -> DataType {
        let item = Arc::new(Field::new_list_field(item, true));
        match self.0 {
            Some(length) => DataType::FixedSizeList(item, length as i32),
            None => DataType::List(item),
        }
    }

    /// A column of lists of one length, end to end; whatever a list that is not there holds.
    pub(super) fn array<T: ArrowPrimitiveType>(
        self,
        length: usize,
        values: Vec<T::Native>,
        nulls: Option<NullBuffer>,
        rows: usize,
    ) -> Result<ArrayRef> {
        let item = Arc::new(Field::new_list_field(T::DATA_TYPE, true));
        let values = Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), None));
        Ok(match self.0 {
            Some(length) => Arc::new(FixedSizeListArray::try_new(item, length as i32, values, nulls)?),
            None => {
                let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(length, rows));
                Arc::new(ListArray::try_new(item, offsets, values, nulls)?)
            }
        })
    }
}

/// Where the lists of a column begin and end among its values.
#[derive(Debug)]
pub(super) enum Places {
    Regular(usize),
    Offsets(OffsetBuffer<i32>),
}

impl Places {
    /// Of a column of lists, with its values.
    pub(super) fn of(array: &ArrayRef) -> Result<(Self, ArrayRef)> {
        match array.data_type() {
            DataType::FixedSizeList(_, length) => {
                let (list, length) = (array.as_fixed_size_list(), *length as usize);
                let values = list.values().slice(list.offset() * length, list.len() * length);
                Ok((Self::Regular(length), values))
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Ok((Self::Offsets(list.offsets().clone()), Arc::clone(list.values())))
            }
            other => internal_err!("a column was made into one of lists, and not of {other}"),
        }
    }

    #[inline(always)]
    pub(super) fn at(&self, row: usize) -> Range<usize> {
        match self {
            Self::Regular(length) => row * length..(row + 1) * length,
            Self::Offsets(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
        }
    }
}

/// The lists of a column, all of one length.
#[derive(Debug)]
pub(super) struct Lists {
    /// Of each list; `None` where none is there.
    pub length: Option<usize>,
    /// End to end.
    values: ScalarBuffer<f32>,
    places: Places,
    nulls: Option<NullBuffer>,
}

impl Lists {
    /// Reads lists of `f32`, which the types of arguments are coerced to; they have this length, if any is known.
    pub(super) fn of(array: &ArrayRef, known: Option<usize>, what: &str) -> Result<Self> {
        let (places, values) = Places::of(array)?;
        let Some(values) = values.as_primitive_opt::<Float32Type>() else {
            return internal_err!("{what} was made into `Float32`, and not {}", values.data_type());
        };
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        let mut lists = Self { length: known, values: values.values().clone(), places, nulls };
        lists.length = match lists.places {
            Places::Regular(length) => Self::check_length(known, length, what, &"all rows")?,
            Places::Offsets(_) => {
                (0..array.len()).filter(|&row| lists.is_there(row)).try_fold(known, |known, row| {
                    Self::check_length(known, lists.place(row).len(), what, &format_args!("row {row}"))
                })?
            }
        };
        // A number that is missing where its list is not would be read as whatever lies there.
        if let Some(missing) = values.nulls().filter(|nulls| nulls.null_count() > 0) {
            let has_hole = |row: &usize| {
                let place = lists.place(*row);
                lists.is_there(*row) && missing.slice(place.start, place.len()).null_count() > 0
            };
            if let Some(row) = (0..array.len()).find(has_hole) {
                return exec_err!(
                    "{what} has a NULL among its numbers in row {row} of a batch; a missing one is NULL as a whole"
                );
            }
        }
        Ok(lists)
    }

    fn check_length(known: Option<usize>, given: usize, what: &str, place: &dyn Display) -> Result<Option<usize>> {
        match known {
            Some(known) if known != given => exec_err!(
                "{what} has {given} classes in {place} of a batch, and {known} before; it must have as many everywhere"
            ),
            _ => Ok(Some(given)),
        }
    }

    /// Whether the row holds a list.
    #[inline(always)]
    pub(super) fn is_there(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }

    /// The list in a row, if one is there.
    #[inline(always)]
    pub(super) fn row(&self, row: usize) -> Option<&[f32]> {
        self.is_there(row).then(|| &self.values[self.place(row)])
    }

    /// All lists end to end, each at its [`Lists::place`].
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// Where the list of a row begins and ends.
    #[inline(always)]
    pub(super) fn place(&self, row: usize) -> Range<usize> {
        self.places.at(row)
    }

    pub(super) fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }
}
