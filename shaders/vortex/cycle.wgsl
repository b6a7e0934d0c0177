// Objects that go round a path. Formula and layout stand in src/kernel/vortex/cycle.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    length: u32,
    ticks: u32,
    elapsed: f32,
    ln_q: f32,
    growth: f32,
    per_ln_q: f32,
    per_growth: f32,
    per_length: f32,
    log2_q: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> velocities: array<f32>;
@group(0) @binding(2) var<storage, read> directions: array<u32>;
@group(0) @binding(3) var<storage, read_write> places: array<u32>;
@group(0) @binding(4) var<storage, read_write> hops: array<u32>;
@group(0) @binding(5) var<storage, read_write> phases: array<f32>;
@group(0) @binding(6) var<storage, read_write> refused: array<u32>;

const LANES: u32 = 256u;
const NONE: u32 = 0xffffffffu;
const MOST_HOPS: f32 = 16777216.0;
const LOG2_LARGEST: f32 = 40.0;
const LN_SERIES_TO: f32 = 0.25;
const EXP_SERIES_TO: f32 = 0.5;

struct Object {
    place: i32,
    hops: f32,
    phase: f32,
    refused: bool,
}

var<workgroup> first: atomic<u32>;

// ln(1 + x), x > -1.
fn ln_1p(x: f32) -> f32 {
    let z = x / (2.0 + x);
    let z2 = z * z;
    var p = fma(z2, 1.0 / 9.0, 1.0 / 7.0);
    p = fma(p, z2, 1.0 / 5.0);
    p = fma(p, z2, 1.0 / 3.0);
    p = fma(p, z2, 1.0);
    return select(ln_(1.0 + x), 2.0 * z * p, abs(x) <= LN_SERIES_TO);
}

// e^x - 1.
fn exp_m1(x: f32) -> f32 {
    var p = fma(x, 1.0 / 40320.0, 1.0 / 5040.0);
    p = fma(p, x, 1.0 / 720.0);
    p = fma(p, x, 1.0 / 120.0);
    p = fma(p, x, 1.0 / 24.0);
    p = fma(p, x, 1.0 / 6.0);
    p = fma(p, x, 1.0 / 2.0);
    p = fma(p, x, 1.0);
    return select(exp_(x) - 1.0, x * p, abs(x) <= EXP_SERIES_TO);
}

// 2^x for x up to 128, zero where that would be subnormal: Cephes' exp2f.
fn exp2_(x: f32) -> f32 {
    let n = round(max(x, -126.0));
    let f = max(x, -126.0) - n;
    var p = fma(f, 1.535336188e-4, 1.339887440e-3);
    p = fma(p, f, 9.618437357e-3);
    p = fma(p, f, 5.550332471e-2);
    p = fma(p, f, 2.402264791e-1);
    p = fma(p, f, 6.931472029e-1);
    p = fma(p, f, 1.0);
    return select(bitcast<f32>(bitcast<u32>(p) + (bitcast<u32>(i32(n)) << 23u)), 0.0, x < -126.0);
}

// p + v rho^n times the time.
fn reached(object: Object, velocity: f32) -> f32 {
    let rate = velocity * exp2_(min(-object.hops * params.log2_q, LOG2_LARGEST));
    return fma(rate, params.elapsed, object.phase);
}

// So many hops further on or back, with the phase given; where that is too far, as it was.
fn moved(object: Object, hops: f32, phase: f32, back: bool, allowed: bool) -> Object {
    // The difference is exact, the sum might be rounded down to the limit.
    if (!(allowed && hops <= MOST_HOPS - object.hops)) { return Object(object.place, object.hops, object.phase, true); }
    let length = i32(params.length);
    var rest = i32(hops) - i32(floor(hops * params.per_length)) * length;
    rest += select(0, length, rest < 0);
    rest -= select(0, length, rest >= length);
    var place = object.place + select(rest, -rest, back);
    place += select(0, length, place < 0);
    place -= select(0, length, place >= length);
    return Object(place, object.hops + hops, phase, object.refused);
}

fn in_closed_form(object: Object, velocity: f32, back: bool) -> Object {
    let s = reached(object, velocity);
    if (params.growth == 0.0) {
        let whole = floor(s);
        return moved(object, whole, s - whole, back, s <= MOST_HOPS);
    }
    let x = params.growth * s;
    let h = max(ln_1p(max(x, -0.9999999)) * params.per_ln_q, 0.0);
    let whole = floor(h);
    let phase = clamp(exp_m1((h - whole) * params.ln_q) * params.per_growth, 0.0, 0.99999994);
    return moved(object, whole, phase, back, x > -1.0 && h <= MOST_HOPS);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = group.x + group.y * params.groups_per_row;
    let item = block * LANES + lane;
    if (lane == 0u) { atomicStore(&first, NONE); }
    workgroupBarrier();
    if (item < params.items) {
        let velocity = velocities[item];
        let back = directions[item] != 0u;
        var object = Object(i32(places[item]), f32(hops[item]), phases[item], false);
        if (params.ticks == 0u) {
            object = in_closed_form(object, velocity, back);
        } else {
            for (var tick = 0u; tick < params.ticks; tick++) {
                let s = reached(object, velocity);
                let whole = floor(s);
                object = moved(object, whole, s - whole, back, s <= MOST_HOPS);
            }
        }
        places[item] = u32(object.place);
        hops[item] = u32(object.hops);
        phases[item] = object.phase;
        if (object.refused) { atomicMin(&first, lane); }
    }
    workgroupBarrier();
    if (lane == 0u && block * LANES < params.items) { refused[block] = atomicLoad(&first); }
}
