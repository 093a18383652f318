use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Time over which the speed is measured, and the least number of changes of the position.
const WINDOW: (Duration, usize) = (Duration::from_secs(120), 100);
/// The speed is unknown until this time has passed.
const SHORTEST: Duration = Duration::from_secs(1);

/// Speed of a run in this process, from its latest positions: in epochs, counted from the first one
/// of the run.
#[derive(Debug, Default)]
pub struct Pace(VecDeque<(Instant, f64)>);

impl Pace {
    /// Records the position at a time.
    pub fn record(&mut self, now: Instant, epochs: f64) {
        match self.0.back() {
            Some(&(_, last)) if epochs == last => return,
            // Rolled back.
            Some(&(_, last)) if epochs < last => self.0.clear(),
            _ => {}
        }
        self.0.push_back((now, epochs));
        let is_old = |&(time, _): &(Instant, f64)| now - time > WINDOW.0;
        while self.0.len() > WINDOW.1 && self.0.front().is_some_and(is_old) {
            self.0.pop_front();
        }
    }

    /// Epochs per second.
    pub fn speed(&self) -> Option<f64> {
        let (&(start, first), &(end, last)) = (self.0.front()?, self.0.back()?);
        (end - start >= SHORTEST).then(|| (last - first) / (end - start).as_secs_f64())
    }

    /// Time from `now` to the position `epochs`.
    pub fn until(&self, epochs: f64, now: Instant) -> Option<Duration> {
        let &(time, position) = self.0.back()?;
        let left = Duration::try_from_secs_f64((epochs - position).max(0.0) / self.speed()?);
        Some(left.ok()?.saturating_sub(now - time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pace with positions at these seconds, and the start of time.
    fn pace(positions: &[(u64, f64)]) -> (Pace, Instant) {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for &(seconds, epochs) in positions {
            pace.record(start + Duration::from_secs(seconds), epochs);
        }
        (pace, start)
    }

    #[test]
    fn a_resumed_run_counts_what_this_process_has_done() {
        let (pace, start) = pace(&[(0, 30.0), (10, 31.0)]);
        let left = pace.until(40.0, start + Duration::from_secs(15));
        assert_eq!(left, Some(Duration::from_secs(85)));
    }

    #[test]
    fn the_time_left_follows_a_change_of_the_speed() {
        let slow = (0..200).map(|second| (second, second as f64 / 100.0));
        let fast = (200..600).map(|second| (second, second as f64 - 198.0));
        let (pace, start) = pace(&slow.chain(fast).collect::<Vec<_>>());
        let left = pace.until(501.0, start + Duration::from_secs(599));
        assert_eq!(left, Some(Duration::from_secs(100)));
    }

    #[test]
    fn the_time_left_is_unknown_without_progress_and_after_a_rollback() {
        for positions in [&[][..], &[(0, 1.0)], &[(0, 1.0), (9, 1.0)], &[(0, 1.0), (9, 0.5)]] {
            let (pace, start) = pace(positions);
            assert_eq!(pace.until(2.0, start + Duration::from_secs(10)), None, "{positions:?}");
        }
    }
}
