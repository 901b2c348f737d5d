//! Forms with files, `multipart/form-data` (RFC 7578): sent while the files are read, never whole in memory.

use std::io::{Cursor, Read};

use super::Upload;
use crate::cli::CliError;

/// A form that is ready to be sent.
pub(super) struct Multipart {
    /// The type, which names the boundary.
    pub(super) content_type: String,
    /// The length of the body.
    pub(super) bytes: u64,
    /// The body.
    pub(super) body: Box<dyn Read>,
}

impl Multipart {
    /// A form of these fields and files, in this order.
    pub(super) fn new(fields: &[(String, String)], files: Vec<Upload<'_>>) -> Result<Self, CliError> {
        let mut seed = [0; 16];
        getrandom::fill(&mut seed).map_err(|error| CliError::Failed(format!("no entropy from the system: {error}")))?;
        let boundary = format!("xom-{}", data_encoding::HEXLOWER.encode(&seed));
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let mut form = Self { content_type, bytes: 0, body: Box::new(std::io::empty()) };
        for (name, value) in fields {
            let name = quoted(name);
            form.text(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        }
        for Upload { field, name, file, bytes } in files {
            let (field, name) = (quoted(field), quoted(&name));
            form.text(format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            ));
            form.add(file.take(bytes), bytes);
            form.text("\r\n".to_owned());
        }
        form.text(format!("--{boundary}--\r\n"));
        Ok(form)
    }

    fn text(&mut self, text: String) {
        let bytes = text.len() as u64;
        self.add(Cursor::new(text), bytes);
    }

    fn add(&mut self, part: impl Read + 'static, bytes: u64) {
        self.bytes += bytes;
        let before = std::mem::replace(&mut self.body, Box::new(std::io::empty()));
        self.body = Box::new(before.chain(part));
    }
}

/// A name inside the quotes of a header of a part.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    #[test]
    fn a_form_has_the_length_that_it_says_and_a_file_name_cannot_break_out_of_its_header() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"bytes and more").unwrap();
        file.rewind().unwrap();
        let upload = Upload { field: "file", name: "a\"\r\nX: y".to_owned(), file, bytes: 5 };
        let mut form = Multipart::new(&[("status".to_owned(), "hi".to_owned())], vec![upload]).unwrap();
        let mut text = String::new();
        form.body.read_to_string(&mut text).unwrap();
        assert_eq!(text.len() as u64, form.bytes);
        assert!(text.contains("name=\"status\"\r\n\r\nhi\r\n"), "{text}");
        assert!(text.contains("filename=\"a%22%0D%0AX: y\"\r\n"), "{text}");
        assert!(text.contains("\r\n\r\nbytes\r\n--xom-") && text.ends_with("--\r\n"), "{text}");
        assert!(!text.contains("\r\nX: y"), "{text}");
    }
}
