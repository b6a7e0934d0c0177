//! Scores of posteriors against labels, compared with those of `calibration`.

use consilience::calibration::{Labelled, accuracy, brier, ece, nll};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::error::Result;

use super::{Lists, query, run, said, session};

#[test]
fn scores_are_those_of_calibration_in_any_partitions() -> Result<()> {
    run(async {
        let said = said(50, 4, 3, 7);
        let labelled: Vec<_> = said.iter().filter(|said| said.opinion.is_some() && said.label.is_some()).collect();
        let posterior: Vec<f32> = labelled.iter().flat_map(|said| said.opinion.clone().unwrap_or_default()).collect();
        let labels: Vec<u32> = labelled.iter().filter_map(|said| said.label).map(|label| label as u32).collect();
        let labelled = Labelled::new(3, &posterior, &labels).expect("labels");
        let calibration = |bins| ece(&labelled, bins).expect("bins");
        let want = [accuracy(&labelled), brier(&labelled), nll(&labelled), calibration(15), calibration(4)];
        let sql = "SELECT accuracy(opinion, label), brier(opinion, label), nll(opinion, label), ece(opinion, label), \
                   ece(opinion, label, 4) FROM said";
        for (kind, partitions) in [(Lists::Fixed, 1), (Lists::Fixed, 4), (Lists::Variable, 3)] {
            let context = session(&said, 3, kind, partitions);
            let answer = query(&context, sql).await?;
            for (column, want) in answer.columns().iter().zip(want) {
                let got = column.as_primitive::<Float64Type>().value(0);
                assert!((got - want).abs() < 1e-8, "{partitions}: {got} {want}");
            }
            // Groups without a label have no score.
            let none = query(&context, "SELECT accuracy(opinion, label) FROM said WHERE label IS NULL").await?;
            assert!(none.column(0).is_null(0));
        }
        Ok(())
    })
}
