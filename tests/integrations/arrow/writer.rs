//! Files of answers.

use arrow_array::UInt32Array;
use arrow_schema::{DataType, Field};
use consilience::arrow::{Columns, FusedWriter};
use consilience::{Engine, Evidence, Fused, Fusion, Output, Outputs};

use super::*;

/// Columns of one source.
fn columns(classes: usize, outputs: Outputs) -> Columns {
    Columns::new(vec!["a".to_owned()], classes, outputs)
}

fn fused(outputs: &[Output]) -> Fused {
    let evidence = Evidence::probabilities(2, &[&[0.25, 0.75, 1.0, 0.0]]).unwrap();
    Engine::cpu().unwrap().fuse(&Fusion::default().outputs(outputs), &evidence).unwrap()
}

#[test]
fn parquet_says_what_was_fused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fused.parquet");
    let fused = fused(&Output::ALL);
    let id = Field::new("key", DataType::Utf8, true);
    let mut writer = FusedWriter::create(&path, &id, columns(2, Outputs::ALL)).unwrap();
    writer.write(&text(&["x", "y"]), &fused).unwrap();
    writer.write(&text(&["z", "w"]), &fused).unwrap();
    writer.finish().unwrap();
    assert_eq!(names_in(dir.path()), ["fused.parquet"]);

    let batch = batch_of(&path);
    let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names[0], "key");
    assert_eq!(names[1..], Output::ALL.map(|output| output.name().to_owned()));
    assert_eq!(strings(batch.column(0)), ["x", "y", "z", "w"]);
    let posterior = batch.column(1).as_fixed_size_list();
    assert_eq!((posterior.value_length(), posterior.len()), (2, 4));
    let values = posterior.values().as_primitive::<Float32Type>().values();
    assert_eq!(values[..], [fused.posterior(), fused.posterior()].concat());
    let contributions = batch.column_by_name("contributions").unwrap().as_fixed_size_list();
    assert_eq!((contributions.value_length(), contributions.len()), (1, 4));
    let scalars = Output::ALL.into_iter().enumerate().skip(1);
    for (place, output) in scalars.filter(|(_, output)| *output != Output::Contributions) {
        match (fused.values(output), fused.integers(output)) {
            (Some(expected), None) => {
                let values = batch.column(place + 1).as_primitive::<Float32Type>().values();
                assert_eq!(values[..], [expected, expected].concat(), "{output}");
            }
            (None, Some(expected)) => {
                let values: &UInt32Array = batch.column(place + 1).as_primitive();
                assert_eq!(values.values()[..], [expected, expected].concat(), "{output}");
            }
            other => panic!("{output}: {other:?}"),
        }
    }
}

#[test]
fn csv_says_what_was_fused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fused.csv");
    let outputs = [Output::Posterior, Output::Decision];
    let fused = Engine::cpu()
        .unwrap()
        .fuse(
            &Fusion::new(consilience::Rule::Linear).outputs(&outputs),
            &Evidence::probabilities(2, &[&[0.25, 0.75, 1.0, 0.0]]).unwrap(),
        )
        .unwrap();
    let id = Field::new("item", DataType::Int64, false);
    let mut writer = FusedWriter::create(&path, &id, columns(2, Outputs::of(&outputs))).unwrap();
    writer.write(&int_ids(&[-3, 4]), &fused).unwrap();
    writer.finish().unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written, "item,posterior.0,posterior.1,decision\n-3,0.25,0.75,1\n4,1.0,0.0,0\n");
}

#[test]
fn nothing_written_is_a_file_with_columns() {
    let dir = tempfile::tempdir().unwrap();
    let id = Field::new("item", DataType::Int64, false);
    let path = dir.path().join("fused.csv");
    FusedWriter::create(&path, &id, columns(2, Outputs::default())).unwrap().finish().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "item,posterior.0,posterior.1,decision,confidence\n");
}

#[test]
fn a_writer_dropped_leaves_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let id = Field::new("item", DataType::Int64, false);
    for name in ["fused.parquet", "fused.csv"] {
        let path = text_file(dir.path(), name, "before");
        let outputs = [Output::Decision];
        let mut writer = FusedWriter::create(&path, &id, columns(2, Outputs::of(&outputs))).unwrap();
        writer.write(&int_ids(&[1, 2]), &fused(&outputs)).unwrap();
        let names = names_in(dir.path());
        assert!(names.len() == 2 && names[0].starts_with(&format!(".{name}.partial-")), "{names:?}");
        drop(writer);
        assert_eq!(names_in(dir.path()), [name]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn no_such_directory() {
    let id = Field::new("item", DataType::Int64, false);
    let error = FusedWriter::create("/no/such/fused.csv", &id, columns(2, Outputs::default())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::File(FileError::Io { action: "creating", .. })), "{error:?}");
}

#[test]
fn ids_and_answers_go_together() {
    let dir = tempfile::tempdir().unwrap();
    let id = Field::new("item", DataType::Int64, false);
    let path = dir.path().join("fused.csv");
    let mut writer = FusedWriter::create(&path, &id, columns(3, Outputs::of(&[Output::Decision]))).unwrap();
    let fused = fused(&[Output::Decision]);
    assert!(writer.write(&int_ids(&[1]), &fused).unwrap_err().is_shape());
    let error = writer.write(&int_ids(&[1, 2]), &fused).unwrap_err();
    assert_eq!(error.to_string(), "the list of classes has 2 entries where the evidence needs 3");
}

#[test]
fn the_strongest_sources_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fused.csv");
    let evidence = Evidence::probabilities(2, &[&[0.5, 0.5], &[0.1, 0.9], &[0.6, 0.4]]).unwrap();
    let fusion = Fusion::new(consilience::Rule::LogPool).outputs(&[Output::Decision, Output::Contributions]);
    let fused = Engine::cpu().unwrap().fuse(&fusion, &evidence).unwrap();
    let id = Field::new("key", DataType::Utf8, true);
    let sources = ["a", "b", "c"].map(str::to_owned).to_vec();
    let columns = Columns::new(sources, 2, Outputs::of(&[Output::Decision])).explain(3);
    let mut writer = FusedWriter::create(&path, &id, columns).unwrap();
    writer.write(&text(&["x"]), &fused).unwrap();
    writer.finish().unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Vec<&str>> = written.lines().map(|line| line.split(',').collect()).collect();
    let header = "key,decision,source_1,contribution_1,source_2,contribution_2,source_3,contribution_3";
    assert_eq!(lines[0].join(","), header);
    // ln 9 / 3 for class 1, ln 1.5 / 3 against it, and nothing from a source that is torn.
    let (for_it, against): (f32, f32) = (lines[1][3].parse().unwrap(), lines[1][5].parse().unwrap());
    assert_eq!((lines[1][2], lines[1][4], lines[1][6]), ("b", "c", ""));
    assert!((for_it - 0.732_408).abs() < 1e-5 && (against + 0.135_155).abs() < 1e-5, "{written}");
    // Contributions of other sources than the file's cannot be told apart.
    let two = Columns::new(vec!["a".to_owned(), "b".to_owned()], 2, Outputs::default()).explain(1);
    let mut writer = FusedWriter::create(&path, &id, two).unwrap();
    let error = writer.write(&text(&["x"]), &fused).unwrap_err();
    assert_eq!(error.to_string(), "the contributions has 3 entries where the evidence needs 2");
}
