//! What the system says of a data folder: the room that is left, and who can read it. Only looks.

use std::fs;
use std::io;
use std::path::Path;

/// Bytes that are free for this user in the file system of `path`; none where the system does not say.
pub fn free_bytes(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    return rustix::fs::statvfs(path).ok().map(|found| found.f_bavail.saturating_mul(found.f_frsize));
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Paths in a data folder that others on this machine can read or write: the folder itself as `.`, its secrets by name.
pub fn open_files(data_dir: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    if is_open(data_dir)? {
        found.push(".".to_owned());
    }
    for name in ["token", "metrics.token", "peer.key"] {
        note(&data_dir.join(name), name, &mut found)?;
    }
    let identities = data_dir.join("identities");
    let folders = match fs::read_dir(&identities) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(found),
        folders => folders?,
    };
    for folder in folders {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(folder.path())? {
            let file = file?;
            let name = format!("identities/{}/{}", folder.file_name().display(), file.file_name().display());
            note(&file.path(), &name, &mut found)?;
        }
    }
    found.sort();
    Ok(found)
}

fn note(path: &Path, name: &str, found: &mut Vec<String>) -> io::Result<()> {
    match is_open(path) {
        Ok(true) => found.push(name.to_owned()),
        Ok(false) => {}
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(cause),
    }
    Ok(())
}

#[cfg(unix)]
fn is_open(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(path: &Path) -> io::Result<bool> {
    fs::metadata(path).map(|_| false)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_that_others_can_read_are_named_and_private_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("identities/lan");
        fs::create_dir_all(&keys).unwrap();
        let set = |path: &str, mode| {
            let path = folder.path().join(path);
            fs::write(&path, "x").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        set("token", 0o600);
        set("peer.key", 0o640);
        set("identities/lan/device.key", 0o604);
        set("identities/lan/phrase", 0o600);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(open_files(folder.path()).unwrap(), ["identities/lan/device.key", "peer.key"]);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(open_files(folder.path()).unwrap().contains(&".".to_owned()));
    }

    #[test]
    fn the_room_that_is_left_is_known_where_the_folder_is_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_bytes(folder.path()).is_some());
        assert_eq!(free_bytes(&folder.path().join("none")), None);
    }
}
