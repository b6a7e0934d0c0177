//! What is wrong is said, with the place and what would be right.

use consilience::{Error, InvalidReason};
use datafusion::error::{DataFusionError, Result};

use super::{Lists, query, run, said, session};

/// The message of the error that a query is.
async fn refused(call: &str, from: &str) -> String {
    let context = session(&said(2, 2, 2, 1), 2, Lists::Fixed, 1);
    match query(&context, &format!("SELECT {call} FROM {from}")).await {
        Ok(answer) => panic!("{call} is {answer:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn numbers_that_are_none_are_named() {
    let one = |row: &str| format!("(VALUES ({row})) AS t (p, w, c)");
    let cases = [
        ("fuse_linear(p)", "[0.5, 0.6], 1.0, 1.0", "fuse_linear", "sum"),
        ("fuse_log_pool(p)", "[-0.5, 1.5], 1.0, 1.0", "fuse_log_pool", "-0.5"),
        ("fuse_linear(p, w)", "[0.5, 0.5], -1.0, 1.0", "a weight of -1", "at least 0"),
        ("fuse_linear(p, w)", "[0.5, 0.5], 2e6, 1.0", "a weight of 2000000", "at most 1000000"),
        ("fuse_linear(p, w)", "[0.5, 0.5], CAST(NULL AS FLOAT), 1.0", "a weight of NULL", "give it a number"),
        ("fuse_yager(p, w)", "[0.5, 0.5], 1.5, 1.0", "a weight of 1.5", "at most 1"),
        ("fuse_bayes(p, w, c)", "[0.5, 0.5], 1.0, 1.5", "a confidence of 1.5", "in [0, 1]"),
        ("fuse_confusion(p)", "[0.5, 1.5], 1.0, 1.0", "a likelihood of 1.5 for class 1", "in [0, 1]"),
        ("effective_sources(w)", "[0.5, 0.5], 1e5, 1.0", "a weight of 100000", "at most 1000"),
        ("disagreement(p)", "[0.5, NULL], 1.0, 1.0", "a NULL among its numbers", "NULL as a whole"),
        ("softmax(p)", "[0.5, CAST('inf' AS DOUBLE)], 1.0, 1.0", "a logit of inf for class 1", "finite"),
        ("temper(p, w)", "[0.5, 0.5], 0.0, 1.0", "a temperature of 0", "above 0"),
        ("decision(p)", "[0.5, 0.1], 1.0, 1.0", "decision", "sum"),
        ("accuracy(p, 2)", "[0.5, 0.5], 1.0, 1.0", "the label 2", "classes are 0 to 1"),
        ("fuse('linear', p)", "[0.5, 0.1], 1.0, 1.0", "fuse", "sum"),
        ("label_opinion(2, 2)", "[0.5, 0.5], 1.0, 1.0", "the label 2", "classes are 0 to 1"),
        ("label_opinion(1, 2, w)", "[0.5, 0.5], 2.0, 1.0", "a confidence of 2", "in [0, 1]"),
    ];
    for (call, row, what, right) in cases {
        let message = run(async { Ok(refused(call, &one(row)).await) }).expect("a message");
        assert!(message.contains(what) && message.contains(right), "{call} of {row}: {message}");
    }
}

#[test]
fn arguments_that_do_not_fit_are_named() {
    let cases = [
        ("fuse_linear(weight)", "the opinion must be a list of numbers, and not Float32"),
        ("fuse_linear(['a'])", "the opinion must be a list of numbers, and not of Utf8"),
        ("fuse_linear(opinion, opinion)", "the weight must be a number"),
        ("fuse_linear()", "fuse_linear takes the opinion, the weight, of which the first 1 must be given, and not 0"),
        ("fuse_linear(opinion, 1.0, 1.0)", "and not 3 arguments"),
        ("fuse_linear(DISTINCT opinion), nll(opinion, 0)", "fuse_linear takes no DISTINCT beside other functions"),
        ("fuse_evidence(opinion, 1.0, [0.5, 0.6])", "the class prior"),
        ("fuse_evidence(opinion, 1.0, [0.5, 0.25, 0.25])", "the class prior"),
        ("fuse_evidence(opinion, 1.0, [weight, 1.0 - weight])", "must be a constant"),
        ("accuracy(opinion, weight)", "the label must be an integer, and not Float32"),
        ("ece(opinion, label, 0)", "the number of bins of ece is 0; it must be from 1 to 65536"),
        ("fuse('nonsense', opinion)", "nonsense"),
        ("fuse('{\"rule\": 1}', opinion)", "the fusion of fuse"),
        ("label_opinion(1, label)", "the number of classes of label_opinion must be a constant"),
        ("label_opinion(1, 0)", "the number of classes of label_opinion is 0"),
    ];
    for (call, what) in cases {
        let message = run(async { Ok(refused(call, "said").await) }).expect("a message");
        assert!(message.contains(what), "{call}: {message}");
    }
}

#[test]
fn classes_must_be_as_many_everywhere() {
    let rows = "(VALUES ([0.5, 0.5]), ([0.25, 0.25, 0.5])) AS t (p)";
    for call in ["fuse_linear(p)", "fuse('linear', p)"] {
        let message = run(async { Ok(refused(call, rows).await) }).expect("a message");
        assert!(message.contains("3 classes") && message.contains("and 2 before"), "{call}: {message}");
    }
}

/// The error that a program meets is the crate's own.
#[test]
fn an_error_can_be_taken_apart() -> Result<()> {
    run(async {
        let context = session(&said(2, 2, 2, 1), 2, Lists::Fixed, 1);
        let error =
            query(&context, "SELECT fuse('linear', [0.5, 0.5], [1.5, -0.5])").await.expect_err("a negative number");
        let DataFusionError::External(ours) = error.find_root() else { panic!("{error:?}") };
        let opinion = ours.downcast_ref::<Error>().and_then(Error::invalid_opinion).expect("an opinion");
        assert_eq!((opinion.source, opinion.reason), (1, InvalidReason::Negative));
        Ok(())
    })
}
