//! Files that are not what their names say.

use super::*;

fn format(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::File(FileError::Format { format, .. }) => format,
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_such_file() {
    let error = contents(Path::new("/no/such/file.parquet"), 1).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::File(FileError::Io { action: "opening", .. })), "{error:?}");
    assert!(error.is_io());
}

#[test]
fn unknown_endings() {
    for name in ["evidence.json", "evidence", "parquet"] {
        let error = contents(Path::new(name), 1).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::File(FileError::UnknownFormat { .. })), "{name}: {error:?}");
    }
}

#[test]
fn text_named_parquet() {
    let dir = tempfile::tempdir().unwrap();
    for text in ["", "item,a.0,a.1\n1,1,0\n", &"item,a.0,a.1\n".repeat(100)] {
        let path = text_file(dir.path(), "e.parquet", text);
        assert_eq!(format(&contents(&path, 1).unwrap_err()), "Parquet", "{} bytes", text.len());
    }
}

#[test]
fn parquet_cut_anywhere_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let columns = [("item", int_ids(&[7, 8, 9])), ("a", list(&opinions(ROWS)))];
    let path = parquet_file(dir.path(), "e.parquet", &columns);
    let bytes = std::fs::read(&path).unwrap();
    for len in (0..bytes.len()).step_by(7) {
        std::fs::write(&path, &bytes[..len]).unwrap();
        assert_eq!(format(&contents(&path, 1).unwrap_err()), "Parquet", "{len} of {} bytes", bytes.len());
    }
}

#[test]
fn parquet_with_damaged_pages_is_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let columns = [("item", int_ids(&[7, 8, 9])), ("a", list(&opinions(ROWS)))];
    let path = parquet_file(dir.path(), "e.parquet", &columns);
    let bytes = std::fs::read(&path).unwrap();
    let mut failed = 0;
    for place in 4..bytes.len() - 8 {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x55;
        std::fs::write(&path, &damaged).unwrap();
        if let Err(error) = contents(&path, 2) {
            assert!(error.is_io(), "byte {place}: {error}");
            failed += 1;
        }
    }
    assert!(failed > bytes.len() / 4, "{failed} of {}", bytes.len());
}

#[test]
fn csv_that_is_none() {
    let dir = tempfile::tempdir().unwrap();
    for bytes in [&b"item,a.0,a.1\n1,1\n"[..], b"item,a.0,a.1\n1,1,0,0\n", b"item,a.0,a.1\n\xff\xfe,1,0\n"] {
        let path = dir.path().join("e.csv");
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(format(&contents(&path, 1).unwrap_err()), "CSV", "{bytes:?}");
    }
}

#[test]
fn csv_cells_that_are_no_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "1,1,0\n".repeat(1500);
    let path = text_file(dir.path(), "e.csv", &format!("item,a.0,a.1\n{rows}2,much,0\n"));
    assert_eq!(value(&contents(&path, 7).unwrap_err()), ("a.0", 1500, "`much` is no number"));
    let path = text_file(dir.path(), "e.csv", &format!("item,a.0,a.1\n{rows}x2,1,0\n"));
    let why = "`x2` is no integer, as the cells of the first 1000 rows are";
    assert_eq!(value(&contents(&path, 7).unwrap_err()), ("item", 1500, why));
}

#[test]
fn columns_that_are_no_evidence() {
    let dir = tempfile::tempdir().unwrap();
    let path = text_file(dir.path(), "e.csv", "key,a.0,a.1\n1,1,0\n");
    let error = contents(&path, 1).unwrap_err();
    assert!(error.to_string().ends_with("e.csv: no column `item`; it has `key`, `a.0`, `a.1`"), "{error}");
    let path = text_file(dir.path(), "e.csv", "item,note,price\n1,hm,9.5\n");
    let error = contents(&path, 1).unwrap_err();
    assert!(layout(&error).starts_with("no evidence among its columns (`item`, `note`, `price`)"), "{error}");
    let path =
        parquet_file(dir.path(), "e.parquet", &[("item", floats(&[Some(1.0)])), ("a", list(&[Some(vec![1.0])]))]);
    assert_eq!(
        layout(&contents(&path, 1).unwrap_err()),
        "column `item` is of type Float32; ids are integers or strings"
    );
}
