//! Truth inference while annotations arrive, against sums that are taken anew each time.

mod merge;
mod state;

use consilience::truth::{ABSTAINED, Annotations, DawidSkene, Duplicates, Known, Online, OnlineOptions};
use consilience::{Engine, ErrorKind, Result, TruthError};

use crate::support::annotated::{Annotated, Asked, dawid_skene};
use crate::support::stream::Naive;

/// One thing after the other, said to both.
struct Pair {
    online: Online,
    naive: Naive,
}

impl Pair {
    fn new(classes: usize, options: OnlineOptions) -> Self {
        let mut naive = Naive::new(classes);
        naive.per_class = options.per_class.into();
        naive.half_life = options.half_life.map(f64::from);
        naive.replaces = options.duplicates == Duplicates::Last;
        Self { online: Online::new(classes, options).expect("valid options"), naive }
    }

    fn add(&mut self, item: u32, source: u32, label: u32) {
        let got = self.online.add(item, source, label).expect("a valid annotation").to_vec();
        close(&got, self.naive.add(item, source, label), "the posterior answered");
    }

    fn add_all(&mut self, of: &Annotated) {
        (0..of.items.len()).for_each(|i| self.add(of.items[i], of.sources[i], of.labels[i]));
    }

    fn set_gold(&mut self, item: u32, class: u32) {
        self.online.set_gold(item, class).expect("a valid class");
        self.naive.set_gold(item, class as usize);
    }

    fn set_counts(&mut self, source: u32, counts: &[f32]) {
        self.online.set_counts(source, counts).expect("valid counts");
        self.naive.known.insert(source, counts.to_vec());
        self.naive.sources = self.naive.sources.max(source as usize + 1);
    }

    fn check(&self) {
        check(&self.online, &self.naive);
    }
}

/// With nothing that the batch method does not have.
const AS_BATCH: OnlineOptions = OnlineOptions {
    diagonal: 0.6,
    off_diagonal: 0.1,
    per_class: 0.0,
    duplicates: Duplicates::KeepAll,
    half_life: None,
};

/// Everything that can be asked.
fn check(online: &Online, naive: &Naive) {
    let (prior, tables) = naive.tables();
    close(online.prior(), &prior, "the class prior");
    assert_eq!(online.sources(), tables.len());
    let answers = online.classes() + 1;
    for (source, table) in tables.iter().enumerate() {
        close(&online.confusion(source), table, &format!("source {source}"));
        let skill: f64 = prior.iter().enumerate().map(|(k, p)| p * table[k * answers + k]).sum();
        close(&online.skill()[source..=source], &[skill], "the skill");
    }
    for item in 0..online.items() {
        let want = naive.items.get(&(item as u32)).map_or(&prior, |of| &of.posterior);
        close(online.posterior(item), want, &format!("item {item}"));
    }
    assert_eq!(online.len(), naive.items.values().map(|of| of.said.len()).sum::<usize>());
    if let Ok(annotations) = online.annotations() {
        for item in 0..online.items() {
            let said = naive.items.get(&(item as u32)).map_or(&[][..], |of| &of.said);
            let label = |answer: usize| if answer == online.classes() { ABSTAINED } else { answer as u32 };
            let want = said.iter().map(|&(source, answer)| (source, label(answer)));
            assert!(annotations.of_item(item).eq(want), "item {item}");
        }
    }
    let (got, want) = (online.objective(), naive.objective());
    assert!((got - want).abs() <= 1e-10 * want.abs(), "{got} {want}");
}

fn close(got: &[f64], want: &[f64], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let near = got.iter().zip(want).all(|(got, want)| (got - want).abs() <= 1e-10);
    assert!(near, "{what}: {got:?} {want:?}");
}

fn furthest(one: &Online, other: &[f64]) -> f64 {
    let all = (0..one.items()).flat_map(|item| one.posterior(item));
    all.zip(other).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
}

fn converge(online: &mut Online) {
    assert!((0..200).any(|_| online.refine(10) < 1e-13), "it does not end");
}

#[test]
fn every_sum_is_that_of_what_is_believed_now() {
    for half_life in [None, Some(1), Some(30)] {
        let mut pair = Pair::new(3, OnlineOptions { half_life, ..OnlineOptions::default() });
        pair.check();
        // With a half-life of one it doubles 1,500 times.
        let of = Annotated::random(if half_life == Some(1) { 300 } else { 60 }, 9, 5, 3, 0.15, 31);
        for i in 0..of.items.len() {
            pair.add(of.items[i], of.sources[i], of.labels[i]);
            if i % 50 == 0 {
                pair.check();
            }
        }
        pair.check();
    }
}

#[test]
fn a_label_takes_the_place_of_an_earlier_one_where_it_is_asked_to() {
    for duplicates in [Duplicates::KeepAll, Duplicates::Last] {
        let mut pair = Pair::new(2, OnlineOptions { duplicates, half_life: Some(20), ..OnlineOptions::default() });
        for (i, label) in [0, 1, 1, ABSTAINED, 0, 1, 0, 0, 1, 1, ABSTAINED, 1].into_iter().cycle().take(90).enumerate()
        {
            pair.add(i as u32 * 7 % 5, i as u32 * i as u32 % 3, label);
        }
        pair.check();
        assert_eq!(pair.online.len(), if duplicates == Duplicates::Last { 10 } else { 90 });
    }
}

#[test]
fn what_is_known_of_items_and_sources_counts() {
    for half_life in [None, Some(40)] {
        let mut pair = Pair::new(3, OnlineOptions { half_life, ..OnlineOptions::default() });
        let of = Annotated::random(40, 8, 4, 3, 0.1, 32);
        // Of an item that nobody annotates, of one that has no annotation yet, and of a source that is still to come.
        pair.set_gold(50, 2);
        pair.set_gold(3, of.truth[3]);
        let counts = [9.0, 1.0, 1.0, 0.5, 0.1, 4.0, 2.0, 1e-6, 0.3, 0.3, 7.0, 100.0];
        pair.set_counts(10, &counts);
        pair.set_counts(5, &counts.map(|count| count + 1.0));
        pair.check();
        pair.add_all(&of);
        // Of items with annotations.
        pair.set_gold(7, (of.truth[7] + 1) % 3);
        pair.set_gold(7, (of.truth[7] + 1) % 3);
        pair.set_counts(10, &counts.map(|count| 2.0 * count + 1.0));
        pair.add(7, 10, 0);
        pair.add(7, 2, 1);
        pair.check();
        assert_eq!(pair.online.decision(7), Some((of.truth[7] + 1) % 3));
        assert_eq!(pair.online.decision(50), Some(2));
        assert_eq!(pair.online.posterior(45), pair.online.prior());
        assert_eq!((pair.online.posterior(51), pair.online.decision(51)), (&[][..], None));
        assert!(pair.online.confusion(11).is_empty());
    }
}

#[test]
fn no_pass_lowers_the_bound() {
    for (half_life, per_class) in [(None, 0.0), (None, 3.5), (Some(100), 1.0)] {
        let mut pair = Pair::new(4, OnlineOptions { half_life, per_class, ..OnlineOptions::default() });
        pair.add_all(&Annotated::random(120, 25, 4, 4, 0.1, 33));
        pair.set_gold(0, 1);
        let (mut before, mut sum) = (pair.naive.bound(), 0.0);
        for pass in 0..60 {
            let old = pair.online.clone();
            let change = pair.online.refine(1);
            let all: Vec<f64> = (0..old.items()).flat_map(|item| old.posterior(item)).copied().collect();
            assert_eq!(change, furthest(&pair.online, &all), "pass {pass}");
            pair.naive.believe(&pair.online);
            let bound = pair.naive.bound();
            assert!(bound >= before - 1e-12 * before.abs(), "pass {pass}: {before} {bound}");
            assert!(pair.online.objective() >= bound - 1e-12 * bound.abs(), "pass {pass}");
            (before, sum) = (bound, sum + change);
        }
        assert!(sum > 0.5, "it had nothing to do: {sum}");
        pair.check();
        converge(&mut pair.online);
        pair.naive.believe(&pair.online);
        // Where nothing changes, the bound is the objective.
        let (bound, objective) = (pair.naive.bound(), pair.online.objective());
        assert!((bound - objective).abs() <= 1e-10 * objective.abs(), "{bound} {objective}");
    }
}

#[test]
fn enough_passes_lead_where_the_method_leads_that_sees_all() -> Result<()> {
    let of = Annotated::random(300, 20, 6, 3, 0.1, 34);
    let gold = [(0, of.truth[0]), (1, of.truth[1])];
    let mut online = Online::new(3, AS_BATCH)?;
    for i in 0..of.items.len() {
        online.add(of.items[i], of.sources[i], of.labels[i])?;
    }
    gold.iter().try_for_each(|&(item, class)| online.set_gold(item, class))?;
    converge(&mut online);

    let counts = [f64::from(0.6_f32), f64::from(0.1_f32)];
    let want = dawid_skene(&of, &Asked { counts, gold: gold.to_vec(), iterations: 2000, ..Asked::default() });
    assert!(furthest(&online, &want.posterior) < 1e-9, "{}", furthest(&online, &want.posterior));
    close(online.prior(), &want.prior, "the class prior");
    let (got, last) = (online.objective(), want.objective.last().copied().unwrap_or_default());
    assert!((got - last).abs() <= 1e-11 * last.abs(), "{got} {last}");

    let method = DawidSkene { max_iterations: 2000, look_every: 2000, ..DawidSkene::default() };
    let engine = Engine::cpu()?;
    let fit = method.fit_with(&engine, &of.annotations(), &Known { gold: &gold, ..Known::default() })?;
    let found: Vec<f64> = fit.posterior().iter().copied().map(f64::from).collect();
    assert!(furthest(&online, &found) < 1e-5, "{}", furthest(&online, &found));
    Ok(())
}

/// There and back: neither has anything to add to what the other found.
#[test]
fn a_fit_is_handed_over_both_ways() -> Result<()> {
    let engine = Engine::cpu()?;
    for abstains in [0.0, 0.2] {
        let of = Annotated::random(200, 15, 6, 3, abstains, 35);
        let mut online = Online::new(3, AS_BATCH)?;
        // The last item has no annotation.
        online.grow(201, 15)?;
        for i in 0..of.items.len() {
            online.add(of.items[i], of.sources[i], of.labels[i])?;
        }
        let annotations = online.annotations()?;
        assert_eq!((annotations.items(), annotations.sources(), annotations.len()), (201, 15, 1200));
        for item in 0..200 {
            assert!(annotations.of_item(item).eq(of.annotations().of_item(item)), "item {item}");
        }
        converge(&mut online);
        let fit = online.fit();
        let wide: Vec<f64> = fit.posterior().iter().copied().map(f64::from).collect();
        assert!(furthest(&online, &wide) < 1e-7);
        assert_eq!((fit.skill(), fit.iterations()), (&online.skill()[..], 0));
        assert_eq!(fit.objective(), [online.objective()]);
        let method = DawidSkene { max_iterations: 1, look_every: 1, ..DawidSkene::default() };
        let known = Known { warm: Some(&fit), ..Known::default() };
        let after = method.fit_with(&engine, &annotations, &known)?;
        assert_eq!(after.decision(), fit.decision());
        if abstains > 0.0 {
            let after: Vec<f64> = after.posterior().iter().copied().map(f64::from).collect();
            assert!(furthest(&online, &after) < 1e-5, "{}", furthest(&online, &after));
        }
        // Where nobody abstains, that they could is not the batch method's.
        let answers = if abstains > 0.0 { 4 } else { 3 };
        let got = fit.confusions().expect("it has them").of(3);
        let mut want = Vec::new();
        for row in online.confusion(3).chunks_exact(4) {
            let whole: f64 = row[..answers].iter().sum();
            want.extend(row[..answers].iter().map(|share| share / whole));
        }
        assert!(
            got.len() == want.len() && got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-6),
            "{got:?} {want:?}"
        );

        let mut resumed = Online::resume(&annotations, &fit, AS_BATCH)?;
        assert!(furthest(&resumed, &wide) < 1e-7);
        assert_eq!((resumed.items(), resumed.sources(), resumed.len()), (201, 15, 1200));
        let confusions = (0..15).map(|source| (resumed.confusion(source), online.confusion(source)));
        confusions.for_each(|(got, want)| assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6)));
        converge(&mut resumed);
        let all: Vec<f64> = (0..online.items()).flat_map(|item| online.posterior(item)).copied().collect();
        assert!(furthest(&resumed, &all) < 1e-10, "{}", furthest(&resumed, &all));
    }
    let annotations = Annotations::new(2, &[0, 1], &[0, 0], &[0, 1])?;
    let fit = DawidSkene::default().fit(&engine, &annotations)?;
    let resume = |classes, items: &[u32], duplicates| {
        let annotations = Annotations::new(classes, items, &vec![0; items.len()], &vec![0; items.len()])?;
        Online::resume(&annotations, &fit, OnlineOptions { duplicates, ..OnlineOptions::default() })
    };
    assert!(resume(4, &[0], Duplicates::KeepAll).expect_err("as many numbers").is_shape());
    assert!(resume(2, &[2], Duplicates::KeepAll).expect_err("three items").is_shape());
    assert_eq!(resume(2, &[1, 1], Duplicates::KeepAll)?.len(), 2);
    assert_eq!(resume(2, &[1, 1], Duplicates::Last)?.len(), 1);
    assert!(resume(2, &[1, 1], Duplicates::Reject).expect_err("a duplicate").is_truth());
    Ok(())
}

/// Ten thousand annotations of one item; the probability of one class comes back from far below the least f64.
#[test]
fn many_annotations_of_one_item() -> Result<()> {
    let (sources, count) = (1000, 10_000);
    let said = |i: u32| u32::from(i >= count / 2);
    let list = |of: fn(u32) -> u32| (0..count).map(of).collect::<Vec<_>>();
    let labels: Vec<u32> = (0..count).map(said).collect();
    let annotations = Annotations::new(2, &list(|_| 0), &list(|i| i % 1000), &labels)?;
    let engine = Engine::cpu()?;
    let fit = DawidSkene { max_iterations: 1, ..DawidSkene::default() }.fit(&engine, &annotations)?;
    let mut online = Online::resume(&annotations, &fit, OnlineOptions::default())?;
    let mut naive = Naive::new(2);
    naive.sources = sources;
    let of = naive.items.entry(0).or_default();
    of.said = (0..count).map(|i| (i % 1000, said(i) as usize)).collect();
    naive.believe(&online);
    for i in 0..5 {
        let got = online.add(0, i, 1)?.to_vec();
        let want = naive.add(0, i, 1);
        // Logarithms of many thousands are summed.
        assert!(got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-8), "{got:?} {want:?}");
    }
    // Half of them are of one class, then of the other; each alone would leave nothing of the other class.
    assert!(online.posterior(0).iter().all(|p| (0.0..=1.0).contains(p)));
    Ok(())
}

/// A stream that begins with known items of one class alone.
#[test]
fn a_class_that_comes_late_is_believed() -> Result<()> {
    let mut online = Online::new(3, OnlineOptions::default())?;
    (0..50).try_for_each(|item| online.set_gold(item, 0))?;
    for item in 0..100 {
        for source in 0..3 {
            online.add(item, source, if item < 50 { 0 } else { 1 + item % 2 })?;
        }
    }
    assert_eq!([49, 50, 51, 98, 99].map(|item| online.decision(item)), [0, 1, 2, 1, 2].map(Some));
    Ok(())
}

#[test]
fn never_a_number_that_is_none() -> Result<()> {
    let large = (1_u64 << 53) as f32;
    for [diagonal, off_diagonal] in [[1e-6, 1e-6], [large, 1e-6], [1e-6, large], [large, large]] {
        for (half_life, per_class) in [(None, 0.0), (Some(1), 0.0), (Some(1), large), (Some(u32::MAX), 1e-6)] {
            for classes in [1, 3] {
                let options =
                    OnlineOptions { diagonal, off_diagonal, per_class, half_life, ..OnlineOptions::default() };
                let mut online = Online::new(classes, options)?;
                for i in 0..700_u32 {
                    let label = if i < 10 || i % 9 == 0 { ABSTAINED } else { i * i % classes as u32 };
                    let posterior = online.add(i * i % 7, i % 4, label)?;
                    assert!((posterior.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{i}: {posterior:?}");
                }
                assert!(online.refine(3).is_finite() && online.objective().is_finite());
                assert!(online.skill().iter().all(|skill| (0.0..=1.0).contains(skill)), "{:?}", online.skill());
                assert!(online.posterior(3).iter().all(|p| (0.0..=1.0).contains(p)), "{:?}", online.posterior(3));
            }
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_is_named_and_changes_nothing() -> Result<()> {
    let options = OnlineOptions { duplicates: Duplicates::Reject, ..OnlineOptions::default() };
    let mut online = Online::new(4, options)?;
    online.add(0, 0, 1)?;
    online.set_gold(1, 3)?;
    let before = online.clone();
    fn says<T>(result: Result<T>, text: &str) {
        let error = result.err().expect("what cannot be");
        assert!(error.is_truth() || error.is_label() || error.is_shape(), "{error}");
        assert_eq!(error.to_string(), text);
    }
    says(
        online.add(0, 1, 4).map(drop),
        "annotation 1: 4 is no class; classes are 0 to 3, and `ABSTAINED` stands for no answer",
    );
    let error = online.add(0, 0, 2).map(drop).expect_err("again");
    let ErrorKind::Truth(error) = error.kind() else { panic!("{error}") };
    assert_eq!(*error, TruthError::Duplicate { first: 0, second: 1, source_index: 0, item: 0 });
    let far = "past the 2 there are; make room for it first, by `Online::grow`";
    says(online.add(4_000_000_000, 0, 0).map(drop), &format!("the item 4000000000 is 4194304 or more {far}"));
    says(online.set_gold(u32::MAX, 0), &format!("the item 4294967295 is 4194304 or more {far}"));
    says(
        online.add(0, 800_000, 0).map(drop),
        "the source 800000 is 699050 or more past the 1 there are; make room for it first, by `Online::grow`",
    );
    says(online.grow(u32::MAX as usize, 0), "4294967295 items are too many; at most 4294967294 are possible");
    says(online.grow(0, 858_993_459), "4294967295 labels of sources are too many; at most 4294967294 are possible");
    says(online.set_gold(0, 4), "the label of item 0 is 4, which is no class; classes are 0 to 3");
    says(online.set_gold(1, 2), "item 1 is known to be of class 3 and of class 2; it can be of one");
    says(online.set_counts(0, &[1.0; 16]), "the list of counts of a source has 16 entries where 20 are needed");
    let between = "it must be between 1e-6 and 2^53";
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-7, 1e16] {
        let mut counts = [1.0; 20];
        counts[7] = bad;
        says(online.set_counts(9, &counts), &format!("a count of a source is {}; {between}", f64::from(bad)));
        let new = |diagonal, off_diagonal| {
            Online::new(2, OnlineOptions { diagonal, off_diagonal, ..OnlineOptions::default() }).map(drop)
        };
        says(new(bad, 1.0), &format!("the diagonal count is {}; {between}", f64::from(bad)));
        says(new(1.0, bad), &format!("the off-diagonal count is {}; {between}", f64::from(bad)));
    }
    assert_eq!(online, before);
    let per_class = OnlineOptions { per_class: -1.0, ..OnlineOptions::default() };
    says(Online::new(2, per_class).map(drop), &format!("the count of items of each class is -1; {between}"));
    let half_life = OnlineOptions { half_life: Some(0), ..OnlineOptions::default() };
    says(Online::new(2, half_life).map(drop), "the half-life is 0; it must be at least 1");
    for classes in [0, 4095] {
        let text = format!("the number of classes is {classes}; it must be between 1 and 4094");
        says(Online::new(classes, OnlineOptions::default()).map(drop), &text);
    }
    assert!(Online::new(2, OnlineOptions::default())?.annotations().expect_err("none").is_truth());
    // What is within reach, or was asked for.
    online.add(2 + 4_194_303, 1, 0)?;
    assert_eq!(online.items(), 4_194_306);
    let mut online = Online::new(4094, OnlineOptions::default())?;
    online.add(0, 0, 4093)?;
    says(
        online.add(0, 2, 0).map(drop),
        "the source 2 is 1 or more past the 1 there are; make room for it first, by `Online::grow`",
    );
    Ok(())
}
