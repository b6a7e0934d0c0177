//! Everything an answer depends on changes its key.

mod fusions;

use std::collections::{HashMap, HashSet};

use consilience::Fusion;
use consilience::orchestration::cache::{Ask, Cache, Combination, Input, PosteriorKey, Recipe, Version};
use consilience::orchestration::{Opinion, Peer, Stop};
use serde::Serialize;
use serde::ser::Error;

use self::fusions::fusions;
use super::{recipe, version};

/// Keys are of one cache at one time, so that nothing differs but what is put in.
fn distinct<K: std::fmt::Debug>(cases: &[(String, K)]) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (name, key) in cases {
        let before = seen.insert(format!("{key:?}"), name);
        assert_eq!(before, None, "{name} has the key of another");
    }
}

#[test]
fn every_part_of_a_question_is_in_the_key_of_its_answer() {
    let cache: Cache = super::cache(Default::default());
    let (input, other_input) = (Input::of("cat or dog?").unwrap(), Input::of("cat or dog!").unwrap());
    let source = version("model");
    let peer = |name: &str, opinion: Opinion, content: Option<&str>| Peer {
        name: name.into(),
        opinion,
        content: content.map(str::to_owned),
    };
    let probabilities = || Opinion::Probabilities(vec![0.25, 0.75]);
    let peers = [peer("a", probabilities(), None)];
    let base = Ask { input: &input, classes: 2, source: &source, attempt: 0, peers: &peers };
    let sources =
        [version("mode1"), Version::new("model", "2"), Version::new("mode", "l1"), Version::new("model1", "")];
    let lists: Vec<Vec<Peer>> = [
        vec![],
        vec![peer("b", probabilities(), None)],
        vec![peer("a", probabilities(), Some(""))],
        vec![peer("a", probabilities(), Some("a"))],
        vec![peer("a", probabilities(), None), peer("a", probabilities(), None)],
        vec![peer("a", probabilities(), None), peer("b", probabilities(), None)],
        vec![peer("b", probabilities(), None), peer("a", probabilities(), None)],
    ]
    .into_iter()
    .chain(
        [
            Opinion::Probabilities(vec![0.75, 0.25]),
            Opinion::Probabilities(vec![0.25, 0.75, 0.0]),
            Opinion::Probabilities(vec![0.25, 0.75, -0.0]),
            Opinion::Probabilities(vec![]),
            Opinion::LogProbabilities(vec![0.25, 0.75]),
            Opinion::Logits(vec![0.25, 0.75]),
            Opinion::label(0),
            Opinion::label(1),
            Opinion::Label { class: 0, confidence: Some(0.0) },
            Opinion::Label { class: 0, confidence: Some(1.0) },
            Opinion::Binary(0.0),
            Opinion::Binary(f32::NAN),
            Opinion::Binary(-f32::NAN),
            Opinion::Abstained,
        ]
        .map(|opinion| vec![peer("a", opinion, None)]),
    )
    .collect();
    let mut asks =
        vec![base, Ask { input: &other_input, ..base }, Ask { classes: 3, ..base }, Ask { attempt: 1, ..base }];
    asks.extend(sources.iter().map(|source| Ask { source, ..base }));
    asks.extend(lists.iter().map(|peers| Ask { peers, ..base }));
    let named: Vec<_> = asks.iter().map(|ask| (format!("{ask:?}"), cache.opinion_key(ask))).collect();
    distinct(&named);
    assert_eq!(cache.opinion_key(&base), cache.opinion_key(&base));

    // A generation is in it, too.
    let before = cache.opinion_key(&base);
    cache.invalidate_source("another");
    assert_eq!(cache.opinion_key(&base), before);
    cache.invalidate_source("model");
    let after = cache.opinion_key(&base);
    assert_ne!(after, before);
    cache.invalidate_all();
    assert!(![before, after].contains(&cache.opinion_key(&base)));
}

fn posterior(cache: &Cache, recipe: &Recipe<'_>) -> PosteriorKey {
    let input = Input::of("cat or dog?").unwrap();
    cache.posterior_key(&input, &Combination::of(recipe).expect("a recipe"))
}

#[test]
fn every_part_of_a_recipe_is_in_the_key_of_its_answer() {
    let cache: Cache = super::cache(Default::default());
    let (fusion, stop) = (Fusion::default(), Stop::default());
    let sources = [version("a"), version("b")];
    let base = recipe(&sources, &fusion, &stop);
    let stops = [
        Stop::LOCKED,
        Stop::default().or_at(0.9, 0),
        Stop::default().or_at(0.8, 0),
        Stop { quorum: 1, ..Stop::default() },
    ];
    let lists = [
        vec![version("a")],
        vec![version("b"), version("a")],
        vec![version("a"), version("b"), version("c")],
        vec![version("a"), Version::new("b", "2")],
        vec![Version::new("a", "2"), version("b")],
    ];
    let (judge, revised) = (version("c"), Version::new("c", "2"));
    let fusions = fusions();
    let mut recipes = vec![
        base,
        Recipe { classes: 3, ..base },
        Recipe { judge: Some(&judge), ..base },
        Recipe { judge: Some(&revised), ..base },
        Recipe { penalty: 0.8, ..base },
        Recipe { settings: &[0], ..base },
        Recipe { settings: &[0, 0], ..base },
    ];
    recipes.extend(lists.iter().map(|sources| Recipe { sources, ..base }));
    recipes.extend(stops.iter().map(|stop| Recipe { stop, ..base }));
    recipes.extend(fusions.iter().map(|(_, fusion)| Recipe { fusion, ..base }));
    let named: Vec<_> = recipes.iter().map(|recipe| (format!("{recipe:?}"), posterior(&cache, recipe))).collect();
    distinct(&named);
    assert_eq!(posterior(&cache, &base), posterior(&cache, &base));

    // Another input, and another generation of any of the sources or of who judges.
    let combination = Combination::of(&Recipe { judge: Some(&judge), ..base }).unwrap();
    let input = Input::of("cat or dog?").unwrap();
    let before = cache.posterior_key(&input, &combination);
    assert_ne!(cache.posterior_key(&Input::of("cat?").unwrap(), &combination), before);
    let mut keys = vec![format!("{before:?}")];
    for source in ["a", "b", "c"] {
        cache.invalidate_source(source);
        keys.push(format!("{:?}", cache.posterior_key(&input, &combination)));
    }
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 4);
}

/// The list above is complete: a field that is added to a fusion is missing in it.
#[test]
fn every_field_of_a_fusion_was_changed_once() {
    let form = serde_json::to_value(Fusion::default()).unwrap();
    let fields: HashSet<&str> = form.as_object().unwrap().keys().map(String::as_str).collect();
    let changed: HashSet<&str> = fusions().iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, changed);
}

#[test]
fn inputs_of_different_types_or_bits_differ() {
    let inputs = [
        ("str", Input::of("ab").unwrap()),
        ("String", Input::of(&"ab".to_owned()).unwrap()),
        ("slice", Input::of(b"ab".as_slice()).unwrap()),
        ("bytes", Input::bytes(b"ab")),
        ("pair", Input::of(&("a", "b")).unwrap()),
        ("other pair", Input::of(&("ab", "")).unwrap()),
        ("none", Input::of(&None::<u8>).unwrap()),
        ("zero", Input::of(&Some(0_u8)).unwrap()),
        ("zeros", Input::of([0.0_f32, 0.0].as_slice()).unwrap()),
        ("negative", Input::of([0.0_f32, -0.0].as_slice()).unwrap()),
        ("one zero", Input::of([0.0_f32].as_slice()).unwrap()),
        ("no number", Input::of([f32::NAN, 0.0].as_slice()).unwrap()),
        ("another", Input::of([-f32::NAN, 0.0].as_slice()).unwrap()),
    ];
    distinct(&inputs.map(|(name, input)| (name.to_owned(), input)));
}

/// A format change must come with another version in the form: keys of old and new must never be alike.
#[test]
fn the_hash_of_an_input_is_blake3_of_its_form() {
    let mut form = Vec::new();
    for part in [b"consilience cache 1 ".as_slice(), b"bytes", b"ab"] {
        form.extend((part.len() as u64).to_le_bytes());
        form.extend(part);
    }
    let want = blake3::hash(&form);
    assert_eq!(format!("{:?}", Input::bytes(b"ab")), format!("Input({:?})", want.as_bytes()));
}

#[test]
fn what_cannot_be_serialised_and_no_sources_are_refused() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("broken"))
        }
    }
    let refused = Input::of(&Broken).expect_err("no form");
    assert!(refused.is_request());
    assert!(refused.to_string().starts_with("the input cannot be serialised"), "{refused}");
    let (fusion, stop) = (Fusion::default(), Stop::default());
    let recipe =
        Recipe { classes: 2, sources: &[], judge: None, fusion: &fusion, stop: &stop, penalty: 0.9, settings: &[] };
    let refused = Combination::of(&recipe).expect_err("no sources");
    assert_eq!(refused.to_string(), "there are no sources; add at least one");
}
