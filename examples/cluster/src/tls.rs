//! Mutual TLS on every link of a cluster.
//!
//! One private authority signs a certificate for each program. Whoever holds one is trusted by all: both ends of every link
//! show theirs, and each must carry the name [`NAME`], whatever the host that it comes from. So keep the authority for one
//! cluster, and its key off the machines.
//!
//! Executors ask the scheduler for tasks, and listen at no port but that for what their tasks hand on. So there is no link
//! from a scheduler to an executor, which Ballista 55 can serve in the clear alone.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_flight::flight_service_server::FlightServiceServer;
use ballista_core::error::BallistaError;
use ballista_core::utils::{GrpcClientConfig, create_grpc_client_endpoint, create_grpc_server};
use ballista_executor::ArrowFlightServerProvider;
use ballista_executor::flight_service::BallistaFlightService;
use clap::Args;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, ServerTlsConfig};

use crate::link::causes;

/// The DNS name among the subject's alternative names of every certificate.
pub const NAME: &str = "consilience-cluster";

/// Where a program finds what it shows of itself and whom it trusts: all of it, or none.
#[derive(Debug, Clone, Default, Args)]
pub struct Files {
    /// The certificate of the authority that signed those of all programs, as PEM; with it every link is TLS in both
    /// directions.
    #[arg(long, value_name = "PEM", requires_all = ["tls_cert", "tls_key"])]
    pub tls_ca: Option<PathBuf>,

    /// This program's own certificate, whose subject has the alternative DNS name `consilience-cluster`.
    #[arg(long, value_name = "PEM", requires_all = ["tls_ca", "tls_key"])]
    pub tls_cert: Option<PathBuf>,

    /// The private key of that certificate.
    #[arg(long, value_name = "PEM", requires_all = ["tls_ca", "tls_cert"])]
    pub tls_key: Option<PathBuf>,
}

/// What a program shows of itself, and whom it trusts.
#[derive(Debug, Clone)]
pub struct Tls {
    authority: Certificate,
    identity: Identity,
}

impl Files {
    /// Reads them, if there are any.
    ///
    /// # Errors
    ///
    /// A file that is not there or is no PEM of its kind, one that lacks the others, a key of another certificate.
    pub fn read(&self) -> Result<Option<Tls>, Box<dyn Error>> {
        let (authority, certificate, key) = match (&self.tls_ca, &self.tls_cert, &self.tls_key) {
            (None, None, None) => return Ok(None),
            (Some(authority), Some(certificate), Some(key)) => (authority, certificate, key),
            _ => return Err("--tls-ca, --tls-cert and --tls-key go together".into()),
        };
        let tls = Tls {
            authority: Certificate::from_pem(certificates("--tls-ca", authority)?),
            identity: Identity::from_pem(certificates("--tls-cert", certificate)?, private_key(key)?),
        };
        // What is wrong with the files is said when they are read, and not of each link.
        tls.secure(Endpoint::from_static("https://localhost")).map_err(|error| {
            let [authority, certificate, key] = [authority, certificate, key].map(|path| path.display());
            format!("--tls-ca {authority}, --tls-cert {certificate} and --tls-key {key}: {}", causes(&*error))
        })?;
        Ok(Some(tls))
    }

    /// The arguments that give another program the same.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let files = [("--tls-ca", &self.tls_ca), ("--tls-cert", &self.tls_cert), ("--tls-key", &self.tls_key)];
        let given = files.iter().filter_map(|(name, path)| path.as_ref().map(|path| (name, path)));
        given.map(|(name, path)| format!("{name}={}", path.display())).collect()
    }
}

impl Tls {
    /// How a server is asked for.
    #[must_use]
    pub fn server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new().identity(self.identity.clone()).client_ca_root(self.authority.clone())
    }

    /// The same endpoint over TLS.
    ///
    /// # Errors
    ///
    /// A certificate and a key that do not belong together.
    pub fn secure(&self, endpoint: Endpoint) -> Result<Endpoint, Box<dyn Error + Send + Sync>> {
        // Ballista writes `http` for what leads to a scheduler, and of an endpoint that is built only a name is left to be
        // read: it gets the settings that Ballista gives by default.
        let endpoint = match endpoint.uri().scheme_str() {
            Some("http") => {
                let secure = endpoint.uri().to_string().replacen("http", "https", 1);
                create_grpc_client_endpoint(secure, Some(&GrpcClientConfig::default()))?
            }
            _ => endpoint,
        };
        let config = ClientTlsConfig::new()
            .ca_certificate(self.authority.clone())
            .identity(self.identity.clone())
            .domain_name(NAME);
        Ok(endpoint.tls_config(config)?)
    }

    /// How an executor hands on what its tasks made.
    #[must_use]
    pub fn flight(&self, message_bytes: usize) -> Arc<ArrowFlightServerProvider> {
        let tls = self.server();
        Arc::new(move |work_dir, address, mut shutdown, config| {
            let tls = tls.clone();
            let service = FlightServiceServer::new(BallistaFlightService::new(work_dir))
                .max_decoding_message_size(message_bytes)
                .max_encoding_message_size(message_bytes);
            tokio::spawn(async move {
                let mut server = create_grpc_server(&config).tls_config(tls).map_err(BallistaError::TonicError)?;
                let served = server.add_service(service).serve_with_shutdown(address, shutdown.recv()).await;
                served.map_err(BallistaError::TonicError)
            })
        })
    }
}

fn read(argument: &str, path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{argument} {}: {error}", path.display()))
}

fn certificates(argument: &str, path: &Path) -> Result<Vec<u8>, String> {
    let pem = read(argument, path)?;
    let none = |error| format!("{argument} {} holds no certificate as PEM: {error}", path.display());
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|error| none(error.to_string()))?;
    if found.is_empty() { Err(none("no items found".to_owned())) } else { Ok(pem) }
}

fn private_key(path: &Path) -> Result<Vec<u8>, String> {
    let pem = read("--tls-key", path)?;
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| format!("--tls-key {} holds no private key as PEM: {error}", path.display()))?;
    Ok(pem)
}
