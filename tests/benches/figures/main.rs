//! Figures of a whole node, measured from outside on the program that people run: processor time an operation,
//! memory, disk, latency. Prints a table; judges nothing.
//!
//! `cargo build --release && cargo bench -p xom-tests --bench figures`, with numbers of entries behind `--` where others are wanted.

mod client;
mod table;

use std::time::{Duration, Instant};

use client::Client;
use serde_json::json;
use table::Table;
use xom_tests::home::DEADLINE;
use xom_tests::process::{processor_time, resident_bytes};
use xom_tests::{Home, wait_until};

/// Sizes that are measured always, and the one that takes long.
const ENTRIES: [usize; 2] = [10_000, 100_000];
const ENTRIES_LONG: usize = 1_000_000;
/// Each figure is measured so often.
const ROUNDS: usize = 5;
/// Posts of a round.
const POSTS: usize = 800;
/// Pages of a round.
const PAGES: usize = 400;
/// Posts whose way to a follower is timed.
const DELIVERIES: usize = 200;
/// Clients that post at the same time.
const CLIENTS: usize = 8;
/// How long a follower may take to get everything.
const CATCH_UP: Duration = Duration::from_secs(3_600);

fn main() {
    let mut sizes: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() {
        sizes.extend(ENTRIES);
        sizes.extend(std::env::var_os("XOM_LONG").map(|_| ENTRIES_LONG));
    }
    let mut table = Table::begin();
    for entries in sizes {
        measure(entries, &mut table);
    }
}

/// A post of 280 bytes, each another one.
fn text(number: usize) -> String {
    let words = format!("{number} xin chào xóm, hôm nay trời đẹp. ");
    let mut text: String = words.chars().cycle().take(280).collect();
    while text.len() > 280 {
        text.pop();
    }
    text
}

fn measure(entries: usize, table: &mut Table) {
    let mut alice = Home::new("alice");
    start(&mut alice, table, 0, "start, empty");
    table.row("memory, empty, MiB", 0, &[mib(&alice)]);
    fill(&alice, entries);
    table.row("publish, one client, us CPU", entries, &publish(&alice, 1));
    table.row("publish, 8 clients, us CPU", entries, &publish(&alice, CLIENTS));
    let (processor, wall) = read_home(&alice);
    table.row("home of 40, us CPU", entries, &processor);
    table.row("home of 40, us wall", entries, &wall);
    let bob = follow(&alice, entries, table);
    table.row("post to follower, us wall", entries, &deliver(&alice, &bob));
    table.row("memory, author, MiB", entries, &[mib(&alice)]);
    table.row("memory, follower, MiB", entries, &[mib(&bob)]);
    alice.xom(&["compact"]);
    let status = alice.xom(&["status"]);
    let bytes = status["disk_bytes"].as_f64().unwrap_or_default();
    table.row("disk a post, bytes", entries, &[bytes / status["entries"].as_f64().unwrap_or(1.0)]);
    alice.stop();
    start(&mut alice, table, entries, "start");
}

fn start(home: &mut Home, table: &mut Table, entries: usize, name: &str) {
    let began = Instant::now();
    home.start();
    table.row(&format!("{name}, ms wall"), entries, &[began.elapsed().as_secs_f64() * 1e3]);
}

fn fill(home: &Home, entries: usize) {
    let each = entries.div_ceil(CLIENTS * 4);
    std::thread::scope(|threads| {
        for writer in 0..CLIENTS * 4 {
            threads.spawn(move || {
                let client = Client::of(home);
                (0..each).for_each(|number| client.publish(&text(writer * each + number)));
            });
        }
    });
}

/// Processor time a post, microseconds, of each round.
fn publish(home: &Home, clients: usize) -> Vec<f64> {
    let round = |_| {
        per_operation(home, POSTS, || {
            std::thread::scope(|threads| {
                for writer in 0..clients {
                    threads.spawn(move || {
                        let client = Client::of(home);
                        (0..POSTS / clients).for_each(|number| client.publish(&text(writer * POSTS + number)));
                    });
                }
            });
        })
    };
    (0..ROUNDS).map(round).collect()
}

/// Processor time a page of each round, and the time that each page took, microseconds.
fn read_home(home: &Home) -> (Vec<f64>, Vec<f64>) {
    let client = Client::of(home);
    let mut wall = Vec::new();
    let mut round = |_| {
        per_operation(home, PAGES, || {
            for _ in 0..PAGES {
                let began = Instant::now();
                client.get("/api/v1/timelines/home?limit=40");
                wall.push(micros(began.elapsed()));
            }
        })
    };
    let processor = (0..ROUNDS).map(&mut round).collect();
    (processor, wall)
}

/// A new follower gets everything.
fn follow(alice: &Home, entries: usize, table: &mut Table) -> Home {
    let bob = Home::started("bob");
    let (invite, wanted) = (alice.invite(), held(alice));
    let (began, before) = (Instant::now(), [alice, &bob].map(time_of));
    bob.follow(&invite);
    wait_until("the follower has everything", CATCH_UP, || (held(&bob) >= wanted).then_some(()));
    let wall = began.elapsed();
    let [sender, receiver] =
        [(alice, before[0]), (&bob, before[1])].map(|(home, before)| micros(time_of(home) - before) / wanted as f64);
    table.row("catch-up, receiver, us CPU an entry", entries, &[receiver]);
    table.row("catch-up, sender, us CPU an entry", entries, &[sender]);
    table.row("catch-up, whole, ms wall", entries, &[wall.as_secs_f64() * 1e3]);
    bob
}

/// From the answer to the author until the follower's home shows the post, microseconds.
fn deliver(alice: &Home, bob: &Home) -> Vec<f64> {
    let (author, reader) = (Client::of(alice), Client::of(bob));
    let once = |number: usize| {
        let post = format!("delivery {number}");
        author.publish(&post);
        let began = Instant::now();
        // Asked again at once: whoever waits between two requests measures its own waiting.
        while !reader.get("/api/v1/timelines/home?limit=1").contains(&post) {
            assert!(began.elapsed() < DEADLINE, "not within {DEADLINE:?}: the post is there");
        }
        micros(began.elapsed())
    };
    (0..DELIVERIES).map(once).collect()
}

fn per_operation(home: &Home, count: usize, work: impl FnOnce()) -> f64 {
    let before = time_of(home);
    work();
    micros(time_of(home) - before) / count as f64
}

fn held(home: &Home) -> u64 {
    home.get("/api/xom/v1/status")["entries"].as_u64().unwrap_or_default()
}

fn time_of(home: &Home) -> Duration {
    processor_time(home.pid()).expect("the system tells the time of a process")
}

fn mib(home: &Home) -> f64 {
    resident_bytes(home.pid()).expect("the system tells the memory of a process") as f64 / f64::from(1 << 20)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// What a request to the API carries.
fn post_body(text: &str) -> serde_json::Value {
    json!({ "status": text })
}
