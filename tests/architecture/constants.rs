//! Every constant that a shader states is the contract's.

use consilience::kernel::Kernel;
use consilience::kernel::bayes::{conjugate, gaussian, information, log_odds, special};
use consilience::kernel::beam::{eigen, fuse, intervene, measure, moments, nearest, relax, similarity, subspace};
use consilience::kernel::calibration::{likelihood, outcome};
use consilience::kernel::fusion::pool::{
    MIDDLE_FLOOR, PRIOR_FLOOR, SQUARE_SCALE, Slot, SourceTerms, TIE, WEIGHT_FLOOR, trimmed_off,
};
use consilience::kernel::stacking::softmax_regression::{self, SIDE, STAGED_TILES, Stage};
use consilience::kernel::vortex::{self, cycle, digital_root, statistics};
use consilience::{
    ABSTAINED_U8, ABSTAINED_U16, Flags, LOG_FLOOR, Output, SUM_TOLERANCE, SUM_TOLERANCE_BF16, SUM_TOLERANCE_F16,
};
use naga::{Expression, Literal, Module};

use super::kernels::{fields, module};

#[test]
fn constants_of_special_functions_are_those_of_the_contract() {
    let module = module(Kernel::Special);
    for (name, want) in [
        ("STIRLING_FROM", f64::from(special::STIRLING_FROM)),
        ("DIGAMMA_SHIFT", f64::from(special::DIGAMMA_SHIFT)),
        ("CONVERGED", special::CONVERGED),
        ("STEPS", f64::from(special::STEPS)),
        ("NEWTON_STEPS", f64::from(special::NEWTON_STEPS)),
        ("NEWTON_CONVERGED", special::NEWTON_CONVERGED),
        ("FARTHEST", special::FARTHEST),
    ] {
        let found = module.constants.iter().find(|(_, c)| c.name.as_deref() == Some(name));
        let (_, constant) = found.unwrap_or_else(|| panic!("no constant {name}"));
        let value = match module.global_expressions[constant.init] {
            Expression::Literal(Literal::F32(x)) => x,
            Expression::Literal(Literal::U32(x)) => x as f32,
            ref other => panic!("{name} is {other:?}"),
        };
        assert_eq!(value, want as f32, "{name}");
    }
}

#[test]
fn constants_of_log_odds_are_those_of_the_contract() {
    let kernel = Kernel::LogOdds;
    let module = module(kernel);
    for (name, want) in [
        ("LANES", kernel.contract().workgroup_lanes as f32),
        ("UNITS", log_odds::UNITS),
        ("MOST", log_odds::MOST),
        ("MOST_OF_A_COUNT", log_odds::MOST_OF_A_COUNT),
        ("FLOOR", log_odds::FLOOR),
        ("COUNTS", log_odds::Kind::Counts as u32 as f32),
        ("LOG_ODDS", log_odds::Kind::LogOdds as u32 as f32),
    ] {
        assert_eq!(constant(kernel, &module, name), f64::from(want), "{name}");
    }
    assert_eq!(fields("src/kernel/bayes/log_odds.rs", "Terms").len(), size_of::<log_odds::Terms>() / 4);
}

#[test]
fn constants_of_conjugate_families_are_those_of_the_contract() {
    let kernel = Kernel::Conjugate;
    let module = module(kernel);
    assert_eq!(constant(kernel, &module, "LANES"), f64::from(kernel.contract().workgroup_lanes));
    assert_eq!(constant(kernel, &module, "DIGAMMA_FROM"), conjugate::DIGAMMA_FROM);
}

#[test]
fn constants_of_normal_distributions_are_those_of_the_contract() {
    let kernel = Kernel::Gaussian;
    let module = module(kernel);
    for (name, want) in [
        ("LANES", kernel.contract().workgroup_lanes as f32),
        ("MOST_DIMENSIONS", gaussian::MOST_DIMENSIONS as f32),
        ("MOST_ENTRIES", gaussian::MOST_ENTRIES as f32),
        ("LEAST_PIVOT", gaussian::LEAST_PIVOT),
        ("LEAST_VARIANCE", gaussian::LEAST_VARIANCE),
        ("MOST", gaussian::MOST),
        ("EQUAL", gaussian::EQUAL),
        ("HALVINGS", gaussian::HALVINGS as f32),
        ("PRECISION_MODE", gaussian::Mode::Precision as u32 as f32),
        ("DETERMINANT_MODE", gaussian::Mode::Determinant as u32 as f32),
    ] {
        assert_eq!(constant(kernel, &module, name), f64::from(want), "{name}");
    }
}

#[test]
fn constants_of_information_are_those_of_the_contract() {
    let kernel = Kernel::Information;
    let module = module(kernel);
    for (name, want) in [
        ("LANES", kernel.contract().workgroup_lanes as f32),
        ("SUM_TOLERANCE", information::SUM_TOLERANCE),
        ("SUMMED", information::SUMMED as f32),
        ("ENTROPY", information::Measure::Entropy as u32 as f32),
        ("CROSS_ENTROPY", information::Measure::CrossEntropy as u32 as f32),
        ("DIVERGENCE", information::Measure::Divergence as u32 as f32),
        ("JENSEN_SHANNON", information::Measure::JensenShannon as u32 as f32),
    ] {
        assert_eq!(constant(kernel, &module, name), f64::from(want), "{name}");
    }
}

/// `LogPool` as `LOG_POOL`.
fn in_capitals(name: &str) -> String {
    let word = |c: char| if c.is_uppercase() { format!("_{c}") } else { c.to_uppercase().to_string() };
    name.chars().map(word).collect::<String>().trim_start_matches('_').to_owned()
}

/// A constant of a shader.
fn constant(kernel: Kernel, module: &Module, name: &str) -> f64 {
    let found = module.constants.iter().find(|(_, c)| c.name.as_deref() == Some(name));
    let (_, constant) = found.unwrap_or_else(|| panic!("{kernel} has no constant {name}"));
    match module.global_expressions[constant.init] {
        Expression::Literal(Literal::F32(x)) => f64::from(x),
        Expression::Literal(Literal::U32(x)) => f64::from(x),
        ref other => panic!("{kernel}: {name} is {other:?}"),
    }
}

#[test]
fn a_regressions_constants_are_those_of_the_contract() {
    let kernel = Kernel::SoftmaxRegression;
    let module = module(kernel);
    for (name, want) in [
        ("LANES", kernel.contract().workgroup_lanes),
        ("STAGED_TILES", STAGED_TILES),
        ("STAGED_QUADS", 4 * STAGED_TILES),
        ("SIDE", SIDE),
        ("SIDE_QUADS", SIDE / 4),
        ("WHOLE", Stage::Whole as u32),
        ("RESIDUALS", Stage::Residuals as u32),
        ("GRADIENT", Stage::Gradient as u32),
    ] {
        assert_eq!(constant(kernel, &module, name), f64::from(want), "{name}");
    }
    // Quads of items are the shader's vec4.
    assert_eq!(softmax_regression::LANES, 16);
}

#[test]
fn constants_of_beams_are_those_of_the_contract() {
    for (kernel, constants) in [
        (
            Kernel::BeamFuse,
            &[
                ("LANES", fuse::BLOCK as f64),
                ("DIGITS", fuse::DIGITS as f64),
                ("BALANCE", f64::from(fuse::BALANCE)),
                ("DOMINANCE", f64::from(fuse::DOMINANCE)),
                ("SIGNAL", f64::from(fuse::SIGNAL)),
                ("AGREEMENT", f64::from(fuse::AGREEMENT)),
                ("LOG_POOLING", f64::from(fuse::LOG_POOLING)),
            ][..],
        ),
        (
            Kernel::BeamMeasure,
            &[
                ("LANES", measure::BLOCK as f64),
                ("NORMALISED", f64::from(measure::NORMALISED)),
                ("ENTROPY", f64::from(measure::ENTROPY)),
                ("MASS", f64::from(measure::MASS)),
                ("DECISIVENESS", f64::from(measure::DECISIVENESS)),
                ("DOMINANT", f64::from(measure::DOMINANT)),
            ],
        ),
        (Kernel::BeamSimilarity, &[("LANES", similarity::BLOCK as f64)]),
        (
            Kernel::BeamNearest,
            &[("LANES", nearest::BLOCK as f64), ("MOST", nearest::MOST as f64), ("STRIPE", nearest::STRIPE as f64)],
        ),
        (
            Kernel::BeamIntervene,
            &[
                ("LANES", intervene::BLOCK as f64),
                ("PULL", f64::from(intervene::PULL)),
                ("SHARPEN", f64::from(intervene::SHARPEN)),
                ("CONFIDENCE", f64::from(intervene::CONFIDENCE)),
                ("ETHOS", f64::from(intervene::ETHOS)),
                ("PATHOS", f64::from(intervene::PATHOS)),
                ("STEPS", intervene::STEPS as f64),
            ],
        ),
        (
            Kernel::Likelihood,
            &[
                ("BLOCK", likelihood::BLOCK as f64),
                ("LANES", f64::from(likelihood::WORKGROUP_LANES)),
                ("LOG_FLOOR", f64::from(LOG_FLOOR)),
                ("SUM_TOLERANCE", f64::from(SUM_TOLERANCE)),
                ("WORDS", likelihood::WORDS as f64),
            ],
        ),
        (
            Kernel::Outcome,
            &[
                ("DECISION", f64::from(outcome::DECISION)),
                ("ERROR", f64::from(outcome::ERROR)),
                ("LANES", outcome::BLOCK as f64),
                ("PRODUCTS", f64::from(outcome::PRODUCTS)),
                ("SUM_TOLERANCE", f64::from(SUM_TOLERANCE)),
                ("TOP", f64::from(outcome::TOP)),
                ("TRUTH", f64::from(outcome::TRUTH)),
            ],
        ),
        (
            Kernel::BeamRelax,
            &[
                ("LANES", relax::BLOCK as f64),
                ("MOST_STEPS", f64::from(relax::MOST_STEPS)),
                ("COUPLED", f64::from(relax::COUPLED)),
                ("STARTED", f64::from(relax::STARTED)),
            ],
        ),
        (
            Kernel::BeamEigen,
            &[
                ("LANES", eigen::BLOCK as f64),
                ("SWEEPS", f64::from(eigen::SWEEPS)),
                ("CONVERGED", f64::from(eigen::CONVERGED)),
                ("LEADING", f64::from(eigen::LEADING)),
                ("NEGLIGIBLE", f64::from(eigen::NEGLIGIBLE)),
            ],
        ),
        (
            Kernel::BeamMoments,
            &[("LANES", moments::BLOCK as f64), ("SUMS", moments::SUMS as f64), ("WORDS", moments::WORDS as f64)],
        ),
        (Kernel::BeamSubspace, &[("LANES", subspace::BLOCK as f64)]),
    ] {
        let module = module(kernel);
        for &(name, want) in constants {
            assert_eq!(constant(kernel, &module, name), want, "{kernel}: {name}");
        }
    }
}

#[test]
fn a_digital_roots_factor_is_that_of_the_contract() {
    let kernel = Kernel::DigitalRoot;
    assert_eq!(constant(kernel, &module(kernel), "FACTOR"), f64::from(digital_root::FACTOR));
}

#[test]
fn constants_of_vortex_kernels_are_those_of_the_contracts() {
    for (kernel, name, want) in [
        (Kernel::Cycle, "MOST_HOPS", f64::from(cycle::MOST_HOPS)),
        (Kernel::Cycle, "LOG2_LARGEST", f64::from(cycle::LOG2_LARGEST)),
        (Kernel::Cycle, "LN_SERIES_TO", f64::from(cycle::LN_SERIES_TO)),
        (Kernel::Cycle, "EXP_SERIES_TO", f64::from(cycle::EXP_SERIES_TO)),
        (Kernel::Relax, "POSITIONS", f64::from(vortex::relax::POSITIONS)),
        (Kernel::Statistics, "BLOCK", statistics::BLOCK as f64),
        (Kernel::Statistics, "MOST_TERMS", statistics::terms(statistics::MOST_CHANNELS) as f64),
    ] {
        assert_eq!(constant(kernel, &module(kernel), name), want, "{kernel}: {name}");
    }
    // The series as numbers in order.
    let text = Kernel::Cycle.contract().source;
    let series = |terms: &[f32]| terms.iter().map(|c| format!("1.0 / {:.1}", 1.0 / c)).collect::<Vec<_>>();
    for term in series(&cycle::ARTANH_SERIES[..4]).into_iter().chain(series(&cycle::EXP_SERIES[..7])) {
        assert!(text.contains(&term), "{term} is missing");
    }
}

#[test]
fn constants_of_the_pools_are_those_of_the_contract() {
    for kernel in [Kernel::Pool, Kernel::PoolWide] {
        let module = module(kernel);
        let value = |name: &str| constant(kernel, &module, name);
        for (name, want) in [
            ("TIE", TIE),
            ("WEIGHT_FLOOR", WEIGHT_FLOOR),
            ("SQUARE_SCALE", SQUARE_SCALE),
            ("SUM_TOLERANCE", SUM_TOLERANCE),
            ("SUM_TOLERANCE_BF16", SUM_TOLERANCE_BF16),
            ("SUM_TOLERANCE_F16", SUM_TOLERANCE_F16),
            ("MIDDLE_FLOOR", MIDDLE_FLOOR),
            ("PRIOR_FLOOR", PRIOR_FLOOR),
        ] {
            assert_eq!(value(name), f64::from(want), "{kernel}: {name}");
        }
        for (name, want) in [
            ("NO_SOURCE", Flags::NO_SOURCE),
            ("ZERO_WEIGHTS", Flags::ZERO_WEIGHTS),
            ("INVALID_LEFT_OUT", Flags::INVALID_LEFT_OUT),
            ("RENORMALISED", Flags::RENORMALISED),
            ("ABSTAINED", Flags::ABSTAINED),
            ("NO_MIDDLE", Flags::NO_MIDDLE),
        ] {
            assert_eq!(value(name), f64::from(want.0), "{kernel}: {name}");
        }
        for slot in Slot::ALL {
            let name = in_capitals(&format!("{slot:?}"));
            assert_eq!(value(&name), f64::from(slot.bit()), "{kernel}: {name}");
        }
        assert_eq!(value("ARITHMETIC"), f64::from(Slot::ARITHMETIC), "{kernel}");
        for (place, output) in Output::ALL.into_iter().enumerate() {
            assert_eq!(value(&output.name().to_uppercase()), place as f64, "{kernel}: {output}");
        }
        // What is not asked is the largest of the form, what was declined the next.
        assert_eq!(value("MOST_U8"), f64::from(ABSTAINED_U8) + 1.0, "{kernel}");
        assert_eq!(value("MOST_U16"), f64::from(ABSTAINED_U16) + 1.0, "{kernel}");
        // A quarter of four less the rounding is still one; less twice the rounding it is none.
        let rounding = value("TRIM_ROUNDING") as f32;
        assert_eq!(trimmed_off((1.0 - rounding) / 4.0, 4.0), 1.0, "{kernel}: rounded by more than the contract");
        assert_eq!(trimmed_off((1.0 - 2.0 * rounding) / 4.0, 4.0), 0.0, "{kernel}: rounded by less than the contract");
        assert_eq!(4.0 * value("TERMS"), size_of::<SourceTerms>() as f64, "{kernel}");
        let fields = fields("src/kernel/fusion/pool.rs", "SourceTerms");
        for (name, field) in [
            ("OFFSET", "offset"),
            ("SCALE", "scale"),
            ("PRIOR", "prior"),
            ("EXPONENT", "exponent"),
            ("RELIABILITY", "reliability"),
            ("TRUST", "belief"),
            ("TRUST_BASE", "belief_base"),
            ("LEARNED", "learned"),
            ("SOURCE_INVERSE_TEMPERATURE", "inverse_temperature"),
            ("FORM", "form"),
            ("START", "start"),
        ] {
            let begins = fields.iter().find(|(found, _)| found == field).map(|(_, begins)| *begins);
            assert_eq!(Some(4.0 * value(name)), begins.map(f64::from), "{kernel}: {field}");
        }
    }
}
