//! A stream of server-sent events, cut into events.

/// Collects bytes as they come and hands out the data of each event once it is whole.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// What has come of the line that is not whole yet.
    line: Vec<u8>,
    /// The data of the event that is not whole yet.
    data: Vec<u8>,
    /// A line that ended in a carriage return may be followed by the line feed that belongs to it.
    after_return: bool,
}

impl Events {
    /// Takes bytes, wherever they are cut, and gives the data of the events they complete.
    pub fn push(&mut self, bytes: &[u8], mut event: impl FnMut(&[u8])) {
        for &byte in bytes {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => self.end_line(&mut event),
                _ => self.line.push(byte),
            }
        }
    }

    fn end_line(&mut self, event: &mut impl FnMut(&[u8])) {
        if self.line.is_empty() {
            if !self.data.is_empty() {
                event(&self.data);
                self.data.clear();
            }
            return;
        }
        // Other fields, and comments that keep a connection alive, are no data.
        if let Some(data) = self.line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Events;

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let (mut events, mut found) = (Events::default(), Vec::new());
        for piece in pieces {
            events.push(piece, |data| found.push(String::from_utf8_lossy(data).into_owned()));
        }
        found
    }

    #[test]
    fn events_are_whole_however_they_are_cut() {
        let stream =
            ": hello\r\n\r\ndata: caf\u{e9}\n\nevent: x\rdata:a\rdata: b\r\rid: 7\r\ndata: [DONE]\r\n\r\ndata: cut"
                .as_bytes();
        let want = ["caf\u{e9}", "a\nb", "[DONE]"];
        assert_eq!(read(&[stream]), want);
        for cut in 0..stream.len() {
            assert_eq!(read(&[&stream[..cut], &stream[cut..]]), want, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(read(&bytes), want);
    }
}
