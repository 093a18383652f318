//! How much memory can be had.
//!
//! Two limits count: what the system has, and what the control groups of this process leave to it,
//! as in a container. Pages of files in memory are given up when memory is wanted, and count as free.

use std::fs;
use std::path::Path;

/// The bytes that this process can still take without swapping or being killed, where the system
/// tells.
pub fn available() -> Option<u64> {
    let system = fs::read_to_string("/proc/meminfo").ok();
    let system = system.and_then(|table| entry(&table, "MemAvailable:")?.checked_mul(1024));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = groups.lines().filter_map(|line| of_group(Path::new("/sys/fs/cgroup"), line));
    groups.chain(system).min()
}

/// What a line `number:controllers:path` of `/proc/self/cgroup` leaves.
fn of_group(root: &Path, line: &str) -> Option<u64> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    let (root, version) = match controllers {
        "" => (root.to_path_buf(), &VERSION_2),
        _ if controllers.split(',').any(|name| name == "memory") => {
            (root.join("memory"), &VERSION_1)
        }
        _ => return None,
    };
    let group = root.join(path.trim_start_matches('/'));
    // A group has no more than those above it. In a container the path may lead nowhere below
    // its root; the root is then the container's own group.
    let groups = group.ancestors().take_while(|group| group.starts_with(&root));
    groups.filter_map(|group| version.left(group)).min()
}

/// The files of a group's directory.
struct Version {
    limit: &'static str,
    usage: &'static str,
    /// The entries of `memory.stat` that count pages of files.
    files: [&'static str; 2],
}

const VERSION_1: Version = Version {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    files: ["total_inactive_file", "total_active_file"],
};

const VERSION_2: Version = Version {
    limit: "memory.max",
    usage: "memory.current",
    files: ["inactive_file", "active_file"],
};

impl Version {
    /// None without a limit: the file then says `max`.
    fn left(&self, group: &Path) -> Option<u64> {
        let number = |name| fs::read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
        let (limit, usage) = (number(self.limit)?, number(self.usage)?);
        let table = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
        let files: u64 = self.files.iter().filter_map(|name| entry(&table, name)).sum();
        Some(limit.saturating_sub(usage.saturating_sub(files)))
    }
}

/// The number after `name` in a table of one entry a line.
pub(crate) fn entry(table: &str, name: &str) -> Option<u64> {
    let mut lines = table.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn group(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn pages_of_files_are_free_memory() {
        let stat = "anon 600\nfile 300\ninactive_file 200\nactive_file 50\n";
        let files = [("job/memory.max", "1000\n"), ("job/memory.current", "900\n")];
        let root = group(&[&files[..], &[("job/memory.stat", stat)]].concat());
        assert_eq!(of_group(root.path(), "0::/job"), Some(350));
    }

    #[test]
    fn a_group_has_no_more_than_those_above_it() {
        let root = group(&[
            ("outer/memory.max", "500"),
            ("outer/memory.current", "400"),
            ("outer/inner/memory.max", "max"),
            ("outer/inner/memory.current", "300"),
        ]);
        assert_eq!(of_group(root.path(), "0::/outer/inner"), Some(100));
        assert_eq!(of_group(root.path(), "0::/elsewhere"), None);
    }

    #[test]
    fn the_first_version_of_groups_counts_too() {
        let limit = ("memory/job/memory.limit_in_bytes", "1000");
        let root = group(&[limit, ("memory/job/memory.usage_in_bytes", "1200")]);
        assert_eq!(of_group(root.path(), "4:cpu,memory:/job"), Some(0));
        assert_eq!(of_group(root.path(), "5:cpu:/job"), None);
    }

    #[test]
    fn a_container_that_does_not_see_its_path_takes_the_root() {
        let root = group(&[("memory.max", "100"), ("memory.current", "30")]);
        assert_eq!(of_group(root.path(), "0::/docker/1234"), Some(70));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_system_has_memory_left() {
        assert!(available().unwrap() > 1 << 20);
    }
}
