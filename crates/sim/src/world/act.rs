//! What the author of a story can do to the world.

use std::time::Duration;

use bridge_proto::bridge::{Bridge, Input};
use bridge_proto::forward::SessionTable;
use bridge_proto::wire::ethernet::MacAddr;

use super::config::modem_id;
use super::{INTERFACE, STRANGER, Timer, What, Who, World, new_laws, seed};
use crate::pppoe::Mac;
use crate::segment::SegmentFaults;

impl World {
    fn act(&mut self, words: impl Into<String>) {
        self.note(Who::Author, What::Act(words.into()));
    }

    // --- Hosts ------------------------------------------------------------------------------------------

    /// A host begins to look for an access concentrator.
    pub fn start(&mut self, host: usize) {
        self.act(format!("host {host} starts"));
        self.hosts[host].start(self.now);
        self.settle();
    }

    /// A host ends politely.
    pub fn stop(&mut self, host: usize) {
        self.act(format!("host {host} stops"));
        self.hosts[host].stop(self.now);
        self.settle();
    }

    /// A host is switched off: it says nothing and forgets everything.
    pub fn vanish(&mut self, host: usize) {
        self.act(format!("host {host} is switched off"));
        self.hosts[host].vanish();
        self.settle();
    }

    /// A host pings its far end; gives the ping's number, or nothing while IPv4 is down.
    pub fn ping(&mut self, host: usize, octets: usize) -> Option<u16> {
        let sequence = self.hosts[host].ping(self.now, octets);
        self.settle();
        sequence
    }

    /// A host sends so many octets to its far end; false while IPv4 is down.
    pub fn transfer(&mut self, host: usize, octets: u64) -> bool {
        let has_started = self.hosts[host].start_transfer(self.now, octets, 8);
        self.settle();
        has_started
    }

    // --- The wire ---------------------------------------------------------------------------------------

    /// The Ethernet treats frames differently from now on.
    pub fn set_faults(&mut self, faults: SegmentFaults) {
        self.act(format!("the wire becomes {faults:?}"));
        self.segment.set_faults(faults);
    }

    /// A good wire again.
    pub fn mend(&mut self) {
        self.set_faults(SegmentFaults { delay: Duration::from_millis(1), ..SegmentFaults::default() });
    }

    /// What is under way on the wire is lost.
    pub fn lose_under_way(&mut self) {
        self.act("what is on the wire is lost");
        self.segment.lose_under_way();
    }

    /// A stranger puts a frame of the author's on the wire, whatever addresses it bears.
    pub fn inject(&mut self, frame: &[u8]) {
        self.segment.send(self.now, STRANGER, frame);
        self.settle();
    }

    /// The bridge's interface goes down.
    pub fn interface_down(&mut self) {
        self.act("the interface goes down");
        self.laws.interface_down();
        self.input(Input::InterfaceDown { interface: INTERFACE });
        if let Some(address) = self.address.take() {
            self.segment.detach(address);
        }
        self.settle();
    }

    /// The bridge's interface comes up, or has another address from now on.
    pub fn interface_up(&mut self, address: Mac) {
        self.act(format!("the interface is up as {address}"));
        if self.address.is_some_and(|before| before != address) {
            self.laws.interface_down();
        }
        self.segment.attach(address);
        self.input(Input::InterfaceUp { interface: INTERFACE, mac: MacAddr(address.0), mtu: self.mtu });
        if let Some(before) = self.address.replace(address).filter(|before| *before != address) {
            // The last frames from the old address are still under way.
            self.settle();
            self.segment.detach(before);
        }
        self.settle();
    }

    /// The bridge's interface carries so many octets a frame from now on.
    pub fn set_mtu(&mut self, mtu: u16) {
        self.act(format!("the interface's MTU is {mtu}"));
        self.mtu = mtu;
        if let Some(address) = self.address {
            self.input(Input::InterfaceUp { interface: INTERFACE, mac: MacAddr(address.0), mtu });
        }
        self.settle();
    }

    // --- Modems -----------------------------------------------------------------------------------------

    /// A modem is pulled out. The bridge learns of it from the tty, if that is open.
    pub fn unplug(&mut self, modem: usize) {
        self.act(format!("modem {modem} is unplugged"));
        self.cables[modem].unplug();
        self.laws.lost(modem);
        if self.cables[modem].is_open {
            self.tty_failed(modem, "cannot read: input/output error");
        }
        self.settle();
    }

    /// The bridge is told that a modem's device is gone, tty open or not.
    pub fn unplug_loudly(&mut self, modem: usize) {
        self.act(format!("modem {modem} is unplugged, and the system says so"));
        self.cables[modem].unplug();
        self.laws.lost(modem);
        self.input(Input::ModemVanished { modem: modem_id(modem) });
        self.look_for_modem(modem);
        self.settle();
    }

    /// A modem is put in again. The bridge finds it when it next looks.
    pub fn plug(&mut self, modem: usize) {
        self.act(format!("modem {modem} is plugged in"));
        let seed = self.prng.next_u64();
        self.cables[modem].plug(seed);
    }

    /// The network ends a modem's call.
    pub fn hang_up(&mut self, modem: usize) {
        self.act(format!("the network ends the call of modem {modem}"));
        self.cables[modem].modem.hang_up(self.now);
        self.settle();
    }

    /// A modem's far end terminates its link.
    pub fn terminate(&mut self, modem: usize) {
        self.act(format!("the far end of modem {modem} terminates"));
        self.cables[modem].modem.terminate(self.now);
        self.settle();
    }

    /// A modem's far end pings; gives the ping's number, or nothing while IPv4 is down.
    pub fn ping_from_modem(&mut self, modem: usize, octets: usize) -> Option<u16> {
        let sequence = self.cables[modem].modem.ping(self.now, octets);
        self.settle();
        sequence
    }

    /// Reading a modem's open tty fails, though the modem is still there.
    pub fn fail_tty(&mut self, modem: usize) {
        self.act(format!("the tty of modem {modem} fails"));
        self.tty_failed(modem, "cannot read: input/output error");
        self.settle();
    }

    /// These octets come out of the serial line, as if the modem had said them.
    pub fn say_as_modem(&mut self, modem: usize, octets: &[u8]) {
        if self.cables[modem].is_plugged {
            self.hear(modem, octets);
        }
        self.settle();
    }

    /// A modem's device takes so long to open, from now on.
    pub fn open_takes(&mut self, modem: usize, time: Duration) {
        self.open_times.resize(self.cables.len(), Duration::ZERO);
        self.open_times[modem] = time;
    }

    /// The bridge is told this, whatever it is, as the event loop would tell it.
    pub fn tell(&mut self, input: Input<'_>) {
        self.act(format!("the bridge is told {input:?}"));
        self.input(input);
        self.settle();
    }

    // --- The bridge -------------------------------------------------------------------------------------

    /// The bridge is told to end.
    pub fn shut_down(&mut self) {
        self.act("SIGTERM");
        self.laws.shutdown(self.now);
        self.input(Input::Shutdown);
        self.settle();
    }

    /// The bridge is killed, and another started: it knows nothing of what was.
    pub fn restart_bridge(&mut self) {
        self.act("the bridge is killed and started again");
        for cable in &mut self.cables {
            cable.close(self.now);
        }
        self.timers.retain(|(_, timer)| !matches!(timer, Timer::ModemOpened(_)));
        self.table = SessionTable::new();
        self.bridge = Bridge::new(self.config.bridge(), seed(&mut self.prng));
        self.laws = new_laws(&self.config);
        self.introduce();
    }
}
