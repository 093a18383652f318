//! Files with impossible sizes, types, filters or values.

use hdf5::Group;
use hdf5::dataset::{AllocTime, Layout};
use hdf5::types::{CompoundField, CompoundType, EnumMember, EnumType, FloatSize, IntSize};
use hdf5::types::{Reference, TypeDescriptor, VarLenUnicode};

use super::super::bases::{classes, labels, labels_and_classes, pixels, put};
use super::{Attack, BYTE, create, heap_names};

pub const ATTACKS: &[Attack] = &[
    ("pixels of 16 exbibytes", |file, _| {
        late(file, "train_set_x", &[1 << 20, 1 << 20, 1 << 21, 3], BYTE)?;
        labels_and_classes(file)
    }),
    ("pixels whose size overflows", |file, _| {
        create(file, "train_set_x", &[1 << 24, 1 << 32, 1 << 31, 3], BYTE, |builder| {
            builder.chunk([1, 1 << 10, 1 << 10, 3]).alloc_time(Some(AllocTime::Late))
        })?;
        labels_and_classes(file)
    }),
    ("4 GiB of pixels in a file of a few kilobytes", |file, _| {
        late(file, "train_set_x", &[1 << 20, 64, 64, 1], BYTE)?;
        labels_and_classes(file)
    }),
    ("a billion labels", |file, _| {
        late(file, "train_set_y", &[1 << 30], TypeDescriptor::Integer(IntSize::U8))?;
        pixels(file, |builder| builder)?;
        classes(file)
    }),
    ("names of a gigabyte each", |file, _| {
        late(file, "list_classes", &[3], TypeDescriptor::FixedAscii(1 << 30))?;
        pixels(file, |builder| builder)?;
        labels(file)
    }),
    ("labels of a gigabyte each", |file, _| {
        late(file, "train_set_y", &[6], TypeDescriptor::FixedUnicode(1 << 30))?;
        pixels(file, |builder| builder)?;
        classes(file)
    }),
    ("chunks that were never written", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |builder| {
            builder.chunk([1, 2, 2, 3]).deflate(6).alloc_time(Some(AllocTime::Late))
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
    ("an optional unsupported filter", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |builder| {
            builder.chunk([6, 2, 2, 3]).fletcher32()
        })?;
        labels_and_classes(file)
    }),
    ("the filter nbit", |file, _| {
        pixels(file, |builder| builder.chunk([6, 2, 2, 3]).nbit())?;
        labels_and_classes(file)
    }),
    ("the filter fletcher32 behind deflate", |file, _| {
        pixels(file, |builder| builder.chunk([6, 2, 2, 3]).deflate(6).fletcher32())?;
        labels_and_classes(file)
    }),
    ("pixels of eight bytes", |file, _| {
        put(file, "train_set_x", &[6, 2, 2, 3], &[0.5_f64; 72])?;
        labels_and_classes(file)
    }),
    ("signed pixels", |file, _| {
        put(file, "train_set_x", &[6, 2, 2, 3], &[-1_i8; 72])?;
        labels_and_classes(file)
    }),
    ("boolean pixels", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], TypeDescriptor::Boolean, |builder| builder)?;
        labels_and_classes(file)
    }),
    ("compound pixels", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], compound(), |builder| builder)?;
        labels_and_classes(file)
    }),
    ("compound labels", |file, _| {
        create(file, "train_set_y", &[6], compound(), |builder| builder)?;
        pixels(file, |builder| builder)?;
        classes(file)
    }),
    ("enum labels", |file, _| {
        let member = EnumMember { name: "zero".into(), value: 0 };
        let dtype = EnumType { size: IntSize::U1, signed: false, members: vec![member] };
        create(file, "train_set_y", &[6], TypeDescriptor::Enum(dtype), |builder| builder)?;
        pixels(file, |builder| builder)?;
        classes(file)
    }),
    ("labels of variable-length arrays", |file, _| {
        let dtype = TypeDescriptor::VarLenArray(Box::new(BYTE));
        create(file, "train_set_y", &[6], dtype, |builder| builder)?;
        pixels(file, |builder| builder)?;
        classes(file)
    }),
    ("labels of nested arrays", |file, _| {
        let nest = |inner, _| TypeDescriptor::FixedArray(Box::new(inner), 1);
        let dtype = (0..200).fold(BYTE, nest);
        create(file, "train_set_y", &[6], dtype, |builder| builder)?;
        pixels(file, |builder| builder)?;
        classes(file)
    }),
    ("labels that are null object references", |file, _| {
        let dtype = TypeDescriptor::Reference(Reference::Object);
        create(file, "train_set_y", &[6], dtype, |builder| builder)?;
        pixels(file, |builder| builder)?;
        classes(file)
    }),
    ("names that are null region references", |file, _| {
        let dtype = TypeDescriptor::Reference(Reference::Region);
        create(file, "list_classes", &[3], dtype, |builder| builder)?;
        pixels(file, |builder| builder)?;
        labels(file)
    }),
    ("a NaN feature", |file, _| {
        put(file, "train_set_x", &[6, 1], &[0.0, 1.0, f32::NAN, 3.0, 4.0, 5.0])?;
        labels_and_classes(file)
    }),
    ("an infinite feature", |file, _| {
        put(file, "train_set_x", &[6, 1], &[0.0, 1.0, 2.0, f64::NEG_INFINITY, 4.0, 5.0])?;
        labels_and_classes(file)
    }),
    ("a feature beyond the range of float32", |file, _| {
        put(file, "train_set_x", &[6, 1], &[0.0, 1.0, 2.0, 3.0, 4.0, 1e39])?;
        labels_and_classes(file)
    }),
    ("float32 pixels", |file, _| {
        let dtype = TypeDescriptor::Float(FloatSize::U4);
        create(file, "train_set_x", &[6, 2, 2, 3], dtype, |builder| builder)?;
        labels_and_classes(file)
    }),
    ("no images", |file, _| {
        put::<u8>(file, "train_set_x", &[0, 2, 2, 3], &[])?;
        labels_and_classes(file)
    }),
    ("images without pixels", |file, _| {
        put::<u8>(file, "train_set_x", &[6, 0, 2, 3], &[])?;
        labels_and_classes(file)
    }),
    ("a scalar instead of images", |file, _| {
        file.new_dataset::<u8>().create("train_set_x")?.write_scalar(&1)?;
        labels_and_classes(file)
    }),
    ("images of 32 dimensions", |file, _| {
        put(file, "train_set_x", &[1; 32], &[1_u8])?;
        labels_and_classes(file)
    }),
    ("a negative label", |file, _| {
        pixels(file, |builder| builder)?;
        put(file, "train_set_y", &[6], &[0_i64, 1, 2, i64::MIN, 1, 0])?;
        classes(file)
    }),
    ("the largest label", |file, _| {
        pixels(file, |builder| builder)?;
        put(file, "train_set_y", &[6], &[0_u64, 1, 2, u64::MAX, 1, 0])?;
        classes(file)
    }),
    ("a label that would make four billion classes", |file, _| {
        pixels(file, |builder| builder)?;
        put(file, "train_set_y", &[6], &[0_u32, 1, 2, u32::MAX, 1, 0])
    }),
    ("empty names", |file, _| {
        pixels(file, |builder| builder)?;
        labels(file)?;
        let dtype = TypeDescriptor::FixedAscii(2);
        create(file, "list_classes", &[3], dtype, |builder| builder).map(drop)
    }),
    ("10,001 names", |file, _| {
        pixels(file, |builder| builder)?;
        labels(file)?;
        let names: Vec<i64> = (0..10_001).collect();
        put(file, "list_classes", &[names.len()], &names)
    }),
    ("names in the object header that point to the heap", |file, _| {
        pixels(file, |builder| builder)?;
        labels(file)?;
        let builder = file.new_dataset_builder().layout(Layout::Compact);
        let names = builder.empty::<VarLenUnicode>().shape([3]).create("list_classes")?;
        names.write_raw(&heap_names()?)
    }),
    ("ten thousand links in the root", |file, _| {
        (0..10_000).try_for_each(|index| file.link_soft("/nothing", &format!("link {index}")))?;
        pixels(file, |builder| builder)?;
        labels_and_classes(file)
    }),
    ("a link name of 60,000 letters", |file, _| {
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

/// Six small images in one large chunk of zeros: a decompression bomb.
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

/// A dataset that is never written.
fn late(file: &Group, name: &str, shape: &[usize], dtype: TypeDescriptor) -> hdf5::Result<()> {
    create(file, name, shape, dtype, |builder| builder.alloc_time(Some(AllocTime::Late)))
}

fn compound() -> TypeDescriptor {
    let field = |name, offset| CompoundField::new(name, BYTE, offset, offset);
    let fields = vec![field("a", 0), field("b", 1)];
    TypeDescriptor::Compound(CompoundType { fields, size: 2 })
}
