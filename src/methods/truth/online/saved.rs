//! What is saved, and refused when it is read.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{MOST_CLASSES, NONE, Online};
use crate::methods::learning::State;

impl State for Online {
    const KIND: &'static str = "truth_online";
    const VERSION: u32 = 1;
}

impl Serialize for Online {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Online {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut online = Self::deserialize(deserializer)?;
        online.check().map_err(D::Error::custom)?;
        online.statistics.derive(&online.options);
        online.check_counted().map_err(D::Error::custom)?;
        Ok(online)
    }
}

impl Online {
    /// Refuses what nothing can hold.
    fn check(&self) -> Result<(), String> {
        self.options.check().map_err(|error| error.to_string())?;
        let classes = self.classes;
        if !(1..=MOST_CLASSES).contains(&classes) {
            return Err(format!("classes is {classes}, it must be between 1 and {MOST_CLASSES}"));
        }
        self.statistics.check(classes, self.options.half_life)
    }

    /// The same of what needs all the numbers.
    fn check_counted(&self) -> Result<(), String> {
        self.check_sizes([self.items(), self.sources()]).map_err(|error| error.to_string())?;
        if self.posterior.len() != self.items() * self.classes {
            let (is, must) = (self.posterior.len(), self.items() * self.classes);
            return Err(format!("posterior has {is} entries, it must have {must}"));
        }
        let cells = self.sources() as u64 * self.statistics.symbols() as u64;
        self.annotations.check(self.items.iter().map(|item| item.last), cells)?;
        for (item, (of_item, posterior)) in self.items.iter().zip(self.posterior.chunks_exact(self.classes)).enumerate()
        {
            if of_item.gold != NONE && of_item.gold as usize >= self.classes {
                return Err(format!("the class of item {item} is {}, there are {}", of_item.gold, self.classes));
            }
            if of_item.then > self.statistics.clock() {
                let clock = self.statistics.clock();
                return Err(format!("item {item} was put in at {}, it must be by {clock}", of_item.then));
            }
            let sum: f64 = posterior.iter().sum();
            let must = f64::from(u8::from(of_item.counts()));
            let shares = posterior.iter().all(|share| (0.0..=1.0).contains(share));
            let known = of_item.gold().is_none_or(|class| posterior[class] == 1.0);
            if !(shares && known && (sum - must).abs() <= 1e-9) {
                return Err(format!("the posterior of item {item} is {posterior:?}, it must sum to {must}"));
            }
        }
        let mut counted = self.statistics.clone();
        self.count_into(&mut counted);
        self.statistics.check_counted(&counted)
    }
}
