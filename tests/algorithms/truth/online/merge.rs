//! Parts of a stream made one.

use super::*;

/// Those whose item is as asked, of both.
fn part(of: &Annotated, options: OnlineOptions, has: impl Fn(usize) -> bool) -> Pair {
    let mut pair = Pair::new(of.classes, options);
    (0..of.items.len()).filter(|&i| has(i)).for_each(|i| pair.add(of.items[i], of.sources[i], of.labels[i]));
    pair
}

fn merged(one: &Online, other: &Online) -> Online {
    let mut merged = one.clone();
    merged.merge(other).expect("parts of one stream");
    merged
}

fn same(one: &Online, other: &Online) {
    assert_eq!((one.items(), one.sources(), one.len()), (other.items(), other.sources(), other.len()));
    (0..one.items()).for_each(|item| close(one.posterior(item), other.posterior(item), &format!("item {item}")));
    (0..one.sources()).for_each(|source| close(&one.confusion(source), &other.confusion(source), "a source"));
    close(one.prior(), other.prior(), "the class prior");
}

#[test]
fn parts_without_a_common_item_are_one_that_saw_all() {
    // Enough of each item that there is one fixed point to find.
    let of = Annotated::random(150, 12, 9, 3, 0.1, 41);
    let all = part(&of, OnlineOptions::default(), |_| true);
    let [left, right] = [0, 1].map(|parity| part(&of, OnlineOptions::default(), |i| of.items[i] % 2 == parity));
    let mut both = merged(&left.online, &right.online);
    same(&both, &merged(&right.online, &left.online));
    // What each believed of its items stays, and the sums are those of it.
    for item in 0..150 {
        let part = if item % 2 == 0 { &left } else { &right };
        assert_eq!(both.posterior(item), part.online.posterior(item), "item {item}");
    }
    let mut naive = all.naive.clone();
    naive.believe(&both);
    check(&both, &naive);
    let mut all = all.online;
    converge(&mut all);
    converge(&mut both);
    same(&both, &all);
}

#[test]
fn an_item_of_both_is_believed_by_all_its_annotations() {
    let of = Annotated::random(60, 10, 6, 3, 0.1, 42);
    let counts: Vec<f32> = (1..13).map(|count| count as f32).collect();
    for half_life in [None, Some(70)] {
        let options = OnlineOptions { half_life, ..OnlineOptions::default() };
        let [mut left, mut right] = [0, 1].map(|parity| part(&of, options, |i| i % 5 / 3 == parity));
        // Known to one, to both, and of an item and a source that the other does not have.
        left.set_gold(3, 1);
        right.set_gold(4, 0);
        left.set_gold(5, 2);
        right.set_gold(5, 2);
        right.set_gold(70, 1);
        left.set_counts(2, &counts);
        right.set_counts(11, &counts);
        let both = merged(&left.online, &right.online);
        same(&both, &merged(&right.online, &left.online));

        // By hand: sums side by side, all items of both by them, sums anew.
        let mut naive = left.naive.clone();
        naive.clock = left.naive.clock.max(right.naive.clock);
        let later = [&left, &right].map(|pair| naive.clock - pair.naive.clock);
        naive.items.values_mut().for_each(|of| of.then += later[0]);
        naive.sources = 12;
        naive.known.insert(11, counts.clone());
        let mut beside = naive.clone();
        for (item, theirs) in &right.naive.items {
            let mut theirs = theirs.clone();
            theirs.then += later[1];
            beside.items.insert(1000 + item, theirs.clone());
            let mine = naive.items.entry(*item).or_default();
            mine.said.extend(theirs.said);
            mine.then = mine.then.max(theirs.then);
            mine.gold = mine.gold.or(theirs.gold);
        }
        let tables = beside.tables();
        let joint = naive.clone();
        for (item, of) in &mut naive.items {
            let [mine, theirs] = [&left, &right].map(|pair| pair.naive.items.get(item));
            of.posterior = match (mine, theirs) {
                (Some(_), Some(_)) => joint.expect(of, &tables).0,
                (one, other) => one.or(other).expect("of either").posterior.clone(),
            };
        }
        check(&both, &naive);
        // It goes on by the later clock.
        let mut pair = Pair { online: both, naive };
        pair.add(3, 0, 2);
        pair.add(59, 1, 1);
        pair.check();
    }
}

#[test]
fn a_later_label_takes_the_place_of_an_earlier_one() -> Result<()> {
    let options = OnlineOptions { duplicates: Duplicates::Last, ..OnlineOptions::default() };
    let mut one = Online::new(2, options)?;
    let mut other = one.clone();
    one.add(0, 0, 0)?;
    one.add(0, 1, 0)?;
    other.add(0, 0, 1)?;
    let said = |of: &Online| of.annotations().map(|annotations| annotations.of_item(0).collect::<Vec<_>>());
    assert_eq!(said(&merged(&one, &other))?, [(0, 1), (1, 0)]);
    assert_eq!(said(&merged(&other, &one))?, [(0, 0), (1, 0)]);
    Ok(())
}

#[test]
fn with_nothing_it_stays_as_it_is() {
    let of = Annotated::random(20, 5, 3, 2, 0.1, 43);
    let options = OnlineOptions { half_life: Some(15), ..OnlineOptions::default() };
    let pair = part(&of, options, |_| true);
    let nothing = Online::new(2, options).expect("valid options");
    same(&merged(&pair.online, &nothing), &pair.online);
    same(&merged(&nothing, &pair.online), &pair.online);
    same(&merged(&nothing, &nothing), &nothing);
}

#[test]
fn what_does_not_fit_is_named_and_changes_nothing() -> Result<()> {
    let options = OnlineOptions { duplicates: Duplicates::Reject, ..OnlineOptions::default() };
    let mut one = Online::new(2, options)?;
    one.add(0, 0, 0)?;
    one.add(1, 1, 0)?;
    let before = one.clone();
    let mut says = |other: &Online, text: &str| {
        let error = one.merge(other).expect_err("what does not fit").to_string();
        assert!(error.contains(text), "{error}");
        assert_eq!(one, before);
    };
    says(&Online::new(3, options)?, "only learners with the same classes merge: one has 2, the other 3");
    says(&Online::new(2, OnlineOptions::default())?, "only learners with the same options merge");
    let mut other = Online::new(2, options)?;
    other.add(2, 1, 1)?;
    other.add(1, 1, 0)?;
    says(&other, "annotations 1 and 2 are both by source 1 on item 1");
    let mut gold = [Online::new(2, options)?, Online::new(2, options)?];
    gold[0].set_gold(7, 0)?;
    gold[1].set_gold(7, 1)?;
    let [mut one, other] = gold;
    let error = one.merge(&other).expect_err("two classes");
    let ErrorKind::Truth(error) = error.kind() else { panic!("{error}") };
    assert_eq!(*error, TruthError::Contradiction { item: 7, classes: [0, 1] });
    let mut other = Online::new(2, options)?;
    one.set_counts(1, &[1.0; 6])?;
    other.set_counts(1, &[2.0; 6])?;
    let error = one.merge(&other).expect_err("two counts").to_string();
    assert!(error.starts_with("only learners with the same known counts of a source merge: one has [1.0, "), "{error}");
    Ok(())
}
