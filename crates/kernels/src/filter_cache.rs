use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps what convolutions compute of their weights alone, for a model whose weights do not change:
/// for a single image, this takes longer than the convolutions themselves.
#[derive(Clone, Default)]
pub struct FilterCache(Arc<Mutex<HashMap<Key, Entry>>>);

/// Address of the weights, and whether they are packed for Winograd's algorithm.
type Key = (usize, bool);

struct Entry {
    /// As long as these are kept, no other tensor has their address, and they are copied before
    /// they are changed.
    _weight: Box<dyn Any + Send>,
    filters: Arc<dyn Any + Send + Sync>,
}

thread_local!(static CURRENT: RefCell<Option<FilterCache>> = const { RefCell::new(None) });

impl FilterCache {
    /// Calls `work`, whose convolutions on this thread use the cache.
    pub fn scope<R>(&self, work: impl FnOnce() -> R) -> R {
        let before = CURRENT.replace(Some(self.clone()));
        let result = work();
        CURRENT.replace(before);
        result
    }
}

impl fmt::Debug for FilterCache {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("FilterCache")
    }
}

/// The filters that `pack` makes of `weight`, whose `values` these are, from the cache of this
/// thread if there is one.
pub fn packed<T, F: Send + Sync + 'static>(
    weight: &(impl Clone + Send + 'static),
    values: &[T],
    for_winograd: bool,
    pack: impl FnOnce() -> F,
) -> Arc<F> {
    let Some(FilterCache(cache)) = CURRENT.with_borrow(Clone::clone) else {
        return Arc::new(pack());
    };
    let key = (values.as_ptr().addr(), for_winograd);
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = cache.get(&key).and_then(|entry| Arc::clone(&entry.filters).downcast().ok());
    kept.unwrap_or_else(|| {
        let filters = Arc::new(pack());
        let entry = Entry { _weight: Box::new(weight.clone()), filters: filters.clone() };
        cache.insert(key, entry);
        filters
    })
}
