//! What the crates may depend on, and below which versions nothing may fall.

use std::collections::BTreeSet;
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

/// Lowest versions, below which something was found to be unsafe.
const FLOORS: [(&str, (u64, u64, u64)); 17] = [
    ("libp2p", (0, 57, 1)),
    ("libp2p-gossipsub", (0, 50, 1)),
    ("yamux", (0, 13, 10)),
    ("quinn-proto", (0, 11, 15)),
    ("snow", (0, 9, 5)),
    ("rustls", (0, 23, 18)),
    ("rustls-webpki", (0, 103, 13)),
    ("h2", (0, 4, 16)),
    ("bytes", (1, 11, 1)),
    ("time", (0, 3, 47)),
    ("idna", (1, 0, 0)),
    ("hickory-proto", (0, 26, 1)),
    ("tungstenite", (0, 20, 1)),
    ("ed25519-dalek", (2, 0, 0)),
    ("curve25519-dalek", (4, 1, 3)),
    ("ammonia", (4, 1, 4)),
    ("redb", (4, 5, 0)),
];

/// What `protocol` must not reach, however indirectly.
const IMPURE: [&str; 6] = ["tokio", "libp2p", "redb", "axum", "mio", "getrandom"];

/// Licences that our dependencies may be under.
const LICENCES: [&str; 14] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

fn metadata() -> Metadata {
    MetadataCommand::new().exec().expect("cargo metadata")
}

/// The packages that a package of ours builds with when it is built alone: features that other
/// packages of the workspace turn on do not count.
fn closure(package: &str) -> BTreeSet<String> {
    let tree = ["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}", "--offline"];
    let output = Command::new(env!("CARGO")).args(tree).output().expect("cargo tree");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("names of packages");
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn direct(metadata: &Metadata, package: &str) -> BTreeSet<String> {
    let package = metadata.packages.iter().find(|found| found.name == package).expect("a package of ours");
    package.dependencies.iter().map(|dep| dep.name.clone()).collect()
}

#[test]
fn the_protocol_reaches_no_clock_no_entropy_no_socket_and_no_database() {
    let reached = closure("xom-protocol");
    assert!(reached.contains("ed25519-dalek"), "the tree of xom-protocol was not read");
    for name in IMPURE {
        assert!(!reached.contains(name), "xom-protocol reaches {name}");
    }
}

#[test]
fn arrows_between_the_rooms_point_one_way() {
    let metadata = metadata();
    let has = |package: &str, dependency: &str| direct(&metadata, package).contains(dependency);
    for package in ["xom-protocol", "xom-client-api", "xom-tests"] {
        assert!(!has(package, "libp2p"), "{package} depends on libp2p");
        assert!(!has(package, "redb"), "{package} depends on redb");
    }
    for package in ["xom-protocol", "xom-node"] {
        assert!(!has(package, "axum"), "{package} depends on axum");
        assert!(!has(package, "xom-client-api"), "{package} depends on the client API");
    }
    assert!(!has("xom-protocol", "xom-node"), "the protocol depends on the node");
}

#[test]
fn no_dependency_is_below_its_floor() {
    let metadata = metadata();
    for (name, (major, minor, patch)) in FLOORS {
        for package in metadata.packages.iter().filter(|package| package.name == name) {
            let version = (package.version.major, package.version.minor, package.version.patch);
            assert!(version >= (major, minor, patch), "{name} {} is below its floor", package.version);
        }
    }
}

#[test]
fn every_dependency_has_a_licence_that_we_may_ship() {
    let metadata = metadata();
    for package in metadata.packages.iter().filter(|package| package.source.is_some()) {
        let licence = package.license.as_deref().unwrap_or("");
        let text = licence.replace('/', " OR ").replace(['(', ')'], "");
        let fits = |choice: &str| choice.split(" AND ").all(|one| LICENCES.contains(&one.trim()));
        let allowed = text.split(" OR ").any(fits) || package.license_file.is_some();
        assert!(allowed, "{} {} is under {licence:?}", package.name, package.version);
    }
}
