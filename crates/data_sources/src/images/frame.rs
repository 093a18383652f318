use data::Fit;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use image::imageops;
use image::{DynamicImage, GrayImage, Rgb, RgbImage};

/// Shape that images are resized to, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Height, width and channels: 1 for grey, 3 for colours.
    pub shape: [usize; 3],
    /// Resizing of images with another aspect ratio.
    pub fit: Fit,
}

/// The filter, antialiased bilinear: within one level of `Image.resize(.., BILINEAR)` of PIL. Computed in
/// integers, so that all processors have the same pixels.
const FILTER: ResizeAlg = ResizeAlg::Convolution(FilterType::Bilinear);

impl Frame {
    /// The frame in which images are compared with each other, whatever frame they are used in.
    pub const STANDARD: Self = Self { shape: [64, 64, 3], fit: Fit::Stretch };

    /// Number of bytes of an image.
    pub fn bytes(&self) -> usize {
        self.shape.iter().product()
    }

    /// Resizes an image to pixels `[height, width, channels]`, row-major.
    pub(super) fn pixels(&self, image: &DynamicImage) -> Vec<u8> {
        let image = self.resized(image);
        match self.shape {
            [.., 1] => image.into_luma8().into_raw(),
            _ => image.into_rgb8().into_raw(),
        }
    }

    /// Resizes `pixels` of an image of `height`, `width` and 1 or 3 channels, as the images of a folder.
    pub fn of_pixels(&self, pixels: &[u8], [height, width, channels]: [usize; 3]) -> Vec<u8> {
        let (wide, high, pixels) = (width as u32, height as u32, pixels.to_vec());
        let image = match channels {
            1 => GrayImage::from_raw(wide, high, pixels).map(DynamicImage::from),
            _ => RgbImage::from_raw(wide, high, pixels).map(DynamicImage::from),
        };
        self.pixels(&image.unwrap_or_default())
    }

    fn resized(&self, image: &DynamicImage) -> DynamicImage {
        let [height, width, _] = self.shape.map(|size| size as u32);
        match self.fit {
            Fit::Stretch => scaled(image, [width, height]),
            Fit::Crop => {
                // Cropped before resizing, because a long narrow image would become huge.
                let [wide, high] = scaled_to_fit(width, height, image.width(), image.height());
                let (left, top) = ((image.width() - wide) / 2, (image.height() - high) / 2);
                scaled(&image.crop_imm(left, top, wide, high), [width, height])
            }
            Fit::Pad => {
                let [wide, high] = scaled_to_fit(image.width(), image.height(), width, height);
                let whole = scaled(image, [wide, high]).into_rgb8();
                let mut padded = RgbImage::from_pixel(width, height, Rgb([0; 3]));
                let (left, top) = ((width - wide) / 2, (height - high) / 2);
                imageops::replace(&mut padded, &whole, i64::from(left), i64::from(top));
                padded.into()
            }
        }
    }
}

/// Resizes a grey or RGB image of 8 bits per sample.
fn scaled(image: &DynamicImage, [width, height]: [u32; 2]) -> DynamicImage {
    let size = [width, height];
    let image = if image.color().has_color() {
        let pixels = scaled_pixels::<U8x3>(image, size);
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
    } else {
        let pixels = scaled_pixels::<U8>(image, size);
        GrayImage::from_raw(width, height, pixels).map(DynamicImage::from)
    };
    image.unwrap_or_default()
}

fn scaled_pixels<P: PixelTrait>(image: &DynamicImage, [width, height]: [u32; 2]) -> Vec<u8> {
    let mut pixels = vec![0; width as usize * height as usize * size_of::<P>()];
    let source = TypedImageRef::<P>::from_buffer(image.width(), image.height(), image.as_bytes());
    let target = TypedImage::<P>::from_buffer(width, height, &mut pixels);
    if let (Ok(source), Ok(mut target)) = (source, target) {
        let options = ResizeOptions::new().resize_alg(FILTER);
        // It fails for a part that is not inside the image only.
        let _ = Resizer::new().resize_typed(&source, &mut target, &options);
    }
    pixels
}

/// Scales `width` and `height` to the largest size within the maxima, at least 1.
fn scaled_to_fit(width: u32, height: u32, max_width: u32, max_height: u32) -> [u32; 2] {
    let [width, height] = [width.max(1), height.max(1)].map(f64::from);
    let scale = (f64::from(max_width) / width).min(f64::from(max_height) / height);
    let scaled = |side: f64, max: u32| ((side * scale).round() as u32).clamp(1, max.max(1));
    [scaled(width, max_width), scaled(height, max_height)]
}
