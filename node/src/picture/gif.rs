//! GIF: frames, their control blocks, and how often they are repeated; comments and all other extensions go.

use std::io::{self, BufRead, Write};

use super::{array, copy_exact, damaged};

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;
const CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;

/// Copies a picture.
pub(super) fn clean(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    let header: [u8; 13] = array(from)?;
    to.write_all(&header)?;
    color_table(from, to, header[10])?;
    loop {
        let block = match array(from) {
            Ok([block]) => block,
            // Cut short: what there is is shown.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => TRAILER,
            Err(e) => return Err(e),
        };
        match block {
            TRAILER => return to.write_all(&[TRAILER]),
            IMAGE => {
                let descriptor: [u8; 9] = array(from)?;
                to.write_all(&[IMAGE])?;
                to.write_all(&descriptor)?;
                color_table(from, to, descriptor[8])?;
                copy_exact(from, to, 1)?;
                blocks(from, to)?;
            }
            EXTENSION => extension(from, to)?,
            // Nothing stands between blocks.
            _ => return Err(damaged()),
        }
    }
}

fn extension(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    let [label] = array(from)?;
    if label == CONTROL {
        to.write_all(&[EXTENSION, CONTROL])?;
        return blocks(from, to);
    }
    if label != APPLICATION {
        return blocks(from, &mut io::sink());
    }
    let [length] = array(from)?;
    let mut name = vec![0; usize::from(length)];
    from.read_exact(&mut name)?;
    if length == 0 {
        return Ok(());
    }
    if !matches!(name.as_slice(), b"NETSCAPE2.0" | b"ANIMEXTS1.0") {
        return blocks(from, &mut io::sink());
    }
    to.write_all(&[EXTENSION, APPLICATION, length])?;
    to.write_all(&name)?;
    blocks(from, to)
}

/// Copies blocks up to the empty one.
fn blocks(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    loop {
        let [length] = array(from)?;
        to.write_all(&[length])?;
        if length == 0 {
            return Ok(());
        }
        copy_exact(from, to, u64::from(length))?;
    }
}

/// Copies the colours that a descriptor with these flags is followed by.
fn color_table(from: &mut impl BufRead, to: &mut impl Write, flags: u8) -> io::Result<()> {
    match flags & 0x80 {
        0 => Ok(()),
        _ => copy_exact(from, to, 3 << ((flags & 7) + 1)),
    }
}
