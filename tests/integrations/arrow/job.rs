//! Files fused into files.

use consilience::arrow::FuseJob;
use consilience::{Engine, Evidence, Fusion, Output, Outputs, Rule, Weighting};

use super::*;

/// 1000 items of three sources: deterministic, each row a distribution, source 1 missing for every fifth item.
fn planes() -> Vec<Vec<Option<Vec<f32>>>> {
    let row = |source: usize, item: usize| {
        let raw = [item % 7 + 1, (item + source) % 5 + 1, (item * source) % 3 + 1].map(|value| value as f32);
        let sum: f32 = raw.iter().sum();
        raw.map(|value| value / sum).to_vec()
    };
    (0..3).map(|s| (0..1000).map(|i| (s != 1 || i % 5 != 0).then(|| row(s, i))).collect()).collect()
}

fn expected(fusion: &Fusion) -> consilience::Fused {
    let planes = planes();
    let flat: Vec<Vec<f32>> =
        planes.iter().map(|plane| plane.iter().flat_map(|row| row.clone().unwrap_or(vec![9.0; 3])).collect()).collect();
    let presence: Vec<Vec<bool>> = planes.iter().map(|plane| plane.iter().map(Option::is_some).collect()).collect();
    let borrowed: Vec<&[f32]> = flat.iter().map(Vec::as_slice).collect();
    let evidence = Evidence::probabilities(3, &borrowed).unwrap().with_presence(1, &presence[1]).unwrap();
    Engine::cpu().unwrap().fuse(fusion, &evidence).unwrap()
}

fn wide_file(dir: &Path) -> PathBuf {
    let planes = planes();
    let ids = int_ids(&(0..1000).collect::<Vec<_>>());
    parquet_file(
        dir,
        "wide.parquet",
        &[("item", ids), ("a", list(&planes[0])), ("b", list(&planes[1])), ("c", list(&planes[2]))],
    )
}

fn long_file(dir: &Path) -> PathBuf {
    let mut lines = String::from("item,source,x,y,z\n");
    let planes = planes();
    for item in 0..1000 {
        for (source, plane) in planes.iter().enumerate() {
            if let Some([x, y, z]) = plane[item].as_deref() {
                lines += &format!("{item},{source},{x},{y},{z}\n");
            }
        }
    }
    text_file(dir, "long.csv", &lines)
}

#[test]
fn chunks_and_layouts_change_no_bit() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine::cpu().unwrap();
    let fusion = Fusion::default().outputs(&Output::ALL);
    let whole = expected(&fusion);
    for input in [wide_file(dir.path()), long_file(dir.path())] {
        for rows_per_chunk in [1, 63, 1000, 5000] {
            let mut job = FuseJob::new(&input, dir.path().join("fused.parquet"));
            job.fusion = fusion.clone();
            job.evidence.rows_per_chunk = Some(rows_per_chunk);
            let mut seen = Vec::new();
            let summary = job.run(&engine, |progress| seen.push(progress.items)).unwrap();
            assert_eq!((summary.items, summary.classes, summary.sources.len()), (1000, 3, 3));
            assert_eq!(summary.chunks, 1000_u64.div_ceil(rows_per_chunk as u64));
            assert_eq!((seen.len() as u64, seen.last()), (summary.chunks, Some(&1000)));
            let batch = batch_of(&job.output);
            let posterior =
                batch.column(1).as_fixed_size_list().values().as_primitive::<Float32Type>().values().clone();
            assert_eq!(posterior[..], *whole.posterior(), "{} by {rows_per_chunk}", input.display());
            let disagreement = batch.column_by_name("disagreement").unwrap().as_primitive::<Float32Type>();
            assert_eq!(disagreement.values()[..], *whole.disagreement());
        }
    }
}

#[test]
fn csv_answers_read_back_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let job = FuseJob::new(wide_file(dir.path()), dir.path().join("fused.csv"));
    job.run(&Engine::cpu().unwrap(), |_| {}).unwrap();
    // Answers are evidence again: one source named posterior.
    let again = contents(&job.output, 1 << 20).unwrap();
    let posterior: Vec<f32> = again.opinions[0].iter().flatten().flatten().copied().collect();
    assert_eq!(posterior, expected(&Fusion::default()).posterior());
}

#[test]
fn what_is_written_may_be_less_than_what_is_computed() {
    let dir = tempfile::tempdir().unwrap();
    let mut job = FuseJob::new(wide_file(dir.path()), dir.path().join("fused.csv"));
    job.fusion = Fusion::new(Rule::Linear).outputs(&[Output::Posterior]);
    job.write = Some(Outputs::of(&[Output::Decision]));
    let mut lengths = Vec::new();
    job.run(&Engine::cpu().unwrap(), |p| lengths.push((p.fused.posterior().len(), p.fused.decision().len()))).unwrap();
    assert_eq!(lengths, [(3000, 1000)]);
    assert!(std::fs::read_to_string(&job.output).unwrap().starts_with("item,decision\n0,"));
}

#[test]
fn an_invalid_opinion_is_found_in_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "1,1,0,0.5,0.5\n".repeat(9);
    let input = text_file(dir.path(), "e.csv", &format!("item,a.0,a.1,b.0,b.1\n{rows}1,1,0,NaN,1\n1,1,0,0.5,0.75\n"));
    let mut job = FuseJob::new(&input, dir.path().join("fused.csv"));
    job.evidence.rows_per_chunk = Some(4);
    let error = job.run(&Engine::cpu().unwrap(), |_| {}).unwrap_err();
    assert_eq!(value(&error), ("b.0", 9, "source 1, item 9, class 0: NaN is not a number (source `b`)"));
    assert_eq!(names_in(dir.path()), ["e.csv"]);

    let long = "item,source,p,q\n1,a,1,0\n1,b,1,0\n2,b,1,0\n2,a,-1,2\n";
    let job = FuseJob::new(text_file(dir.path(), "long.csv", long), dir.path().join("fused.csv"));
    let error = job.run(&Engine::cpu().unwrap(), |_| {}).unwrap_err();
    assert_eq!((value(&error).0, value(&error).1), ("p", 3));
    assert!(value(&error).2.starts_with("source 0, item 1, class 0: -1 is negative"), "{error}");
}

#[test]
fn a_reader_that_fails_leaves_no_output() {
    let dir = tempfile::tempdir().unwrap();
    let input = text_file(dir.path(), "e.csv", &format!("item,a.0,a.1\n{}2,1,\n", "1,1,0\n".repeat(5000)));
    let mut job = FuseJob::new(&input, dir.path().join("fused.parquet"));
    job.evidence.rows_per_chunk = Some(1000);
    let error = job.run(&Engine::cpu().unwrap(), |_| {}).unwrap_err();
    assert_eq!((value(&error).0, value(&error).1), ("a.1", 5000));
    assert_eq!(names_in(dir.path()), ["e.csv"]);
}

#[test]
fn a_specification_that_does_not_fit_reads_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut job = FuseJob::new(wide_file(dir.path()), dir.path().join("fused.parquet"));
    job.fusion = Fusion::default().weighting(Weighting::Fixed(vec![1.0, 2.0]));
    assert!(job.run(&Engine::cpu().unwrap(), |_| panic!("a chunk was fused")).unwrap_err().is_spec());
    assert_eq!(names_in(dir.path()), ["wide.parquet"]);
}

#[test]
fn no_items_make_a_file_without_rows() {
    let dir = tempfile::tempdir().unwrap();
    let input = text_file(dir.path(), "e.csv", "item,a.0,a.1\n");
    let job = FuseJob::new(&input, dir.path().join("fused.csv"));
    assert_eq!(job.run(&Engine::cpu().unwrap(), |_| {}).unwrap().items, 0);
    assert_eq!(std::fs::read_to_string(&job.output).unwrap(), "item,posterior.0,posterior.1,decision,confidence\n");
}

#[test]
fn the_evidence_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let input = text_file(dir.path(), "e.csv", "item,a.0,a.1\n1,1,0\n");
    let output = dir.path().join(".").join("e.csv");
    let error = FuseJob::new(&input, output).run(&Engine::cpu().unwrap(), |_| {}).unwrap_err();
    assert_eq!(layout(&error), "it is the evidence itself; write the answers to another file");
    assert_eq!(std::fs::read_to_string(&input).unwrap(), "item,a.0,a.1\n1,1,0\n");
}
