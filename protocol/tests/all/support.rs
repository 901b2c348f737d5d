//! What all vector tests share: reading, writing and comparing `spec/vectors`, and the CDDL of `spec`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One file of `spec/vectors`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct VectorFile {
    /// What the file is about, and how to read its fields.
    pub(crate) about: String,
    pub(crate) vectors: Vec<Vector>,
}

/// One vector. Bytes are hexadecimal, ids have their text forms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Vector {
    /// A sentence, unique in its file.
    pub(crate) name: String,
    /// What it is; where it has a `cbor` field, the name of the CDDL rule too.
    pub(crate) is: String,
    /// The rule that it breaks; null where it is valid.
    pub(crate) rule: Option<String>,
    /// Input and expected output; no value is an object, so that the order is fixed.
    #[serde(flatten)]
    pub(crate) fields: BTreeMap<String, Value>,
}

impl Vector {
    pub(crate) fn new(name: &str, is: &str, rule: Option<&str>) -> Self {
        Self { name: name.into(), is: is.into(), rule: rule.map(Into::into), fields: BTreeMap::new() }
    }

    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.into(), value.into());
        self
    }

    pub(crate) fn text(&self, field: &str) -> &str {
        self.fields[field].as_str().unwrap_or_else(|| panic!("{}: {field} is not text", self.name))
    }

    pub(crate) fn bytes(&self, field: &str) -> Vec<u8> {
        unhex(self.text(field))
    }

    pub(crate) fn array<const N: usize>(&self, field: &str) -> [u8; N] {
        self.bytes(field).try_into().unwrap_or_else(|_| panic!("{}: {field} is not {N} bytes", self.name))
    }

    pub(crate) fn number(&self, field: &str) -> u64 {
        self.fields[field].as_u64().unwrap_or_else(|| panic!("{}: {field} is not a number", self.name))
    }

    pub(crate) fn list(&self, field: &str) -> &[Value] {
        self.fields[field].as_array().unwrap_or_else(|| panic!("{}: {field} is not a list", self.name))
    }
}

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    data_encoding::HEXLOWER.encode(bytes.as_ref())
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// The folder of the spec.
pub(crate) fn spec() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../spec")
}

/// Reads a file of `spec/vectors`.
pub(crate) fn read_vectors(file: &str) -> Vec<Vector> {
    let path = spec().join("vectors").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let file: VectorFile = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    file.vectors
}

/// Compares a file of `spec/vectors` with what the code makes; with `XOM_REGENERATE=1` writes it.
pub(crate) fn check_regenerated(file: &str, about: &str, vectors: Vec<Vector>) {
    let names: std::collections::BTreeSet<_> = vectors.iter().map(|vector| &vector.name).collect();
    assert_eq!(names.len(), vectors.len(), "{file}: two vectors of one name");
    let invalid = vectors.iter().filter(|vector| vector.rule.is_some()).count();
    assert!(invalid * 2 >= vectors.len(), "{file}: {invalid} of {} are invalid, less than half", vectors.len());
    let made = VectorFile { about: about.into(), vectors };
    let text = serde_json::to_string_pretty(&made).expect("serializable") + "\n";
    let path = spec().join("vectors").join(file);
    if std::env::var_os("XOM_REGENERATE").is_some() {
        std::fs::write(&path, text).expect("writable");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert!(found == text, "{file} is not what the code makes; look at the change with XOM_REGENERATE=1 and git diff");
}

/// The CDDL blocks of the named chapters, with `start` as the root rule.
pub(crate) fn cddl(start: &str, chapters: &[&str]) -> String {
    let mut text = format!("start = {start}\n");
    for chapter in chapters {
        let chapter = std::fs::read_to_string(spec().join(chapter)).expect("chapter");
        let mut inside = false;
        for line in chapter.lines() {
            match line.trim_end() {
                "```cddl" => inside = true,
                "```" => inside = false,
                line if inside => text.extend([line, "\n"]),
                _ => {}
            }
        }
    }
    text
}

/// True where the bytes match the CDDL rule `start` of these chapters.
pub(crate) fn matches_cddl(start: &str, chapters: &[&str], bytes: &[u8]) -> bool {
    cddl::validate_cbor_from_slice(&cddl(start, chapters), bytes, None).is_ok()
}

/// Fails unless the bytes match the CDDL rule `start` of these chapters.
pub(crate) fn check_cddl(start: &str, chapters: &[&str], bytes: &[u8], name: &str) {
    let result = cddl::validate_cbor_from_slice(&cddl(start, chapters), bytes, None);
    assert!(result.is_ok(), "{name} does not match the CDDL of {start}: {result:?}");
}
