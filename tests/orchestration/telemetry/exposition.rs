//! The text format of Prometheus, read in the few lines it takes: `name{labels} value`, and comments.

use std::collections::BTreeMap;

/// Samples by name and labels as written, and the types by name.
pub(super) struct Scrape {
    samples: BTreeMap<String, f64>,
    pub(super) types: BTreeMap<String, String>,
    pub(super) help: BTreeMap<String, String>,
}

impl Scrape {
    pub(super) fn of(text: &str) -> Self {
        let mut scrape = Self { samples: BTreeMap::new(), types: BTreeMap::new(), help: BTreeMap::new() };
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix("# ") {
                let (what, rest) = comment.split_once(' ').unwrap();
                let (name, said) = rest.split_once(' ').unwrap();
                let comments = if what == "TYPE" { &mut scrape.types } else { &mut scrape.help };
                assert_eq!(comments.insert(name.to_owned(), said.to_owned()), None, "{line}");
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert_eq!(scrape.samples.insert(series.to_owned(), value.parse().unwrap()), None, "{line}");
            }
        }
        scrape
    }

    pub(super) fn value(&self, series: &str) -> f64 {
        *self.samples.get(series).unwrap_or_else(|| panic!("no series {series} in {:?}", self.samples.keys()))
    }

    pub(super) fn count(&self, series: &str) -> u64 {
        let value = self.value(series);
        assert!(value >= 0.0 && value.fract() == 0.0, "{series} is {value}");
        value as u64
    }

    pub(super) fn series(&self) -> impl Iterator<Item = &str> {
        self.samples.keys().map(String::as_str)
    }

    /// The bounds of the bucket of a histogram that a quantile lies in: the first whose count reaches it.
    pub(super) fn bucket_of(&self, histogram: &str, quantile: f64) -> (f64, f64) {
        let prefix = format!("{histogram}_bucket{{le=\"");
        let mut buckets: Vec<(f64, f64)> = self
            .samples
            .iter()
            .filter_map(|(series, &count)| {
                let bound = series.strip_prefix(&prefix)?.strip_suffix("\"}")?;
                Some((bound.parse().unwrap(), count))
            })
            .collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted = quantile * self.value(&format!("{histogram}_count"));
        let index = buckets.iter().position(|(_, count)| *count >= wanted).unwrap();
        (if index == 0 { 0.0 } else { buckets[index - 1].0 }, buckets[index].0)
    }
}

#[test]
fn the_reader_reads() {
    let text = "# HELP a_total What a is\n# TYPE a_total counter\na_total{x=\"y z\"} 3\n\n\
                # TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"10\"} 3\nh_bucket{le=\"+Inf\"} 4\nh_sum 30.5\nh_count 4\n";
    let scrape = Scrape::of(text);
    assert_eq!(scrape.count("a_total{x=\"y z\"}"), 3);
    assert_eq!(scrape.value("h_sum"), 30.5);
    assert_eq!((scrape.types["a_total"].as_str(), scrape.help["a_total"].as_str()), ("counter", "What a is"));
    assert_eq!(scrape.bucket_of("h", 0.5), (1.0, 10.0));
    assert_eq!(scrape.bucket_of("h", 0.25), (0.0, 1.0));
    assert_eq!(scrape.bucket_of("h", 0.9), (10.0, f64::INFINITY));
}
