//! What is taken for annotations, and what is not.

use consilience::truth::{ABSTAINED, Annotations, AnnotationsOptions, Duplicates, majority};
use consilience::{ErrorKind, TruthError};

use crate::support::annotated::Annotated;

fn of_items(annotations: &Annotations) -> Vec<Vec<(u32, u32)>> {
    (0..annotations.items()).map(|item| annotations.of_item(item).collect()).collect()
}

fn refused(result: consilience::Result<Annotations>) -> TruthError {
    let error = result.expect_err("it cannot be");
    assert!(error.is_truth(), "{error}");
    let ErrorKind::Truth(error) = error.kind() else { panic!("{error}") };
    error.clone()
}

#[test]
fn they_are_sorted_by_item_in_their_order() {
    let of = Annotated::random(50, 9, 4, 3, 0.2, 1);
    let annotations = of.annotations();
    let mut want = vec![Vec::new(); 50];
    for i in 0..of.items.len() {
        want[of.items[i] as usize].push((of.sources[i], of.labels[i]));
    }
    assert_eq!(of_items(&annotations), want);
    assert_eq!((annotations.items(), annotations.sources(), annotations.len()), (50, 9, 200));
    assert_eq!(annotations.of_item(50).len(), 0);
}

#[test]
fn items_and_sources_without_annotations_are_there_where_asked_for() {
    let options = AnnotationsOptions { items: Some(4), sources: Some(5), ..Default::default() };
    let annotations = Annotations::with(3, &[1], &[2], &[0], &options).expect("one annotation");
    assert_eq!((annotations.items(), annotations.sources()), (4, 5));
    assert_eq!(of_items(&annotations), [vec![], vec![(2, 0)], vec![], vec![]]);
    let third = 1.0 / 3.0;
    let want = [third, third, third, 1.0, 0.0, 0.0, third, third, third, third, third, third];
    assert_eq!(majority(&annotations), want);
}

#[test]
fn a_second_label_is_kept_or_replaces_the_first_or_is_refused() {
    let (items, sources, labels) = ([2, 0, 2, 0, 2], [1, 0, 1, 1, 0], [0, 1, 1, 1, 0]);
    let with = |duplicates| {
        let options = AnnotationsOptions { duplicates, ..Default::default() };
        Annotations::with(2, &items, &sources, &labels, &options)
    };
    let all = with(Duplicates::KeepAll).expect("all are kept");
    assert_eq!(of_items(&all), [vec![(0, 1), (1, 1)], vec![], vec![(1, 0), (1, 1), (0, 0)]]);
    let last = with(Duplicates::Last).expect("the last is kept");
    assert_eq!(of_items(&last), [vec![(0, 1), (1, 1)], vec![], vec![(1, 1), (0, 0)]]);
    assert_eq!(last.len(), 4);
    let error = refused(with(Duplicates::Reject));
    assert_eq!(error, TruthError::Duplicate { first: 0, second: 2, source_index: 1, item: 2 });
    assert!(
        Annotations::with(
            2,
            &[0, 1],
            &[0, 0],
            &[0, 0],
            &AnnotationsOptions { duplicates: Duplicates::Reject, ..Default::default() }
        )
        .is_ok()
    );
}

#[test]
fn what_is_no_annotation_is_named() {
    assert_eq!(refused(Annotations::new(2, &[], &[], &[])), TruthError::NoAnnotations);
    let error = refused(Annotations::new(2, &[0, 0], &[0, 1], &[1, 2]));
    assert_eq!(error, TruthError::Label { annotation: 1, label: 2, classes: 2 });
    let said = "annotation 1: 2 is no class; classes are 0 to 1, and `ABSTAINED` stands for no answer";
    assert_eq!(error.to_string(), said);
    for label in [0, ABSTAINED] {
        let error = refused(Annotations::new(0, &[0], &[0], &[label]));
        assert_eq!(error.to_string(), "the number of classes is 0; it must be at least 1");
    }
    let with = |items, sources| {
        let options = AnnotationsOptions { items, sources, ..Default::default() };
        refused(Annotations::with(2, &[0, 4], &[3, 0], &[0, 0], &options))
    };
    assert_eq!(with(Some(4), None), TruthError::Index { annotation: 1, what: "item", index: 4, count: 4 });
    assert_eq!(with(None, Some(3)), TruthError::Index { annotation: 0, what: "source", index: 3, count: 3 });
    let lengths = Annotations::new(2, &[0, 0], &[0], &[0, 0]).expect_err("a source is missing");
    assert!(lengths.is_shape(), "{lengths}");
    // Labels of sources that no 32 bits count: nothing is allocated for them.
    let sources = |given| AnnotationsOptions { sources: Some(given), ..Default::default() };
    let many = refused(Annotations::with(2, &[0], &[0], &[0], &sources(u32::MAX as usize - 1)));
    let given = 2 * (u64::from(u32::MAX) - 1);
    assert_eq!(many, TruthError::TooMany { what: "labels of sources", given, at_most: u64::from(u32::MAX) - 1 });
    let items = AnnotationsOptions { items: Some(1 << 32), ..Default::default() };
    let many = refused(Annotations::with(2, &[0], &[0], &[0], &items));
    assert_eq!(many, TruthError::TooMany { what: "items", given: 1 << 32, at_most: u64::from(u32::MAX) - 1 });
    assert_eq!(many.to_string(), "4294967296 items are too many; at most 4294967294 are possible");
}

/// An id that is no index would have memory taken for all below it.
#[test]
fn an_index_far_past_what_is_numbered_is_refused_unless_it_is_declared() {
    let last = (1 << 24) - 1;
    assert_eq!(Annotations::new(2, &[0, last], &[0, 0], &[0, 1]).expect("64 MiB").items(), 1 << 24);
    let error = refused(Annotations::new(2, &[0, last + 1], &[0, 0], &[0, 1]));
    assert_eq!(error, TruthError::FarIndex { annotation: 1, what: "item", index: last + 1, annotations: 2 });
    let said = "annotation 1: the item 16777216 is far past what 2 annotations number from 0 on; say in the options how many \
                there are, or number those that there are";
    assert_eq!(error.to_string(), said);
    let error = refused(Annotations::new(2, &[0], &[u32::MAX - 2], &[0]));
    assert_eq!(error, TruthError::FarIndex { annotation: 0, what: "source", index: u32::MAX - 2, annotations: 1 });
    let declared = AnnotationsOptions { items: Some((1 << 24) + 1), ..Default::default() };
    let annotations = Annotations::with(2, &[0, last + 1], &[0, 0], &[0, 1], &declared).expect("as declared");
    assert_eq!(annotations.items(), (1 << 24) + 1);
}

#[test]
fn who_abstains_has_no_vote() {
    let annotations = Annotations::new(2, &[0, 0, 0, 1], &[0, 1, 2, 0], &[1, ABSTAINED, 1, ABSTAINED]).expect("valid");
    assert_eq!(majority(&annotations), [0.0, 1.0, 0.5, 0.5]);
}
