//! The map beside the estimate as a picture in greys: a PNG.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::map::Map;
use crate::{Failure, whole_file};

/// Pixels on a side of each half, at most.
const SIDE: usize = 1024;
/// Pixels between the halves.
const GAP: usize = 16;

/// Occupied is black, free is white; what is not known is grey.
pub fn draw(path: &Path, map: &Map, probabilities: &[f32]) -> Result<(), Failure> {
    let cells = map.size.div_ceil(SIDE);
    let side = map.size / cells;
    let width = 2 * side + GAP;
    let mut pixels = vec![200; width * side];
    for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
        for x in 0..side {
            let places = (0..cells * cells).map(|k| (y * cells + k / cells) * map.size + x * cells + k % cells);
            let grey = |sum: f32| (255.0 * (1.0 - sum / (cells * cells) as f32)).round() as u8;
            row[x] = grey(places.clone().map(|cell| f32::from(u8::from(map.occupied[cell]))).sum());
            row[side + GAP + x] = grey(places.map(|cell| probabilities[cell]).sum());
        }
    }
    let picture = png(width, &pixels)?;
    whole_file::write(path, |mut file| Ok(file.write_all(&picture)?))
}

/// Rows of 8-bit greys as a PNG (ISO/IEC 15948), no filter.
fn png(width: usize, pixels: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in pixels.chunks_exact(width) {
        zlib.write_all(&[0])?;
        zlib.write_all(row)?;
    }
    let mut header = Vec::new();
    for length in [width, pixels.len() / width] {
        header.extend(u32::try_from(length)?.to_be_bytes());
    }
    header.extend([8, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in [(b"IHDR", header), (b"IDAT", zlib.finish()?), (b"IEND", Vec::new())] {
        file.extend(u32::try_from(content.len())?.to_be_bytes());
        let chunk = [&name[..], &content].concat();
        file.extend(&chunk);
        file.extend(crc32fast::hash(&chunk).to_be_bytes());
    }
    Ok(file)
}
