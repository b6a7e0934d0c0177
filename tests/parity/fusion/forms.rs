//! Each form of opinion by itself.

use consilience::{Evidence, Form, Fusion, Measure, OnInvalid, Opinions, Rule, Weighting};
use half::{bf16, f16};

use super::check;
use crate::support::engines;
use crate::support::problem::{FORMS, Problem, Values};

#[test]
fn each_form_alone() {
    let rule = Rule::ensemble(&[Rule::Linear, Rule::Vote, Rule::LogPool]);
    for form in FORMS {
        for classes in [1, 2, 3, 17, 254, 300] {
            if classes > form.most_classes() || (form == Form::Binary && classes != 2) {
                continue;
            }
            // An odd number of items: values of 8 and 16 bits do not fill their last word.
            let problem = Problem::of(&[form; 3], 7, classes, 4).with_confidences(4).with_holes(4);
            check(&Fusion::new(rule.clone()), &problem);
            let heat = Fusion::new(rule.clone()).source_temperatures(vec![0.7, 2.0, 1.0]);
            check(&heat.weighting(Weighting::Confidence { gamma: 1.0, measure: Measure::Margin }), &problem);
        }
    }
}

/// Puts a value that is no opinion into each form, in the last source and item.
fn spoilt(form: Form, classes: usize) -> Problem {
    let mut problem = Problem::of(&[form; 3], 7, classes, 4);
    let each = form.values_per_item(classes);
    match &mut problem.planes[2].values {
        Values::F32(values) => values[6 * each] = if form == Form::Binary { 1.5 } else { f32::INFINITY },
        Values::Bf16(values) => values[6 * each] = bf16::NAN,
        Values::F16(values) => values[6 * each] = f16::NAN,
        Values::U8(values) if form == Form::LabelsU8 => values[6] = classes as u8,
        Values::U8(values) => values[6 * each..].fill(0),
        Values::U16(values) => values[6] = classes as u16,
    }
    problem
}

#[test]
fn what_is_no_opinion_is_named_or_left_out_in_each_form() {
    for form in FORMS {
        for classes in [2, 10, 300] {
            if classes > form.most_classes() || (form == Form::Binary && classes != 2) {
                continue;
            }
            let problem = spoilt(form, classes);
            for policy in [OnInvalid::Error, OnInvalid::Renormalise] {
                for (name, engine) in engines::all() {
                    let fusion = Fusion::default().on_invalid(policy);
                    let error = engine.fuse(&fusion, &problem.evidence()).expect_err("an invalid opinion");
                    let found = error.invalid_opinion().map(|o| (o.source, o.item));
                    assert_eq!(found, Some((2, 6)), "{name}, {form}: {error}");
                }
            }
            check(&Fusion::default().on_invalid(OnInvalid::Missing), &problem);
        }
    }
}

/// A row of 16 bits may be off by their rounding, and no more.
#[test]
fn a_row_of_16_bits_may_be_off_by_its_rounding() {
    for (x, is_fine) in [(0.5, true), (0.503_906_25, true), (0.507_812_5, false), (0.25, false)] {
        let values = [x, 0.5].map(bf16::from_f32);
        check_sum(Opinions::ProbabilitiesBf16(&values), x, is_fine);
    }
    for (x, is_fine) in [(0.5, true), (0.501_953_1, true), (0.502_441_4, false), (0.498_046_88, true), (0.25, false)] {
        let values = [x, 0.5].map(f16::from_f32);
        check_sum(Opinions::ProbabilitiesF16(&values), x, is_fine);
    }
}

/// One row of `x` and a half.
fn check_sum(opinions: Opinions<'_>, x: f32, is_fine: bool) {
    let evidence = Evidence::of(2, &[opinions]).expect("one item");
    for (name, engine) in engines::all() {
        match engine.fuse(&Fusion::new(Rule::Linear), &evidence) {
            Ok(fused) => {
                assert!(is_fine, "{name}: {x} passes");
                assert!((fused.posterior()[0] - x / (x + 0.5)).abs() < 1e-6, "{name}: {:?}", fused.posterior());
            }
            Err(error) => assert!(!is_fine && error.is_invalid_evidence(), "{name}: {error}"),
        }
        let mended = engine.fuse(&Fusion::new(Rule::Linear).on_invalid(OnInvalid::Renormalise), &evidence);
        let mended = mended.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!((mended.posterior()[0] - x / (x + 0.5)).abs() < 1e-6, "{name}: {:?}", mended.posterior());
    }
}
