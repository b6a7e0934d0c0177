//! TLS by rustls: ring's cryptography, the operating system's certificates and those of the caller.

use std::sync::Arc;

use reqwest::ClientBuilder;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::super::setting::wrong;
use crate::error::{Error, RequestError, Result};

/// The client with TLS. A provider of cryptography that the process has installed comes before ring; none is installed,
/// since that is the program's to decide.
///
/// A client for plain addresses gets it, too, since reqwest would else look for a provider of its own; it does without the
/// system's certificates where there are none.
pub fn secured(client: ClientBuilder, is_needed: bool, certificates: &str) -> Result<ClientBuilder> {
    let provider = CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()));
    let roots = roots(certificates)?;
    let verifier = if roots.is_empty() {
        Verifier::new(Arc::clone(&provider))
    } else {
        Verifier::new_with_extra_roots(roots, Arc::clone(&provider))
    };
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().map_err(not_set_up)?;
    let config = match verifier {
        Ok(verifier) => config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        Err(_) if !is_needed => config.with_root_certificates(RootCertStore::empty()),
        Err(error) => return Err(not_set_up(error)),
    };
    Ok(client.tls_backend_preconfigured(config.with_no_client_auth()))
}

/// The certificates of a PEM text, each of which can be trusted.
fn roots(pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    let wrong = |is: String| wrong("`certificates`", is, "give certificates of authorities as PEM, or nothing");
    let mut roots = Vec::new();
    for (index, certificate) in CertificateDer::pem_slice_iter(pem.as_bytes()).enumerate() {
        let certificate = certificate.map_err(|e| wrong(format!("has a part {index} that is no PEM: {e}")))?;
        let known = RootCertStore::empty().add(certificate.clone());
        known.map_err(|e| wrong(format!("has a part {index} that is no certificate to trust: {e}")))?;
        roots.push(certificate);
    }
    if roots.is_empty() && !pem.trim().is_empty() {
        return Err(wrong("holds none".to_owned()));
    }
    Ok(roots)
}

fn not_set_up(cause: rustls::Error) -> Error {
    RequestError::NotSetUp { what: "TLS", cause: Arc::new(cause) }.into()
}
