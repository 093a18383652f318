//! Memory available to this process.
//!
//! The system, the control groups of the process, as in a container, and the limit of its address space
//! bound it. Cached pages of files can be reclaimed and count as free.

use std::fs;
use std::path::Path;

/// Number of bytes that this process can allocate without swapping or being killed; `None` if the
/// system does not report it.
pub fn available() -> Option<u64> {
    let system = fs::read_to_string("/proc/meminfo").ok();
    let system = system.and_then(|table| entry(&table, "MemAvailable:")?.checked_mul(1024));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = groups.lines().filter_map(|line| left_by_group(Path::new("/sys/fs/cgroup"), line));
    groups.chain(system).chain(left_by_limit()).min()
}

/// Largest resident memory of this process so far, in bytes; `None` if the system does not report it.
pub fn peak() -> Option<u64> {
    of_process("VmHWM:")
}

/// Resident memory of this process in bytes, shared pages included.
pub fn resident() -> Option<u64> {
    of_process("VmRSS:")
}

fn of_process(name: &str) -> Option<u64> {
    entry(&fs::read_to_string("/proc/self/status").ok()?, name)?.checked_mul(1024)
}

/// Bytes left by the hard limit of the address space, which `ulimit -v` sets.
fn left_by_limit() -> Option<u64> {
    let limit = hard_limit(&fs::read_to_string("/proc/self/limits").ok()?)?;
    Some(limit.saturating_sub(of_process("VmSize:")?))
}

/// The hard limit of the address space in `/proc/self/limits`, after the soft one; `None` if unlimited.
fn hard_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Bytes left by the group of a line `number:controllers:path` of `/proc/self/cgroup`.
fn left_by_group(root: &Path, line: &str) -> Option<u64> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    let (root, files) = match controllers {
        "" => (root.to_path_buf(), &VERSION_2),
        _ if controllers.split(',').any(|name| name == "memory") => {
            (root.join("memory"), &VERSION_1)
        }
        _ => return None,
    };
    let group = root.join(path.trim_start_matches('/'));
    // A group is limited by its ancestors too. In a container the path may not exist below the
    // root; the root is then the group of the container.
    let groups = group.ancestors().take_while(|group| group.starts_with(&root));
    groups.filter_map(|group| left(group, files)).min()
}

/// Names of the files with the limit and the usage of a group, and of the entries of `memory.stat` that
/// count cached pages of files.
type GroupFiles = ([&'static str; 2], [&'static str; 2]);

const VERSION_1: GroupFiles = (
    ["memory.limit_in_bytes", "memory.usage_in_bytes"],
    ["total_inactive_file", "total_active_file"],
);
const VERSION_2: GroupFiles = (["memory.max", "memory.current"], ["inactive_file", "active_file"]);

/// Bytes left by a group; `None` without a limit, where the file contains `max`.
fn left(group: &Path, (numbers, cached): &GroupFiles) -> Option<u64> {
    let number = |name| fs::read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
    let [limit, usage] = numbers.map(number);
    let table = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    let cached: u64 = cached.iter().filter_map(|name| entry(&table, name)).sum();
    Some(limit?.saturating_sub(usage?.saturating_sub(cached)))
}

/// Number after `name` in a table with one entry per line, such as `/proc/self/status`.
pub fn entry(table: &str, name: &str) -> Option<u64> {
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
    fn cached_pages_of_files_count_as_free() {
        let stat = "anon 600\nfile 300\ninactive_file 200\nactive_file 50\n";
        let files = [("job/memory.max", "1000\n"), ("job/memory.current", "900\n")];
        let root = group(&[&files[..], &[("job/memory.stat", stat)]].concat());
        assert_eq!(left_by_group(root.path(), "0::/job"), Some(350));
    }

    #[test]
    fn a_group_is_limited_by_its_ancestors() {
        let root = group(&[
            ("outer/memory.max", "500"),
            ("outer/memory.current", "400"),
            ("outer/inner/memory.max", "max"),
            ("outer/inner/memory.current", "300"),
        ]);
        assert_eq!(left_by_group(root.path(), "0::/outer/inner"), Some(100));
        assert_eq!(left_by_group(root.path(), "0::/elsewhere"), None);
    }

    #[test]
    fn groups_of_version_1_are_read_too() {
        let limit = ("memory/job/memory.limit_in_bytes", "1000");
        let root = group(&[limit, ("memory/job/memory.usage_in_bytes", "1200")]);
        assert_eq!(left_by_group(root.path(), "4:cpu,memory:/job"), Some(0));
        assert_eq!(left_by_group(root.path(), "5:cpu:/job"), None);
    }

    #[test]
    fn a_container_without_its_path_uses_the_root() {
        let root = group(&[("memory.max", "100"), ("memory.current", "30")]);
        assert_eq!(left_by_group(root.path(), "0::/docker/1234"), Some(70));
    }

    #[test]
    fn the_hard_limit_of_the_address_space_is_read() {
        let limits = "Limit   Soft Limit   Hard Limit   Units\nMax address space 1000 2000 bytes\n";
        assert_eq!(hard_limit(limits), Some(2000));
        assert_eq!(hard_limit("Max address space unlimited unlimited bytes\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_system_reports_available_memory() {
        assert!(available().unwrap() > 1 << 20);
    }
}
