//! What functions are given.

use std::sync::Arc;

use super::list::ListType;
use datafusion::arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Float32Type, Schema};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;

/// One argument of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A list with a number for each class.
    PerClass,
    /// A number.
    Number,
    /// An integer.
    Integer,
    /// A text.
    Text,
    /// An integer or a text.
    Key,
    /// A list of integers.
    Integers,
    /// Bytes, or the path of a file that holds them.
    Bytes,
}

impl Parameter {
    pub(super) const fn per_class(name: &'static str) -> Self {
        Self { name, kind: Kind::PerClass }
    }

    pub(super) const fn integers(name: &'static str) -> Self {
        Self { name, kind: Kind::Integers }
    }

    pub(super) const fn number(name: &'static str) -> Self {
        Self { name, kind: Kind::Number }
    }

    pub(super) const fn integer(name: &'static str) -> Self {
        Self { name, kind: Kind::Integer }
    }

    /// The type that an argument of this one is made into.
    fn coerced(self, given: &DataType) -> Result<DataType> {
        let Self { name, kind } = self;
        match kind {
            Kind::PerClass => Ok(ListType::of(given, name)?.with(DataType::Float32)),
            Kind::Number if given.is_numeric() || given.is_null() => Ok(DataType::Float32),
            Kind::Integer if given.is_integer() || given.is_null() => Ok(DataType::Int64),
            Kind::Text if given.is_string() || given.is_null() => Ok(DataType::Utf8),
            Kind::Key if given.is_integer() => Ok(DataType::Int64),
            Kind::Key if given.is_string() || given.is_null() => Ok(DataType::Utf8),
            Kind::Key => plan_err!("{name} must be an integer or a text, and not {given}"),
            Kind::Integers if matches!(given, DataType::List(item) if item.data_type().is_integer()) => {
                Ok(ListType(None).with(DataType::Int64))
            }
            Kind::Bytes if matches!(given, DataType::Binary | DataType::Utf8) => Ok(given.clone()),
            Kind::Integers => plan_err!("{name} must be a list of integers, and not {given}"),
            Kind::Bytes => plan_err!("{name} must be bytes or a path, and not {given}"),
            Kind::Number => plan_err!("{name} must be a number, and not {given}"),
            Kind::Integer => plan_err!("{name} must be an integer, and not {given}"),
            Kind::Text => plan_err!("{name} must be a text, and not {given}"),
        }
    }
}

/// The types that the arguments of a function are made into; the first `needed` must be given.
pub(super) fn coerced(
    function: &str,
    parameters: &[Parameter],
    needed: usize,
    given: &[DataType],
) -> Result<Vec<DataType>> {
    if given.len() < needed || given.len() > parameters.len() {
        let names: Vec<_> = parameters.iter().map(|parameter| parameter.name).collect();
        return plan_err!(
            "{function} takes {}, of which the first {needed} must be given, and not {} arguments",
            names.join(", "),
            given.len()
        );
    }
    parameters.iter().zip(given).map(|(parameter, given)| parameter.coerced(given)).collect()
}

/// The value of an argument that no column has a part in.
pub(super) fn constant(function: &str, name: &str, argument: &Arc<dyn PhysicalExpr>) -> Result<ScalarValue> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
    match argument.evaluate(&row) {
        Ok(ColumnarValue::Scalar(value)) => Ok(value),
        Ok(ColumnarValue::Array(array)) if array.len() == 1 => ScalarValue::try_from_array(&array, 0),
        _ => exec_err!("{name} of {function} must be a constant, and not depend on {argument}"),
    }
}

/// The numbers of a constant list.
pub(super) fn constant_list(function: &str, name: &str, value: &ScalarValue) -> Result<Vec<f32>> {
    let array = value.to_array()?;
    let list = match array.data_type() {
        DataType::FixedSizeList(..) if array.is_valid(0) => array.as_fixed_size_list().value(0),
        DataType::List(_) if array.is_valid(0) => array.as_list::<i32>().value(0),
        _ => return exec_err!("{name} of {function} is {value}; it must be a list of numbers"),
    };
    match list.as_primitive_opt::<Float32Type>() {
        Some(numbers) if numbers.null_count() == 0 => Ok(numbers.values().to_vec()),
        _ => exec_err!("{name} of {function} is {value}; it must be a list of numbers"),
    }
}
