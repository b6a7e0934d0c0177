use crate::exposition::Exposition;

const TEXT: &str = r#"# HELP wait_seconds How long.
# TYPE wait_seconds histogram
wait_seconds_bucket{route="b",le="0.1"} 7
wait_seconds_bucket{le="+Inf",route="a"} 5
wait_seconds_bucket{route="a",le="0.1"} 3 1700000000000
wait_seconds_bucket_other{route="a",le="0.1"} 9
wait_seconds_sum{route="a"} 1.5
wait_seconds_count{route="a"} 5
quoted{why="a \"b\\c\",}",n="x\ny"} 4
quoted 12e6
escaped_bucket{route="a \"b\\c\"\n,}",le="1"} 2
broken{route="a 3
process_resident_memory_bytes 123456789
"#;

#[test]
fn values_and_buckets_are_read_whatever_the_order_of_labels() {
    let exposition = Exposition::new(TEXT.to_owned());
    assert_eq!(exposition.value("process_resident_memory_bytes"), Some(123_456_789.0));
    assert_eq!(exposition.value("process_resident_memory"), None);
    // The series with labels is another.
    assert_eq!(exposition.value("quoted"), Some(12e6));
    assert_eq!(exposition.value("broken"), None);
    assert_eq!(exposition.buckets("wait_seconds", "route", "a"), [(0.1, 3.0), (f64::INFINITY, 5.0)]);
    assert_eq!(exposition.buckets("wait_seconds", "route", "c"), []);
    assert_eq!(exposition.buckets("escaped", "route", "a \"b\\c\"\n,}"), [(1.0, 2.0)]);
}
