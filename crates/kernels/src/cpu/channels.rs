/// Work on some channels of pixels, which depends on no others.
pub trait OnChannels {
    /// Does it for `N` channels from one on: a known number, so that they are a vector.
    fn run<const N: usize>(&mut self, channel: usize);
}

/// Does the work for all channels, as many at a time as a vector holds.
#[inline(always)]
pub fn on_channels(channels: usize, mut work: impl OnChannels) {
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

/// The `N` numbers from `start` on, if there are as many.
#[inline(always)]
pub fn numbers<T, const N: usize>(numbers: &[T], start: usize) -> Option<&[T; N]> {
    numbers.get(start..)?.first_chunk()
}

/// The `N` numbers from `start` on, if there are as many.
#[inline(always)]
pub fn numbers_mut<T, const N: usize>(numbers: &mut [T], start: usize) -> Option<&mut [T; N]> {
    numbers.get_mut(start..)?.first_chunk_mut()
}
