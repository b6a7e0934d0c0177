//! The scores as pictures.

use std::io::Write;
use std::path::Path;

use consilience::calibration::{Interval, Scores, Summary};
use plotters::prelude::*;

use crate::{Failure, whole_file};

const SIZE: (u32, u32) = (640, 480);
const INK: RGBColor = RGBColor(40, 40, 40);
const RULE: RGBColor = RGBColor(31, 98, 168);
const SOURCE: RGBColor = RGBColor(196, 120, 30);

/// Kind, name, bins and scores of one that was scored.
type Row<'a> = (&'static str, String, &'a Scores);

fn summary(row: &Row<'_>) -> Result<Summary, Failure> {
    Ok(row.2.summary().ok_or("nothing was scored")?)
}

fn accuracy_of(row: &Row<'_>) -> f64 {
    row.2.summary().map_or(0.0, |summary| summary.accuracy.mean)
}

/// Accuracy over confidence, by bins: the default ensemble, the log pool, and the source of the highest accuracy. On the
/// diagonal, confidence means what it says.
pub fn reliability(path: &Path, rows: &[Row<'_>]) -> Result<(), Failure> {
    let best = rows.iter().filter(|row| row.0 == "source").max_by(|a, b| accuracy_of(a).total_cmp(&accuracy_of(b)));
    let rule = |name: &'static str| rows.iter().find(move |row| row.0 == "rule" && row.1 == name);
    let curves = [(rule("ensemble"), RULE), (rule("log_pool"), RGBColor(60, 150, 90)), (best, SOURCE)];
    draw(path, |area| {
        let mut chart = ChartBuilder::on(area)
            .caption("Accuracy over confidence, unseen digits", ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(50)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        chart.configure_mesh().x_desc("confidence").y_desc("accuracy").light_line_style(TRANSPARENT).draw()?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], INK.mix(0.4)))?;
        for (row, colour) in curves.into_iter().filter_map(|(row, colour)| Some((row?, colour))) {
            let points: Vec<(f64, f64)> = row.2.bins().iter().map(|bin| (bin.confidence, bin.accuracy)).collect();
            let label = format!("{} {} (ECE {:.3})", row.0, row.1, summary(row)?.ece);
            chart
                .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
                .label(label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
            chart.draw_series(points.into_iter().map(|point| Circle::new(point, 3, colour.filled())))?;
        }
        let position = SeriesLabelPosition::UpperLeft;
        chart.configure_series_labels().position(position).background_style(WHITE).border_style(INK.mix(0.3)).draw()?;
        Ok(())
    })
}

/// The accuracy of every source and every rule, with its interval.
pub fn accuracy(path: &Path, rows: &[Row<'_>]) -> Result<(), Failure> {
    let lowest = rows.iter().filter_map(|row| row.2.summary()).map(|summary| summary.accuracy.low).fold(1.0, f64::min);
    let count = rows.len() as f64;
    draw(path, |area| {
        let mut chart = ChartBuilder::on(area)
            .caption("Accuracy on unseen digits, with 95 % intervals", ("sans-serif", 18))
            .margin(12)
            .margin_right(24)
            .x_label_area_size(40)
            .y_label_area_size(120)
            .build_cartesian_2d((lowest - 0.01)..1.0, 0.0..count)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .light_line_style(TRANSPARENT)
            .x_label_formatter(&|x| format!("{:.0} %", 100.0 * x))
            .draw()?;
        let left = chart.plotting_area().get_x_range().start;
        for (place, row) in rows.iter().enumerate() {
            let Interval { mean, low, high } = summary(row)?.accuracy;
            let (colour, y) = (if row.0 == "rule" { RULE } else { SOURCE }, count - place as f64 - 0.5);
            chart.draw_series(LineSeries::new([(low, y), (high, y)], colour.stroke_width(2)))?;
            chart.draw_series([Circle::new((mean, y), 4, colour.filled())])?;
            let (x, y) = chart.backend_coord(&(left, y));
            let style = ("sans-serif", 14).into_text_style(area).color(&INK);
            area.draw_text(&row.1, &style, (x - 118, y - 7))?;
        }
        Ok(())
    })
}

fn draw<F>(path: &Path, picture: F) -> Result<(), Failure>
where
    F: FnOnce(&DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Result<(), Failure>,
{
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        picture(&area)?;
        area.present()?;
    }
    whole_file::write(path, |mut file| Ok(file.write_all(text.as_bytes())?))
}
