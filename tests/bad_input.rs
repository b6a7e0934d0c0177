//! What a caller can get wrong, and what the answer says: what, where, and what would be right.

use consilience::{Device, Encoding, Engine, EngineOptions, Error, Evidence, Fusion, Member, Rule, Weighting};

use crate::support::engines;

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
    assert_eq!((evidence.plane(1), evidence.presence(1), evidence.confidence(1)), (&[][..], None, None));
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
    says(Fusion::default().weighting(Weighting::Confidence { gamma: f32::NAN }), "gamma is NaN, it must be in [0, 64]");
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
fn names_that_are_none() {
    let unknown = "product".parse::<Rule>().expect_err("no such rule").to_string();
    let known = "linear, vote, max_vote, bayesian_average, log_pool, ensemble";
    assert_eq!(unknown, format!("unknown rule `product`; known are {known}"));
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
    let fusion = Fusion::two_source().weighting(Weighting::Confidence { gamma: 2.0 }).class_prior(vec![0.5, 0.5]);
    let text = serde_json::to_string(&fusion).expect("plain data");
    assert_eq!(serde_json::from_str::<Fusion>(&text).expect("what was written"), fusion);
    let short: Fusion =
        serde_json::from_str(r#"{"weighting": {"confidence": {}}, "outputs": ["entropy"]}"#).expect("short");
    assert_eq!(short.weighting, Weighting::Confidence { gamma: 1.0 });
    assert_eq!(short.rule, Rule::default());
}
