//! Where beams and objects are, and what they carry.

use std::f64::consts::TAU;
use std::io::Write;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::summary::{Place, Summary};
use crate::{Failure, whole_file};

const SIZE: (u32, u32) = (1260, 500);
const PANEL: i32 = 420;
const INK: RGBColor = RGBColor(40, 40, 40);
/// Radius of the ring, and of the largest disc.
const RING: f64 = 145.0;
const LARGEST: f64 = 38.0;
/// The flow, and what it comes back to.
const FLOW: [usize; 7] = [1, 2, 4, 8, 7, 5, 1];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Three rings: beams by either map, and objects.
pub fn draw(path: &Path, summary: &Summary) -> Result<(), Failure> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let [beams, objects] = [summary.beams, summary.objects as usize].map(in_thousands);
        let panels = [
            (format!("{beams} beams, label mean"), &summary.by_label_mean),
            (format!("{beams} beams, gradient map"), &summary.by_gradient),
            (format!("{objects} objects after a minute"), &summary.on_the_ring),
        ];
        for (panel, (title, places)) in panels.iter().enumerate() {
            ring(&area, PANEL * panel as i32, title, *places)?;
        }
        legend(&area)?;
        area.present()?;
    }
    whole_file::write(path, |mut file| Ok(file.write_all(text.as_bytes())?))
}

/// 1,000,000 of 1000000.
fn in_thousands(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(",")
}

/// Where a position is in a panel: 0 in the middle, 9 at the top, the others clockwise.
fn at(left: i32, position: usize) -> (i32, i32) {
    let angle = TAU * position as f64 / 9.0;
    let radius = if position == 0 { 0.0 } else { RING };
    (left + PANEL / 2 + (radius * angle.sin()).round() as i32, 250 - (radius * angle.cos()).round() as i32)
}

/// The colour of mean channels: what is strongest is full, so that hues show however flat the channels are.
fn colour(channels: [f64; 3]) -> RGBColor {
    let most = channels.iter().copied().fold(1e-9, f64::max);
    let [ethos, logos, pathos] = channels.map(|channel| (channel / most).clamp(0.0, 1.0));
    let part = |value: f64| (235.0 * value) as u8;
    RGBColor(part(pathos), part(ethos), part(logos))
}

fn ring(area: &Area<'_>, left: i32, title: &str, places: &[Place]) -> Result<(), Failure> {
    let centred = |size: i32, colour: &RGBColor| {
        ("sans-serif", size).into_font().color(colour).pos(Pos::new(HPos::Center, VPos::Center))
    };
    area.draw(&Text::new(title.to_owned(), (left + PANEL / 2, 24), centred(17, &INK)))?;
    let lines = |path: &[usize]| path.iter().map(|&position| at(left, position)).collect::<Vec<_>>();
    area.draw(&PathElement::new(lines(&FLOW), INK.mix(0.25).stroke_width(1)))?;
    area.draw(&PathElement::new(lines(&[3, 6, 9, 3]), INK.mix(0.25).stroke_width(1)))?;
    let most = places.iter().map(|place| place.count).max().unwrap_or_default().max(1) as f64;
    for (position, place) in places.iter().enumerate() {
        let (x, y) = at(left, position);
        // Areas go by counts.
        let radius = LARGEST * (place.count as f64 / most).sqrt();
        if place.count > 0 {
            area.draw(&Circle::new((x, y), radius.max(1.0), colour(place.channels).filled()))?;
        }
        let inside = radius > 16.0;
        let (below, ink) = if inside { (0, WHITE) } else { (radius as i32 + 10, INK) };
        area.draw(&Text::new(position.to_string(), (x, y + below), centred(17, &ink)))?;
        if place.count > 0 {
            let under = if inside { radius as i32 + 10 } else { below + 14 };
            area.draw(&Text::new(in_thousands(place.count as usize), (x, y + under), centred(12, &INK)))?;
        }
    }
    Ok(())
}

/// What colours and sizes mean.
fn legend(area: &Area<'_>) -> Result<(), Failure> {
    let style = ("sans-serif", 14).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
    for (place, (name, channels)) in
        [("ethos", [1.0, 0.0, 0.0]), ("logos", [0.0, 1.0, 0.0]), ("pathos", [0.0, 0.0, 1.0])].into_iter().enumerate()
    {
        let x = 370 + 90 * place as i32;
        area.draw(&Circle::new((x, 476), 7, colour(channels).filled()))?;
        area.draw(&Text::new(name, (x + 12, 476), style.clone()))?;
    }
    area.draw(&Text::new("Areas go by numbers, colours by mean channels.", (660, 476), style))?;
    Ok(())
}
