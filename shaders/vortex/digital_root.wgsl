// Digital roots. Formula and layout stand in src/kernel/vortex/digital_root.rs. A lane takes four items.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    words: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> roots: array<vec4<u32>>;

const LANES: u32 = 256u;

fn roots_of(n: vec4<u32>) -> vec4<u32> {
    var s = (n & vec4(0x3ffffu)) + (n >> vec4(18u));
    s = (s & vec4(0xfffu)) + (s >> vec4(12u));
    return s - 9u * ((s * 29127u) >> vec4(18u));
}

// The sum of the parts of 30 bits.
fn folded(low: vec4<u32>, high: vec4<u32>) -> vec4<u32> {
    let middle = (low >> vec4(30u)) | ((high & vec4(0xfffffffu)) << vec4(2u));
    return (low & vec4(0x3fffffffu)) + middle + (high >> vec4(28u));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let quad = (group.x + group.y * params.groups_per_row) * LANES + lane;
    if (4u * quad >= params.items) { return; }
    if (params.words == 1u) {
        roots[quad] = roots_of(values[quad]);
    } else {
        let a = values[2u * quad];
        let b = values[2u * quad + 1u];
        roots[quad] = roots_of(folded(vec4(a.xz, b.xz), vec4(a.yw, b.yw)));
    }
}
