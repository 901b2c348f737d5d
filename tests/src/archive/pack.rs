//! Writes a generated archive in each of the forms and shapes that real ones have.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{ACTOR, GeneratedArchive};

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A folder.
    Folder,
    /// A `.tar.gz`, as older servers make.
    TarGz,
    /// A `.zip`, as newer servers make.
    Zip,
}

/// How the outbox writes its activities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One context for all of them.
    OneContext,
    /// A context in each.
    InlineContexts,
}

impl GeneratedArchive {
    /// Writes the archive into `folder`; gives its path.
    ///
    /// # Panics
    /// If the folder can't be written.
    pub fn write(&self, folder: &Path, form: Form, shape: Shape) -> PathBuf {
        let mut files = vec![
            ("actor.json".to_owned(), actor().to_string().into_bytes()),
            ("outbox.json".to_owned(), self.outbox(shape).to_string().into_bytes()),
            ("likes.json".to_owned(), json!({"orderedItems": []}).to_string().into_bytes()),
        ];
        files.extend(self.media.iter().cloned());
        match form {
            Form::Folder => write_folder(&folder.join("archive"), &files),
            Form::TarGz => write_tar(&folder.join("archive.tar.gz"), &files),
            Form::Zip => write_zip(&folder.join("archive.zip"), &files),
        }
    }

    fn outbox(&self, shape: Shape) -> Value {
        let mut items = self.items.clone();
        if shape == Shape::InlineContexts {
            items.iter_mut().for_each(|item| item["@context"] = context());
        }
        json!({"@context": "https://www.w3.org/ns/activitystreams", "id": "outbox.json", "type": "OrderedCollection",
            "totalItems": items.len(), "orderedItems": items})
    }
}

fn actor() -> Value {
    json!({"@context": context(), "id": ACTOR, "type": "Person", "preferredUsername": "lan", "name": "Lan",
        "outbox": "outbox.json", "likes": "likes.json", "summary": "<p>from the xóm</p>"})
}

fn context() -> Value {
    json!(["https://www.w3.org/ns/activitystreams", {"ostatus": "http://ostatus.org#", "sensitive": "as:sensitive",
        "toot": "http://joinmastodon.org/ns#", "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"}}])
}

fn write_folder(path: &Path, files: &[(String, Vec<u8>)]) -> PathBuf {
    for (name, bytes) in files {
        let file = path.join(name);
        fs::create_dir_all(file.parent().expect("it lies in the folder")).expect("a folder of the test");
        fs::write(file, bytes).expect("a file of the test");
    }
    path.to_owned()
}

fn write_tar(path: &Path, files: &[(String, Vec<u8>)]) -> PathBuf {
    let mut tar =
        tar::Builder::new(GzEncoder::new(File::create(path).expect("a file of the test"), Compression::fast()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice()).expect("a file in the archive");
    }
    tar.into_inner().and_then(GzEncoder::finish).expect("the end of the archive");
    path.to_owned()
}

fn write_zip(path: &Path, files: &[(String, Vec<u8>)]) -> PathBuf {
    let mut zip = ZipWriter::new(File::create(path).expect("a file of the test"));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("a file in the archive");
        zip.write_all(bytes).expect("a file in the archive");
    }
    zip.finish().expect("the end of the archive");
    path.to_owned()
}
