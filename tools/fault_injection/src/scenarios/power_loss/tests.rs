use super::disk::{Disk, Fate};
use crate::syscall_faults::{TracedCall, acknowledgements};

fn call(operation: &str, path: &str, to: &str, data: &str) -> TracedCall {
    let (operation, data) = (operation.to_owned(), data.as_bytes().to_vec());
    let (path, to) = (path.into(), to.into());
    TracedCall { operation, process: 1, succeeded: true, path, to, offset: 0, data }
}

/// Creates and writes a file, and may sync it and its directory.
fn write_file(is_synced: bool) -> Vec<TracedCall> {
    let mut calls = vec![call("create", "a", "", ""), call("write", "a", "", "data")];
    if is_synced {
        calls.extend([call("sync", "a", "", ""), call("sync", "", "", "")]);
    }
    calls
}

/// Contents of the files `a` and `b` after a power loss.
fn remains(calls: &[TracedCall], fates: &[Fate]) -> [Option<String>; 2] {
    let disk = Disk::replay(calls).unwrap();
    assert_eq!(disk.pending(), fates.len());
    let tree = disk.after(fates);
    ["/a", "/b"].map(|path| {
        let bytes = tree.get(path)?.clone();
        Some(String::from_utf8(bytes.unwrap()).unwrap())
    })
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_file_synced_with_its_directory_is_kept() {
    assert_eq!(remains(&write_file(true), &[]), [text("data"), None]);
}

#[test]
fn any_part_of_an_unsynced_file_may_be_kept() {
    let calls = write_file(false);
    let with_data = |fate| remains(&calls, &[Fate::Kept, fate])[0].clone();
    assert_eq!(with_data(Fate::Kept), text("data"));
    assert_eq!(with_data(Fate::Lost), text(""));
    assert_eq!(with_data(Fate::Partly(0)), text("\0\0\0\0"));
    assert_eq!(with_data(Fate::Partly(7)), text("dat"));
    assert_eq!(remains(&calls, &[Fate::Lost, Fate::Kept]), [None, None]);
}

#[test]
fn either_half_of_a_rename_may_be_kept_until_its_directory_is_synced() {
    let mut calls = write_file(true);
    calls.push(call("rename", "a", "b", ""));
    assert_eq!(remains(&calls, &[Fate::Lost, Fate::Lost]), [text("data"), None]);
    assert_eq!(remains(&calls, &[Fate::Lost, Fate::Kept]), [text("data"), text("data")]);
    assert_eq!(remains(&calls, &[Fate::Kept, Fate::Lost]), [None, None]);
    calls.push(call("sync", "", "", ""));
    assert_eq!(remains(&calls, &[]), [None, text("data")]);
}

#[test]
fn a_trace_with_a_gap_is_rejected() {
    assert!(Disk::replay(&[call("write", "a", "", "data")]).is_err());
}

fn commit() -> Vec<TracedCall> {
    vec![
        call("create", "run.log", "", ""),
        call("rename", "checkpoints/.epoch-000002-step-000003", COMMITTED, ""),
        call("write", "metrics.jsonl", "", "the loop goes on"),
        call("sync", "checkpoints", "", ""),
        call("write", "status.json", "", "any text"),
    ]
}

const COMMITTED: &str = "checkpoints/epoch-000002-step-000003";

#[test]
fn a_commit_is_acknowledged_by_the_next_call_of_its_process_on_another_file() {
    assert_eq!(acknowledgements(&commit()), [(0, 0), (4, 7)]);
    assert_eq!(acknowledgements(&commit()[..4]), [(0, 0)]);
}

#[test]
fn a_commit_that_was_not_synced_is_acknowledged_all_the_same() {
    let mut calls = commit();
    calls.remove(3);
    assert_eq!(acknowledgements(&calls), [(0, 0), (3, 7)]);
}

#[test]
fn a_commit_that_failed_or_was_killed_is_not_acknowledged() {
    let (mut failed, mut killed) = (commit(), commit());
    failed[3].succeeded = false;
    killed[2..].iter_mut().for_each(|call| call.process = 2);
    assert_eq!(acknowledgements(&failed), [(0, 0)]);
    assert_eq!(acknowledgements(&killed), [(0, 0)]);
}
