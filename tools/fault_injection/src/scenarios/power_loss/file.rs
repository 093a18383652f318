//! A file with durable contents and pending changes.

/// Fate of a change that was not durable.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// Not on the disk.
    Lost,
    /// On the disk.
    Kept,
    /// Partly on the disk, chosen by this number: a write is torn or left zeros, a name refers to
    /// a file that it referred to meanwhile.
    Partly(u64),
}

/// Contents of a file.
#[derive(Default)]
pub struct File {
    durable: Vec<u8>,
    now: Vec<u8>,
    pending: Vec<Change>,
}

/// A change of a file.
pub enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl File {
    /// Applies a change that is not durable yet.
    pub fn push(&mut self, change: Change) {
        change.apply(&mut self.now, Fate::Kept);
        self.pending.push(change);
    }

    /// Makes all changes durable.
    pub fn sync(&mut self) {
        self.durable.clone_from(&self.now);
        self.pending.clear();
    }

    /// Number of changes that are not durable.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Length in bytes.
    pub fn length(&self) -> usize {
        self.now.len()
    }

    /// Contents after a power loss.
    pub fn after(&self, fates: &mut impl Iterator<Item = Fate>) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        self.pending.iter().zip(fates).for_each(|(change, fate)| change.apply(&mut bytes, fate));
        bytes
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>, fate: Fate) {
        match (self, fate) {
            (_, Fate::Lost) => {}
            (Self::Truncate(length), _) => bytes.resize(*length, 0),
            (Self::Write(offset, data), Fate::Kept) => write_at(bytes, *offset, data),
            // The new length is on the disk, but not the data.
            (Self::Write(offset, data), Fate::Partly(which)) if which % 2 == 0 => {
                bytes.resize(bytes.len().max(offset + data.len()), 0);
            }
            (Self::Write(offset, data), Fate::Partly(which)) => {
                let torn = (which / 2) as usize % data.len().max(1);
                write_at(bytes, *offset, data.get(..torn).unwrap_or(data));
            }
        }
    }
}

/// Writes `data` at `offset`; fills a gap before it with zeros.
fn write_at(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    bytes.resize(bytes.len().max(offset + data.len()), 0);
    bytes.iter_mut().skip(offset).zip(data).for_each(|(byte, new)| *byte = *new);
}
