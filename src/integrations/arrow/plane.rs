//! Arrow columns as one source's opinions: C contiguous floats per row, and which rows have any.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::DataType;

/// What one source says of some items.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    /// Row-major [B, C]; rows that are not present hold anything.
    pub values: ScalarBuffer<f32>,
    /// `None`: all are present.
    pub presence: Option<Vec<bool>>,
}

/// What is wrong with a row.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    pub row: usize,
    /// The class at fault, where it is one.
    pub class: Option<usize>,
    pub why: String,
}

impl Plane {
    /// From a list column; where its values already lie as they should, they are not copied.
    pub fn from_lists(column: &ArrayRef, classes: usize) -> Result<Self, Fault> {
        let lists = Lists::of(column);
        let some = |nulls: &&NullBuffer| nulls.null_count() > 0;
        let (missing, nulls) = (column.nulls().filter(some), lists.values.nulls().filter(some));
        let absent = missing.is_some();
        let mut side_by_side = true;
        // Lists of one size in which nothing is missing need no look at each.
        let even = matches!(lists.bounds, Bounds::Fixed(len) if len == classes) && nulls.is_none();
        for row in if even { 0..0 } else { 0..column.len() } {
            side_by_side &= lists.start(row) == lists.start(0) + row * classes;
            if missing.is_some_and(|nulls| nulls.is_null(row)) {
                continue;
            }
            let len = lists.len(row);
            if len != classes {
                let hint = if len == 0 { "; a missing opinion is a null, not an empty list" } else { "" };
                let why = format!(
                    "a list of {len} values among lists of {classes}: all opinions need the same classes{hint}"
                );
                return Err(Fault { row, class: None, why });
            }
            if let Some(class) = nulls.and_then(|nulls| first_null(nulls, lists.start(row), classes)) {
                return Err(Fault { row, class: Some(class), why: partly_null(1, classes) });
            }
        }
        let presence = absent.then(|| (0..column.len()).map(|row| column.is_valid(row)).collect());
        let len = column.len() * classes;
        // The last row may be null and own no values, so that what looks contiguous still ends too early.
        let contiguous = side_by_side && (column.is_empty() || lists.start(0) + len <= lists.values.len());
        let values = match lists.values.data_type() {
            DataType::Float32 => {
                let values = lists.values.as_primitive::<Float32Type>().values();
                if contiguous {
                    values.slice(if column.is_empty() { 0 } else { lists.start(0) }, len)
                } else {
                    lists.gather(column, classes, |range, row| row.copy_from_slice(&values[range]))
                }
            }
            _ => {
                let values = lists.values.as_primitive::<Float64Type>().values();
                lists.gather(column, classes, |range, row| {
                    row.iter_mut().zip(&values[range]).for_each(|(to, &from)| *to = from as f32);
                })
            }
        };
        Ok(Self { values, presence })
    }

    /// From one column per class.
    pub fn from_scalars(columns: &[ArrayRef]) -> Result<Self, Fault> {
        let (rows, classes) = (columns.first().map_or(0, |column| column.len()), columns.len());
        let mut presence = None;
        if columns.iter().any(|column| column.null_count() > 0) {
            let mut present = vec![true; rows];
            for (row, present) in present.iter_mut().enumerate() {
                let nulls = columns.iter().filter(|column| column.is_null(row)).count();
                if nulls != 0 && nulls != classes {
                    let class = columns.iter().position(|column| column.is_null(row));
                    return Err(Fault { row, class, why: partly_null(nulls, classes) });
                }
                *present = nulls == 0;
            }
            presence = Some(present);
        }
        let mut values = vec![0.0; rows * classes];
        for (class, column) in columns.iter().enumerate() {
            let places = values.iter_mut().skip(class).step_by(classes);
            match column.data_type() {
                DataType::Float32 => {
                    places.zip(column.as_primitive::<Float32Type>().values()).for_each(|(to, &from)| *to = from);
                }
                _ => {
                    places.zip(column.as_primitive::<Float64Type>().values()).for_each(|(to, &from)| *to = from as f32)
                }
            }
        }
        Ok(Self { values: values.into(), presence })
    }
}

/// The number of values of the first list that is not null; for lists of one size, that size.
pub(super) fn list_len(column: &ArrayRef) -> Option<usize> {
    if let DataType::FixedSizeList(_, len) = column.data_type() {
        return usize::try_from(*len).ok();
    }
    (0..column.len()).find(|&row| column.is_valid(row)).map(|row| Lists::of(column).len(row))
}

/// A list column of any kind.
struct Lists<'a> {
    values: &'a ArrayRef,
    bounds: Bounds<'a>,
}

enum Bounds<'a> {
    Small(&'a [i32]),
    Large(&'a [i64]),
    Fixed(usize),
}

impl<'a> Lists<'a> {
    fn of(column: &'a ArrayRef) -> Self {
        match column.data_type() {
            DataType::LargeList(_) => {
                let lists = column.as_list::<i64>();
                Self { values: lists.values(), bounds: Bounds::Large(lists.value_offsets()) }
            }
            DataType::FixedSizeList(_, len) => {
                let lists = column.as_fixed_size_list();
                Self { values: lists.values(), bounds: Bounds::Fixed(usize::try_from(*len).unwrap_or_default()) }
            }
            _ => {
                let lists = column.as_list::<i32>();
                Self { values: lists.values(), bounds: Bounds::Small(lists.value_offsets()) }
            }
        }
    }

    fn start(&self, row: usize) -> usize {
        match self.bounds {
            Bounds::Small(offsets) => offsets[row] as usize,
            Bounds::Large(offsets) => offsets[row] as usize,
            Bounds::Fixed(len) => row * len,
        }
    }

    fn len(&self, row: usize) -> usize {
        self.start(row + 1) - self.start(row)
    }

    /// Copies the rows that are not null to their places.
    fn gather(
        &self,
        column: &ArrayRef,
        classes: usize,
        copy: impl Fn(std::ops::Range<usize>, &mut [f32]),
    ) -> ScalarBuffer<f32> {
        let mut values = vec![0.0; column.len() * classes];
        for (row, to) in values.chunks_exact_mut(classes.max(1)).enumerate() {
            if column.is_valid(row) {
                copy(self.start(row)..self.start(row + 1), to);
            }
        }
        values.into()
    }
}

fn first_null(nulls: &NullBuffer, start: usize, len: usize) -> Option<usize> {
    (0..len).find(|class| nulls.is_null(start + class))
}

fn partly_null(nulls: usize, classes: usize) -> String {
    let some = if nulls == 1 { "a null".to_owned() } else { format!("{nulls} nulls") };
    format!("{some} among {classes} classes; an opinion is there as a whole or missing as a whole")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Float32Type;
    use arrow_array::{FixedSizeListArray, Float32Array, Float64Array, ListArray};

    use super::*;

    #[test]
    fn lists_that_lie_side_by_side_are_not_copied() -> Result<(), Fault> {
        let rows =
            [Some(vec![Some(0.5), Some(0.5)]), Some(vec![Some(0.25), Some(0.75)]), Some(vec![Some(0.0), Some(1.0)])];
        let column: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows));
        let tail = column.slice(1, 2);
        let plane = Plane::from_lists(&tail, 2)?;
        assert_eq!(&plane.values[..], [0.25, 0.75, 0.0, 1.0]);
        let original = column.as_list::<i32>().values().as_primitive::<Float32Type>().values();
        assert_eq!(plane.values.as_ptr(), original[2..].as_ptr());
        Ok(())
    }

    #[test]
    fn a_null_list_at_the_end_owns_no_values() -> Result<(), Fault> {
        let rows = [Some(vec![Some(0.25), Some(0.75)]), None];
        let column: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows));
        let plane = Plane::from_lists(&column, 2)?;
        assert_eq!(&plane.values[..2], [0.25, 0.75]);
        assert_eq!((plane.values.len(), plane.presence), (4, Some(vec![true, false])));
        Ok(())
    }

    #[test]
    fn lists_of_another_size_are_a_fault() {
        let rows = [Some(vec![Some(1.0), Some(0.0)])];
        let column: ArrayRef = Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, 2));
        let Err(fault) = Plane::from_lists(&column, 3) else { panic!("two of three classes were taken") };
        assert_eq!((fault.row, fault.class), (0, None));
    }

    #[test]
    fn lists_of_one_size_may_be_null() -> Result<(), Fault> {
        let rows = [None, Some(vec![Some(0.25), Some(0.75)])];
        let column: ArrayRef = Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, 2));
        let plane = Plane::from_lists(&column, 2)?;
        assert_eq!(&plane.values[2..], [0.25, 0.75]);
        assert_eq!(plane.presence, Some(vec![false, true]));
        Ok(())
    }

    #[test]
    fn a_null_inside_a_list_is_a_fault() -> Result<(), Fault> {
        let rows = [Some(vec![Some(1.0), Some(0.0)]), Some(vec![Some(0.25), None])];
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows.clone()));
        let of_one_size: ArrayRef = Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, 2));
        for column in [lists, of_one_size] {
            let Err(fault) = Plane::from_lists(&column, 2) else { panic!("half an opinion was taken") };
            assert_eq!((fault.row, fault.class), (1, Some(1)));
        }
        Ok(())
    }

    #[test]
    fn scalars_become_rows() -> Result<(), Fault> {
        let no: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.25), None, Some(1.0)]));
        let yes: ArrayRef = Arc::new(Float32Array::from(vec![Some(0.75), None, Some(0.0)]));
        let plane = Plane::from_scalars(&[no, yes])?;
        assert_eq!(&plane.values[..], [0.25, 0.75, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(plane.presence, Some(vec![true, false, true]));
        Ok(())
    }
}
