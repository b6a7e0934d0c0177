// Planes of evidence added to the log odds of cells. Formula and layout stand in src/kernel/bayes/log_odds.rs. A lane takes
// a cell.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    planes: u32,
    low: f32,
    high: f32,
    probabilities: u32,
    reserved: u32,
}

struct Terms {
    kind: u32,
    first: f32,
    second: f32,
    reserved: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: array<f32>;
@group(0) @binding(2) var<storage, read> evidence: array<u32>;
@group(0) @binding(3) var<storage, read> terms: array<Terms>;
@group(0) @binding(4) var<storage, read_write> results: array<f32>;
@group(0) @binding(5) var<storage, read_write> status: array<u32>;

const LANES: u32 = 256u;
const UNITS: f32 = 65536.0;
const MOST: f32 = 16777216.0;
const MOST_OF_A_COUNT: f32 = 1073741760.0;
const FLOOR: f32 = 1e-7;
const COUNTS: u32 = 0u;
const LOG_ODDS: u32 = 1u;

var<workgroup> lowest: atomic<u32>;

// Whole units: no rounding is left to whatever is done with them.
fn whole(units: f32) -> i32 {
    return i32(round(clamp(units, -MOST_OF_A_COUNT, MOST_OF_A_COUNT)));
}

fn limited(units: i32) -> i32 {
    return clamp(units, -i32(MOST), i32(MOST));
}

fn logit(p: f32) -> f32 {
    let ln = ln4(vec4(max(p, FLOOR), max(1.0 - p, FLOOR), 1.0, 1.0));
    return ln.x - ln.y;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (lane == 0u) { atomicStore(&lowest, 0xffffffffu); }
    workgroupBarrier();
    let block = group.x + group.y * params.groups_per_row;
    let item = block * LANES + lane;
    if (item < params.items) {
        var sum = whole(state[item] * UNITS);
        for (var m = 0u; m < params.planes; m += 1u) {
            let bits = evidence[m * params.stride + item];
            let term = terms[m];
            let x = bitcast<f32>(bits);
            if (term.kind == COUNTS) {
                sum += limited(whole(f32(bits & 0xffffu) * term.first) + whole(f32(bits >> 16u) * term.second));
            } else if (term.kind == LOG_ODDS) {
                if (is_bad(bits)) {
                    atomicMin(&lowest, lane);
                } else {
                    sum += limited(whole(clamp(x, -512.0, 512.0) * UNITS) - i32(term.second));
                }
            } else if (!is_share(bits)) {
                atomicMin(&lowest, lane);
            } else if (x != term.first) {
                sum += whole(logit(x) * UNITS) - i32(term.second);
            }
        }
        let log_odds = f32(clamp(sum, i32(params.low), i32(params.high))) * (1.0 / UNITS);
        if (params.probabilities == 0u) {
            results[item] = log_odds;
        } else {
            let power = exp_(-abs(log_odds));
            let larger = 1.0 / (1.0 + power);
            results[item] = select(power * larger, larger, log_odds >= 0.0);
        }
    }
    workgroupBarrier();
    if (lane == 0u && block * LANES < params.items) { status[block] = atomicLoad(&lowest); }
}
