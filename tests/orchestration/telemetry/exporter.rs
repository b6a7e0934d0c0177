//! The text, to the letter.

use consilience::orchestration::telemetry::Exporter;
use metrics::Unit;

#[test]
fn the_text_is_that_of_the_format() {
    let exporter = Exporter::new();
    assert_eq!(exporter.render(), "");
    metrics::with_local_recorder(&exporter.recorder(), || {
        metrics::describe_counter!("b_total", Unit::Count, "What \\ b is,\nin two lines");
        metrics::describe_histogram!("rows", Unit::Count, "Rows");
        metrics::describe_gauge!("never_registered", "Nothing");
        metrics::counter!("b_total", "z" => "say \"\\\"\n", "a" => "1").increment(3);
        metrics::counter!("b_total", "a" => "2", "z" => "").absolute(u64::MAX);
        metrics::gauge!("1.a-b").set(-0.5);
        let rows = metrics::histogram!("rows", "of" => "x");
        for value in [0.0, 1.0, 2.0, 2.5, 1e300, f64::NAN] {
            rows.record(value);
        }
    });
    let text = exporter.render();
    let (start, rest) = text.split_once("# HELP rows").unwrap();
    assert_eq!(
        start,
        "# TYPE __a_b gauge\n__a_b -0.5\n\
         # HELP b_total What \\\\ b is,\\nin two lines\n# TYPE b_total counter\n\
         b_total{a=\"1\",z=\"say \\\"\\\\\\\"\\n\"} 3\n\
         b_total{a=\"2\",z=\"\"} 18446744073709551615\n"
    );
    let lines: Vec<&str> = rest.lines().collect();
    assert_eq!(lines[..2], [" Rows", "# TYPE rows histogram"]);
    assert_eq!(lines[2], "rows_bucket{of=\"x\",le=\"1\"} 2");
    assert_eq!(lines[3], "rows_bucket{of=\"x\",le=\"2\"} 3");
    assert_eq!(lines[4], "rows_bucket{of=\"x\",le=\"4\"} 4");
    assert_eq!(lines[32], "rows_bucket{of=\"x\",le=\"1073741824\"} 4");
    assert_eq!(lines[33], "rows_bucket{of=\"x\",le=\"+Inf\"} 5");
    assert!(lines[34].starts_with("rows_sum{of=\"x\"} 1000000000"), "{}", lines[34]);
    assert_eq!(lines[35..], ["rows_count{of=\"x\"} 5"]);
}

#[test]
fn a_series_registered_twice_is_one_and_one_of_another_kind_is_none() {
    let exporter = Exporter::new();
    metrics::with_local_recorder(&exporter.recorder(), || {
        metrics::counter!("a", "x" => "1").increment(1);
        metrics::counter!("a", "x" => "1").increment(2);
        metrics::gauge!("a", "x" => "1").set(7.0);
        metrics::histogram!("a").record(7.0);
    });
    assert_eq!(exporter.render(), "# TYPE a counter\na{x=\"1\"} 3\n");
}
