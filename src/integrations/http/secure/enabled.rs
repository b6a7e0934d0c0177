//! TLS by rustls: ring's cryptography, the operating system's certificates.

use std::sync::Arc;

use reqwest::ClientBuilder;
use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::error::{RequestError, Result};

/// The client with TLS. A provider of cryptography that the process has installed comes before ring; none is installed,
/// since that is the program's to decide.
pub fn secured(client: ClientBuilder) -> Result<ClientBuilder> {
    let provider = CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()));
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|e| RequestError::NotSetUp { what: "TLS", cause: Arc::new(e) })?
        .with_no_client_auth();
    Ok(client.tls_backend_preconfigured(config))
}
