//! What a [`Bridge`](super::Bridge) is told once, before anything happens.

use super::access::Access;
use super::limits::Limits;
use super::offers::OfferDelay;
use super::pool::{BusyPolicy, PoolPolicy};
use super::rescue::RescueConfig;
use super::watch::WatchConfig;
use crate::chat::{ConversationOptions, Script};
use crate::discovery::{AcName, DiscoveryPolicy, ServiceName};
use crate::id::ModemId;
use crate::lcp::MediatorConfig;
use crate::modem::{BackoffConfig, BudgetConfig};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// The whole policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeConfig {
    /// What hosts are told, and forgiven.
    pub discovery: DiscoveryPolicy,
    /// How much is enough.
    pub limits: Limits,
    /// The interfaces; [`InterfaceId`](crate::id::InterfaceId) counts them.
    pub interfaces: Vec<InterfaceConfig>,
    /// The services; the interfaces say where they are offered.
    pub services: Vec<ServiceConfig>,
    /// The modems; [`ModemId`] counts them.
    pub modems: Vec<ModemConfig>,
}

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceConfig {
    /// The AC-Name of the offers there.
    pub ac_name: AcName,
    /// What is offered there, as indices into the services, the default first.
    pub services: Vec<usize>,
    /// Who may come there.
    pub access: Access,
    /// Sessions there at once.
    pub sessions: usize,
}

impl InterfaceConfig {
    /// An interface where these services are offered to everybody.
    #[must_use]
    pub const fn new(ac_name: AcName, services: Vec<usize>) -> Self {
        let access = Access { allow: Vec::new(), deny: Vec::new() };
        Self { ac_name, services, access, sessions: usize::MAX }
    }
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Its Service-Name.
    pub name: ServiceName,
    /// The modems that may serve it.
    pub modems: Vec<ModemId>,
    /// In which order they are tried.
    pub pool: PoolPolicy,
    /// What is done when all are in use.
    pub when_busy: BusyPolicy,
    /// Who may have it.
    pub access: Access,
    /// Sessions at once.
    pub sessions: usize,
    /// How long offers are held back.
    pub delay: OfferDelay,
}

impl ServiceConfig {
    /// A service for everybody, offered at once, of the first free of these modems.
    #[must_use]
    pub const fn new(name: ServiceName, modems: Vec<ModemId>) -> Self {
        Self {
            name,
            modems,
            pool: PoolPolicy::FirstFree,
            when_busy: BusyPolicy::Refuse,
            access: Access { allow: Vec::new(), deny: Vec::new() },
            sessions: usize::MAX,
            delay: OfferDelay { fixed: Duration::ZERO, per_session: Duration::ZERO },
        }
    }
}

/// One modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModemConfig {
    /// How it is connected.
    pub dial: DialMethod,
    /// What is done to LCP on its way.
    pub mediator: MediatorConfig,
    /// Rest after failed dials.
    pub backoff: BackoffConfig,
    /// Times of a call.
    pub timing: CallTiming,
    /// What ends a session that nobody ends.
    pub watch: WatchConfig,
    /// What it may cost.
    pub budget: BudgetConfig,
    /// A script for hanging up, after DTR was low, and how it is held: for modems that do not look at DTR.
    pub hang_up: Option<(Arc<Script>, ConversationOptions)>,
    /// What is done about it when it does not answer.
    pub rescue: RescueConfig,
    /// It never answers LCP Echo-Requests, so the bridge does.
    pub is_deaf: bool,
}

/// How a modem is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialMethod {
    /// By a chat(8) script.
    Script(Arc<Script>, ConversationOptions),
    /// By an external program on the tty, which must end within this time.
    Command(Duration),
}

/// Times of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallTiming {
    /// A request is answered this long after its first packet even if the modem is still dialing.
    pub answer_by: Duration,
    /// A connected modem waits this long for its host before it hangs up.
    pub warm: Duration,
    /// DTR stays low this long at hang-up.
    pub on_hook: Duration,
    /// RFC 1661 §4.6: what the restart timer is at both ends, and so how long a goodbye may take.
    pub restart: Duration,
}

impl Default for CallTiming {
    /// PADS after 4 s at the latest, warm for 30 s, DTR low for 1 s, a restart timer of 3 s.
    fn default() -> Self {
        Self {
            answer_by: Duration::from_secs(4),
            warm: Duration::from_secs(30),
            on_hook: Duration::from_secs(1),
            restart: Duration::from_secs(3),
        }
    }
}
