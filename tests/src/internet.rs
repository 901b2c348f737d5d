//! A small internet of network namespaces: homes behind routers that translate addresses and let nobody in. The test's
//! own namespace is what lies between them.

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};

use crate::Home;

/// Where the test's own namespace is reached by everybody.
pub const MIDDLE: Ipv4Addr = Ipv4Addr::new(5, 5, 0, 1);

/// What the shell of the test's own namespace runs first: it has an address of the world, passes on, and has a table in
/// which links are cut.
pub const SETUP: &str = "ip link set lo up && ip address add 5.5.0.1/32 dev lo && \
    echo 1 > /proc/sys/net/ipv4/ip_forward && nft 'table ip cut { \
    chain before { type filter hook prerouting priority -300; }; chain after { type filter hook postrouting priority 300; }; \
    }'";

/// Where a node is inside each home: the same in all of them, as in real ones.
const INSIDE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 2);
/// The port of a node that has a namespace to itself.
const PORT: u16 = 7767;

/// How a router names a connection to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// By the port that the node behind it has: then two such can meet.
    Kept,
    /// By any other port, another for each peer: then nobody can tell where to meet.
    Drawn,
}

/// A network namespace; it goes when this is dropped, or when the test ends in whatever way.
pub struct Place(Child);

/// A home with its router and its link to the world.
pub struct House {
    number: u8,
    inside: Place,
    /// Dropped with the house.
    _router: Option<Place>,
}

impl Place {
    /// A namespace with nothing but its loopback.
    ///
    /// # Panics
    /// If there can be none.
    #[must_use]
    pub fn new() -> Self {
        // It lives as long as its standard input, which the test holds.
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "ip link set lo up && echo ready && exec cat"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("unshare can be run");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n", "a namespace");
        Self(child)
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// The file by which others enter it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/proc/{}/ns/net", self.pid())
    }

    /// Has a shell do something in it.
    ///
    /// # Panics
    /// If that fails.
    pub fn run(&self, script: &str) {
        run(Command::new("nsenter").arg(format!("--net={}", self.path())).args(["sh", "-ec", script]));
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The test has ended; whether the namespace still stands no longer matters.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl House {
    /// A home whose router lets out what it is given and lets in what answers that.
    #[must_use]
    pub fn behind_a_router(number: u8, ports: Ports) -> Self {
        let (inside, router) = (Place::new(), Place::new());
        link_to_the_world(number, &router);
        let draw = match ports {
            Ports::Kept => "",
            Ports::Drawn => "fully-random",
        };
        script(&format!(
            "ip link add home{number} netns {} type veth peer name eth0 netns {}",
            router.pid(),
            inside.pid()
        ));
        router.run(&format!(
            "ip address add 192.168.1.1/24 dev home{number}; ip link set home{number} up; \
             echo 1 > /proc/sys/net/ipv4/ip_forward; \
             nft 'table ip router {{ \
             chain names {{ type nat hook postrouting priority 100; oifname \"world\" masquerade {draw}; }}; \
             chain passing {{ type filter hook forward priority 0; policy drop; \
             iifname \"home{number}\" accept; ct state established,related accept; }}; \
             chain entering {{ type filter hook input priority 0; policy accept; \
             ct state established,related accept; iifname \"world\" drop; }}; }}'"
        ));
        at_home(&inside);
        Self { number, inside, _router: Some(router) }
    }

    /// A home whose router is the test's own namespace, at [`MIDDLE`]: it lets nobody in until it is told to.
    #[must_use]
    pub fn behind_the_test(number: u8) -> Self {
        let inside = Place::new();
        script(&format!(
            "ip link add home{number} type veth peer name eth0 netns {}; \
             ip address add 192.168.1.1/24 dev home{number}; ip link set home{number} up; \
             nft 'table ip router {{ \
             chain names {{ type nat hook postrouting priority 100; \
             ip saddr 192.168.1.0/24 ip daddr != 192.168.1.0/24 snat to {MIDDLE}; }}; \
             chain mapped {{ type nat hook prerouting priority -100; }}; \
             chain passing {{ type filter hook forward priority 0; policy drop; \
             iifname \"home{number}\" accept; ct state established,related accept; ct status dnat accept; }}; }}'",
            inside.pid()
        ));
        at_home(&inside);
        Self { number, inside, _router: None }
    }

    /// A machine with an address of the world and nothing before it.
    #[must_use]
    pub fn in_the_world(number: u8) -> Self {
        let inside = Place::new();
        link_to_the_world(number, &inside);
        Self { number, inside, _router: None }
    }

    /// A node in this home, at the address of its machine there; not started.
    #[must_use]
    pub fn home(&self, name: &str) -> Home {
        Home::within(name, INSIDE, PORT, &self.inside.path())
    }

    /// A node on this machine of the world, at its address there; not started.
    #[must_use]
    pub fn host(&self, name: &str) -> Home {
        Home::within(name, outside(self.number), PORT, &self.inside.path())
    }

    /// Loses everything on the link between this home and the world from now on, both ways and without a word.
    pub fn cut(&self) {
        let link = format!("link{}", self.number);
        script(&format!("nft 'add rule ip cut before iifname {link} drop; add rule ip cut after oifname {link} drop'"));
    }

    /// Loses nothing any more, on no link.
    pub fn heal(&self) {
        script("nft 'flush chain ip cut before; flush chain ip cut after'");
    }
}

/// The address of a router, or of a machine, in the world.
fn outside(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(5, 5, number, 2)
}

/// Joins a place with the middle.
fn link_to_the_world(number: u8, place: &Place) {
    let (middle, ip) = (Ipv4Addr::new(5, 5, number, 1), outside(number));
    script(&format!(
        "ip link add link{number} type veth peer name world netns {}; \
         ip address add {middle}/24 dev link{number}; ip link set link{number} up",
        place.pid()
    ));
    place.run(&format!("ip address add {ip}/24 dev world; ip link set world up; ip route add default via {middle}"));
}

/// The side of a home of its link to its router.
fn at_home(inside: &Place) {
    inside.run(&format!(
        "ip address add {INSIDE}/24 dev eth0; ip link set eth0 up; ip route add default via 192.168.1.1"
    ));
}

/// Has a shell do something in the test's own namespace.
///
/// # Panics
/// If that fails.
pub fn script(script: &str) {
    run(Command::new("sh").args(["-ec", script]));
}

fn run(command: &mut Command) {
    let done = command.output().expect("a shell can be run");
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}
