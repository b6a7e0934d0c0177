//! How many random cases a property is tried on.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// So many cases, the same on every run; `PROPTEST_RNG_SEED` takes others.
pub fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    match default.rng_seed {
        RngSeed::Random => ProptestConfig { rng_seed: RngSeed::Fixed(1), ..default },
        RngSeed::Fixed(_) => default,
    }
}
