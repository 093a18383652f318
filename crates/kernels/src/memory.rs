//! Memory for the results of kernels, used again.
//!
//! A training step needs the same amounts as the one before. Taken from the system, and given back
//! after the step, every page of them would be cleared by the kernel and faulted in again, which
//! costs as much as some of the kernels that fill them. Memory from here is never cleared after its
//! first use, is not given back while it and what is in use are at most half as much again as was once
//! needed at a time, and holds numbers of an earlier use: whoever takes it writes all of it.
#![expect(unsafe_code, reason = "Burn lets its tensors borrow memory only through an unsafe trait")]

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};
use bytemuck::{Pod, Zeroable};

/// As much as a cache line holds, and aligned like one.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// What is free, by its length.
struct Pool {
    free: BTreeMap<usize, Vec<Vec<Line>>>,
    /// The lines that are free.
    kept: usize,
    /// The lines that are in use.
    used: usize,
    /// The most lines that ever were.
    most: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { free: BTreeMap::new(), kept: 0, used: 0, most: 0 });

/// Lines that return to the pool.
struct Lines(Vec<Line>);

/// So many numbers, which were something else before.
pub struct Memory<T> {
    lines: Lines,
    count: usize,
    numbers: PhantomData<T>,
}

impl Pool {
    fn take(&mut self, lines: usize) -> Vec<Line> {
        // Twice as long is still better used than left.
        let fitting = self.free.range_mut(lines..=2 * lines).find(|(_, free)| !free.is_empty());
        let taken = fitting.and_then(|(_, free)| free.pop());
        let taken = match taken {
            Some(taken) => {
                self.kept -= taken.len();
                taken
            }
            None => vec![Line::zeroed(); lines],
        };
        self.used += taken.len();
        self.most = self.most.max(self.used);
        taken
    }

    fn give_back(&mut self, lines: Vec<Line>) {
        self.used -= lines.len();
        // Lengths are taken in turn, so that what all of them need is more than what is needed at a
        // time.
        if self.used + self.kept + lines.len() <= self.most + self.most / 2 {
            self.kept += lines.len();
            self.free.entry(lines.len()).or_default().push(lines);
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.0);
        POOL.lock().unwrap_or_else(PoisonError::into_inner).give_back(lines);
    }
}

impl<T: Pod> Memory<T> {
    /// Memory for `count` numbers, all of which are to be written.
    pub fn new(count: usize) -> Self {
        let lines = (count * size_of::<T>()).div_ceil(size_of::<Line>()).max(1);
        let lines = Lines(POOL.lock().unwrap_or_else(PoisonError::into_inner).take(lines));
        Self { lines, count, numbers: PhantomData }
    }

    /// The numbers as the bytes of a tensor.
    pub fn into_bytes(self) -> Bytes {
        let length = self.count * size_of::<T>();
        // SAFETY: the lines hold at least as many bytes, all of them initialised.
        unsafe { Bytes::from_controller(Box::new(self.lines), length) }
    }
}

impl<T: Pod> Deref for Memory<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        bytemuck::cast_slice(&self.lines.0).split_at(self.count).0
    }
}

impl<T: Pod> DerefMut for Memory<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.lines.0).split_at_mut(self.count).0
    }
}

impl AllocationController for Lines {
    fn alloc_align(&self) -> usize {
        // The most that Burn asks for.
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
        // SAFETY: the caller writes only what is initialised.
        Ok(unsafe { &mut *(std::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>]) })
    }

    fn memory(&self, _policy: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let bytes: &[u8] = bytemuck::cast_slice(&self.0);
        // SAFETY: what is initialised may be read as if it were not.
        Ok(unsafe { &*(std::ptr::from_ref(bytes) as *const [MaybeUninit<u8>]) })
    }
}
