//! UUCP lock files: how programs that dial have told each other for decades that a serial port is taken.
//!
//! `/run/lock/LCK..ttyUSB0` holds the owner's process number, right-aligned in ten columns, and a newline. It promises:
//! a lock appears whole or not at all; a live owner's lock is never touched; one whose owner is dead, or that
//! names nobody, is replaced; on drop the file goes only if it still is ours.
//!
//! The name is that of the real device, whatever symbolic link it was reached by; `/dev/pts/3` becomes `LCK..pts_3`,
//! since a plain `3` could be any device's name.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::process::Pid;

use crate::error::OsError;
use crate::holder;
use crate::random;

/// Where lock files live: the second is where the first was before there was `/run`.
pub const DIRECTORIES: [&str; 2] = ["/run/lock", "/var/lock"];

/// The locks that this process holds. One that names its number and is not among them was left by another that had the
/// same number, as it is in containers, where each start begins to count anew.
static OURS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn ours() -> MutexGuard<'static, Vec<PathBuf>> {
    // A list of paths is whole at every moment.
    OURS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A lock file that is ours; see the [module](self).
#[derive(Debug)]
pub struct LockFile {
    path: PathBuf,
}

/// What came of an attempt to lock.
#[derive(Debug)]
pub enum LockFileOutcome {
    /// The lock is held.
    Held(LockFile),
    /// There is no directory for locks, or it is not ours to write to; the reason is inside. Other programs will not
    /// see that the port is taken, but `flock` and `TIOCEXCL` still hold them off.
    Skipped(OsError),
}

impl LockFile {
    /// Locks `device` in `directory`.
    ///
    /// # Errors
    ///
    /// Somebody who is alive holds the lock ([`OsError::is_busy`]; the text says who), or the device is not there.
    pub fn acquire(directory: &Path, device: &Path) -> Result<LockFileOutcome, OsError> {
        let failed = |cause: io::Error| OsError::new("lock", device.display().to_string(), cause);
        let path = directory.join(file_name(&fs::canonicalize(device).map_err(failed)?));
        let pid = rustix::process::getpid().as_raw_pid();
        // The name must not look like a lock's, nor be one that anybody can foresee: all may write to the directory.
        let draft = directory.join(format!("LTMP..{:016x}.new", u64::from_ne_bytes(random::octets()?)));
        if let Err(cause) = write_draft(&draft, pid) {
            return Ok(LockFileOutcome::Skipped(OsError::new("write", draft.display().to_string(), cause)));
        }
        let mut ours = ours();
        let result = link(&draft, &path, &ours);
        // The draft has done its work, or is of no use; a left-over harms nobody.
        let _ = fs::remove_file(&draft);
        result.map_err(failed)?;
        ours.push(path.clone());
        Ok(LockFileOutcome::Held(Self { path }))
    }

    /// Where the lock is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Held to the end: meanwhile another thread would take the file for a stale one, and put its own in its place.
        let mut ours = ours();
        ours.retain(|path| *path != self.path);
        if owner(&self.path).is_ok_and(|owner| owner == Some(rustix::process::getpid())) {
            // If it cannot be removed it is stale as soon as this process ends.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// `ttyUSB0` for `/dev/ttyUSB0`, `pts_3` for `/dev/pts/3`, and the last part of a path elsewhere: as pppd does.
fn file_name(device: &Path) -> String {
    let name = match device.strip_prefix("/dev") {
        Ok(below) => below.to_string_lossy().replace('/', "_"),
        Err(_) => device.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    };
    format!("LCK..{name}")
}

fn write_draft(draft: &Path, pid: i32) -> io::Result<()> {
    // A new file, or none: whatever has that name already, a symbolic link above all, was put there by somebody else.
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(draft)?;
    writeln!(file, "{pid:>10}")
}

/// Links the draft to the lock's name, which fails if there is a lock; a stale one is cleared away first.
fn link(draft: &Path, path: &Path, ours: &[PathBuf]) -> io::Result<()> {
    // Once for a stale lock, once more for a rival who took the same one away and died.
    for _ in 0..3 {
        match fs::hard_link(draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other,
        }
        match owner(path) {
            Ok(Some(pid)) if is_live(pid, path, ours) => return Err(held_by(pid)),
            Ok(_) => remove_stale(draft, path, ours)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::ResourceBusy, format!("others fight over {}", path.display())))
}

/// Takes a stale lock away, but not one that a rival has put in its place a moment ago.
///
/// A plain unlink could hit the rival's. So the lock is moved aside first, which only one can do, and looked at
/// again; if it turns out to be a live one it is put back.
fn remove_stale(draft: &Path, path: &Path, ours: &[PathBuf]) -> io::Result<()> {
    let aside = draft.with_extension("stale");
    match fs::rename(path, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    }
    let verdict = match owner(&aside) {
        Ok(Some(pid)) if is_live(pid, path, ours) => fs::hard_link(&aside, path).and(Err(held_by(pid))),
        _ => Ok(()),
    };
    fs::remove_file(&aside)?;
    verdict
}

fn held_by(pid: Pid) -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, format!("locked by {}", holder::describe(pid)))
}

/// Who a lock names: a process of ours to be, or `None` for garbage.
///
/// Besides text some programs write the number as a machine word; that is four octets and cannot be the text.
fn owner(path: &Path) -> io::Result<Option<Pid>> {
    let octets = fs::read(path)?;
    let number = match <[u8; 4]>::try_from(octets.as_slice()) {
        Ok(word) if !word.is_ascii() => Some(i32::from_ne_bytes(word)),
        Ok(word) if word.contains(&0) => Some(i32::from_ne_bytes(word)),
        _ => std::str::from_utf8(&octets)
            .ok()
            .and_then(|text| text.split_ascii_whitespace().next())
            .and_then(|number| number.parse().ok()),
    };
    // Pid zero and the negative ones mean groups of processes to the system calls.
    Ok(number.filter(|&number| number > 0).and_then(Pid::from_raw))
}

/// Whether `pid` still holds the lock at `path` that names it.
fn is_live(pid: Pid, path: &Path, ours: &[PathBuf]) -> bool {
    if pid == rustix::process::getpid() {
        return ours.iter().any(|ours| ours == path);
    }
    // "Not permitted" comes from a process that is there.
    !matches!(rustix::process::test_kill_process(pid), Err(Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own for each test, gone with it.
    struct Directory(PathBuf);

    impl Directory {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("lock-file-{}-{test}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn lock(&self) -> PathBuf {
            self.0.join("LCK..null")
        }

        fn acquire(&self) -> Result<LockFileOutcome, OsError> {
            LockFile::acquire(&self.0, Path::new("/dev/null"))
        }

        fn names(&self) -> Vec<std::ffi::OsString> {
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name()).collect()
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn held(outcome: Result<LockFileOutcome, OsError>) -> LockFile {
        match outcome {
            Ok(LockFileOutcome::Held(lock)) => lock,
            other => panic!("not held: {other:?}"),
        }
    }

    #[test]
    fn a_lock_names_its_owner_and_goes_with_it() {
        let directory = Directory::new("owner");
        let lock = held(directory.acquire());
        assert_eq!(lock.path(), directory.lock());
        let text = fs::read_to_string(directory.lock()).unwrap();
        assert_eq!(text, format!("{:>10}\n", std::process::id()));
        assert_eq!(directory.names(), ["LCK..null"]);
        drop(lock);
        assert!(directory.names().is_empty());
    }

    #[test]
    fn a_live_owner_is_respected_and_named() {
        let directory = Directory::new("live");
        // Process 1 is always alive.
        fs::write(directory.lock(), "         1\n").unwrap();
        let error = directory.acquire().unwrap_err();
        assert!(error.is_busy());
        assert!(error.to_string().starts_with("lock /dev/null: locked by process 1"), "{error}");
        assert_eq!(fs::read_to_string(directory.lock()).unwrap(), "         1\n");
        assert_eq!(directory.names(), ["LCK..null"]);
    }

    #[test]
    fn a_second_lock_of_this_very_process_is_refused() {
        let directory = Directory::new("second");
        let first = held(directory.acquire());
        assert!(directory.acquire().unwrap_err().is_busy());
        drop(first);
        held(directory.acquire());
    }

    #[test]
    fn a_dead_owner_and_garbage_are_replaced() {
        let directory = Directory::new("stale");
        let dead = std::process::Command::new("true").spawn().and_then(|mut child| {
            child.wait()?;
            Ok(child.id())
        });
        let dead = format!("{:>10}\n", dead.unwrap());
        for stale in
            [dead.as_bytes(), b"", b"nobody\n", b"-1\n", b"0\n", b"99999999999999\n", b"\xff\xff\xff\xff"]
        {
            fs::write(directory.lock(), stale).unwrap();
            drop(held(directory.acquire()));
            assert!(directory.names().is_empty());
        }
    }

    #[test]
    fn a_lock_left_by_another_life_with_our_number_is_replaced() {
        let directory = Directory::new("own-number");
        fs::write(directory.lock(), format!("{:>10}\n", std::process::id())).unwrap();
        drop(held(directory.acquire()));
        assert!(directory.names().is_empty());
    }

    #[test]
    fn a_draft_is_never_written_through_what_somebody_has_put_in_its_place() {
        let directory = Directory::new("draft");
        let victim = directory.0.join("victim");
        fs::write(&victim, "precious").unwrap();
        let draft = directory.0.join("LTMP..1.new");
        std::os::unix::fs::symlink(&victim, &draft).unwrap();
        assert_eq!(write_draft(&draft, 1).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn a_binary_process_number_counts() {
        let directory = Directory::new("binary");
        fs::write(directory.lock(), 1i32.to_ne_bytes()).unwrap();
        assert!(directory.acquire().unwrap_err().is_busy());
    }

    #[test]
    fn anothers_lock_is_not_removed() {
        let directory = Directory::new("foreign");
        let lock = held(directory.acquire());
        fs::write(directory.lock(), "         1\n").unwrap();
        drop(lock);
        assert!(directory.lock().exists());
    }

    #[test]
    fn without_a_directory_locking_is_skipped_and_says_so() {
        let outcome = LockFile::acquire(Path::new("/nonexistent"), Path::new("/dev/null")).unwrap();
        let LockFileOutcome::Skipped(why) = outcome else { panic!("held without a directory") };
        assert!(why.is_missing());
    }

    #[test]
    fn the_name_is_the_real_devices() {
        let directory = Directory::new("link");
        let by_id = directory.0.join("usb-modem");
        std::os::unix::fs::symlink("/dev/null", &by_id).unwrap();
        let outcome = LockFile::acquire(&directory.0, &by_id);
        assert_eq!(held(outcome).path(), directory.lock());
        assert_eq!(file_name(Path::new("/dev/pts/3")), "LCK..pts_3");
        assert_eq!(file_name(Path::new("/dev/ttyUSB0")), "LCK..ttyUSB0");
    }
}
