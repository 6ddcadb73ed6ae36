//! What a [`Bridge`](super::Bridge) is told once, before anything happens.

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
#[derive(Clone, Debug)]
pub struct BridgeConfig {
    /// The AC-Name of every offer.
    pub ac_name: AcName,
    /// What hosts are told, and forgiven.
    pub discovery: DiscoveryPolicy,
    /// How many interfaces there are; [`InterfaceId`](crate::id::InterfaceId) counts them.
    pub interfaces: u16,
    /// What is offered, the default first.
    pub services: Vec<ServiceConfig>,
    /// The modems; [`ModemId`] counts them.
    pub modems: Vec<ModemConfig>,
}

/// One service.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Its Service-Name.
    pub name: ServiceName,
    /// The modems that may serve it, the first free one first.
    pub modems: Vec<ModemId>,
}

/// One modem.
#[derive(Clone, Debug)]
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
    /// A script for hanging up, after DTR was low: for modems that do not look at DTR.
    pub hang_up: Option<Arc<Script>>,
    /// What is done about it when it does not answer.
    pub rescue: RescueConfig,
    /// It never answers LCP Echo-Requests, so the bridge does.
    pub is_deaf: bool,
}

/// How a modem is connected.
#[derive(Clone, Debug)]
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
