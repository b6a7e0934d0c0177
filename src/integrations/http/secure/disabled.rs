//! Without the feature `https`: a typed error.

use reqwest::ClientBuilder;

use crate::error::SourceError;

pub fn secured(_: ClientBuilder) -> Result<ClientBuilder, SourceError> {
    Err(SourceError::failed("an address that begins with https needs the feature `https` of consilience"))
}
