//! What is depended on: permissive licences only, and one wgpu.

use std::process::Command;

use serde_json::Value;
use spdx::{Expression, LicenseReq};

use super::read;

/// The entries of the list `allow` in deny.toml.
fn allowed() -> Vec<LicenseReq> {
    let text = read("deny.toml".as_ref());
    let list = text.split("allow = [").nth(1).and_then(|rest| rest.split(']').next()).expect("a list `allow`");
    let quoted = list.split('"').skip(1).step_by(2);
    quoted
        .map(|name| Expression::parse(name).expect("an SPDX name").requirements().next().expect("one").req.clone())
        .collect()
}

/// Every package this machine's builds can take in, whatever the features.
fn packages() -> Vec<Value> {
    let version = cargo(&["--version", "--verbose"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let metadata = cargo(&["metadata", "--format-version=1", "--all-features", "--locked", "--filter-platform", host]);
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(super::root()).output().expect("cargo");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn is_permissive(licence: &str, allowed: &[LicenseReq]) -> bool {
    let expression = Expression::parse_mode(licence, spdx::ParseMode::LAX).unwrap_or_else(|e| panic!("{licence}: {e}"));
    expression.evaluate(|req| allowed.contains(req))
}

#[test]
fn every_licence_is_permissive() {
    let allowed = allowed();
    let packages = packages();
    assert!(packages.len() > 100, "{} packages are too few to be all", packages.len());
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none stated");
        assert!(is_permissive(licence, &allowed), "{} is under {licence}", package["name"]);
    }
}

#[test]
fn a_copyleft_licence_is_found() {
    let allowed = allowed();
    assert!(is_permissive("MIT OR GPL-3.0-only", &allowed));
    assert!(is_permissive("MIT/Apache-2.0", &allowed));
    assert!(!is_permissive("GPL-3.0-only", &allowed));
    assert!(!is_permissive("MIT AND LGPL-2.1-only", &allowed));
}

#[test]
fn there_is_one_wgpu() {
    let of = |name: &str| {
        packages().iter().filter(|p| p["name"] == name).map(|p| p["version"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of("wgpu"), ["\"30.0.1\""]);
    assert_eq!(of("naga"), ["\"30.0.1\""]);
}
