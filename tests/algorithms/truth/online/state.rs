//! Saved and loaded: it goes on with the same bits, and what nothing can hold is refused.

use consilience::StateError;
use consilience::learning::State;

use super::*;

fn learnt(half_life: Option<u32>, of: &Annotated) -> Online {
    let options = OnlineOptions { half_life, duplicates: Duplicates::Last, ..OnlineOptions::default() };
    let mut online = Online::new(of.classes, options).expect("valid options");
    online.set_gold(2, 1).expect("a class");
    online.set_counts(3, &(1..13).map(|count| count as f32 / 7.0).collect::<Vec<_>>()).expect("counts");
    for i in 0..of.items.len() / 2 {
        online.add(of.items[i], of.sources[i], of.labels[i]).expect("a valid annotation");
    }
    online
}

#[test]
fn it_goes_on_with_the_same_bits() -> Result<()> {
    let of = Annotated::random(300, 9, 5, 3, 0.1, 51);
    // With a half-life of one, counts are scaled down once before and once after.
    for half_life in [None, Some(1), Some(100)] {
        let mut online = learnt(half_life, &of);
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("online.json");
        online.save(&path)?;
        let mut loaded = Online::load(&path)?;
        assert_eq!(loaded, online);
        for i in of.items.len() / 2..of.items.len() {
            let want = online.add(of.items[i], of.sources[i], of.labels[i])?;
            assert_eq!(loaded.add(of.items[i], of.sources[i], of.labels[i])?, want, "{i}");
        }
        assert_eq!(loaded.refine(2), online.refine(2));
        assert_eq!(loaded.objective(), online.objective());
        assert_eq!(loaded.skill(), online.skill());
        assert_eq!(loaded, online);
        assert_eq!(loaded.to_text()?, online.to_text()?);
    }
    Ok(())
}

/// Every source says something else the second time: what is left of the first is rounding, and none of it less than nothing.
#[test]
fn what_is_taken_out_again_can_be_read() -> Result<()> {
    let options = OnlineOptions { duplicates: Duplicates::Last, ..OnlineOptions::default() };
    let mut online = Online::new(3, options)?;
    for time in 0..2 {
        (0..40).try_for_each(|source| online.add(source % 3, source, (source + time) % 3).map(drop))?;
    }
    assert_eq!(Online::from_text(&online.to_text()?)?, online);
    Ok(())
}

#[test]
fn two_lines_of_json() -> Result<()> {
    let mut online = Online::new(1, OnlineOptions::default())?;
    online.add(0, 0, 0)?;
    let text = online.to_text()?;
    assert!(text.starts_with(r#"{"format":"consilience state","kind":"truth_online","version":1,"#), "{text}");
    let want = concat!(
        r#"{"options":{"diagonal":0.6,"off_diagonal":0.1,"per_class":1.0,"duplicates":"keep_all","half_life":null},"classes":1,"#,
        r#""annotations":[[0,4294967295]],"items":[{"last":0,"gold":4294967295,"then":1}],"posterior":[1.0],"#,
        r#""statistics":{"clock":1,"base":0,"answers":[1.0,0.0,1.0],"classes":[1.0],"known":{}}}"#,
    );
    assert_eq!(text.lines().nth(1), Some(want));
    Ok(())
}

#[test]
fn values_that_nothing_can_hold() -> Result<()> {
    let mut online = Online::new(2, OnlineOptions { half_life: Some(3), ..OnlineOptions::default() })?;
    online.set_counts(1, &[1.0; 6])?;
    online.set_gold(1, 0)?;
    online.add(0, 0, 1)?;
    online.add(0, 1, ABSTAINED)?;
    online.add(1, 1, 1)?;
    let text = online.to_text()?;
    let state = text.lines().nth(1).unwrap_or_default();
    let says = |from: &str, to: &str, text: &str| {
        let altered = state.replacen(from, to, 1);
        assert_ne!(altered, state, "{from} is not in {state}");
        let error = serde_json::from_str::<Online>(&altered).expect_err("what nothing can hold").to_string();
        assert!(error.contains(text), "{error}");
    };
    says("\"diagonal\":0.6", "\"diagonal\":0.0", "the diagonal count is 0; it must be between 1e-6 and 2^53");
    says("\"half_life\":3", "\"half_life\":0", "the half-life is 0; it must be at least 1");
    says("\"half_life\":3", "\"half_life\":4", "the annotations make it");
    says("\"classes\":2", "\"classes\":0", "classes is 0, it must be between 1 and 4094");
    says("\"classes\":2", "\"classes\":3", "classes has 2 entries, it must have 3");
    says("\"answers\":[", "\"answers\":[0.5,", "answers has 17 entries, it must have a multiple of 8");
    says("\"answers\":[", "\"answers\":[0,0,0,0,0,0,0,0,", "the annotations make it");
    says("\"answers\":[0.0,", "\"answers\":[-1e-9,", "a count of answers is -0.000000001, it must be at least 0");
    says("\"clock\":3", "\"clock\":1539", "clock is 1539, it must be in [base, base + 1535] with base 0");
    says("\"clock\":3", "\"clock\":2", "item 1 was put in at 3, it must be by 2");
    says("\"base\":0", "\"base\":4", "clock is 3, it must be in [base, base + 1535] with base 4");
    says("\"base\":0", "\"base\":1", "the annotations make it");
    says("\"known\":{\"1\"", "\"known\":{\"2\"", "the counts of source 2 are known, there are 2 sources");
    says("\"1\":[1.0,", "\"1\":[-1.0,", "a count of a source is -1;");
    says("\"1\":[1.0,", "\"1\":[", "the list of counts of a source has 5 entries where 6 are needed");
    says("\"annotations\":[[1,", "\"annotations\":[[6,", "the answer 6 of annotation 0 is none, it must be below 6");
    says("[5,0]", "[5,1]", "annotation 1 comes after annotation 1, which must be an earlier one");
    says("[5,0]", "[5,4294967295]", "annotation 0 is of no item");
    says("[4,4294967295]", "[4,0]", "annotation 0 is in two lists, it must be in one");
    says("\"last\":1", "\"last\":3", "the last annotation of an item is 3, there are 3");
    says("\"gold\":0", "\"gold\":2", "the class of item 1 is 2, there are 2");
    says("\"gold\":0", "\"gold\":1", "the posterior of item 1 is [1.0, 0.0], it must sum to 1");
    says("\"posterior\":[", "\"posterior\":[0.5,", "posterior has 5 entries, it must have 4");
    says("\"posterior\":[0", "\"posterior\":[1", "it must sum to 1");
    says("\"posterior\":[0", "\"posterior\":[-0", "it must sum to 1");
    says("\"items\":", "\"things\":", "unknown field `things`");
    // Of an item that nothing is known of, nothing is believed.
    let mut online = Online::new(2, OnlineOptions::default())?;
    online.grow(1, 0)?;
    let state = online.to_text()?.lines().nth(1).unwrap_or_default().replacen(
        "\"posterior\":[0.0,0.0]",
        "\"posterior\":[0.5,0.5]",
        1,
    );
    let error = serde_json::from_str::<Online>(&state).expect_err("a belief").to_string();
    assert!(error.contains("the posterior of item 0 is [0.5, 0.5], it must sum to 0"), "{error}");
    // The header is checked as every state's is.
    let error = Online::from_text(&text[..text.len() - 5]).expect_err("a cut");
    let ErrorKind::State(StateError::Damaged { .. }) = error.kind() else { panic!("{error}") };
    Ok(())
}
