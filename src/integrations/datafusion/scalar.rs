//! Functions of one row.

mod fuse_row;
mod row;

use std::fmt::Debug;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::dawid_skene;
use super::list::ListType;
use super::parameter::{Kind, Parameter, coerced};

/// A function of the values of one row.
///
/// # Examples
///
/// *What a posterior comes down to.*
///
/// ```
/// use consilience::datafusion::register;
/// use datafusion::arrow::array::AsArray;
/// use datafusion::arrow::datatypes::UInt32Type;
/// use datafusion::prelude::*;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let context = SessionContext::new();
/// register(&mut *context.state_ref().write())?;
/// let rows = context.sql("SELECT decision(fuse('log_pool', [0.5, 0.5], [0.25, 0.75]))").await?.collect().await?;
/// assert_eq!(rows[0].column(0).as_primitive::<UInt32Type>().value(0), 1);
/// # Ok::<(), datafusion::error::DataFusionError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scalar {
    /// Opinions of several columns fused by any rule, on an engine.
    Fuse,
    /// The class with the largest probability, the lowest of equals.
    Decision,
    /// The largest probability.
    Confidence,
    /// The largest probability less the second largest; 1 of one class.
    Margin,
    /// The entropy in nats.
    Entropy,
    /// A distribution to the power of 1/T, normalised.
    Temper,
    /// The distribution of logits.
    Softmax,
    /// The opinion that a label is: its confidence for its class, the rest in equal parts for the others.
    LabelOpinion,
    /// Which of so many buckets a key falls into, the same on every machine and in every version; NULL is in bucket 0.
    Bucket,
    /// The posterior of an item by what [`SqlAnnotations::fit`](super::SqlAnnotations::fit) found.
    DawidSkenePosterior,
}

impl Scalar {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Fuse,
        Self::Decision,
        Self::Confidence,
        Self::Margin,
        Self::Entropy,
        Self::Temper,
        Self::Softmax,
        Self::LabelOpinion,
        Self::Bucket,
        Self::DawidSkenePosterior,
    ];

    /// Its name in SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fuse => "fuse",
            Self::Decision => "decision",
            Self::Confidence => "confidence",
            Self::Margin => "margin",
            Self::Entropy => "entropy",
            Self::Temper => "temper",
            Self::Softmax => "softmax",
            Self::LabelOpinion => "label_opinion",
            Self::Bucket => "bucket",
            Self::DawidSkenePosterior => "dawid_skene_posterior",
        }
    }

    /// The function, for a plan or a registry.
    #[must_use]
    pub fn function(self) -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::from(Function::of(self)))
    }

    /// A call of it, for a data frame.
    #[must_use]
    pub fn call(self, arguments: Vec<Expr>) -> Expr {
        self.function().call(arguments)
    }

    /// What it takes, and how much of that must be given; of [`Scalar::Fuse`] the last of them any number of times.
    fn parameters(self) -> (Vec<Parameter>, usize) {
        let posterior = Parameter::per_class("the posterior");
        match self {
            Self::Fuse => {
                (vec![Parameter { name: "the rule", kind: Kind::Text }, Parameter::per_class("the opinion")], 2)
            }
            Self::Decision | Self::Confidence | Self::Margin | Self::Entropy => (vec![posterior], 1),
            Self::Temper => (vec![posterior, Parameter::number("the temperature")], 2),
            Self::Softmax => (vec![Parameter::per_class("the logits")], 1),
            Self::LabelOpinion => {
                let classes = Parameter::integer("the number of classes");
                (vec![Parameter::integer("the label"), classes, Parameter::number("the confidence")], 2)
            }
            Self::Bucket => {
                let key = Parameter { name: "the key", kind: Kind::Key };
                (vec![key, Parameter::integer("the number of buckets")], 2)
            }
            Self::DawidSkenePosterior => (dawid_skene::PARAMETERS.to_vec(), 3),
        }
    }
}

/// A scalar function as DataFusion knows it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    scalar: Scalar,
    signature: Signature,
}

impl Function {
    fn of(scalar: Scalar) -> Self {
        Self { scalar, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.scalar.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let (mut parameters, needed) = self.scalar.parameters();
        if let (Scalar::Fuse, [.., opinion]) = (self.scalar, &parameters[..]) {
            parameters.resize(given.len().max(needed), *opinion);
        }
        coerced(self.name(), &parameters, needed, given)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("the type of {} depends on more than types", self.name())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let list = |place: usize| ListType::of(arguments.arg_fields[place].data_type(), "the posterior");
        let answer = match self.scalar {
            Scalar::Decision | Scalar::Bucket => DataType::UInt32,
            Scalar::Confidence | Scalar::Margin | Scalar::Entropy => DataType::Float32,
            Scalar::Temper | Scalar::Softmax => list(0)?.with(DataType::Float32),
            Scalar::Fuse => list(1)?.with(DataType::Float32),
            Scalar::LabelOpinion => {
                let classes = row::classes(arguments.scalar_arguments.get(1).copied().flatten())?;
                ListType(Some(classes)).with(DataType::Float32)
            }
            Scalar::DawidSkenePosterior => dawid_skene::posterior_type(arguments.scalar_arguments[2])?,
        };
        Ok(Arc::new(Field::new(self.name(), answer, true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let ScalarFunctionArgs { args, number_rows, return_field, .. } = arguments;
        let is_constant = args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        // Rows of a constant are alike.
        let rows = if is_constant { 1 } else { number_rows };
        let column = |place: usize| args[place].to_array(rows);
        let answer: ArrayRef = match self.scalar {
            Scalar::Fuse => {
                let opinions = (1..args.len()).map(column).collect::<Result<Vec<_>>>()?;
                let list = ListType::of(return_field.data_type(), "the posterior")?;
                fuse_row::fused(&args[0], &opinions, rows, list)?
            }
            Scalar::Decision | Scalar::Confidence | Scalar::Margin | Scalar::Entropy => {
                row::measured(self.scalar, &column(0)?)?
            }
            Scalar::Temper => row::tempered(&column(0)?, &column(1)?, return_field.data_type())?,
            Scalar::Softmax => row::softmax(&column(0)?, return_field.data_type())?,
            Scalar::LabelOpinion => {
                let confidences = (args.len() > 2).then(|| column(2)).transpose()?;
                row::label_opinion(&column(0)?, confidences.as_ref(), return_field.data_type())?
            }
            Scalar::Bucket => row::buckets(&column(0)?, &column(1)?)?,
            Scalar::DawidSkenePosterior => {
                let ColumnarValue::Scalar(model) = &args[2] else {
                    return exec_err!("a model of sources must be a constant");
                };
                dawid_skene::posteriors(&[column(0)?, column(1)?], model)?
            }
        };
        if is_constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&answer, 0)?));
        }
        Ok(ColumnarValue::Array(answer))
    }
}
