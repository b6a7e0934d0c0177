//! Files and arrays of annotations.

mod errors;
mod truth;
mod written;

use arrow_array::{Int32Array, LargeStringArray, StringViewArray, UInt64Array};
use consilience::arrow::{EmptyLabel, NamedAnnotations, NamedAnnotationsBuilder, NamedAnnotationsOptions};
use consilience::truth::{ABSTAINED, Annotations, Duplicates, majority};

use super::*;
use crate::support::annotated::Annotated;
use crate::support::problem::Random;

fn read(path: &Path) -> Result<NamedAnnotations, Error> {
    NamedAnnotations::read(path, &NamedAnnotationsOptions::default())
}

/// Who said what of what, by name, in the order of items and as it was given within one.
fn said(named: &NamedAnnotations) -> Vec<(String, String, String)> {
    let (items, sources) = (strings(named.items()), strings(named.sources()));
    let label = |label: u32| named.classes().get(label as usize).map_or("-".to_owned(), Clone::clone);
    let of_item = |item: usize| {
        let annotations = named.annotations().of_item(item);
        annotations.map(|(source, said)| (source as usize, said)).collect::<Vec<_>>()
    };
    let all = (0..items.len()).flat_map(|item| of_item(item).into_iter().map(move |said| (item, said)));
    all.map(|(item, (source, said))| (items[item].clone(), sources[source].clone(), label(said))).collect()
}

fn triples(of: &[[&str; 3]]) -> Vec<(String, String, String)> {
    of.iter().map(|[item, source, label]| ((*item).to_owned(), (*source).to_owned(), (*label).to_owned())).collect()
}

#[test]
fn names_are_numbered_as_they_come_and_classes_are_sorted() {
    let dir = tempfile::tempdir().unwrap();
    let text = "task,when,rater,answer\nq2,1,eve,no\nq1,2,ann,yes\nq2,3,ann,\"don't know\"\nq1,4,eve,no\n";
    let named = read(&text_file(dir.path(), "labels.csv", text)).unwrap();
    assert_eq!(strings(named.items()), ["q2", "q1"]);
    assert_eq!(strings(named.sources()), ["eve", "ann"]);
    assert_eq!(named.classes(), ["don't know", "no", "yes"]);
    assert_eq!((named.item_field().name().as_str(), named.source_field().name().as_str()), ("task", "rater"));
    let expected = [["q2", "eve", "no"], ["q2", "ann", "don't know"], ["q1", "ann", "yes"], ["q1", "eve", "no"]];
    assert_eq!(said(&named), triples(&expected));
}

/// The same triples as numbers and as text, in CSV and in Parquet, from arrays at once and bit by bit: the annotations are
/// those of the slices, by the names.
#[test]
fn every_way_in_gives_what_slices_give() {
    let dir = tempfile::tempdir().unwrap();
    let of = Annotated::random(83, 11, 4, 12, 0.1, 3);
    let rows = of.items.len();
    let number = |index: u32| i64::from(index) * 7 - 20;
    let numbers = |indices: &[u32]| int_ids(&indices.iter().map(|&index| number(index)).collect::<Vec<_>>());
    let texts = |indices: &[u32]| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(indices.iter().map(|&index| format!("é{index}"))))
    };
    let views = |indices: &[u32]| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(indices.iter().map(|&index| format!("view number {index}"))))
    };
    let labels = Int64Array::from_iter(of.labels.iter().map(|&label| (label != ABSTAINED).then(|| number(label))));
    let labels: ArrayRef = Arc::new(labels);
    let csv = |item: &dyn Fn(u32) -> String| {
        let mut text = "item,source,label\n".to_owned();
        for i in 0..rows {
            let label = if of.labels[i] == ABSTAINED { String::new() } else { number(of.labels[i]).to_string() };
            text += &format!("{},{},{label}\n", item(of.items[i]), number(of.sources[i]));
        }
        text
    };
    let options = NamedAnnotationsOptions::default();
    let mut builder = NamedAnnotationsBuilder::new(&options).unwrap();
    for first in (0..rows).step_by(37) {
        let part = |array: &ArrayRef| array.slice(first, 37.min(rows - first));
        builder.push(&part(&texts(&of.items)), &part(&numbers(&of.sources)), &part(&labels)).unwrap();
    }
    let parquet = |name: &str, items: ArrayRef| {
        let columns = [("label", Arc::clone(&labels)), ("item", items), ("source", views(&of.sources))];
        read(&parquet_file(dir.path(), name, &columns)).unwrap()
    };
    let ways = [
        NamedAnnotations::of_arrays(&numbers(&of.items), &texts(&of.sources), &labels, &options).unwrap(),
        builder.finish().unwrap(),
        read(&text_file(dir.path(), "numbers.csv", &csv(&|item| number(item).to_string()))).unwrap(),
        read(&text_file(dir.path(), "texts.csv", &csv(&|item| format!("item {item}")))).unwrap(),
        parquet("numbers.parquet", numbers(&of.items)),
        parquet("texts.parquet", texts(&of.items)),
    ];
    let renumbered = |indices: &[u32]| -> Vec<u32> {
        let mut seen = Vec::new();
        let mut place = |index| {
            seen.iter().position(|&other| other == index).unwrap_or_else(|| {
                seen.push(index);
                seen.len() - 1
            }) as u32
        };
        indices.iter().map(|&index| place(index)).collect()
    };
    let expected = Annotations::new(12, &renumbered(&of.items), &renumbered(&of.sources), &of.labels).unwrap();
    for named in ways {
        let annotations = named.annotations();
        assert_eq!(named.classes(), (0..12).map(|class| number(class).to_string()).collect::<Vec<_>>());
        assert_eq!((annotations.items(), annotations.sources(), annotations.len()), (83, 11, rows));
        assert_eq!(majority(annotations), majority(&expected));
        for item in 0..83 {
            assert!(annotations.of_item(item).eq(expected.of_item(item)), "{item}");
        }
    }
}

#[test]
fn classes_do_not_depend_on_the_order_of_rows() {
    let mut random = Random::new(5);
    let labels = ["10", "9", "-1", "100"];
    for _ in 0..8 {
        let order = random.shuffle(4);
        let shuffled: Vec<&str> = order.iter().map(|&i| labels[i]).collect();
        let ids = int_ids(&[0, 1, 2, 3]);
        let named = |labels: &[&str]| {
            NamedAnnotations::of_arrays(&ids, &ids, &text(labels), &NamedAnnotationsOptions::default()).unwrap()
        };
        assert_eq!(named(&shuffled).classes(), ["-1", "9", "10", "100"], "text of integers is sorted by number");
        let mixed: Vec<&str> = shuffled.iter().map(|&label| if label == "9" { "nine" } else { label }).collect();
        assert_eq!(named(&mixed).classes(), ["-1", "10", "100", "nine"], "else as text");
    }
}

#[test]
fn ids_keep_their_type() {
    let options = NamedAnnotationsOptions::default();
    let large: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, 3, u64::MAX]));
    let small: ArrayRef = Arc::new(Int32Array::from(vec![-7, -7, i32::MAX]));
    let named = NamedAnnotations::of_arrays(&large, &small, &int_ids(&[0, 1, 1]), &options).unwrap();
    assert_eq!(named.items(), &large.slice(0, 2));
    assert_eq!(named.sources(), &small.slice(1, 2));
    let large: ArrayRef = Arc::new(LargeStringArray::from(vec!["", "a", ""]));
    let view: ArrayRef = Arc::new(StringViewArray::from(vec!["a", "", "a"]));
    let named = NamedAnnotations::of_arrays(&large, &view, &int_ids(&[0, 1, 1]), &options).unwrap();
    assert_eq!(named.items(), &large.slice(0, 2), "an empty id is an id");
    assert_eq!(named.sources(), &view.slice(0, 2));
}

#[test]
fn what_an_abstention_looks_like_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "labels.csv", "item,worker,label\n1,a,1\n1,b,-1\n2,a,  \n2,b,\n3,a,skip\n3,b,2\n");
    let with = |empty| {
        let abstained = vec!["-1".to_owned(), "skip".to_owned()];
        NamedAnnotations::read(&path, &NamedAnnotationsOptions { empty, abstained, ..Default::default() })
    };
    let named = with(EmptyLabel::Abstained).unwrap();
    assert_eq!(named.classes(), ["1", "2"]);
    let expected =
        [["1", "a", "1"], ["1", "b", "-"], ["2", "a", "-"], ["2", "b", "-"], ["3", "a", "-"], ["3", "b", "2"]];
    assert_eq!(said(&named), triples(&expected));
    // Item 2 was there, and nobody was asked of it.
    let named = with(EmptyLabel::Missing).unwrap();
    assert_eq!(said(&named), triples(&[["1", "a", "1"], ["1", "b", "-"], ["3", "a", "-"], ["3", "b", "2"]]));
    assert_eq!((strings(named.items()), named.annotations().items()), (vec!["1".into(), "2".into(), "3".into()], 3));
    let error = with(EmptyLabel::Reject).unwrap_err();
    assert_eq!(value(&error), ("label", 2, "the label is empty; every row needs one here"));
}

#[test]
fn classes_that_are_given_need_not_occur() {
    let (ids, labels) = (int_ids(&[0, 1]), int_ids(&[3, 1]));
    let named =
        NamedAnnotations::of_arrays(&ids, &ids, &labels, &NamedAnnotationsOptions::default().indices(5)).unwrap();
    assert_eq!((named.annotations().classes(), named.annotations().of_item(0).next()), (5, Some((0, 3))));
    let classes = Some(vec!["3".to_owned(), "1".to_owned()]);
    let options = NamedAnnotationsOptions { classes, ..Default::default() };
    let named = NamedAnnotations::of_arrays(&ids, &ids, &labels, &options).unwrap();
    assert_eq!(named.annotations().of_item(0).next(), Some((0, 0)));
    // Nobody answered at all, and the classes are known none the less.
    let none: ArrayRef = Arc::new(Int64Array::from(vec![None, None]));
    let named = NamedAnnotations::of_arrays(&ids, &ids, &none, &options).unwrap();
    assert_eq!(majority(named.annotations()), [0.5; 4]);
    // One label only is one class.
    let named = NamedAnnotations::of_arrays(&ids, &ids, &int_ids(&[4, 4]), &Default::default()).unwrap();
    assert_eq!((named.classes(), majority(named.annotations())), (&["4".to_owned()][..], vec![1.0, 1.0]));
}

#[test]
fn duplicates_by_policy() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "labels.csv", "item,worker,label\nx,a,0\ny,a,\nx,b,1\nx,a,1\n");
    let with = |duplicates, empty| {
        NamedAnnotations::read(&path, &NamedAnnotationsOptions { duplicates, empty, ..Default::default() })
    };
    let named = with(Duplicates::KeepAll, EmptyLabel::default()).unwrap();
    assert_eq!(named.annotations().of_item(0).collect::<Vec<_>>(), [(0, 0), (1, 1), (0, 1)]);
    let named = with(Duplicates::Last, EmptyLabel::default()).unwrap();
    assert_eq!(named.annotations().of_item(0).collect::<Vec<_>>(), [(0, 1), (1, 1)]);
    // Rows are those of the file, whether or not some before are no annotations.
    for empty in [EmptyLabel::Abstained, EmptyLabel::Missing] {
        let error = with(Duplicates::Reject, empty).unwrap_err();
        let why = "source `a` labelled item `x` before, in row 0; keep all, or the last";
        assert_eq!(value(&error), ("item", 3, why), "{empty:?}");
    }
}
