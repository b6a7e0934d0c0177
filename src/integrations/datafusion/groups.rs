//! Sums of integers by group, for any function that needs no more.

use std::fmt::Debug;
use std::mem;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::list::{ListType, Places};
use crate::backend::cpu::vectorized;
use crate::error::{Error, PartialError};

/// What a function sums up. Sums of integers have the same bits whatever their parts and their order.
pub(super) trait Tally: Debug + Send + Sync + 'static {
    /// The arguments of some rows, read.
    type Rows;

    /// Whether the number of sums depends on that of the classes.
    const BY_CLASS: bool;

    /// Reads the arguments of some rows, over so many classes if that is known.
    fn read(&self, arguments: &[ArrayRef], classes: Option<usize>) -> Result<Self::Rows>;

    /// Over how many classes the rows are, where that is known and matters.
    fn classes(rows: &Self::Rows) -> Option<usize>;

    /// How many integers a group has.
    fn width(&self, classes: usize) -> usize;

    /// Over how many classes sums of this width are.
    fn classes_of(&self, width: usize) -> usize;

    /// Writes what a row adds; the first integer is above zero. Answers whether the row counts.
    fn write(&self, rows: &Self::Rows, row: usize, part: &mut [i64]) -> Result<bool>;

    /// Adds a part to sums.
    fn merge(&self, sums: &mut [i64], part: &[i64]) -> Result<(), PartialError>;

    /// Adds a row to sums by way of a part. Answers whether the row counts.
    #[inline(always)]
    fn add(&self, rows: &Self::Rows, row: usize, part: &mut [i64], sums: &mut [i64]) -> Result<bool> {
        let counts = self.write(rows, row, part)?;
        if counts {
            self.merge(sums, part).map_err(failed)?;
        }
        Ok(counts)
    }

    /// The answers of groups of this width, from their sums end to end.
    fn finish(&self, sums: &[i64], groups: usize, classes: Option<usize>) -> Result<ArrayRef>;
}

/// The sums of each group; all zero where no row counted.
#[derive(Debug)]
pub(super) struct Groups<T: Tally> {
    tally: T,
    /// Whether the number of classes is part of the state's type.
    list: ListType,
    classes: Option<usize>,
    groups: usize,
    sums: Vec<i64>,
}

impl<T: Tally> Groups<T> {
    /// No group yet. `list` is the type of the opinions: where it says how many classes there are, so does the state's.
    pub(super) fn new(tally: T, list: ListType) -> Self {
        let classes = if T::BY_CLASS { list.0 } else { Some(0) };
        Self { tally, list, classes, groups: 0, sums: Vec::new() }
    }

    /// The type of a group's sums.
    pub(super) fn state_type(tally: &T, list: ListType) -> DataType {
        ListType(list.0.map(|classes| tally.width(classes))).with(DataType::Int64)
    }

    fn width(&self) -> usize {
        self.classes.map_or(0, |classes| self.tally.width(classes))
    }

    /// Makes room for so many groups over so many classes.
    fn grow(&mut self, groups: usize, classes: Option<usize>) {
        self.classes = self.classes.or(classes);
        self.groups = groups.max(self.groups);
        self.sums.resize(self.groups * self.width(), 0);
    }

    fn take(&mut self, emit: EmitTo) -> (usize, Vec<i64>) {
        match emit {
            EmitTo::All => (mem::take(&mut self.groups), mem::take(&mut self.sums)),
            EmitTo::First(groups) => {
                self.groups -= groups;
                let rest = self.sums.split_off(groups * self.width());
                (groups, mem::replace(&mut self.sums, rest))
            }
        }
    }

    /// Sums over so many classes as a column; of rows where nothing counted, NULL.
    fn states(&self, sums: Vec<i64>, rows: usize, classes: Option<usize>) -> Result<Vec<ArrayRef>> {
        let width = classes.map_or(0, |classes| self.tally.width(classes));
        let nulls = NullBuffer::from_iter((0..rows).map(|row| width > 0 && sums[row * width] != 0));
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        Ok(vec![ListType(self.list.0.map(|_| width)).array::<Int64Type>(width, sums, nulls, rows)?])
    }
}

fn counts(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl<T: Tally> GroupsAccumulator for Groups<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let rows = self.tally.read(values, self.classes)?;
        self.grow(total_num_groups, T::classes(&rows));
        let width = self.width();
        let Self { tally, sums, .. } = self;
        let mut part = vec![0; width];
        vectorized(|| {
            for (row, &group) in group_indices.iter().enumerate() {
                if counts(opt_filter, row) {
                    tally.add(&rows, row, &mut part, &mut sums[group * width..][..width])?;
                }
            }
            Ok(())
        })
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        let states = &values[0];
        let (places, numbers) = Places::of(states)?;
        let numbers = numbers.as_primitive::<Int64Type>().values();
        let present = |row: &usize| states.is_valid(*row);
        let first = (0..states.len()).find(present).map(|row| self.tally.classes_of(places.at(row).len()));
        self.grow(total_num_groups, first);
        let width = self.width();
        for row in (0..states.len()).filter(present) {
            let state = &numbers[places.at(row)];
            if state.len() != width {
                return internal_err!("a state of {} numbers beside one of {width}", state.len());
            }
            self.tally.merge(&mut self.sums[group_indices[row] * width..][..width], state).map_err(failed)?;
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (groups, sums) = self.take(emit_to);
        vectorized(|| self.tally.finish(&sums, groups, self.classes))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (groups, sums) = self.take(emit_to);
        self.states(sums, groups, self.classes)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = self.tally.read(values, self.classes)?;
        let classes = self.classes.or(T::classes(&rows));
        let (count, width) = (values[0].len(), classes.map_or(0, |classes| self.tally.width(classes)));
        let mut sums = vec![0; count * width];
        vectorized(|| {
            for row in (0..count).filter(|&row| width > 0 && counts(opt_filter, row)) {
                let part = &mut sums[row * width..][..width];
                if !self.tally.write(&rows, row, part)? {
                    part.fill(0);
                }
            }
            Ok::<_, DataFusionError>(())
        })?;
        self.states(sums, count, classes)
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i64>()
    }
}

pub(super) fn failed(error: PartialError) -> DataFusionError {
    DataFusionError::External(Box::new(Error::from(error)))
}

/// One group alone.
#[derive(Debug)]
pub(super) struct OneGroup<T: Tally>(pub Groups<T>);

impl<T: Tally> Accumulator for OneGroup<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update_batch(values, &vec![0; values[0].len()], None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(states, &vec![0; states[0].len()], 1)
    }

    /// Of a window it is asked for again and again.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.grow(1, None);
        ScalarValue::try_from_array(&self.0.tally.finish(&self.0.sums, 1, self.0.classes)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.grow(1, None);
        self.0.state(EmitTo::All)?.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.0.size()
    }
}
