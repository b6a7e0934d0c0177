//! TLS and tokens: a cluster over them answers as one in the clear, and whoever is not trusted hears at once why.

use std::path::{Path, PathBuf};

use consilience_cluster::link::ask;
use consilience_cluster::processes::{Cluster, Part, Plan, wait};
use consilience_cluster::tls::{Files, NAME};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};

use crate::support::{
    AT_ONCE, QUERY, client, failed, free_address, in_the_clear, paused_in_stages, programs, read, scratch, start,
    succeeded,
};

/// An authority, and a folder for what it signs.
struct Authority<'a> {
    folder: &'a Path,
    name: &'a str,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl<'a> Authority<'a> {
    fn new(folder: &'a Path, name: &'a str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        std::fs::write(folder.join(format!("{name}.ca.pem")), issuer.pem()).expect("a file");
        Self { folder, name, issuer }
    }

    /// The files of a program with a certificate for a name.
    fn sign(&self, program: &str, subject: &str) -> Files {
        let mut params = CertificateParams::new([subject.to_owned()]).expect("a name");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &*self.issuer).expect("a certificate");
        let path = |of: &str| self.folder.join(format!("{}.{of}.pem", self.name));
        let [certificate_path, key_path] = [format!("{program}.cert"), format!("{program}.key")].map(|of| path(&of));
        std::fs::write(&certificate_path, certificate.pem()).expect("a file");
        std::fs::write(&key_path, key.serialize_pem()).expect("a file");
        Files { tls_ca: Some(path("ca")), tls_cert: Some(certificate_path), tls_key: Some(key_path) }
    }
}

/// A file with a token.
fn token(folder: &Path, name: &str, word: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, format!("{word}\n")).expect("a file");
    format!("--token-file={}", path.display())
}

/// A cluster over TLS, each of its programs with a certificate of its own, whose scheduler wants a token.
fn over_tls(folder: &Path, authority: &Authority<'_>, token: &str, executors: usize) -> Cluster {
    let part = |name: &str| Part { arguments: authority.sign(name, NAME).arguments(), ..Part::default() };
    let mut scheduler = part("scheduler");
    scheduler.arguments.push(token.to_owned());
    let executors = (0..executors).map(|number| part(&format!("executor-{number}"))).collect();
    let tls = authority.sign("watcher", NAME).read().expect("files");
    Cluster::start(&Plan { programs: programs(), folder, scheduler, executors, tls }).expect("a cluster")
}

fn ask_in_turn(address: &str, files: Option<&Files>) -> Result<(), String> {
    let tls = files.and_then(|files| files.read().expect("files"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let answer = runtime.block_on(ask(address, tls.as_ref(), "/"));
    answer.map(|_| ()).map_err(|error| consilience_cluster::link::causes(&*error))
}

/// The same bits; and at no port does anything answer that shows no certificate.
#[test]
fn a_cluster_over_tls_answers_as_one_in_the_clear() {
    let (folder, table) = scratch();
    let authority = Authority::new(folder.path(), "ours");
    let word = token(folder.path(), "token", "open-sesame");
    let cluster = over_tls(&folder.path().join("tls"), &authority, &word, 2);
    let plain = in_the_clear(&folder.path().join("plain"), 2);
    let [secret, open] = ["secret", "open"].map(|name| folder.path().join(format!("{name}.parquet")));
    let files = authority.sign("client", NAME);
    let further = [files.arguments(), vec![word]].concat();
    // So that no executor is done before the other asks, and what was handed on is there to be seen.
    let [(_, paused), _] = paused_in_stages();
    let further: Vec<&str> = further.iter().map(String::as_str).collect();
    let job = client(&cluster.url, &table, &paused, &secret, &further);
    let both = || cluster.executors.iter().all(|executor| executor.has_written(1));
    wait("work of both executors", both).expect("work");
    succeeded(job);
    succeeded(client(&plain.url, &table, QUERY, &open, &[]));
    assert!(read(&secret) == read(&open), "another answer");

    let theirs = Authority::new(folder.path(), "theirs").sign("client", NAME);
    let stranger = Files { tls_ca: files.tls_ca.clone(), ..theirs };
    for executor in &cluster.executors {
        let address = executor.address.to_string();
        ask_in_turn(&address, Some(&files)).expect("an answer");
        ask_in_turn(&address, None).expect_err("an answer in the clear");
        ask_in_turn(&address, Some(&stranger)).expect_err("an answer to a stranger");
    }
}

/// Whoever lacks what it takes is told what, and where, and has no answer.
#[test]
fn a_stranger_is_refused_at_once() {
    let (folder, table) = scratch();
    let [ours, theirs] = ["ours", "theirs"].map(|name| Authority::new(folder.path(), name));
    let word = token(folder.path(), "token", "open-sesame");
    let cluster = over_tls(&folder.path().join("tls"), &ours, &word, 1);
    let plain = in_the_clear(&folder.path().join("plain"), 1);
    let output = folder.path().join("never.parquet");
    let good = ours.sign("client", NAME);
    let mixed = Files { tls_ca: good.tls_ca.clone(), ..theirs.sign("impostor", NAME) };
    let secure = &cluster.url[5..];
    let cases = [
        ("nothing", &cluster, vec![], vec![secure, "does it ask for TLS?"]),
        ("TLS at a scheduler in the clear", &plain, good.arguments(), vec![&plain.url[5..], "does it use TLS"]),
        ("another authority", &cluster, theirs.sign("client", NAME).arguments(), vec![secure, "UnknownIssuer"]),
        ("a certificate that nobody knows", &cluster, mixed.arguments(), vec![secure, "of the same authority?"]),
        ("no token", &cluster, good.arguments(), vec![secure, "Unauthenticated", "no token", "--token-file"]),
        (
            "another token",
            &cluster,
            [good.arguments(), vec![token(folder.path(), "guess", "open-sesamf")]].concat(),
            vec![secure, "Unauthenticated", "another token"],
        ),
    ];
    for (what, cluster, arguments, expected) in cases {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let message = failed(client(&cluster.url, &table, QUERY, &output, &arguments), AT_ONCE);
        for part in expected {
            assert!(message.contains(part), "{what}: no `{part}` in {message}");
        }
        assert!(!output.exists(), "{what}");
    }

    let executor = |files: &Files| {
        let (host, port) = secure.split_once(':').expect("a port");
        let work_dir = folder.path().join("stranger").display().to_string();
        let arguments =
            ["--scheduler-host", host, "--scheduler-port", port, "--work-dir", &work_dir].map(str::to_owned);
        failed(start(&[], "executor", arguments.into_iter().chain(files.arguments())), AT_ONCE)
    };
    for (files, expected) in [
        (Files::default(), "does it ask for TLS?"),
        (theirs.sign("executor", NAME), "UnknownIssuer"),
        (mixed, "of the same authority?"),
    ] {
        let message = executor(&files);
        assert!(message.contains(secure) && message.contains(expected), "no `{expected}` in {message}");
    }
}

/// The name on a certificate is that of a cluster's programs: another of the same authority does not do for a server.
#[test]
fn a_server_with_another_name_is_not_trusted() {
    let (folder, table) = scratch();
    let authority = Authority::new(folder.path(), "ours");
    let address = free_address();
    let arguments = [authority.sign("web", "web.example").arguments(), vec![format!("--bind={address}")]].concat();
    let mut scheduler = start(&[], "scheduler", arguments);
    let output = folder.path().join("never.parquet");
    let files = authority.sign("client", NAME).arguments();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let message = failed(client(&format!("df://{address}"), &table, QUERY, &output, &files), AT_ONCE);
    scheduler.kill().expect("killed");
    scheduler.wait().expect("an end");
    assert!(message.contains(&address) && message.contains("not valid for name"), "{message}");
}

/// What is wrong with a file or an argument is said by every program before it does anything.
#[test]
fn files_and_arguments_that_are_wrong_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(folder.path(), "ours");
    let (good, other) = (authority.sign("good", NAME), authority.sign("other", NAME));
    let [none, junk] = ["none.pem", "junk.pem"].map(|name| folder.path().join(name));
    std::fs::write(&junk, "-----BEGIN NOTHING-----").expect("a file");
    let with = |change: fn(&mut Files, PathBuf), path: &Path| {
        let mut files = good.clone();
        change(&mut files, path.to_owned());
        files.arguments()
    };
    let key = good.tls_key.clone().expect("a key");
    let text = |path: &Path| path.display().to_string();
    let cases: Vec<(Vec<String>, Vec<String>)> = vec![
        (with(|files, path| files.tls_ca = Some(path), &none), vec![format!("--tls-ca {}: No such file", text(&none))]),
        (
            with(|files, path| files.tls_cert = Some(path), &junk),
            vec![format!("--tls-cert {} holds no cert", text(&junk))],
        ),
        (
            with(|files, path| files.tls_cert = Some(path), &key),
            vec![format!("--tls-cert {} holds no cert", text(&key))],
        ),
        (
            with(|files, path| files.tls_key = Some(path), &junk),
            vec![format!("--tls-key {} holds no private", text(&junk))],
        ),
        (
            with(|files, path| files.tls_key = Some(path), other.tls_key.as_deref().expect("a key")),
            vec![text(other.tls_key.as_deref().expect("a key")), "KeyMismatch".to_owned()],
        ),
        (with(|files, _| files.tls_key = None, &none), vec!["--tls-key <PEM>".to_owned()]),
        (vec![format!("--tls-ca={}", text(&none))], vec!["--tls-cert <PEM>".to_owned(), "--tls-key <PEM>".to_owned()]),
    ];
    let tokens = [
        (vec![token(folder.path(), "word", "open-sesame")], "without TLS anybody reads it"),
        ([good.arguments(), vec![token(folder.path(), "empty", " ")]].concat(), "a token is one word"),
        ([good.arguments(), vec![token(folder.path(), "two", "open sesame")]].concat(), "a token is one word"),
        ([good.arguments(), vec![format!("--token-file={}", text(&none))]].concat(), "No such file"),
    ];
    for program in ["scheduler", "executor", "client"] {
        let usual: &[&str] = match program {
            "executor" => &["--work-dir=never", "--scheduler-port=9"],
            "client" => &["--sql=SELECT 1", "--url=df://127.0.0.1:9"],
            _ => &["--bind=127.0.0.1:0"],
        };
        let run = |further: &[String]| {
            failed(
                start(&[], program, usual.iter().map(|&usual| usual.to_owned()).chain(further.iter().cloned())),
                AT_ONCE,
            )
        };
        for (further, expected) in &cases {
            let message = run(further);
            for part in expected {
                assert!(message.contains(part), "{program} {further:?}: no `{part}` in {message}");
            }
        }
        if program != "executor" {
            for (further, expected) in &tokens {
                let message = run(further);
                assert!(message.contains(expected), "{program} {further:?}: no `{expected}` in {message}");
            }
        }
        if program == "scheduler" {
            let message = run(&[good.arguments(), vec!["--executor-timeout=9".to_owned()]].concat());
            assert!(message.contains("--executor-timeout is 10 s at least"), "{message}");
        }
    }
}
