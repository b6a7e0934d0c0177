//! The roofline: how many operations a second a kernel does, by how many it does for each byte that it must move, below what
//! the memory would allow.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::labels::place;
use super::machine::Machine;
use super::measure::Row;
use super::table::percent;
use crate::Failure;

const SIZE: (u32, u32) = (1760, 1060);
/// Where the list of points begins.
const LIST: i32 = 1130;
/// Columns of the list, how wide each is, and how high a line.
const COLUMNS: i32 = 2;
const COLUMN: i32 = 315;
const LINE: i32 = 17;
const TOP: i32 = 96;
const INK: RGBColor = RGBColor(40, 40, 40);
const WARNING: RGBColor = RGBColor(190, 30, 30);
const RADIUS: i32 = 4;
/// By family. Okabe and Ito's, told apart by the colour-blind too.
const FAMILIES: [(&str, RGBColor); 5] = [
    ("fusion", RGBColor(0, 114, 178)),
    ("stacking", RGBColor(204, 121, 167)),
    ("vortex", RGBColor(0, 158, 115)),
    ("beam", RGBColor(213, 94, 0)),
    ("bayes", RGBColor(150, 110, 0)),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A kernel's place.
struct Point {
    family: usize,
    title: String,
    intensity: f64,
    /// Operations a second.
    rate: f64,
    of_copy: Option<f64>,
}

/// The picture of everything that has a place in it, and what has none.
pub fn draw(machine: &Machine, copy: Option<f64>, rows: &[Row]) -> Result<(String, Vec<String>), Failure> {
    let points: Vec<Point> = rows.iter().filter_map(Point::of).collect();
    let without = rows.iter().filter(|row| Point::of(row).is_none()).map(|row| format!("{} {}", row.kernel, row.name));
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        title(&area, machine)?;
        chart(&area, copy, &points)?;
        list(&area, &points)?;
        area.present()?;
    }
    Ok((text, without.collect()))
}

impl Point {
    /// `None` where no operation is counted or no time was taken.
    fn of(row: &Row) -> Option<Self> {
        let seconds = row.kernel_time.median().filter(|&seconds| seconds > 0.0)?;
        let operations = row.operations?;
        let family = FAMILIES.iter().position(|(family, _)| row.kernel.name().starts_with(family))?;
        Some(Self {
            family,
            title: format!("{} {}", row.kernel, row.name),
            intensity: row.intensity()?,
            rate: operations / seconds,
            of_copy: row.of_copy,
        })
    }
}

fn title(area: &Area<'_>, machine: &Machine) -> Result<(), Failure> {
    let style = |size: i32, colour: &RGBColor| ("sans-serif", size).into_font().color(colour);
    area.draw(&Text::new(format!("Roofline of {}", machine.title()), (24, 16), style(22, &INK)))?;
    if let Some(mark) = machine.mark() {
        area.draw(&Text::new(mark, (24, 46), style(18, &WARNING)))?;
    }
    Ok(())
}

/// Whole powers of ten around the values.
fn decades(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| *value > 0.0) {
        low = low.min(value.log10().floor());
        high = high.max((value * 1.001).log10().ceil());
    }
    if low > high { 0.1..10.0 } else { 10_f64.powf(low)..10_f64.powf(high.max(low + 1.0)) }
}

fn chart(area: &Area<'_>, copy: Option<f64>, points: &[Point]) -> Result<(), Failure> {
    let (left, _) = area.split_horizontally(LIST);
    let across = decades(points.iter().map(|point| point.intensity));
    let roof = |intensity: f64| copy.map(|copy| copy * intensity * 1e-9);
    let up = decades(points.iter().map(|point| point.rate * 1e-9).chain(roof(across.start)));
    let mut chart = ChartBuilder::on(&left)
        .margin_top(76)
        .margin_left(12)
        .margin_bottom(12)
        .margin_right(12)
        .x_label_area_size(56)
        .y_label_area_size(84)
        .build_cartesian_2d(across.clone().log_scale(), up.clone().log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(INK.mix(0.06))
        .bold_line_style(INK.mix(0.18))
        .x_desc("operations for each byte that must be moved")
        .y_desc("10^9 operations a second")
        .label_style(("sans-serif", 15))
        .axis_desc_style(("sans-serif", 17))
        .x_label_formatter(&plain)
        .y_label_formatter(&plain)
        .draw()?;
    if let Some(copy) = copy {
        // Where the line leaves the picture at the top.
        let end = across.end.min(up.end / (copy * 1e-9));
        let line = [across.start, end].map(|x| (x, copy * x * 1e-9));
        chart.draw_series(LineSeries::new(line, INK.stroke_width(2)))?;
        let text = format!("copy by a kernel, {:.1} GB/s", copy * 1e-9);
        // Below the line, which rises.
        let middle = (across.start * end).sqrt();
        let (x, y) = chart.backend_coord(&(middle, copy * middle * 1e-9));
        let style = ("sans-serif", 16).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Top));
        area.draw(&Text::new(text, (x + 12, y + 6), style))?;
    }
    let places: Vec<(i32, i32)> =
        points.iter().map(|point| chart.backend_coord(&(point.intensity, point.rate * 1e-9))).collect();
    drop(chart);
    let widths: Vec<i32> = (1..=points.len()).map(|number| 3 + 8 * number.to_string().len() as i32).collect();
    let labels = place(&places, &widths, 13, RADIUS);
    for (number, ((point, at), [x, y, width, height])) in points.iter().zip(&places).zip(labels).enumerate() {
        let colour = FAMILIES[point.family].1;
        let middle = (x + width / 2, y + height / 2);
        // A line leads to a label that is not beside its point.
        if (middle.0 - at.0).abs() > width / 2 + RADIUS + 4 || (middle.1 - at.1).abs() > height / 2 + RADIUS + 4 {
            area.draw(&PathElement::new([*at, middle], colour.mix(0.35).stroke_width(1)))?;
        }
        area.draw(&Circle::new(*at, RADIUS, colour.filled()))?;
        let style = ("sans-serif", 13).into_font().color(&colour).pos(Pos::new(HPos::Center, VPos::Center));
        area.draw(&Text::new((number + 1).to_string(), middle, style))?;
    }
    Ok(())
}

/// A power of ten, or a number beside one.
fn plain(value: &f64) -> String {
    if *value >= 1.0 { format!("{value:.0}") } else { format!("{value}") }
}

/// Which number is which, and how much of a copy's speed it has.
fn list(area: &Area<'_>, points: &[Point]) -> Result<(), Failure> {
    let heading = ("sans-serif", 15).into_font().color(&INK);
    area.draw(&Text::new("in brackets: bytes a second over a copy's", (LIST, TOP - 26), heading))?;
    let lines = (points.len() as i32 + COLUMNS - 1) / COLUMNS;
    for (place, point) in (0..).zip(points) {
        let (x, y) = (LIST + COLUMN * (place / lines.max(1)), TOP + LINE * (place % lines.max(1)));
        let share = point.of_copy.map(|share| format!(" ({})", percent(share))).unwrap_or_default();
        let style = ("sans-serif", 13).into_font().color(&FAMILIES[point.family].1);
        area.draw(&Text::new(format!("{} {}{share}", place + 1, point.title), (x, y), style))?;
    }
    Ok(())
}
