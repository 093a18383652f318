//! Files of a run directory into pictures: the curves of its metrics and the boundary that its
//! model draws between the classes.
//!
//! A picture is composed as SVG and rendered from that to PNG, with a font of its own. Equal input
//! gives equal bytes.

#![forbid(unsafe_code)]

mod axis;
mod boundary;
mod cells;
mod contour;
mod curves;
mod error;
mod output;
mod palette;
mod plane;
mod sheet;
mod svg;
mod tint;

pub use boundary::{Boundary, Point, draw_boundary};
pub use curves::draw_curves;
pub use error::ReportError;
pub use sheet::{Sheet, SheetCell, SheetRow, draw_sheet};
