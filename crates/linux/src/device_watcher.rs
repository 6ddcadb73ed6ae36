//! Whether devices are there, told as they come and go: inotify, no polling.
//!
//! It promises to end up with the truth about every watched path, whatever happens on its way: links that are made,
//! removed or pointed elsewhere, directories that vanish and come back (udev removes `/dev/serial/by-id` with the last
//! stick), permissions that are set a moment after the node is made, and events that the kernel could not keep. The
//! caller watches the descriptor and takes [`DeviceWatcher::changes`] when it is readable.
//!
//! Two things the kernel tells nobody: that something was mounted over a directory, and what happens in a directory
//! that this program may pass but not read.
//!
//! A path is walked as the kernel walks it, and every directory on the walk is watched for the one name looked up in
//! it. The walk ends at what is missing, so the nearest directory there is tells when it comes.
//!
//! ```text
//!   /dev/serial/by-id/usb-modem -> ../../ttyUSB0     watched: dev in /, serial in /dev, by-id in /dev/serial,
//!                                                             usb-modem in /dev/serial/by-id, ttyUSB0 in /dev
//! ```

use std::ffi::OsString;
use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::fs::{Access, AtFlags, CWD, FileType};
use rustix::io::Errno;

use crate::error::OsError;

/// See the [module](self).
#[derive(Debug)]
pub struct DeviceWatcher {
    inotify: OwnedFd,
    paths: Vec<WatchedPath>,
}

/// A watched path, numbered from 0 in the order of [`DeviceWatcher::watch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathId(pub usize);

/// How things stand with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceState {
    /// Its path leads to no character device.
    Missing,
    /// It is there, but this program may not read and write it: perhaps not yet, for udev makes a node first and
    /// gives it its group and mode afterwards.
    Forbidden,
    /// It is there and may be opened.
    Present,
}

/// Something that happened to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceChange {
    /// To which.
    pub path: PathId,
    /// How things stand with it now.
    pub state: DeviceState,
}

impl DeviceWatcher {
    /// A watcher of nothing.
    ///
    /// # Errors
    ///
    /// No inotify instance to be had.
    pub fn open() -> Result<Self, OsError> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
            .map_err(|errno| failed("devices", errno.into()))?;
        Ok(Self { inotify, paths: Vec::new() })
    }

    /// Watches a path from now on. How things stand at first is in [`DeviceWatcher::state`] and not told as a change.
    ///
    /// # Errors
    ///
    /// No inotify watch to be had.
    pub fn watch(&mut self, path: &Path) -> Result<PathId, OsError> {
        let watched = self.arm(path)?;
        self.paths.push(watched);
        Ok(PathId(self.paths.len() - 1))
    }

    /// Watches this path under a number that another may have had, which is watched no longer. How things stand at
    /// first is not told as a change.
    ///
    /// # Errors
    ///
    /// No inotify watch to be had; then the number stands for nothing, and the other is watched no longer all the same.
    pub fn watch_instead(&mut self, id: PathId, path: &Path) -> Result<(), OsError> {
        self.forget_path(id);
        let watched = self.arm(path)?;
        if self.paths.len() <= id.0 {
            self.paths.resize_with(id.0 + 1, WatchedPath::default);
        }
        self.paths[id.0] = watched;
        Ok(())
    }

    /// Watches a path no longer: what becomes of it is not told, and for all we know it is missing. Its number is
    /// given to another only by [`DeviceWatcher::watch_instead`].
    pub fn forget_path(&mut self, id: PathId) {
        if let Some(watched) = self.paths.get_mut(id.0) {
            let before = mem::take(watched);
            self.forget(&before.steps);
        }
    }

    /// Whether two paths lead to one device, after the last change that was told.
    pub fn is_same_device(&self, one: PathId, other: PathId) -> bool {
        let identity = |id: PathId| Some(self.paths.get(id.0)?.device?.identity);
        identity(one).is_some_and(|one| identity(other) == Some(one))
    }

    fn arm(&self, path: &Path) -> Result<WatchedPath, OsError> {
        let arm = || -> io::Result<WatchedPath> {
            let path = std::path::absolute(path)?;
            let steps = self.walk(&path)?;
            let device = Device::at(&path);
            Ok(WatchedPath { path, steps, device, is_touched: false })
        };
        arm().map_err(|cause| failed(path.display().to_string(), cause))
    }

    /// How things stand with a device, after the last change that was told.
    pub fn state(&self, path: PathId) -> DeviceState {
        self.paths.get(path.0).map_or(DeviceState::Missing, WatchedPath::state)
    }

    /// What has changed, in order. One read from the kernel: what is left makes the descriptor readable again.
    ///
    /// # Errors
    ///
    /// No more inotify watch to be had.
    pub fn changes(&mut self) -> io::Result<Vec<DeviceChange>> {
        let mut changes = Vec::new();
        self.mark_touched()?;
        for number in 0..self.paths.len() {
            if mem::take(&mut self.paths[number].is_touched) {
                self.look_again(number, &mut changes)?;
            }
        }
        Ok(changes)
    }

    /// Marks the paths that waiting events are about. Most may be about none: others' terminals, in the same directory,
    /// come and go too. So it allocates nothing.
    fn mark_touched(&mut self) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); EVENT_OCTETS];
        let mut events = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            let event = match events.next() {
                Ok(event) => event,
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            };
            for watched in &mut self.paths {
                watched.is_touched |= watched.is_touched_by(&event);
            }
            if events.is_buffer_empty() {
                return Ok(());
            }
        }
    }

    fn look_again(&mut self, number: usize, changes: &mut Vec<DeviceChange>) -> io::Result<()> {
        // First the watches, then the look: what happens in between is looked at twice rather than never.
        let steps = self.walk(&self.paths[number].path)?;
        let watched = &mut self.paths[number];
        let before = watched.state();
        let old_device = mem::replace(&mut watched.device, Device::at(&watched.path));
        let old_steps = mem::replace(&mut watched.steps, steps);
        let now = watched.state();
        let is_replaced = match (old_device, watched.device) {
            (Some(old), Some(new)) => old.identity != new.identity,
            _ => false,
        };
        let path = PathId(number);
        if is_replaced {
            changes.push(DeviceChange { path, state: DeviceState::Missing });
        }
        if is_replaced || before != now {
            changes.push(DeviceChange { path, state: now });
        }
        self.forget(&old_steps);
        Ok(())
    }

    /// Walks a path and watches each directory on the way, each before the look into it.
    fn walk(&self, path: &Path) -> io::Result<Vec<Step>> {
        let mut steps = Vec::new();
        let mut here = PathBuf::from("/");
        let mut ahead = names(path);
        while let Some(name) = ahead.pop() {
            if name == ".." {
                // Links were followed one by one, so the name above is the directory above.
                here.pop();
                continue;
            }
            // A longer walk goes round in circles, or might as well; for the kernel too it leads nowhere.
            if steps.len() == MAX_STEPS {
                break;
            }
            match inotify::add_watch(&self.inotify, &here, EVENTS | WatchFlags::ONLYDIR) {
                Ok(watch) => steps.push(Step { watch, name: name.clone() }),
                Err(Errno::ACCESS) => {}
                // It was there a moment ago: the watch on the directory above has an event waiting.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => break,
                Err(errno) => return Err(errno.into()),
            }
            here.push(name);
            match rustix::fs::readlink(&here, []) {
                Ok(target) => {
                    let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                    // Pushing an absolute path would replace the whole.
                    here.pop();
                    if target.is_absolute() {
                        here = PathBuf::from("/");
                    }
                    ahead.extend(names(&target));
                }
                // There, and not a link.
                Err(Errno::INVAL) => {}
                Err(_) => break,
            }
        }
        Ok(steps)
    }

    /// Withdraws the watches of `old` that no path needs any more.
    fn forget(&self, old: &[Step]) {
        for step in old {
            let is_needed = self.paths.iter().flat_map(|path| &path.steps).any(|it| it.watch == step.watch);
            if !is_needed {
                // The kernel itself withdraws those of directories that are gone.
                let _ = inotify::remove_watch(&self.inotify, step.watch);
            }
        }
    }
}

impl AsFd for DeviceWatcher {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

#[derive(Debug, Default)]
struct WatchedPath {
    /// From the root on; empty if nothing is watched.
    path: PathBuf,
    steps: Vec<Step>,
    device: Option<Device>,
    /// Something has happened on its way, and it is to be looked at again.
    is_touched: bool,
}

impl WatchedPath {
    fn state(&self) -> DeviceState {
        match self.device {
            None => DeviceState::Missing,
            Some(Device { is_allowed: false, .. }) => DeviceState::Forbidden,
            Some(Device { is_allowed: true, .. }) => DeviceState::Present,
        }
    }

    fn is_touched_by(&self, event: &inotify::Event<'_>) -> bool {
        // Events were lost: anything may have happened.
        event.events().contains(ReadFlags::QUEUE_OVERFLOW)
            || self.steps.iter().any(|step| {
                // Without a name it is about the directory itself.
                let is_its_name = |name: &std::ffi::CStr| name.to_bytes() == step.name.as_encoded_bytes();
                step.watch == event.wd() && event.file_name().is_none_or(is_its_name)
            })
    }
}

/// A name looked up in a watched directory.
#[derive(Debug)]
struct Step {
    watch: i32,
    name: OsString,
}

#[derive(Debug, Clone, Copy)]
struct Device {
    /// Another node under the same path is another device.
    identity: (u64, u64, u64),
    is_allowed: bool,
}

impl Device {
    fn at(path: &Path) -> Option<Self> {
        let stat = rustix::fs::stat(path).ok()?;
        let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
        let access = Access::READ_OK | Access::WRITE_OK;
        is_device.then(|| Self {
            identity: (stat.st_dev, stat.st_ino, stat.st_rdev),
            is_allowed: rustix::fs::accessat(CWD, path, access, AtFlags::EACCESS).is_ok(),
        })
    }
}

fn failed(object: impl Into<String>, cause: io::Error) -> OsError {
    let remedy = match Errno::from_io_error(&cause) {
        Some(Errno::MFILE) => Some("raise the sysctl fs.inotify.max_user_instances"),
        Some(Errno::NOSPC) => Some("raise the sysctl fs.inotify.max_user_watches"),
        _ => None,
    };
    let error = OsError::new("watch", object, cause);
    match remedy {
        Some(remedy) => error.with_remedy(remedy),
        None => error,
    }
}

/// The names in a path, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    let is_name =
        |component: &Component<'_>| matches!(component, Component::Normal(_) | Component::ParentDir);
    path.components().rev().filter(is_name).map(|name| name.as_os_str().to_owned()).collect()
}

/// A name that comes, goes, or gets other permissions; the directory itself that goes.
const EVENTS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF);

/// The kernel follows 40 links; no sane path to a device has more than a few names in each.
const MAX_STEPS: usize = 256;

/// Room for a dozen events with the longest names, and at least one.
const EVENT_OCTETS: usize = 4096;

#[cfg(test)]
mod tests;
