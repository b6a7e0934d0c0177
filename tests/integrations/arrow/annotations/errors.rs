//! Files and arrays that are no annotations.

use arrow_array::{BinaryArray, BooleanArray};
use consilience::TruthError;

use super::*;

/// The error of a CSV file.
#[track_caller]
fn refused(text: &str, options: &NamedAnnotationsOptions) -> Error {
    let dir = tempfile::tempdir().unwrap();
    NamedAnnotations::read(text_file(dir.path(), "labels.csv", text), options).unwrap_err()
}

#[test]
fn columns_that_are_missing_or_taken_twice() {
    let options = NamedAnnotationsOptions::default();
    for (header, found) in [
        ("name,worker,label", "no column `item`; it has `name`, `worker`, `label`"),
        ("item,who,label", "no column `source`; it has `item`, `who`, `label`"),
        ("item,worker,said", "no column `label`; it has `item`, `worker`, `said`"),
    ] {
        let error = refused(&format!("{header}\n1,2,3\n"), &options).to_string();
        assert!(error.ends_with(found), "{error}");
    }
    let wanted = NamedAnnotationsOptions { source: Some("who".to_owned()), ..Default::default() };
    let error = refused("item,worker,label\n1,2,3\n", &wanted).to_string();
    assert!(error.ends_with("no column `who`; it has `item`, `worker`, `label`"), "{error}");
    let twice = NamedAnnotationsOptions { source: Some("item".to_owned()), ..Default::default() };
    let error = refused("item,worker,label\n1,2,3\n", &twice);
    assert_eq!(layout(&error), "column `item` cannot be both items and sources");
}

#[test]
fn nothing_to_read() {
    let options = NamedAnnotationsOptions::default();
    let error = refused("item,worker,label\n", &options);
    assert_eq!(layout(&error), "column `item`: it has no rows; at least one annotation is needed");
    let error = refused("item,worker,label\n1,2,\n", &options);
    assert_eq!(layout(&error), "column `label`: nobody gave a label; name the classes in the options");
    let missing = NamedAnnotationsOptions { empty: EmptyLabel::Missing, ..Default::default() };
    let error = refused("item,worker,label\n1,2,\n", &missing);
    assert_eq!(layout(&error), "column `label`: all labels are missing; at least one annotation is needed");
    let error = NamedAnnotationsBuilder::new(&options).unwrap().finish().unwrap_err();
    assert_eq!(error.to_string(), "column `item`: it has no rows; at least one annotation is needed");
}

#[test]
fn nulls_where_a_name_is_needed() {
    let error = refused("item,worker,label\n1,2,0\n,2,0\n", &Default::default());
    assert_eq!(value(&error), ("item", 1, "it is null; every row needs a value here"));
    let error = refused("item,worker,label\n1,a,0\n2,b,0\n2,,0\n", &Default::default());
    assert_eq!(value(&error), ("worker", 2, "it is null; every row needs a value here"));
}

#[test]
fn labels_that_are_no_classes() {
    let known = NamedAnnotationsOptions::default().indices(3);
    let error = refused("item,worker,label\n1,2,2\n1,3,3\n", &known);
    assert_eq!(value(&error), ("label", 1, "label `3` is none of the classes, `0`, `1`, `2`"));
    let many = NamedAnnotationsOptions::default().indices(10);
    let error = refused("item,worker,label\n1,2,cat\n", &many);
    let why = "label `cat` is none of the classes, `0`, `1`, `2`, `3`, `4`, `5`, `6`, `7` and 2 more";
    assert_eq!(value(&error), ("label", 0, why));
    for number in ["1.0", "NaN", "inf", "1e3"] {
        let error = refused(&format!("item,worker,label\n1,2,1\n1,3,{number}\n"), &Default::default());
        let why = format!(
            "label `{number}` is a number and no integer; labels are integers or strings (where classes are called so, or it \
             stands for no answer, say so in the options)"
        );
        assert_eq!(value(&error), ("label", 1, why.as_str()));
    }
    // Unless they are called so.
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "labels.csv", "item,worker,label\n1,2,1.5\n1,3,nan\n");
    let (classes, abstained) = (Some(vec!["1.5".to_owned()]), vec!["nan".to_owned()]);
    let named =
        NamedAnnotations::read(&path, &NamedAnnotationsOptions { classes, abstained, ..Default::default() }).unwrap();
    assert_eq!(named.annotations().of_item(0).collect::<Vec<_>>(), [(0, 0), (1, ABSTAINED)]);
}

#[test]
fn classes_that_cannot_be_told_apart() {
    let with = |classes: &[&str], abstained: &[&str]| {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let options = NamedAnnotationsOptions {
            classes: Some(list(classes)),
            abstained: list(abstained),
            ..NamedAnnotationsOptions::default()
        };
        NamedAnnotationsBuilder::new(&options).unwrap_err().to_string()
    };
    assert_eq!(with(&[], &[]), "column `label`: an empty list of classes was given; at least one is needed");
    let same = "column `label`: classes 0 and 2 are both called `a`; each needs a name of its own";
    assert_eq!(with(&["a", "b", "a"], &[]), same);
    let both = "column `label`: `b` is given both as class 1 and as what is said by abstaining";
    assert_eq!(with(&["a", "b"], &["b"]), both);
}

#[test]
fn columns_of_other_types() {
    let dir = tempfile::tempdir().unwrap();
    let (ids, floats) = (int_ids(&[1]), doubles(&[Some(1.0)]));
    for (place, why) in [
        "column `item` is of type Float64; ids are integers or strings",
        "column `source` is of type Float64; sources are integers or strings",
        "column `label` is of type Float64; labels are integers or strings",
    ]
    .into_iter()
    .enumerate()
    {
        let columns: Vec<(&str, ArrayRef)> = ["item", "source", "label"]
            .into_iter()
            .enumerate()
            .map(|(column, name)| (name, Arc::clone(if column == place { &floats } else { &ids })))
            .collect();
        assert_eq!(layout(&read(&parquet_file(dir.path(), "floats.parquet", &columns)).unwrap_err()), why);
    }
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    let error = NamedAnnotations::of_arrays(&ids, &ids, &flags, &Default::default()).unwrap_err();
    assert_eq!(error.to_string(), "column `label`: it is of type Boolean; integers or strings are needed");
    let error = NamedAnnotations::of_arrays(&ids, &ids, &int_ids(&[1, 2]), &Default::default()).unwrap_err();
    assert_eq!(error.to_string(), "the array of labels has 2 entries where 1 are needed");
    let mut builder = NamedAnnotationsBuilder::new(&Default::default()).unwrap();
    builder.push(&ids, &ids, &ids).unwrap();
    let error = builder.push(&text(&["1"]), &ids, &ids).unwrap_err();
    assert_eq!(error.to_string(), "column `item`: it is of type Utf8 here and of type Int64 before");
}

#[test]
fn arrays_are_pointed_at_by_row() {
    let mut builder = NamedAnnotationsBuilder::new(&Default::default()).unwrap();
    builder.push(&int_ids(&[1, 2]), &int_ids(&[1, 1]), &int_ids(&[0, 0])).unwrap();
    let items: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let error = builder.push(&items, &int_ids(&[1, 1]), &int_ids(&[0, 0])).unwrap_err();
    let ErrorKind::Truth(TruthError::Value { column, row, why }) = error.kind() else { panic!("{error:?}") };
    assert_eq!((column.as_str(), *row, why.as_str()), ("item", 3, "it is null; every row needs a value here"));
}

#[test]
fn text_that_is_no_utf8() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("labels.csv");
    std::fs::write(&path, b"item,worker,label\nx,a,0\n\xff\xfe,a,1\n").unwrap();
    let error = read(&path).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::File(FileError::Format { format: "CSV", .. })), "{error:?}");
    assert!(error.to_string().contains("not a readable CSV file"), "{error}");
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\xff"[..]]));
    let columns = [("item", bytes), ("source", int_ids(&[1])), ("label", int_ids(&[1]))];
    let error = read(&parquet_file(dir.path(), "labels.parquet", &columns)).unwrap_err();
    assert_eq!(layout(&error), "column `item` is of type Binary; ids are integers or strings");
}
