//! Nearest neighbours, on every executor against all pairs in f64.

use consilience::beam::{Corpus, Digits, Neighbours};

use crate::support::beams::{cosine, cut, item, near, random};
use crate::support::engines;
use crate::support::problem::Random;

/// All beams from the nearest on, the lower index first among equals.
fn oracle(query: [f32; 9], corpus: &[f32]) -> Vec<(f64, usize)> {
    let mut all: Vec<_> = (0..corpus.len() / 9).map(|i| (cosine(query, item(corpus, i)), i)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all
}

fn check(name: &str, queries: &[f32], corpus: &[f32], found: &Neighbours) {
    let k = found.per_query();
    assert_eq!((found.index().len(), found.similarity().len()), (k * queries.len() / 9, k * queries.len() / 9));
    for q in 0..queries.len() / 9 {
        let query = item(queries, q);
        let want = oracle(query, corpus);
        let (index, similarity) = (&found.index()[q * k..][..k], &found.similarity()[q * k..][..k]);
        let mut seen = index.to_vec();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), k, "{name}, query {q}: each beam once");
        for place in 0..k {
            let got = cosine(query, item(corpus, index[place]));
            assert!(near(similarity[place], got, 1e-6), "{name}, query {q}, place {place}");
            // Another beam may stand there only where it is as near within the tolerance.
            assert!((got - want[place].0).abs() <= 2e-6, "{name}, query {q}, place {place}: {got}, {want:?}");
        }
        let falls = |p: &[f32]| p.windows(2).all(|pair| pair[0] >= pair[1]);
        assert!(falls(similarity), "{name}, query {q}: {similarity:?}");
    }
}

#[test]
fn the_nearest_are_those_of_all_pairs() {
    for (queries, beams, k) in [(1, 1, 1), (1, 300, 64), (3, 17, 5), (65, 257, 1), (130, 1500, 10), (2, 5000, 3)] {
        let mut seeds = Random::new((queries + beams) as u64);
        let (asked, planes) = (random(queries, &mut seeds), random(beams, &mut seeds));
        let corpus = Corpus::new(&Digits::new(&planes).expect("planes")).expect("distributions");
        for (name, engine) in engines::all() {
            let found = corpus.nearest(engine, &Digits::new(&asked).expect("planes"), k).expect("neighbours");
            check(name, &asked, &planes, &found);
        }
    }
}

#[test]
fn equals_stand_in_the_order_of_their_indices() {
    // Ten beams, each five hundred times: the nearest are copies of one, the first of them.
    let ten = random(10, &mut Random::new(8));
    let planes: Vec<f32> = ten.chunks_exact(10).flat_map(|plane| plane.repeat(500)).collect();
    let corpus = Corpus::new(&Digits::new(&planes).expect("planes")).expect("distributions");
    for (name, engine) in engines::all() {
        for beam in 0..10 {
            let query = cut(&ten, beam, 1);
            let found = corpus.nearest(engine, &Digits::new(&query).expect("planes"), 7).expect("neighbours");
            let nearest = (0..10).find(|&other| near(1.0, cosine(item(&ten, beam), item(&ten, other)), 2e-6));
            // Another of the ten may point the same way.
            if nearest == Some(beam) && oracle(item(&query, 0), &ten)[1].0 < 1.0 - 1e-5 {
                let first: Vec<usize> = (0..7).map(|copy| 10 * copy + beam).collect();
                assert_eq!(found.index(), first, "{name}");
            }
        }
    }
}

#[test]
fn of_equals_the_last_gives_way_to_a_nearer_beam() {
    // Three that are the same, then the query itself.
    let query = [0.7, 0.1, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let planes: Vec<f32> = query.iter().flat_map(|digit| [1.0, 1.0, 1.0, *digit]).collect();
    let corpus = Corpus::new(&Digits::new(&planes).expect("planes")).expect("distributions");
    for (name, engine) in engines::all() {
        let found = corpus.nearest(engine, &Digits::new(&query).expect("planes"), 3).expect("neighbours");
        assert_eq!(found.index(), [3, 0, 1], "{name}");
    }
}

#[test]
fn a_corpus_that_comes_nearer_beam_by_beam() {
    // The worst order there is: every beam takes the first place.
    let beams = 3000;
    let mut planes = vec![0.0; 9 * beams];
    for i in 0..beams {
        (planes[i], planes[beams + i]) = (1.0, 1.0 - i as f32 / beams as f32);
    }
    let corpus = Corpus::new(&Digits::new(&planes).expect("planes")).expect("distributions");
    let query = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    for (name, engine) in engines::all() {
        let found = corpus.nearest(engine, &Digits::new(&query).expect("planes"), 64).expect("neighbours");
        check(name, &query, &planes, &found);
        assert_eq!(found.index()[0], beams - 1, "{name}");
    }
}

#[test]
fn a_query_has_the_same_neighbours_in_any_batch() {
    let mut seeds = Random::new(12);
    let (asked, planes) = (random(300, &mut seeds), random(4000, &mut seeds));
    let corpus = Corpus::new(&Digits::new(&planes).expect("planes")).expect("distributions");
    for (name, engine) in engines::all() {
        let whole = corpus.nearest(engine, &Digits::new(&asked).expect("planes"), 9).expect("neighbours");
        for q in [0, 63, 64, 299] {
            let one = cut(&asked, q, 1);
            let alone = corpus.nearest(engine, &Digits::new(&one).expect("planes"), 9).expect("neighbours");
            assert_eq!(alone.index(), &whole.index()[9 * q..][..9], "{name}, query {q}");
            assert_eq!(alone.similarity(), &whole.similarity()[9 * q..][..9], "{name}, query {q}");
        }
        if name == "gpu" {
            let small = engines::gpu(Some(200_000)).expect("the same device");
            let mut cut = Neighbours::default();
            let digits = Digits::new(&asked).expect("planes");
            let timing = corpus.nearest_into(&small, &digits, 9, &mut cut).expect("neighbours");
            assert!(timing.chunks > 1 && cut == whole, "{timing:?}");
        }
    }
}

#[test]
fn what_cannot_be_searched_is_named() {
    let planes = random(70, &mut Random::new(13));
    let corpus = Corpus::new(&Digits::new(&planes).expect("planes")).expect("distributions");
    let (none, few) = (Digits::new(&[]).expect("none"), cut(&planes, 0, 10));
    let small = Corpus::new(&Digits::new(&few).expect("planes")).expect("distributions");
    for (name, engine) in engines::all() {
        let empty = corpus.nearest(engine, &none, 3).expect("no queries");
        assert_eq!((empty.per_query(), empty.index()), (3, &[][..]), "{name}");
        for (corpus, k, beams) in [(&corpus, 0, 70), (&corpus, 65, 70), (&small, 11, 10)] {
            let error = corpus.nearest(engine, &Digits::new(&few).expect("planes"), k).expect_err("no such k");
            let text =
                format!("{k} neighbours of {beams} beams; at least 1, at most 64 and no more than there are beams");
            assert_eq!((error.to_string(), error.is_beam()), (text, true), "{name}");
        }
        let mut bad = planes.clone();
        bad[3 * 70 + 5] = f32::NAN;
        let text = "digit 4 of the query, item 5, is NaN; digits are finite and at least 0";
        let error = corpus.nearest(engine, &Digits::new(&bad).expect("planes"), 1).expect_err("NaN").to_string();
        assert_eq!(error, text, "{name}");
        let error = Corpus::new(&Digits::new(&bad).expect("planes")).expect_err("NaN").to_string();
        assert_eq!(error, text.replace("query", "corpus"));
    }
    let error = Corpus::new(&Digits::new(&[0.0; 9]).expect("planes")).expect_err("no direction").to_string();
    assert_eq!(error, "the digits of the corpus, item 0, sum to 0; a distribution has a finite sum above 0");
}
