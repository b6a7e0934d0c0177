//! One row per item and source.

use super::*;

/// Item 10 without b, item 9 without a: descending, which is sorted too.
const CSV: &str = "item,source,no,yes\n11,b,0.25,0.75\n11,a,1,0\n10,a,0.5,0.5\n9,b,0,1\n9,a,,\n";

fn expected(chunks: Vec<usize>) -> Contents {
    let b = [Some([0.25, 0.75]), None, Some([0.0, 1.0])];
    let a = [Some([1.0, 0.0]), Some([0.5, 0.5]), None];
    Contents { ids: vec!["11".into(), "10".into(), "9".into()], opinions: vec![opinions(a), opinions(b)], chunks }
}

#[test]
fn rows_become_items() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "long.csv", CSV);
    for (rows_per_chunk, chunks) in [(1, vec![1, 1, 1]), (2, vec![2, 1]), (3, vec![3])] {
        assert_eq!(contents(&path, rows_per_chunk).unwrap(), expected(chunks), "{rows_per_chunk}");
    }
    let reader = EvidenceReader::open(&path, &EvidenceOptions::default()).unwrap();
    assert_eq!((reader.sources(), reader.items()), (&["a".to_owned(), "b".to_owned()][..], Some(3)));
    assert_eq!(reader.class_names().unwrap(), ["no", "yes"]);
}

#[test]
fn lists_and_numbered_sources() {
    let dir = tempfile::tempdir().unwrap();
    let rows = opinions([Some([0.25, 0.75]), Some([1.0, 0.0]), Some([0.5, 0.5]), Some([0.0, 1.0]), None]);
    let path = parquet_file(
        dir.path(),
        "long.parquet",
        &[
            ("item", int_ids(&[11, 11, 10, 9, 9])),
            ("source", int_ids(&[4, 2, 2, 4, 2])),
            ("p", list(&rows)),
            ("cost", floats(&[Some(1.0); 5])),
        ],
    );
    assert_eq!(contents(&path, 2).unwrap(), expected(vec![2, 1]));
    let reader = EvidenceReader::open(&path, &EvidenceOptions::default()).unwrap();
    assert_eq!(reader.sources(), ["2", "4"]);
}

#[test]
fn items_go_on_from_batch_to_batch() {
    let dir = tempfile::tempdir().unwrap();
    let (items, classes) = (20_000, 20);
    let header: Vec<String> = (0..classes).map(|class| format!("c{class}")).collect();
    let mut lines = format!("item,source,{}\n", header.join(","));
    for item in 0..items {
        for source in ["a", "b", "c"] {
            if (item % 7, source) != (3, "b") {
                lines += &format!("i{item:06},{source},{}1\n", "0,".repeat(classes - 1));
            }
        }
    }
    let path = text_file(dir.path(), "long.csv", &lines);
    let all = contents(&path, 3001).unwrap();
    assert_eq!(all.chunks, [3001, 3001, 3001, 3001, 3001, 3001, 1994]);
    assert!(all.ids.iter().enumerate().all(|(item, id)| *id == format!("i{item:06}")));
    for (source, opinions) in all.opinions.iter().enumerate() {
        for (item, opinion) in opinions.iter().enumerate() {
            assert_eq!(opinion.is_none(), item % 7 == 3 && source == 1, "item {item}, source {source}");
        }
    }
}

#[test]
fn sources_may_be_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "long.csv", CSV);
    let options = EvidenceOptions { sources: Some(vec!["a".into()]), ..EvidenceOptions::default() };
    let mut reader = EvidenceReader::open(&path, &options).unwrap();
    let chunk = reader.next().unwrap().unwrap();
    assert_eq!((chunk.sources(), chunk.plane(0)), (1, &[1.0, 0.0, 0.5, 0.5, 0.0, 0.0][..]));
    let options = EvidenceOptions { sources: Some(vec!["z".into()]), ..EvidenceOptions::default() };
    let error = EvidenceReader::open(&path, &options).unwrap_err();
    assert_eq!(layout(&error), "no row has source `z`; there are a, b");
}

#[test]
fn unsorted_rows_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "long.csv", "item,source,p,q\n2,a,1,0\n9,a,1,0\n10,a,1,0\n9,b,1,0\n");
    let error = contents(&path, 9).unwrap_err();
    let why = "the rows are not sorted by item: `9` stands below the ids before it; sort the file by `item`";
    assert_eq!(value(&error), ("item", 3, why));
    // As text, 10 comes before 9.
    let path = text_file(dir.path(), "long.csv", "item,source,p,q\nx2,a,1,0\nx9,a,1,0\nx10,a,1,0\n");
    assert_eq!(value(&contents(&path, 9).unwrap_err()).1, 2);
}

#[test]
fn a_pair_given_twice_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "long.csv", "item,source,p,q\n1,a,1,0\n2,a,1,0\n2,b,1,0\n2,a,0,1\n");
    let error = contents(&path, 9).unwrap_err();
    assert_eq!(value(&error), ("item", 3, "item `2` has source `a` twice, in row 1 and here; keep one of them"));
}

#[test]
fn a_file_without_rows_names_no_sources() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "long.csv", "item,source,p,q\n");
    assert_eq!(layout(&contents(&path, 9).unwrap_err()), "it has no rows, so that its sources are unknown");
}
