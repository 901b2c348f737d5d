//! A gateway that speaks UPnP: it says where it is when asked over multicast, and lets in what it is told to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

/// Where gateways are asked for.
const SSDP_GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
/// The port of it.
const SSDP_PORT: u16 = 1900;
/// What a gateway is asked to be.
const SEARCHED: &str = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
/// The service by which ports are mapped.
const SERVICE: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";
/// The most that is read of one request.
const REQUEST_BYTES_MAX: u64 = 65_536;

/// A port of the gateway that leads to a port inside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mapping {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// At the gateway.
    pub port: u16,
    /// Inside.
    pub to: (Ipv4Addr, u16),
}

/// What has happened at the gateway.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// How often somebody asked whether there is one.
    pub searches: usize,
    /// What is mapped.
    pub mappings: Vec<Mapping>,
}

/// A gateway; it runs until the test ends.
#[derive(Debug, Clone)]
pub struct Gateway {
    inside: Ipv4Addr,
    outside: Ipv4Addr,
    seen: Arc<Mutex<Seen>>,
}

impl Gateway {
    /// A gateway with these addresses, which maps by calling `map`.
    ///
    /// # Errors
    /// If it can't listen inside.
    pub fn start(inside: Ipv4Addr, outside: Ipv4Addr, map: fn(&Mapping)) -> io::Result<Self> {
        let http = TcpListener::bind((inside, 0))?;
        let port = http.local_addr()?.port();
        let ssdp = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, SSDP_PORT))?;
        ssdp.join_multicast_v4(&SSDP_GROUP, &inside)?;
        let gateway = Self { inside, outside, seen: Arc::default() };
        let (searched, asked) = (gateway.clone(), gateway.clone());
        std::thread::spawn(move || searched.answer_searches(&ssdp, port));
        std::thread::spawn(move || {
            for connection in http.incoming().flatten() {
                // Whoever has gone away meanwhile needs no answer.
                let _ = asked.answer(&connection, map);
            }
        });
        Ok(gateway)
    }

    /// What has happened so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn answer_searches(&self, ssdp: &UdpSocket, port: u16) {
        let mut bytes = [0; 2_048];
        while let Ok((length, from)) = ssdp.recv_from(&mut bytes) {
            let asked = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if !asked.starts_with("M-SEARCH") || !asked.contains(SEARCHED) {
                continue;
            }
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).searches += 1;
            let answer = format!(
                "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: {SEARCHED}\r\nUSN: uuid:a-gateway::{SEARCHED}\r\n\
                 LOCATION: http://{}:{port}/device.xml\r\n\r\n",
                self.inside
            );
            // A lost answer is asked for again.
            let _ = ssdp.send_to(answer.as_bytes(), from);
        }
    }

    fn answer(&self, connection: &TcpStream, map: fn(&Mapping)) -> io::Result<()> {
        let mut reader = BufReader::new(connection.take(REQUEST_BYTES_MAX));
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body);
        let (code, answer) = match first.split(' ').nth(1) {
            Some("/device.xml") => ("200 OK", device()),
            Some("/service.xml") => ("200 OK", service()),
            Some("/control") => self.control(&body, map),
            _ => ("404 Not Found", String::new()),
        };
        let head = format!(
            "HTTP/1.1 {code}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            answer.len()
        );
        let mut connection = connection;
        connection.write_all(head.as_bytes())?;
        connection.write_all(answer.as_bytes())
    }

    fn control(&self, asked: &str, map: fn(&Mapping)) -> (&'static str, String) {
        if asked.contains("GetExternalIPAddress") {
            let said = format!("<NewExternalIPAddress>{}</NewExternalIPAddress>", self.outside);
            return ("200 OK", envelope(&response("GetExternalIPAddress", &said)));
        }
        match mapping(asked) {
            Some(mapping) if asked.contains("AddPortMapping") => {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                if !seen.mappings.contains(&mapping) {
                    map(&mapping);
                    seen.mappings.push(mapping);
                }
                ("200 OK", envelope(&response("AddPortMapping", "")))
            }
            _ => ("500 Internal Server Error", envelope(&fault(401, "Invalid Action"))),
        }
    }
}

fn device() -> String {
    format!(
        "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device><deviceType>{SEARCHED}</deviceType>\
         <serviceList><service><serviceType>{SERVICE}</serviceType><SCPDURL>/service.xml</SCPDURL>\
         <controlURL>/control</controlURL></service></serviceList></device></root>"
    )
}

fn service() -> String {
    let argument = |name: &&str| format!("<argument><name>{name}</name><direction>in</direction></argument>");
    let arguments: String = [
        "NewRemoteHost",
        "NewExternalPort",
        "NewProtocol",
        "NewInternalPort",
        "NewInternalClient",
        "NewEnabled",
        "NewPortMappingDescription",
        "NewLeaseDuration",
    ]
    .iter()
    .map(argument)
    .collect();
    format!(
        "<?xml version=\"1.0\"?><scpd xmlns=\"urn:schemas-upnp-org:service-1-0\"><actionList>\
         <action><name>AddPortMapping</name><argumentList>{arguments}</argumentList></action></actionList></scpd>"
    )
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn response(action: &str, body: &str) -> String {
    format!("<u:{action}Response xmlns:u=\"{SERVICE}\">{body}</u:{action}Response>")
}

fn fault(code: u16, cause: &str) -> String {
    format!(
        "<s:Fault><detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{code}</errorCode>\
         <errorDescription>{cause}</errorDescription></UPnPError></detail></s:Fault>"
    )
}

/// What a request asks to be mapped.
fn mapping(asked: &str) -> Option<Mapping> {
    let protocol = argument(asked, "NewProtocol")?.to_ascii_lowercase();
    let port = argument(asked, "NewExternalPort")?.parse().ok()?;
    let ip = argument(asked, "NewInternalClient")?.parse().ok()?;
    let to = (ip, argument(asked, "NewInternalPort")?.parse().ok()?);
    matches!(protocol.as_str(), "tcp" | "udp").then_some(Mapping { protocol, port, to })
}

/// The text of one argument.
fn argument<'a>(asked: &'a str, name: &str) -> Option<&'a str> {
    let rest = asked.split_once(&format!("<{name}>"))?.1;
    Some(rest.split_once('<')?.0.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_understands_what_it_is_asked_to_map() {
        let asked = "<NewProtocol>TCP</NewProtocol><NewExternalPort>7</NewExternalPort>\
            <NewInternalClient>192.168.1.2</NewInternalClient><NewInternalPort>8</NewInternalPort>";
        let to = (Ipv4Addr::new(192, 168, 1, 2), 8);
        assert_eq!(mapping(asked), Some(Mapping { protocol: "tcp".to_owned(), port: 7, to }));
        assert_eq!(mapping(&asked.replace("TCP", "drop; nft")), None);
        assert_eq!(mapping(&asked.replace("NewInternalPort", "Other")), None);
    }
}
