// Loss and gradient of softmax regression. "Step n", the layout of every buffer and the two paths stand in
// src/kernel/stacking/softmax_regression.rs. A vec4 holds four items of a feature or of a class, or four classes of a
// feature: a quad. Class 4 i + j is entry j of quad i.

struct Params {
    classes: u32,
    features: u32,
    class_quads: u32,
    tiles: u32,
    first_tile: u32,
    runs: u32,
    first_run: u32,
    run_tiles: u32,
    blocks: u32,
    group_tiles: u32,
    slabs: u32,
    slab_quads: u32,
    slices: u32,
    reserved: u32,
    reserved_2: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> features: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> targets: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> residuals: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;
@group(0) @binding(6) var<storage, read_write> partials: array<f32>;

// What of a path the dispatch is.
override STAGE: u32 = 0u;
const WHOLE: u32 = 0u;
const RESIDUALS: u32 = 1u;
const GRADIENT: u32 = 2u;

const LANES: u32 = 256u;
// Tiles whose residuals a workgroup of the path `staged` takes together, and their quads of items.
const STAGED_TILES: u32 = 4u;
const STAGED_QUADS: u32 = 16u;
// Classes, features: the sides of a tile of the gradient, and quads of classes that are worked out together.
const SIDE: u32 = 64u;
const SIDE_QUADS: u32 = 16u;
// Features that are staged together.
const DEPTH: u32 = 16u;

// `whole`: [class, quad of items], logits, then residuals; then sums of slices. `staged`: a part of either factor, each
// 256 long.
var<workgroup> held: array<vec4<f32>, 1024>;
const SECOND: u32 = 256u;

// Four quads: of classes a lane works on, or of its sums.
struct Four {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
}

fn zeros() -> Four {
    return Four(vec4(0.0), vec4(0.0), vec4(0.0), vec4(0.0));
}

// Four classes by four items, and one more feature of them.
fn plus(z: Four, weights: vec4<f32>, x: vec4<f32>) -> Four {
    return Four(
        fma(vec4(weights.x), x, z.a),
        fma(vec4(weights.y), x, z.b),
        fma(vec4(weights.z), x, z.c),
        fma(vec4(weights.w), x, z.d),
    );
}

fn joined(left: Four, right: Four) -> Four {
    return Four(left.a + right.a, left.b + right.b, left.c + right.c, left.d + right.d);
}

// Four classes of one feature, summed over four items.
fn dots(r: Four, x: vec4<f32>) -> vec4<f32> {
    return vec4(dot(r.a, x), dot(r.b, x), dot(r.c, x), dot(r.d, x));
}

// b of four classes, for four items.
fn biases(class_quad: u32) -> Four {
    let b = parameters[params.features * params.class_quads + class_quad];
    return Four(vec4(b.x), vec4(b.y), vec4(b.z), vec4(b.w));
}

// A quad of items of a feature; the one behind the last is constant, for b, and those behind it are zero.
fn feature(tile: u32, f: u32, quad: u32) -> vec4<f32> {
    let x = features[4u * (tile * params.features + min(f, params.features - 1u)) + quad];
    return select(select(x, vec4(1.0), f == params.features), vec4(0.0), f > params.features);
}

// The labels of a quad of items; -1 behind the last tile.
fn labels(tile: u32, quad: u32) -> vec4<f32> {
    let at = 4u * (params.first_tile + min(tile, params.tiles - 1u)) + quad;
    return select(vec4(-1.0), targets[at], tile < params.tiles);
}

fn put_loss(tile: u32, quad: u32, loss: vec4<f32>) {
    if (tile < params.tiles) { losses[4u * (params.first_tile + tile) + quad] = dot(loss, vec4(1.0)); }
}

// Adds a run's sum to its block, whose first run it may be.
fn put(run: u32, class_: u32, f: u32, sum: f32) {
    if (class_ >= params.classes || f > params.features) { return; }
    let weights = params.classes * params.features;
    let place = select(class_ * params.features + f, weights + class_, f == params.features);
    let at = (run % params.blocks) * (weights + params.classes) + place;
    if (run < params.blocks) {
        partials[at] = sum;
    } else {
        partials[at] = partials[at] + sum;
    }
}

// Step 1 of four classes and a quad of items, straight from memory.
fn logits(tile: u32, quad: u32, class_quad: u32) -> Four {
    var z = biases(class_quad);
    let x = 4u * tile * params.features + quad;
    let step = params.class_quads;
    let fours = params.features & ~3u;
    for (var f = 0u; f < fours; f += 4u) {
        let x0 = features[x + 4u * f];
        let x1 = features[x + 4u * f + 4u];
        let x2 = features[x + 4u * f + 8u];
        let x3 = features[x + 4u * f + 12u];
        let a = f * step + class_quad;
        let a0 = parameters[a];
        let a1 = parameters[a + step];
        let a2 = parameters[a + 2u * step];
        let a3 = parameters[a + 3u * step];
        z = plus(plus(plus(plus(z, a0, x0), a1, x1), a2, x2), a3, x3);
    }
    for (var f = fours; f < params.features; f++) {
        z = plus(z, parameters[f * step + class_quad], features[x + 4u * f]);
    }
    return z;
}

// Step 2 of a quad of items, all classes in workgroup memory: logits to residuals. What fills up the last quad of classes
// stays what it is; no sum of it is written.
fn settle(tile: u32, place: u32, has_loss: bool) {
    let quads = 4u * params.group_tiles;
    let label = labels(tile, place % 4u);
    var most = vec4(LOWEST);
    for (var k = 0u; k < params.classes; k++) { most = max(most, held[k * quads + place]); }
    var sum = vec4(0.0);
    var named = vec4(0.0);
    for (var k = 0u; k < params.classes; k++) {
        let z = held[k * quads + place];
        let power = exp4(z - most);
        held[k * quads + place] = power;
        sum += power;
        named = select(named, z, label == vec4(f32(k)));
    }
    let is_labelled = label >= vec4(0.0);
    if (has_loss) { put_loss(tile, place % 4u, select(vec4(0.0), ln4(sum) + (most - named), is_labelled)); }
    for (var k = 0u; k < params.classes; k++) {
        let hit = select(vec4(0.0), vec4(1.0), label == vec4(f32(k)));
        held[k * quads + place] = select(vec4(0.0), held[k * quads + place] / sum - hit, is_labelled);
    }
}

// The path `whole`: runs of tiles, a group at a time through all steps, step 3 for one slab of the features.
fn whole(group: u32, slab: u32, lane: u32) {
    // In step 1 a lane is a quad of classes and one of items, in step 3 one of classes, one of features and a slice of
    // the tiles.
    let quads = 4u * params.group_tiles;
    let item_quad = lane / params.class_quads;
    let pairs = params.class_quads * params.slab_quads;
    let slice = lane / pairs;
    let pair = lane % pairs;
    let class_quad = lane % params.class_quads;
    let r_quad = pair % params.class_quads;
    let first_feature = 4u * (slab * params.slab_quads + pair / params.class_quads);
    for (var run = params.first_run + group; run < params.first_run + params.runs; run += params.blocks) {
        let begin = (run - params.first_run) * params.run_tiles;
        let end = min(begin + params.run_tiles, params.tiles);
        var sums = zeros();
        for (var first = begin; first < end; first += params.group_tiles) {
            if (item_quad < quads) {
                let z = logits(min(first + item_quad / 4u, params.tiles - 1u), item_quad % 4u, class_quad);
                let at = 4u * class_quad * quads + item_quad;
                held[at] = z.a;
                held[at + quads] = z.b;
                held[at + 2u * quads] = z.c;
                held[at + 3u * quads] = z.d;
            }
            workgroupBarrier();
            if (lane < quads) { settle(first + lane / 4u, lane, slab == 0u); }
            workgroupBarrier();
            if (slice < params.slices) {
                for (var t = slice; t < params.group_tiles; t += params.slices) {
                    let tile = min(first + t, params.tiles - 1u);
                    for (var quad = 0u; quad < 4u; quad++) {
                        let at = 4u * r_quad * quads + 4u * t + quad;
                        let r = Four(held[at], held[at + quads], held[at + 2u * quads], held[at + 3u * quads]);
                        let x0 = feature(tile, first_feature, quad);
                        let x1 = feature(tile, first_feature + 1u, quad);
                        let x2 = feature(tile, first_feature + 2u, quad);
                        let x3 = feature(tile, first_feature + 3u, quad);
                        sums = joined(sums, Four(dots(r, x0), dots(r, x1), dots(r, x2), dots(r, x3)));
                    }
                }
            }
            workgroupBarrier();
        }
        if (slice < params.slices) {
            held[4u * lane] = sums.a;
            held[4u * lane + 1u] = sums.b;
            held[4u * lane + 2u] = sums.c;
            held[4u * lane + 3u] = sums.d;
        }
        workgroupBarrier();
        if (lane < pairs) {
            for (var s = 1u; s < params.slices; s++) {
                let at = 4u * (s * pairs + lane);
                sums = joined(sums, Four(held[at], held[at + 1u], held[at + 2u], held[at + 3u]));
            }
            put_four(run, vec4(4u * r_quad) + vec4(0u, 1u, 2u, 3u), first_feature, 1u, sums);
        }
        workgroupBarrier();
    }
}

// Four classes of four features, `step` apart.
fn put_four(run: u32, classes: vec4<u32>, f: u32, step: u32, sums: Four) {
    put_one(run, classes, f, sums.a);
    put_one(run, classes, f + step, sums.b);
    put_one(run, classes, f + 2u * step, sums.c);
    put_one(run, classes, f + 3u * step, sums.d);
}

fn put_one(run: u32, classes: vec4<u32>, f: u32, sums: vec4<f32>) {
    put(run, classes.x, f, sums.x);
    put(run, classes.y, f, sums.y);
    put(run, classes.z, f, sums.z);
    put(run, classes.w, f, sums.w);
}

// The path `staged`, steps 1 and 2: four tiles, 64 classes at a time; then what all classes share.
fn residuals_of(group: u32, lane: u32) {
    let place = lane % STAGED_QUADS;
    let part = lane / STAGED_QUADS;
    let tile = STAGED_TILES * group + place / 4u;
    let quad = place % 4u;
    let own = 16u * tile * params.class_quads + quad;
    // What a lane stages: a quad of items of one feature, as they follow each other in memory, and one of classes.
    let x_tile = min(STAGED_TILES * group + lane / 64u, params.tiles - 1u);
    let x_feature = lane % 64u / 4u;
    let x_place = x_feature * STAGED_QUADS + 4u * (lane / 64u) + lane % 4u;
    for (var first_quad = 0u; first_quad < params.class_quads; first_quad += SIDE_QUADS) {
        let class_quad = first_quad + part;
        var z = biases(min(class_quad, params.class_quads - 1u));
        let a_quad = min(first_quad + place, params.class_quads - 1u);
        for (var first = 0u; first < params.features; first += DEPTH) {
            let f = first + x_feature;
            // The feature that stands for b is in z already.
            held[x_place] = select(feature(x_tile, f, lane % 4u), vec4(0.0), f >= params.features);
            held[SECOND + lane] = parameters[min(first + part, params.features - 1u) * params.class_quads + a_quad];
            workgroupBarrier();
            for (var i = 0u; i < DEPTH; i += 8u) {
                let x = i * STAGED_QUADS + place;
                let a = SECOND + i * SIDE_QUADS + part;
                z = plus(z, held[a], held[x]);
                z = plus(z, held[a + SIDE_QUADS], held[x + STAGED_QUADS]);
                z = plus(z, held[a + 2u * SIDE_QUADS], held[x + 2u * STAGED_QUADS]);
                z = plus(z, held[a + 3u * SIDE_QUADS], held[x + 3u * STAGED_QUADS]);
                z = plus(z, held[a + 4u * SIDE_QUADS], held[x + 4u * STAGED_QUADS]);
                z = plus(z, held[a + 5u * SIDE_QUADS], held[x + 5u * STAGED_QUADS]);
                z = plus(z, held[a + 6u * SIDE_QUADS], held[x + 6u * STAGED_QUADS]);
                z = plus(z, held[a + 7u * SIDE_QUADS], held[x + 7u * STAGED_QUADS]);
            }
            workgroupBarrier();
        }
        if (class_quad < params.class_quads && tile < params.tiles) {
            let at = own + 16u * class_quad;
            residuals[at] = z.a;
            residuals[at + 4u] = z.b;
            residuals[at + 8u] = z.c;
            residuals[at + 12u] = z.d;
        }
    }
    storageBarrier();

    // Every sixteenth class is this lane's.
    let classes = select(0u, params.classes, tile < params.tiles);
    let label = labels(tile, quad);
    var most = vec4(LOWEST);
    for (var k = part; k < classes; k += 16u) { most = max(most, residuals[own + 4u * k]); }
    held[lane] = most;
    workgroupBarrier();
    for (var i = 0u; i < 16u; i++) { most = max(most, held[i * STAGED_QUADS + place]); }
    workgroupBarrier();
    var sum = vec4(0.0);
    var named = vec4(0.0);
    for (var k = part; k < classes; k += 16u) {
        let z = residuals[own + 4u * k];
        let power = exp4(z - most);
        residuals[own + 4u * k] = power;
        sum += power;
        named = select(named, z, label == vec4(f32(k)));
    }
    held[lane] = sum;
    held[SECOND + lane] = named;
    workgroupBarrier();
    sum = vec4(0.0);
    named = vec4(0.0);
    for (var i = 0u; i < 16u; i++) {
        sum += held[i * STAGED_QUADS + place];
        // Zero but for the part that has the label.
        named += held[SECOND + i * STAGED_QUADS + place];
    }
    let is_labelled = label >= vec4(0.0);
    if (part == 0u) { put_loss(tile, quad, select(vec4(0.0), ln4(sum) + (most - named), is_labelled)); }
    for (var k = part; k < classes; k += 16u) {
        let hit = select(vec4(0.0), vec4(1.0), label == vec4(f32(k)));
        residuals[own + 4u * k] = select(vec4(0.0), residuals[own + 4u * k] / sum - hit, is_labelled);
    }
}

// The path `staged`, step 3: 64 classes by 64 features, a tile of items at a time. A lane has every sixteenth of both.
fn gradient_of(group: u32, side: u32, lane: u32) {
    let sides = (params.class_quads + SIDE_QUADS - 1u) / SIDE_QUADS;
    let first_class = side % sides * SIDE;
    let first_feature = side / sides * SIDE;
    let class_ = lane % 16u;
    let column = lane / 16u;
    let row = lane / 4u;
    let quad = lane % 4u;
    let r_class = min(first_class + row, params.classes - 1u);
    for (var run = params.first_run + group; run < params.first_run + params.runs; run += params.blocks) {
        let begin = (run - params.first_run) * params.run_tiles;
        let end = min(begin + params.run_tiles, params.tiles);
        var sums = zeros();
        for (var tile = begin; tile < end; tile++) {
            // What lies behind the last class is not written.
            held[quad * SIDE + row] = residuals[4u * (4u * tile * params.class_quads + r_class) + quad];
            held[SECOND + quad * SIDE + row] = feature(tile, first_feature + row, quad);
            workgroupBarrier();
            for (var q = 0u; q < 4u; q++) {
                let at = q * SIDE + class_;
                let r = Four(held[at], held[at + 16u], held[at + 32u], held[at + 48u]);
                let x = SECOND + q * SIDE + column;
                sums = joined(sums, Four(
                    dots(r, held[x]),
                    dots(r, held[x + 16u]),
                    dots(r, held[x + 32u]),
                    dots(r, held[x + 48u]),
                ));
            }
            workgroupBarrier();
        }
        let classes = vec4(first_class + class_) + vec4(0u, 16u, 32u, 48u);
        put_four(run, classes, first_feature + column, 16u, sums);
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (STAGE == WHOLE) {
        // Slabs of the same tiles run side by side.
        whole(group.x / params.slabs, group.x % params.slabs, lane);
    } else if (STAGE == RESIDUALS) {
        residuals_of(group.x, lane);
    } else {
        gradient_of(group.x, group.y, lane);
    }
}
