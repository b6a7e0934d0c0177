// Beams changed by their position's entries in a table. Formula and layout stand in src/kernel/beam/intervene.rs. A lane
// takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    steps: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> digits: array<f32>;
@group(0) @binding(2) var<storage, read> scalars: array<f32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read> table: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> changed: array<f32>;
@group(0) @binding(6) var<storage, read_write> changed_scalars: array<f32>;

const STEPS: u32 = 4u;
const PULL: u32 = 1u;
const SHARPEN: u32 = 2u;
const CONFIDENCE: u32 = 3u;
const ETHOS: u32 = 4u;
const PATHOS: u32 = 6u;
const ANCHORS = array<u32, 10>(9u, 3u, 3u, 3u, 3u, 6u, 6u, 6u, 9u, 9u);

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let item = (group_id.x + group_id.y * params.groups_per_row) * LANES + lane;
    if (item >= params.items) { return; }
    var d = array<f32, 9>();
    for (var k = 0u; k < DIGITS; k++) { d[k] = digits[k * params.stride + item]; }
    var values = array<f32, 4>();
    for (var c = 0u; c < 4u; c++) { values[c] = scalars[c * params.stride + item]; }
    let position = min(positions[item], 9u);
    var anchors = ANCHORS;
    let anchor = anchors[position] - 1u;
    for (var step = 0u; step < min(params.steps, STEPS); step++) {
        let entry = table[position * STEPS + step];
        let value = bitcast<f32>(entry.y);
        if (entry.x == PULL) {
            for (var k = 0u; k < DIGITS; k++) {
                d[k] = fma(d[k], 1.0 - value, select(0.0, value, k == anchor));
            }
        } else if (entry.x == SHARPEN) {
            var largest = 0.0;
            for (var k = 0u; k < DIGITS; k++) { largest = max(largest, d[k]); }
            let ln_largest = ln_(largest);
            var sum = 0.0;
            for (var k = 0u; k < DIGITS; k++) {
                d[k] = select(exp_(value * (ln_(d[k]) - ln_largest)), 0.0, d[k] < SMALLEST_NORMAL);
                sum += d[k];
            }
            for (var k = 0u; k < DIGITS; k++) { d[k] /= sum; }
        } else if (entry.x == CONFIDENCE) {
            values[3] = min(values[3] * value, 1.0);
        } else if (entry.x >= ETHOS && entry.x <= PATHOS) {
            values[entry.x - ETHOS] = min(values[entry.x - ETHOS] * value, 9.0);
        }
    }
    for (var k = 0u; k < DIGITS; k++) { changed[k * params.stride + item] = d[k]; }
    for (var c = 0u; c < 4u; c++) { changed_scalars[c * params.stride + item] = values[c]; }
}
