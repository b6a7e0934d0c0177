//! A service over TLS, whose certificate is trusted or not.

use std::sync::Arc;

use consilience::http::{ApiKey, ChatOptions, ChatSource};
use consilience::orchestration::{Opinion, Source};
use consilience::{ErrorKind, RequestError, SourceError};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::server::{Server, ok};
use super::{completion, question};

/// An authority that nobody knows.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority"))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a server of this name shows, with something about it changed.
    fn vouch_for(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a configuration");
        TlsAcceptor::from(Arc::new(config))
    }
}

fn trusting(certificates: String) -> ChatOptions {
    ChatOptions { key: Some(ApiKey::bearer("sk-3e1f9b")), certificates, ..ChatOptions::default() }
}

fn open(base: &str, options: ChatOptions) -> consilience::Result<ChatSource> {
    ChatSource::open("model", base, "small", ["cat", "dog"], options)
}

/// The words of a refusal to send anything.
async fn refused(tls: TlsAcceptor, certificates: String) -> String {
    let server = Server::start_with([ok(&completion("dog"))], Some(tls)).await;
    let source = open(&server.base(), trusting(certificates)).expect("a source");
    let error = source.ask(question("a tail")).await.expect_err("no trust");
    assert!(matches!(&error, SourceError::Failed { cause: Some(_), .. }), "{error:?}");
    assert_eq!(server.received().len(), 0);
    error.to_string()
}

#[tokio::test]
async fn a_service_is_asked_whose_authority_is_trusted() {
    let (own, other) = (Authority::new("own"), Authority::new("other"));
    for pem in [own.pem(), format!("{}\nOurs:\n{}", other.pem(), own.pem())] {
        let tls = own.vouch_for("127.0.0.1", |_| {});
        let server = Server::start_with([ok(&completion("dog"))], Some(tls)).await;
        let source = open(&server.base(), trusting(pem)).expect("a source");
        assert!(source.url().starts_with("https://127.0.0.1:"), "{}", source.url());
        for _ in 0..2 {
            assert_eq!(source.ask(question("a tail")).await.expect("an answer").opinion, Opinion::label(1));
        }
        let received = server.received();
        assert_eq!(received.iter().map(|request| request.connection).collect::<Vec<_>>(), [0, 0]);
        assert_eq!(received[0].header("authorization"), Some("Bearer sk-3e1f9b"));
    }
}

#[tokio::test]
async fn nothing_is_sent_to_whom_nobody_trusted_vouches_for() {
    let (own, other) = (Authority::new("own"), Authority::new("other"));
    for pem in [String::new(), other.pem()] {
        let error = refused(own.vouch_for("127.0.0.1", |_| {}), pem).await;
        assert!(error.ends_with("invalid peer certificate: UnknownIssuer"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_name_or_time_is_refused() {
    let own = Authority::new("own");
    let error = refused(own.vouch_for("elsewhere.example", |_| {}), own.pem()).await;
    assert!(error.contains("invalid peer certificate: certificate not valid for name"), "{error}");
    let past = |params: &mut CertificateParams| params.not_after = date_time_ymd(2001, 1, 1);
    let error = refused(own.vouch_for("127.0.0.1", past), own.pem()).await;
    assert!(error.contains("invalid peer certificate: certificate expired"), "{error}");
}

#[test]
fn certificates_are_checked_before_anything_is_asked() {
    let must = "give certificates of authorities as PEM, or nothing";
    let pem = Authority::new("own").pem();
    let cut = pem.replace("-----END CERTIFICATE-----", "");
    let empty = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    for (text, want) in [
        ("certificate.pem".to_owned(), "`certificates` holds none".to_owned()),
        (cut, "`certificates` has a part 0 that is no PEM: ".to_owned()),
        (format!("{pem}{empty}"), "`certificates` has a part 1 that is no certificate to trust: ".to_owned()),
    ] {
        let error = open("https://localhost/v1", trusting(text)).expect_err("refused");
        assert!(matches!(error.kind(), ErrorKind::Request(RequestError::Setting { .. })), "{error:?}");
        let error = error.to_string();
        assert!(error.starts_with(&want) && error.ends_with(must), "{error}");
    }
}
