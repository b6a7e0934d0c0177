//! A setting that will not do.

use crate::error::{Error, RequestError};

/// `setting` "is …", it "must …".
pub(super) fn wrong(setting: &'static str, is: impl Into<String>, must: impl Into<String>) -> Error {
    RequestError::Setting { setting, is: is.into(), must: must.into() }.into()
}
