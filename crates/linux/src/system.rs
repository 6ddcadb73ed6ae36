//! What is asked of the machine itself: its name, and files that must not make anybody wait.

use rustix::fs::{Mode, OFlags};
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
}
