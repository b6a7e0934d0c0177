//! Every kernel's contract, shader, twin and parity test: that they are there, and that naga reads the shader as the
//! Rust side writes it.

use consilience::kernel::{Access, Kernel};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Module, StorageAccess, TypeInner};

use super::{files, read, root};

pub(super) fn module(kernel: Kernel) -> Module {
    parse(kernel, kernel.contract().source)
}

fn parse(kernel: Kernel, text: &str) -> Module {
    naga::front::wgsl::parse_str(text).unwrap_or_else(|e| panic!("{kernel}: {}", e.emit_to_string(text)))
}

/// Every text of every kernel, and what a device has to be capable of to run it.
fn texts() -> impl Iterator<Item = (Kernel, &'static str, Capabilities)> {
    Kernel::ALL.into_iter().flat_map(|kernel| {
        let plain = (kernel, kernel.contract().source, Capabilities::empty());
        let by_subgroups = kernel.contract().by_subgroups.map(|text| (kernel, text, Capabilities::SUBGROUP));
        [Some(plain), by_subgroups].into_iter().flatten()
    })
}

/// The fields of a `repr(C)` struct of four-byte fields and where each begins, read from its source.
pub(super) fn fields(path: &str, name: &str) -> Vec<(String, u32)> {
    let file = syn::parse_file(&read(path.as_ref())).unwrap_or_else(|e| panic!("{path}: {e}"));
    let found = file.items.iter().find_map(|item| match item {
        syn::Item::Struct(item) if item.ident == name => Some(item),
        _ => None,
    });
    let item = found.unwrap_or_else(|| panic!("{path} has no struct {name}"));
    let field = |(i, field): (usize, &syn::Field)| {
        let syn::Type::Path(ty) = &field.ty else { panic!("{name}: a field that is no number") };
        assert!(ty.path.is_ident("u32") || ty.path.is_ident("f32"), "{name}: a field that is not four bytes wide");
        (field.ident.as_ref().expect("a named field").to_string(), 4 * i as u32)
    };
    item.fields.iter().enumerate().map(field).collect()
}

#[test]
fn every_shader_has_its_contract_twin_and_parity_test() {
    let shaders = files("shaders", "wgsl").into_iter().filter(|path| !path.starts_with("shaders/shared"));
    let names =
        shaders.map(|path| path.with_extension("").strip_prefix("shaders").expect("below").display().to_string());
    let mut listed: Vec<String> = Kernel::ALL.iter().map(ToString::to_string).collect();
    listed.sort();
    assert_eq!(names.collect::<Vec<_>>(), listed, "shaders on the left, Kernel::ALL on the right");
    for kernel in Kernel::ALL {
        for place in ["src/kernel", "src/backend/cpu", "tests/parity"] {
            let path = root().join(place).join(format!("{kernel}.rs"));
            assert!(path.is_file(), "{kernel} lacks {}", path.display());
        }
    }
}

#[test]
fn every_shader_is_valid() {
    for (kernel, text, capabilities) in texts() {
        let mut validator = Validator::new(ValidationFlags::all(), capabilities);
        if let Err(error) = validator.validate(&parse(kernel, text)) {
            panic!("{kernel}: {}", error.emit_to_string(text));
        }
    }
}

#[test]
fn bindings_are_those_of_the_contract() {
    for (kernel, text, _) in texts() {
        let module = parse(kernel, text);
        let mut found = Vec::new();
        for (_, variable) in module.global_variables.iter() {
            if let Some(binding) = &variable.binding {
                let access = match variable.space {
                    AddressSpace::Uniform => Access::Uniform,
                    AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => Access::ReadWrite,
                    AddressSpace::Storage { .. } => Access::Read,
                    space => panic!("{kernel}: a binding in {space:?}"),
                };
                assert_eq!(binding.group, 0, "{kernel}");
                found.push((binding.binding, variable.name.clone().unwrap_or_default(), access));
            }
        }
        found.sort_by_key(|(number, ..)| *number);
        let contract = kernel.contract().bindings.iter().zip(0..).map(|(b, i)| (i, b.name.to_owned(), b.access));
        assert_eq!(found, contract.collect::<Vec<_>>(), "{kernel}: shader on the left, contract on the right");
    }
}

#[test]
fn workgroup_sizes_are_those_of_the_contract() {
    for (kernel, text, _) in texts() {
        let sizes: Vec<_> = parse(kernel, text).entry_points.iter().map(|entry| entry.workgroup_size).collect();
        assert_eq!(sizes, [[kernel.contract().workgroup_lanes, 1, 1]], "{kernel}");
    }
}

#[test]
fn parameter_structs_have_the_same_layout() {
    for kernel in Kernel::ALL {
        let module = module(kernel);
        let params = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some("Params")).map(|(_, ty)| &ty.inner);
        let Some(TypeInner::Struct { members, span }) = params else { panic!("{kernel} has no struct Params") };
        let members: Vec<_> = members.iter().map(|m| (m.name.clone().unwrap_or_default(), m.offset)).collect();
        let contract = match kernel {
            Kernel::Pool | Kernel::PoolWide => "src/kernel/fusion/pool.rs",
            Kernel::SoftmaxRegression => "src/kernel/stacking/softmax_regression.rs",
            batch => &format!("src/kernel/{batch}.rs"),
        };
        assert_eq!(members, fields(contract, "Params"), "{kernel}");
        assert_eq!(*span as usize, kernel.contract().params_bytes, "{kernel}");
    }
}

#[test]
fn parameters_of_kernels_over_arrays_begin_with_what_a_chunk_sets() {
    for kernel in Kernel::ALL.into_iter().filter(|kernel| {
        ["vortex/", "beam/", "bayes/", "calibration/", "reduce/", "em/"]
            .iter()
            .any(|family| kernel.name().starts_with(family))
    }) {
        let fields = fields(&format!("src/kernel/{kernel}.rs"), "Params");
        let first: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).take(3).collect();
        assert_eq!(first, ["items", "stride", "groups_per_row"], "{kernel}");
        assert_eq!(kernel.contract().params_bytes % 16, 0, "{kernel}");
    }
}
