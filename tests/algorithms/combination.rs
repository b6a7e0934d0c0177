//! The rules that combine masses, opinions of subjective logic, ranks or powers, on cases small enough to work out by hand.

use consilience::{BeliefFusion, Conflict, Evidence, Flags, Fusion, Output, Rule, Weighting};

use super::rules::expect;
use crate::support::engines;

fn dempster(conflict: Conflict) -> Fusion {
    Fusion::new(Rule::DempsterShafer { conflict })
}

fn conflict_of(fusion: &Fusion, evidence: &Evidence<'_>, want: f32) {
    for (name, engine) in engines::all() {
        let fused = engine.fuse(&fusion.clone().outputs(&[Output::Conflict]), evidence).expect("valid evidence");
        assert!((fused.conflict()[0] - want).abs() < 2e-6, "{name}: {:?} is not {want}", fused.conflict());
    }
}

/// Zadeh 1979: two physicians agree that a tumour is unlikely and on nothing else. Dempster's rule makes it certain;
/// Yager's knows next to nothing.
#[test]
fn zadehs_paradox() {
    let evidence = Evidence::probabilities(3, &[&[0.99, 0.01, 0.0], &[0.0, 0.01, 0.99]]).expect("one item");
    let certain = |conflict| dempster(conflict).reliabilities(vec![1.0, 1.0]);
    expect(&certain(Conflict::Normalise).log_floor(1e-20), &evidence, &[0.0, 1.0, 0.0], &[1], &[0]);
    // Mass .0001 on the second class, .9999 on the frame, a third of which is each class's.
    let third = 0.9999 / 3.0;
    expect(&certain(Conflict::Ignorance), &evidence, &[third, 0.0001 + third, third], &[1], &[0]);
    conflict_of(&certain(Conflict::Normalise), &evidence, 0.9999);
    // With 1% of doubt in either, masses .99 x .01 = .0099 on each first choice, .0099^2 + 2 x .0099 x .01 on the second,
    // .0001 on the frame.
    let doubted = dempster(Conflict::Normalise).reliabilities(vec![0.99, 0.99]);
    let (first, second, frame) = (0.9801 * 0.01, 0.0099 * 0.0099 + 2.0 * 0.0099 * 0.01, 0.0001);
    let total: f32 = 2.0 * first + second + frame;
    let p = [first, second, first].map(|mass| (mass + frame / 3.0) / total);
    expect(&doubted, &evidence, &p, &[0], &[0]);
    conflict_of(&doubted, &evidence, 1.0 - total);
}

/// Masses (.48, .12, .4) and (.3, .3, .4) on the two classes and the frame: .48 x .3 + .48 x .4 + .4 x .3 = .456 on the
/// first, .12 x .3 + .12 x .4 + .4 x .3 = .204 on the second, .16 on the frame, .18 contradict each other.
#[test]
fn dempsters_rule_by_hand() {
    let evidence = Evidence::probabilities(2, &[&[0.8, 0.2], &[0.5, 0.5]]).expect("one item");
    let trusted = |conflict| dempster(conflict).reliabilities(vec![0.6, 0.6]);
    let p = [(0.456 + 0.08) / 0.82, (0.204 + 0.08) / 0.82];
    expect(&trusted(Conflict::Normalise), &evidence, &p, &[0], &[0]);
    expect(&trusted(Conflict::Ignorance), &evidence, &[0.456 + 0.17, 0.204 + 0.17], &[0], &[0]);
    conflict_of(&trusted(Conflict::Normalise), &evidence, 0.18);
    // What is left to the frame goes by the class prior.
    let prior = trusted(Conflict::Normalise).class_prior(vec![0.25, 0.75]);
    expect(&prior, &evidence, &[(0.456 + 0.04) / 0.82, (0.204 + 0.12) / 0.82], &[0], &[0]);
    // Who is not trusted at all says nothing, and contradicts nobody.
    let nobody = dempster(Conflict::Normalise).reliabilities(vec![0.0, 0.0]).class_prior(vec![0.25, 0.75]);
    expect(&nobody, &evidence, &[0.25, 0.75], &[1], &[0]);
    conflict_of(&nobody, &evidence, 0.0);
    conflict_of(&dempster(Conflict::Normalise).reliabilities(vec![0.6, 0.0]), &evidence, 0.0);
}

/// b = (.8, .1), u = .1 and b = (.3, .3), u = .4: Jøsang's denominators are u1 + u2 - u1 u2 = .46 for cumulative, u1 + u2
/// = .5 for averaging and u1 + u2 - 2 u1 u2 = .42 for weighted fusion.
#[test]
fn subjective_logic_by_hand() {
    let evidence = Evidence::probabilities(2, &[&[8.0 / 9.0, 1.0 / 9.0], &[0.5, 0.5]]).expect("one item");
    let belief = |kind| Fusion::new(Rule::Belief(kind)).reliabilities(vec![0.9, 0.6]).class_prior(vec![0.2, 0.8]);
    // b(0) = (.8 x .4 + .3 x .1) / .46 = .35 / .46, u = .04 / .46
    let cumulative = (0.35 + 0.2 * 0.04) / 0.46;
    expect(&belief(BeliefFusion::Cumulative), &evidence, &[cumulative, 1.0 - cumulative], &[0], &[0]);
    // b(0) = .35 / .5, u = 2 x .04 / .5
    let averaging = (0.35 + 0.2 * 0.08) / 0.5;
    expect(&belief(BeliefFusion::Averaging), &evidence, &[averaging, 1.0 - averaging], &[0], &[0]);
    // b(0) = (.8 x .9 x .4 + .3 x .6 x .1) / .42 = .306 / .42, u = (2 - .5) x .04 / .42
    let weighted = (0.306 + 0.2 * 0.06) / 0.42;
    expect(&belief(BeliefFusion::Weighted), &evidence, &[weighted, 1.0 - weighted], &[0], &[0]);
}

#[test]
fn sources_that_know_nothing_leave_the_class_prior() {
    let evidence = Evidence::probabilities(2, &[&[0.9, 0.1], &[0.5, 0.5]]).expect("one item");
    for kind in [BeliefFusion::Cumulative, BeliefFusion::Averaging, BeliefFusion::Weighted] {
        let fusion = Fusion::new(Rule::Belief(kind)).class_prior(vec![0.25, 0.75]);
        expect(&fusion.clone().reliabilities(vec![0.0, 0.0]), &evidence, &[0.25, 0.75], &[1], &[0]);
        // Against certainty nothing else counts.
        expect(&fusion.reliabilities(vec![1.0, 0.5]), &evidence, &[0.9, 0.1], &[0], &[0]);
    }
}

/// Five sources of three classes, of which the last two can be left out.
const ROWS: [[f32; 3]; 5] = [[0.1, 0.2, 0.7], [0.2, 0.2, 0.6], [0.3, 0.3, 0.4], [0.6, 0.4, 0.0], [0.9, 0.1, 0.0]];

#[test]
fn the_median_of_odd_and_even_numbers() {
    let rows: Vec<&[f32]> = ROWS.iter().map(|row| &row[..]).collect();
    let five = Evidence::probabilities(3, &rows).expect("one item");
    // .3, .2, .4, summing to .9; weights are not heard.
    let median = Fusion::new(Rule::Median).weighting(Weighting::Fixed(vec![9.0, 1.0, 1.0, 1.0, 1.0]));
    expect(&median, &five, &[3.0 / 9.0, 2.0 / 9.0, 4.0 / 9.0], &[2], &[0]);
    let absent = [false];
    let four = five.with_presence(4, &absent).expect("one item");
    // .25, .25, .5
    expect(&median, &four, &[0.25, 0.25, 0.5], &[2], &[0]);
    let two = four.with_presence(0, &absent).and_then(|e| e.with_presence(1, &absent)).expect("one item");
    expect(&median, &two, &[0.45, 0.35, 0.2], &[0], &[0]);
}

#[test]
fn the_trimmed_mean_leaves_out_whole_sources() {
    let rows: Vec<&[f32]> = ROWS.iter().map(|row| &row[..]).collect();
    let five = Evidence::probabilities(3, &rows).expect("one item");
    // Of five, one at either end: means of (.2, .3, .6), (.2, .2, .3) and (0, .4, .6), in proportion 11 : 7 : 10.
    let trimmed = Fusion::new(Rule::Trimmed { share: 0.2 });
    expect(&trimmed, &five, &[11.0 / 28.0, 7.0 / 28.0, 10.0 / 28.0], &[0], &[0]);
    let absent = [false];
    let four = five.clone().with_presence(4, &absent).expect("one item");
    // A fifth of four is no whole source: the mean of all.
    expect(&trimmed, &four, &[0.3, 0.275, 0.425], &[2], &[0]);
    // 40% of five leave one, the median.
    expect(&Fusion::new(Rule::Trimmed { share: 0.4 }), &five, &[3.0 / 9.0, 2.0 / 9.0, 4.0 / 9.0], &[2], &[0]);
}

/// Just below a half: of two sources both are kept, or there is nothing to take a mean of.
#[test]
fn a_share_next_to_a_half_leaves_something() {
    let evidence = Evidence::probabilities(2, &[&[0.9, 0.1], &[0.5, 0.5]]).expect("one item");
    for share in [0.499, 0.4996, 0.4999, 0.499_999_97] {
        expect(&Fusion::new(Rule::Trimmed { share }), &evidence, &[0.7, 0.3], &[0], &[0]);
    }
}

#[test]
fn where_nothing_is_left_in_the_middle_the_linear_pool_stands_in() {
    let rows: [&[f32]; 3] = [&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0], &[0.0, 0.0, 1.0]];
    let evidence = Evidence::probabilities(3, &rows).expect("one item");
    let weighted = |rule| Fusion::new(rule).weighting(Weighting::Fixed(vec![1.0, 2.0, 1.0]));
    let flag = [Flags::NO_MIDDLE.0];
    expect(&weighted(Rule::Median), &evidence, &[0.25, 0.5, 0.25], &[1], &flag);
    expect(&weighted(Rule::Trimmed { share: 0.34 }), &evidence, &[0.25, 0.5, 0.25], &[1], &flag);
    expect(&weighted(Rule::Trimmed { share: 0.3 }), &evidence, &[1.0 / 3.0; 3], &[0], &[0]);
}

/// A prior of (.2, .8) and two experts who say (.5, .5): each moves the odds from 1 : 4 to 1 : 1, so together to 4 : 1. The
/// log pool knows no prior.
#[test]
fn a_product_of_experts_counts_the_prior_once() {
    let evidence = Evidence::probabilities(2, &[&[0.5, 0.5], &[0.5, 0.5]]).expect("one item");
    let product = |exponents: &[f32]| Fusion::new(Rule::Evidence { exponents: exponents.to_vec() });
    let prior = |fusion: Fusion| fusion.class_prior(vec![0.2, 0.8]);
    expect(&prior(product(&[])), &evidence, &[0.8, 0.2], &[0], &[0]);
    expect(&prior(product(&[1.0, 0.0])), &evidence, &[0.5, 0.5], &[0], &[0]);
    expect(&prior(product(&[0.0, 0.0])), &evidence, &[0.2, 0.8], &[1], &[0]);
    expect(&prior(Fusion::new(Rule::LogPool)), &evidence, &[0.5, 0.5], &[0], &[0]);
    let sure = Evidence::probabilities(2, &[&[0.8, 0.2], &[0.75, 0.25]]).expect("one item");
    // 4 : 1 and 3 : 1 make 12 : 1.
    expect(&product(&[]), &sure, &[12.0 / 13.0, 1.0 / 13.0], &[0], &[0]);
}

#[test]
fn an_extremised_pool_is_a_power_of_the_log_pool() {
    let evidence = Evidence::probabilities(2, &[&[0.8, 0.2], &[0.5, 0.5]]).expect("one item");
    let extremised = |exponent| Fusion::new(Rule::Extremised { exponent });
    expect(&extremised(1.0), &evidence, &[2.0 / 3.0, 1.0 / 3.0], &[0], &[0]);
    expect(&extremised(3.0), &evidence, &[8.0 / 9.0, 1.0 / 9.0], &[0], &[0]);
    expect(&extremised(0.0), &evidence, &[0.5, 0.5], &[0], &[0]);
}

#[test]
fn power_means_by_hand() {
    let evidence = Evidence::probabilities(2, &[&[0.8, 0.2], &[0.4, 0.6]]).expect("one item");
    let mean = |exponent| Fusion::new(Rule::PowerMean { exponent });
    expect(&mean(1.0), &evidence, &[0.6, 0.4], &[0], &[0]);
    // 2 / (1 / .8 + 1 / .4) = 8 / 15 and 2 / (1 / .2 + 1 / .6) = 3 / 10
    expect(&mean(-1.0), &evidence, &[16.0 / 25.0, 9.0 / 25.0], &[0], &[0]);
    // sqrt .8 and sqrt .4
    let (a, b) = (2.0_f32.sqrt(), 1.0);
    expect(&mean(2.0), &evidence, &[a / (a + b), b / (a + b)], &[0], &[0]);
    // The square of the mean root, of (.64, .04) and (.16, .36)
    let roots = Evidence::probabilities(3, &[&[0.64, 0.04, 0.32], &[0.16, 0.36, 0.48]]).expect("one item");
    let third = (0.32_f32.sqrt() + 0.48_f32.sqrt()) / 2.0;
    let powers = [0.36, 0.16, third * third];
    let total: f32 = powers.iter().sum();
    expect(&mean(0.5), &roots, &powers.map(|p| p / total), &[2], &[0]);
}

#[test]
fn adaptive_hears_what_was_learned_and_nothing_else() {
    let evidence = Evidence::probabilities(2, &[&[0.9, 0.1], &[0.5, 0.5]]).expect("one item");
    let adaptive = |learned: [f32; 2]| {
        Fusion::new(Rule::Adaptive { learned: learned.to_vec() }).weighting(Weighting::Fixed(vec![0.0, 1.0]))
    };
    expect(&adaptive([3.0, 1.0]), &evidence, &[0.8, 0.2], &[0], &[0]);
    // Nothing learned: the weighting of the fusion.
    expect(&adaptive([0.0, 0.0]), &evidence, &[0.5, 0.5], &[0], &[0]);
}
