//! What is known of annotated items.

use consilience::arrow::{Gold, LabelOptions, Labels};

use super::*;

fn gold(named: &NamedAnnotations, path: &Path) -> Result<Gold, Error> {
    Ok(named.gold(&Labels::read_named(path, named.classes(), &LabelOptions::default())?))
}

#[test]
fn truth_meets_items_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let named =
        read(&text_file(dir.path(), "labels.csv", "item,worker,label\nb,1,yes\na,1,no\nc,1,no\nb,2,no\n")).unwrap();
    let truth = text_file(dir.path(), "truth.csv", "task,truth\nc,yes\nz,no\nb,no\na,\ny,yes\n");
    // Items are b, a, c; a's truth is unknown, and nobody labelled y and z.
    assert_eq!(gold(&named, &truth).unwrap(), Gold { pairs: vec![(0, 0), (2, 1)], unknown: 2 });
    let columns = [("id", text(&["c", "a"])), ("class", text(&["yes", "no"]))];
    let truth = parquet_file(dir.path(), "truth.parquet", &columns);
    assert_eq!(gold(&named, &truth).unwrap(), Gold { pairs: vec![(1, 0), (2, 1)], unknown: 0 });
}

/// Of two CSV files one may have numbers alone where the other has text as well.
#[test]
fn numbers_meet_text_that_says_them() {
    let dir = tempfile::tempdir().unwrap();
    let mixed = "item,source,label\nx,1,0\n12,1,1\n007,1,2\n-3,1,0\n";
    let numbers = "item,source,label\n5,1,0\n12,1,1\n7,1,2\n-3,1,0\n";
    let truth_of_numbers = text_file(dir.path(), "numbers_truth.csv", "item,label\n12,1\n7,2\n-3,0\n");
    let truth_of_mixed = text_file(dir.path(), "mixed_truth.csv", "item,label\n12,1\nx,0\n007,2\n-3,0\n");
    let named = read(&text_file(dir.path(), "mixed.csv", mixed)).unwrap();
    let matched = gold(&named, &truth_of_numbers).unwrap();
    assert_eq!(matched, Gold { pairs: vec![(1, 1), (3, 0)], unknown: 1 }, "007 is not 7");
    assert_eq!(gold(&named, &truth_of_mixed).unwrap().pairs, [(0, 0), (1, 1), (2, 2), (3, 0)]);
    let named = read(&text_file(dir.path(), "numbers.csv", numbers)).unwrap();
    assert_eq!(gold(&named, &truth_of_numbers).unwrap().pairs, [(1, 1), (2, 2), (3, 0)]);
    assert_eq!(gold(&named, &truth_of_mixed).unwrap(), Gold { pairs: vec![(1, 1), (3, 0)], unknown: 2 });
}

#[test]
fn a_truth_that_is_no_class_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let named = read(&text_file(dir.path(), "labels.csv", "item,worker,label\nb,1,yes\na,1,no\n")).unwrap();
    let truth = text_file(dir.path(), "truth.csv", "item,truth\nb,yes\na,maybe\n");
    let error = gold(&named, &truth).unwrap_err();
    assert_eq!(value(&error), ("truth", 1, "label `maybe` is none of the classes, `no`, `yes`"));
    let twice = text_file(dir.path(), "twice.csv", "item,truth\nb,yes\nb,no\n");
    assert_eq!(value(&gold(&named, &twice).unwrap_err()), ("item", 1, "item `b` is labelled twice; keep one label"));
    let missing = text_file(dir.path(), "missing.csv", "item,answers\nb,yes\n");
    let error = gold(&named, &missing).unwrap_err().to_string();
    assert!(error.ends_with("no column `label`; it has `item`, `answers`"), "{error}");
}
