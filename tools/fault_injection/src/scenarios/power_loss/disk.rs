//! Possible contents of a disk after a power loss. POSIX guarantees the synced data of a file and
//! the synced entries of a directory; any part of everything else may be missing.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::file::{Change, Fate, File};
use crate::snapshot::list_names;
use crate::syscall_faults::{Operation, TracedCall};

/// All files and directories that were ever created, with their possible contents.
pub struct Disk {
    nodes: Vec<Node>,
}

enum Node {
    File(File),
    Directory(Directory),
}

/// Entries of a directory: names and indices of nodes.
#[derive(Default)]
struct Directory {
    durable: BTreeMap<String, usize>,
    now: BTreeMap<String, usize>,
    /// Nodes that each name referred to since the last sync.
    pending: BTreeMap<String, Vec<Option<usize>>>,
}

/// Files by path: their bytes, or `None` for a directory.
pub type Tree = BTreeMap<String, Option<Vec<u8>>>;

const ROOT: usize = 0;

impl Disk {
    /// An empty directory.
    pub fn new() -> Self {
        Self { nodes: vec![Node::Directory(Directory::default())] }
    }

    /// The disk after `calls`.
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
        match call.operation {
            Operation::Open => self.find(&call.path).map(drop),
            Operation::Create => self.add(&call.path, Node::File(File::default())),
            Operation::Mkdir => self.add(&call.path, Node::Directory(Directory::default())),
            Operation::Write => {
                let change = Change::Write(call.offset as usize, call.data.clone());
                self.file(&call.path)?.push(change);
                Some(())
            }
            Operation::Truncate => {
                let file = self.file(&call.path)?;
                if file.length() != call.offset as usize {
                    file.push(Change::Truncate(call.offset as usize));
                }
                Some(())
            }
            Operation::Sync => {
                match self.node(&call.path)? {
                    Node::File(file) => file.sync(),
                    Node::Directory(directory) => directory.sync(),
                }
                Some(())
            }
            Operation::Rename => {
                let node = self.find(&call.path)?;
                self.set(&call.path, None)?;
                self.set(&call.to, Some(node))
            }
            Operation::Link => {
                let node = self.find(&call.path)?;
                self.set(&call.to, Some(node))
            }
            Operation::Remove => self.set(&call.path, None),
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

    fn file(&mut self, path: &Path) -> Option<&mut File> {
        match self.node(path)? {
            Node::File(file) => Some(file),
            Node::Directory(_) => None,
        }
    }

    fn add(&mut self, path: &Path, node: Node) -> Option<()> {
        self.nodes.push(node);
        self.set(path, Some(self.nodes.len() - 1))
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
        let pending = self.nodes.iter().map(|node| match node {
            Node::File(file) => file.pending(),
            Node::Directory(directory) => directory.pending.len(),
        });
        pending.sum()
    }

    /// The files after a power loss in which the changes that are not durable meet these fates.
    pub fn after(&self, fates: &[Fate]) -> Tree {
        let mut fates = fates.iter().copied();
        let remains: Vec<_> = self.nodes.iter().map(|node| node.after(&mut fates)).collect();
        let mut tree = Tree::new();
        collect(&remains, ROOT, "", &mut tree);
        tree
    }
}

/// A node after a power loss.
enum Remains {
    File(Vec<u8>),
    Directory(BTreeMap<String, usize>),
}

fn collect(remains: &[Remains], node: usize, path: &str, tree: &mut Tree) {
    match remains.get(node) {
        Some(Remains::File(bytes)) => drop(tree.insert(path.to_owned(), Some(bytes.clone()))),
        Some(Remains::Directory(entries)) => {
            tree.insert(path.to_owned(), None);
            for (name, node) in entries {
                collect(remains, *node, &format!("{path}/{name}"), tree);
            }
        }
        None => {}
    }
}

impl Node {
    fn after(&self, fates: &mut impl Iterator<Item = Fate>) -> Remains {
        match self {
            Self::File(file) => Remains::File(file.after(fates)),
            Self::Directory(directory) => Remains::Directory(directory.after(fates)),
        }
    }
}

impl Directory {
    fn sync(&mut self) {
        self.durable.clone_from(&self.now);
        self.pending.clear();
    }

    fn after(&self, fates: &mut impl Iterator<Item = Fate>) -> BTreeMap<String, usize> {
        let mut entries = self.durable.clone();
        for ((name, nodes), fate) in self.pending.iter().zip(fates) {
            let node = match fate {
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
}

/// Reads the files in a directory.
pub fn read_tree(directory: &Path) -> io::Result<Tree> {
    let mut tree = Tree::new();
    read_into(&mut tree, directory, String::new())?;
    Ok(tree)
}

fn read_into(tree: &mut Tree, source: &Path, path: String) -> io::Result<()> {
    if source.is_file() {
        tree.insert(path, Some(fs::read(source)?));
        return Ok(());
    }
    for name in list_names(source)? {
        read_into(tree, &source.join(&name), format!("{path}/{name}"))?;
    }
    tree.insert(path, None);
    Ok(())
}

/// Writes files into an empty directory.
pub fn write_tree(tree: &Tree, directory: &Path) -> io::Result<()> {
    for (path, bytes) in tree.iter().filter(|(path, _)| !path.is_empty()) {
        let path = directory.join(path.trim_start_matches('/'));
        match bytes {
            Some(bytes) => fs::write(path, bytes)?,
            None => fs::create_dir(path)?,
        }
    }
    Ok(())
}
