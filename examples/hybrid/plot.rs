//! How long requests took over time.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use plotters::prelude::*;

use crate::replay::Replayed;
use crate::workload::Request;
use crate::world::World;
use crate::{Failure, whole_file};

const SIZE: (u32, u32) = (960, 520);
const INK: RGBColor = RGBColor(40, 40, 40);
/// Okabe and Ito's, told apart by the colour-blind too.
const COLOURS: [RGBColor; 6] = [
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
];

/// Requests that are averaged over.
const WINDOW: usize = 300;

/// A line for each strategy, the mean of the last requests; the time in which a source is slow is shaded.
pub fn latencies(path: &Path, all: &[Replayed], trace: &[Request]) -> Result<(), Failure> {
    let lasts = Duration::from_millis(trace.last().map_or(0, |last| last.at));
    let minutes = |time: Duration| time.as_secs_f64() / 60.0;
    let lines: Vec<Vec<(f64, f64)>> = all.iter().map(moving).collect();
    let most = 1.25 * lines.iter().flatten().map(|(_, value)| *value).fold(1.0, f64::max);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(format!("Mean latency of the last {WINDOW} requests"), ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..minutes(lasts).max(1e-3), 0.0..most)?;
        let [from, to] = World::slow(lasts).map(minutes);
        chart.draw_series([Rectangle::new([(from, 0.0), (to, most)], INK.mix(0.08).filled())])?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(INK.mix(0.15))
            .x_desc("minutes; shaded: the large model is slow")
            .y_desc("ms")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .draw()?;
        for ((replayed, line), colour) in all.iter().zip(lines).zip(COLOURS) {
            chart
                .draw_series(LineSeries::new(line, colour.stroke_width(2)))?
                .label(replayed.strategy.name())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)));
        }
        let position = SeriesLabelPosition::UpperRight;
        chart.configure_series_labels().position(position).background_style(WHITE).border_style(INK.mix(0.3)).draw()?;
        area.present()?;
    }
    whole_file::write(path, |mut file| Ok(file.write_all(text.as_bytes())?))
}

/// Minutes, and the mean of as many requests as there are up to then, in milliseconds.
fn moving(replayed: &Replayed) -> Vec<(f64, f64)> {
    let replies = &replayed.replies;
    let point = |last: usize| {
        let window = &replies[last.saturating_sub(WINDOW)..last];
        let sum: Duration = window.iter().map(|reply| reply.latency).sum();
        (replies[last - 1].at.as_secs_f64() / 60.0, 1e3 * sum.as_secs_f64() / window.len() as f64)
    };
    (WINDOW.min(replies.len())..=replies.len()).step_by(10).map(point).collect()
}
