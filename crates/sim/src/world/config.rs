//! What a [`World`](super::World) is made of.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bridge_proto::bridge::{
    self, BridgeConfig, CallTiming, DialMethod, InterfaceConfig, Limits, RescueConfig, ServiceConfig,
    WatchConfig,
};
use bridge_proto::chat::{ConversationOptions, Script};
use bridge_proto::discovery::{AcName, DiscoveryPolicy, ServiceName};
use bridge_proto::id::ModemId;
use bridge_proto::lcp::MediatorConfig;
use bridge_proto::modem::{BackoffConfig, BudgetConfig};

use crate::host::HostConfig;
use crate::host::profile::{ClientProfile, PPPD};
use crate::modem::ModemConfig;
use crate::modem::profile::{HUAWEI, ModemProfile};
use crate::pppoe::Mac;
use crate::segment::SegmentFaults;

/// The chat script of every modem that has no other.
pub const DIAL_SCRIPT: &str = "ABORT BUSY ABORT 'NO CARRIER' ABORT 'NO DIALTONE' ABORT ERROR \
    TIMEOUT 5 '' ATZ OK ATE0 TIMEOUT 90 OK ATD*99# CONNECT \\c";

/// Who is there, and how the wire treats them.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// All chance comes from this.
    pub seed: u64,
    /// How the Ethernet treats frames.
    pub faults: SegmentFaults,
    /// The modems; all are plugged in.
    pub modems: Vec<ModemSetup>,
    /// The hosts; none has begun yet.
    pub hosts: Vec<HostConfig>,
    /// The services, each with the modems that serve it.
    pub services: Vec<(String, Vec<usize>)>,
}

/// A modem as it is, and as the bridge is told it is.
#[derive(Clone, Debug)]
pub struct ModemSetup {
    /// As it is.
    pub modem: ModemConfig,
    /// What the bridge is told.
    pub bridge: bridge::ModemConfig,
}

impl ModemSetup {
    /// The modem numbered `number` of this kind, dialled by [`DIAL_SCRIPT`].
    #[must_use]
    pub fn new(profile: &ModemProfile, number: usize) -> Self {
        let network = u8::try_from(number).expect("fewer than 256 modems");
        let far_end = |last| Ipv4Addr::new(10, 0, network, last);
        let script = Script::parse(DIAL_SCRIPT.as_bytes()).expect("the script is right");
        Self {
            modem: ModemConfig::new(profile, far_end(1), far_end(2)),
            bridge: bridge::ModemConfig {
                dial: DialMethod::Script(Arc::new(script), ConversationOptions::default()),
                mediator: MediatorConfig::default(),
                backoff: BackoffConfig::default(),
                timing: CallTiming::default(),
                watch: WatchConfig::default(),
                budget: BudgetConfig::default(),
                hang_up: None,
                rescue: RescueConfig::default(),
                is_deaf: false,
            },
        }
    }

    /// Dialled by a program instead, which may take so long.
    #[must_use]
    pub fn with_command(mut self, limit: Duration) -> Self {
        self.bridge.dial = DialMethod::Command(limit);
        self
    }

    /// Whose dial takes so long.
    #[must_use]
    pub fn dial_time(mut self, seconds: u64) -> Self {
        self.modem.dial_time = Duration::from_secs(seconds);
        self
    }
}

impl WorldConfig {
    /// One host and one modem at one service.
    #[must_use]
    pub fn pair(client: ClientProfile, modem: ModemSetup) -> Self {
        Self::crowd(1, &[client], vec![modem])
    }

    /// These hosts, and these modems at one service.
    #[must_use]
    pub fn crowd(seed: u64, clients: &[ClientProfile], modems: Vec<ModemSetup>) -> Self {
        let hosts =
            clients.iter().zip(0..).map(|(client, number)| HostConfig::new(host_mac(number), *client));
        Self {
            seed,
            faults: SegmentFaults { delay: Duration::from_millis(1), ..SegmentFaults::default() },
            services: vec![("internet".to_owned(), (0..modems.len()).collect())],
            modems,
            hosts: hosts.collect(),
        }
    }

    /// What the bridge is told.
    #[must_use]
    pub fn bridge(&self) -> BridgeConfig {
        let service = |(name, modems): &(String, Vec<usize>)| {
            let name = ServiceName::parse(name.as_bytes()).expect("a short name");
            ServiceConfig::new(name, modems.iter().map(|modem| modem_id(*modem)).collect())
        };
        let ac_name = AcName::parse("bridge").expect("a short name");
        BridgeConfig {
            discovery: DiscoveryPolicy::default(),
            limits: Limits::default(),
            interfaces: vec![InterfaceConfig::new(ac_name, (0..self.services.len()).collect())],
            services: self.services.iter().map(service).collect(),
            modems: self.modems.iter().map(|setup| setup.bridge.clone()).collect(),
        }
    }
}

impl Default for WorldConfig {
    /// A host with pppd and a Huawei stick, on a good wire.
    fn default() -> Self {
        Self::pair(PPPD, ModemSetup::new(&HUAWEI, 0))
    }
}

/// The address of the host numbered `number`.
#[must_use]
pub const fn host_mac(number: u8) -> Mac {
    Mac([2, 0, 0, 0, 1, number])
}

pub(super) fn modem_id(number: usize) -> ModemId {
    ModemId(u16::try_from(number).expect("fewer than 65,536 modems"))
}
