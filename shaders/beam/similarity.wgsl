// Cosines between distributions. Formula and layout stand in src/kernel/beam/similarity.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> first: array<f32>;
@group(0) @binding(2) var<storage, read> second: array<f32>;
@group(0) @binding(3) var<storage, read_write> similarity: array<f32>;
@group(0) @binding(4) var<storage, read_write> status: array<u32>;

var<workgroup> lowest: atomic<u32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (lane == 0u) { atomicStore(&lowest, 0xffffffffu); }
    workgroupBarrier();
    let group = group_id.x + group_id.y * params.groups_per_row;
    let item = group * LANES + lane;
    if (item < params.items) {
        var a = array<f32, 9>();
        var b = array<f32, 9>();
        var sums = vec2(0.0);
        var fine = true;
        for (var k = 0u; k < DIGITS; k++) {
            a[k] = first[k * params.stride + item];
            b[k] = second[k * params.stride + item];
            fine = fine && is_finite_and_not_negative(bitcast<u32>(a[k])) && is_finite_and_not_negative(bitcast<u32>(b[k]));
            sums += vec2(a[k], b[k]);
        }
        if (!(fine && is_sum(sums.x) && is_sum(sums.y))) { atomicMin(&lowest, lane); }
        let scales = vec2(1.0) / sums;
        var both = 0.0;
        var squares = vec2(0.0);
        for (var k = 0u; k < DIGITS; k++) {
            let d = vec2(a[k], b[k]) * scales;
            both = fma(d.x, d.y, both);
            squares = fma(d, d, squares);
        }
        similarity[item] = min(both / sqrt(squares.x * squares.y), 1.0);
    }
    workgroupBarrier();
    if (lane == 0u) { status[group] = atomicLoad(&lowest); }
}
