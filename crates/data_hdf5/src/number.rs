/// Decodes an integer of up to 15 bytes.
pub fn integer(bytes: &[u8], signed: bool, big_endian: bool) -> i128 {
    let push = |number: i128, &byte: &u8| number << 8 | i128::from(byte);
    let number =
        if big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) };
    let range = 1_i128 << (8 * bytes.len());
    if signed && number >= range / 2 { number - range } else { number }
}
