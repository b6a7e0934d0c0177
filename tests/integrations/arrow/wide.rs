//! One row per item.

use super::*;

#[test]
fn every_kind_of_list_says_the_same() {
    let dir = tempfile::tempdir().unwrap();
    for (name, list_of) in LISTS {
        let b = [Some([0.25, 0.25, 0.5]), Some([1.0, 0.0, 0.0]), Some([0.0, 0.5, 0.5])];
        let path = parquet_file(
            dir.path(),
            "e.parquet",
            &[
                ("item", int_ids(&[7, 8, 9])),
                ("a", list_of(nullable(&opinions(ROWS)))),
                ("note", text(&["x", "y", "z"])),
                ("b", list_of(nullable(&opinions(b)))),
            ],
        );
        for (rows_per_chunk, chunks) in [(1, vec![1, 1, 1]), (2, vec![2, 1]), (100, vec![3])] {
            let expected = Contents {
                ids: vec!["7".into(), "8".into(), "9".into()],
                opinions: vec![opinions(ROWS), opinions(b)],
                chunks,
            };
            assert_eq!(contents(&path, rows_per_chunk).unwrap(), expected, "{name}, {rows_per_chunk} rows per chunk");
        }
    }
}

#[test]
fn scalar_columns_of_either_width_are_rows() {
    let dir = tempfile::tempdir().unwrap();
    let path = parquet_file(
        dir.path(),
        "e.parquet",
        &[
            ("id", text(&["x", "y", "z"])),
            ("v1.a.no", floats(&[Some(0.25), None, Some(1.0)])),
            ("b.no", doubles(&[Some(0.5), Some(0.75), Some(0.0)])),
            ("v1.a.yes", floats(&[Some(0.75), None, Some(0.0)])),
            ("b.yes", doubles(&[Some(0.5), Some(0.25), Some(1.0)])),
        ],
    );
    let reader = EvidenceReader::open(&path, &EvidenceOptions::default()).unwrap();
    assert_eq!(reader.sources(), ["v1.a", "b"]);
    assert_eq!(reader.class_names().unwrap(), ["no", "yes"]);
    assert_eq!((reader.classes(), reader.items(), reader.id_field().name().as_str()), (2, Some(3), "id"));
    let all = contents(&path, 2).unwrap();
    assert_eq!(all.ids, ["x", "y", "z"]);
    assert_eq!(all.opinions[0], opinions([Some([0.25, 0.75]), None, Some([1.0, 0.0])]));
    assert_eq!(all.opinions[1], opinions([Some([0.5, 0.5]), Some([0.75, 0.25]), Some([0.0, 1.0])]));
}

#[test]
fn csv_numbers_may_begin_as_integers() {
    let dir = tempfile::tempdir().unwrap();
    let mut lines = String::from("item,a.0,a.1,b.0,b.1,note\n");
    for item in 0..2000 {
        lines += if item < 1500 { "5,1,0,,,hm\n" } else { "5,0.25,0.75, 0.5 ,5e-1,\n" };
    }
    let path = text_file(dir.path(), "e.csv", &lines);
    let all = contents(&path, 700).unwrap();
    assert_eq!(all.chunks, [700, 700, 600]);
    assert_eq!(all.ids, vec!["5"; 2000]);
    assert_eq!(all.opinions[0][1499], Some(vec![1.0, 0.0]));
    assert_eq!(all.opinions[0][1500], Some(vec![0.25, 0.75]));
    assert_eq!(all.opinions[1][1499], None);
    assert_eq!(all.opinions[1][1500], Some(vec![0.5, 0.5]));
}

#[test]
fn csv_ids_keep_leading_zeros() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "e.csv", "item,a.0,a.1\n007,1,0\n8,NaN,inf\n");
    let all = contents(&path, 9).unwrap();
    assert_eq!(all.ids, ["007", "8"]);
    let odd = all.opinions[0][1].as_ref().unwrap();
    assert!(odd[0].is_nan() && odd[1] == f32::INFINITY);
}

#[test]
fn sources_may_be_chosen_and_ordered() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "e.csv", "key,a.0,a.1,b.0,b.1,price.usd\n1,1,0,0,1,9.5\n");
    let mut options = EvidenceOptions { id: Some("key".into()), ..EvidenceOptions::default() };
    let error = EvidenceReader::open(&path, &options).unwrap_err();
    assert!(layout(&error).starts_with("source `a` has the classes 0, 1, source `price` has usd"), "{error}");
    options.sources = Some(vec!["b".into(), "a".into()]);
    let mut reader = EvidenceReader::open(&path, &options).unwrap();
    assert_eq!(reader.sources(), ["b", "a"]);
    let chunk = reader.next().unwrap().unwrap();
    assert_eq!((chunk.plane(0), chunk.plane(1)), (&[0.0, 1.0][..], &[1.0, 0.0][..]));
    options.sources = Some(vec!["c".into()]);
    let error = EvidenceReader::open(&path, &options).unwrap_err();
    assert!(error.to_string().contains("no column `c`; it has `key`, `a.0`"), "{error}");
}

#[test]
fn a_part_of_an_opinion_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "e.csv", "item,a.0,a.1\n1,1,0\n2,1,0\n3,1,\n");
    let error = contents(&path, 2).unwrap_err();
    assert_eq!(
        value(&error),
        ("a.1", 2, "a null among 2 classes; an opinion is there as a whole or missing as a whole")
    );

    let half = [Some(vec![Some(0.5), Some(0.25), Some(0.25)]), Some(vec![Some(0.5), None, Some(0.5)])].to_vec();
    for (name, list_of) in LISTS {
        let path = parquet_file(dir.path(), "e.parquet", &[("item", int_ids(&[1, 2])), ("a", list_of(half.clone()))]);
        let error = contents(&path, 1).unwrap_err();
        let why = "a null among 3 classes; an opinion is there as a whole or missing as a whole";
        assert_eq!(value(&error), ("a", 1, why), "{name}");
    }
}

#[test]
fn all_opinions_have_the_same_classes() {
    let dir = tempfile::tempdir().unwrap();
    let path = parquet_file(
        dir.path(),
        "e.parquet",
        &[
            ("item", int_ids(&[1, 2, 3])),
            ("a", list(&[None, Some(vec![1.0, 0.0]), Some(vec![0.5, 0.5])])),
            ("b", list(&[Some(vec![1.0, 0.0]), None, Some(vec![0.5, 0.25, 0.25])])),
        ],
    );
    let error = contents(&path, 2).unwrap_err();
    let why = "a list of 3 values among lists of 2: all opinions need the same classes";
    assert_eq!(value(&error), ("b", 2, why));
}

#[test]
fn a_file_without_rows_is_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "e.csv", "item,a.0,a.1\n");
    assert_eq!(contents(&path, 2).unwrap(), Contents { opinions: vec![vec![]], ..Contents::default() });
    let columns = |list_of: ListOf| [("item", int_ids(&[])), ("a", list_of(vec![]))];
    let path = parquet_file(dir.path(), "fixed.parquet", &columns(LISTS[2].1));
    assert_eq!(contents(&path, 2).unwrap(), Contents { opinions: vec![vec![]], ..Contents::default() });
    let path = parquet_file(dir.path(), "lists.parquet", &columns(LISTS[0].1));
    let error = contents(&path, 2).unwrap_err();
    assert!(layout(&error).starts_with("no list in it says the number of classes"), "{error}");
}

#[test]
fn a_null_id_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "e.csv", "item,a.0,a.1\n1,1,0\n,1,0\n");
    assert_eq!(value(&contents(&path, 9).unwrap_err()), ("item", 1, "it is null; every row needs a value here"));
}
