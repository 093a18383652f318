/// Kernel that processes the channels of pixels independently.
pub trait ChannelKernel {
    /// Processes the channels `channel..channel + N`. `N` is constant, so that loops over it
    /// vectorise.
    fn run<const N: usize>(&mut self, channel: usize);
}

/// Runs the kernel on all channels, in blocks of 16, 4 and 1.
#[inline(always)]
pub fn run_channels(channels: usize, mut work: impl ChannelKernel) {
    let mut channel = 0;
    while channel + 16 <= channels {
        work.run::<16>(channel);
        channel += 16;
    }
    while channel + 4 <= channels {
        work.run::<4>(channel);
        channel += 4;
    }
    while channel < channels {
        work.run::<1>(channel);
        channel += 1;
    }
}

/// Returns the `N` values from `start` on, if there are enough.
#[inline(always)]
pub fn array_at<T, const N: usize>(values: &[T], start: usize) -> Option<&[T; N]> {
    values.get(start..)?.first_chunk()
}

/// Returns the `N` values from `start` on, if there are enough.
#[inline(always)]
pub fn array_at_mut<T, const N: usize>(values: &mut [T], start: usize) -> Option<&mut [T; N]> {
    values.get_mut(start..)?.first_chunk_mut()
}
