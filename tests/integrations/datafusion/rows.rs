//! Functions of one row.

use consilience::datafusion::register;
use consilience::{Evidence, Fusion, Output, Rule};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Float32Type;
use datafusion::error::Result;
use datafusion::prelude::SessionContext;

use super::{Lists, decisions, lists, posteriors, query, record, run};
use crate::support::oracle;
use crate::support::problem::Random;

const ITEMS: usize = 40;
const CLASSES: usize = 3;
const SOURCES: usize = 3;

/// Opinions of each source on each item, about a third missing.
fn opinions() -> Vec<Vec<Option<Vec<f32>>>> {
    let mut random = Random::new(5);
    let mut opinion = || {
        let numbers: Vec<f32> = random.list(CLASSES, 0.001, 1.0);
        let sum: f32 = numbers.iter().sum();
        (random.below(3) > 0).then(|| numbers.iter().map(|x| x / sum).collect())
    };
    (0..SOURCES).map(|_| (0..ITEMS).map(|_| opinion()).collect()).collect()
}

fn wide(kind: Lists) -> SessionContext {
    let context = SessionContext::new();
    register(&mut *context.state_ref().write()).expect("registered");
    let columns = opinions().iter().map(|source| lists(source, CLASSES, kind)).collect::<Vec<_>>();
    let batch = record(["a", "b", "c"].into_iter().zip(columns).collect());
    context.register_batch("wide", batch).expect("registered");
    context
}

/// What the oracle says of each item, `None` where nobody said anything.
fn by_oracle(fusion: &Fusion) -> Vec<Option<Vec<f64>>> {
    let all = opinions();
    let plane = |source: &[Option<Vec<f32>>]| -> Vec<f32> {
        source.iter().flat_map(|o| o.clone().unwrap_or_else(|| vec![0.0; CLASSES])).collect()
    };
    let planes: Vec<Vec<f32>> = all.iter().map(|source| plane(source)).collect();
    let planes: Vec<&[f32]> = planes.iter().map(|plane| &plane[..]).collect();
    let there: Vec<Vec<bool>> = all.iter().map(|source| source.iter().map(Option::is_some).collect()).collect();
    let mut evidence = Evidence::probabilities(CLASSES, &planes).expect("opinions");
    for (source, there) in there.iter().enumerate() {
        evidence = evidence.with_presence(source, there).expect("one an item");
    }
    let answers = oracle::answers(fusion, &evidence).expect("valid opinions");
    let answered = |item: usize| there.iter().any(|source| source[item]);
    (0..ITEMS).map(|item| answered(item).then(|| answers[item].item.column(Output::Posterior))).collect()
}

#[test]
fn opinions_side_by_side_are_fused_by_every_rule() -> Result<()> {
    run(async {
        for kind in [Lists::Fixed, Lists::Variable] {
            let context = wide(kind);
            let weighted = r#"{"rule": {"power_mean": {"exponent": 2.0}}, "weighting": {"fixed": [0.5, 0.25, 0.25]}}"#;
            let named = Rule::SIMPLE.map(|rule| (rule.name().to_owned(), Fusion::new(rule)));
            let given = (weighted.to_owned(), serde_json::from_str(weighted).expect("a fusion"));
            for (text, fusion) in named.into_iter().chain([given]) {
                let answer = query(&context, &format!("SELECT fuse('{text}', a, b, c) AS p FROM wide")).await?;
                for (item, (got, want)) in posteriors(&answer, "p").iter().zip(by_oracle(&fusion)).enumerate() {
                    let is_near = match (got, &want) {
                        (Some(got), Some(want)) => got.iter().zip(want).all(|(g, w)| (f64::from(*g) - w).abs() < 4e-6),
                        (None, None) => true,
                        _ => false,
                    };
                    assert!(is_near, "{text} {kind:?} item {item}: {got:?} {want:?}");
                }
            }
        }
        Ok(())
    })
}

#[test]
fn posteriors_are_measured() -> Result<()> {
    run(async {
        let context = wide(Lists::Fixed);
        let sql = "SELECT a, decision(a) AS d, confidence(a) AS c, margin(a) AS m, entropy(a) AS h, temper(a, 2.0) AS t FROM wide";
        let answer = query(&context, sql).await?;
        let column = |name: &str| answer.column_by_name(name).expect("a column").as_primitive::<Float32Type>().clone();
        let (confidence, margin, entropy) = (column("c"), column("m"), column("h"));
        let (decision, tempered) = (decisions(&answer, "d"), posteriors(&answer, "t"));
        for (row, a) in posteriors(&answer, "a").iter().enumerate() {
            let Some(a) = a else {
                assert!(
                    decision[row].is_none() && tempered[row].is_none() && entropy.is_null(row) && margin.is_null(row)
                );
                continue;
            };
            let mut order: Vec<usize> = (0..CLASSES).collect();
            order.sort_by(|&i, &j| a[j].total_cmp(&a[i]).then(i.cmp(&j)));
            assert_eq!(decision[row], Some(order[0] as u32));
            assert_eq!((confidence.value(row), margin.value(row)), (a[order[0]], a[order[0]] - a[order[1]]));
            let exact: Vec<f64> = a.iter().map(|&p| p.into()).collect();
            let nats: f64 = exact.iter().map(|p| -p * p.ln()).sum();
            assert!((f64::from(entropy.value(row)) - nats).abs() < 1e-6);
            let whole: f64 = exact.iter().map(|p| p.sqrt()).sum();
            let half = tempered[row].as_ref().expect("tempered");
            assert!(half.iter().zip(&exact).all(|(t, p)| (f64::from(*t) - p.sqrt() / whole).abs() < 1e-6));
        }
        Ok(())
    })
}

#[test]
fn constants_and_labels_become_opinions() -> Result<()> {
    run(async {
        let context = wide(Lists::Fixed);
        let one = async |call: &str| {
            query(&context, &format!("SELECT {call} AS p")).await.map(|b| posteriors(&b, "p").remove(0))
        };
        assert_eq!(one("softmax([0.0, ln(3.0)])").await?, Some(vec![0.25, 0.75]));
        assert_eq!(one("temper([0.0, 1.0], 4.0)").await?, Some(vec![0.0, 1.0]));
        assert_eq!(one("label_opinion(1, 3)").await?, Some(vec![0.0, 1.0, 0.0]));
        assert_eq!(one("label_opinion(0, 3, 0.5)").await?, Some(vec![0.5, 0.25, 0.25]));
        assert_eq!(one("label_opinion(0, 1, 0.5)").await?, Some(vec![1.0]));
        assert_eq!(one("label_opinion(NULL, 3)").await?, None);
        assert_eq!(one("fuse('linear', [1.0, 0.0], NULL, [0.0, 1.0])").await?, Some(vec![0.5, 0.5]));
        assert_eq!(one("fuse('linear', [0.25, 0.75])").await?, Some(vec![0.25, 0.75]));
        // Labels of a table, as opinions of a group.
        let votes = "SELECT fuse_vote(label_opinion(l, 3)) AS p FROM (VALUES (1), (1), (2), (NULL)) AS t (l)";
        let got = posteriors(&query(&context, votes).await?, "p").remove(0).expect("votes");
        assert!(got.iter().zip([0.0, 2.0 / 3.0, 1.0 / 3.0]).all(|(p, want)| (p - want).abs() < 1e-6), "{got:?}");
        Ok(())
    })
}

/// Bit by bit as CRC-32 is defined, times the number of buckets.
#[test]
fn keys_fall_into_the_same_buckets_everywhere() -> Result<()> {
    let crc = |bytes: &[u8]| {
        !bytes.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
        })
    };
    let bucket = |bytes: &[u8], count: u32| (u64::from(crc(bytes)) * u64::from(count) / (1 << 32)) as u32;
    run(async {
        let context = wide(Lists::Fixed);
        let sql = "SELECT bucket(i, 7) AS a, bucket(CAST(i AS VARCHAR), 3) AS b, bucket(NULL, 5) AS c FROM generate_series(-50, 50) AS t (i)";
        let answer = query(&context, sql).await?;
        let numbers: Vec<i64> = (-50..=50).collect();
        let want: Vec<_> = numbers.iter().map(|i| Some(bucket(&i.to_le_bytes(), 7))).collect();
        assert_eq!(decisions(&answer, "a"), want);
        let want: Vec<_> = numbers.iter().map(|i| Some(bucket(i.to_string().as_bytes(), 3))).collect();
        assert_eq!(decisions(&answer, "b"), want);
        assert!(decisions(&answer, "c").iter().all(|bucket| *bucket == Some(0)));
        let error = query(&context, "SELECT bucket(1, 0)").await.expect_err("no buckets").to_string();
        assert!(error.contains("number of buckets"), "{error}");
        Ok(())
    })
}
