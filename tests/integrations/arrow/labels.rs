//! Files of labels.

use arrow_array::{Int16Array, UInt64Array};
use consilience::arrow::{LabelOptions, Labels};

use super::*;

fn read(path: &Path) -> Result<Labels, Error> {
    Labels::read(path, 3, &LabelOptions::default())
}

#[test]
fn labels_meet_ids_of_any_type_of_their_kind() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "labels.csv", "split,item,label\ntest,-1,0\ntest,300,2\ntest,5,\n");
    let labels = read(&path).unwrap();
    assert_eq!(labels.len(), 2);
    let ids: ArrayRef = Arc::new(Int16Array::from(vec![300, 5, -1, 7]));
    assert_eq!(labels.of(&ids), [Some(2), None, Some(0), None]);
    let ids: ArrayRef = Arc::new(UInt64Array::from(vec![300, u64::MAX]));
    assert_eq!(labels.of(&ids), [Some(2), None]);
    assert_eq!(labels.of(&text(&["300"])), [None]);
}

#[test]
fn numbers_beyond_64_signed_bits_are_ids() {
    let dir = tempfile::tempdir().unwrap();
    let ids: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, 1]));
    let truth: ArrayRef = Arc::new(arrow_array::UInt8Array::from(vec![2, 1]));
    let path = parquet_file(dir.path(), "labels.parquet", &[("id", Arc::clone(&ids)), ("truth", truth)]);
    let labels = read(&path).unwrap();
    assert_eq!(labels.of(&ids), [Some(2), Some(1)]);
    assert_eq!(labels.of(&int_ids(&[-1])), [None]);
}

#[test]
fn labels_out_of_range_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (label, row) in [("3", 1), ("-1", 1)] {
        let path = text_file(dir.path(), "labels.csv", &format!("item,label\na,0\nb,{label}\n"));
        let error = read(&path).unwrap_err();
        let why = format!("label {label} is no class; of 3 classes they are 0 to 2");
        assert_eq!(value(&error), ("label", row, why.as_str()));
    }
}

#[test]
fn an_item_has_one_label() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "labels.csv", "item,label\na,0\nb,1\na,0\n");
    assert_eq!(value(&read(&path).unwrap_err()), ("item", 2, "item `a` is labelled twice; keep one label"));
}

#[test]
fn no_column_of_labels() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "labels.csv", "item,name\n1,cat\n");
    let error = read(&path).unwrap_err();
    assert!(error.to_string().ends_with("no column `label`; it has `item`, `name`"), "{error}");
    let path = text_file(dir.path(), "labels.csv", "item,label\n1,cat\n");
    assert_eq!(layout(&read(&path).unwrap_err()), "column `label` is of type Utf8; labels are class indices");
}
