// What was expected, collected by who said what. Formula and layout stand in src/kernel/em/collect.rs. A lane takes a segment.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> segments: array<u32>;
@group(0) @binding(2) var<storage, read> members: array<u32>;
@group(0) @binding(3) var<storage, read> posterior: array<f32>;
@group(0) @binding(4) var<storage, read> masses: array<f32>;
@group(0) @binding(5) var<storage, read_write> parts: array<f32>;

const LANES: u32 = 256u;
const OF_BLOCKS: u32 = 0x80000000u;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let segment = (group.x + group.y * params.groups_per_row) * LANES + lane;
    if (segment >= params.items) { return; }
    let c = params.classes;
    let begin = segments[segment];
    let end = segments[params.stride + segment];
    for (var k = 0u; k < c; k += 4u) {
        let columns = min(vec4(k) + vec4(0u, 1u, 2u, 3u), vec4(c - 1u));
        var sum = vec4(0.0);
        if ((begin & OF_BLOCKS) != 0u) {
            for (var i = begin & ~OF_BLOCKS; i < end; i++) {
                let at = vec4(i * c) + columns;
                sum += vec4(masses[at.x], masses[at.y], masses[at.z], masses[at.w]);
            }
        } else {
            for (var i = begin; i < end; i++) {
                let at = vec4(members[i] * c) + columns;
                sum += vec4(posterior[at.x], posterior[at.y], posterior[at.z], posterior[at.w]);
            }
        }
        for (var j = 0u; j < min(4u, c - k); j++) { parts[segment * c + k + j] = sum[j]; }
    }
}
