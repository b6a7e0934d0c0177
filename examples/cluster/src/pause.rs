//! A function that takes its time: with it one sees what becomes of a job whose executor dies.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// `pause(x, milliseconds)` is x, so long after each batch of it has come.
#[must_use]
pub fn function() -> Arc<ScalarUDF> {
    // Volatile: a pause is neither folded nor made once for all.
    Arc::new(ScalarUDF::from(Pause { signature: Signature::any(2, Volatility::Volatile) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Pause {
    signature: Signature,
}

impl ScalarUDFImpl for Pause {
    fn name(&self) -> &str {
        "pause"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments[0].clone())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let ColumnarValue::Scalar(milliseconds) = &arguments.args[1] else {
            return exec_err!("the time of a pause must be a constant");
        };
        let ScalarValue::Int64(Some(milliseconds @ 0..)) = milliseconds.cast_to(&DataType::Int64)? else {
            return exec_err!("a pause is of milliseconds, and not of {milliseconds}");
        };
        thread::sleep(Duration::from_millis(milliseconds.unsigned_abs()));
        Ok(arguments.args[0].clone())
    }
}
