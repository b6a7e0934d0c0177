//! Our errors among DataFusion's, which hands them out again as they are.

use datafusion::common::DataFusionError;

use crate::error::Error;

/// What is wrong with a row of a batch, the function that found it named.
pub(super) fn invalid(function: &str, error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error)).context(format!("{function}, of a row counted from 0 in its batch"))
}
