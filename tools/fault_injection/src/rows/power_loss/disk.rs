//! What a disk may hold after a power loss, as far as POSIX promises anything: the data of a file
//! that were synced, and the entries of a directory that was synced. Of everything else each part
//! may be there or not, in any order.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::file::{Change, Fate, File};
use crate::bits::names;
use crate::faults::{Call, What};

/// Everything that was ever made, and what may be there of it.
pub struct Disk {
    nodes: Vec<Node>,
}

enum Node {
    File(File),
    Directory(Directory),
}

/// Entries by their names, as numbers of nodes.
#[derive(Default)]
struct Directory {
    durable: BTreeMap<String, usize>,
    now: BTreeMap<String, usize>,
    /// What each name stood for since the last sync.
    pending: BTreeMap<String, Vec<Option<usize>>>,
}

/// A tree of files: their bytes, or `None` of a directory.
pub type Tree = BTreeMap<String, Option<Vec<u8>>>;

const ROOT: usize = 0;

impl Disk {
    /// An empty directory.
    pub fn new() -> Self {
        Self { nodes: vec![Node::Directory(Directory::default())] }
    }

    /// What is there after all of `calls`.
    pub fn replayed(calls: &[Call]) -> Result<Self, String> {
        let mut disk = Self::new();
        calls.iter().try_for_each(|call| disk.apply(call))?;
        Ok(disk)
    }

    /// Does what `call` did. Fails if it cannot have been done, which is a gap in the record.
    pub fn apply(&mut self, call: &Call) -> Result<(), String> {
        match call.done {
            true => self.change(call).ok_or_else(|| format!("cannot follow {call:?}")),
            false => Ok(()),
        }
    }

    fn change(&mut self, call: &Call) -> Option<()> {
        match call.what {
            What::Open => self.find(&call.path).map(drop),
            What::Create => self.add(&call.path, Node::File(File::default())),
            What::Mkdir => self.add(&call.path, Node::Directory(Directory::default())),
            What::Write => {
                let change = Change::Write(call.offset as usize, call.data.clone());
                self.file(&call.path)?.note(change);
                Some(())
            }
            What::Truncate => {
                let file = self.file(&call.path)?;
                if file.length() != call.offset as usize {
                    file.note(Change::Cut(call.offset as usize));
                }
                Some(())
            }
            What::Sync => {
                match self.node(&call.path)? {
                    Node::File(file) => file.sync(),
                    Node::Directory(directory) => directory.sync(),
                }
                Some(())
            }
            What::Rename => {
                let node = self.find(&call.path)?;
                self.set(&call.path, None)?;
                self.set(&call.to, Some(node))
            }
            What::Link => {
                let node = self.find(&call.path)?;
                self.set(&call.to, Some(node))
            }
            What::Remove => self.set(&call.path, None),
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

    /// What the name at `path` stands for from now on.
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

    /// How many changes are not durable.
    pub fn pending(&self) -> usize {
        let pending = self.nodes.iter().map(|node| match node {
            Node::File(file) => file.pending(),
            Node::Directory(directory) => directory.pending.len(),
        });
        pending.sum()
    }

    /// What is there after a power loss in which the changes that were not durable met these
    /// fates.
    pub fn after(&self, fates: &[Fate]) -> Tree {
        let mut fates = fates.iter().copied();
        let left: Vec<_> = self.nodes.iter().map(|node| node.after(&mut fates)).collect();
        let mut tree = Tree::new();
        collect(&left, ROOT, "", &mut tree);
        tree
    }
}

/// What is left of a node.
enum Left {
    File(Vec<u8>),
    Directory(BTreeMap<String, usize>),
}

fn collect(left: &[Left], node: usize, path: &str, tree: &mut Tree) {
    match left.get(node) {
        Some(Left::File(bytes)) => drop(tree.insert(path.to_owned(), Some(bytes.clone()))),
        Some(Left::Directory(entries)) => {
            tree.insert(path.to_owned(), None);
            for (name, node) in entries {
                collect(left, *node, &format!("{path}/{name}"), tree);
            }
        }
        None => {}
    }
}

impl Node {
    fn after(&self, fates: &mut impl Iterator<Item = Fate>) -> Left {
        match self {
            Self::File(file) => Left::File(file.after(fates)),
            Self::Directory(directory) => Left::Directory(directory.after(fates)),
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
        for ((name, meanings), fate) in self.pending.iter().zip(fates) {
            let meaning = match fate {
                Fate::Lost => continue,
                Fate::Kept => meanings.last(),
                Fate::Partly(which) => meanings.get(which as usize % meanings.len()),
            };
            match meaning.copied().flatten() {
                Some(node) => drop(entries.insert(name.clone(), node)),
                None => drop(entries.remove(name)),
            }
        }
        entries
    }
}

/// The tree that is in the directory `place`.
pub fn tree_of(place: &Path) -> io::Result<Tree> {
    let mut tree = Tree::new();
    add_to(&mut tree, place, String::new())?;
    Ok(tree)
}

fn add_to(tree: &mut Tree, at: &Path, path: String) -> io::Result<()> {
    if at.is_file() {
        tree.insert(path, Some(fs::read(at)?));
        return Ok(());
    }
    for name in names(at)? {
        add_to(tree, &at.join(&name), format!("{path}/{name}"))?;
    }
    tree.insert(path, None);
    Ok(())
}

/// Puts a tree into the directory `place`, which is empty.
pub fn put_tree(tree: &Tree, place: &Path) -> io::Result<()> {
    for (path, bytes) in tree.iter().filter(|(path, _)| !path.is_empty()) {
        let path = place.join(path.trim_start_matches('/'));
        match bytes {
            Some(bytes) => fs::write(path, bytes)?,
            None => fs::create_dir(path)?,
        }
    }
    Ok(())
}
