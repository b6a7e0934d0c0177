//! What a caller can get wrong, and what the answer says: what, where, and what would be right.

use consilience::{
    ABSTAINED_U16, BeliefFusion, Conflict, Device, Encoding, Engine, EngineOptions, Error, Evidence, Flags, Fusion,
    MISSING_U8, Measure, Member, OnInvalid, Opinions, Output, Rule, Weighting,
};

use crate::support::{engines, specs};

/// Fuses one item of two sources and two classes.
fn refused(fusion: &Fusion) -> Error {
    let evidence = Evidence::probabilities(2, &[&[0.5, 0.5], &[0.5, 0.5]]).expect("one item");
    let (_, engine) = &engines::all()[0];
    engine.fuse(fusion, &evidence).expect_err("this must be refused")
}

#[test]
fn shapes_that_do_not_fit() {
    let said = |planes: &[&[f32]], classes| {
        let error = Evidence::probabilities(classes, planes).expect_err("this must be refused");
        assert!(error.is_shape() && !error.is_invalid_evidence(), "{error}");
        error.to_string()
    };
    assert_eq!(said(&[], 2), "evidence has no sources; give at least one plane of opinions");
    assert_eq!(said(&[&[]], 0), "evidence has no classes; an opinion needs at least one class");
    assert_eq!(
        said(&[&[0.5; 4], &[0.5; 3]], 2),
        "the plane of source 1 has 3 values, which is no multiple of 2 classes"
    );
    assert_eq!(said(&[&[0.5; 4], &[0.5; 2]], 2), "the plane of source 1 has 2 entries where the evidence needs 4");
    let evidence = Evidence::probabilities(2, &[&[0.5; 4]]).expect("two items");
    let presence = evidence.clone().with_presence(0, &[true]).expect_err("one entry for two items");
    assert_eq!(presence.to_string(), "the presence of source 0 has 1 entries where the evidence needs 2");
    assert_eq!((evidence.opinions(1), evidence.presence(1), evidence.confidence(1)), (None, None, None));
    let confidence = evidence.with_confidence(3, &[0.5; 2]).expect_err("no such source");
    assert!(confidence.is_shape() && confidence.to_string().contains("source 3"), "{confidence}");
}

#[test]
fn values_are_named_by_source_item_class_and_value() {
    let message = |encoding, rows: [f32; 4]| {
        let evidence = Evidence::new(encoding, 2, &[&[0.0, 0.0, 0.0, 0.0], &rows]);
        let first_absent = [false, false];
        let evidence = evidence.and_then(|e| e.with_presence(0, &first_absent)).expect("two items");
        let messages = engines::all()
            .iter()
            .map(|(_, engine)| engine.fuse(&Fusion::default(), &evidence).expect_err("an invalid opinion").to_string());
        let mut messages: Vec<String> = messages.collect();
        messages.dedup();
        assert_eq!(messages.len(), 1, "executors differ: {messages:?}");
        messages.remove(0)
    };
    use Encoding::{LogProbabilities, Logits, Probabilities};
    let nan = message(Probabilities, [0.5, 0.5, 0.5, f32::NAN]);
    assert_eq!(nan, "source 1, item 1, class 1: NaN is not a number");
    let infinite = message(Probabilities, [0.5, 0.5, f32::INFINITY, 0.5]);
    assert_eq!(infinite, "source 1, item 1, class 0: inf is not finite");
    let negative = message(Probabilities, [1.5, -0.5, 0.5, 0.5]);
    assert_eq!(negative, "source 1, item 0, class 1: -0.5 is negative; probabilities and confidences lie in [0, 1]");
    let sum = message(Probabilities, [0.5, 0.5, 0.5, 0.25]);
    assert!(sum.starts_with("source 1, item 1: the probabilities sum to 0.75, not to 1 within 0.001"), "{sum}");
    assert!(message(LogProbabilities, [0.0, 0.0, 0.0, f32::NEG_INFINITY]).starts_with("source 1, item 0: the prob"));
    assert!(message(LogProbabilities, [0.0, f32::NEG_INFINITY, f32::NAN, 0.0]).contains("item 1, class 0: NaN"));
    assert!(
        message(Logits, [f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0, 0.0])
            .contains("item 0: the probabilities sum to 0")
    );
    assert!(message(Logits, [1.0, 2.0, 3.0, f32::INFINITY]).contains("item 1, class 1: inf is not finite"));
}

#[test]
fn a_given_confidence_lies_between_zero_and_one() {
    for (value, says) in [
        (f32::NAN, "not a number"),
        (-0.1, "negative"),
        (1.5, "above one"),
        (f32::INFINITY, "above one"),
        (f32::NEG_INFINITY, "negative"),
    ] {
        let given = [0.5, value];
        let evidence =
            Evidence::probabilities(2, &[&[0.5; 4]]).and_then(|e| e.with_confidence(0, &given)).expect("two items");
        for (name, engine) in engines::all() {
            let error = engine.fuse(&Fusion::default(), &evidence).expect_err("an invalid confidence");
            let found = error.invalid_opinion().map(|o| (o.source, o.item));
            assert_eq!(found, Some((0, 1)), "{name}");
            assert!(error.to_string().contains(says), "{name}: {error}");
        }
    }
}

#[test]
fn specifications_that_cannot_be_carried_out() {
    let says = |fusion: Fusion, text: &str| {
        let error = refused(&fusion);
        assert!(error.is_spec() && error.to_string().contains(text), "{error}");
    };
    let weighted = |weights: &[f32]| Fusion::default().weighting(Weighting::Fixed(weights.to_vec()));
    says(weighted(&[1.0]), "the fixed weights has 1 entries, the evidence has 2 sources");
    says(weighted(&[1.0, f32::INFINITY]), "an entry of the fixed weights is inf, it must be finite and not negative");
    says(weighted(&[1.0, -1.0]), "is -1");
    says(
        Fusion::default().weighting(Weighting::Confidence { gamma: f32::NAN, measure: Measure::Max }),
        "gamma is NaN, it must be in [0, 64]",
    );
    says(Fusion::default().weighting(Weighting::Adaptive { beta: 2.0, learned: vec![1.0; 2] }), "beta is 2");
    says(Fusion::default().source_priors(vec![0.0; 2]), "source_priors is 0, it must be a list with a sum above zero");
    says(Fusion::default().class_prior(vec![1.0; 3]), "class_prior has 3 entries, the evidence has 2 classes");
    says(Fusion::default().log_floor(0.0), "log_floor is 0");
    says(Fusion::new(Rule::Ensemble(vec![])), "no share is above zero");
    let nested = Rule::ensemble(&[Rule::default()]);
    says(Fusion::new(nested), "a member is an ensemble itself");
    says(Fusion::new(Rule::Ensemble(vec![Member { rule: Rule::Linear, weight: -1.0 }])), "share of linear is -1");
    says(Fusion::default().outputs(&[]), "no output is asked for; ask for at least one of posterior, decision");
}

#[test]
fn parameters_of_rules_and_weightings() {
    let says = |fusion: Fusion, text: &str| {
        let error = refused(&fusion);
        assert!(error.is_spec() && error.to_string().contains(text), "{error}");
    };
    let rule = |rule| Fusion::new(rule);
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0];
    for value in bad {
        let entry = |name: &str| format!("{name} is {value}, it must be finite and not negative");
        says(rule(Rule::Evidence { exponents: vec![1.0, value] }), &entry("an entry of the exponents of evidence"));
        says(rule(Rule::Adaptive { learned: vec![1.0, value] }), &entry("an entry of the learned weights of adaptive"));
        let weighted = |weighting| Fusion::default().weighting(weighting);
        says(weighted(Weighting::PerClass(vec![1.0, 1.0, value, 1.0])), &entry("an entry of the weights per class"));
        says(
            weighted(Weighting::Performance(vec![value, 1.0])),
            &entry("an entry of the reliabilities of performance"),
        );
        says(Fusion::default().reliabilities(vec![0.5, value]), "a reliability is");
        says(Fusion::default().source_temperatures(vec![1.0, value]), "a temperature is");
        says(Fusion::default().temperature(value), "it must be in [0.001, 1000]");
        says(
            rule(Rule::Confusion { matrices: [vec![0.5; 11], vec![value]].concat() }),
            "an entry of a confusion matrix is",
        );
        says(rule(Rule::Extremised { exponent: value }), "the exponent of extremised is");
        says(rule(Rule::Trimmed { share: value }), "the share of trimmed is");
        let consensus = Weighting::Consensus { divergence: consilience::Divergence::Hellinger, steepness: value };
        says(weighted(consensus), &format!("steepness is {value}, it must be in [0, 1e6]"));
    }
    for value in &bad[..3] {
        let stacked = |weights: f32, bias: f32| Rule::Stacked { weights: vec![weights; 8], bias: vec![0.0, bias] };
        says(rule(stacked(*value, 0.0)), &format!("a weight of stacked is {value}, it must be finite"));
        says(rule(stacked(0.0, *value)), &format!("a weight of stacked is {value}, it must be finite"));
        says(rule(Rule::PowerMean { exponent: *value }), "the exponent of power_mean is");
    }
    says(Fusion::default().reliabilities(vec![0.5, 1.5]), "a reliability is 1.5, it must be in [0, 1]");
    says(Fusion::default().temperature(0.0), "a temperature is 0, it must be in [0.001, 1000]");
    says(rule(Rule::Trimmed { share: 0.5 }), "the share of trimmed is 0.5, it must be in [0, 0.5)");
    says(rule(Rule::Extremised { exponent: 17.0 }), "the exponent of extremised is 17, it must be in [0, 16]");
    for exponent in [0.0, 0.05, -0.05, 5.0, -5.0] {
        says(rule(Rule::PowerMean { exponent }), "at most 80 / -ln(log_floor), 4.96 for a log_floor of 1e-7");
    }
    says(rule(Rule::Confusion { matrices: [vec![0.5; 11], vec![1.5]].concat() }), "is 1.5, it must be in [0, 1]");
}

#[test]
fn lists_of_another_length() {
    let says = |fusion: Fusion, text: &str| {
        let error = refused(&fusion);
        assert!(error.is_spec() && error.to_string().contains(text), "{error}");
    };
    let sources = |name: &str| format!("{name} has 3 entries, the evidence has 2 sources");
    let three = || vec![1.0; 3];
    says(Fusion::new(Rule::Evidence { exponents: three() }), &sources("the exponents of evidence"));
    says(Fusion::new(Rule::Adaptive { learned: three() }), &sources("the learned weights of adaptive"));
    says(Fusion::default().reliabilities(three()), &sources("reliabilities"));
    says(Fusion::default().source_temperatures(three()), &sources("source_temperatures"));
    let per_class = Fusion::default().weighting(Weighting::PerClass(three()));
    says(per_class, "the weights per class has 3 entries, the evidence has 4 sources x classes");
    let confusion = Rule::Confusion { matrices: vec![0.5; 8] };
    says(
        Fusion::new(confusion),
        "the confusion matrices has 8 entries, the evidence has 12 sources x classes x (classes + 1)",
    );
    let stacked = |weights, bias| Fusion::new(Rule::Stacked { weights: vec![0.0; weights], bias: vec![0.0; bias] });
    says(stacked(4, 2), "the weights of stacked has 4 entries, the evidence has 8 sources x classes x classes");
    says(stacked(8, 3), "the bias of stacked has 3 entries, the evidence has 2 classes");
}

#[test]
fn ensembles_and_outputs_that_make_no_sense() {
    let says = |fusion: Fusion, text: &str| {
        let error = refused(&fusion);
        assert!(error.is_spec() && error.to_string().contains(text), "{error}");
    };
    says(Fusion::new(Rule::ensemble(&[Rule::Linear, Rule::Vote, Rule::Linear])), "a member is there twice");
    let twice = [Rule::Trimmed { share: 0.1 }, Rule::Trimmed { share: 0.2 }];
    says(Fusion::new(Rule::ensemble(&twice)), "a member is there twice");
    let both = [Rule::Belief(BeliefFusion::Averaging), Rule::Belief(BeliefFusion::Weighted)];
    says(Fusion::new(Rule::ensemble(&both)), "a member is there twice");
    let zero = Rule::Ensemble(vec![Member { rule: Rule::Linear, weight: 0.0 }]);
    says(Fusion::new(zero), "no share is above zero");
    for rule in [
        Rule::Median,
        Rule::Trimmed { share: 0.2 },
        Rule::PowerMean { exponent: 2.0 },
        Rule::DempsterShafer { conflict: Conflict::Ignorance },
        Rule::ensemble(&[Rule::Linear, Rule::LogPool]),
        Rule::ensemble(&[Rule::LogPool, Rule::Extremised { exponent: 2.0 }]),
    ] {
        let fusion = Fusion::new(rule).outputs(&[Output::Contributions]);
        says(fusion, "contributions need rules that add up");
    }
    // A share of zero is no part of the mixture.
    let shares = [(Rule::LogPool, 1.0), (Rule::Median, 0.0)].map(|(rule, weight)| Member { rule, weight });
    let (_, engine) = &engines::all()[0];
    let evidence = Evidence::probabilities(2, &[&[0.8, 0.2]]).expect("one item");
    let fusion = Fusion::new(Rule::Ensemble(shares.to_vec())).outputs(&[Output::Contributions]);
    let fused = engine.fuse(&fusion, &evidence).expect("a log pool alone");
    assert!((fused.contributions()[0] - 4.0_f32.ln()).abs() < 1e-5, "{:?}", fused.contributions());
}

#[test]
fn labels_that_are_no_class() {
    let (good, bad, wide) = ([0, 2, MISSING_U8], [1, 1, 3], [1, 300, ABSTAINED_U16]);
    for (second, item, label) in [(Opinions::LabelsU8(&bad), 2, 3), (Opinions::LabelsU16(&wide), 1, 300)] {
        let evidence = Evidence::of(3, &[Opinions::LabelsU8(&good), second]).expect("three items");
        for (name, engine) in engines::all() {
            let error = engine.fuse(&Fusion::default(), &evidence).expect_err("no such class");
            assert!(error.is_invalid_evidence(), "{name}: {error}");
            let want = format!("source 1, item {item}: label {label} is no class; classes are 0 to 2");
            assert_eq!(error.to_string(), want, "{name}");
            let left_out = Fusion::new(Rule::Linear).on_invalid(OnInvalid::Missing).outputs(&Output::ALL);
            let fused = engine.fuse(&left_out, &evidence).expect("left out");
            assert!(fused.flags_of(item).contains(Flags::INVALID_LEFT_OUT), "{name}: {:?}", fused.flags());
        }
    }
    let mut row = [0.0; 3];
    let evidence = Evidence::of(3, &[Opinions::LabelsU8(&bad)]).expect("three items");
    let alone = evidence.opinion(0, 2, &mut row).expect_err("no such class");
    assert_eq!(alone.to_string(), "source 0, item 2: label 3 is no class; classes are 0 to 2");
}

#[test]
fn forms_that_do_not_hold_so_many_classes() {
    let said = |classes, opinions: Opinions<'_>| {
        let error = Evidence::of(classes, &[opinions]).expect_err("this must be refused");
        assert!(error.is_shape(), "{error}");
        error.to_string()
    };
    let (labels, wide, binary) = ([0, 1], [0, 1], [0.5, 0.25]);
    let narrow = said(300, Opinions::LabelsU8(&labels));
    assert_eq!(narrow, "source 0 comes as labels u8, which holds 254 classes, not 300; use a wider form");
    assert!(said(255, Opinions::LabelsU8(&labels)).contains("not 255"));
    assert!(Evidence::of(254, &[Opinions::LabelsU8(&labels)]).is_ok_and(|evidence| evidence.items() == 2));
    assert!(said(65_536, Opinions::LabelsU16(&wide)).contains("labels u16, which holds 65534 classes, not 65536"));
    assert!(said(65_535, Opinions::LabelsU16(&wide)).contains("not 65535"));
    assert!(Evidence::of(65_534, &[Opinions::LabelsU16(&wide)]).is_ok_and(|evidence| evidence.items() == 2));
    assert!(said(3, Opinions::Binary(&binary)).contains("binary f32, which holds 2 classes, not 3"));
    assert!(said(1, Opinions::Binary(&binary)).contains("not 1"));
}

#[test]
fn ragged_sources_of_several_forms() {
    let (labels, quantised, logits) = ([0_u16, 1], [1, 2, 3, 4, 5, 6], [half::bf16::ONE; 5]);
    let said = |sources: &[Opinions<'_>]| {
        let error = Evidence::of(3, sources).expect_err("this must be refused");
        assert!(error.is_shape(), "{error}");
        error.to_string()
    };
    let ragged = said(&[Opinions::LabelsU16(&labels), Opinions::LogitsBf16(&logits)]);
    assert_eq!(ragged, "the plane of source 1 has 5 values, which is no multiple of 3 classes");
    let longer = said(&[Opinions::QuantisedU8(&quantised), Opinions::LabelsU16(&labels[..1])]);
    assert_eq!(longer, "the plane of source 1 has 1 entries where the evidence needs 2");
    let shorter = said(&[Opinions::LabelsU16(&labels), Opinions::QuantisedU8(&quantised[..3])]);
    assert_eq!(shorter, "the plane of source 1 has 3 entries where the evidence needs 6");
}

#[test]
fn as_many_classes_as_16_bits_cannot_tell_apart() {
    let classes = 65_536;
    let mut row = vec![0.0_f32; classes];
    row[classes - 1] = 0.75;
    row[0] = 0.25;
    let evidence = Evidence::probabilities(classes, &[&row]).expect("one item");
    for (name, engine) in engines::all() {
        let fused = engine.fuse(&Fusion::new(Rule::Linear), &evidence).expect("valid evidence");
        assert_eq!((fused.decision(), fused.confidence()), (&[65_535][..], &[0.75][..]), "{name}");
    }
}

#[test]
fn names_that_are_none() {
    let unknown = "product".parse::<Rule>().expect_err("no such rule").to_string();
    let known = "linear, vote, max_vote, bayesian_average, log_pool, extremised, evidence, power_mean, median, trimmed, \
                 dempster_shafer, yager, cumulative_belief, averaging_belief, weighted_belief, ensemble; extremised:A, \
                 power_mean:R and trimmed:SHARE take a number";
    assert_eq!(unknown, format!("unknown rule `product`; known are {known}"));
    for text in ["median:1", "power_mean:x", "trimmed:", "extremised:1,2"] {
        assert!(text.parse::<Rule>().is_err_and(|error| error.to_string().contains(text)), "{text}");
    }
    assert_eq!("power_mean:-1".parse::<Rule>().expect("a rule"), Rule::PowerMean { exponent: -1.0 });
    assert_eq!("yager".parse::<Rule>().expect("a rule"), Rule::DempsterShafer { conflict: Conflict::Ignorance });
    assert!(
        "fixed:1,x".parse::<Weighting>().expect_err("no number").to_string().contains("unknown weighting `fixed:1,x`")
    );
    assert!("mode".parse::<consilience::Output>().expect_err("no output").to_string().contains("posterior, decision"));
    let in_a_file = serde_json::from_str::<Fusion>(r#"{ "rule": "product" }"#).expect_err("no such rule").to_string();
    assert!(in_a_file.contains("unknown variant `product`"), "{in_a_file}");
    let misspelt = serde_json::from_str::<Fusion>(r#"{ "rules": "vote" }"#).expect_err("no such field").to_string();
    assert!(misspelt.contains("unknown field `rules`"), "{misspelt}");
}

#[test]
fn devices_that_are_not_there() {
    let open = |device| Engine::open(&EngineOptions { device, ..EngineOptions::default() });
    let error = open(Device::Named("no such adapter".to_owned())).expect_err("no such adapter");
    assert!(error.is_device(), "{error}");
    let expected = if cfg!(feature = "gpu") { "no GPU for `no such adapter`" } else { "build with the feature `gpu`" };
    assert!(error.to_string().contains(expected), "{error}");
    let threads = Engine::open(&EngineOptions { device: Device::Cpu, threads: Some(0), ..EngineOptions::default() });
    assert!(threads.expect_err("no threads").to_string().contains("give at least 1"));
}

#[test]
fn specifications_travel_as_json() {
    let fusion = Fusion::two_source()
        .weighting(Weighting::Confidence { gamma: 2.0, measure: Measure::Max })
        .class_prior(vec![0.5, 0.5]);
    let text = serde_json::to_string(&fusion).expect("plain data");
    assert_eq!(serde_json::from_str::<Fusion>(&text).expect("what was written"), fusion);
    let short: Fusion =
        serde_json::from_str(r#"{"weighting": {"confidence": {}}, "outputs": ["entropy"]}"#).expect("short");
    assert_eq!(short.weighting, Weighting::Confidence { gamma: 1.0, measure: Measure::Max });
    assert_eq!(short.rule, Rule::default());
    let everything = Fusion::new(specs::everything(2, 2, 1))
        .reliabilities(vec![0.5, 1.0])
        .source_temperatures(vec![1.5, 1.0])
        .temperature(0.1)
        .outputs(&Output::ALL);
    for weighting in specs::weightings(2, 2, 1) {
        let fusion = everything.clone().weighting(weighting);
        let text = serde_json::to_string(&fusion).expect("plain data");
        assert_eq!(serde_json::from_str::<Fusion>(&text).expect("what was written"), fusion, "{text}");
    }
    let bare: Fusion =
        serde_json::from_str(r#"{"rule": {"evidence": {}}, "weighting": {"consensus": {}}}"#).expect("bare");
    assert_eq!(bare.rule, Rule::Evidence { exponents: vec![] });
    assert_eq!(bare.weighting.name(), "consensus");
}
