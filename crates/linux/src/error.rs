//! The one error of this crate: which operation failed, on which object, and why.
//!
//! Its text is a sentence an operator can act on: `bind packet socket on eth0: No such device (os error 19)`.

use std::fmt;
use std::io;

use rustix::io::Errno;

/// A system call (or a small group of them) that failed.
///
/// `Display` carries the cause; `source()` therefore begins *behind* it, so that a chain of errors never says
/// the same thing twice.
#[derive(Debug)]
pub struct OsError {
    operation: &'static str,
    object: String,
    cause: io::Error,
    remedy: Option<&'static str>,
}

impl OsError {
    /// `operation` says what was tried (`open`, `bind packet socket on`), `object` on what.
    pub fn new(operation: &'static str, object: impl Into<String>, cause: impl Into<io::Error>) -> Self {
        Self { operation, object: object.into(), cause: cause.into(), remedy: None }
    }

    /// The same error, with what the operator can do about it if it is one of permission.
    #[must_use]
    pub(crate) fn or_permission_remedy(mut self, remedy: &'static str) -> Self {
        if self.is_permission() {
            self.remedy = Some(remedy);
        }
        self
    }

    /// The same error, with what the operator can do about it.
    #[must_use]
    pub fn with_remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = Some(remedy);
        self
    }

    /// What was tried.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// On what it was tried: an interface, a path.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// What the system answered.
    pub fn cause(&self) -> &io::Error {
        &self.cause
    }

    /// What the operator can do about it, where that is known.
    pub fn remedy(&self) -> Option<&'static str> {
        self.remedy
    }

    /// A right is missing (`EPERM`, `EACCES`).
    pub fn is_permission(&self) -> bool {
        self.cause.kind() == io::ErrorKind::PermissionDenied
    }

    /// Somebody else holds the object (`EBUSY`, a lock).
    pub fn is_busy(&self) -> bool {
        matches!(self.cause.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::WouldBlock)
    }

    /// The object is not there, or not there any more (`ENOENT`, `ENODEV`, `ENXIO`).
    pub fn is_missing(&self) -> bool {
        self.cause.kind() == io::ErrorKind::NotFound
            || matches!(Errno::from_io_error(&self.cause), Some(Errno::NODEV | Errno::NXIO))
    }
}

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.operation, self.object, self.cause)
    }
}

impl std::error::Error for OsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_a_sentence_and_does_not_repeat_itself() {
        let error = OsError::new("bind packet socket on", "eth0", Errno::NODEV);
        assert_eq!(error.to_string(), "bind packet socket on eth0: No such device (os error 19)");
        assert!(std::error::Error::source(&error).is_none());
        assert!(error.is_missing() && !error.is_permission() && !error.is_busy());
    }

    #[test]
    fn a_remedy_is_for_the_error_it_cures() {
        let denied = OsError::new("open", "/dev/ttyS0", Errno::ACCESS).or_permission_remedy("join dialout");
        assert_eq!(denied.remedy(), Some("join dialout"));
        let busy = OsError::new("open", "/dev/ttyS0", Errno::BUSY).or_permission_remedy("join dialout");
        assert!(busy.remedy().is_none() && busy.is_busy());
    }
}
