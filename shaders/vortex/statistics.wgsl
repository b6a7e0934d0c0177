// What stands at each position. Formula and layout stand in src/kernel/vortex/statistics.rs. A workgroup takes a block.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    channels: u32,
    bins: u32,
    sums: u32,
    reserved: u32,
    reserved_2: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> directions: array<u32>;
@group(0) @binding(3) var<storage, read> payload: array<f32>;
@group(0) @binding(4) var<storage, read> centre: array<f32>;
@group(0) @binding(5) var<storage, read> pairs: array<u32>;
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;
@group(0) @binding(7) var<storage, read_write> refused: array<u32>;

const LANES: u32 = 256u;
const BLOCK: u32 = 4096u;
const MOST_TERMS: u32 = 13u;
const NONE: u32 = 0xffffffffu;

var<workgroup> first: atomic<u32>;
var<workgroup> bins: array<u32, 256>;
// Term by term, an item to a lane.
var<workgroup> terms: array<f32, 3328>;

// The terms of an item, and its bin: none where it counts nowhere.
fn stage(item: u32, lane: u32, place: u32) {
    bins[lane] = NONE;
    if (item >= params.items) { return; }
    let d = params.channels;
    var square = 0.0;
    var largest = 0.0;
    var fine = positions[item] < params.bins;
    for (var i = 0u; i < d; i++) {
        let x = payload[i * params.stride + item];
        fine = fine && !is_bad(bitcast<u32>(x));
        largest = max(largest, abs(x));
        terms[(1u + i) * LANES + lane] = x - centre[i];
    }
    if (!fine) {
        atomicMin(&first, place);
        return;
    }
    bins[lane] = positions[item];
    // Scaled by the largest channel, so that squares neither overflow nor vanish.
    let is_zero = largest < SMALLEST_NORMAL;
    let scale = 1.0 / select(largest, 1.0, is_zero);
    for (var i = 0u; i < d; i++) {
        let x = payload[i * params.stride + item] * scale;
        square = fma(x, x, square);
    }
    let per_length = select(scale / sqrt(square), 0.0, is_zero);
    for (var i = 0u; i < d; i++) {
        terms[(1u + d + i) * LANES + lane] = payload[i * params.stride + item] * per_length;
    }
    terms[lane] = 1.0;
    terms[(2u * d + 1u) * LANES + lane] = select(0.0, 1.0, directions[item] == 0u);
    terms[(2u * d + 2u) * LANES + lane] = select(1.0, 0.0, is_zero);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = group.x + group.y * params.groups_per_row;
    let slots = params.bins * params.sums;
    let is_there = block * BLOCK < params.items;
    if (lane == 0u) { atomicStore(&first, NONE); }
    workgroupBarrier();
    for (var place = 0u; place < BLOCK; place += LANES) {
        stage(block * BLOCK + place + lane, lane, place + lane);
        workgroupBarrier();
        if (is_there) {
            for (var slot = lane; slot < slots; slot += LANES) {
                let bin = slot / params.sums;
                let pair = pairs[slot - bin * params.sums];
                let a = (pair & 255u) * LANES;
                let b = (pair >> 8u) * LANES;
                var sum = 0.0;
                for (var other = 0u; other < LANES; other++) {
                    if (bins[other] == bin) { sum = fma(terms[a + other], terms[b + other], sum); }
                }
                let before = select(sums[block * slots + slot], 0.0, place == 0u);
                sums[block * slots + slot] = before + sum;
            }
        }
        workgroupBarrier();
    }
    if (lane == 0u && is_there) { refused[block] = atomicLoad(&first); }
}
