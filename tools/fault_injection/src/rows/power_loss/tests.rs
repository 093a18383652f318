use super::disk::Disk;
use super::file::Fate;
use crate::faults::{Call, What};

fn call(what: What, path: &str, to: &str, data: &str) -> Call {
    let (path, to, data) = (path.into(), to.into(), data.as_bytes().to_vec());
    Call { what, done: true, path, to, offset: 0, data }
}

/// A file that is made and written, and may be synced with its entry.
fn written(is_synced: bool) -> Vec<Call> {
    let mut calls = vec![call(What::Create, "a", "", ""), call(What::Write, "a", "", "data")];
    if is_synced {
        calls.extend([call(What::Sync, "a", "", ""), call(What::Sync, "", "", "")]);
    }
    calls
}

/// What is left in the files `a` and `b`.
fn left(calls: &[Call], fates: &[Fate]) -> [Option<String>; 2] {
    let disk = Disk::replayed(calls).unwrap();
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
fn what_was_synced_with_its_entry_is_there() {
    assert_eq!(left(&written(true), &[]), [text("data"), None]);
}

#[test]
fn of_what_was_not_synced_anything_may_be_there() {
    let calls = written(false);
    let of_data = |fate| left(&calls, &[Fate::Kept, fate])[0].clone();
    assert_eq!(of_data(Fate::Kept), text("data"));
    assert_eq!(of_data(Fate::Lost), text(""));
    assert_eq!(of_data(Fate::Partly(0)), text("\0\0\0\0"));
    assert_eq!(of_data(Fate::Partly(7)), text("dat"));
    assert_eq!(left(&calls, &[Fate::Lost, Fate::Kept]), [None, None]);
}

#[test]
fn half_a_rename_may_be_there_until_its_directory_is_synced() {
    let mut calls = written(true);
    calls.push(call(What::Rename, "a", "b", ""));
    assert_eq!(left(&calls, &[Fate::Lost, Fate::Lost]), [text("data"), None]);
    assert_eq!(left(&calls, &[Fate::Lost, Fate::Kept]), [text("data"), text("data")]);
    assert_eq!(left(&calls, &[Fate::Kept, Fate::Lost]), [None, None]);
    calls.push(call(What::Sync, "", "", ""));
    assert_eq!(left(&calls, &[]), [None, text("data")]);
}

#[test]
fn a_record_with_a_gap_is_refused() {
    assert!(Disk::replayed(&[call(What::Write, "a", "", "data")]).is_err());
}
