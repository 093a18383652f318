//! Formats that are recognised but not decoded.

/// Brands of the container of HEIC and AVIF files.
const HEIC: [&[u8]; 6] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1"];
const AVIF: [&[u8]; 2] = [b"avif", b"avis"];

/// Describes the format of a file that cannot be decoded, with the command that converts it; `None`
/// for an unknown one.
pub fn unsupported(bytes: &[u8]) -> Option<&'static str> {
    let brand = bytes.get(8..12).filter(|_| bytes.get(4..8) == Some(b"ftyp"));
    let start = String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes)).to_lowercase();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    match brand {
        _ if bytes.is_empty() => Some("the file is empty"),
        Some(brand) if AVIF.contains(&brand) => Some(
            "AVIF cannot be decoded; convert it to PNG: `avifdec IMAGE.avif IMAGE.png`, or `magick mogrify -format png *.avif`",
        ),
        Some(brand) if HEIC.contains(&brand) => Some(
            "HEIC cannot be decoded; convert it to JPEG: `heif-convert IMAGE.heic IMAGE.jpg`, or `magick mogrify -format jpg *.heic`",
        ),
        _ if bytes.starts_with(b"\xff\x0a") || bytes.starts_with(b"\0\0\0\x0cJXL ") => {
            Some("JPEG XL cannot be decoded; convert it to PNG: `djxl IMAGE.jxl IMAGE.png`")
        }
        _ if bytes.starts_with(b"\0\0\0\x0cjP  ") => Some(
            "JPEG 2000 cannot be decoded; convert it to PNG: `opj_decompress -i IMAGE.jp2 -o IMAGE.png`",
        ),
        _ if start.starts_with("<svg") || start.contains("<svg ") => {
            Some("SVG cannot be decoded; convert it to PNG: `rsvg-convert IMAGE.svg -o IMAGE.png`")
        }
        _ if start.starts_with("<!doctype") || start.starts_with("<html") => {
            Some("the file is an HTML page, not an image; download the image itself")
        }
        _ if start.starts_with("version https://git-lfs") => {
            Some("the file is a Git LFS pointer; fetch the image with `git lfs pull`")
        }
        _ => None,
    }
}
