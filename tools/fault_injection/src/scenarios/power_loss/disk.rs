//! Possible contents of a disk after a power loss. POSIX guarantees the synced data of a file and
//! the synced entries of a directory; any part of everything else may be missing.

use std::collections::BTreeMap;
use std::path::Path;

use crate::snapshot::Tree;
use crate::syscall_faults::TracedCall;

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

/// All files and directories that were ever created, with their possible contents.
pub struct Disk {
    nodes: Vec<Node>,
}

enum Node {
    File(Versions<Vec<u8>, Vec<Change>>),
    Directory(Versions<Entries, Renames>),
}

/// Names in a directory and indices of their nodes.
type Entries = BTreeMap<String, usize>;

/// Nodes that each name referred to since the last sync.
type Renames = BTreeMap<String, Vec<Option<usize>>>;

/// What is durable, what the program sees now, and the changes in between.
#[derive(Default)]
struct Versions<T, P> {
    durable: T,
    now: T,
    pending: P,
}

enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

const ROOT: usize = 0;

impl Disk {
    pub fn new() -> Self {
        Self { nodes: vec![Node::Directory(Versions::default())] }
    }

    pub fn replay(calls: &[TracedCall]) -> Result<Self, String> {
        let mut disk = Self::new();
        calls.iter().try_for_each(|call| disk.apply(call))?;
        Ok(disk)
    }

    /// Applies `call`. Fails if it is impossible here, which means that the trace has a gap.
    pub fn apply(&mut self, call: &TracedCall) -> Result<(), String> {
        if !call.succeeded {
            return Ok(());
        }
        self.change(call).ok_or_else(|| format!("cannot apply {call:?}"))
    }

    fn change(&mut self, call: &TracedCall) -> Option<()> {
        let offset = call.offset as usize;
        match call.operation.as_str() {
            "open" => self.find(&call.path).map(drop),
            "create" => self.add(&call.path, Node::File(Versions::default())),
            "mkdir" => self.add(&call.path, Node::Directory(Versions::default())),
            "write" => self.change_file(&call.path, Change::Write(offset, call.data.clone())),
            "truncate" => self.change_file(&call.path, Change::Truncate(offset)),
            "sync" => {
                match self.node(&call.path)? {
                    Node::File(file) => file.sync(),
                    Node::Directory(directory) => directory.sync(),
                }
                Some(())
            }
            "rename" => {
                let node = self.find(&call.path)?;
                self.set(&call.path, None)?;
                self.set(&call.to, Some(node))
            }
            "link" => {
                let node = self.find(&call.path)?;
                self.set(&call.to, Some(node))
            }
            "remove" => self.set(&call.path, None),
            _ => None,
        }
    }

    fn find(&self, path: &Path) -> Option<usize> {
        path.components().try_fold(ROOT, |node, name| match self.nodes.get(node)? {
            Node::Directory(directory) => directory.now.get(name.as_os_str().to_str()?).copied(),
            Node::File(_) => None,
        })
    }

    fn node(&mut self, path: &Path) -> Option<&mut Node> {
        let number = self.find(path)?;
        self.nodes.get_mut(number)
    }

    fn add(&mut self, path: &Path, node: Node) -> Option<()> {
        self.nodes.push(node);
        self.set(path, Some(self.nodes.len() - 1))
    }

    fn change_file(&mut self, path: &Path, change: Change) -> Option<()> {
        let Node::File(file) = self.node(path)? else { return None };
        if !matches!(change, Change::Truncate(length) if length == file.now.len()) {
            change.apply(&mut file.now, Fate::Kept);
            file.pending.push(change);
        }
        Some(())
    }

    /// Lets the name at `path` refer to `node`.
    fn set(&mut self, path: &Path, node: Option<usize>) -> Option<()> {
        let name = path.file_name()?.to_str()?.to_owned();
        let Node::Directory(directory) = self.node(path.parent()?)? else { return None };
        match node {
            Some(node) => drop(directory.now.insert(name.clone(), node)),
            None => drop(directory.now.remove(&name)?),
        }
        directory.pending.entry(name).or_default().push(node);
        Some(())
    }

    /// Number of changes that are not durable.
    pub fn pending(&self) -> usize {
        self.nodes.iter().map(Node::pending).sum()
    }

    /// The files after a power loss in which the changes that are not durable meet these fates.
    pub fn after(&self, fates: &[Fate]) -> Tree {
        let mut fates = fates.iter();
        let fates_of = |node: &Node| fates.by_ref().take(node.pending()).copied().collect();
        let fates: Vec<Vec<Fate>> = self.nodes.iter().map(fates_of).collect();
        let mut tree = Tree::new();
        self.collect(ROOT, &fates, String::new(), &mut tree);
        tree
    }

    fn collect(&self, node: usize, fates: &[Vec<Fate>], path: String, tree: &mut Tree) {
        let Some((node, own)) = self.nodes.get(node).zip(fates.get(node)) else { return };
        let bytes = match node {
            Node::File(file) => {
                let mut bytes = file.durable.clone();
                let changes = file.pending.iter().zip(own);
                changes.for_each(|(change, fate)| change.apply(&mut bytes, *fate));
                Some(bytes)
            }
            Node::Directory(directory) => {
                for (name, node) in entries_after(directory, own) {
                    self.collect(node, fates, format!("{path}/{name}"), tree);
                }
                None
            }
        };
        tree.insert(path, bytes);
    }
}

impl Node {
    fn pending(&self) -> usize {
        match self {
            Self::File(file) => file.pending.len(),
            Self::Directory(directory) => directory.pending.len(),
        }
    }
}

impl<T: Clone, P: Default> Versions<T, P> {
    fn sync(&mut self) {
        self.durable.clone_from(&self.now);
        self.pending = P::default();
    }
}

/// Entries of a directory after a power loss.
fn entries_after(directory: &Versions<Entries, Renames>, fates: &[Fate]) -> Entries {
    let mut entries = directory.durable.clone();
    for ((name, nodes), fate) in directory.pending.iter().zip(fates) {
        let node = match *fate {
            Fate::Lost => continue,
            Fate::Kept => nodes.last(),
            Fate::Partly(which) => nodes.get(which as usize % nodes.len()),
        };
        match node.copied().flatten() {
            Some(node) => drop(entries.insert(name.clone(), node)),
            None => drop(entries.remove(name)),
        }
    }
    entries
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>, fate: Fate) {
        let (offset, data) = match (self, fate) {
            (_, Fate::Lost) => return,
            (Self::Truncate(length), _) => return bytes.resize(*length, 0),
            (Self::Write(offset, data), _) => (*offset, data),
        };
        let (length, written) = match fate {
            // The new length is on the disk, but not the data.
            Fate::Partly(which) if which % 2 == 0 => (data.len(), 0),
            Fate::Partly(which) => [(which / 2) as usize % data.len().max(1); 2].into(),
            _ => (data.len(), data.len()),
        };
        // A gap before the data is filled with zeros.
        bytes.resize(bytes.len().max(offset + length), 0);
        let data = data.iter().take(written);
        bytes.iter_mut().skip(offset).zip(data).for_each(|(byte, new)| *byte = *new);
    }
}
