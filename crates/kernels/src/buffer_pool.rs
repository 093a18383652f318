//! Pooled allocator for the outputs of kernels.
//!
//! Successive training steps allocate the same sizes. With the system allocator, the kernel would
//! clear and fault in every page in each step, which costs as much as some of the kernels that fill
//! them. Pooled buffers are cleared on their first allocation only and contain values of earlier
//! uses: the caller must write all of a buffer. The pool returns a buffer to the system if free and
//! used memory together would exceed 1.5 times the peak use.
#![expect(unsafe_code, reason = "Burn lets its tensors borrow memory only through an unsafe trait")]

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};
use bytemuck::{Pod, Zeroable};

/// A cache line.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct CacheLine([u8; 64]);

/// Free buffers by their length in cache lines.
struct BufferPool {
    free: BTreeMap<usize, Vec<Vec<CacheLine>>>,
    /// Number of free lines.
    free_lines: usize,
    /// Number of lines in use.
    used_lines: usize,
    /// Largest number of lines that were in use at a time.
    peak_lines: usize,
}

static POOL: Mutex<BufferPool> =
    Mutex::new(BufferPool { free: BTreeMap::new(), free_lines: 0, used_lines: 0, peak_lines: 0 });

/// Allocation that returns to the pool on drop.
struct Allocation(Vec<CacheLine>);

/// Array of `count` values, initialised with values of an earlier use.
pub struct Buffer<T> {
    lines: Allocation,
    count: usize,
    element: PhantomData<T>,
}

impl BufferPool {
    fn allocate(&mut self, lines: usize) -> Vec<CacheLine> {
        // A buffer of up to twice the requested length is reused.
        let reusable = self.free.range_mut(lines..=2 * lines).find(|(_, free)| !free.is_empty());
        let buffer = reusable.and_then(|(_, free)| free.pop());
        let buffer = match buffer {
            Some(buffer) => {
                self.free_lines -= buffer.len();
                buffer
            }
            None => vec![CacheLine::zeroed(); lines],
        };
        self.used_lines += buffer.len();
        self.peak_lines = self.peak_lines.max(self.used_lines);
        buffer
    }

    fn release(&mut self, lines: Vec<CacheLine>) {
        self.used_lines -= lines.len();
        // Different lengths are in use at different times, so that all of them need more memory
        // than the peak use.
        if self.used_lines + self.free_lines + lines.len() <= self.peak_lines + self.peak_lines / 2
        {
            self.free_lines += lines.len();
            self.free.entry(lines.len()).or_default().push(lines);
        }
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.0);
        POOL.lock().unwrap_or_else(PoisonError::into_inner).release(lines);
    }
}

impl<T: Pod> Buffer<T> {
    /// Allocates `count` values with unspecified contents.
    pub fn new(count: usize) -> Self {
        let lines = (count * size_of::<T>()).div_ceil(size_of::<CacheLine>()).max(1);
        let lines = Allocation(POOL.lock().unwrap_or_else(PoisonError::into_inner).allocate(lines));
        Self { lines, count, element: PhantomData }
    }

    /// Converts the buffer to the bytes of a tensor.
    pub fn into_bytes(self) -> Bytes {
        let length = self.count * size_of::<T>();
        // SAFETY: the allocation has at least `length` bytes, all of them initialised.
        unsafe { Bytes::from_controller(Box::new(self.lines), length) }
    }
}

impl<T: Pod> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        bytemuck::cast_slice(&self.lines.0).split_at(self.count).0
    }
}

impl<T: Pod> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.lines.0).split_at_mut(self.count).0
    }
}

impl AllocationController for Allocation {
    fn alloc_align(&self) -> usize {
        // Maximum alignment that Burn requests.
        align_of::<u128>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(
        &mut self,
        _policy: AccessPolicy,
    ) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.0);
        // SAFETY: the caller writes initialised bytes only.
        Ok(unsafe { &mut *(std::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>]) })
    }

    fn memory(&self, _policy: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let bytes: &[u8] = bytemuck::cast_slice(&self.0);
        // SAFETY: initialised bytes are valid `MaybeUninit` bytes.
        Ok(unsafe { &*(std::ptr::from_ref(bytes) as *const [MaybeUninit<u8>]) })
    }
}
