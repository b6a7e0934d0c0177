//! What is printed, written and drawn.

use std::fmt;

use comfy_table::Table;
use consilience::beam::Beams;
use serde::Serialize;

use crate::beams::Fused;
use crate::cycles::Moved;

/// Positions 0 to 9.
const POSITIONS: usize = 10;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub beams: usize,
    pub mean_confidence: f64,
    pub mean_agreement: f64,
    /// Beams at each position, by the label mean and by the gradient map.
    pub by_label_mean: [Place; POSITIONS],
    pub by_gradient: [Place; POSITIONS],
    pub objects: u64,
    pub hops: u64,
    /// Objects at each position.
    pub on_the_ring: [Place; POSITIONS],
    /// Ticks, and by how many hops they miss the closed form on average.
    pub tick_errors: Vec<(u32, f64)>,
    /// Of objects on the flow, and of positions at random.
    pub coherence: [f64; 2],
    #[serde(skip)]
    speeds: [f64; 2],
}

/// What is at one position.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Place {
    pub count: u64,
    pub forward: u64,
    /// Mean ethos, logos and pathos, from 0 to 1.
    pub channels: [f64; 3],
    /// How far payloads that meet here point the same way.
    pub intersection: f64,
}

/// Beams by position, with the mean of their channels.
fn places(beams: &Beams) -> [Place; POSITIONS] {
    let mut places = [Place::default(); POSITIONS];
    for (beam, &position) in beams.position().iter().enumerate() {
        let place = &mut places[position as usize];
        place.count += 1;
        for (channel, sum) in place.channels.iter_mut().enumerate() {
            *sum += f64::from(beams.values()[channel * beams.items() + beam]) / 9.0;
        }
    }
    for place in &mut places {
        place.channels = place.channels.map(|sum| sum / place.count.max(1) as f64);
    }
    places
}

impl Summary {
    pub fn of(fused: &Fused, moved: &Moved) -> Self {
        let beams = fused.label_mean.items();
        let mean = |values: &[f32]| values.iter().map(|&x| f64::from(x)).sum::<f64>() / beams as f64;
        let mut on_the_ring = [Place::default(); POSITIONS];
        for (place, bin) in on_the_ring.iter_mut().zip(&moved.bins) {
            let channels = [0, 1, 2].map(|channel| bin.mean.get(channel).copied().unwrap_or_default());
            *place = Place { count: bin.count, forward: bin.forward, channels, intersection: bin.intersection };
        }
        let objects = on_the_ring.iter().map(|place| place.count).sum();
        Self {
            beams,
            mean_confidence: mean(fused.label_mean.confidence()),
            mean_agreement: mean(fused.label_mean.agreement()),
            by_label_mean: places(&fused.label_mean),
            by_gradient: places(&fused.gradient),
            objects,
            hops: moved.hops,
            on_the_ring,
            tick_errors: moved.errors.clone(),
            coherence: moved.coherence,
            speeds: [beams as f64 / fused.took.as_secs_f64(), objects as f64 / moved.tick.as_secs_f64()],
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [beams, ticks] = self.speeds.map(|speed| speed / 1e6);
        writeln!(f, "{} beams, {beams:.1} million a second, transfers included", self.beams)?;
        writeln!(f, "  mean confidence {:.4}, mean agreement {:.4}", self.mean_confidence, self.mean_agreement)?;
        writeln!(f, "{} objects, {} hops, {ticks:.1} million ticks a second", self.objects, self.hops)?;
        for (ticks, error) in &self.tick_errors {
            writeln!(f, "  {ticks} ticks miss the closed form by {error:.5} hops")?;
        }
        let [on, off] = self.coherence;
        writeln!(f, "  coherence {on:.3} on the flow, {off:.3} of positions at random\n")?;
        let mut table = Table::new();
        table.set_header([
            "position",
            "beams",
            "by gradient",
            "objects",
            "forward",
            "ethos",
            "logos",
            "pathos",
            "intersection",
        ]);
        for (position, place) in self.on_the_ring.iter().enumerate() {
            let [ethos, logos, pathos] = place.channels.map(|mean| format!("{mean:.3}"));
            table.add_row([
                position.to_string(),
                self.by_label_mean[position].count.to_string(),
                self.by_gradient[position].count.to_string(),
                place.count.to_string(),
                place.forward.to_string(),
                ethos,
                logos,
                pathos,
                format!("{:.3}", place.intersection),
            ]);
        }
        writeln!(f, "{table}")
    }
}
