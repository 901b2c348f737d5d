//! The one thing of EXIF that is kept: how the picture is to be turned.

/// Bytes of EXIF that are looked at for it: the first directory is near the beginning.
pub(super) const EXIF_BYTES_MAX: u64 = 64 << 10;
/// The tag of the orientation.
const ORIENTATION: u16 = 0x0112;
/// Entries of a directory that are looked at.
const ENTRIES_MAX: usize = 512;

/// How a picture is to be turned and mirrored: 1, as it is, to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Orientation(u8);

impl Default for Orientation {
    fn default() -> Self {
        Self(1)
    }
}

impl Orientation {
    /// Reads it from a TIFF, as EXIF is; as it is where there is none.
    pub(super) fn of_tiff(tiff: &[u8]) -> Self {
        read(tiff).map(Self).unwrap_or_default()
    }

    /// True if the picture is shown as it is.
    pub(super) fn is_upright(self) -> bool {
        self.0 == 1
    }

    /// True if width and height change places.
    pub(crate) fn is_on_its_side(self) -> bool {
        self.0 >= 5
    }

    /// A TIFF that holds nothing else.
    pub(super) fn tiff(self) -> [u8; 26] {
        let mut tiff = *b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0";
        tiff[18] = self.0;
        tiff
    }
}

fn read(tiff: &[u8]) -> Option<u8> {
    let is_little = match tiff.get(..4)? {
        b"II\x2a\0" => true,
        b"MM\0\x2a" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |at: usize| {
        let bytes: [u8; 4] = tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let count = usize::from(short(directory)?).min(ENTRIES_MAX);
    let entries = (0..count).map(|number| directory + 2 + 12 * number);
    let entry = entries.into_iter().find(|at| short(*at) == Some(ORIENTATION))?;
    // One short value, in the entry itself.
    if short(entry + 2)? != 3 || long(entry + 4)? != 1 {
        return None;
    }
    u8::try_from(short(entry + 8)?).ok().filter(|value| (1..=8).contains(value))
}
