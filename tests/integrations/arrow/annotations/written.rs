//! What was inferred, as files.

use arrow_array::types::{UInt32Type, UInt64Type};
use consilience::arrow::{Columns, FusedWriter};
use consilience::{Engine, Evidence, Fusion, Output, Outputs};

use super::*;

const LABELS: &str = "task,worker,label\n7,ann,yes\n9,ann,no\n7,bob,no\n9,eve,\n7,ann,yes\n";

#[test]
fn posteriors_by_item() {
    let dir = tempfile::tempdir().unwrap();
    let named = read(&text_file(dir.path(), "labels.csv", LABELS)).unwrap();
    let posterior = [0.25, 0.75, 0.5, 0.5];
    let path = dir.path().join("posterior.csv");
    named.write_posterior(&path, &posterior).unwrap();
    let expected =
        "task,posterior.0,posterior.1,decision,confidence,label\n7,0.25,0.75,1,0.75,yes\n9,0.5,0.5,0,0.5,no\n";
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);

    let path = dir.path().join("posterior.parquet");
    named.write_posterior(&path, &posterior).unwrap();
    let batch = batch_of(&path);
    assert_eq!(strings(batch.column(0)), ["7", "9"]);
    assert_eq!(batch.column(1).as_fixed_size_list().values().as_primitive::<Float32Type>().values()[..], posterior);
    assert_eq!(batch.column(2).as_primitive::<UInt32Type>().values()[..], [1, 0]);
    assert_eq!(strings(batch.column_by_name("label").unwrap()), ["yes", "no"]);
}

/// More items than are written together.
#[test]
fn many_items_stand_with_their_own_posteriors() {
    let dir = tempfile::tempdir().unwrap();
    let ids: Vec<i64> = (0..70_001).map(|item| 3 * item).collect();
    let labels: Vec<i64> = ids.iter().map(|id| id % 5).collect();
    let sources = int_ids(&vec![1; ids.len()]);
    let named = NamedAnnotations::of_arrays(&int_ids(&ids), &sources, &int_ids(&labels), &Default::default()).unwrap();
    let path = dir.path().join("posterior.parquet");
    named.write_posterior(&path, &majority(named.annotations())).unwrap();
    let batch = batch_of(&path);
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values()[..], ids);
    let expected: Vec<u32> = labels.iter().map(|&label| label as u32).collect();
    assert_eq!(batch.column(2).as_primitive::<UInt32Type>().values()[..], expected);
}

#[test]
fn skill_by_source() {
    let dir = tempfile::tempdir().unwrap();
    let named = read(&text_file(dir.path(), "labels.csv", LABELS)).unwrap();
    let path = dir.path().join("skill.csv");
    named.write_skill(&path, &[0.75, 0.5, 0.125]).unwrap();
    let expected = "worker,skill,annotations\nann,0.75,3\nbob,0.5,1\neve,0.125,1\n";
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    let path = dir.path().join("skill.parquet");
    named.write_skill(&path, &[0.75, 0.5, 0.125]).unwrap();
    let batch = batch_of(&path);
    assert_eq!(strings(batch.column(0)), ["ann", "bob", "eve"]);
    assert_eq!(batch.column(1).as_primitive::<Float64Type>().values()[..], [0.75, 0.5, 0.125]);
    assert_eq!(batch.column(2).as_primitive::<UInt64Type>().values()[..], [3, 1, 1]);
}

#[test]
fn what_does_not_fit_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let named = read(&text_file(dir.path(), "labels.csv", LABELS)).unwrap();
    let path = dir.path().join("out.csv");
    let error = named.write_posterior(&path, &[0.5, 0.5]).unwrap_err();
    assert_eq!(error.to_string(), "the list of posteriors has 2 entries where 4 are needed");
    let error = named.write_posterior(&path, &[0.5, 0.5, f32::NAN, 1.0]).unwrap_err();
    assert!(error.to_string().contains("item 1"), "{error}");
    let error = named.write_skill(&path, &[0.5]).unwrap_err();
    assert_eq!(error.to_string(), "the list of skills has 1 entries where 3 are needed");
    let error = named.write_skill(dir.path().join("out.txt"), &[0.5; 3]).unwrap_err();
    assert!(error.to_string().ends_with("unknown file ending; known are .parquet and .csv"), "{error}");
    assert_eq!(names_in(dir.path()), ["labels.csv"]);
}

#[test]
fn names_of_classes_need_decisions() {
    let dir = tempfile::tempdir().unwrap();
    let outputs = [Output::Posterior];
    let columns = Columns::new(Vec::new(), 2, Outputs::of(&outputs)).class_names(vec!["a".into(), "b".into()]);
    let id = arrow_schema::Field::new("item", arrow_schema::DataType::Int64, false);
    let mut writer = FusedWriter::create(dir.path().join("out.csv"), &id, columns).unwrap();
    let evidence = Evidence::probabilities(2, &[&[0.25, 0.75]]).unwrap();
    let fused = Engine::cpu().unwrap().fuse(&Fusion::default().outputs(&outputs), &evidence).unwrap();
    let error = writer.write(&int_ids(&[1]), &fused).unwrap_err();
    assert!(error.to_string().contains("the decisions"), "{error}");
}
