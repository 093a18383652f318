/// Length of a checksum in bytes.
pub const LENGTH: usize = 4;

/// Removes the checksum at the end of `bytes`; `None` if it is wrong or missing.
pub fn verified(bytes: &[u8]) -> Option<&[u8]> {
    let (data, stored) = bytes.split_last_chunk::<LENGTH>()?;
    (checksum(data) == u32::from_le_bytes(*stored)).then_some(data)
}

/// Fletcher's checksum of big-endian words of 16 bits; a last odd byte is the high one of a word.
fn checksum(data: &[u8]) -> u32 {
    let (mut low, mut high) = (0_u32, 0_u32);
    for word in data.chunks(2) {
        let word =
            word.iter().zip([8, 0]).map(|(&byte, shift)| u32::from(byte) << shift).sum::<u32>();
        low = fold(low + word);
        high = fold(high + low);
    }
    fold(high) << 16 | fold(low)
}

/// One's complement sum, which libhdf5 never reduces from 65535 to 0.
fn fold(sum: u32) -> u32 {
    (sum & 0xffff) + (sum >> 16)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_wrong_or_missing_checksum_is_found() {
        let mut bytes = b"abcde".to_vec();
        bytes.extend_from_slice(&checksum(b"abcde").to_le_bytes());
        assert_eq!(verified(&bytes).unwrap(), b"abcde");
        bytes[2] ^= 1;
        assert_eq!(verified(&bytes), None);
        assert_eq!(verified(b"abc"), None);
    }
}
