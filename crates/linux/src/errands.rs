//! Calls for which the kernel may keep a program waiting, made by threads beside it.
//!
//! It promises: nobody waits for them, neither the caller nor the errand that is begun next, and what they give comes to
//! a descriptor that can be polled. An errand has no name here and is not cut short; whoever begins one bounds how many
//! there are. One thread stays for the next errand: its end would cost more memory than its rest.

use std::collections::VecDeque;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::event::{EventfdFlags, eventfd};

use crate::error::OsError;

/// Plenty for a system call and an error text; the default is 2 MiB.
const STACK_OCTETS: usize = 128 * 1024;

/// Errands that give a `T` each; see the [module](self).
pub struct Errands<T> {
    wake: Arc<OwnedFd>,
    sender: Sender<T>,
    receiver: Receiver<T>,
    crew: Arc<Crew>,
}

impl<T: Send + 'static> Errands<T> {
    /// # Errors
    ///
    /// No descriptor left.
    pub fn new() -> Result<Self, OsError> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|cause| OsError::new("create", "eventfd", cause))?;
        let (sender, receiver) = channel();
        Ok(Self { wake: Arc::new(wake), sender, receiver, crew: Arc::default() })
    }

    /// Begins an errand. Where no thread is to be had it is done at once: better late than never.
    pub fn begin(&self, errand: impl FnOnce() -> T + Send + 'static) {
        let (sender, wake) = (self.sender.clone(), self.wake.clone());
        self.crew.begin(Box::new(move || {
            // There is nobody to be told when the program is ending.
            if sender.send(errand()).is_ok() {
                let _ = rustix::io::write(&*wake, &1u64.to_ne_bytes());
            }
        }));
    }

    /// What the next errand that is done has given. The descriptor is readable again for those that follow once this
    /// has said `None`.
    pub fn next_done(&mut self) -> Option<T> {
        // Before the look: what comes behind it is told anew.
        let _: Result<usize, _> = rustix::io::read(&*self.wake, &mut [0; 8]);
        self.receiver.try_recv().ok()
    }
}

impl<T> Drop for Errands<T> {
    fn drop(&mut self) {
        self.crew.todo().is_over = true;
        self.crew.news.notify_all();
    }
}

type Errand = Box<dyn FnOnce() + Send>;

/// The threads.
#[derive(Default)]
struct Crew {
    todo: Mutex<Todo>,
    news: Condvar,
}

#[derive(Default)]
struct Todo {
    errands: VecDeque<Errand>,
    /// Threads that wait for one.
    idle: usize,
    is_over: bool,
}

impl Crew {
    fn todo(&self) -> MutexGuard<'_, Todo> {
        // It is whole at every moment.
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>, errand: Errand) {
        let mut todo = self.todo();
        todo.errands.push_back(errand);
        if todo.errands.len() <= todo.idle {
            self.news.notify_one();
            return;
        }
        drop(todo);
        let crew = self.clone();
        let thread = thread::Builder::new().name("errand".to_owned()).stack_size(STACK_OCTETS);
        if thread.spawn(move || crew.work()).is_err() {
            let left = self.todo().errands.pop_back();
            left.into_iter().for_each(|errand| errand());
        }
    }

    /// One thread: does what there is to be done, and waits for more if no other does.
    fn work(&self) {
        let mut todo = self.todo();
        loop {
            if let Some(errand) = todo.errands.pop_front() {
                drop(todo);
                errand();
                todo = self.todo();
            } else if todo.is_over || todo.idle > 0 {
                return;
            } else {
                todo.idle += 1;
                todo = self.news.wait(todo).unwrap_or_else(PoisonError::into_inner);
                todo.idle -= 1;
            }
        }
    }
}

impl<T> AsFd for Errands<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

impl<T> fmt::Debug for Errands<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errands").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poller::{Events, Interest, Poller, Token};

    /// Waits until one is done.
    fn next_done(errands: &mut Errands<u8>) -> u8 {
        let poller = Poller::new().unwrap();
        poller.add(&*errands, Token(0), Interest::READABLE).unwrap();
        poller.wait(&mut Events::with_capacity(1), None).unwrap();
        errands.next_done().unwrap()
    }

    #[test]
    fn one_that_takes_long_holds_up_no_other() {
        let mut errands = Errands::new().unwrap();
        let (go_on, stop) = channel::<()>();
        errands.begin(move || {
            stop.recv().unwrap();
            1
        });
        errands.begin(|| 2);
        assert_eq!(next_done(&mut errands), 2);
        assert_eq!(errands.next_done(), None);
        go_on.send(()).unwrap();
        assert_eq!(next_done(&mut errands), 1);
    }

    #[test]
    fn what_is_done_is_told_until_it_has_been_taken() {
        let mut errands = Errands::new().unwrap();
        let poller = Poller::new().unwrap();
        poller.add(&errands, Token(0), Interest::READABLE).unwrap();
        let mut events = Events::with_capacity(1);
        let mut done = Vec::new();
        for number in 0..20 {
            errands.begin(move || number);
        }
        while done.len() < 20 {
            poller.wait(&mut events, None).unwrap();
            while let Some(number) = errands.next_done() {
                done.push(number);
            }
        }
        done.sort_unstable();
        assert_eq!(done, (0..20).collect::<Vec<u8>>());
    }

    #[test]
    fn one_thread_stays_for_the_next() {
        let mut errands = Errands::new().unwrap();
        let mut threads = Vec::new();
        for _ in 0..3 {
            let (told, thread) = channel();
            errands.begin(move || {
                told.send(thread::current().id()).unwrap();
                0
            });
            threads.push(thread.recv().unwrap());
            next_done(&mut errands);
            while errands.crew.todo().idle == 0 {
                thread::yield_now();
            }
        }
        assert!(threads.iter().all(|thread| *thread == threads[0]), "{threads:?}");
        let crew = Arc::downgrade(&errands.crew);
        drop(errands);
        // It ends with them.
        while crew.strong_count() > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn nobody_need_be_there_to_be_told() {
        let (sent, received) = channel();
        let errands = Errands::new().unwrap();
        let (go_on, stop) = channel::<()>();
        errands.begin(move || {
            stop.recv().unwrap();
            drop(sent);
        });
        drop(errands);
        go_on.send(()).unwrap();
        let end: Result<(), _> = received.recv();
        assert!(end.is_err());
    }
}
