//! The words of the control socket: JSON objects, one a line, a response for each request.
//!
//! `docs/control-protocol.md` describes them for those who write clients. What is there stays; fields may be
//! added, readers ignore those that they do not know, and do without those that an older bridge does not have.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a client may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Say what goes on.
    Status {},
    /// End a session.
    Disconnect {
        /// Its number.
        session: u16,
    },
    /// Take no new calls; those under way go on.
    Drain {
        /// For this service; for all of them without it.
        service: Option<String>,
    },
    /// Take new calls again.
    Resume {
        /// For this service; for all of them without it.
        service: Option<String>,
    },
}

/// What a client is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Response {
    /// What goes on.
    Status(Box<Status>),
    /// The command was obeyed; this is what was done.
    Done(String),
    /// It was not, for this reason.
    Error(String),
}

/// What goes on, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    /// The program's version.
    pub(crate) version: String,
    pub(crate) uptime_seconds: u64,
    pub(crate) configuration: ConfigurationStatus,
    pub(crate) interfaces: Vec<InterfaceStatus>,
    pub(crate) services: Vec<ServiceStatus>,
    pub(crate) modems: Vec<ModemStatus>,
    pub(crate) sessions: Vec<SessionStatus>,
    /// How many frames and packets were dropped for each reason there is.
    pub(crate) discards: BTreeMap<String, u64>,
    /// What somebody should look at, the newest first.
    pub(crate) problems: Vec<Problem>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ConfigurationStatus {
    /// Since the one that is at work was read.
    pub(crate) loaded_seconds_ago: u64,
    /// Since a newer one was refused, if the last one was.
    pub(crate) refused_seconds_ago: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct InterfaceStatus {
    pub(crate) name: String,
    /// Absent while the interface is.
    pub(crate) mac: Option<String>,
    pub(crate) mtu: Option<u32>,
    pub(crate) up: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ServiceStatus {
    pub(crate) name: String,
    /// Their devices.
    pub(crate) modems: Vec<String>,
    /// What the operator calls them.
    pub(crate) modem_names: Vec<String>,
    /// How many of them could be dialled now.
    pub(crate) free_modems: usize,
    /// How many it has.
    pub(crate) sessions: usize,
    /// How many it may have, where that is less than it has modems.
    pub(crate) session_limit: Option<usize>,
    /// Where it is offered: the interfaces that are up.
    pub(crate) interfaces: Vec<String>,
    /// It takes no new calls.
    pub(crate) drained: bool,
    /// `offered`, or why not: `drained`, `busy`, `backing off`, `budget spent`, `no modem`, `no interface`, `limit
    /// reached` or `ending`.
    pub(crate) state: String,
    /// Why it is backing off, which budget is spent, which limit is reached, or what is the matter with its
    /// interfaces.
    pub(crate) reason: Option<String>,
    /// How long until it may be offered again.
    pub(crate) wait_seconds: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ModemStatus {
    /// What the operator calls it.
    pub(crate) name: String,
    pub(crate) device: String,
    /// `absent`, `idle`, `opening`, `dialing`, `online`, `terminating`, `hanging up` or `backing off`.
    pub(crate) state: String,
    /// Why it is in this state, where that does not go without saying.
    pub(crate) reason: Option<String>,
    /// How long until it may be dialled again.
    pub(crate) wait_seconds: Option<u64>,
    /// Dials that failed since the last one that did not.
    pub(crate) failures: u32,
    /// Whose call it carries: an address, and where that is.
    pub(crate) peer: Option<String>,
    pub(crate) interface: Option<String>,
    /// Since the call was begun.
    pub(crate) call_seconds: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SessionStatus {
    pub(crate) session: u16,
    pub(crate) peer: String,
    pub(crate) interface: String,
    pub(crate) service: String,
    /// The modem's device.
    pub(crate) modem: String,
    /// What the operator calls it.
    pub(crate) modem_name: String,
    /// `dialing`, `negotiating`, `open` or `ending`.
    pub(crate) state: String,
    /// Since its PADS.
    pub(crate) seconds: u64,
    pub(crate) host_to_modem: FlowStatus,
    pub(crate) modem_to_host: FlowStatus,
}

/// One direction of a session; data frames only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FlowStatus {
    pub(crate) frames: u64,
    /// Of PPP frames, the protocol field included.
    pub(crate) octets: u64,
    /// Over some seconds; absent while that is not yet known.
    pub(crate) bits_per_second: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) seconds_ago: u64,
    pub(crate) text: String,
    /// How often, as far back as is remembered.
    pub(crate) times: u64,
}

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    /// What to tell whoever sent it.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, String> {
        // To serde a list of the values would do.
        if line.trim_ascii_start().first() != Some(&b'{') {
            return Err("not a request: no JSON object".into());
        }
        serde_json::from_slice(line).map_err(|error| format!("not a request: {error}"))
    }
}

/// One line, its end included.
pub(crate) fn line(message: &impl Serialize) -> Vec<u8> {
    // Strings, numbers and lists of them: there is nothing in these types that JSON has not.
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(message: &impl Serialize) -> String {
        String::from_utf8(line(message)).unwrap()
    }

    #[test]
    fn requests_are_what_the_document_says() {
        let some = Some("lte".to_owned());
        for (request, written) in [
            (Request::Status {}, r#"{"command":"status"}"#),
            (Request::Disconnect { session: 7 }, r#"{"command":"disconnect","session":7}"#),
            (Request::Drain { service: some.clone() }, r#"{"command":"drain","service":"lte"}"#),
            (Request::Resume { service: some }, r#"{"command":"resume","service":"lte"}"#),
            (Request::Drain { service: None }, r#"{"command":"drain"}"#),
        ] {
            assert_eq!(Request::parse(written.as_bytes()), Ok(request.clone()));
            assert_eq!(Request::parse(&line(&request)), Ok(request));
        }
    }

    #[test]
    fn responses_are_what_the_document_says() {
        assert_eq!(text(&Response::Done("ok".into())), "{\"done\":\"ok\"}\n");
        assert_eq!(text(&Response::Error("no".into())), "{\"error\":\"no\"}\n");
        let status = Response::Status(Box::default());
        assert!(text(&status).starts_with("{\"status\":{\"version\":\"\",\"uptime_seconds\":0,"));
    }

    #[test]
    fn what_is_no_request_is_told_why() {
        for (bad, why) in [
            ("", "no JSON object"),
            ("status", "no JSON object"),
            ("{}", "missing field `command`"),
            (r#"["status"]"#, "no JSON object"),
            ("\u{0}", "no JSON object"),
            (r#"{"command":"reboot"}"#, "unknown variant `reboot`"),
            (r#"{"command":"status","verbose":true}"#, "unknown field `verbose`"),
            (r#"{"command":"disconnect"}"#, "missing field `session`"),
            (r#"{"command":"disconnect","session":65536}"#, "65536"),
            (r#"{"command":"disconnect","session":-1}"#, "-1"),
            (r#"{"command":"drain","service":["#, "EOF"),
            (r#"{"command":"status"} {"command":"status"}"#, "trailing characters"),
        ] {
            let error = Request::parse(bad.as_bytes()).unwrap_err();
            assert!(error.starts_with("not a request: ") && error.contains(why), "{bad}: {error}");
        }
        assert!(Request::parse("[".repeat(4000).as_bytes()).is_err());
        assert!(Request::parse(&[0xff; 100]).is_err());
    }
}
