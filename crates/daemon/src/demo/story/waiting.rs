//! What the steps are made of: waiting while everything moves, and noticing when it goes wrong.

use super::Story;
use crate::demo::facts::Facts;
use crate::demo::failure::Failure;
use crate::demo::now;
use crate::demo::world::World;
use bridge_proto::time::Instant;
use std::time::Duration;

/// How often something that moves is drawn.
const REDRAW: Duration = Duration::from_millis(100);
/// For a goodbye after an interruption; longer than the bridge itself gives everybody.
const BREAK_OFF_LIMIT: Duration = Duration::from_secs(10);

/// What is drawn while something is waited for.
pub(super) struct Showing {
    pub(super) text: &'static str,
    /// From 0 to 1.
    pub(super) done: Option<f64>,
}

impl Story<'_> {
    pub(super) fn wait<T>(
        &mut self,
        expected: &str,
        patience: Duration,
        look: impl Fn(&Facts) -> Option<T>,
    ) -> Result<T, Failure> {
        let give_up = now() + patience;
        loop {
            if let Some(found) = look(&self.world.facts) {
                return Ok(found);
            }
            self.check(expected, patience, give_up)?;
            self.turn(give_up)?;
        }
    }

    /// As [`Story::wait`], drawing all the while.
    pub(super) fn wait_showing<T>(
        &mut self,
        expected: &str,
        patience: Duration,
        look: impl Fn(&Facts) -> Option<T>,
        show: impl Fn(&World, Duration) -> Showing,
    ) -> Result<T, Failure> {
        let give_up = now() + patience;
        let mut redraw = now();
        loop {
            if let Some(found) = look(&self.world.facts) {
                return Ok(found);
            }
            self.check(expected, patience, give_up)?;
            if now() >= redraw {
                let Showing { text, done } = show(&self.world, now() - self.began);
                self.screen.moving(now(), self.step, text, done);
                redraw = now() + REDRAW;
            }
            self.turn(redraw.min(give_up))?;
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, time: Duration) -> Result<(), Failure> {
        let end = now() + time;
        while now() < end {
            self.check_trouble("nothing to go wrong")?;
            self.turn(end)?;
        }
        Ok(())
    }

    pub(super) fn turn(&mut self, deadline: Instant) -> Result<(), Failure> {
        self.world.turn(&mut self.events, deadline)?;
        let fresh = std::mem::take(&mut self.world.facts.fresh_log);
        if self.arguments.trace {
            for line in fresh {
                self.screen.log(&line);
            }
        }
        Ok(())
    }

    pub(super) fn check(
        &mut self,
        expected: &str,
        patience: Duration,
        give_up: Instant,
    ) -> Result<(), Failure> {
        self.check_trouble(expected)?;
        if now() >= give_up {
            let instead = format!("nothing of that within {} s", patience.as_secs());
            return Err(self.failure(expected.to_owned(), instead));
        }
        Ok(())
    }

    pub(super) fn check_trouble(&mut self, expected: &str) -> Result<(), Failure> {
        if self.world.facts.interruptions > 0 && self.step != "keep" || self.screen.is_gone() {
            return Err(Failure::Interrupted);
        }
        match self.world.facts.trouble.take() {
            Some(trouble) => Err(self.failure(expected.to_owned(), trouble)),
            None => Ok(()),
        }
    }

    pub(super) fn failure(&mut self, expected: String, instead: String) -> Failure {
        // What the bridge has said last may still be on its way.
        let _ = self.world.turn(&mut self.events, now() + REDRAW);
        let log = self.world.facts.log.iter().cloned().collect();
        Failure::Step { step: self.step, after: now() - self.began, expected, instead, log }
    }

    /// After an interruption: everybody gets the time for a goodbye, unless the interruption is repeated.
    pub(super) fn break_off(&mut self) {
        self.world.facts.is_leaving = true;
        let heard = self.world.facts.interruptions;
        let give_up = now() + BREAK_OFF_LIMIT;
        self.world.stop_bridge();
        while self.world.bridge_pid().is_some()
            && self.world.facts.interruptions == heard
            && now() < give_up
            && self.world.turn(&mut self.events, give_up).is_ok()
        {}
    }
}
