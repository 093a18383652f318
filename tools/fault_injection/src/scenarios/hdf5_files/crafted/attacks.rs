//! Files whose objects refer to other files, to themselves, or to objects of another kind, and files
//! with impossible sizes, types, filters or values.

use hdf5::dataset::{AllocTime, DatasetBuilder, Layout};
use hdf5::types::{CompoundField, CompoundType, EnumMember, EnumType, FloatSize, IntSize};
use hdf5::types::{Reference, TypeDescriptor, VarLenUnicode};
use hdf5::{Datatype, File, Group};

use super::super::bases::{FOUR_BILLION_CLASSES, LABELS, NAMES, PIXELS, heap_names, pixels, put};

/// Name and contents of a file. The path is that of the decoy, which must not be opened.
type Attack = (&'static str, fn(&File, &str) -> hdf5::Result<()>);

pub const ATTACKS: &[Attack] = &[
    ("pixels in another file", |file, decoy| file.link_external(decoy, "/train_set_x", PIXELS)),
    ("labels in another file", |file, decoy| file.link_external(decoy, "/train_set_x", LABELS)),
    ("names in another file", |file, decoy| file.link_external(decoy, "/train_set_x", NAMES)),
    ("an external link to the file itself", |file, _| {
        file.link_external("created.h5", "/train_set_x", PIXELS)
    }),
    ("the mark of synthetic data in another file", |file, decoy| {
        file.link_external(decoy, "/train_set_x", "drawn_by_trainer")
    }),
    ("a soft link to itself", |file, _| file.link_soft("/train_set_x", PIXELS)),
    ("a cycle of soft links", |file, _| {
        file.link_soft("/b", PIXELS)?;
        file.link_soft("/c", "b")?;
        file.link_soft("/train_set_x", "c")
    }),
    ("a soft link through another file", |file, decoy| {
        file.link_external(decoy, "/", "out")?;
        file.link_soft("/out/train_set_x", PIXELS)
    }),
    ("a dangling soft link", |file, _| file.link_soft("/nothing", PIXELS)),
    ("a group that contains itself instead of pixels", |file, _| {
        file.create_group(PIXELS)?.link_hard("/train_set_x", "train_set_x")
    }),
    ("the root group instead of pixels", |file, _| file.link_hard("/", PIXELS)),
    ("a cycle of groups beside the data", |file, _| {
        let group = file.create_group("circle")?;
        group.link_hard("/", "root")?;
        group.link_hard("/circle", "circle")
    }),
    ("a named type instead of pixels", |file, _| {
        file.commit_datatype(PIXELS, &Datatype::from_type::<u8>()?).map(drop)
    }),
    ("one dataset as pixels, labels and names", |file, _| {
        pixels(file, |builder| builder)?;
        file.link_hard("/train_set_x", LABELS)?;
        file.link_hard("/train_set_x", NAMES)
    }),
    ("pixels stored in another file", |file, decoy| {
        create_with(file, PIXELS, &SHAPE, BYTE, |builder| builder.external(decoy, 0, 72))
    }),
    ("labels stored in another file", |file, decoy| {
        create_with(file, LABELS, &[6], BYTE, |builder| builder.external(decoy, 0, 6))
    }),
    ("names stored in another file", |file, decoy| {
        create_with(file, NAMES, &[3], BYTE, |builder| builder.external(decoy, 0, 3))
    }),
    ("a virtual dataset of another file", |file, decoy| virtual_pixels(file, decoy)),
    ("a virtual dataset of itself", |file, _| virtual_pixels(file, ".")),
    ("a virtual dataset of a missing file", |file, _| virtual_pixels(file, "none.h5")),
    ("pixels of 16 exbibytes", |file, _| late(file, PIXELS, &[1 << 20, 1 << 20, 1 << 21, 3], BYTE)),
    ("pixels whose size overflows", |file, _| {
        create_with(file, PIXELS, &[1 << 24, 1 << 32, 1 << 31, 3], BYTE, |builder| {
            builder.chunk([1, 1 << 10, 1 << 10, 3]).alloc_time(Some(AllocTime::Late))
        })
    }),
    ("4 GiB of pixels in a file of a few kilobytes", |file, _| {
        late(file, PIXELS, &[1 << 20, 64, 64, 1], BYTE)
    }),
    ("a billion labels", |file, _| {
        late(file, LABELS, &[1 << 30], TypeDescriptor::Integer(IntSize::U8))
    }),
    ("names of a gigabyte each", |file, _| {
        late(file, NAMES, &[3], TypeDescriptor::FixedAscii(1 << 30))
    }),
    ("labels of a gigabyte each", |file, _| {
        late(file, LABELS, &[6], TypeDescriptor::FixedUnicode(1 << 30))
    }),
    ("chunks that were never written", |file, _| {
        create_with(file, PIXELS, &SHAPE, BYTE, |builder| {
            builder.chunk([1, 2, 2, 3]).deflate(6).alloc_time(Some(AllocTime::Late))
        })
    }),
    ("a chunk of 48 MiB for 72 bytes", |file, _| bomb(file, [1, 1 << 12, 1 << 12, 3])),
    ("a chunk of 192 MiB for 72 bytes", |file, _| bomb(file, [1, 1 << 13, 1 << 13, 3])),
    ("an optional unsupported filter", |file, _| {
        create_with(file, PIXELS, &SHAPE, BYTE, |builder| builder.chunk(SHAPE).fletcher32())
    }),
    ("the filter nbit", |file, _| pixels(file, |builder| builder.chunk(SHAPE).nbit())),
    ("the filter fletcher32 behind deflate", |file, _| {
        pixels(file, |builder| builder.chunk(SHAPE).deflate(6).fletcher32())
    }),
    ("pixels of eight bytes", |file, _| put(file, PIXELS, &SHAPE, &[0.5_f64; 72])),
    ("signed pixels", |file, _| put(file, PIXELS, &SHAPE, &[-1_i8; 72])),
    ("boolean pixels", |file, _| create(file, PIXELS, &SHAPE, TypeDescriptor::Boolean)),
    ("compound pixels", |file, _| create(file, PIXELS, &SHAPE, compound())),
    ("compound labels", |file, _| create(file, LABELS, &[6], compound())),
    ("enum labels", |file, _| {
        let member = EnumMember { name: "zero".into(), value: 0 };
        let dtype = EnumType { size: IntSize::U1, signed: false, members: vec![member] };
        create(file, LABELS, &[6], TypeDescriptor::Enum(dtype))
    }),
    ("labels of variable-length arrays", |file, _| {
        create(file, LABELS, &[6], TypeDescriptor::VarLenArray(Box::new(BYTE)))
    }),
    ("labels of nested arrays", |file, _| {
        let nest = |inner, _| TypeDescriptor::FixedArray(Box::new(inner), 1);
        create(file, LABELS, &[6], (0..200).fold(BYTE, nest))
    }),
    ("labels that are null object references", |file, _| {
        create(file, LABELS, &[6], TypeDescriptor::Reference(Reference::Object))
    }),
    ("names that are null region references", |file, _| {
        create(file, NAMES, &[3], TypeDescriptor::Reference(Reference::Region))
    }),
    ("a NaN feature", |file, _| put(file, PIXELS, &[6, 1], &[0.0, 1.0, f32::NAN, 3.0, 4.0, 5.0])),
    ("an infinite feature", |file, _| {
        put(file, PIXELS, &[6, 1], &[0.0, 1.0, 2.0, f64::NEG_INFINITY, 4.0, 5.0])
    }),
    ("a feature beyond the range of float32", |file, _| {
        put(file, PIXELS, &[6, 1], &[0.0, 1.0, 2.0, 3.0, 4.0, 1e39])
    }),
    ("float32 pixels", |file, _| {
        create(file, PIXELS, &SHAPE, TypeDescriptor::Float(FloatSize::U4))
    }),
    ("no images", |file, _| put::<u8>(file, PIXELS, &[0, 2, 2, 3], &[])),
    ("images without pixels", |file, _| put::<u8>(file, PIXELS, &[6, 0, 2, 3], &[])),
    ("a scalar instead of images", |file, _| {
        file.new_dataset::<u8>().create(PIXELS)?.write_scalar(&1)
    }),
    ("images of 32 dimensions", |file, _| put(file, PIXELS, &[1; 32], &[1_u8])),
    ("a negative label", |file, _| put(file, LABELS, &[6], &[0_i64, 1, 2, i64::MIN, 1, 0])),
    ("the largest label", |file, _| put(file, LABELS, &[6], &[0_u64, 1, 2, u64::MAX, 1, 0])),
    (FOUR_BILLION_CLASSES, |file, _| put(file, LABELS, &[6], &[0_u32, 1, 2, u32::MAX, 1, 0])),
    ("empty names", |file, _| create(file, NAMES, &[3], TypeDescriptor::FixedAscii(2))),
    ("10,001 names", |file, _| {
        let names: Vec<i64> = (0..10_001).collect();
        put(file, NAMES, &[names.len()], &names)
    }),
    ("names in the object header that point to the heap", |file, _| {
        let builder = file.new_dataset_builder().layout(Layout::Compact);
        let names = builder.empty::<VarLenUnicode>().shape([3]).create(NAMES)?;
        names.write_raw(&heap_names()?)
    }),
    ("ten thousand links in the root", |file, _| {
        (0..10_000).try_for_each(|index| file.link_soft("/nothing", &format!("link {index}")))
    }),
    ("a link name of 60,000 letters", |file, _| file.link_soft("/nothing", &"x".repeat(60_000))),
    ("sixty thousand chunks", |file, _| {
        let builder = file.new_dataset_builder().chunk([1; 4]).empty::<u8>();
        builder.shape([1 << 6, 32, 32, 1]).create(PIXELS)?.write_raw(&[1_u8; 1 << 16])?;
        put(file, LABELS, &[1 << 6], &[0_u8; 1 << 6])
    }),
];

const SHAPE: [usize; 4] = [6, 2, 2, 3];

const BYTE: TypeDescriptor = TypeDescriptor::Unsigned(IntSize::U1);

/// A dataset whose space is allocated at once, so that only its type is invalid.
fn create(file: &Group, name: &str, shape: &[usize], dtype: TypeDescriptor) -> hdf5::Result<()> {
    create_with(file, name, shape, dtype, |builder| builder)
}

fn create_with(
    file: &Group,
    name: &str,
    shape: &[usize],
    dtype: TypeDescriptor,
    settings: impl FnOnce(DatasetBuilder) -> DatasetBuilder,
) -> hdf5::Result<()> {
    let builder = settings(file.new_dataset_builder().alloc_time(Some(AllocTime::Early)));
    builder.empty_as(dtype).shape(shape).create(name).map(drop)
}

/// A dataset that is never written.
fn late(file: &Group, name: &str, shape: &[usize], dtype: TypeDescriptor) -> hdf5::Result<()> {
    create_with(file, name, shape, dtype, |builder| builder.alloc_time(Some(AllocTime::Late)))
}

/// Pixels that are those of another `source`.
fn virtual_pixels(file: &Group, source: &str) -> hdf5::Result<()> {
    create_with(file, PIXELS, &SHAPE, BYTE, |builder| {
        builder.virtual_map(source, "train_set_x", (6, 2, 2, 3), .., (6, 2, 2, 3), ..)
    })
}

/// Six small images in one large chunk of zeros: a decompression bomb.
fn bomb(file: &Group, chunk: [usize; 4]) -> hdf5::Result<()> {
    let builder = file.new_dataset_builder().deflate(9).chunk(chunk);
    let set = builder.empty::<u8>().shape((6, 2.., 2.., 3)).create(PIXELS)?;
    set.write_raw(&[0_u8; 72])
}

fn compound() -> TypeDescriptor {
    let field = |name, offset| CompoundField::new(name, BYTE, offset, offset);
    let fields = vec![field("a", 0), field("b", 1)];
    TypeDescriptor::Compound(CompoundType { fields, size: 2 })
}
