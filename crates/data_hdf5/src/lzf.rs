/// Decompresses LZF to at most `limit` bytes; `None` if the input is invalid or longer.
///
/// A control byte below 32 precedes that many bytes and one more. Other control bytes copy bytes that
/// were decompressed before: 3 bits of length, 7 of which add another byte, and 13 bits of distance.
pub fn decompress(mut input: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut output = Vec::new();
    while let Some(control) = next(&mut input) {
        if control < 32 {
            let (literals, rest) = input.split_at_checked(control + 1)?;
            output.extend_from_slice(literals);
            input = rest;
        } else {
            let more = if control >> 5 == 7 { next(&mut input)? } else { 0 };
            let distance = ((control & 31) << 8 | next(&mut input)?) + 1;
            let start = output.len().checked_sub(distance)?;
            // The copy may overlap its source, which then repeats.
            for index in start..start + (control >> 5) + more + 2 {
                output.push(*output.get(index)?);
            }
        }
        if output.len() > limit {
            return None;
        }
    }
    Some(output)
}

fn next(input: &mut &[u8]) -> Option<usize> {
    let (&byte, rest) = input.split_first()?;
    *input = rest;
    Some(usize::from(byte))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn literals_and_overlapping_copies_are_decompressed() {
        assert_eq!(decompress(&[], 0).unwrap(), b"");
        assert_eq!(decompress(&[2, b'a', b'b', b'c'], 3).unwrap(), b"abc");
        assert_eq!(decompress(&[1, b'a', b'b', 0x60, 1], 7).unwrap(), b"abababa");
        assert_eq!(decompress(&[0, b'a', 0xe0, 255, 0], 265).unwrap(), [b'a'; 265]);
    }

    #[test]
    fn invalid_and_longer_input_is_refused() {
        let invalid: [&[u8]; 5] =
            [&[2, b'a'], &[0x20], &[0x20, 0], &[0, b'a', 0x20, 1], &[0, b'a', 0xe0, 255]];
        assert!(invalid.iter().all(|input| decompress(input, 100).is_none()));
        assert!(decompress(&[0, b'a', 0xe0, 255, 0], 264).is_none());
    }
}
