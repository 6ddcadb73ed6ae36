//! Who holds what this program wants: for error texts only, so "unknown" is a fine answer.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::process::Pid;

/// `process 812 (minicom)`.
pub(crate) fn describe(pid: Pid) -> String {
    if pid == rustix::process::getpid() {
        return "this very program, which knows the same device by another name".to_owned();
    }
    let number = pid.as_raw_pid();
    match fs::read_to_string(format!("/proc/{number}/comm")) {
        Ok(name) => format!("process {number} ({})", name.trim_end()),
        Err(_) => format!("process {number}"),
    }
}

/// The error for something in use by this process.
pub(crate) fn busy(holder: Option<Pid>) -> io::Error {
    let text = match holder {
        Some(pid) => format!("in use by {}", describe(pid)),
        None => "in use by another process".to_owned(),
    };
    io::Error::new(io::ErrorKind::ResourceBusy, text)
}

/// A process that has the file open, as far as this one may look.
pub(crate) fn with_open(path: &Path) -> Option<Pid> {
    let path = fs::canonicalize(path).ok()?;
    let has_open = |pid: Pid| {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", pid.as_raw_pid())).ok();
        descriptors.is_some_and(|mut all| {
            all.any(|fd| fd.and_then(|fd| fs::read_link(fd.path())).ok() == Some(path.clone()))
        })
    };
    fs::read_dir("/proc")
        .ok()?
        .filter_map(|entry| Pid::from_raw(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .find(|&pid| has_open(pid))
}

/// The process with a `flock` on the file.
pub(crate) fn of_flock(file: impl AsFd) -> Option<Pid> {
    let stat = rustix::fs::fstat(file).ok()?;
    let (major, minor) = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
    // 1: FLOCK  ADVISORY  WRITE 812 00:06:90 0 EOF
    let file = format!("{major:02x}:{minor:02x}:{}", stat.st_ino);
    locks().ok()?.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (kind, pid, locked) = (words.next()?, words.nth(2)?, words.next()?);
        (kind == "FLOCK" && locked == file).then_some(pid)?.parse().ok().and_then(Pid::from_raw)
    })
}

/// All locks. The kernel goes on at a number in its list, so that of two reads the second misses a line if one that was
/// read before is gone: the first takes as much as the kernel gives at once, a page.
fn locks() -> io::Result<String> {
    let mut text = String::with_capacity(64 * 1024);
    File::open("/proc/locks")?.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_does_not_speak_of_itself_as_of_another() {
        let text = busy(Some(rustix::process::getpid())).to_string();
        assert_eq!(text, "in use by this very program, which knows the same device by another name");
    }
}
