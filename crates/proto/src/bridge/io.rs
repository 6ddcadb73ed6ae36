//! What goes into the [`Bridge`](super::Bridge) and what comes out.

use super::reconfigure::Reconfiguration;
use super::watch::Traffic;
use crate::event::{Event, OpenFailure};
use crate::forward::Route;
use crate::id::{InterfaceId, ModemId};
use crate::lcp::LineParameters;
use crate::wire::discovery::SessionId;
use crate::wire::ethernet::MacAddr;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// Something happened outside.
#[derive(Debug)]
pub enum Input<'a> {
    /// A frame with ethertype 0x8863 arrived.
    Discovery {
        /// Where.
        interface: InterfaceId,
        /// From the destination address on.
        frame: &'a [u8],
    },
    /// A host sent a session frame for a session that nobody has.
    StraySession {
        /// Where.
        interface: InterfaceId,
        /// Who sent it.
        source: MacAddr,
        /// The number it named.
        session_id: u16,
    },
    /// The host of this modem's session sent LCP.
    HostLcp {
        /// The modem.
        modem: ModemId,
        /// From the protocol field on.
        ppp: &'a [u8],
    },
    /// This modem's far end sent LCP.
    ModemLcp {
        /// The modem.
        modem: ModemId,
        /// From the protocol field on.
        ppp: &'a [u8],
    },
    /// An interface is there and up, with this address and MTU; also when any of them changed.
    InterfaceUp {
        /// Which.
        interface: InterfaceId,
        /// Its address.
        mac: MacAddr,
        /// Its MTU in octets.
        mtu: u16,
    },
    /// An interface is down or gone.
    InterfaceDown {
        /// Which.
        interface: InterfaceId,
    },
    /// A modem's device is there.
    ModemAppeared {
        /// Which.
        modem: ModemId,
    },
    /// A modem's device is gone.
    ModemVanished {
        /// Which.
        modem: ModemId,
    },
    /// [`Output::OpenModem`] was carried out; stale octets are drained.
    ModemOpened {
        /// Which.
        modem: ModemId,
    },
    /// [`Output::OpenModem`] could not be carried out.
    ModemOpenFailed {
        /// Which.
        modem: ModemId,
        /// What to tell people.
        why: OpenFailure,
    },
    /// Octets arrived from a modem that is not framing yet.
    ModemOctets {
        /// Which.
        modem: ModemId,
        /// What it said.
        octets: &'a [u8],
    },
    /// The octets of [`Output::ReadFile`].
    FileContents {
        /// Which modem's script asked.
        modem: ModemId,
        /// The file's octets, or why there are none.
        contents: Result<Vec<u8>, String>,
    },
    /// The external program of [`Output::RunCommand`] ended well.
    CommandSucceeded {
        /// Which modem it was for.
        modem: ModemId,
    },
    /// The external program of [`Output::RunCommand`] failed, or could not be started.
    CommandFailed {
        /// Which modem it was for.
        modem: ModemId,
        /// What to tell people.
        why: String,
    },
    /// The answer to [`Output::ReadTraffic`].
    Traffic {
        /// Whose session.
        modem: ModemId,
        /// Since the session was installed.
        traffic: Traffic,
    },
    /// The modem said NO CARRIER between frames.
    NoCarrier {
        /// Which.
        modem: ModemId,
    },
    /// The carrier detect line dropped.
    CarrierLost {
        /// Which.
        modem: ModemId,
    },
    /// Reading or writing failed, or the tty was hung up.
    ModemFailed {
        /// Which.
        modem: ModemId,
        /// What to tell people.
        why: String,
    },
    /// An operator wants this session to end.
    Disconnect {
        /// Which; nothing happens if there is none.
        session_id: SessionId,
    },
    /// An operator wants no new calls; those under way go on.
    Drain {
        /// Index of the service; all of them without one.
        service: Option<usize>,
    },
    /// An operator wants new calls again.
    Resume {
        /// Index of the service; all of them without one.
        service: Option<usize>,
    },
    /// An operator wants something else than before.
    Reconfigure(Box<Reconfiguration>),
    /// End every session and every call, then report [`Bridge::is_finished`](super::Bridge::is_finished).
    Shutdown,
}

/// What an external program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModemCommand {
    /// To dial.
    Connect,
    /// To bring the modem back to life.
    Rescue,
}

/// Something is to be done outside, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Put this Ethernet frame (ethertype 0x8863) on an interface.
    SendDiscovery {
        /// Where.
        interface: InterfaceId,
        /// From the destination address on, without padding.
        frame: Vec<u8>,
    },
    /// Open a modem's device and drain it; answer with [`Input::ModemOpened`] or
    /// [`Input::ModemOpenFailed`].
    OpenModem(ModemId),
    /// Write these octets as they are.
    WriteModem {
        /// Where.
        modem: ModemId,
        /// What.
        octets: Vec<u8>,
    },
    /// Send a break.
    SendBreak(ModemId),
    /// A script wants to send a file: answer with [`Input::FileContents`].
    ReadFile {
        /// Which modem's script.
        modem: ModemId,
        /// The file's name as the script has it.
        name: Vec<u8>,
    },
    /// Start an external program on the modem's tty.
    RunCommand {
        /// Which modem.
        modem: ModemId,
        /// Which program.
        command: ModemCommand,
    },
    /// End the modem's external program, if it still runs.
    StopCommand(ModemId),
    /// From now on the modem's octets are frames. These came first.
    StartFraming {
        /// Which.
        modem: ModemId,
        /// What the modem had said behind its CONNECT.
        octets: Vec<u8>,
    },
    /// How frames look on the serial line from now on.
    SetLine {
        /// Which.
        modem: ModemId,
        /// From now on.
        line: LineParameters,
    },
    /// Forward the frames of this session, or replace what was known of it. Where it is another than the modem had
    /// before, what still waits of that one is to be forgotten.
    InstallSession(Route),
    /// Forward no more frames of this modem's session.
    RemoveSession(ModemId),
    /// Send this PPP frame to a modem, behind what was sent before.
    SendToModem {
        /// Where.
        modem: ModemId,
        /// From the protocol field on.
        ppp: Vec<u8>,
    },
    /// Send this PPP frame to the host of this modem's session.
    SendToHost {
        /// Whose.
        modem: ModemId,
        /// From the protocol field on.
        ppp: Vec<u8>,
    },
    /// Take a modem off the line: drop DTR. What was not yet written is thrown away.
    HangUpModem(ModemId),
    /// Raise DTR again after a hang-up.
    RaiseDtr(ModemId),
    /// Say what passed: answer with [`Input::Traffic`].
    ReadTraffic(ModemId),
    /// Close a modem's device.
    CloseModem(ModemId),
    /// For the log and the counters.
    Event(Event),
}
