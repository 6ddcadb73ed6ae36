//! Which session's frames go where: (interface, peer, `SESSION_ID`) to modem and back.

use crate::id::{InterfaceId, ModemId};
use crate::wire::discovery::SessionId;
use crate::wire::ethernet::MacAddr;
use crate::wire::session::SessionHeader;
use alloc::vec::Vec;

/// The way of one session's frames, both ways.
#[derive(Clone, Debug)]
pub struct Route {
    /// The interface on which the peer is.
    pub interface: InterfaceId,
    /// The host's address.
    pub peer: MacAddr,
    /// Our address on that interface.
    pub local: MacAddr,
    /// The session's number, unlike that of any other session on any interface.
    pub session_id: SessionId,
    /// The modem on the other side.
    pub modem: ModemId,
    /// Largest information field that the Ethernet carries, in octets: 1492, or more by RFC 4638.
    pub max_information: u16,
    /// Whether the modem is connected, so that frames may pass.
    pub connected: bool,
    header: SessionHeader,
}

impl Route {
    /// A route whose modem is not connected yet.
    #[must_use]
    pub fn new(
        interface: InterfaceId,
        peer: MacAddr,
        local: MacAddr,
        session_id: SessionId,
        modem: ModemId,
        max_information: u16,
    ) -> Self {
        let header = SessionHeader::new(local, peer, session_id);
        Self { interface, peer, local, session_id, modem, max_information, connected: false, header }
    }

    /// Ethernet and PPPoE header of every frame to the host.
    #[must_use]
    pub const fn header(&self) -> &SessionHeader {
        &self.header
    }

    /// Longest PPP frame to the host: protocol field and information, in octets.
    #[must_use]
    pub const fn largest_payload(&self) -> u16 {
        self.max_information.saturating_add(2)
    }
}

/// All routes. Looked up per frame, changed only by the control plane's outputs.
#[derive(Clone, Debug, Default)]
pub struct SessionTable {
    /// Sorted by session id.
    routes: Vec<Route>,
    /// Session id by modem number; a modem has one session at most.
    by_modem: Vec<Option<u16>>,
}

impl SessionTable {
    /// No routes.
    #[must_use]
    pub const fn new() -> Self {
        Self { routes: Vec::new(), by_modem: Vec::new() }
    }

    /// Adds a route, or replaces that of the same session. A session that the modem had before is gone.
    pub fn install(&mut self, route: Route) {
        self.remove(route.modem);
        let (id, modem) = (route.session_id.get(), usize::from(route.modem.0));
        match self.position(id) {
            Ok(at) => {
                if let Some(old) = self.routes.get_mut(at) {
                    *old = route;
                }
            }
            Err(at) => self.routes.insert(at, route),
        }
        if self.by_modem.len() <= modem {
            self.by_modem.resize(modem + 1, None);
        }
        if let Some(slot) = self.by_modem.get_mut(modem) {
            *slot = Some(id);
        }
    }

    /// Removes the route of `modem`, if it has one.
    pub fn remove(&mut self, modem: ModemId) -> Option<Route> {
        let id = self.by_modem.get_mut(usize::from(modem.0))?.take()?;
        self.position(id).ok().map(|at| self.routes.remove(at))
    }

    /// The route of the session numbered `id`, whoever asks.
    #[must_use]
    pub fn by_session(&self, id: u16) -> Option<&Route> {
        self.position(id).ok().and_then(|at| self.routes.get(at))
    }

    /// The route of the session that `modem` serves.
    #[must_use]
    pub fn by_modem(&self, modem: ModemId) -> Option<&Route> {
        let id = (*self.by_modem.get(usize::from(modem.0))?)?;
        self.by_session(id)
    }

    /// All routes, in the order of their session ids.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    fn position(&self, id: u16) -> Result<usize, usize> {
        self.routes.binary_search_by_key(&id, |route| route.session_id.get())
    }
}
