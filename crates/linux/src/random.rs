//! Octets nobody can guess.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::error::OsError;

/// An array of random octets from the kernel. Waits for its generator to be ready, which it is once and for all soon
/// after the machine has started.
///
/// # Errors
///
/// Only in a sandbox that forbids the call.
pub fn octets<const N: usize>() -> Result<[u8; N], OsError> {
    let mut octets = [0; N];
    let mut filled = 0;
    while let Some(rest) = octets.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match getrandom(rest, GetRandomFlags::empty()) {
            Ok(more) => filled += more,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(OsError::new("get", "random octets", errno)),
        }
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_draws_differ() {
        assert_ne!(super::octets::<32>().unwrap(), super::octets::<32>().unwrap());
        assert_eq!(super::octets::<0>().unwrap(), []);
    }
}
