//! Functions of groups: every rule, in every type of list, whatever the partitions.

use std::sync::Arc;

use consilience::datafusion::Aggregate;
use consilience::partial::Pool;
use consilience::{Evidence, Fusion, Output, Rule, Weighting};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Float32Type;
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::prelude::{col, lit};

use super::{Lists, Said, batch, decisions, posteriors, query, run, said, session};
use crate::support::oracle::{self, Item};
use crate::support::pools::{fusion_of, posterior_of};

const CLASSES: usize = 4;
const PRIOR: [f32; CLASSES] = [0.4, 0.3, 0.2, 0.1];

/// The arguments that a rule is called with here.
fn arguments(pool: Pool) -> &'static str {
    match pool {
        Pool::Confusion => "opinion, [0.4, 0.3, 0.2, 0.1]",
        Pool::Evidence | Pool::DempsterShafer(_) | Pool::Belief(_) => "opinion, weight, [0.4, 0.3, 0.2, 0.1]",
        Pool::BayesianAverage | Pool::MaxVote | Pool::Ensemble => "opinion, weight, confidence",
        _ => "opinion, weight",
    }
}

/// What the oracle says of the opinions of an item, if there are any.
fn by_oracle(fusion: impl Fn(&[f32]) -> Fusion, item: &[&Said]) -> Option<Item> {
    let there: Vec<&&Said> = item.iter().filter(|said| said.opinion.is_some()).collect();
    let rows: Vec<&[f32]> = there.iter().flat_map(|said| said.opinion.as_deref()).collect();
    let weights: Vec<f32> = there.iter().map(|said| said.weight).collect();
    let given: Vec<f32> = there.iter().map(|said| said.confidence.unwrap_or(f32::NEG_INFINITY)).collect();
    if rows.is_empty() {
        return None;
    }
    let mut evidence = Evidence::probabilities(CLASSES, &rows).expect("opinions");
    for (source, confidence) in given.chunks(1).enumerate().filter(|(_, c)| c[0] >= 0.0) {
        evidence = evidence.with_confidence(source, confidence).expect("one");
    }
    Some(oracle::answers(&fusion(&weights), &evidence).expect("valid")[0].item.clone())
}

fn by_item(said: &[Said], items: usize) -> Vec<Vec<&Said>> {
    (0..items as i64).map(|item| said.iter().filter(|said| said.item == item).collect()).collect()
}

/// Every item within 1e-6 of the oracle, and the same bits in one partition, in two and in five.
#[test]
fn every_rule_is_the_oracles_whatever_the_partitions() -> Result<()> {
    run(async {
        const ITEMS: usize = 60;
        let said = said(ITEMS, 5, CLASSES, 1);
        let calls: Vec<String> = Pool::ALL
            .iter()
            .map(|&pool| format!("{0}({1}) AS {0}", Aggregate::Fuse(pool).name(), arguments(pool)))
            .collect();
        let sql = format!("SELECT item, {} FROM said GROUP BY item ORDER BY item", calls.join(", "));
        let mut before: Option<Vec<_>> = None;
        for (kind, partitions) in [(Lists::Fixed, 1), (Lists::Fixed, 5), (Lists::Variable, 2), (Lists::Variable, 5)] {
            let answer = query(&session(&said, CLASSES, kind, partitions), &sql).await?;
            let all: Vec<_> = Pool::ALL.iter().map(|&pool| posteriors(&answer, Aggregate::Fuse(pool).name())).collect();
            let before = before.get_or_insert_with(|| all.clone());
            assert!(*before == all, "{kind:?} in {partitions} partitions is another answer");
        }
        let all = before.expect("answers");
        for (&pool, posteriors) in Pool::ALL.iter().zip(&all) {
            for (item, (got, said)) in posteriors.iter().zip(by_item(&said, ITEMS)).enumerate() {
                let prior = Some(&PRIOR[..]);
                let weights =
                    |weights: &[f32]| if pool == Pool::Confusion { vec![1.0; weights.len()] } else { weights.to_vec() };
                let want = by_oracle(|given| fusion_of(pool, &weights(given), prior), &said)
                    .map(|item| posterior_of(pool, &item.column(Output::Posterior), prior));
                match (got, want) {
                    (None, None) => {}
                    (Some(got), Some(want)) => {
                        let is_near = |(got, want): (&f32, &f64)| (f64::from(*got) - want).abs() < 1e-6;
                        assert!(got.iter().zip(&want).all(is_near), "{pool:?} item {item}: {got:?} {want:?}");
                    }
                    other => panic!("{pool:?} item {item}: {other:?}"),
                }
            }
        }
        Ok(())
    })
}

#[test]
fn votes_are_decided_and_opinions_compared_as_by_the_oracle() -> Result<()> {
    run(async {
        const ITEMS: usize = 80;
        let said = said(ITEMS, 4, CLASSES, 2);
        let sql = "SELECT item, vote_decision(opinion, weight) AS vote, disagreement(opinion, weight) AS apart, \
                   effective_sources(weight) FILTER (WHERE opinion IS NOT NULL) AS sources \
                   FROM said GROUP BY item ORDER BY item";
        for partitions in [1, 3] {
            let answer = query(&session(&said, CLASSES, Lists::Fixed, partitions), sql).await?;
            let numbers =
                |name: &str| answer.column_by_name(name).expect("a column").as_primitive::<Float32Type>().clone();
            let (votes, apart, sources) = (decisions(&answer, "vote"), numbers("apart"), numbers("sources"));
            for (item, said) in by_item(&said, ITEMS).iter().enumerate() {
                let fusion = |weights: &[f32]| Fusion::new(Rule::Vote).weighting(Weighting::Fixed(weights.to_vec()));
                let want = by_oracle(fusion, said);
                assert_eq!(votes[item], want.as_ref().map(|item| item.decision() as u32), "item {item}");
                let column = |output| want.as_ref().map(|item| item.column(output)[0]);
                for (got, want, what) in [
                    (&apart, column(Output::Disagreement), "apart"),
                    (&sources, column(Output::EffectiveSources), "sources"),
                ] {
                    let got = got.is_valid(item).then(|| f64::from(got.value(item)));
                    match (got, want) {
                        (Some(got), Some(want)) => {
                            assert!((got - want).abs() < 2e-6 * want.max(1.0), "{what} {item}: {got} {want}")
                        }
                        (got, want) => assert_eq!((got, want), (None, None), "{what} {item}"),
                    }
                }
            }
        }
        Ok(())
    })
}

/// Without GROUP BY, with FILTER, over a window, and as a data frame.
#[test]
fn functions_of_groups_stand_wherever_others_do() -> Result<()> {
    run(async {
        let said = said(9, 4, 3, 3);
        let context = session(&said, 3, Lists::Fixed, 2);
        let one = "SELECT fuse_linear(opinion) AS p FROM said WHERE item = 4";
        let grouped = "SELECT fuse_linear(opinion) AS p FROM said WHERE item = 4 GROUP BY item";
        let filtered = "SELECT fuse_linear(opinion) FILTER (WHERE item = 4) AS p FROM said";
        let windowed = "SELECT DISTINCT p FROM (SELECT item, fuse_linear(opinion) OVER (PARTITION BY item) AS p FROM said) \
                        WHERE item = 4";
        let want = posteriors(&query(&context, one).await?, "p");
        assert!(matches!(&want[..], [Some(_)]));
        for sql in [grouped, filtered, windowed] {
            assert_eq!(posteriors(&query(&context, sql).await?, "p"), want, "{sql}");
        }
        let call = Aggregate::Fuse(Pool::Linear).call(vec![col("opinion")]).alias("p");
        let frame = context.table("said").await?.filter(col("item").eq(lit(4)))?.aggregate(vec![], vec![call])?;
        let rows = frame.collect().await?;
        assert_eq!(rows.iter().flat_map(|batch| posteriors(batch, "p")).collect::<Vec<_>>(), want);
        // A window that grows asks for its answer again and again.
        let grows = "SELECT fuse_linear(opinion) OVER (ORDER BY i ROWS UNBOUNDED PRECEDING) AS p \
                     FROM (VALUES (1, [1.0, 0.0]), (2, [0.0, 1.0]), (3, [0.0, 1.0])) AS t (i, opinion)";
        let grown = posteriors(&query(&context, grows).await?, "p");
        let want: Vec<Vec<f32>> = vec![vec![1.0, 0.0], vec![0.5, 0.5], vec![1.0 / 3.0, 2.0 / 3.0]];
        assert_eq!(grown.into_iter().flatten().collect::<Vec<_>>(), want);
        Ok(())
    })
}

/// Partial sums are made where the rows lie, and merged.
#[test]
fn groups_are_summed_in_two_phases() -> Result<()> {
    run(async {
        let said = said(9, 4, 3, 3);
        let context = session(&said, 3, Lists::Fixed, 3);
        let plan = context
            .sql("SELECT item, fuse_log_pool(opinion) FROM said GROUP BY item")
            .await?
            .create_physical_plan()
            .await?;
        let text = datafusion::physical_plan::displayable(plan.as_ref()).indent(false).to_string();
        assert!(text.contains("mode=Partial") && text.contains("mode=FinalPartitioned"), "{text}");
        Ok(())
    })
}

/// Rows in the order of their groups: each is answered as soon as the next begins.
#[test]
fn groups_that_come_in_order_are_the_same() -> Result<()> {
    run(async {
        let mut said = said(90, 5, 3, 4);
        said.sort_by_key(|said| said.item);
        let context = session(&said, 3, Lists::Fixed, 1);
        let table = MemTable::try_new(
            batch(&[], 3, Lists::Fixed).schema(),
            vec![said.chunks(13).map(|rows| batch(rows, 3, Lists::Fixed)).collect()],
        )?;
        let table = table.with_sort_order(vec![vec![col("item").sort(true, false)]]);
        context.register_table("sorted", Arc::new(table))?;
        let of = |table: &str| {
            format!(
                "SELECT item, fuse_log_pool(opinion, weight) AS posterior, vote_decision(opinion) AS vote \
                 FROM {table} GROUP BY item ORDER BY item"
            )
        };
        let plan = context.sql(&of("sorted")).await?.create_physical_plan().await?;
        let text = datafusion::physical_plan::displayable(plan.as_ref()).indent(false).to_string();
        assert!(text.contains("ordering_mode=Sorted"), "{text}");
        let (sorted, any) = (query(&context, &of("sorted")).await?, query(&context, &of("said")).await?);
        assert_eq!(sorted.num_rows(), 90);
        assert_eq!(sorted, any);
        Ok(())
    })
}

/// A condition that is not known does not hold.
#[test]
fn rows_that_may_count_do_not() -> Result<()> {
    run(async {
        let said = said(40, 6, 3, 5);
        let context = session(&said, 3, Lists::Fixed, 2);
        let of = |condition: &str| {
            format!(
                "SELECT item, fuse_linear(opinion) FILTER (WHERE {condition}) AS posterior \
                 FROM said GROUP BY item ORDER BY item"
            )
        };
        let unknown = query(&context, &of("label < 1")).await?;
        let known = query(&context, &of("coalesce(label, 9) < 1")).await?;
        assert!(said.iter().any(|said| said.label.is_none()) && said.iter().any(|said| said.label == Some(0)));
        assert_eq!(posteriors(&unknown, "posterior"), posteriors(&known, "posterior"));
        Ok(())
    })
}

/// Opinions of other types of number, and no rows at all.
#[test]
fn numbers_are_cast_and_nothing_is_null() -> Result<()> {
    run(async {
        let context = session(&said(1, 1, 2, 1), 2, Lists::Fixed, 2);
        let doubles = "SELECT fuse_bayes(p) AS p FROM (VALUES ([0.25, 0.75]), ([0.5, 0.5])) AS t (p)";
        let integers = "SELECT fuse_linear(p) AS p FROM (VALUES ([1, 0]), ([0, 1])) AS t (p)";
        // Each by its largest probability: .75 and .5 of 1.25.
        let bayes = vec![Some(vec![0.35_f32, 0.65])];
        assert_eq!(posteriors(&query(&context, doubles).await?, "p"), bayes);
        let alias = doubles.replace("fuse_bayes", "fuse_bayesian_average");
        assert_eq!(posteriors(&query(&context, &alias).await?, "p"), bayes);
        assert_eq!(posteriors(&query(&context, integers).await?, "p"), [Some(vec![0.5, 0.5])]);
        for kind in [Lists::Fixed, Lists::Variable] {
            let context = session(&said(3, 2, 2, 1), 2, kind, 2);
            let all = "fuse_linear(opinion) AS p, fuse_ensemble(opinion) AS q";
            let none = query(&context, &format!("SELECT {all} FROM said WHERE item > 99")).await?;
            assert_eq!((posteriors(&none, "p"), posteriors(&none, "q")), (vec![None], vec![None]), "{kind:?}");
            let none = query(&context, &format!("SELECT item, {all} FROM said WHERE item > 99 GROUP BY item")).await?;
            assert_eq!(none.num_rows(), 0);
            let null = "SELECT item, fuse_linear(opinion) AS p FROM said WHERE opinion IS NULL GROUP BY item";
            assert!(posteriors(&query(&context, null).await?, "p").iter().all(Option::is_none));
        }
        Ok(())
    })
}
