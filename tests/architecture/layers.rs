//! The direction of imports and the home of each foreign crate.

use std::path::Path;

use syn::visit::Visit;

use super::{files, read};

/// From the lowest to the highest; a layer names itself and those before it.
const LAYERS: [&str; 10] =
    ["error", "tensor", "spec", "kernel", "plan", "backend", "engine", "methods", "orchestration", "integrations"];

/// Foreign crates, by name or by the family `name_…`, and the path below `src/` that a file which names one must begin with.
const HOMES: &[(&str, &[&str])] = &[
    ("wgpu", &["backend/gpu"]),
    ("pollster", &["backend/gpu"]),
    ("fearless_simd", &["backend/cpu"]),
    ("rayon", &["backend/cpu"]),
    ("tokio", &["orchestration", "integrations"]),
    ("futures_util", &["orchestration", "integrations"]),
    ("libm", &["orchestration"]),
    ("metrics", &["orchestration", "integrations"]),
    ("tracing", &["orchestration", "integrations"]),
    ("redb", &["orchestration/ledger"]),
    ("blake3", &["orchestration/cache"]),
    ("moka", &["orchestration/cache"]),
    ("postcard", &["orchestration/cache"]),
    ("reqwest", &["integrations/http"]),
    ("rustls", &["integrations/http"]),
    ("httpdate", &["integrations/http"]),
    ("arrow", &["integrations/arrow"]),
    ("parquet", &["integrations/arrow"]),
    ("bytes", &["integrations/arrow", "integrations/serve"]),
    ("axum", &["integrations/serve"]),
    ("hyper", &["integrations/serve"]),
    ("http_body_util", &["integrations/serve"]),
    ("governor", &["integrations/serve"]),
    ("subtle", &["integrations/serve"]),
    ("utoipa", &["integrations/serve"]),
    ("burn", &["integrations/burn"]),
    ("candle", &["integrations/candle"]),
    ("ballista", &["integrations/ballista"]),
    ("datafusion", &["integrations/datafusion", "integrations/ballista"]),
];

/// What breaks a rule in one file's text.
fn violations(path: &str, text: &str) -> Vec<String> {
    let mut paths = Paths::default();
    paths.visit_file(&syn::parse_file(text).unwrap_or_else(|e| panic!("{path}: {e}")));
    let layer = path.split(['/', '.']).next().unwrap_or_default();
    let rank = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let mut found = Vec::new();
    for segments in paths.0 {
        let (first, second) = (segments[0].as_str(), segments.get(1).map_or("", String::as_str));
        if first == "crate" && path != "lib.rs" {
            match (rank(layer), rank(second)) {
                (Some(own), Some(named)) if named <= own => {}
                _ => found.push(format!("src/{path}: layer {layer} names crate::{second}")),
            }
        }
        for &(name, homes) in HOMES {
            if (first == name || first.starts_with(&format!("{name}_")))
                && !homes.iter().any(|home| path.starts_with(home))
            {
                found.push(format!("src/{path}: {name} belongs in {homes:?}"));
            }
        }
    }
    found
}

/// Every path in a file, the branches of `use` trees spelled out.
#[derive(Default)]
struct Paths(Vec<Vec<String>>);

impl Paths {
    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.0.push(with(&name.ident)),
            syn::UseTree::Rename(rename) => self.0.push(with(&rename.ident)),
            syn::UseTree::Glob(_) => self.0.push([before, &["*".to_owned()]].concat()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(before, tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        // A path of one segment is a local name, not a crate.
        if segments.len() > 1 {
            self.0.push(segments);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}

#[test]
fn layers_name_only_those_below_and_crates_stay_at_home() {
    let mut found = Vec::new();
    for file in files("src", "rs") {
        let path = file.strip_prefix("src").expect("below src").to_string_lossy().into_owned();
        found.extend(violations(&path, &read(&file)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_broken_rule_is_found() {
    assert_eq!(
        violations("tensor/view.rs", "use crate::{error::Error, spec::Rule};"),
        ["src/tensor/view.rs: layer tensor names crate::spec"]
    );
    assert_eq!(violations("spec.rs", "type E = crate::Error;"), ["src/spec.rs: layer spec names crate::Error"]);
    assert_eq!(
        violations("engine.rs", "fn f() { wgpu::Instance::default(); }"),
        ["src/engine.rs: wgpu belongs in [\"backend/gpu\"]"]
    );
    assert_eq!(
        violations("plan.rs", "use arrow_array::Array;"),
        ["src/plan.rs: arrow belongs in [\"integrations/arrow\"]"]
    );
    assert!(violations("backend/gpu/adapter.rs", "use wgpu::Adapter; use crate::error::Result;").is_empty());
}

#[test]
fn there_is_no_mod_rs() {
    let found = files("src", "rs").into_iter().find(|path| path.ends_with(Path::new("mod.rs")));
    assert_eq!(found, None);
}
