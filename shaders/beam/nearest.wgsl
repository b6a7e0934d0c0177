// The nearest beams of a corpus. Formula and layout stand in src/kernel/beam/nearest.rs. A lane takes a query and a segment.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    neighbours: u32,
    beams: u32,
    segments: u32,
    queries: u32,
    first: u32,
    last: u32,
    any_length: u32,
    reserved: u32,
    reserved_too: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> queries: array<f32>;
@group(0) @binding(2) var<storage, read> segments: array<u32>;
@group(0) @binding(3) var<storage, read> corpus: array<f32>;
@group(0) @binding(4) var<storage, read_write> similarities: array<f32>;
@group(0) @binding(5) var<storage, read_write> indices: array<u32>;

const LANES: u32 = 64u;
const MOST: u32 = 64u;
const STRIPE: u32 = 16u;
const NONE: u32 = 0xffffffffu;

fn digit(k: u32, beam: u32) -> f32 {
    return corpus[k * params.beams + beam];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let item = (group_id.x + group_id.y * params.groups_per_row) * LANES + lane;
    if (item >= params.items) { return; }
    let stride = params.stride;
    var low = vec4(queries[item], queries[stride + item], queries[2u * stride + item], queries[3u * stride + item]);
    var high =
        vec4(queries[4u * stride + item], queries[5u * stride + item], queries[6u * stride + item], queries[7u * stride + item]);
    var ninth = queries[8u * stride + item];
    if (params.any_length != 0u) {
        // By the largest digit first, so that squares neither overflow nor vanish.
        let both = max(low, high);
        let most = max(max(max(both.x, both.y), max(both.z, both.w)), ninth);
        low /= most;
        high /= most;
        ninth /= most;
        let length = sqrt(dot(low, low) + dot(high, high) + ninth * ninth);
        low /= length;
        high /= length;
        ninth /= length;
    }
    let wanted = min(params.neighbours, MOST);
    var nearest = array<f32, 64>();
    var places = array<u32, 64>();
    var found = 0u;
    // What a beam has to exceed once all places are taken.
    var least = -2.0;
    if (params.first > 0u) {
        for (var place = 0u; place < wanted && indices[place * stride + item] != NONE; place++) {
            nearest[place] = similarities[place * stride + item];
            places[place] = indices[place * stride + item];
            found = place + 1u;
        }
        if (found == wanted) { least = nearest[wanted - 1u]; }
    }
    var segment = 0u;
    if (params.segments > 1u) { segment = segments[item]; }
    for (var begin = params.first + segment * STRIPE; begin < params.last; begin += params.segments * STRIPE) {
        let end = min(begin + STRIPE, params.last);
        for (var beam = begin; beam < end; beam++) {
            let c_low = vec4(digit(0u, beam), digit(1u, beam), digit(2u, beam), digit(3u, beam));
            let c_high = vec4(digit(4u, beam), digit(5u, beam), digit(6u, beam), digit(7u, beam));
            let similarity = fma(ninth, digit(8u, beam), dot(low, c_low) + dot(high, c_high));
            if (similarity > least) {
                // Behind those that are as near, which came before.
                var place = min(found, wanted - 1u);
                while (place > 0u && similarity > nearest[place - 1u]) {
                    nearest[place] = nearest[place - 1u];
                    places[place] = places[place - 1u];
                    place--;
                }
                nearest[place] = similarity;
                places[place] = beam;
                found = min(found + 1u, wanted);
                if (found == wanted) { least = nearest[wanted - 1u]; }
            }
        }
    }
    for (var place = 0u; place < wanted; place++) {
        similarities[place * stride + item] = select(-2.0, nearest[place], place < found);
        indices[place * stride + item] = select(NONE, places[place], place < found);
    }
}
