//! Checks of the data folder: who can read it, and the room that is left.

use std::io;
use std::path::Path;

use super::Check;

/// Below this nothing can be written reliably: the database grows by steps of a few megabytes.
const FREE_BYTES_MIN: u64 = 100_000_000;
/// Below this a few days of media fill the disk.
const FREE_BYTES_LOW: u64 = 1_000_000_000;

/// Who can read the secrets of the folder.
pub fn rights(data_dir: &Path) -> Check {
    judge_rights(data_dir, xom_node::space::open_files(data_dir))
}

/// The room that is left.
pub fn disk(data_dir: &Path) -> Check {
    judge_disk(xom_node::space::free_bytes(data_dir))
}

fn judge_rights(data_dir: &Path, open: io::Result<Vec<String>>) -> Check {
    let folder = data_dir.display();
    match open {
        Ok(open) if open.is_empty() => Check::ok("folder", format!("{folder} can be read by its owner alone")),
        Ok(open) => {
            let paths: Vec<String> = open.iter().map(|path| format!("{}", data_dir.join(path).display())).collect();
            Check::fail(
                "folder",
                format!("others on this machine can read {}", paths.join(", ")),
                format!("run: chmod -R go-rwx {folder}"),
            )
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Check::fail(
            "folder",
            format!("{folder} is not there"),
            "start a node with `xom run`, or name its folder with --data-dir",
        ),
        Err(cause) => Check::fail(
            "folder",
            format!("{folder} can't be read: {cause}"),
            "run xom as the user whom the folder belongs to",
        ),
    }
}

fn judge_disk(free: Option<u64>) -> Check {
    let Some(free) = free else { return Check::unknown("disk", "the system does not say how much room is left") };
    let room = format!("{} MB are free", free / 1_000_000);
    match free {
        free if free < FREE_BYTES_MIN => {
            Check::fail("disk", room, "make room, or move the data folder: nothing can be written soon")
        }
        free if free < FREE_BYTES_LOW => {
            Check::warn("disk", room, "make room; `xom compact` gives back what was erased and replaced")
        }
        _ => Check::ok("disk", room),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_full_disk_fails_and_a_nearly_full_one_warns() {
        let states = [0, 99_999_999, 100_000_000, 999_999_999, 1_000_000_000].map(|free| judge_disk(Some(free)).state);
        assert_eq!(states, [State::Fail, State::Fail, State::Warn, State::Warn, State::Ok]);
        assert_eq!(judge_disk(None).state, State::Unknown);
    }

    #[test]
    fn a_folder_that_others_can_read_is_named_with_what_to_do() {
        let judge = |open| judge_rights(Path::new("/d"), open);
        assert_eq!(judge(Ok(Vec::new())).state, State::Ok);
        let open = judge(Ok(vec![".".into(), "token".into()]));
        assert!(open.state == State::Fail && open.found.contains("/d/token"), "{open:?}");
        assert_eq!(open.advice.as_deref(), Some("run: chmod -R go-rwx /d"));
        let missing = judge(Err(io::ErrorKind::NotFound.into()));
        assert!(missing.advice.is_some_and(|advice| advice.contains("xom run")));
        assert_eq!(judge(Err(io::ErrorKind::PermissionDenied.into())).state, State::Fail);
    }
}
