//! The key that a service asks for.

use std::borrow::Cow;
use std::fmt;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::setting::wrong;
use crate::error::Result;

/// A key that a service asks for, sent as a header. It is in no `Debug` output and no error.
#[derive(Clone)]
pub struct ApiKey {
    header: String,
    scheme: &'static str,
    secret: String,
}

impl ApiKey {
    /// A key sent as `Authorization: Bearer <key>`, as most services want it.
    pub fn bearer(secret: impl Into<String>) -> Self {
        Self { header: AUTHORIZATION.to_string(), scheme: "Bearer ", secret: secret.into() }
    }

    /// A key sent as the whole of another header.
    pub fn header(name: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { header: name.into(), scheme: "", secret: secret.into() }
    }

    pub(super) fn to_header(&self) -> Result<(HeaderName, HeaderValue)> {
        let name = HeaderName::try_from(&*self.header).map_err(|_| {
            wrong("the header of the key", format!("is `{}`", self.header), "name one such as `api-key`")
        })?;
        if self.secret.is_empty() {
            return Err(wrong("the key", "is empty", "leave it out where none is needed"));
        }
        // The error would not say more than this, and must not say the key.
        let mut value = HeaderValue::try_from(format!("{}{}", self.scheme, self.secret)).map_err(|_| {
            wrong("the key", "holds characters that no header can", "leave out line breaks and the like")
        })?;
        value.set_sensitive(true);
        Ok((name, value))
    }

    /// The text without the key, which some services repeat in their errors.
    pub(super) fn hidden_in<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.secret.is_empty() && text.contains(&self.secret) {
            return Cow::Owned(text.replace(&self.secret, "[key]"));
        }
        Cow::Borrowed(text)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("header", &self.header).finish_non_exhaustive()
    }
}
