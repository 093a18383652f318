use std::ops::ControlFlow;

use data::{Examples, Values};

use super::cache::CachedImages;
use super::*;

fn files(tree: &Tree) -> Vec<ImageFile> {
    let mut list = tree.scan(&Labelling::default()).unwrap();
    list.parts.pop_first().unwrap().1
}

fn prepare(directory: Option<&Path>, files: &[ImageFile], frames: &[Frame]) -> CachedImages {
    CachedImages::prepare(directory, files, frames, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn images() -> Tree {
    let names: Vec<String> = (0..70).map(|item| format!("{}/{item}.png", item % 2)).collect();
    Tree::with(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn in_memory(values: &Values, frame: Frame, count: usize) -> Vec<u8> {
    let examples = Examples::new(frame.shape, values.clone(), vec![0; count]);
    let all: Vec<usize> = (0..count).collect();
    let (examples, rows) = examples.in_memory(&all).unwrap();
    match examples.select(&rows).values {
        Values::Pixels(pixels) => pixels,
        values => panic!("no pixels: {values:?}"),
    }
}

fn entries(cache: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|own| own == ending)).collect()
}

#[test]
fn pixels_are_equal_from_the_cache_without_it_and_decoded_on_demand() {
    let (tree, cache) = (images(), TempDir::new().unwrap());
    let (files, frames) = (files(&tree), [frame(4, 6, 3), Frame::STANDARD]);
    let expected: Vec<Vec<u8>> = files.iter().map(|file| pixels(&file.path)).collect();
    let expected = expected.concat();
    for directory in [Some(cache.path()), Some(cache.path()), None] {
        let images = prepare(directory, &files, &frames);
        assert_eq!(in_memory(&images.values[0], frames[0], 70), expected);
        assert_eq!(images.checksums.len(), 70);
        assert!(images.unreadable.is_empty() && images.facts.has_colours);
    }
    assert_eq!(entries(cache.path(), "rows").len(), 2);
    let checksums = prepare(None, &files, &frames[..1]).checksums;
    let rows =
        cache::ImageRows { files: files.into(), checksums: checksums.into(), frame: frames[0] };
    let examples = Examples::stored([4, 6, 3], rows, vec![0; 70]);
    assert!(examples.are_slow());
    assert_eq!(in_memory(&examples.values, frames[0], 70), expected);
}

#[test]
fn a_changed_image_a_damaged_file_and_another_frame_are_decoded_again() {
    let (tree, cache) = (images(), TempDir::new().unwrap());
    let files = files(&tree);
    let prepared = |frame: Frame| {
        let images = prepare(Some(cache.path()), &files, &[frame]);
        in_memory(&images.values[0], frame, 70)
    };
    let first = prepared(frame(4, 6, 3));
    let file = entries(cache.path(), "rows").remove(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_eq!(prepared(frame(4, 6, 3)), first);
    assert_eq!(prepared(frame(8, 8, 1)).len(), 70 * 64);
    // Of the same length, and with the same time of modification.
    let changed = &files[0].path;
    let modified = fs::metadata(changed).unwrap().modified().unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(6, 4)).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    fs::write(changed, bytes.get_ref()).unwrap();
    fs::File::options().write(true).open(changed).unwrap().set_modified(modified).unwrap();
    assert_eq!(prepared(frame(4, 6, 3))[..72], [0; 72]);
}

#[test]
fn an_image_that_changes_while_it_is_in_use_is_an_error() {
    let tree = images();
    let files = files(&tree);
    let checksums = prepare(None, &files, &[frame(4, 6, 3)]).checksums;
    fs::write(&files[3].path, "no image").unwrap();
    let rows = cache::ImageRows {
        files: files.into(),
        checksums: checksums.into(),
        frame: frame(4, 6, 3),
    };
    let examples = Examples::stored([4, 6, 3], rows, vec![0; 70]);
    assert!(examples.gather(&[2, 4]).is_ok());
    let error = examples.gather(&[2, 3]).unwrap_err().to_string();
    assert!(error.contains("changed while it was in use"), "{error}");
}

#[test]
fn unreadable_images_are_known_to_the_cache() {
    let (tree, cache) = (images(), TempDir::new().unwrap());
    tree.write("0/40.png", "no image");
    tree.write("1/41.png", "");
    let files = files(&tree);
    for directory in [Some(cache.path()), Some(cache.path()), None] {
        let images = prepare(directory, &files, &[frame(4, 6, 3)]);
        let paths = images.unreadable.iter().map(|image| image.path.clone());
        assert_eq!(paths.collect::<Vec<_>>(), ["0/40.png", "1/41.png"].map(|name| tree.path(name)));
        assert!(images.unreadable[1].reason.contains("empty"), "{:?}", images.unreadable);
        assert_eq!(
            (images.checksums.len(), in_memory(&images.values[0], frame(4, 6, 3), 68).len()),
            (68, 68 * 72)
        );
    }
}

#[test]
fn files_that_were_not_used_for_a_month_are_removed() {
    let (tree, cache) = (images(), TempDir::new().unwrap());
    fs::write(cache.path().join("old.rows"), "x").unwrap();
    fs::write(cache.path().join("new.rows"), "x").unwrap();
    let old = fs::File::options().write(true).open(cache.path().join("old.rows")).unwrap();
    old.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(32 * 86_400))
        .unwrap();
    prepare(Some(cache.path()), &files(&tree), &[frame(4, 6, 3)]);
    assert!(!cache.path().join("old.rows").exists() && cache.path().join("new.rows").exists());
}
