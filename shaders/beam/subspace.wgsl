// Distributions through an affine map. Formula and layout stand in src/kernel/beam/subspace.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    distributes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> digits: array<f32>;
@group(0) @binding(2) var<storage, read> map: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> mapped: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let item = (group_id.x + group_id.y * params.groups_per_row) * LANES + lane;
    if (item >= params.items) { return; }
    var low = map[27];
    var high = map[28];
    var last = map[29].x;
    for (var k = 0u; k < DIGITS; k++) {
        let x = digits[k * params.stride + item];
        low = fma(vec4(x), map[3u * k], low);
        high = fma(vec4(x), map[3u * k + 1u], high);
        last = fma(x, map[3u * k + 2u].x, last);
    }
    if (params.distributes != 0u) {
        low = max(low, vec4(0.0));
        high = max(high, vec4(0.0));
        last = max(last, 0.0);
        let scale = 1.0 / (dot(low + high, vec4(1.0)) + last);
        low *= scale;
        high *= scale;
        last *= scale;
    }
    for (var k = 0u; k < 4u; k++) {
        mapped[k * params.stride + item] = low[k];
        mapped[(4u + k) * params.stride + item] = high[k];
    }
    mapped[8u * params.stride + item] = last;
}
