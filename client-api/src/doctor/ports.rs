//! Checks of ports, from this machine: whether others get through is for reachability to say.

use std::net::SocketAddr;

use xom_node::{Multiaddr, answers, can_listen};

use super::Check;
use crate::settings::Settings;

/// Of a running node: do the addresses answer on which it says that it listens? TCP alone can be asked.
pub fn of_running(listen: &[String]) -> Check {
    let addresses: Vec<Multiaddr> = listen.iter().filter_map(|text| text.parse().ok()).collect();
    if addresses.is_empty() {
        return Check::fail("ports", "the node listens nowhere", "look into its log for what ended its listening");
    }
    for address in &addresses {
        if let Some(Err(cause)) = answers(address) {
            return Check::fail(
                "ports",
                format!("nothing answers on {address}: {cause}"),
                "let this port in where a firewall of this machine keeps it shut",
            );
        }
    }
    Check::ok("ports", format!("the node answers on {} addresses", addresses.len()))
}

/// Where no node runs: could it listen where the settings say?
pub fn of_settings(settings: &Settings) -> Check {
    if let Some(cause) = taken(settings.http) {
        return Check::fail(
            "ports",
            format!("{} can't be served on: {cause}", settings.http),
            "stop what uses this port, or choose another with --http",
        );
    }
    match settings.listen.iter().find_map(|address| can_listen(address).err()) {
        Some(refusal) => {
            Check::fail("ports", refusal.to_string(), "stop what uses this port, or choose another with --listen")
        }
        None => Check::ok("ports", "the ports of the settings are free"),
    }
}

fn taken(address: SocketAddr) -> Option<std::io::Error> {
    std::net::TcpListener::bind(address).err()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::State;
    use super::*;
    use crate::settings::Layer;

    #[test]
    fn a_port_that_answers_is_well_and_one_that_does_not_is_named() {
        let open = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("/ip4/127.0.0.1/tcp/{}", open.local_addr().unwrap().port());
        assert_eq!(of_running(std::slice::from_ref(&address)).state, State::Ok);
        drop(open);
        let shut = of_running(std::slice::from_ref(&address));
        assert!(shut.state == State::Fail && shut.found.contains(&address), "{shut:?}");
        assert_eq!(of_running(&[]).state, State::Fail);
        assert_eq!(of_running(&["/ip4/127.0.0.1/udp/1/quic-v1".to_owned()]).state, State::Ok, "can't be asked");
    }

    #[test]
    fn a_port_in_use_is_named_with_the_flag_that_chooses_another() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let check = |layer: Layer| of_settings(&Settings::resolve("/d".into(), &[layer]).unwrap());
        let tcp = |port: u16| Some(vec![format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()]);
        let http = check(Layer { http: Some(address), listen: tcp(0), ..Layer::default() });
        assert!(http.state == State::Fail && http.advice.is_some_and(|advice| advice.contains("--http")));
        let any = Some("127.0.0.1:0".parse().unwrap());
        let listen = check(Layer { http: any, listen: tcp(address.port()), ..Layer::default() });
        assert!(listen.state == State::Fail && listen.advice.is_some_and(|advice| advice.contains("--listen")));
        assert_eq!(check(Layer { http: any, listen: tcp(0), ..Layer::default() }).state, State::Ok);
    }
}
