//! Corrects the checksums of the newer parts of the format: Jenkins' lookup3, `hashlittle`.
//! Layout: HDF5 File Format Specification 3.0, II.A "Superblock" and IV.A.1.b "Version 2 Data
//! Object Header Prefix".

/// Updates those of the superblock and of every object header.
pub fn update(bytes: &mut [u8]) {
    if bytes.starts_with(b"\x89HDF\r\n\x1a\n") && matches!(bytes.get(8), Some(2 | 3)) {
        write_checksum(bytes, 0, 44);
    }
    let headers: Vec<_> = (0..bytes.len())
        .filter(|&at| bytes.get(at..).is_some_and(|bytes| bytes.starts_with(b"OHDR")))
        .collect();
    for start in headers {
        if let Some(length) = header(bytes.get(start..).unwrap_or_default()) {
            write_checksum(bytes, start, length);
        }
    }
}

/// Length of the first chunk of an object header, without its checksum: signature (4), version (1),
/// flags (1), times (16 if bit 5), counts of attributes (4 if bit 4), size (1 to 8), messages.
fn header(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(5)?;
    let skipped = 6 + 16 * usize::from(flags >> 5 & 1) + 4 * usize::from(flags >> 4 & 1);
    let width = 1_usize << (flags & 3);
    let size = bytes.get(skipped..skipped + width)?;
    let size = size.iter().rev().fold(0_u64, |size, &byte| size << 8 | u64::from(byte));
    usize::try_from(size).ok()?.checked_add(skipped + width)
}

fn write_checksum(bytes: &mut [u8], start: usize, length: usize) {
    let Some(sum) = bytes.get(start..).and_then(|bytes| bytes.get(..length)).map(lookup3) else {
        return;
    };
    let checksum = bytes.iter_mut().skip(start + length);
    checksum.zip(sum.to_le_bytes()).for_each(|(byte, new)| *byte = new);
}

/// Hash of at least one byte.
fn lookup3(bytes: &[u8]) -> u32 {
    let begin = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let mut state = [begin; 3];
    let mut blocks = bytes.chunks(12).peekable();
    while let Some(block) = blocks.next() {
        let mut words = block.chunks(4).map(|word| {
            word.iter().rev().fold(0_u32, |number, &byte| number << 8 | u32::from(byte))
        });
        state = state.map(|part| part.wrapping_add(words.next().unwrap_or_default()));
        state = if blocks.peek().is_some() { mix(state) } else { finish(state) };
    }
    state[2]
}

fn mix([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
    for (first, second, third) in [(4, 6, 8), (16, 19, 4)] {
        a = a.wrapping_sub(c) ^ c.rotate_left(first);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(second);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(third);
        b = b.wrapping_add(a);
    }
    [a, b, c]
}

fn finish([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    c = (c ^ b).wrapping_sub(b.rotate_left(24));
    [a, b, c]
}
