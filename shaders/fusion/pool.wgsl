// The pool for up to 256 classes: a workgroup holds whole items, a lane is one class of one of them. Sources come in
// blocks of eight: lanes load their class's values (consecutive lanes read consecutive words), then turn to whole rows
// in workgroup memory for what all classes share, then back to their own class for the sums.

const SOURCE_BLOCK: u32 = 8u;
// One more than the lanes, so that the same lane of eight sources falls into eight banks.
const PITCH: u32 = 257u;
// SOURCE_BLOCK times the most items a workgroup holds.
const PAIRS: u32 = 1024u;
// Classes that one lane adds up before the sums of such runs are added.
const RUN: u32 = 16u;

var<workgroup> tile: array<f32, 2056>;
// One entry per (item, source of the block).
var<workgroup> pair_weight: array<f32, PAIRS>;
var<workgroup> pair_confidence: array<f32, PAIRS>;
var<workgroup> pair_shift: array<f32, PAIRS>;
// The class voted for in the lower half, flags in the upper.
var<workgroup> pair_vote: array<u32, PAIRS>;
// Parts of rows, one per lane.
var<workgroup> part_largest: array<f32, LANES>;
var<workgroup> part_sum: array<f32, LANES>;
var<workgroup> part_first: array<u32, LANES>;
// Whether any item's weights are all zero.
var<workgroup> any_fallback: atomic<u32>;
var<workgroup> second_pass: u32;

// Where a lane works: its class of the item in `slot`, counted from the workgroup's first.
struct Place {
    lane: u32,
    slot: u32,
    k: u32,
    in_use: bool,
}

// The classes [begin, end) of the row that starts at `start` in the tile, in their order.
fn walk(start: u32, begin: u32, end: u32) -> Row {
    var row = Row(LOWEST, 0.0, begin);
    var is_mendable = true;
    for (var k = begin; k < end; k++) {
        let x = tile[start + k];
        is_mendable = is_mendable && stands(x);
        if (k == begin || x > row.largest) {
            row.largest = x;
            row.first = k;
        }
        if (ENCODING == PROBABILITIES) { row.sum += x; }
        if (ENCODING == LOG_PROBABILITIES) { row.sum += exp_(x); }
    }
    if (ENCODING == LOGITS) {
        for (var k = begin; k < end; k++) {
            row.sum += exp_(tile[start + k] - row.largest);
        }
    }
    if (!is_mendable) { row.first = UNMENDABLE; }
    return row;
}

// Judges one source on one item and keeps the opinion for all its classes.
fn keep(pair: u32, first_item: u32, base: u32, row: Row) {
    let source = base + pair % SOURCE_BLOCK;
    let item = first_item + pair / SOURCE_BLOCK;
    var opinion = Opinion(0.0, ABSENT, 1.0, 0u, 0u);
    if (source < params.sources && item < params.items) { opinion = judge(source, item, row); }
    pair_weight[pair] = opinion.weight;
    pair_confidence[pair] = opinion.confidence;
    pair_shift[pair] = opinion.shift;
    pair_vote[pair] = opinion.vote | (opinion.flags << 16u);
}

// Where in the tile the row of a pair starts.
fn row_start(pair: u32) -> u32 {
    return (pair % SOURCE_BLOCK) * PITCH + (pair / SOURCE_BLOCK) * params.classes;
}

// Steps 1 to 3 for the block's sources on the workgroup's items.
fn judge_block(lane: u32, first_item: u32, base: u32) {
    let pairs = params.items_per_group * SOURCE_BLOCK;
    // Where rows are few and long several lanes share one.
    let parts = LANES / pairs;
    if (parts < 2u) {
        for (var pair = lane; pair < pairs; pair += LANES) {
            keep(pair, first_item, base, walk(row_start(pair), 0u, params.classes));
        }
        return;
    }
    let len = (params.classes + parts - 1u) / parts;
    if (lane < pairs * parts) {
        let pair = lane / parts;
        let begin = min((lane % parts) * len, params.classes);
        let row = walk(row_start(pair), begin, min(begin + len, params.classes));
        part_largest[lane] = row.largest;
        part_sum[lane] = row.sum;
        part_first[lane] = row.first;
    }
    workgroupBarrier();
    if (lane < pairs) {
        let start = lane * parts;
        var row = Row(part_largest[start], part_sum[start], part_first[start]);
        for (var part = start + 1u; part < start + parts; part++) {
            row = merge(row, Row(part_largest[part], part_sum[part], part_first[part]));
        }
        keep(lane, first_item, base, row);
    }
}

// Four opinions of the block on the item in `slot`, `half` being 0 or 1.
fn quad_of(slot: u32, base: u32, half: u32) -> Quad {
    let i = slot * SOURCE_BLOCK + 4u * half;
    let n = base + 4u * half;
    var quad: Quad;
    quad.weight = vec4(pair_weight[i], pair_weight[i + 1u], pair_weight[i + 2u], pair_weight[i + 3u]);
    quad.confidence =
        vec4(pair_confidence[i], pair_confidence[i + 1u], pair_confidence[i + 2u], pair_confidence[i + 3u]);
    quad.shift = vec4(pair_shift[i], pair_shift[i + 1u], pair_shift[i + 2u], pair_shift[i + 3u]);
    quad.vote = vec4(pair_vote[i], pair_vote[i + 1u], pair_vote[i + 2u], pair_vote[i + 3u]);
    quad.prior = vec4(prior_of(n), prior_of(n + 1u), prior_of(n + 2u), prior_of(n + 3u));
    return quad;
}

// The value of one source at a lane's place; the last source's again where there are fewer.
fn value(source: u32, at: u32) -> f32 {
    return evidence[min(source, params.sources - 1u) * params.stride * params.classes + at];
}

// The sum of what an item's lanes hold: runs of RUN classes in order, then the runs in order.
fn across(place: Place, x: f32) -> f32 {
    let runs = (params.classes + RUN - 1u) / RUN;
    workgroupBarrier();
    tile[place.lane] = x;
    workgroupBarrier();
    if (place.in_use && place.k % RUN == 0u) {
        var sum = x;
        let end = place.lane + min(RUN, params.classes - place.k);
        for (var i = place.lane + 1u; i < end; i++) {
            sum += tile[i];
        }
        part_sum[place.slot * runs + place.k / RUN] = sum;
    }
    workgroupBarrier();
    var sum = 0.0;
    if (place.in_use) {
        let start = place.slot * runs;
        for (var i = start; i < start + runs; i++) {
            sum += part_sum[i];
        }
    }
    return sum;
}

// The outputs that one lane finds by walking an item's classes: `tile` holds P, then the linear pool, then the terms of
// the entropy and of the disagreement, PITCH apart.
fn put_walked(place: Place, item: u32, is_none: bool) {
    var best = -1.0;
    var decision = 0u;
    var second = 0.0;
    var entropy = 0.0;
    var disagreement = 0.0;
    for (var start = 0u; start < params.classes; start += RUN) {
        var entropy_of_run = 0.0;
        var disagreement_of_run = 0.0;
        for (var k = start; k < min(start + RUN, params.classes); k++) {
            let p = tile[place.lane + k];
            second = max(second, min(best, p));
            if (p > best) {
                best = p;
                decision = k;
            }
            entropy_of_run += tile[2u * PITCH + place.lane + k];
            disagreement_of_run += tile[3u * PITCH + place.lane + k];
        }
        entropy += entropy_of_run;
        disagreement += disagreement_of_run;
    }
    if (vote_alone() && asked(DECISION)) {
        var favoured = -1.0;
        for (var k = 0u; k < params.classes; k++) {
            let linear = tile[PITCH + place.lane + k];
            if (tile[place.lane + k] >= best - TIE && linear > favoured) {
                favoured = linear;
                decision = k;
            }
        }
    }
    put(DECISION, item, decision);
    put(CONFIDENCE, item, bitcast<u32>(best));
    put(MARGIN, item, bitcast<u32>(select(best - second, 1.0, params.classes == 1u)));
    put(ENTROPY, item, bitcast<u32>(max(entropy, 0.0)));
    put(DISAGREEMENT, item, bitcast<u32>(select(max(disagreement * params.inverse_ln_classes, 0.0), 0.0, is_none)));
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first_item = (group.y * params.groups_per_row + group.x) * params.items_per_group;
    if (first_item >= params.items) { return; }

    let lanes = params.items_per_group * params.classes;
    // Idle lanes repeat the last one, so that every index is inside and barriers are met by all.
    let busy = min(lane, lanes - 1u);
    let slot = busy / params.classes;
    let k = busy % params.classes;
    let item = first_item + slot;
    let place = Place(lane, slot, k, lane < lanes && item < params.items);
    let at = min(item, params.items - 1u) * params.classes + k;

    if (lane == 0u) { atomicStore(&any_fallback, 0u); }
    var totals = Totals(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0u);
    var pools = no_pools();
    var flags = 0u;
    // A second pass over the sources where the raw weights of an item are all zero; it touches such items only.
    for (var pass_index = 0u; pass_index < 2u; pass_index++) {
        let takes_part = pass_index == 0u || totals.fallback != 0u;
        for (var base = 0u; base < params.sources; base += SOURCE_BLOCK) {
            let a = opened(vec4(value(base, at), value(base + 1u, at), value(base + 2u, at), value(base + 3u, at)));
            let b =
                opened(vec4(value(base + 4u, at), value(base + 5u, at), value(base + 6u, at), value(base + 7u, at)));
            tile[lane] = a.x;
            tile[PITCH + lane] = a.y;
            tile[2u * PITCH + lane] = a.z;
            tile[3u * PITCH + lane] = a.w;
            tile[4u * PITCH + lane] = b.x;
            tile[5u * PITCH + lane] = b.y;
            tile[6u * PITCH + lane] = b.z;
            tile[7u * PITCH + lane] = b.w;
            workgroupBarrier();
            judge_block(lane, first_item, base);
            workgroupBarrier();
            var first = quad_of(slot, base, 0u);
            var second = quad_of(slot, base, 1u);
            let said = first.vote | second.vote;
            flags |= (said.x | said.y | said.z | said.w) >> 16u;
            first.vote &= vec4(0xffffu);
            second.vote &= vec4(0xffffu);
            if (pass_index == 0u) {
                weigh(&totals, first);
                weigh(&totals, second);
            }
            if (takes_part) {
                pool(&pools, k, totals.fallback, a, first);
                pool(&pools, k, totals.fallback, b, second);
            }
        }
        if (pass_index == 1u) { break; }
        fall_back(&totals);
        if (totals.fallback != 0u) {
            pools = no_pools();
            atomicOr(&any_fallback, 1u);
        }
        workgroupBarrier();
        if (lane == 0u) { second_pass = atomicLoad(&any_fallback); }
        if (workgroupUniformLoad(&second_pass) == 0u) { break; }
    }

    let is_none = totals.present == 0.0;
    var log_share = 0.0;
    if (computed(LOG_POOL)) {
        let power = log_power(pools, totals);
        log_share = power / across(place, power);
    }
    var p = mixture(pools, totals, log_share);
    p = p / across(place, p);
    var linear = linear_share(pools, totals);
    if (is_none) {
        p = class_prior(k);
        linear = p;
    }
    if (asked(POSTERIOR) && place.in_use) { posterior[at] = p; }

    // All that is asked for but the posterior.
    if (OUTPUTS > 1u) {
        workgroupBarrier();
        tile[lane] = p;
        if (vote_alone()) { tile[PITCH + lane] = linear; }
        if (asked(ENTROPY)) { tile[2u * PITCH + lane] = -p * ln_(p); }
        if (asked(DISAGREEMENT)) { tile[3u * PITCH + lane] = divergence(pools, totals); }
        workgroupBarrier();
        if (place.in_use && k == 0u) {
            put_walked(place, item, is_none);
            put_totals(item, totals, flags);
        }
    }
}
