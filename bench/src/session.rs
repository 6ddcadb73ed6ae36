//! Opens a session through a bridge: plays the host's discovery and LCP, and the modem's dialogue and LCP.
//!
//! No more than it takes: every request is answered at once, what is lost is sent again.

use std::time::{Duration, Instant};

use bridge_linux::packet_socket::PacketSocket;
use bridge_linux::pty::PtyPair;
use bridge_sim::hdlc::{self, Decoder, Framing};
use bridge_sim::ppp::packet::{self, ConfigOption, ControlPacket};
use bridge_sim::pppoe::{self, Mac, Packet, Tag};

use crate::Failure;

/// The name of the service that is asked for.
pub(crate) const SERVICE: &str = "bench";

const GIVE_UP: Duration = Duration::from_secs(60);
const ACCM: u8 = 2;
const MAGIC: u8 = 5;

/// Both ends of what is measured, as they are while a session is opened.
pub(crate) struct Opening<'a> {
    pub(crate) discovery: PacketSocket,
    pub(crate) session: &'a mut PacketSocket,
    pub(crate) pty: &'a PtyPair,
    /// The host's address.
    pub(crate) host: Mac,
}

impl Opening<'_> {
    /// Sends PADI until somebody offers; the offer.
    pub(crate) fn find(&mut self) -> Result<Offer, Failure> {
        let wanted = pppoe::emit_tags(&[Tag::new(pppoe::SERVICE_NAME, SERVICE.as_bytes())]);
        let started = Instant::now();
        while started.elapsed() < GIVE_UP {
            // Before anybody listens it is lost; the peer's end may not even be open yet.
            let _ = self.discovery.send(&self.discovery_packet(Mac::BROADCAST, pppoe::PADI, &wanted));
            std::thread::sleep(Duration::from_micros(500));
            if let Some((peer, tags, _)) = self.receive_discovery(pppoe::PADO)? {
                return Ok(Offer { peer, tags });
            }
        }
        Err("nobody has answered PADI".into())
    }

    /// Takes an offer; the session's number.
    pub(crate) fn take(&mut self, offer: &Offer) -> Result<u16, Failure> {
        let is_echoed =
            |tag: &&Tag| matches!(tag.kind, pppoe::SERVICE_NAME | pppoe::AC_COOKIE | pppoe::RELAY_SESSION_ID);
        let mut tags: Vec<Tag> = offer.tags.iter().filter(is_echoed).cloned().collect();
        tags.retain(|tag| tag.kind != pppoe::SERVICE_NAME || tag.value == SERVICE.as_bytes());
        let request = self.discovery_packet(offer.peer, pppoe::PADR, &pppoe::emit_tags(&tags));
        let started = Instant::now();
        let mut asked = None::<Instant>;
        let mut heard = Vec::new();
        while started.elapsed() < GIVE_UP {
            if asked.is_none_or(|asked| asked.elapsed() > Duration::from_secs(1)) {
                self.discovery.send(&request)?;
                asked = Some(Instant::now());
            }
            self.answer_dial(&mut heard)?;
            if let Some((_, _, session_id)) = self.receive_discovery(pppoe::PADS)? {
                return if session_id == 0 { Err("PADS refuses the session".into()) } else { Ok(session_id) };
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Err("nobody has answered PADR".into())
    }

    /// Any line of the chat script is answered by CONNECT.
    fn answer_dial(&mut self, heard: &mut Vec<u8>) -> Result<(), Failure> {
        let mut buffer = [0; 256];
        if let Ok(read) = self.pty.read(&mut buffer) {
            heard.extend_from_slice(&buffer[..read]);
        }
        if heard.ends_with(b"\r") {
            heard.clear();
            self.pty.write(b"\r\nCONNECT\r\n")?;
        }
        Ok(())
    }

    fn discovery_packet(&self, destination: Mac, code: u8, tags: &[u8]) -> Vec<u8> {
        let ethertype = pppoe::ETHERTYPE_DISCOVERY;
        Packet { destination, source: self.host, ethertype, code, session_id: 0, payload: tags }.emit()
    }

    fn receive_discovery(&mut self, code: u8) -> Result<Option<(Mac, Vec<Tag>, u16)>, Failure> {
        let mut buffer = [0; 2048];
        while let Some(received) = self.discovery.receive(&mut buffer)? {
            if let Some(packet) = Packet::parse(&buffer[..received.len])
                && packet.code == code
            {
                return Ok(Some((packet.source, packet.tags().unwrap_or_default(), packet.session_id)));
            }
        }
        Ok(None)
    }

    /// Opens LCP so that the octets of `accm` are escaped both ways.
    pub(crate) fn negotiate(
        &mut self,
        peer: Mac,
        session_id: u16,
        accm: u32,
        host_asks: bool,
    ) -> Result<(), Failure> {
        let mut ends = Ends { decoder: Decoder::lax(), host_is_acked: false, modem_is_acked: false };
        let magic = |value| ConfigOption::new(MAGIC, &[0, 0, 0, value]);
        let map = (accm != hdlc::DEFAULT_ACCM).then(|| ConfigOption::new(ACCM, &accm.to_be_bytes()));
        let modem_asks: Vec<_> = map.clone().into_iter().chain([magic(1)]).collect();
        let host_asks: Vec<_> = map.clone().filter(|_| host_asks).into_iter().chain([magic(2)]).collect();
        let started = Instant::now();
        let mut asked = None::<Instant>;
        while !(ends.host_is_acked && ends.modem_is_acked) {
            if started.elapsed() > GIVE_UP {
                return Err("LCP does not open".into());
            }
            if asked.is_none_or(|asked| asked.elapsed() > Duration::from_secs(1)) {
                self.to_bridge(peer, session_id, &request(&host_asks))?;
                self.pty.write(&hdlc::encode(&request(&modem_asks), Framing::DEFAULT))?;
                asked = Some(Instant::now());
            }
            self.play_host(&mut ends, peer, session_id)?;
            self.play_modem(&mut ends, map.is_none())?;
            std::thread::sleep(Duration::from_micros(200));
        }
        // What was still on its way when both had what they wanted.
        std::thread::sleep(Duration::from_millis(20));
        self.play_host(&mut ends, peer, session_id)?;
        self.play_modem(&mut ends, map.is_none())
    }

    fn play_host(&mut self, ends: &mut Ends, peer: Mac, session_id: u16) -> Result<(), Failure> {
        let mut buffer = [0; 2048];
        while let Some(received) = self.session.receive(&mut buffer)? {
            let Some(frame) = Packet::parse(&buffer[..received.len]) else { continue };
            let Some((packet::LCP, lcp)) = packet::split_protocol(frame.payload) else { continue };
            let Some(lcp) = ControlPacket::parse(lcp) else { continue };
            match lcp.code {
                packet::CONFIGURE_REQUEST => {
                    self.to_bridge(peer, session_id, &answer(packet::CONFIGURE_ACK, &lcp, lcp.data))?;
                }
                packet::CONFIGURE_ACK => ends.host_is_acked = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn play_modem(&mut self, ends: &mut Ends, rejects_map: bool) -> Result<(), Failure> {
        let mut buffer = [0; 2048];
        let Ok(read) = self.pty.read(&mut buffer) else { return Ok(()) };
        for octet in &buffer[..read] {
            let Some(Ok(frame)) = ends.decoder.push(*octet) else { continue };
            let Some((packet::LCP, lcp)) = packet::split_protocol(&frame) else { continue };
            let Some(lcp) = ControlPacket::parse(lcp) else { continue };
            match lcp.code {
                packet::CONFIGURE_REQUEST => {
                    let mut options = ConfigOption::parse_all(lcp.data).unwrap_or_default();
                    options.retain(|option| option.kind == ACCM && rejects_map);
                    let answer = match options.is_empty() {
                        true => answer(packet::CONFIGURE_ACK, &lcp, lcp.data),
                        false => answer(packet::CONFIGURE_REJECT, &lcp, &ConfigOption::emit_all(&options)),
                    };
                    self.pty.write(&hdlc::encode(&answer, Framing::DEFAULT))?;
                }
                packet::CONFIGURE_ACK => ends.modem_is_acked = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn to_bridge(&self, peer: Mac, session_id: u16, ppp: &[u8]) -> Result<(), Failure> {
        let ethertype = pppoe::ETHERTYPE_SESSION;
        let frame =
            Packet { destination: peer, source: self.host, ethertype, code: 0, session_id, payload: ppp };
        self.session.send(&frame.emit())?;
        Ok(())
    }
}

/// Who offers a service, and the tags of the offer.
pub(crate) struct Offer {
    pub(crate) peer: Mac,
    tags: Vec<Tag>,
}

struct Ends {
    decoder: Decoder,
    host_is_acked: bool,
    modem_is_acked: bool,
}

fn request(options: &[ConfigOption]) -> Vec<u8> {
    let data = ConfigOption::emit_all(options);
    packet::frame(
        packet::LCP,
        &ControlPacket { code: packet::CONFIGURE_REQUEST, identifier: 1, data: &data }.emit(),
    )
}

fn answer(code: u8, to: &ControlPacket<'_>, data: &[u8]) -> Vec<u8> {
    packet::frame(packet::LCP, &ControlPacket { code, identifier: to.identifier, data }.emit())
}
