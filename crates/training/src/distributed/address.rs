use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};

use burn::tensor::remote::{EndpointAddr, EndpointId, IrohHost, IrohRelays, RemoteHost};

/// Where a worker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerAddress {
    /// A process that the coordinator starts, on this device.
    Local {
        /// Name of the device; that of the coordinator if absent.
        device: Option<String>,
    },
    /// A worker on this machine, which is reached unencrypted.
    Loopback(SocketAddr),
    /// A worker anywhere, which is reached encrypted.
    Encrypted {
        /// The public key that the worker has printed.
        id: EndpointId,
        /// Its address.
        address: SocketAddr,
    },
}

impl WorkerAddress {
    /// Parses `local:2`, `local:cuda:0,cuda:1`, or addresses separated by commas, each
    /// `127.0.0.1:7447` or `ID@host:port`.
    ///
    /// # Errors
    ///
    /// What is wrong with `text`, and an example.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        match text.strip_prefix("local:") {
            Some(local) => Self::parse_local(local),
            None => text.split(',').map(|address| Self::parse(address.trim())).collect(),
        }
    }

    fn parse_local(text: &str) -> Result<Vec<Self>, String> {
        let local = |device: Option<&str>| Self::Local { device: device.map(str::to_owned) };
        match text.parse::<usize>() {
            Ok(count @ 1..=256) => Ok(vec![local(None); count]),
            Ok(count) => Err(format!("{count} local workers: expected 1 to 256")),
            Err(_) if text.split(',').any(|device| device.trim().is_empty()) => {
                Err(format!("`local:{text}`: expected a number or devices, for example local:2"))
            }
            Err(_) => Ok(text.split(',').map(|device| local(Some(device.trim()))).collect()),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (id, address) = text.rsplit_once('@').map_or((None, text), |(id, at)| (Some(id), at));
        let found = address.to_socket_addrs().ok().and_then(|mut found| found.next());
        let example = "expected for example 127.0.0.1:7447, ID@host:7447, or local:2";
        let address = found.ok_or_else(|| format!("`{text}` is no address: {example}"))?;
        match id {
            Some(id) => {
                let id = id.parse().map_err(|_| {
                    format!("`{id}` is not the ID of a worker, which it prints when it starts")
                })?;
                Ok(Self::Encrypted { id, address })
            }
            None if address.ip().is_loopback() => Ok(Self::Loopback(address)),
            None => Err(format!(
                "`{text}` is another machine: its address needs the ID that the worker prints, ID@{text}"
            )),
        }
    }

    /// The server at this address, which asks for `credential`. A local worker listens at `local`.
    pub(super) fn host(&self, local: SocketAddr, credential: String) -> RemoteHost {
        let host = match self {
            Self::Local { .. } => RemoteHost::websocket(&format!("ws://{local}")),
            Self::Loopback(address) => RemoteHost::websocket(&format!("ws://{address}")),
            Self::Encrypted { id, address } => RemoteHost::iroh(
                IrohHost::new(EndpointAddr::new(*id))
                    .with_relays(IrohRelays::Disabled)
                    .with_address(*address),
            ),
        };
        host.with_credential(credential)
    }
}

impl fmt::Display for WorkerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { device: None } => f.write_str("local"),
            Self::Local { device: Some(device) } => write!(f, "local:{device}"),
            Self::Loopback(address) => address.fmt(f),
            Self::Encrypted { id, address } => {
                write!(f, "{:.8}@{address}", id.to_string())
            }
        }
    }
}
