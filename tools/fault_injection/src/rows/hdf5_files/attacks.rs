//! Files made to do harm.

use std::error::Error;
use std::path::Path;

use hdf5::dataset::{AllocTime, DatasetBuilder, Layout};
use hdf5::types::{CompoundField, CompoundType, EnumMember, EnumType, FloatSize, IntSize};
use hdf5::types::{Reference, TypeDescriptor, VarLenUnicode};
use hdf5::{Datatype, File, Group};

use super::bases::{classes, earliest, labels, labels_and_classes, pixels, put};
use super::trial::{Bench, Case, file};

/// A name, and what is in the file; the path is that of a file that must not be opened.
type Attack = (&'static str, fn(&File, &Path) -> hdf5::Result<()>);
/// A name, what is in the sound file, the bytes to look for, and what to put so many bytes later.
type Patch = (&'static str, fn(&File) -> hdf5::Result<()>, &'static [u8], usize, &'static [u8]);

/// All of them.
pub fn all(bench: &Bench) -> Result<Vec<Case>, Box<dyn Error>> {
    let bait = bench.bait();
    let made = ATTACKS.iter().map(|(name, fill)| {
        let bytes = file(bench, earliest, |file| fill(file, &bait));
        Ok(Case { name: (*name).to_owned(), bytes: bytes.map_err(|e| format!("{name}: {e}"))? })
    });
    let patched = PATCHES.iter().map(|(name, fill, pattern, skip, patch)| {
        let mut bytes = file(bench, earliest, fill).map_err(|e| format!("{name}: {e}"))?;
        let at = bytes.windows(pattern.len()).position(|window| window == *pattern);
        let at = at.ok_or_else(|| format!("{name}: there is nothing to change"))?;
        bytes.iter_mut().skip(at + skip).zip(*patch).for_each(|(byte, &new)| *byte = new);
        Ok(Case { name: (*name).to_owned(), bytes })
    });
    made.chain(patched).collect()
}

const ATTACKS: &[Attack] = &[
    ("pixels in another file", |file, bait| {
        file.link_external(text(bait)?, "/train_set_x", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("labels in another file", |file, bait| {
        file.link_external(text(bait)?, "/train_set_x", "train_set_y")?;
        pixels(file, |create| create)?;
        classes(file)
    }),
    ("names in another file", |file, bait| {
        file.link_external(text(bait)?, "/train_set_x", "list_classes")?;
        pixels(file, |create| create)?;
        labels(file)
    }),
    ("a link to the file itself from outside", |file, _| {
        file.link_external("made.h5", "/train_set_x", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("the mark of a stand-in in another file", |file, bait| {
        file.link_external(text(bait)?, "/train_set_x", "drawn_by_trainer")?;
        pixels(file, |create| create)?;
        labels_and_classes(file)
    }),
    ("a soft link to itself", |file, _| {
        file.link_soft("/train_set_x", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("soft links in a circle", |file, _| {
        file.link_soft("/b", "train_set_x")?;
        file.link_soft("/c", "b")?;
        file.link_soft("/train_set_x", "c")?;
        labels_and_classes(file)
    }),
    ("a soft link by way of another file", |file, bait| {
        file.link_external(text(bait)?, "/", "out")?;
        file.link_soft("/out/train_set_x", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("a soft link to nothing", |file, _| {
        file.link_soft("/nothing", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("a group that holds itself in place of pixels", |file, _| {
        let group = file.create_group("train_set_x")?;
        group.link_hard("/train_set_x", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("the root in place of pixels", |file, _| {
        file.link_hard("/", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("groups in a circle beside the data", |file, _| {
        let group = file.create_group("circle")?;
        group.link_hard("/", "root")?;
        group.link_hard("/circle", "circle")?;
        pixels(file, |create| create)?;
        labels_and_classes(file)
    }),
    ("a type in place of pixels", |file, _| {
        file.commit_datatype("train_set_x", &Datatype::from_type::<u8>()?)?;
        labels_and_classes(file)
    }),
    ("one data set for pixels, labels and names", |file, _| {
        pixels(file, |create| create)?;
        file.link_hard("/train_set_x", "train_set_y")?;
        file.link_hard("/train_set_x", "list_classes")
    }),
    ("pixels stored in another file", |file, bait| {
        let (bait, offset) = (text(bait)?, 0);
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |c| c.external(bait, offset, 72))?;
        labels_and_classes(file)
    }),
    ("labels stored in another file", |file, bait| {
        let bait = text(bait)?;
        create(file, "train_set_y", &[6], BYTE, |create| create.external(bait, 0, 6))?;
        pixels(file, |create| create)?;
        classes(file)
    }),
    ("names stored in another file", |file, bait| {
        let bait = text(bait)?;
        create(file, "list_classes", &[3], BYTE, |create| create.external(bait, 0, 3))?;
        pixels(file, |create| create)?;
        labels(file)
    }),
    ("a view of another file", |file, bait| {
        let bait = text(bait)?;
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |create| {
            create.virtual_map(bait, "train_set_x", (6, 2, 2, 3), .., (6, 2, 2, 3), ..)
        })?;
        labels_and_classes(file)
    }),
    ("a view of itself", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |create| {
            create.virtual_map(".", "train_set_x", (6, 2, 2, 3), .., (6, 2, 2, 3), ..)
        })?;
        labels_and_classes(file)
    }),
    ("a view of a file that is not there", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |create| {
            create.virtual_map("none.h5", "train_set_x", (6, 2, 2, 3), .., (6, 2, 2, 3), ..)
        })?;
        labels_and_classes(file)
    }),
    ("pixels of 16 exbibytes", |file, _| {
        late(file, "train_set_x", &[1 << 20, 1 << 20, 1 << 21, 3], BYTE)?;
        labels_and_classes(file)
    }),
    ("pixels whose size overflows", |file, _| {
        create(file, "train_set_x", &[1 << 24, 1 << 32, 1 << 31, 3], BYTE, |create| {
            create.chunk([1, 1 << 10, 1 << 10, 3]).alloc_time(Some(AllocTime::Late))
        })?;
        labels_and_classes(file)
    }),
    ("pixels of 4 GiB in a file of some kilobytes", |file, _| {
        late(file, "train_set_x", &[1 << 20, 64, 64, 1], BYTE)?;
        labels_and_classes(file)
    }),
    ("a billion labels", |file, _| {
        late(file, "train_set_y", &[1 << 30], TypeDescriptor::Integer(IntSize::U8))?;
        pixels(file, |create| create)?;
        classes(file)
    }),
    ("names of a gigabyte each", |file, _| {
        late(file, "list_classes", &[3], TypeDescriptor::FixedAscii(1 << 30))?;
        pixels(file, |create| create)?;
        labels(file)
    }),
    ("labels of a gigabyte each", |file, _| {
        late(file, "train_set_y", &[6], TypeDescriptor::FixedUnicode(1 << 30))?;
        pixels(file, |create| create)?;
        classes(file)
    }),
    ("chunks that were never written", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |create| {
            create.chunk([1, 2, 2, 3]).deflate(6).alloc_time(Some(AllocTime::Late))
        })?;
        labels_and_classes(file)
    }),
    ("a chunk of 48 MiB for 72 bytes", |file, _| {
        bomb(file, [1, 1 << 12, 1 << 12, 3])?;
        labels_and_classes(file)
    }),
    ("a chunk of 192 MiB for 72 bytes", |file, _| {
        bomb(file, [1, 1 << 13, 1 << 13, 3])?;
        labels_and_classes(file)
    }),
    ("an unknown filter that may be left out", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |create| {
            create.chunk([6, 2, 2, 3]).fletcher32()
        })?;
        labels_and_classes(file)
    }),
    ("the filter nbit", |file, _| {
        pixels(file, |create| create.chunk([6, 2, 2, 3]).nbit())?;
        labels_and_classes(file)
    }),
    ("the filter fletcher32 behind deflate", |file, _| {
        pixels(file, |create| create.chunk([6, 2, 2, 3]).deflate(6).fletcher32())?;
        labels_and_classes(file)
    }),
    ("pixels of eight bytes", |file, _| {
        put(file, "train_set_x", &[6, 2, 2, 3], &[0.5_f64; 72])?;
        labels_and_classes(file)
    }),
    ("pixels with a sign", |file, _| {
        put(file, "train_set_x", &[6, 2, 2, 3], &[-1_i8; 72])?;
        labels_and_classes(file)
    }),
    ("pixels of truth values", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], TypeDescriptor::Boolean, |create| create)?;
        labels_and_classes(file)
    }),
    ("pixels of several parts", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], compound(), |create| create)?;
        labels_and_classes(file)
    }),
    ("labels of several parts", |file, _| {
        create(file, "train_set_y", &[6], compound(), |create| create)?;
        pixels(file, |create| create)?;
        classes(file)
    }),
    ("labels of an enumeration", |file, _| {
        let member = EnumMember { name: "zero".into(), value: 0 };
        let dtype = EnumType { size: IntSize::U1, signed: false, members: vec![member] };
        create(file, "train_set_y", &[6], TypeDescriptor::Enum(dtype), |create| create)?;
        pixels(file, |create| create)?;
        classes(file)
    }),
    ("labels of arrays of any length", |file, _| {
        let dtype = TypeDescriptor::VarLenArray(Box::new(BYTE));
        create(file, "train_set_y", &[6], dtype, |create| create)?;
        pixels(file, |create| create)?;
        classes(file)
    }),
    ("labels of nested arrays", |file, _| {
        let nest = |inner, _| TypeDescriptor::FixedArray(Box::new(inner), 1);
        let dtype = (0..200).fold(BYTE, nest);
        create(file, "train_set_y", &[6], dtype, |create| create)?;
        pixels(file, |create| create)?;
        classes(file)
    }),
    ("labels that refer to no object", |file, _| {
        let dtype = TypeDescriptor::Reference(Reference::Object);
        create(file, "train_set_y", &[6], dtype, |create| create)?;
        pixels(file, |create| create)?;
        classes(file)
    }),
    ("names that refer to no part of an object", |file, _| {
        let dtype = TypeDescriptor::Reference(Reference::Region);
        create(file, "list_classes", &[3], dtype, |create| create)?;
        pixels(file, |create| create)?;
        labels(file)
    }),
    ("a feature that is no number", |file, _| {
        put(file, "train_set_x", &[6, 1], &[0.0, 1.0, f32::NAN, 3.0, 4.0, 5.0])?;
        labels_and_classes(file)
    }),
    ("an infinite feature", |file, _| {
        put(file, "train_set_x", &[6, 1], &[0.0, 1.0, 2.0, f64::NEG_INFINITY, 4.0, 5.0])?;
        labels_and_classes(file)
    }),
    ("a feature beyond four bytes", |file, _| {
        put(file, "train_set_x", &[6, 1], &[0.0, 1.0, 2.0, 3.0, 4.0, 1e39])?;
        labels_and_classes(file)
    }),
    ("floats for pixels", |file, _| {
        let dtype = TypeDescriptor::Float(FloatSize::U4);
        create(file, "train_set_x", &[6, 2, 2, 3], dtype, |create| create)?;
        labels_and_classes(file)
    }),
    ("no image", |file, _| {
        put::<u8>(file, "train_set_x", &[0, 2, 2, 3], &[])?;
        labels_and_classes(file)
    }),
    ("images without a pixel", |file, _| {
        put::<u8>(file, "train_set_x", &[6, 0, 2, 3], &[])?;
        labels_and_classes(file)
    }),
    ("a number in place of images", |file, _| {
        file.new_dataset::<u8>().create("train_set_x")?.write_scalar(&1)?;
        labels_and_classes(file)
    }),
    ("images of 32 dimensions", |file, _| {
        put(file, "train_set_x", &[1; 32], &[1_u8])?;
        labels_and_classes(file)
    }),
    ("a label below zero", |file, _| {
        pixels(file, |create| create)?;
        put(file, "train_set_y", &[6], &[0_i64, 1, 2, i64::MIN, 1, 0])?;
        classes(file)
    }),
    ("a label beyond all", |file, _| {
        pixels(file, |create| create)?;
        put(file, "train_set_y", &[6], &[0_u64, 1, 2, u64::MAX, 1, 0])?;
        classes(file)
    }),
    ("a label that would make four billion classes", |file, _| {
        pixels(file, |create| create)?;
        put(file, "train_set_y", &[6], &[0_u32, 1, 2, u32::MAX, 1, 0])
    }),
    ("names that are no text", |file, _| {
        pixels(file, |create| create)?;
        labels(file)?;
        let dtype = TypeDescriptor::FixedAscii(2);
        create(file, "list_classes", &[3], dtype, |create| create).map(drop)
    }),
    ("ten thousand names and one", |file, _| {
        pixels(file, |create| create)?;
        labels(file)?;
        let names: Vec<i64> = (0..10_001).collect();
        put(file, "list_classes", &[names.len()], &names)
    }),
    ("names in the header that lead to the heap", |file, _| {
        pixels(file, |create| create)?;
        labels(file)?;
        let builder = file.new_dataset_builder().layout(Layout::Compact);
        let names = builder.empty::<VarLenUnicode>().shape([3]).create("list_classes")?;
        names.write_raw(&names_of_heap()?)
    }),
    ("ten thousand links in the root", |file, _| {
        (0..10_000).try_for_each(|index| file.link_soft("/nothing", &format!("link {index}")))?;
        pixels(file, |create| create)?;
        labels_and_classes(file)
    }),
    ("a name of a link with 60,000 letters", |file, _| {
        file.link_soft("/nothing", &"x".repeat(60_000))?;
        labels_and_classes(file)
    }),
    ("sixty thousand chunks", |file, _| {
        put_chunked(file, &[1 << 6, 32, 32, 1], [1, 1, 1, 1])?;
        let labels = vec![0_u8; 1 << 6];
        put(file, "train_set_y", &[labels.len()], &labels)?;
        classes(file)
    }),
];

const PATCHES: &[Patch] = &[
    ("a version by which libhdf5 divides by zero", chunked_labels, &[3, 2, 2], 0, &[2]),
    ("chunks in the words of an older version", chunked, CHUNKED, 0, &[2]),
    ("chunks of a dimension too few", chunked, CHUNKED, 2, &[4]),
    ("chunks of no dimension", chunked, CHUNKED, 2, &[0]),
    ("chunks of 255 dimensions", chunked, CHUNKED, 2, &[255]),
    ("an index of chunks beyond the file", chunked, CHUNKED, 3, &[0, 0, 0, 0, 0, 1, 0, 0]),
    ("an index of chunks in the superblock", chunked, CHUNKED, 3, &[0; 8]),
    ("chunks of no size", chunked, CHUNKED, 11, &[0; 16]),
    ("chunks of all sizes at once", chunked, CHUNKED, 11, &[0xff; 16]),
    ("elements of four gigabytes", chunked, CHUNKED, 27, &[0xff; 4]),
    // A node: signature (4), type (1), level (1), entries (2), siblings (8 + 8), then for each
    // entry size (4), mask (4), offsets (5 x 8) and address (8).
    ("an index that is its own sibling", chunked, b"TREE\x01\x00", 8, &[0; 16]),
    ("an index of 65,535 entries", chunked, b"TREE\x01\x00", 6, &[0xff; 2]),
    ("an index of 255 levels", chunked, b"TREE\x01\x00", 5, &[0xff]),
    ("a chunk that is longer than the file", chunked, b"TREE\x01\x00", 24, &[0xff; 4]),
    ("a chunk without its filters", chunked, b"TREE\x01\x00", 28, &[0xff; 4]),
    ("a chunk that stands elsewhere", chunked, b"TREE\x01\x00", 32, &[0xff; 8]),
    ("a chunk beyond the file", chunked, b"TREE\x01\x00", 72, &[0xff; 8]),
    ("a chunk in the superblock", chunked, b"TREE\x01\x00", 72, &[0; 8]),
    ("a group that is its own sibling", chunked, b"TREE\x00\x00", 8, &[0; 16]),
    ("a group of 65,535 links", chunked, b"SNOD\x01", 6, &[0xff; 2]),
    ("a link to the root's symbol table", chunked, b"SNOD\x01", 16, &[0; 8]),
    ("a heap of names without an end", chunked, b"HEAP", 8, &[0xff; 8]),
    ("a heap of names that is free throughout", chunked, b"HEAP", 16, &[0; 8]),
    ("255 filters", deflated, FILTERED, 1, &[255]),
    ("a filter that is a plug-in", deflated, FILTERED, 8, &[1, 125]),
    ("a filter of libraries that are not there", deflated, b"deflate", 0, b"\0\0\0\0\0\0\0"),
    ("a name longer than four gigabytes", on_heap, b"GCOL", 24, &[0xff; 8]),
    ("a heap longer than the file", on_heap, b"GCOL", 8, &[0xff; 8]),
    ("a heap of no size", on_heap, b"GCOL", 8, &[0; 8]),
    ("an entry of a heap with a size of zero", on_heap, b"GCOL", 24, &[0; 8]),
    ("addresses of 255 bytes", chunked, b"\x89HDF", 13, &[255, 255]),
    ("a file that ends at its beginning", chunked, b"\x89HDF", 40, &[0; 8]),
    ("a file that ends nowhere", chunked, b"\x89HDF", 40, &[0xff; 8]),
    ("a root at the end of the world", chunked, b"\x89HDF", 64, &[0xfe; 8]),
    ("a root that is the superblock", chunked, b"\x89HDF", 64, &[0; 8]),
];

/// The layout message of chunks, before the address: version, class, dimensions with that of the
/// bytes. After the address (8) come the sides of a chunk and the size of an element, 4 each.
const CHUNKED: &[u8] = &[3, 2, 5];

/// The message of filters: version, filters, reserved (6), the first one's number and length of name.
const FILTERED: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 8, 0];

const BYTE: TypeDescriptor = TypeDescriptor::Unsigned(IntSize::U1);

fn chunked(file: &File) -> hdf5::Result<()> {
    pixels(file, |create| create.chunk([2, 2, 2, 3]))?;
    labels_and_classes(file)
}

fn chunked_labels(file: &File) -> hdf5::Result<()> {
    pixels(file, |create| create)?;
    classes(file)?;
    let labels = file.new_dataset_builder().chunk([3]).empty::<i64>().shape([6]);
    labels.create("train_set_y")?.write_raw(&[0_i64, 1, 2, 2, 1, 0])
}

fn deflated(file: &File) -> hdf5::Result<()> {
    pixels(file, |create| create.chunk([2, 2, 2, 3]).deflate(6))?;
    labels_and_classes(file)
}

fn on_heap(file: &File) -> hdf5::Result<()> {
    pixels(file, |create| create)?;
    labels(file)?;
    put(file, "list_classes", &[3], &names_of_heap()?)
}

fn names_of_heap() -> hdf5::Result<Vec<VarLenUnicode>> {
    let names = ["red", "green", "blue"].map(|name| name.parse().map_err(|_| "a name".into()));
    names.into_iter().collect()
}

/// Six small images in one large chunk of zeros.
fn bomb(file: &Group, chunk: [usize; 4]) -> hdf5::Result<()> {
    let builder = file.new_dataset_builder().deflate(9).chunk(chunk);
    let set = builder.empty::<u8>().shape((6, 2.., 2.., 3)).create("train_set_x")?;
    set.write_raw(&[0_u8; 72])
}

fn put_chunked(file: &Group, shape: &[usize], chunk: [usize; 4]) -> hdf5::Result<()> {
    let builder = file.new_dataset_builder().chunk(chunk);
    let set = builder.empty::<u8>().shape(shape).create("train_set_x")?;
    set.write_raw(&vec![1_u8; shape.iter().product()])
}

/// A data set whose room is taken at once, so that nothing but its kind is wrong.
fn create(
    file: &Group,
    name: &str,
    shape: &[usize],
    dtype: TypeDescriptor,
    settings: impl FnOnce(DatasetBuilder) -> DatasetBuilder,
) -> hdf5::Result<()> {
    let builder = settings(file.new_dataset_builder().alloc_time(Some(AllocTime::Early)));
    builder.empty_as(dtype).shape(shape).create(name).map(drop)
}

/// A data set of which nothing is written.
fn late(file: &Group, name: &str, shape: &[usize], dtype: TypeDescriptor) -> hdf5::Result<()> {
    create(file, name, shape, dtype, |create| create.alloc_time(Some(AllocTime::Late)))
}

fn compound() -> TypeDescriptor {
    let field = |name, offset| CompoundField::new(name, BYTE, offset, offset);
    let fields = vec![field("a", 0), field("b", 1)];
    TypeDescriptor::Compound(CompoundType { fields, size: 2 })
}

fn text(path: &Path) -> hdf5::Result<&str> {
    path.to_str().ok_or_else(|| "the directory's name is no text".into())
}
