//! Many nodes, simulated: what honest streams must bring arrives, and what it costs stays within bounds.

use xom_tests::simulation::{Plan, Report, page, plot, simulate};

/// Bytes that a day may cost a node on average, both directions, at 8 follows and 4 posts of each.
const BYTES_A_NODE_MAX: f64 = 1_500_000.0;

fn small(seed: u64) -> Plan {
    Plan { warm_up_hours: 3, measured_hours: 6, ..Plan::day(seed, 40) }
}

/// What holds at any size.
fn assert_sound(report: &Report) {
    let nodes = report.plan.nodes;
    assert_eq!(report.refused_honest, Vec::<String>::new(), "{nodes}: honest nodes refuse each other");
    assert_eq!(report.gaps, Vec::<String>::new(), "{nodes}: a stream did not bring what it should");
    assert!(report.checked > 50 * nodes as u64, "{nodes}: only {} looks at streams", report.checked);
    assert_eq!(report.healed.all.held, report.healed.all.there, "{nodes}: all were awake, and not all has arrived");
    assert!(report.day.all.there > 2 * nodes as u64, "{nodes}: hardly anybody wrote");
}

#[test]
fn r_syn_12_three_hundred_nodes_lose_nothing_and_a_day_costs_what_follows_cost_not_what_the_network_has() {
    let large = simulate(&Plan::day(Plan::SEED, 300));
    let few = simulate(&Plan::day(Plan::SEED, 100));
    eprint!("{}", page(&[few.clone(), large.clone()], "simulation.svg"));
    for report in [&few, &large] {
        assert_sound(report);
        let nodes = report.plan.nodes;
        assert!(report.refused_mallory > 0, "{nodes}: mallory was let do everything");
        assert!(report.day.awake.part() > 0.95, "{nodes}: {:?}", report.day);
        assert!(report.delay_awake.median() < 1_000, "{nodes}: {} ms", report.delay_awake.median());
        assert!(report.again < 0.1, "{nodes}: {}", report.again);
        assert!(report.bytes_a_node() < BYTES_A_NODE_MAX, "{nodes}: {} bytes", report.bytes_a_node());
    }
    let (small, large) = (few.bytes_a_node(), large.bytes_a_node());
    assert!(large < 1.5 * small, "three times as many nodes cost each {large} bytes in place of {small}");
}

#[test]
fn one_seed_gives_one_result_and_another_seed_another() {
    let (first, again) = (simulate(&small(1)), simulate(&small(1)));
    assert_eq!(first, again);
    assert_sound(&first);
    let other = simulate(&small(2));
    assert_sound(&other);
    assert_ne!(first.steps, other.steps);
}

#[test]
fn without_mallory_nobody_refuses_anything() {
    let report = simulate(&Plan { mallory_percent: 0, ..small(3) });
    assert_sound(&report);
    assert_eq!((report.honest, report.refused_mallory), (40, 0));
}

#[test]
fn the_chapter_and_its_plot_tell_of_every_size() {
    let report = simulate(&Plan { measured_hours: 2, warm_up_hours: 1, ..Plan::day(1, 20) });
    let (page, plot) = (page(&[report.clone(), report.clone()], "images/plot.svg"), plot(&[report.clone(), report]));
    assert_eq!(page.matches("\n| 20 | ").count(), 2);
    assert!(page.contains("(images/plot.svg)") && page.contains("Seed 1."));
    assert_eq!((plot.matches("<polyline").count(), plot.matches("</svg>").count()), (4, 1));
    assert!(!plot.contains("NaN") && !plot.contains("inf"));
}
