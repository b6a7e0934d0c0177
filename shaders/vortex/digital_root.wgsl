// Digital roots. Formula and layout stand in src/kernel/vortex/digital_root.rs. A lane takes four items.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    words: u32,
    square: u32,
    reserved: u32,
    reserved_2: u32,
    reserved_3: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> roots: array<vec4<u32>>;

const LANES: u32 = 256u;
// floor(2^18 / 9).
const FACTOR: u32 = 29127u;

// Of a sum below 12,400.
fn last(s: vec4<u32>) -> vec4<u32> {
    return s - 9u * ((s * FACTOR) >> vec4(18u));
}

fn roots_of(sum: vec4<u32>) -> vec4<u32> {
    let root = last((sum & vec4(0xfffu)) + (sum >> vec4(12u)));
    if (params.square == 0u) { return root; }
    return last(root * root);
}

// A sum of the parts of 18 bits.
fn narrow(n: vec4<u32>) -> vec4<u32> {
    return (n & vec4(0x3ffffu)) + (n >> vec4(18u));
}

// A sum of the parts of 24 bits.
fn wide(low: vec4<u32>, high: vec4<u32>) -> vec4<u32> {
    let middle = ((high << vec4(8u)) & vec4(0xffffffu)) | (low >> vec4(24u));
    return (low & vec4(0xffffffu)) + middle + (high >> vec4(16u));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let quad = (group.x + group.y * params.groups_per_row) * LANES + lane;
    if (4u * quad >= params.items) { return; }
    if (params.words == 1u) {
        roots[quad] = roots_of(narrow(values[quad]));
    } else {
        let a = values[2u * quad];
        let b = values[2u * quad + 1u];
        roots[quad] = roots_of(wide(vec4(a.xz, b.xz), vec4(a.yw, b.yw)));
    }
}
