//! Files of a run directory into pictures and pages: the curves of its metrics, the boundary that
//! its model draws between the classes, and the report of the whole run; and what is told of data.
//!
//! A picture is composed as SVG and rendered from that to PNG, with a font of its own. Equal input
//! gives equal bytes.

#![forbid(unsafe_code)]

mod axis;
mod boundary;
mod calibration;
mod cells;
mod comparison;
mod confusion;
mod contour;
mod curves;
mod error;
mod inputs;
mod inspection;
mod interval;
mod output;
mod page;
mod palette;
mod panel;
mod plane;
mod plots;
mod rate_search;
mod sheet;
mod svg;
mod sweep;
mod tint;

pub use boundary::{Boundary, Point, draw_boundary};
pub use comparison::draw_comparison;
pub use curves::draw_curves;
pub use error::ReportError;
pub use inputs::RunFiles;
pub use inspection::{DataCard, DataFinding, DataHistogram, DataPage, DataPart, draw_inspection};
pub use page::draw_report;
pub use rate_search::{RateCurves, draw_rate_search};
pub use sheet::{Sheet, SheetCell, SheetRow, draw_sheet};
pub use sweep::{SweepTrial, draw_sweep};
