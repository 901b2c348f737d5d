//! Changes of the folder of keys, cut short after every step.

use std::collections::BTreeMap;

use super::*;

type Files = BTreeMap<String, Vec<u8>>;

fn files(dir: &Path) -> Files {
    let read = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    fs::read_dir(dir).unwrap().map(read).collect()
}

fn folder(before: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in before {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn listed(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

/// Cuts `change` after each of its steps, again while the cut is mended, and finds all of the old or all of
/// the new; answers after which step it went through for the first time.
fn check(before: &[(&str, &str)], change: impl Fn() -> Change, after: &[(&str, &str)]) {
    let mut went_through = false;
    for cut in 0.. {
        let dir = folder(before);
        let path = dir.path();
        let mut steps = 0;
        let mut cut_at = |_: &'static str| {
            steps += 1;
            if steps > cut { Err(io::Error::other("cut")) } else { Ok(()) }
        };
        let whole = change().carry_out_watched(path, &mut cut_at).is_ok();
        if !whole {
            // The next start is cut, too.
            for again in 0..cut {
                let mut steps = 0;
                let mut cut_at = |_: &'static str| {
                    steps += 1;
                    if steps > again { Err(io::Error::other("cut")) } else { Ok(()) }
                };
                drop(finish_watched(path, &mut cut_at));
            }
        }
        finish(path).unwrap();
        let found = files(path);
        let is_new = found == listed(after);
        assert!(is_new || found == listed(before), "cut after step {cut}: {:?}", found.keys());
        assert!(is_new || !went_through, "a later cut lost the change: {cut}");
        went_through |= is_new;
        if whole {
            assert!(is_new && cut > 3, "{cut} steps");
            return;
        }
    }
}

#[test]
fn a_change_that_is_cut_anywhere_leaves_all_of_the_old_or_all_of_the_new() {
    // REST-4
    let bytes = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    check(
        &[("phrase", "words"), ("control.key", "plain"), ("device.key", "device")],
        || {
            let change = Change::default().put("control.sealed", bytes("sealed")).put("device.sealed", bytes("too"));
            change.erase("phrase").erase("control.key").erase("device.key")
        },
        &[("control.sealed", "sealed"), ("device.sealed", "too")],
    );
    check(
        &[("control.sealed", "old"), ("device.sealed", "old too")],
        || Change::default().put("control.sealed", bytes("new")).put("device.sealed", bytes("new too")),
        &[("control.sealed", "new"), ("device.sealed", "new too")],
    );
    check(
        &[("device.sealed", "sealed")],
        || Change::default().put("device.key", bytes("plain")).erase("device.sealed").erase("phrase"),
        &[("device.key", "plain")],
    );
}

#[test]
fn what_is_erased_is_overwritten_first() {
    let dir = folder(&[("control.key", "secret")]);
    let kept = dir.path().join("other name");
    fs::hard_link(dir.path().join("control.key"), &kept).unwrap();
    Change::default().erase("control.key").carry_out(dir.path()).unwrap();
    assert_eq!(fs::read(kept).unwrap(), [0; 6]);
}

#[test]
fn new_files_of_a_change_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder(&[]);
    let mut modes = Vec::new();
    let mut watch = |_: &'static str| {
        for entry in fs::read_dir(dir.path()).unwrap() {
            modes.push(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777);
        }
        Ok(())
    };
    Change::default()
        .put("control.key", Zeroizing::new(b"x".to_vec()))
        .carry_out_watched(dir.path(), &mut watch)
        .unwrap();
    assert!(!modes.is_empty() && modes.iter().all(|mode| *mode == 0o600), "{modes:?}");
}

#[test]
fn a_list_that_names_other_files_is_refused() {
    for list in ["erase ../../xom.redb\n", "erase\n", "move phrase\n", "put peer.key\n"] {
        let dir = folder(&[("change", list), ("phrase", "words")]);
        assert!(finish(dir.path()).is_err(), "{list}");
        assert_eq!(fs::read(dir.path().join("phrase")).unwrap(), b"words");
    }
}
