//! What is asked of the machine itself: its name, and files that must not make anybody wait.

use rustix::fs::{FileType, Mode, OFlags};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The name of this machine; empty if it has none that is text.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_str().unwrap_or_default().to_owned()
}

/// The first `limit` octets of a file, without ever waiting: a FIFO that nobody writes is empty.
///
/// # Errors
///
/// What opening and reading say.
pub fn read_without_waiting(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let mut contents = Vec::new();
    file.take(limit).read_to_end(&mut contents)?;
    Ok(contents)
}

/// The whole of a file that a person wrote. It never waits, and takes no more memory than `limit` octets.
///
/// # Errors
///
/// What opening and reading say; that it is not a regular file, but something that may not end or make its reader
/// wait; or that it is longer.
pub fn read_regular_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Looked at first, for opening alone does something to a tape or a tty; and again, for it may have been replaced.
    expect_regular(FileType::from_raw_mode(rustix::fs::stat(path)?.st_mode))?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    expect_regular(FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode))?;
    read_at_most(file, limit)
}

/// All that `source` gives, waiting for it.
///
/// # Errors
///
/// What reading says, or that it is more than `limit` octets.
pub fn read_at_most(source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    source.take(limit.saturating_add(1)).read_to_end(&mut contents)?;
    if contents.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {limit} octets")));
    }
    Ok(contents)
}

fn expect_regular(kind: FileType) -> io::Result<()> {
    let kind = match kind {
        FileType::RegularFile => return Ok(()),
        FileType::Directory => "a directory",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "something else",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is not a file, but {kind}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_name() {
        assert!(!host_name().is_empty());
    }

    #[test]
    fn no_more_is_read_than_was_asked_for() {
        assert_eq!(read_without_waiting(Path::new("/dev/zero"), 10).unwrap(), [0; 10]);
    }
    #[test]
    fn only_regular_files_are_read_and_only_up_to_the_limit() {
        let refusal = |path: &str, limit| read_regular_file(Path::new(path), limit).unwrap_err().to_string();
        assert_eq!(refusal("/dev/zero", 10), "it is not a file, but a device");
        assert_eq!(refusal("/", 10), "it is not a file, but a directory");
        let fifo = std::env::temp_dir().join(format!("bridge-linux-fifo-{}", std::process::id()));
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(refusal(fifo.to_str().unwrap(), 10), "it is not a file, but a pipe");
        std::fs::remove_file(&fifo).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(read_regular_file(&path, whole.len() as u64).unwrap(), whole);
        assert_eq!(refusal(path.to_str().unwrap(), 10), "it is longer than 10 octets");
    }
}
