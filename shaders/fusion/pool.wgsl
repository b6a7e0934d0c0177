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
// Several lanes share a row only where there are at most 128 pairs: behind those the parts of rows lie, one per lane.
const PARTS: u32 = 256u;
const MORE_PARTS: u32 = 512u;

var<workgroup> tile: array<f32, 2056>;
// One entry per (item, source of the block).
var<workgroup> pair_weight: array<f32, PAIRS>;
var<workgroup> pair_confidence: array<f32, PAIRS>;
var<workgroup> pair_shift: array<f32, PAIRS>;
var<workgroup> pair_top: array<f32, PAIRS>;
// The class voted for in the lower half, flags in the upper.
var<workgroup> pair_vote: array<u32, PAIRS>;
// What runs of classes come to.
var<workgroup> run_part: array<f32, LANES>;
// The mean of all opinions, one class per lane.
var<workgroup> consensus: array<f32, LANES>;
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

// What a lane knows of its item once the posterior is found.
struct Found {
    p: f32,
    // Before tempering, and what that was divided by.
    untempered: f32,
    total: f32,
}

// The classes [begin, end) of the row that starts at `start` in the tile, in their order.
fn walk(start: u32, begin: u32, end: u32, source: u32) -> Row {
    let form = form_of(source);
    var row = Row(LOWEST, LOWEST, begin, 0.0, 0.0, 0.0);
    var is_mendable = true;
    for (var k = begin; k < end; k++) {
        let x = tile[start + k];
        is_mendable = is_mendable && stands(x, form);
        if (BY == BY_MARGIN) { row.second = max(row.second, min(row.largest, x)); }
        if (k == begin || x > row.largest) {
            row.largest = x;
            row.first = k;
        }
        if (ENCODING == PROBABILITIES) {
            row.sum += x;
            if (BY == BY_ENTROPY) { row.spread += x * ln_(x); }
        }
        if (ENCODING == LOG_PROBABILITIES) {
            row.sum += exp_(x);
            if (BY == BY_ENTROPY) { row.spread += exp_(x) * max(x, DEEPEST); }
        }
    }
    if (ENCODING == LOGITS) {
        for (var k = begin; k < end; k++) {
            let depth = tile[start + k] - row.largest;
            row.sum += exp_(depth);
            if (BY == BY_ENTROPY) { row.spread += exp_(depth) * max(depth, DEEPEST); }
        }
    }
    if (ENCODING == MIXED) {
        let top = logged(row.largest, form);
        let cooling = term(source, SOURCE_INVERSE_TEMPERATURE);
        for (var k = begin; k < end; k++) {
            let depth = max(logged(tile[start + k], form) - top, DEEPEST);
            let power = exp_(depth);
            row.sum += power;
            var cooled = power;
            if (cooling != 1.0) { cooled = exp_(depth * cooling); }
            row.tempered += cooled;
            if (BY == BY_ENTROPY) { row.spread += cooled * (depth * cooling); }
        }
    }
    if (!is_mendable) { row.first = UNMENDABLE; }
    return row;
}

// A part of a row told in terms of a larger largest value, whose logarithm is so much higher.
fn lowered(row: Row, depth: f32, cooling: f32) -> Row {
    var result = row;
    result.sum = row.sum * exp_(depth);
    result.tempered = row.tempered * exp_(depth * cooling);
    if (BY == BY_ENTROPY) {
        // The last sum is the one the spread belongs to.
        let sum = select(row.sum, row.tempered, ENCODING == MIXED);
        result.spread = exp_(depth * cooling) * (row.spread + depth * cooling * sum);
    }
    return result;
}

// Two parts of one row as one.
fn merge(a: Row, b: Row, source: u32) -> Row {
    let take_b = b.largest > a.largest || (b.largest == a.largest && b.first < a.first);
    var row = a;
    if (take_b) {
        row.largest = b.largest;
        row.first = b.first;
    }
    if (BY == BY_MARGIN) { row.second = max(min(a.largest, b.largest), max(a.second, b.second)); }
    var left = a;
    var right = b;
    if (ENCODING == LOGITS) {
        left = lowered(a, max(a.largest - row.largest, DEEPEST), 1.0);
        right = lowered(b, max(b.largest - row.largest, DEEPEST), 1.0);
    }
    if (ENCODING == MIXED) {
        let form = form_of(source);
        let cooling = term(source, SOURCE_INVERSE_TEMPERATURE);
        let top = logged(row.largest, form);
        left = lowered(a, max(logged(a.largest, form) - top, DEEPEST), cooling);
        right = lowered(b, max(logged(b.largest, form) - top, DEEPEST), cooling);
    }
    row.sum = left.sum + right.sum;
    row.tempered = left.tempered + right.tempered;
    row.spread = left.spread + right.spread;
    if (a.first == UNMENDABLE || b.first == UNMENDABLE) { row.first = UNMENDABLE; }
    return row;
}

fn keep_part(lane: u32, row: Row) {
    pair_weight[PARTS + lane] = row.largest;
    pair_confidence[PARTS + lane] = row.sum;
    pair_vote[PARTS + lane] = row.first;
    if (BY == BY_MARGIN) { pair_shift[PARTS + lane] = row.second; }
    if (BY == BY_ENTROPY) { pair_shift[MORE_PARTS + lane] = row.spread; }
    if (ENCODING == MIXED) { pair_top[PARTS + lane] = row.tempered; }
}

fn part_at(lane: u32) -> Row {
    var row = Row(pair_weight[PARTS + lane], LOWEST, pair_vote[PARTS + lane], pair_confidence[PARTS + lane], 0.0, 0.0);
    if (BY == BY_MARGIN) { row.second = pair_shift[PARTS + lane]; }
    if (BY == BY_ENTROPY) { row.spread = pair_shift[MORE_PARTS + lane]; }
    if (ENCODING == MIXED) { row.tempered = pair_top[PARTS + lane]; }
    return row;
}

// The opinion of a pair, for all its classes.
fn keep(pair: u32, opinion: Opinion) {
    pair_weight[pair] = opinion.weight;
    pair_confidence[pair] = opinion.confidence;
    pair_shift[pair] = opinion.shift;
    if (ENCODING == MIXED) { pair_top[pair] = opinion.top; }
    pair_vote[pair] = opinion.vote | (opinion.flags << 16u);
}

fn opinion_of(pair: u32) -> Opinion {
    let vote = pair_vote[pair];
    var opinion =
        Opinion(pair_weight[pair], pair_confidence[pair], pair_shift[pair], 0.0, vote & 0xffffu, vote >> 16u);
    if (ENCODING == MIXED) { opinion.top = pair_top[pair]; }
    return opinion;
}

// Judges one source on one item.
fn judged(pair: u32, first_item: u32, base: u32, row: Row) -> Opinion {
    let source = base + pair % SOURCE_BLOCK;
    let item = first_item + pair / SOURCE_BLOCK;
    if (source < params.sources && item < params.items) { return judge(source, item, row); }
    return absent();
}

// Where in the tile the row of a pair starts.
fn row_start(pair: u32) -> u32 {
    return (pair % SOURCE_BLOCK) * PITCH + (pair / SOURCE_BLOCK) * params.classes;
}

// The part of a pair's distance to the consensus that the classes [begin, end) make.
fn walk_apart(pair: u32, begin: u32, end: u32, source: u32) -> f32 {
    let opinion = opinion_of(pair);
    if (opinion.confidence < 0.0) { return 0.0; }
    let start = row_start(pair);
    let mean = (pair / SOURCE_BLOCK) * params.classes;
    var parts = 0.0;
    for (var k = begin; k < end; k++) {
        let p = said_once(tile[start + k], source, opinion.shift, opinion.top).x;
        parts += apart(p, consensus[mean + k]);
    }
    return parts;
}

// Steps 1 to 3 for the block's sources on the workgroup's items; without weights by distance to the consensus where that is
// not known yet.
fn judge_block(lane: u32, first_item: u32, base: u32, weighs: bool) {
    let pairs = params.items_per_group * SOURCE_BLOCK;
    // Where rows are few and long several lanes share one.
    let parts = LANES / pairs;
    if (parts < 2u) {
        for (var pair = lane; pair < pairs; pair += LANES) {
            let source = base + pair % SOURCE_BLOCK;
            let row = walk(row_start(pair), 0u, params.classes, source);
            keep(pair, judged(pair, first_item, base, row));
            if (by_consensus() && weighs && pair_confidence[pair] >= 0.0) {
                pair_weight[pair] = consensus_weight(source, walk_apart(pair, 0u, params.classes, source));
            }
        }
        return;
    }
    let len = (params.classes + parts - 1u) / parts;
    let pair = lane / parts;
    let begin = min((lane % parts) * len, params.classes);
    let end = min(begin + len, params.classes);
    let source = base + pair % SOURCE_BLOCK;
    if (lane < pairs * parts) { keep_part(lane, walk(row_start(pair), begin, end, source)); }
    workgroupBarrier();
    if (lane < pairs) {
        let start = lane * parts;
        var row = part_at(start);
        for (var part = start + 1u; part < start + parts; part++) {
            row = merge(row, part_at(part), base + lane % SOURCE_BLOCK);
        }
        keep(lane, judged(lane, first_item, base, row));
    }
    if (by_consensus() && weighs) {
        workgroupBarrier();
        if (lane < pairs * parts) { pair_weight[PARTS + lane] = walk_apart(pair, begin, end, source); }
        workgroupBarrier();
        if (lane < pairs && pair_confidence[lane] >= 0.0) {
            let start = PARTS + lane * parts;
            var sum = 0.0;
            for (var part = start; part < start + parts; part++) {
                sum += pair_weight[part];
            }
            pair_weight[lane] = consensus_weight(base + lane % SOURCE_BLOCK, sum);
        }
    }
}

// Four opinions of the block on the item in `slot`, `half` being 0 or 1.
fn quad_of(slot: u32, base: u32, half: u32) -> Quad {
    let i = slot * SOURCE_BLOCK + 4u * half;
    var quad: Quad;
    quad.source = base + 4u * half;
    quad.weight = vec4(pair_weight[i], pair_weight[i + 1u], pair_weight[i + 2u], pair_weight[i + 3u]);
    quad.confidence =
        vec4(pair_confidence[i], pair_confidence[i + 1u], pair_confidence[i + 2u], pair_confidence[i + 3u]);
    quad.shift = vec4(pair_shift[i], pair_shift[i + 1u], pair_shift[i + 2u], pair_shift[i + 3u]);
    if (ENCODING == MIXED) { quad.top = vec4(pair_top[i], pair_top[i + 1u], pair_top[i + 2u], pair_top[i + 3u]); }
    quad.vote = vec4(pair_vote[i], pair_vote[i + 1u], pair_vote[i + 2u], pair_vote[i + 3u]);
    quad.prior = terms(quad.source, PRIOR);
    return quad;
}

// Puts four values of each lane into the tile, from the plane given on.
fn spread_out(lane: u32, plane: u32, x: vec4<f32>) {
    let at = plane * PITCH + lane;
    tile[at] = x.x;
    tile[at + PITCH] = x.y;
    tile[at + 2u * PITCH] = x.z;
    tile[at + 3u * PITCH] = x.w;
}

// Puts four sources' probabilities of one class aside.
fn set_aside4(at: u32, quad: Quad, p: vec4<f32>) {
    set_aside(quad.source, at, p.x, quad.confidence.x);
    set_aside(quad.source + 1u, at, p.y, quad.confidence.y);
    set_aside(quad.source + 2u, at, p.z, quad.confidence.z);
    set_aside(quad.source + 3u, at, p.w, quad.confidence.w);
}

// The block's part of sum A_n ln p_n for the lane's class, the logarithms being in the tile.
fn stack_block(place: Place, base: u32) -> f32 {
    var sum = 0.0;
    for (var j = 0u; j < params.classes; j++) {
        let at = place.slot * params.classes + j;
        for (var s = 0u; s < SOURCE_BLOCK; s += 4u) {
            let logs = vec4(
                tile[s * PITCH + at],
                tile[(s + 1u) * PITCH + at],
                tile[(s + 2u) * PITCH + at],
                tile[(s + 3u) * PITCH + at]
            );
            let n = base + s;
            let weights = vec4(
                stack_weight(n, j, place.k),
                stack_weight(n + 1u, j, place.k),
                stack_weight(n + 2u, j, place.k),
                stack_weight(n + 3u, j, place.k)
            );
            sum += dot(logs, weights);
        }
    }
    return sum;
}

// The sum of what an item's lanes hold: runs of RUN classes in order, then the runs in order. Or the largest of it.
fn across(place: Place, x: f32, largest: bool) -> f32 {
    let runs = (params.classes + RUN - 1u) / RUN;
    workgroupBarrier();
    tile[place.lane] = x;
    workgroupBarrier();
    if (place.in_use && place.k % RUN == 0u) {
        var part = x;
        let end = place.lane + min(RUN, params.classes - place.k);
        for (var i = place.lane + 1u; i < end; i++) {
            if (largest) { part = max(part, tile[i]); } else { part += tile[i]; }
        }
        run_part[place.slot * runs + place.k / RUN] = part;
    }
    workgroupBarrier();
    var whole = 0.0;
    if (place.in_use) {
        let start = place.slot * runs;
        whole = run_part[start];
        for (var i = start + 1u; i < start + runs; i++) {
            if (largest) { whole = max(whole, run_part[i]); } else { whole += run_part[i]; }
        }
    }
    return whole;
}

fn sum_across(place: Place, x: f32) -> f32 {
    return across(place, x, false);
}

fn peak_across(place: Place, x: f32) -> f32 {
    return across(place, x, true);
}

fn divided(place: Place, x: f32) -> f32 {
    return x / sum_across(place, x);
}

fn softmax(place: Place, x: f32) -> f32 {
    return divided(place, exp_(x - peak_across(place, x)));
}

// The posteriors of step 5 that take a look at all classes; flags what comes of it.
fn shares_of(
    place: Place,
    at: u32,
    totals: Totals,
    pools: Pools,
    masses: f32,
    flags: ptr<function, u32>
) -> Shares {
    let k = place.k;
    var shares = no_shares();
    if (computed(LOG_POOL)) { shares.log_pool = divided(place, log_power(pools, totals)); }
    if (computed(EXTREMISED)) { shares.extremised = softmax(place, exponent_of(EXTREMISED, pools, totals, k)); }
    if (computed(EVIDENCE)) { shares.evidence = softmax(place, exponent_of(EVIDENCE, pools, totals, k)); }
    if (computed(POWER_MEAN)) { shares.power_mean = divided(place, mean_power(pools, totals)); }
    if (computed(CONFUSION)) { shares.confusion = softmax(place, exponent_of(CONFUSION, pools, totals, k)); }
    if (computed(STACKED)) { shares.stacked = softmax(place, exponent_of(STACKED, pools, totals, k)); }
    if (computed(DEMPSTER_SHAFER)) {
        if (YAGER) {
            shares.dempster_shafer = yager_share(pools, totals, masses, k);
        } else {
            let peak = peak_across(place, pools.mass);
            shares.dempster_shafer = divided(place, dempster_power(pools, totals, peak, k));
        }
    }
    if (has_middle()) {
        let found = middle(at, totals.present);
        let linear = linear_share(pools, totals);
        let is_present = totals.present > 0.0;
        if (computed(MEDIAN)) {
            let sum = sum_across(place, found.x);
            shares.median = select(linear, found.x / sum, sum >= MIDDLE_FLOOR);
            if (is_present && sum < MIDDLE_FLOOR) { *flags |= NO_MIDDLE; }
        }
        if (computed(TRIMMED)) {
            let sum = sum_across(place, found.y);
            shares.trimmed = select(linear, found.y / sum, sum >= MIDDLE_FLOOR);
            if (is_present && sum < MIDDLE_FLOOR) { *flags |= NO_MIDDLE; }
        }
    }
    return shares;
}

// Step 6 and 7.
fn posterior_of(place: Place, totals: Totals, pools: Pools, shares: Shares) -> Found {
    var found: Found;
    let p = mixture(pools, totals, shares, place.k);
    found.total = sum_across(place, p);
    found.untempered = p / found.total;
    found.p = found.untempered;
    if (TEMPERED) { found.p = softmax(place, cooled(found.p)); }
    if (is_bare_prior(totals)) { found.p = class_prior(place.k); }
    return found;
}

// The outputs that one lane finds by walking an item's classes: `tile` holds P, then the linear pool, then the terms of
// the entropy and of the disagreement, PITCH apart. Decision and runner-up are left where the item's votes were.
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
    if (vote_alone() && (asked(DECISION) || asked(CONTRIBUTIONS))) {
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
    put_number(CONFIDENCE, item, best);
    put_number(MARGIN, item, select(best - second, 1.0, params.classes == 1u));
    put_number(ENTROPY, item, max(entropy, 0.0));
    put_number(DISAGREEMENT, item, select(max(disagreement * params.inverse_ln_classes, 0.0), 0.0, is_none));
    if (asked(CONTRIBUTIONS)) {
        var runner_up = 0u;
        var next = -1.0;
        for (var k = 0u; k < params.classes; k++) {
            let p = tile[place.lane + k];
            if (k != decision && p > next) {
                next = p;
                runner_up = k;
            }
        }
        pair_vote[place.slot * SOURCE_BLOCK] = decision;
        pair_vote[place.slot * SOURCE_BLOCK + 1u] = runner_up;
    }
}

// What the contributions go by, which lanes tell each other through the tile.
fn sides_of(place: Place, totals: Totals, pools: Pools, found: Found) -> Sides {
    workgroupBarrier();
    spread_out(
        place.lane,
        4u,
        vec4(weight_of(pools, totals), responsibility_of(pools, totals), pools.best_weight, found.untempered)
    );
    workgroupBarrier();
    var sides: Sides;
    let votes = place.slot * SOURCE_BLOCK;
    sides.class_ = vec2(pair_vote[votes], pair_vote[votes + 1u]);
    let at = vec2(4u * PITCH + place.slot * params.classes) + sides.class_;
    sides.weight = vec2(tile[at.x], tile[at.y]);
    sides.responsibility = vec2(tile[PITCH + at.x], tile[PITCH + at.y]);
    sides.best_weight = vec2(tile[2u * PITCH + at.x], tile[2u * PITCH + at.y]);
    sides.best = pools.best;
    sides.scale = scale_of(vec2(tile[3u * PITCH + at.x], tile[3u * PITCH + at.y]), found.total);
    workgroupBarrier();
    return sides;
}

// What the block's sources did for the decision, the lanes of an item taking turns.
fn put_contributions(place: Place, item: u32, base: u32, totals: Totals, sides: Sides) {
    for (var s = place.k; s < min(SOURCE_BLOCK, params.sources - base); s += params.classes) {
        let pair = place.slot * SOURCE_BLOCK + s;
        let opinion = opinion_of(pair);
        let start = row_start(pair);
        var stacked = 0.0;
        if (computed(STACKED) && opinion.confidence >= 0.0) {
            for (var j = 0u; j < params.classes; j++) {
                let log_p = said_once(tile[start + j], base + s, opinion.shift, opinion.top).y;
                let apart =
                    stack_weight(base + s, j, sides.class_.x) - stack_weight(base + s, j, sides.class_.y);
                stacked += apart * clamp(log_p, params.ln_floor, 0.0);
            }
        }
        let x = vec2(tile[start + sides.class_.x], tile[start + sides.class_.y]);
        let word = contribution(base + s, opinion, x, stacked, totals, sides);
        columns[column(CONTRIBUTIONS) + item * params.sources + base + s] = bitcast<u32>(word);
    }
}

// The passes over the sources, those left out that nothing asks for. The third touches only items whose raw weights are all
// zero; before the fourth, which finds the contributions, all else is written.
const AVERAGE: u32 = 0u;
const POOL: u32 = 1u;
const POOL_AGAIN: u32 = 2u;
const CONTRIBUTE: u32 = 3u;
const PASSES: u32 = 4u;

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first_item = params.first + (group.y * params.groups_per_row + group.x) * params.items_per_group;
    if (first_item >= params.items) { return; }

    let lanes = params.items_per_group * params.classes;
    // Idle lanes repeat the last one, so that every index is inside and barriers are met by all.
    let busy = min(lane, lanes - 1u);
    let slot = busy / params.classes;
    let k = busy % params.classes;
    let item = first_item + slot;
    let place = Place(lane, slot, k, lane < lanes && item < params.items);
    let inside = min(item, params.items - 1u);
    let at = inside * params.classes + k;

    if (lane == 0u) { atomicStore(&any_fallback, 0u); }
    var totals = no_totals();
    var pools = no_pools();
    var stacked = 0.0;
    var flags = 0u;
    var mean = 0.0;
    var sides: Sides;
    for (var pass_index = AVERAGE; pass_index < PASSES; pass_index++) {
        if (pass_index == AVERAGE && !by_consensus()) { continue; }
        if (pass_index == POOL_AGAIN) {
            fall_back(&totals);
            if (totals.fallback != 0u) {
                pools = no_pools();
                atomicOr(&any_fallback, 1u);
            }
            workgroupBarrier();
            if (lane == 0u) { second_pass = atomicLoad(&any_fallback); }
            if (workgroupUniformLoad(&second_pass) == 0u) { continue; }
        }
        if (pass_index == CONTRIBUTE) {
            pools.stacked = stacked;
            let is_none = totals.present == 0.0;
            var masses = 0.0;
            if (asked(CONFLICT) || (computed(DEMPSTER_SHAFER) && YAGER)) {
                masses = sum_across(place, mass_of(pools, totals, 0.0));
            }
            let shares = shares_of(place, at, totals, pools, masses, &flags);
            let found = posterior_of(place, totals, pools, shares);
            let p = found.p;
            if (asked(POSTERIOR) && place.in_use) { posterior[answer_at(item, k)] = p; }
            // All that is asked for but the posterior.
            if (OUTPUTS > 1u) {
                workgroupBarrier();
                tile[lane] = p;
                if (vote_alone()) { tile[PITCH + lane] = select(linear_share(pools, totals), p, is_none); }
                if (asked(ENTROPY)) { tile[2u * PITCH + lane] = -p * ln_(p); }
                if (asked(DISAGREEMENT)) { tile[3u * PITCH + lane] = divergence(pools, totals); }
                workgroupBarrier();
                if (place.in_use && k == 0u) {
                    put_walked(place, item, is_none);
                    put_totals(item, totals, flags);
                    put_conflict(item, totals, masses);
                }
            }
            if (!asked(CONTRIBUTIONS)) { break; }
            sides = sides_of(place, totals, pools, found);
        }
        let takes_part = pass_index == POOL || (pass_index == POOL_AGAIN && totals.fallback != 0u);
        for (var base = 0u; base < params.sources; base += SOURCE_BLOCK) {
            let a = values_of(base, inside, k);
            let b = values_of(base + 4u, inside, k);
            spread_out(lane, 0u, a);
            spread_out(lane, 4u, b);
            workgroupBarrier();
            judge_block(lane, first_item, base, pass_index != AVERAGE);
            workgroupBarrier();
            if (pass_index == CONTRIBUTE) {
                if (place.in_use) { put_contributions(place, item, base, totals, sides); }
                workgroupBarrier();
                continue;
            }
            var first = quad_of(slot, base, 0u);
            var second = quad_of(slot, base, 1u);
            let votes = first.vote | second.vote;
            flags |= (votes.x | votes.y | votes.z | votes.w) >> 16u;
            first.vote &= vec4(0xffffu);
            second.vote &= vec4(0xffffu);
            if (pass_index == POOL) {
                weigh(&totals, first);
                weigh(&totals, second);
            }
            if (pass_index == AVERAGE) {
                totals.present += sum4(select(vec4(0.0), vec4(1.0), first.confidence >= vec4(0.0)));
                totals.present += sum4(select(vec4(0.0), vec4(1.0), second.confidence >= vec4(0.0)));
                let one = said(a, first.source, first.shift, first.top).p;
                let two = said(b, second.source, second.shift, second.top).p;
                mean += sum4(select(vec4(0.0), one, first.confidence >= vec4(0.0)));
                mean += sum4(select(vec4(0.0), two, second.confidence >= vec4(0.0)));
            }
            if (takes_part) {
                let one = pool(&pools, k, totals.fallback, a, first);
                let two = pool(&pools, k, totals.fallback, b, second);
                if (has_middle() && place.in_use && pass_index == POOL) {
                    set_aside4(at, first, one.p);
                    set_aside4(at, second, two.p);
                }
                if (computed(STACKED)) {
                    spread_out(lane, 0u, one.logarithm);
                    spread_out(lane, 4u, two.logarithm);
                }
            }
            if (computed(STACKED) && pass_index == POOL) {
                workgroupBarrier();
                stacked += stack_block(place, base);
                workgroupBarrier();
            }
        }
        if (pass_index == AVERAGE) {
            consensus[lane] = mean / max(totals.present, 1.0);
            totals.present = 0.0;
        }
    }
}
