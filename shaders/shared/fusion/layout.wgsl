// What the kernels `fusion/pool` and `fusion/pool_wide` bind and what they are switched by. "Step n" here and in the files
// that follow is step n of the formula in src/kernel/fusion/pool.rs; the layout of every buffer stands there too.

struct Params {
    items: u32,
    sources: u32,
    classes: u32,
    stride: u32,
    items_per_group: u32,
    groups_per_row: u32,
    presence_words: u32,
    gamma: f32,
    ln_floor: f32,
    inverse_ln_classes: f32,
    steepness: f32,
    extremise: f32,
    power: f32,
    trim: f32,
    belief_constant: f32,
    inverse_temperature: f32,
    class_weights_at: u32,
    confusion_at: u32,
    stack_at: u32,
    mix_linear: f32,
    mix_vote: f32,
    mix_max_vote: f32,
    mix_bayesian_average: f32,
    mix_log_pool: f32,
    mix_extremised: f32,
    mix_evidence: f32,
    mix_power_mean: f32,
    mix_median: f32,
    mix_trimmed: f32,
    mix_dempster_shafer: f32,
    mix_belief: f32,
    mix_confusion: f32,
    mix_stacked: f32,
    mix_adaptive: f32,
    first: u32,
    plane: u32,
    row: u32,
    evidence_at: u32,
    answer_row: u32,
    answer_at: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> evidence: array<u32>;
@group(0) @binding(2) var<storage, read> presence: array<u32>;
@group(0) @binding(3) var<storage, read> confidence: array<f32>;
@group(0) @binding(4) var<storage, read> tables: array<u32>;
@group(0) @binding(5) var<storage, read_write> posterior: array<f32>;
@group(0) @binding(6) var<storage, read_write> columns: array<u32>;
@group(0) @binding(7) var<storage, read_write> status: atomic<u32>;
@group(0) @binding(8) var<storage, read_write> values: array<u32>;

// What is not asked for is compiled away: one bit per rule of `Slot::ALL` and per output of `Output::ALL`.
override RULES: u32 = 0x7fffu;
override OUTPUTS: u32 = 0x3ffu;
// The form of all sources, or MIXED.
override ENCODING: u32 = 9u;
// 0 error, 1 missing, 2 renormalise.
override ON_INVALID: u32 = 0u;
override HAS_PRESENCE: bool = true;
override HAS_CONFIDENCE: bool = true;
// What raw weights go by.
override BY: u32 = 0u;
override HAS_CLASS_WEIGHTS: bool = true;
// Yager's rule in place of Dempster's.
override YAGER: bool = false;
// Whether the pool has a temperature.
override TEMPERED: bool = true;

const LANES: u32 = 256u;

const LINEAR: u32 = 0x1u;
const VOTE: u32 = 0x2u;
const MAX_VOTE: u32 = 0x4u;
const BAYESIAN_AVERAGE: u32 = 0x8u;
const LOG_POOL: u32 = 0x10u;
const EXTREMISED: u32 = 0x20u;
const EVIDENCE: u32 = 0x40u;
const POWER_MEAN: u32 = 0x80u;
const MEDIAN: u32 = 0x100u;
const TRIMMED: u32 = 0x200u;
const DEMPSTER_SHAFER: u32 = 0x400u;
const BELIEF: u32 = 0x800u;
const CONFUSION: u32 = 0x1000u;
const STACKED: u32 = 0x2000u;
const ADAPTIVE: u32 = 0x4000u;
// Those whose posterior is a weighted sum of opinions.
const ARITHMETIC: u32 = 0x480fu;

// Forms of a source's opinions; the first three are encodings of all sources, too.
const PROBABILITIES: u32 = 0u;
const LOG_PROBABILITIES: u32 = 1u;
const LOGITS: u32 = 2u;
const PROBABILITIES_BF16: u32 = 3u;
const LOGITS_BF16: u32 = 4u;
const QUANTISED_U8: u32 = 5u;
const LABELS_U8: u32 = 6u;
const LABELS_U16: u32 = 7u;
const BINARY: u32 = 8u;
const PROBABILITIES_F16: u32 = 9u;
const LOGITS_F16: u32 = 10u;
// Every source has a form, and a temperature, of its own.
const MIXED: u32 = 11u;

const LEAVE_OUT: u32 = 1u;
const RENORMALISE: u32 = 2u;

const BY_MARGIN: u32 = 1u;
const BY_ENTROPY: u32 = 2u;
const BY_HELLINGER: u32 = 3u;
const BY_JENSEN_SHANNON: u32 = 4u;

const POSTERIOR: u32 = 0u;
const DECISION: u32 = 1u;
const CONFIDENCE: u32 = 2u;
const MARGIN: u32 = 3u;
const ENTROPY: u32 = 4u;
const DISAGREEMENT: u32 = 5u;
const EFFECTIVE_SOURCES: u32 = 6u;
const FLAGS: u32 = 7u;
const CONFLICT: u32 = 8u;
const CONTRIBUTIONS: u32 = 9u;

const NO_SOURCE: u32 = 1u;
const ZERO_WEIGHTS: u32 = 2u;
const INVALID_LEFT_OUT: u32 = 4u;
const RENORMALISED: u32 = 8u;
const ABSTAINED: u32 = 16u;
const NO_MIDDLE: u32 = 32u;

const SUM_TOLERANCE: f32 = 1e-3;
const SUM_TOLERANCE_BF16: f32 = 0x1p-8f;
const SUM_TOLERANCE_F16: f32 = 0x1p-9f;
const TIE: f32 = 1e-6;
const MIDDLE_FLOOR: f32 = 1e-12;
const PRIOR_FLOOR: f32 = 1e-30;
// What is added to the number of values that a trimmed mean leaves out before it is rounded down.
const TRIM_ROUNDING: f32 = 0x1p-10f;

// Weights that sum to less come to nothing.
const WEIGHT_FLOOR: f32 = 0x1p-100f;
// What weights are multiplied by before they are squared.
const SQUARE_SCALE: f32 = 0x1p50f;

// Labels that are no class, counted from the largest of their form: not asked, asked and declined.
const MOST_U8: u32 = 0xffu;
const MOST_U16: u32 = 0xffffu;

// The fields of a source's terms, in words.
const TERMS: u32 = 12u;
const OFFSET: u32 = 0u;
const SCALE: u32 = 1u;
const PRIOR: u32 = 2u;
const EXPONENT: u32 = 3u;
const RELIABILITY: u32 = 4u;
const TRUST: u32 = 5u;
const TRUST_BASE: u32 = 6u;
const LEARNED: u32 = 7u;
const SOURCE_INVERSE_TEMPERATURE: u32 = 8u;
const FORM: u32 = 9u;
const START: u32 = 10u;

fn asked(output: u32) -> bool {
    return (OUTPUTS & (1u << output)) != 0u;
}

fn computed(rules: u32) -> bool {
    return (RULES & rules) != 0u;
}

fn vote_alone() -> bool {
    return RULES == VOTE;
}

fn by_consensus() -> bool {
    return BY == BY_HELLINGER || BY == BY_JENSEN_SHANNON;
}

// Whether the masses of Dempster's rule are wanted.
fn discounts() -> bool {
    return computed(DEMPSTER_SHAFER) || asked(CONFLICT);
}

// A source, or the last one where there are fewer.
fn clamped(source: u32) -> u32 {
    return min(source, params.sources - 1u);
}

fn table(at: u32) -> f32 {
    return bitcast<f32>(tables[at]);
}

fn term(source: u32, field: u32) -> f32 {
    return table(TERMS * clamped(source) + field);
}

// One field of four sources.
fn terms(source: u32, field: u32) -> vec4<f32> {
    return vec4(
        term(source, field),
        term(source + 1u, field),
        term(source + 2u, field),
        term(source + 3u, field)
    );
}

fn form_of(source: u32) -> u32 {
    if (ENCODING != MIXED) { return ENCODING; }
    return tables[TERMS * clamped(source) + FORM];
}

fn class_prior(k: u32) -> f32 {
    return table(TERMS * params.sources + k);
}

fn ln_class_prior(k: u32) -> f32 {
    return ln_(max(class_prior(k), PRIOR_FLOOR));
}

// v of one source and class.
fn class_weight(source: u32, k: u32) -> f32 {
    return table(params.class_weights_at + clamped(source) * params.classes + k);
}

// ln theta of a source for a class, given its answer.
fn ln_theta(source: u32, answer: u32, k: u32) -> f32 {
    return table(params.confusion_at + (clamped(source) * (params.classes + 1u) + answer) * params.classes + k);
}

// A of a source, from the class of the opinion to the class of the posterior.
fn stack_weight(source: u32, of_opinion: u32, k: u32) -> f32 {
    return table(params.stack_at + (clamped(source) * params.classes + of_opinion) * params.classes + k);
}

// b.
fn stack_bias(k: u32) -> f32 {
    return table(params.stack_at + params.sources * params.classes * params.classes + k);
}
