//! The learned weights over time.

use std::io::Write;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::entrants::Entrant;
use crate::stream::Stream;
use crate::{Failure, whole_file};

const SIZE: (u32, u32) = (960, 720);
/// Where the legend begins.
const LEGEND: u32 = 760;
const INK: RGBColor = RGBColor(40, 40, 40);
/// Okabe and Ito's, told apart by the colour-blind too.
const COLOURS: [RGBColor; 5] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// One panel per learner, one line per source, and the break.
pub fn weights(path: &Path, stream: &Stream, entrants: &[&Entrant]) -> Result<(), Failure> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (panels, legend) = area.split_horizontally(LEGEND);
        for (panel, entrant) in panels.split_evenly((entrants.len(), 1)).iter().zip(entrants) {
            draw(panel, stream, entrant)?;
        }
        explain(&legend, stream)?;
        area.present()?;
    }
    whole_file::write(path, |mut file| Ok(file.write_all(text.as_bytes())?))
}

fn draw(panel: &Area<'_>, stream: &Stream, entrant: &Entrant) -> Result<(), Failure> {
    let weights = &entrant.pass.weights;
    let most = weights.iter().flatten().copied().fold(0.0, f64::max);
    let (items, middle) = (stream.items() as f64, stream.middle() as f64);
    let mut chart = ChartBuilder::on(panel)
        .caption(format!("Weights under \"{}\"", entrant.name), ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..items, 0.0..1.1 * most)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.15))
        .x_desc("items seen")
        .y_desc("weight, summing to one")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.2}"))
        .draw()?;
    chart.draw_series(DashedLineSeries::new([(middle, 0.0), (middle, 1.1 * most)], 6, 4, INK.stroke_width(1)))?;
    for (source, colour) in COLOURS.into_iter().enumerate().take(stream.sources.len()) {
        let points = weights.iter().enumerate().map(|(item, weights)| (item as f64, weights[source]));
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
    }
    Ok(())
}

/// Which line is whose.
fn explain(legend: &Area<'_>, stream: &Stream) -> Result<(), Failure> {
    let style = ("sans-serif", 15).into_text_style(legend).color(&INK);
    let mut y = 60;
    let mut line = |text: &str| -> Result<i32, Failure> {
        legend.draw_text(text, &style, (44, y - 8))?;
        y += 26;
        Ok(y - 26)
    };
    for (source, colour) in stream.sources.iter().zip(COLOURS) {
        let y = line(&format!("{}, noise {:.1}", source.name, source.noise))?;
        legend.draw(&PathElement::new([(10, y), (36, y)], colour.stroke_width(3)))?;
    }
    let y = line(&format!("{} breaks", stream.sources[0].name))?;
    for x in [10, 20, 30] {
        legend.draw(&PathElement::new([(x, y), (x + 6, y)], INK.stroke_width(1)))?;
    }
    Ok(())
}
