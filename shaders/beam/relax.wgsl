// Distributions relaxed to a fixed point. Formula and layout stand in src/kernel/beam/relax.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    most: u32,
    alpha: f32,
    pull: f32,
    tolerance: f32,
    options: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> digits: array<f32>;
@group(0) @binding(2) var<storage, read> starts: array<f32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read> coupling: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> relaxed: array<f32>;
@group(0) @binding(6) var<storage, read_write> changes: array<f32>;
@group(0) @binding(7) var<storage, read_write> steps: array<u32>;

const MOST_STEPS: u32 = 4096u;
const COUPLED: u32 = 1u;
const STARTED: u32 = 2u;
const ANCHORS = array<u32, 10>(9u, 3u, 3u, 3u, 3u, 6u, 6u, 6u, 9u, 9u);

// Nine digits: the first four, the next four, the last.
struct Nine {
    low: vec4<f32>,
    high: vec4<f32>,
    last: f32,
}

fn coupled(x: Nine) -> Nine {
    var parts = array<f32, 9>(x.low.x, x.low.y, x.low.z, x.low.w, x.high.x, x.high.y, x.high.z, x.high.w, x.last);
    var y = Nine(vec4(0.0), vec4(0.0), 0.0);
    for (var i = 0u; i < DIGITS; i++) {
        let factor = vec4(parts[i]);
        y.low = fma(factor, coupling[3u * i], y.low);
        y.high = fma(factor, coupling[3u * i + 1u], y.high);
        y.last = fma(parts[i], coupling[3u * i + 2u].x, y.last);
    }
    return y;
}

fn largest(x: vec4<f32>) -> f32 {
    return max(max(x.x, x.y), max(x.z, x.w));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let item = (group_id.x + group_id.y * params.groups_per_row) * LANES + lane;
    if (item >= params.items) { return; }
    let stride = params.stride;
    let given = Nine(
        vec4(digits[item], digits[stride + item], digits[2u * stride + item], digits[3u * stride + item]),
        vec4(digits[4u * stride + item], digits[5u * stride + item], digits[6u * stride + item], digits[7u * stride + item]),
        digits[8u * stride + item],
    );
    var x = given;
    if ((params.options & STARTED) != 0u) {
        x.low = vec4(starts[item], starts[stride + item], starts[2u * stride + item], starts[3u * stride + item]);
        x.high =
            vec4(starts[4u * stride + item], starts[5u * stride + item], starts[6u * stride + item], starts[7u * stride + item]);
        x.last = starts[8u * stride + item];
    }
    // What does not change from step to step: (1 - a) x0 + a s e.
    var anchors = ANCHORS;
    let anchor = anchors[min(positions[item], 9u)] - 1u;
    let share = params.alpha * params.pull;
    let towards_low = select(vec4(0.0), vec4(share), vec4(anchor) == vec4(0u, 1u, 2u, 3u));
    let towards_high = select(vec4(0.0), vec4(share), vec4(anchor) == vec4(4u, 5u, 6u, 7u));
    let kept = 1.0 - params.alpha;
    let low = fma(given.low, vec4(kept), towards_low);
    let high = fma(given.high, vec4(kept), towards_high);
    let last = fma(given.last, kept, select(0.0, share, anchor == 8u));
    let factor = params.alpha * (1.0 - params.pull);
    var change = 0.0;
    var taken = 0u;
    while (taken < min(params.most, MOST_STEPS)) {
        var y = x;
        if ((params.options & COUPLED) != 0u) { y = coupled(x); }
        y.low = fma(y.low, vec4(factor), low);
        y.high = fma(y.high, vec4(factor), high);
        y.last = fma(y.last, factor, last);
        change = max(max(largest(abs(y.low - x.low)), largest(abs(y.high - x.high))), abs(y.last - x.last));
        x = y;
        taken++;
        if (change <= params.tolerance) { break; }
    }
    for (var k = 0u; k < 4u; k++) {
        relaxed[k * stride + item] = x.low[k];
        relaxed[(4u + k) * stride + item] = x.high[k];
    }
    relaxed[8u * stride + item] = x.last;
    changes[item] = change;
    steps[item] = taken;
}
