//! Pictures and HTML pages: metric curves and the decision boundary of a run, its report, the
//! comparison of runs, learning rate range tests, sweeps, the inspection of a data set, and the page
//! of all runs that a server keeps up to date.
//!
//! Pictures are SVG. With the feature `png` each is also rendered as PNG, with a bundled font.
//! Equal input gives equal bytes.

#![forbid(unsafe_code)]

mod axis;
mod chart;
mod comparison;
mod confusion;
mod contour;
mod curves;
mod decision_boundary;
mod error;
mod inputs;
mod inspection;
mod lr_range_test;
mod output;
mod page;
mod plots;
mod report;
mod runs;
mod statistics;
mod svg;
mod sweep;

pub use comparison::{Difference, draw_comparison};
pub use curves::draw_curves;
pub use decision_boundary::draw_boundary;
pub use error::ReportError;
pub use inspection::{
    DataCard, DataFinding, DataHistogram, DataImage, DataPage, DataPart, DataPreview,
    draw_inspection,
};
pub use lr_range_test::{LrCurves, draw_lr_range_test};
pub use page::POLICY as PAGE_POLICY;
pub use report::draw_report;
pub use runs::{FolderEntry, RUNS_POLICY, RUNS_SCRIPT, RUNS_STYLE, RunRow, folder_page, runs_page};
pub use sweep::{SweepTrial, draw_sweep};
