//! Functions of libhdf5 that `hdf5-metno` lacks, or for which it panics on a crafted file (a filter with
//! more than 32 parameters, a type nested a thousand times).
//!
//! `unsafe` because each is a C call. All hold the lock of the library, take identifiers from live
//! handles, and write into memory that is sized here.
#![allow(unsafe_code)]

use std::ptr::null_mut;

use hdf5::dataset::DatasetCreate;
use hdf5::datatype::Datatype;
use hdf5::globals::*;
use hdf5::{Dataset, h5check};
use hdf5_sys::LOCK;
use hdf5_sys::h5::{HADDR_UNDEF, herr_t, hsize_t};
use hdf5_sys::h5d::{H5Dget_chunk_info_by_coord, H5Dread, H5Dread_chunk1};
use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5p::{H5P_DEFAULT, H5Pget_filter2, H5Pget_nfilters};
use hdf5_sys::h5s::H5S_ALL;
use hdf5_sys::h5t::{
    H5T_class_t, H5Tclose, H5Tcopy, H5Tequal, H5Tget_class, H5Tget_super, H5Tis_variable_str,
    H5Tset_ebias, H5Tset_fields, H5Tset_size,
};

use crate::element::{Element, Number, NumberKind};

pub use hdf5_sys::h5z::{
    H5Z_FILTER_DEFLATE as DEFLATE, H5Z_FILTER_FLETCHER32 as FLETCHER32,
    H5Z_FILTER_SHUFFLE as SHUFFLE,
};
/// Registered by h5py.
pub const LZF: i32 = 32000;

unsafe extern "C" {
    // hdf5-metno-sys 0.12.5 declares the argument as a pointer; it is a bit mask.
    fn H5PLset_loading_state(mask: std::ffi::c_uint) -> herr_t;
    // Missing there.
    fn H5Dget_chunk_storage_size(
        dataset: hid_t,
        offset: *const hsize_t,
        size: *mut hsize_t,
    ) -> herr_t;
}

/// Removes the influence of the environment on libhdf5: loading plug-ins, drivers and connectors from
/// other directories, and failing on media that do not support locks.
///
/// Call this first in `main`: the environment may change only while there is one thread, and libhdf5
/// reads it once, when it starts.
pub fn neutralise_environment() {
    let variables = ["HDF5_PLUGIN_PATH", "HDF5_VOL_CONNECTOR", "HDF5_DRIVER", "HDF5_DRIVER_CONFIG"];
    // SAFETY: the caller promises that there is no other thread yet.
    unsafe {
        variables.iter().for_each(|name| std::env::remove_var(name));
        // "::" disables all plug-ins.
        std::env::set_var("HDF5_PLUGIN_PRELOAD", "::");
        std::env::set_var("HDF5_USE_FILE_LOCKING", "FALSE");
    }
}

/// Initializes libhdf5 without messages and plug-ins.
pub fn disable_plugins() {
    hdf5::silence_errors(true);
    let _guard = LOCK.lock();
    // SAFETY: takes a number. It fails only if plug-ins are not compiled in.
    let _ = unsafe { H5PLset_loading_state(0) };
}

/// Returns the type of the elements of a dataset.
pub fn element(dtype: &Datatype) -> Element {
    let (id, size) = (dtype.id(), dtype.size());
    let _guard = LOCK.lock();
    // SAFETY: `id` is the type of a live handle.
    let number = match unsafe { (H5Tget_class(id), H5Tis_variable_str(id) > 0) } {
        (H5T_class_t::H5T_STRING, true) => return Element::Variable,
        (H5T_class_t::H5T_STRING, false) => return Element::Fixed(size),
        (H5T_class_t::H5T_INTEGER | H5T_class_t::H5T_FLOAT, _) => number(id),
        // The integers that an enumeration is stored as.
        // SAFETY: as above, and `base` is closed and not used again.
        (H5T_class_t::H5T_ENUM, _) => h5check(unsafe { H5Tget_super(id) }).ok().and_then(|base| {
            let number = number(base);
            unsafe { H5Tclose(base) };
            number
        }),
        _ => None,
    };
    number.map_or(Element::Other(size), Element::Number)
}

/// Returns a native number type of processors, compared by libhdf5 in byte order, padding, and the bits
/// of sign, exponent and mantissa. The lock is held.
fn number(id: hid_t) -> Option<Number> {
    use NumberKind::{Float, Signed, Unsigned};
    // Little-endian and big-endian.
    let numbers = [
        (Unsigned, 1, [*H5T_STD_U8LE, *H5T_STD_U8BE]),
        (Unsigned, 2, [*H5T_STD_U16LE, *H5T_STD_U16BE]),
        (Unsigned, 4, [*H5T_STD_U32LE, *H5T_STD_U32BE]),
        (Unsigned, 8, [*H5T_STD_U64LE, *H5T_STD_U64BE]),
        (Signed, 1, [*H5T_STD_I8LE, *H5T_STD_I8BE]),
        (Signed, 2, [*H5T_STD_I16LE, *H5T_STD_I16BE]),
        (Signed, 4, [*H5T_STD_I32LE, *H5T_STD_I32BE]),
        (Signed, 8, [*H5T_STD_I64LE, *H5T_STD_I64BE]),
        (Float, 4, [*H5T_IEEE_F32LE, *H5T_IEEE_F32BE]),
        (Float, 8, [*H5T_IEEE_F64LE, *H5T_IEEE_F64BE]),
    ];
    // SAFETY: `id` is a live handle, and the other types live as long as the library.
    let equal = |known: hid_t| unsafe { H5Tequal(id, known) > 0 };
    let known = numbers.into_iter().find_map(|(kind, size, [little, big])| {
        let big_endian = size > 1 && equal(big);
        (equal(little) || equal(big)).then_some(Number { kind, size, big_endian })
    });
    known.or_else(|| is_half(id).then_some(Number { kind: Float, size: 2, big_endian: false }))
}

/// Returns whether a type is the little-endian IEEE 754 number of 2 bytes, which libhdf5 names only since
/// version 1.14.4. The lock is held.
fn is_half(id: hid_t) -> bool {
    // SAFETY: `half` is a copy that is closed below; position and size of sign, exponent and mantissa.
    unsafe {
        let half = H5Tcopy(*H5T_IEEE_F32LE);
        let made = H5Tset_fields(half, 15, 10, 5, 0, 10) >= 0
            && H5Tset_size(half, 2) >= 0
            && H5Tset_ebias(half, 15) >= 0;
        let equal = made && H5Tequal(id, half) > 0;
        H5Tclose(half);
        equal
    }
}

/// Filters of every chunk, in order.
pub fn filter_ids(create: &DatasetCreate) -> hdf5::Result<Vec<i32>> {
    let _guard = LOCK.lock();
    let id = create.id();
    // SAFETY: `id` is a live property list.
    let count = h5check(unsafe { H5Pget_nfilters(id) })?;
    let ids = (0..count.unsigned_abs()).map(|index| {
        // SAFETY: as above; libhdf5 skips results for null pointers.
        h5check(unsafe {
            H5Pget_filter2(id, index, null_mut(), null_mut(), null_mut(), 0, null_mut(), null_mut())
        })
    });
    ids.collect()
}

/// Reads the bytes of a dataset that is stored in its header.
pub fn read_compact(dataset: &Dataset) -> hdf5::Result<Vec<u8>> {
    let dtype = dataset.dtype()?;
    let size = dataset.size().checked_mul(dtype.size()).ok_or("the size overflows")?;
    let mut bytes = vec![0_u8; size];
    let buffer = bytes.as_mut_ptr().cast();
    let _guard = LOCK.lock();
    // SAFETY: memory and file have one type, so nothing is converted, and `bytes` holds it all.
    h5check(unsafe { H5Dread(dataset.id(), dtype.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) })?;
    Ok(bytes)
}

/// Offset in the file of the chunk at `origin`; `None` if it was never written. libhdf5 1.10 searches all
/// chunks sequentially.
pub fn chunk_offset(dataset: &Dataset, origin: &[hsize_t]) -> hdf5::Result<Option<u64>> {
    if origin.len() != dataset.ndim() {
        return Err("there is no such chunk".into());
    }
    let (mut mask, mut offset, mut size) = (0, HADDR_UNDEF, 0);
    let _guard = LOCK.lock();
    // SAFETY: `origin` has the rank of the data set, and the rest is written into live variables.
    h5check(unsafe {
        H5Dget_chunk_info_by_coord(dataset.id(), origin.as_ptr(), &mut mask, &mut offset, &mut size)
    })?;
    Ok(Some(offset).filter(|&offset| offset != HADDR_UNDEF))
}

/// Reads the chunks of a dataset as stored.
///
/// `H5Dread_chunk` does not know the size of its buffer, and `H5Dget_chunk_storage_size` does not check
/// it without a filter. No chunk is longer than all chunks together, which is the size used here.
pub struct Chunks<'a> {
    dataset: &'a Dataset,
    buffer: Vec<u8>,
}

impl<'a> Chunks<'a> {
    /// Allocates a buffer of the size of all chunks in the file; unused pages cost nothing.
    pub fn new(dataset: &'a Dataset) -> Self {
        let stored = usize::try_from(dataset.storage_size()).unwrap_or_default();
        Self { dataset, buffer: vec![0; stored] }
    }

    /// Reads the chunk at `origin` and the mask of the filters that were skipped for it.
    pub fn read(&mut self, origin: &[hsize_t]) -> hdf5::Result<(&[u8], u32)> {
        if origin.len() != self.dataset.ndim() || self.buffer.is_empty() {
            return Err("there is no such chunk".into());
        }
        let (id, origin, buffer) =
            (self.dataset.id(), origin.as_ptr(), self.buffer.as_mut_ptr().cast());
        let (mut size, mut mask) = (0, 0);
        let _guard = LOCK.lock();
        // SAFETY: `origin` has the rank of the data set.
        h5check(unsafe { H5Dget_chunk_storage_size(id, origin, &mut size) })?;
        // SAFETY: as above, and `buffer` is as long as all chunks together.
        h5check(unsafe { H5Dread_chunk1(id, H5P_DEFAULT, origin, &mut mask, buffer) })?;
        let bytes = usize::try_from(size).ok().and_then(|size| self.buffer.get(..size));
        Ok((bytes.ok_or("a chunk is too long")?, mask))
    }
}
