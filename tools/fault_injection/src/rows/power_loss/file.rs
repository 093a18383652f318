//! A file: what of it is durable, and what became of the rest.

/// What became of a change that was not durable.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// Nothing of it is there.
    Lost,
    /// All of it is there.
    Kept,
    /// A part of it, which this number chooses: a write is torn or left zeros, an entry stands for
    /// something that it stood for meanwhile.
    Partly(u64),
}

/// The bytes of a file.
#[derive(Default)]
pub struct File {
    durable: Vec<u8>,
    now: Vec<u8>,
    pending: Vec<Change>,
}

/// A change of a file.
pub enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

impl File {
    /// Makes a change that is not durable yet.
    pub fn note(&mut self, change: Change) {
        change.apply(&mut self.now, Fate::Kept);
        self.pending.push(change);
    }

    /// Makes all changes durable.
    pub fn sync(&mut self) {
        self.durable.clone_from(&self.now);
        self.pending.clear();
    }

    /// How many changes are not durable.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// How long it is.
    pub fn length(&self) -> usize {
        self.now.len()
    }

    /// What is left after a power loss.
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
            (Self::Cut(length), _) => bytes.resize(*length, 0),
            (Self::Write(offset, data), Fate::Kept) => put(bytes, *offset, data),
            // The file has its new length, and the data never came.
            (Self::Write(offset, data), Fate::Partly(which)) if which % 2 == 0 => {
                bytes.resize(bytes.len().max(offset + data.len()), 0);
            }
            (Self::Write(offset, data), Fate::Partly(which)) => {
                let torn = (which / 2) as usize % data.len().max(1);
                put(bytes, *offset, data.get(..torn).unwrap_or(data));
            }
        }
    }
}

/// Writes `data` at `offset`, after zeros if there is nothing before it.
fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    bytes.resize(bytes.len().max(offset + data.len()), 0);
    bytes.iter_mut().skip(offset).zip(data).for_each(|(byte, new)| *byte = *new);
}
