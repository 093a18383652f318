use crate::object_keys::ImageLayout;
use crate::rows::AxisOrder;

/// Axes of a dataset of images or features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageAxes {
    /// Number of examples.
    pub count: usize,
    /// Height, width and channels; 1, 1 and the number of features otherwise.
    pub shape: [usize; 3],
    /// Order of the axes of an image; `None` for features.
    pub order: Option<AxisOrder>,
    /// What was inferred.
    pub note: Option<&'static str>,
}

/// Images without an axis of channels have at least this height and width: an axis of 3 or 4 is more likely
/// one of channels.
const MIN_SIDE: usize = 5;

impl ImageAxes {
    /// Infers the axes of images from the shape: channels are 1 or 3, on the last axis if two fit. MATLAB
    /// stores axes in reverse. `None` if they are not clear.
    pub fn of(shape: &[usize], layout: Option<ImageLayout>, is_matlab: bool) -> Option<Self> {
        let images =
            |count, shape, order, note| Some(Self { count, shape, order: Some(order), note });
        match (shape, layout) {
            _ if shape.contains(&0) => None,
            (&[count, channels @ (1 | 3), width, height], None) if is_matlab => {
                let shape = [height, width, channels];
                images(count, shape, AxisOrder::Cwh, Some("axes in the order of MATLAB"))
            }
            (&[count, height, width, channels @ (1 | 3)], None | Some(ImageLayout::Nhwc)) => {
                images(count, [height, width, channels], AxisOrder::Hwc, None)
            }
            (&[count, channels @ (1 | 3), height, width], None | Some(ImageLayout::Nchw)) => {
                images(count, [height, width, channels], AxisOrder::Chw, Some("channels first"))
            }
            (&[count, width @ (MIN_SIDE..), height @ (MIN_SIDE..)], _) if is_matlab => {
                let note = "grey, axes in the order of MATLAB";
                images(count, [height, width, 1], AxisOrder::Cwh, Some(note))
            }
            (&[count, height @ (MIN_SIDE..), width @ (MIN_SIDE..)], _) => images(
                count,
                [height, width, 1],
                AxisOrder::Hwc,
                Some("grey, without an axis of channels"),
            ),
            _ => None,
        }
    }
}
