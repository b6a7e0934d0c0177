//! The orders side by side, in a table.

use comfy_table::{Table, presets};
use consilience::calibration::Scores;

use crate::Failure;
use crate::args::Args;
use crate::pass::Pass;

pub fn print(passes: &[Pass], args: &Args) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "thoughts",
        "wall s",
        "calls",
        "tokens read",
        "written",
        "one thought %",
        "most thoughts %",
        "synthesis %",
    ]);
    for pass in passes {
        table.add_row([
            pass.name.to_owned(),
            format!("{:.2}", pass.elapsed.as_secs_f64()),
            pass.cost.calls.to_string(),
            pass.cost.tokens_in.to_string(),
            pass.cost.tokens_out.to_string(),
            accuracy(&pass.single),
            accuracy(&pass.majority),
            accuracy(&pass.answer),
        ]);
    }
    println!(
        "{} pictures, {} thoughts and a synthesis of each; right in per cent, with Wilson's 95 % interval:",
        args.items, args.thoughts
    );
    println!("{table}");
    for pass in passes {
        if pass.early > 0 {
            println!("{}: {} of {} syntheses that began early were kept.", pass.name, pass.kept, pass.early);
        }
        if pass.failed > 0 {
            println!("{}: {} thoughts failed and were left out.", pass.name, pass.failed);
        }
    }
    if let [sequential, parallel] = passes {
        let (slow, fast) = (sequential.elapsed.as_secs_f64(), parallel.elapsed.as_secs_f64());
        println!("Side by side is {:.1} times as fast as one after the other.", slow / fast);
        for (item, (a, b)) in sequential.thoughts.iter().zip(&parallel.thoughts).enumerate() {
            if a == b {
                assert_eq!(sequential.majorities[item], parallel.majorities[item], "equal thoughts, another decision");
            }
            if args.url.is_none() {
                // The first thought is shown nothing, whichever order it begins.
                assert_eq!(a.first(), b.first(), "the server answers the same question in two ways");
            }
        }
    }
    Ok(())
}

fn accuracy(scores: &Scores) -> String {
    scores.summary().map_or_else(
        || "-".to_owned(),
        |summary| {
            let percent = |share: f64| 100.0 * share;
            let interval = summary.accuracy;
            format!("{:.1} ({:.0} to {:.0})", percent(interval.mean), percent(interval.low), percent(interval.high))
        },
    )
}
