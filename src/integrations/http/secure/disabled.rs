//! Without the feature `https`: a typed error.

use reqwest::ClientBuilder;

use super::super::setting::wrong;
use crate::error::Result;

pub fn secured(client: ClientBuilder, is_needed: bool, _: &str) -> Result<ClientBuilder> {
    if !is_needed {
        return Ok(client);
    }
    Err(wrong("the base address", "begins with https", "that needs the feature `https` of consilience"))
}
