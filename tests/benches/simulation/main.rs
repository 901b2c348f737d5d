//! The simulation in several sizes, with the time and the memory that each takes. Where `--write` is given, the
//! chapter of the spec and its plot are written anew.
//!
//! `cargo bench -p xom-tests --bench simulation`, with numbers of nodes behind `--` where others are wanted.

use std::io::Write;
use std::path::Path;
use std::time::Instant;
use std::{fs, process};

use xom_tests::process::{forget_peak, peak_bytes};
use xom_tests::simulation::{Plan, page, plot, simulate};

/// Sizes that are run always, and the one that takes long.
const NODES: [usize; 4] = [100, 300, 1_000, 3_000];
const NODES_LONG: usize = 10_000;
/// The plot, as seen from the chapter.
const IMAGE: &str = "images/simulation.svg";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut sizes: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() {
        sizes.extend(NODES);
        sizes.extend(std::env::var_os("XOM_LONG").map(|_| NODES_LONG));
    }
    let mut reports = Vec::new();
    for nodes in sizes {
        forget_peak(process::id());
        let began = Instant::now();
        let report = simulate(&Plan::day(Plan::SEED, nodes));
        let (secs, mib) = (began.elapsed().as_secs_f64(), peak_bytes(process::id()).unwrap_or_default() >> 20);
        print(&format!(
            "{nodes} nodes: {secs:.0} s, {mib} MiB, {} steps, {} streams, {} gaps of {} looks, honest refusals {}\n",
            report.steps,
            report.streams,
            report.gaps.len(),
            report.checked,
            report.refused_honest.len()
        ));
        reports.push(report);
    }
    print(&page(&reports, IMAGE));
    if words.iter().any(|word| word == "--write") {
        let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec");
        let write = |name: &str, text: String| fs::write(spec.join(name), text).expect("the spec can be written");
        fs::create_dir_all(spec.join("images")).expect("the spec can be written");
        write("simulation.md", page(&reports, IMAGE));
        write(IMAGE, plot(&reports));
    }
}

fn print(text: &str) {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).expect("stdout takes the figures");
}
