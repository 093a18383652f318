use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Encoder};

/// Encodes RGB pixels, row-major, as a PNG in a data URI.
pub fn png_data_uri([width, height]: [usize; 2], pixels: &[u8]) -> Result<String, String> {
    let bytes = encoded([width, height], pixels)
        .map_err(|error| format!("an image of {width} x {height} cannot be encoded: {error}"))?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

fn encoded(size: [usize; 2], pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let [width, height] = size.map(|edge| u32::try_from(edge).unwrap_or(u32::MAX));
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn an_image_is_decoded_unchanged() {
        let pixels: Vec<u8> = (0..18).collect();
        let uri = png_data_uri([3, 2], &pixels).unwrap();
        let bytes = STANDARD.decode(uri.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
        let mut decoded = vec![0; 18];
        let info = reader.next_frame(&mut decoded).unwrap();
        assert_eq!((info.width, info.height, decoded), (3, 2, pixels));
        assert!(png_data_uri([3, 3], &[0; 18]).unwrap_err().contains("3 x 3"));
    }
}
