// First and second moments of a block. Formula and layout stand in src/kernel/beam/moments.rs. Lanes load an item each, then
// four parts of the block are summed for each of the 54 sums.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> digits: array<f32>;
@group(0) @binding(2) var<storage, read> pivot: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

const LANES: u32 = 256u;
const DIGITS: u32 = 9u;
const SUMS: u32 = 54u;
const WORDS: u32 = 64u;
const PARTS: u32 = 4u;

var<workgroup> items: array<f32, 2304>;
var<workgroup> parts: array<f32, 216>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let group = group_id.x + group_id.y * params.groups_per_row;
    let item = group * LANES + lane;
    for (var k = 0u; k < DIGITS; k++) {
        var z = 0.0;
        if (item < params.items) { z = digits[k * params.stride + item] - pivot[k]; }
        items[k * LANES + lane] = z;
    }
    workgroupBarrier();
    if (lane < PARTS * SUMS) {
        let which = lane % SUMS;
        let begin = lane / SUMS * (LANES / PARTS);
        var sum = 0.0;
        if (which < DIGITS) {
            for (var place = begin; place < begin + LANES / PARTS; place++) { sum += items[which * LANES + place]; }
        } else {
            var row = 0u;
            var rest = which - DIGITS;
            while (rest >= DIGITS - row) {
                rest -= DIGITS - row;
                row++;
            }
            let column = row + rest;
            for (var place = begin; place < begin + LANES / PARTS; place++) {
                sum = fma(items[row * LANES + place], items[column * LANES + place], sum);
            }
        }
        parts[lane] = sum;
    }
    workgroupBarrier();
    if (lane < WORDS && group * LANES < params.items) {
        var sum = 0.0;
        if (lane < SUMS) { sum = (parts[lane] + parts[SUMS + lane]) + (parts[2u * SUMS + lane] + parts[3u * SUMS + lane]); }
        sums[group * WORDS + lane] = sum;
    }
}
