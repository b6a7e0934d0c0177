//! What is depended on: permissive licences only, and one wgpu.

use std::collections::BTreeSet;
use std::process::Command;

use spdx::{Expression, LicenseReq};

use super::read;

/// The entries of the list `allow` in deny.toml.
fn allowed() -> Vec<LicenseReq> {
    let text = read("deny.toml".as_ref());
    let list = text.split("allow = [").nth(1).and_then(|rest| rest.split(']').next()).expect("a list `allow`");
    let quoted = list.split('"').skip(1).step_by(2);
    quoted.map(requirement).collect()
}

/// The package and the licence of each entry of the list `exceptions`, which stand in one line each.
fn exceptions() -> Vec<(String, LicenseReq)> {
    let text = read("deny.toml".as_ref());
    let list = text.split("exceptions = [\n").nth(1).and_then(|rest| rest.split("\n]").next()).expect("exceptions");
    let entry = |line: &str| match line.split('"').collect::<Vec<_>>()[..] {
        ["    { crate = ", name, ", allow = [", licence, "] },"] => (name.to_owned(), requirement(licence)),
        _ => panic!("not understood: {line}"),
    };
    list.lines().map(entry).collect()
}

fn requirement(licence: &str) -> LicenseReq {
    Expression::parse(licence).expect("an SPDX name").requirements().next().expect("one").req.clone()
}

struct Package {
    name: String,
    version: String,
    licence: String,
}

/// Every package this machine's builds can take in, whatever the features. What is locked is more: what optional parts of a
/// dependency would bring that no feature here asks for.
fn packages() -> Vec<Package> {
    let listed = cargo(&["tree", "--workspace", "--all-features", "--locked", "--prefix=none", "--format={p}\t{l}"]);
    let package = |line: &str| {
        let (package, licence) = line.split_once('\t')?;
        let (name, version) = package.split_once(" v")?;
        let version = version.split(' ').next().unwrap_or_default();
        // One that was listed before has a mark behind its licence.
        let licence = licence.trim_end_matches(" (*)");
        Some(Package { name: name.to_owned(), version: version.to_owned(), licence: licence.to_owned() })
    };
    let lines = listed.lines().filter(|line| !line.is_empty());
    lines.map(|line| package(line).unwrap_or_else(|| panic!("not understood: {line}"))).collect()
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
    let (allowed, exceptions) = (allowed(), exceptions());
    let packages = packages();
    assert!(packages.len() > 100, "{} packages are too few to be all", packages.len());
    for (name, _) in &exceptions {
        assert!(packages.iter().any(|package| package.name == *name), "{name} is excepted and not there");
    }
    for Package { name, licence, .. } in packages {
        let mut allowed = allowed.clone();
        allowed.extend(exceptions.iter().filter(|(excepted, _)| *excepted == name).map(|(_, licence)| licence.clone()));
        assert!(!licence.is_empty(), "{name} states no licence");
        assert!(is_permissive(&licence, &allowed), "{name} is under {licence}");
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
    let packages = packages();
    let of = |name: &str| {
        let versions = packages.iter().filter(|package| package.name == name).map(|package| package.version.as_str());
        versions.collect::<BTreeSet<_>>()
    };
    assert_eq!(of("wgpu"), BTreeSet::from(["30.0.1"]));
    assert_eq!(of("naga"), BTreeSet::from(["30.0.1"]));
}
