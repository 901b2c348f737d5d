//! Archives of every form, and hostile ones.

use std::io::{Read, Write};
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Archive, ArchiveError, ArchiveLimits};
use crate::import::sample::{FORMS, Form, Sample, note, tar_builder};

const PICTURE: &str = "media_attachments/files/111/222/original/abc.png";

fn open(path: &Path, scratch: &TempDir) -> Result<Archive, ArchiveError> {
    Archive::open(path, scratch.path(), &ArchiveLimits::default())
}

fn media(archive: &mut Archive, name: &str) -> Vec<u8> {
    let mut medium = archive.media(name).unwrap();
    let mut bytes = Vec::new();
    medium.file.read_to_end(&mut bytes).unwrap();
    assert_eq!(medium.bytes, bytes.len() as u64);
    bytes
}

fn folder() -> TempDir {
    TempDir::new().unwrap()
}

/// Writes a `.tar.gz` with one entry made by hand, whatever its name.
fn tar_with(folder: &TempDir, name: &str, kind: tar::EntryType, link: Option<&str>) -> std::path::PathBuf {
    let path = folder.path().join("archive");
    let mut tar = tar_builder(&path);
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(0);
    if let Some(link) = link {
        header.set_link_name_literal(link).unwrap();
    }
    header.set_cksum();
    tar.append(&header, std::io::empty()).unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    path
}

#[test]
fn each_form_is_told_by_its_content_with_and_without_a_top_folder() {
    for form in FORMS {
        for top in ["", "archive-2022/", "./"] {
            let (place, scratch) = (folder(), folder());
            let path = Sample::new(top, &[note(1, json!({}))], &[(PICTURE, b"pixels")]).pack(form, &place);
            let mut archive = open(&path, &scratch).unwrap();
            for url in [
                format!("/{PICTURE}"),
                PICTURE.to_owned(),
                format!("https://files.m.example/{PICTURE}?x=1"),
                format!("/system/{PICTURE}"),
                format!("/some-bucket/{PICTURE}"),
            ] {
                let name = archive.find(&url).unwrap_or_else(|| panic!("{url} in {form:?} under {top}"));
                assert_eq!(archive.bytes(&name), Some(6));
                assert_eq!(media(&mut archive, &name), b"pixels");
            }
            let avatar = archive.find("avatar.png").unwrap();
            assert_eq!(media(&mut archive, &avatar), b"avatar");
            assert_eq!(archive.find("/media_attachments/files/9.png"), None);
            assert_eq!(archive.find("../../../../etc/passwd"), None);
        }
    }
}

#[test]
fn the_temporary_folder_goes_with_the_archive() {
    let (place, scratch) = (folder(), folder());
    let path = Sample::new("", &[note(1, json!({}))], &[(PICTURE, b"pixels")]).pack(Form::TarGz, &place);
    let archive = open(&path, &scratch).unwrap();
    assert_eq!(scratch.path().read_dir().unwrap().count(), 1);
    drop(archive);
    assert_eq!(scratch.path().read_dir().unwrap().count(), 0);
}

#[test]
fn what_is_no_archive_is_called_so() {
    let (place, scratch) = (folder(), folder());
    let path = place.path().join("archive");
    std::fs::write(&path, "a text").unwrap();
    assert!(matches!(open(&path, &scratch), Err(ArchiveError::NotAnArchive { .. })));
    std::fs::write(&path, "").unwrap();
    assert!(matches!(open(&path, &scratch), Err(ArchiveError::NotAnArchive { .. })));
    assert!(matches!(open(place.path(), &scratch), Err(ArchiveError::Missing { name: "outbox.json" })));
    std::fs::write(place.path().join("outbox.json"), "{}").unwrap();
    assert!(matches!(open(place.path(), &scratch), Err(ArchiveError::Missing { name: "actor.json" })));
    assert!(matches!(open(&place.path().join("absent"), &scratch), Err(ArchiveError::Io(_))));
}

#[test]
fn a_cut_archive_is_damaged_at_any_length() {
    for form in [Form::TarGz, Form::Zip] {
        let (place, scratch) = (folder(), folder());
        let noise: Vec<u8> = (0..20_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let path = Sample::new("", &[note(1, json!({}))], &[(PICTURE, &noise)]).pack(form, &place);
        let whole = std::fs::read(&path).unwrap();
        for length in (10..whole.len() - 1_000).step_by(7_919) {
            std::fs::write(&path, &whole[..length]).unwrap();
            let refused = open(&path, &scratch);
            assert!(matches!(refused, Err(ArchiveError::Damaged(_))), "{form:?} cut to {length}: {refused:?}");
        }
    }
}

#[test]
fn names_that_lead_out_of_the_archive_are_refused() {
    for name in ["../outbox.json", "/etc/passwd", "a/../../b", "..\\b", "C:\\b", "a/.."] {
        let (place, scratch) = (folder(), folder());
        let path = tar_with(&place, name, tar::EntryType::Regular, None);
        assert!(matches!(open(&path, &scratch), Err(ArchiveError::UnsafeName { .. })), "{name} in a .tar.gz");

        let mut zip = ZipWriter::new(std::fs::File::create(&path).unwrap());
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.finish().unwrap();
        assert!(matches!(open(&path, &scratch), Err(ArchiveError::UnsafeName { .. })), "{name} in a .zip");
        assert_eq!(scratch.path().read_dir().unwrap().count(), 0);
    }
}

#[test]
fn links_and_special_files_are_refused() {
    let (place, scratch) = (folder(), folder());
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link, tar::EntryType::Fifo, tar::EntryType::Char] {
        let path = tar_with(&place, "media_attachments/1.png", kind, Some("/etc/passwd"));
        assert!(matches!(open(&path, &scratch), Err(ArchiveError::NotAFile { .. })), "{kind:?}");
    }
    let path = place.path().join("archive");
    let mut zip = ZipWriter::new(std::fs::File::create(&path).unwrap());
    zip.add_symlink("outbox.json", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    zip.finish().unwrap();
    assert!(matches!(open(&path, &scratch), Err(ArchiveError::NotAFile { .. })));
    #[cfg(unix)]
    {
        let unpacked = folder();
        std::os::unix::fs::symlink("/etc/passwd", unpacked.path().join("outbox.json")).unwrap();
        assert!(matches!(open(unpacked.path(), &scratch), Err(ArchiveError::NotAFile { .. })));
    }
}

#[test]
fn archives_beyond_the_limits_are_refused() {
    let limits = ArchiveLimits {
        entries_max: 8,
        unpacked_bytes_max: 1 << 20,
        file_bytes_max: 600_000,
        ratio_max: 100,
        ratio_free_bytes: 200_000,
    };
    let refusal = |sample: &Sample, form: Form| {
        let (place, scratch) = (folder(), folder());
        let refused = Archive::open(&sample.pack(form, &place), scratch.path(), &limits).unwrap_err();
        assert_eq!(scratch.path().read_dir().unwrap().count(), 0, "nothing is left behind");
        refused
    };
    let noise: Vec<u8> = (0..140_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for form in FORMS {
        let names: Vec<String> = (0..9).map(|number| format!("media_attachments/{number}.png")).collect();
        let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
        assert!(matches!(refusal(&Sample::new("", &[], &many), form), ArchiveError::TooManyEntries { max: 8 }));
        let large = vec![0; 600_001];
        let one = Sample::new("", &[], &[("likes2.json", &large)]);
        assert!(matches!(
            refusal(&one, form),
            ArchiveError::FileTooLarge { .. } | ArchiveError::UnpacksTooLarge { .. }
        ));
        let two = Sample::new("", &[], &[("1.bin", &noise), ("2.bin", &noise)]);
        assert!(matches!(refusal(&two, form), ArchiveError::UnpacksTooLarge { max: 1_048_576 }));
    }
    for form in [Form::TarGz, Form::Zip] {
        let zeros = vec![0; 500_000];
        let bomb = Sample::new("", &[], &[("media_attachments/1.png", &zeros)]);
        assert!(matches!(refusal(&bomb, form), ArchiveError::UnpacksTooLarge { max } if max < 500_000));
    }
}

#[test]
fn an_endless_header_is_refused() {
    let (place, scratch) = (folder(), folder());
    let path = place.path().join("archive");
    let mut tar = tar_builder(&path);
    let name = "a/".repeat(2 << 20);
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(name.len() as u64);
    header.set_cksum();
    tar.append(&header, name.as_bytes()).unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    assert!(matches!(open(&path, &scratch), Err(ArchiveError::Damaged(_))));
}

#[test]
fn a_zip_that_lies_about_sizes_gives_no_more_than_it_said() {
    let (place, scratch) = (folder(), folder());
    let path = place.path().join("archive");
    let mut zip = ZipWriter::new(std::fs::File::create(&path).unwrap());
    for (name, bytes) in Sample::new("", &[], &[(PICTURE, &[7; 60_000])]).files {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
    let honest = 60_000_u32.to_le_bytes();
    let mut bytes = std::fs::read(&path).unwrap();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(4).position(|window| window == honest) {
        bytes[at + found..at + found + 4].copy_from_slice(&100_u32.to_le_bytes());
        at += found + 4;
    }
    assert!(at > 0, "the size stands in the file");
    std::fs::write(&path, bytes).unwrap();
    let mut archive = open(&path, &scratch).unwrap();
    assert!(archive.media(PICTURE).map_or(true, |media| media.bytes <= 100));
}

#[test]
fn a_disk_that_takes_no_file_is_told_apart_from_an_archive_that_can_not_be_read() {
    for form in FORMS {
        let (place, scratch) = (folder(), folder());
        let path = Sample::new("", &[note(1, json!({}))], &[(PICTURE, b"pixels")]).pack(form, &place);
        let mut archive = open(&path, &scratch).unwrap();
        assert!(!matches!(archive.media("nothing"), Err(ArchiveError::Disk(_))));
        let name = archive.find(PICTURE).unwrap();
        drop(scratch);
        assert!(matches!(archive.media(&name), Err(ArchiveError::Disk(_))), "{form:?}");
    }
}
