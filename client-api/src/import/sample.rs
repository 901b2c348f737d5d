//! Small archives that tests write themselves, in each of the forms that an archive has.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The archive's owner.
pub(super) const LAN: &str = "https://m.example/users/lan";
/// Everybody.
pub(super) const EVERYBODY: &str = "https://www.w3.org/ns/activitystreams#Public";

/// How an archive is packed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Folder,
    TarGz,
    Zip,
}

/// All of them.
pub(super) const FORMS: [Form; 3] = [Form::Folder, Form::TarGz, Form::Zip];

/// Files to pack.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    pub(super) files: Vec<(String, Vec<u8>)>,
}

impl Sample {
    /// An archive with these activities and these media, all under the folder `top` (may be empty).
    pub(super) fn new(top: &str, activities: &[Value], media: &[(&str, &[u8])]) -> Self {
        let actor = json!({"id": LAN, "type": "Person", "preferredUsername": "lan", "name": "Lan",
            "icon": {"type": "Image", "mediaType": "image/png", "url": "avatar.png"},
            "image": {"type": "Image", "mediaType": "image/png", "url": "header.png"}});
        let outbox = json!({"@context": "https://www.w3.org/ns/activitystreams", "id": "outbox.json",
            "type": "OrderedCollection", "totalItems": activities.len(), "orderedItems": activities});
        let mut files = vec![
            (format!("{top}actor.json"), actor.to_string().into_bytes()),
            (format!("{top}avatar.png"), b"avatar".to_vec()),
            (format!("{top}likes.json"), b"{}".to_vec()),
            (format!("{top}outbox.json"), outbox.to_string().into_bytes()),
        ];
        files.extend(media.iter().map(|(name, bytes)| (format!("{top}{name}"), bytes.to_vec())));
        Self { files }
    }

    /// Packs it; the name tells nothing of the form.
    pub(super) fn pack(&self, form: Form, folder: &TempDir) -> PathBuf {
        let path = folder.path().join("archive");
        match form {
            Form::Folder => {
                for (name, bytes) in &self.files {
                    let file = path.join(name);
                    fs::create_dir_all(file.parent().unwrap()).unwrap();
                    fs::write(file, bytes).unwrap();
                }
            }
            Form::TarGz => {
                let mut tar = tar_builder(&path);
                for (name, bytes) in &self.files {
                    let mut header = tar::Header::new_gnu();
                    header.set_size(bytes.len() as u64);
                    tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
                }
                tar.into_inner().unwrap().finish().unwrap();
            }
            Form::Zip => {
                let mut zip = ZipWriter::new(File::create(&path).unwrap());
                for (name, bytes) in &self.files {
                    zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
                    zip.write_all(bytes).unwrap();
                }
                zip.finish().unwrap();
            }
        }
        path
    }
}

/// A `.tar.gz` to fill.
pub(super) fn tar_builder(path: &std::path::Path) -> tar::Builder<GzEncoder<File>> {
    tar::Builder::new(GzEncoder::new(File::create(path).unwrap(), Compression::default()))
}

/// A public post of Lan's, number `number`, with `more` put over its object.
pub(super) fn note(number: u64, more: Value) -> Value {
    let id = format!("{LAN}/statuses/{number}");
    let mut object = json!({"id": id, "type": "Note", "summary": null, "inReplyTo": null,
        "published": format!("2022-11-{:02}T10:20:30Z", number % 28 + 1),
        "url": format!("https://m.example/@lan/{number}"),
        "attributedTo": LAN, "to": [EVERYBODY], "cc": [format!("{LAN}/followers")], "sensitive": false,
        "content": format!("<p>post {number}</p>"), "contentMap": {"vi": format!("<p>post {number}</p>")},
        "attachment": [], "tag": []});
    for (key, value) in more.as_object().unwrap() {
        object[key] = value.clone();
    }
    let (to, cc) = (object["to"].clone(), object["cc"].clone());
    json!({"id": format!("{id}/activity"), "type": "Create", "actor": LAN, "published": object["published"],
        "to": to, "cc": cc, "object": object})
}

/// The same with the context that older archives repeat in each activity.
pub(super) fn with_context(mut activity: Value) -> Value {
    activity["@context"] = json!(["https://www.w3.org/ns/activitystreams", {"toot": "http://joinmastodon.org/ns#",
        "blurhash": "toot:blurhash", "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"}}]);
    activity
}

/// A boost by Lan.
pub(super) fn boost(number: u64, object: Value) -> Value {
    json!({"id": format!("{LAN}/statuses/{number}/activity"), "type": "Announce", "actor": LAN,
        "published": format!("2022-11-{:02}T11:00:00Z", number % 28 + 1), "to": [EVERYBODY],
        "cc": ["https://other.example/users/bob", format!("{LAN}/followers")], "object": object})
}
