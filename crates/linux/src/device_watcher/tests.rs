//! In real directories, with links to pseudo-terminals and to `/dev/null` for devices.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use super::*;
use crate::poller::{Events, Interest, Poller, Token};
use crate::pty::PtyPair;
use DeviceState::{Forbidden, Missing, Present};

/// A directory of one test's own, gone with it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("device-watcher-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn watching(path: &Path) -> DeviceWatcher {
    let mut watcher = DeviceWatcher::open().unwrap();
    assert_eq!(watcher.watch(path).unwrap(), PathId(0));
    watcher
}

fn is_readable(watcher: &DeviceWatcher, patience: Option<Duration>) -> bool {
    let poller = Poller::new().unwrap();
    poller.add(watcher, Token(0), Interest::READABLE).unwrap();
    let mut events = Events::with_capacity(1);
    poller.wait(&mut events, patience).unwrap();
    !events.is_empty()
}

/// How many directories the kernel watches for it.
fn watches(watcher: &DeviceWatcher) -> usize {
    use std::os::fd::AsRawFd;
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", watcher.as_fd().as_raw_fd())).unwrap();
    info.lines().filter(|line| line.starts_with("inotify")).count()
}

/// All that has changed by now: inotify queues its events before the call that caused them returns.
fn changes(watcher: &mut DeviceWatcher) -> Vec<(usize, DeviceState)> {
    let mut changes = Vec::new();
    while is_readable(watcher, Some(Duration::ZERO)) {
        changes.extend(watcher.changes().unwrap());
    }
    changes.into_iter().map(|change| (change.path.0, change.state)).collect()
}

#[test]
fn what_is_there_at_first_is_a_state_and_not_a_change() {
    let mut watcher = watching(Path::new("/dev/null"));
    assert_eq!(watcher.state(PathId(0)), Present);
    assert_eq!(watcher.state(PathId(1)), Missing);
    assert_eq!(changes(&mut watcher), []);
}

#[test]
fn a_link_that_comes_and_goes_is_told() {
    let directory = Directory::new("link");
    let link = directory.path("modem");
    let mut watcher = watching(&link);
    assert_eq!(watcher.state(PathId(0)), Missing);
    symlink("/dev/null", &link).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Present)]);
    fs::remove_file(&link).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Missing)]);
    assert_eq!(watcher.state(PathId(0)), Missing);
}

#[test]
fn what_a_link_leads_to_is_told() {
    let directory = Directory::new("target");
    let (by_id, modem) = (directory.path("serial/by-id"), directory.path("serial/by-id/modem"));
    fs::create_dir_all(&by_id).unwrap();
    symlink("../../node", &modem).unwrap();
    let mut watcher = watching(&modem);
    symlink("/dev/null", directory.path("node")).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Present)]);
    fs::rename(directory.path("node"), directory.path("other")).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Missing)]);
    fs::rename(directory.path("other"), directory.path("node")).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Present)]);
}

#[test]
fn the_end_of_a_pseudo_terminal_is_told() {
    let directory = Directory::new("pty");
    let pair = PtyPair::open().unwrap();
    symlink(pair.slave(), directory.path("modem")).unwrap();
    let mut watcher = watching(&directory.path("modem"));
    assert_eq!((watcher.state(PathId(0)), changes(&mut watcher)), (Present, vec![]));
    drop(pair);
    // Waited for: a child that another test has just forked has the master open too, up to its own exec. And not what
    // has changed: another test may at once have been given the same number.
    assert!(is_readable(&watcher, None));
}

#[test]
fn directories_may_vanish_and_come_back() {
    let directory = Directory::new("directories");
    let by_id = directory.path("serial/by-id");
    let mut watcher = watching(&by_id.join("modem"));
    for _ in 0..3 {
        fs::create_dir_all(&by_id).unwrap();
        symlink("/dev/null", by_id.join("modem")).unwrap();
        assert_eq!(changes(&mut watcher), [(0, Present)]);
        fs::remove_dir_all(directory.path("serial")).unwrap();
        assert_eq!(changes(&mut watcher), [(0, Missing)]);
    }
    fs::create_dir(directory.path("serial")).unwrap();
    assert_eq!(changes(&mut watcher), []);
    fs::create_dir(&by_id).unwrap();
    assert_eq!(changes(&mut watcher), []);
    symlink("/dev/null", by_id.join("modem")).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Present)]);
    fs::rename(directory.path("serial"), directory.path("elsewhere")).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Missing)]);
}

#[test]
fn another_device_under_the_same_path_is_told_to_go_and_come() {
    let directory = Directory::new("another");
    let link = directory.path("modem");
    symlink("/dev/null", &link).unwrap();
    let mut watcher = watching(&link);
    // As udev does it, so that there is no moment without a link.
    symlink("/dev/zero", directory.path("new")).unwrap();
    fs::rename(directory.path("new"), &link).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Missing), (0, Present)]);
    // The same device by another name is no other device.
    symlink("/dev/../dev/zero", directory.path("new")).unwrap();
    fs::rename(directory.path("new"), &link).unwrap();
    assert_eq!(changes(&mut watcher), []);
}

#[test]
fn permissions_that_come_later_are_told() {
    // A thread may be another user, one to whom permissions mean something.
    std::thread::spawn(|| {
        let nobody = rustix::process::Uid::from_raw(65_534);
        if rustix::process::geteuid().is_root() {
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        let directory = Directory::new("permissions");
        let pair = PtyPair::open().unwrap();
        let set_mode = |mode| fs::set_permissions(pair.slave(), Permissions::from_mode(mode)).unwrap();
        set_mode(0o000);
        let mut watcher = watching(&directory.path("modem"));
        symlink(pair.slave(), directory.path("modem")).unwrap();
        assert_eq!(changes(&mut watcher), [(0, Forbidden)]);
        set_mode(0o600);
        assert_eq!(changes(&mut watcher), [(0, Present)]);
        set_mode(0o400);
        assert_eq!(changes(&mut watcher), [(0, Forbidden)]);
    })
    .join()
    .unwrap();
}

#[test]
fn only_a_character_device_counts() {
    let directory = Directory::new("kind");
    let path = directory.path("modem");
    let mut watcher = watching(&path);
    fs::write(&path, "a plain file").unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(changes(&mut watcher), []);
    fs::remove_dir(&path).unwrap();
    symlink("modem", &path).unwrap();
    assert_eq!(changes(&mut watcher), []);
    assert_eq!(watcher.state(PathId(0)), Missing);
}

#[test]
fn a_path_through_a_file_leads_nowhere_until_the_file_goes() {
    let directory = Directory::new("file");
    let place = directory.path("place");
    fs::write(&place, "in the way").unwrap();
    let mut watcher = watching(&place.join("modem"));
    fs::remove_file(&place).unwrap();
    fs::create_dir(&place).unwrap();
    symlink("/dev/null", place.join("modem")).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Present)]);
}

#[test]
fn each_path_is_told_of_its_own_changes() {
    let directory = Directory::new("several");
    let mut watcher = watching(&directory.path("one"));
    assert_eq!(watcher.watch(&directory.path("two")).unwrap(), PathId(1));
    symlink("/dev/null", directory.path("two")).unwrap();
    assert_eq!(changes(&mut watcher), [(1, Present)]);
    symlink("two", directory.path("one")).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Present)]);
    fs::remove_file(directory.path("two")).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Missing), (1, Missing)]);
}

#[test]
fn lost_events_are_made_up_for() {
    let directory = Directory::new("overflow");
    let link = directory.path("modem");
    let mut watcher = watching(&link);
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    // Two events each, and two in turn: equal ones in a row the kernel keeps once.
    for _ in 0..=limit / 2 {
        fs::write(directory.path("noise"), "").unwrap();
        fs::remove_file(directory.path("noise")).unwrap();
    }
    symlink("/dev/null", &link).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Present)]);
    // And it goes on as before.
    fs::remove_file(&link).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Missing)]);
}

#[test]
fn watches_are_not_hoarded() {
    let directory = Directory::new("hoard");
    let modem = directory.path("serial/modem");
    let mut watcher = watching(&modem);
    let at_first = watches(&watcher);
    for _ in 0..5 {
        fs::create_dir(directory.path("serial")).unwrap();
        symlink("/dev/null", &modem).unwrap();
        changes(&mut watcher);
        // One for the directory, and one for the place the link leads to.
        assert_eq!(watches(&watcher), at_first + 2);
        fs::remove_dir_all(directory.path("serial")).unwrap();
        changes(&mut watcher);
        assert_eq!(watches(&watcher), at_first);
    }
}

#[test]
fn another_path_under_a_number_is_watched_instead() {
    let directory = Directory::new("instead");
    let (old, new) = (directory.path("old/modem"), directory.path("new/modem"));
    fs::create_dir(directory.path("old")).unwrap();
    fs::create_dir(directory.path("new")).unwrap();
    let mut watcher = watching(&old);
    let at_first = watches(&watcher);
    symlink("/dev/null", &new).unwrap();
    watcher.watch_instead(PathId(0), &new).unwrap();
    // How it stands at first is no change, and what is not yet told of the old one is not told any more.
    assert_eq!((watcher.state(PathId(0)), watches(&watcher)), (Present, at_first + 1));
    symlink("/dev/null", &old).unwrap();
    assert_eq!(changes(&mut watcher), []);
    fs::remove_file(&new).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Missing)]);
}

#[test]
fn a_path_that_is_forgotten_is_missing_and_its_changes_are_not_told() {
    let directory = Directory::new("forgotten");
    let [one, two] = ["one/modem", "two/modem"].map(|name| directory.path(name));
    for path in [&one, &two] {
        fs::create_dir(path.parent().unwrap()).unwrap();
        symlink("/dev/null", path).unwrap();
    }
    let mut watcher = watching(&one);
    let with_one = watches(&watcher);
    assert_eq!(watcher.watch(&two).unwrap(), PathId(1));
    // One that is waiting to be told.
    fs::remove_file(&two).unwrap();
    watcher.forget_path(PathId(1));
    assert_eq!((watcher.state(PathId(1)), watches(&watcher)), (Missing, with_one));
    symlink("/dev/null", &two).unwrap();
    assert_eq!(changes(&mut watcher), []);
    // What others need is still watched, and a number may be given again.
    fs::remove_file(&one).unwrap();
    assert_eq!(changes(&mut watcher), [(0, Missing)]);
    watcher.watch_instead(PathId(1), &two).unwrap();
    assert_eq!(watcher.state(PathId(1)), Present);
    watcher.forget_path(PathId(7));
    watcher.watch_instead(PathId(3), &two).unwrap();
    assert_eq!([2, 3].map(|path| watcher.state(PathId(path))), [Missing, Present]);
}

#[test]
fn two_paths_to_one_device_are_known_as_such() {
    let directory = Directory::new("same");
    let (null, zero) = (directory.path("null"), directory.path("zero"));
    symlink("/dev/null", &null).unwrap();
    symlink("/dev/zero", &zero).unwrap();
    let mut watcher = watching(Path::new("/dev/null"));
    for path in [&null, &zero, &directory.path("missing")] {
        watcher.watch(path).unwrap();
    }
    let is_same = |watcher: &DeviceWatcher, other| watcher.is_same_device(PathId(0), PathId(other));
    assert_eq!([1, 2, 3, 4].map(|path| is_same(&watcher, path)), [true, false, false, false]);
    assert!(!watcher.is_same_device(PathId(3), PathId(3)));
    fs::remove_file(&null).unwrap();
    changes(&mut watcher);
    assert!(!is_same(&watcher, 1));
}
