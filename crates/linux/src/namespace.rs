//! A network of one's own: for the demonstration, which then needs no rights, and for tests.

use std::fs;
use std::io;

use rustix::io::Errno;
use rustix::thread::UnshareFlags;

use crate::error::OsError;
use crate::{link, sys};

/// Moves this program into a network of its own, with nothing in it but loopback. Without the right to do so it first
/// moves into a user namespace in which it has that right, and is root.
///
/// To be called while the program has a single thread: with more the kernel refuses the user namespace, and a network
/// namespace alone would be the calling thread's only (see [`enter_network_namespace`]).
///
/// # Errors
///
/// More than one thread, or a system on which unprivileged user namespaces are switched off.
pub fn enter_user_and_network_namespace() -> Result<(), OsError> {
    match enter_network_namespace() {
        Err(error) if error.is_permission() => {}
        other => return other,
    }
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    sys::process::unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET).map_err(|cause| {
        let remedy = match Errno::from_io_error(&cause) {
            Some(Errno::INVAL) => "call it before any other thread is started",
            _ => SWITCHED_OFF,
        };
        OsError::new("enter", "user namespace", cause).with_remedy(remedy)
    })?;
    // The order is the kernel's: an unprivileged group map only after `setgroups` has been given up.
    for (file, text) in [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("0 {user} 1")),
        ("/proc/self/gid_map", format!("0 {group} 1")),
    ] {
        write_once(file, &text)
            .map_err(|cause| OsError::new("write", file, cause).with_remedy(SWITCHED_OFF))?;
    }
    // Some systems grant the namespace but no capability in it; then this is the first to fail.
    link::set_link_up("lo", true).map_err(|error| error.or_permission_remedy(SWITCHED_OFF))
}

/// Moves the calling thread, and the threads and children it starts afterwards, into a network of its own, with
/// nothing in it but loopback.
///
/// # Errors
///
/// A missing `CAP_SYS_ADMIN`.
pub fn enter_network_namespace() -> Result<(), OsError> {
    sys::process::unshare(UnshareFlags::NEWNET)
        .map_err(|cause| OsError::new("enter", "network namespace", cause))?;
    link::set_link_up("lo", true)
}

const SWITCHED_OFF: &str = "allow unprivileged user namespaces (sysctl user.max_user_namespaces, \
     kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or run as root";

/// These files take one write call, whole.
fn write_once(file: &str, text: &str) -> io::Result<()> {
    use std::io::Write;
    fs::OpenOptions::new().write(true).open(file)?.write_all(text.as_bytes())
}
