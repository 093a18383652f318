use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use report::RunRow;
use serde::Serialize;

use crate::points::{Point, Points};
use crate::run::Run;

/// The runs of a folder, as they were when it was last looked at.
#[derive(Debug)]
pub struct Runs {
    directory: PathBuf,
    runs: BTreeMap<String, Run>,
    /// Increases with every change. The first is the time, so that a server has higher ones than those
    /// before it.
    pub version: u64,
    /// The version in which a run was last added or removed.
    names_version: u64,
}

/// What a client shows.
#[derive(Debug)]
pub struct Shown {
    version: u64,
    names_version: u64,
    /// Generation and number of points of both files of the runs whose curves it shows.
    curves: HashMap<String, [(usize, usize); 2]>,
}

/// What is new to a client.
#[derive(Debug, Serialize)]
pub struct News<'a> {
    version: u64,
    /// All runs, the newest first, if some were added or removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<Vec<&'a str>>,
    /// Rows of the table as HTML.
    rows: BTreeMap<&'a str, &'a str>,
    /// Points of metrics and of timings.
    curves: BTreeMap<&'a str, [Added<'a>; 2]>,
}

/// Points that replace all from an index on.
#[derive(Debug, Serialize)]
struct Added<'a> {
    from: usize,
    points: &'a [Point],
}

impl Shown {
    /// What a client shows that has the rows of a version, and asks for the curves of runs.
    pub fn new<'a>(version: u64, names: impl Iterator<Item = &'a str>) -> Self {
        let curves = names.map(|name| (name.to_owned(), Default::default())).collect();
        Self { version, names_version: 0, curves }
    }
}

impl Runs {
    pub fn new(directory: PathBuf) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let version = u64::try_from(now.as_micros()).unwrap_or_default();
        Self { directory, runs: BTreeMap::new(), version, names_version: version }
    }

    /// Looks at the folder and its runs.
    pub fn refresh(&mut self) {
        let next = self.version + 1;
        let found = self.found();
        if !found.keys().eq(self.runs.keys()) {
            self.names_version = next;
        }
        self.runs.retain(|name, _| found.contains_key(name));
        for (name, path) in found {
            self.runs.entry(name).or_insert_with(|| Run::new(path));
        }
        let mut runs: Vec<_> = self.runs.values_mut().collect();
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let share = runs.len().div_ceil(threads).max(1);
        thread::scope(|scope| {
            for part in runs.chunks_mut(share) {
                scope.spawn(|| part.iter_mut().for_each(|run| run.refresh(next)));
            }
        });
        let versions = self.runs.values().map(|run| run.version).chain([self.names_version]);
        self.version = versions.fold(self.version, u64::max);
    }

    /// Directories with a config, which are neither hidden nor links.
    fn found(&self) -> BTreeMap<String, PathBuf> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let folders =
            folders.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
        folders
            .filter(|(name, path)| !name.starts_with('.') && path.join("config.toml").exists())
            .collect()
    }

    /// The newest first.
    fn sorted(&self) -> Vec<&Run> {
        let mut runs: Vec<_> = self.runs.values().collect();
        runs.sort_by_cached_key(|run| {
            std::cmp::Reverse((run.row.started.clone(), numbered(&run.row.name)))
        });
        runs
    }

    pub fn rows(&self) -> Vec<RunRow> {
        self.sorted().into_iter().map(|run| run.row.clone()).collect()
    }

    /// Reads the curves that a client asks for, from now on until `unfollow`.
    pub fn follow(&mut self, shown: &Shown) {
        for name in shown.curves.keys() {
            self.runs.get_mut(name).into_iter().for_each(Run::follow);
        }
    }

    pub fn unfollow(&mut self) {
        self.runs.values_mut().for_each(Run::unfollow);
    }

    /// What is new to a client, which then shows it.
    pub fn news(&self, shown: &mut Shown) -> Option<News<'_>> {
        let names = (self.names_version != shown.names_version)
            .then(|| self.sorted().into_iter().map(|run| run.row.name.as_str()).collect());
        let rows = self.runs.iter().filter(|(_, run)| run.version > shown.version);
        let rows: BTreeMap<_, _> =
            rows.map(|(name, run)| (name.as_str(), run.html.as_str())).collect();
        let mut curves = BTreeMap::new();
        for (name, counts) in &mut shown.curves {
            let Some((name, run)) = self.runs.get_key_value(name) else { continue };
            let points = [&run.metrics, &run.timings];
            let now = points.map(|points| (points.generation, points.all.len()));
            if now != *counts {
                let [metrics, timings] = points;
                curves
                    .insert(name.as_str(), [added(metrics, counts[0]), added(timings, counts[1])]);
                *counts = now;
            }
        }
        (shown.version, shown.names_version) = (self.version, self.names_version);
        let is_new = names.is_some() || !rows.is_empty() || !curves.is_empty();
        is_new.then_some(News { version: self.version, names, rows, curves })
    }
}

fn added(points: &Points, (generation, count): (usize, usize)) -> Added<'_> {
    let from = if generation == points.generation { count } else { 0 };
    Added { from, points: points.all.get(from..).unwrap_or_default() }
}

/// `a-2` is before `a-10`.
fn numbered(name: &str) -> (String, usize) {
    let parts = name.rsplit_once('-').and_then(|(stem, end)| Some((stem, end.parse().ok()?)));
    let (stem, number) = parts.unwrap_or((name, 1));
    (stem.to_owned(), number)
}
