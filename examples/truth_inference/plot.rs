//! The sources: how good each was found to be over how much it said.

use std::io::Write;
use std::path::Path;

use consilience::truth::{Fit, Method};
use plotters::prelude::*;

use crate::task::Task;
use crate::{Failure, whole_file};

const SIZE: (u32, u32) = (720, 520);
const INK: RGBColor = RGBColor(40, 40, 40);
const FOUND: RGBColor = RGBColor(31, 98, 168);
const TRUE: RGBColor = RGBColor(196, 120, 30);

/// Sources drawn, at most: evenly chosen of more.
const DRAWN: usize = 2_000;

/// What is drawn of a source.
struct Source {
    annotations: f64,
    skill: f64,
    /// How often it was right where the truth is given.
    right: Option<f64>,
}

/// Draws the sources of a fit; where the truth is given, how often each was right, too.
pub fn sources(path: &Path, method: &Method, fit: &Fit, task: &Task) -> Result<(), Failure> {
    let sources = all(fit, task);
    let most = sources.iter().map(|source| source.annotations).fold(1.0, f64::max);
    let least = sources.iter().map(|source| source.skill).fold(0.0, f64::min);
    let highest = sources.iter().map(|source| source.skill).fold(1.0, f64::max);
    let step = sources.len().div_ceil(DRAWN).max(1);
    let drawn = || sources.iter().step_by(step);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(format!("{} sources by {method}", sources.len()), ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(50)
            .build_cartesian_2d((0.8..1.3 * most).log_scale(), least..1.02 * highest)?;
        chart
            .configure_mesh()
            .x_desc("annotations")
            .y_desc("skill")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .light_line_style(TRANSPARENT)
            .bold_line_style(INK.mix(0.15))
            .draw()?;
        let right = drawn().filter_map(|source| Some((source.annotations, source.right?)));
        let right: Vec<_> = right.map(|point| Circle::new(point, 2, TRUE.mix(0.4).stroke_width(1))).collect();
        if !right.is_empty() {
            chart
                .draw_series(right)?
                .label("how often it was right")
                .legend(|(x, y)| Circle::new((x + 9, y), 2, TRUE.stroke_width(1)));
        }
        chart
            .draw_series(
                drawn().map(|source| Circle::new((source.annotations, source.skill), 2, FOUND.mix(0.6).filled())),
            )?
            .label("how good it was found to be")
            .legend(|(x, y)| Circle::new((x + 9, y), 2, FOUND.filled()));
        let position = SeriesLabelPosition::LowerRight;
        chart.configure_series_labels().position(position).background_style(WHITE).border_style(INK.mix(0.3)).draw()?;
        area.present()?;
    }
    whole_file::write(path, |mut file| Ok(file.write_all(text.as_bytes())?))
}

fn all(fit: &Fit, task: &Task) -> Vec<Source> {
    let annotations = task.annotations();
    // Of each source, annotations, those of which the truth is given, and those that say it.
    let mut counts = vec![[0_u32; 3]; annotations.sources()];
    let mut truth = task.truth.iter().peekable();
    for item in 0..annotations.items() {
        let class = truth.next_if(|known| known.0 as usize == item).map(|known| known.1);
        for (source, label) in annotations.of_item(item) {
            let [all, known, right] = &mut counts[source as usize];
            *all += 1;
            *known += u32::from(class.is_some());
            *right += u32::from(class == Some(label));
        }
    }
    let source = |([all, known, right], &skill): ([u32; 3], &f64)| Source {
        annotations: all.into(),
        skill,
        right: (known > 0).then(|| f64::from(right) / f64::from(known)),
    };
    counts.into_iter().zip(fit.skill()).map(source).collect()
}
