// Special functions of many items. Formulas and layout stand in src/kernel/bayes/special.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    which: u32,
}

override FUNCTION: u32 = 0u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> arguments: array<f32>;
@group(0) @binding(2) var<storage, read_write> results: array<f32>;

const LANES: u32 = 256u;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let item = (group.x + group.y * params.groups_per_row) * LANES + lane;
    if (item >= params.items) { return; }
    // A chunk has fewer than 2^31 items.
    no_bits = params.items >> 31u;
    let a = arguments[item];
    var result = 0.0;
    switch FUNCTION {
        case 0u: { result = ln_gamma(a); }
        case 1u: { result = digamma(a); }
        case 2u: { result = incomplete_beta(a, arguments[params.stride + item], arguments[2u * params.stride + item]); }
        case 3u: { result = beta_quantile(a, arguments[params.stride + item], arguments[2u * params.stride + item]); }
        case 4u: { result = incomplete_gamma(a, arguments[params.stride + item], true); }
        case 5u: { result = incomplete_gamma(a, arguments[params.stride + item], false); }
        case 6u: { result = gamma_quantile(a, arguments[params.stride + item], false); }
        case 7u: { result = gamma_quantile(a, arguments[params.stride + item], true); }
        default: { result = beta_quantile_odds(a, arguments[params.stride + item], arguments[2u * params.stride + item]); }
    }
    results[item] = result;
}
