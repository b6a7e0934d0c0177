//! What the system says of this process: Linux does, others are not asked.

use std::fs;
use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

/// The most memory that it ever had resident, in bytes.
pub fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?)
}

/// The time of all cores that it has had so far. The system counts in hundredths of a second.
pub fn cpu_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in brackets and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut hundredths = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (hundredths()? + hundredths()?)))
}

pub fn cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}
