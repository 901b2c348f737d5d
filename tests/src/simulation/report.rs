//! What came of a simulation, and the page that tells it.

use super::plan::Plan;
use super::tally::{SORTS, Tally};
use super::world::World;

/// How a figure spreads over nodes or deliveries.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The hundredths, from the least to the greatest: 101 numbers.
    pub hundredths: Vec<u64>,
}

impl Spread {
    fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let last = values.len().saturating_sub(1);
        let mean = values.iter().sum::<u64>() as f64 / values.len().max(1) as f64;
        let at = |hundredth: usize| values.get(last * hundredth / 100).copied().unwrap_or(0);
        Self { mean, hundredths: (0..=100).map(at).collect() }
    }

    /// The figure that half of all do not exceed.
    pub fn median(&self) -> u64 {
        self.hundredths[50]
    }

    /// The figure that one of a hundred exceeds.
    pub fn p99(&self) -> u64 {
        self.hundredths[99]
    }
}

/// Of entries that somebody should have, those that are held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// How many are held.
    pub held: u64,
    /// How many there are.
    pub there: u64,
}

impl Share {
    pub(super) fn add(&mut self, held: u64, there: u64) {
        (self.held, self.there) = (self.held + held, self.there + there);
    }

    /// Between 0 and 1; all of nothing is 1.
    pub fn part(&self) -> f64 {
        if self.there == 0 { 1.0 } else { self.held as f64 / self.there as f64 }
    }
}

/// What honest followers hold of what honest authors wrote on the measured day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// All of it.
    pub all: Share,
    /// Without what is missing where the follower was awake for less than half an hour since.
    pub awake: Share,
    /// What was written by those whom mallory tries to cut off.
    pub of_victims: Share,
}

/// What came of a simulation. The same for the same plan, always.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What was simulated.
    pub plan: Plan,
    /// Nodes that are not mallory's.
    pub honest: usize,
    /// Bytes that an honest node sent on the measured day.
    pub up: Spread,
    /// Bytes that an honest node received.
    pub down: Spread,
    /// Bytes that honest nodes sent, by the sort of frame.
    pub by_sort: Vec<(&'static str, u64)>,
    /// From a post to a follower who was awake at the time, milliseconds.
    pub delay_awake: Spread,
    /// From a post to any follower whom it reached by the end of the day.
    pub delay: Spread,
    /// What had arrived when the measured day ended.
    pub day: Delivered,
    /// What had arrived after all had been awake for a while.
    pub healed: Delivered,
    /// Of the entries that came, how many were there already.
    pub again: f64,
    /// Streams that were opened on the measured day.
    pub streams: u64,
    /// Inputs that sessions took, from the beginning to the end.
    pub steps: u64,
    /// Refusals of honest nodes by honest nodes: there must be none.
    pub refused_honest: Vec<String>,
    /// Refusals of mallory's nodes by honest ones.
    pub refused_mallory: u64,
    /// What honest streams should have brought and did not: there must be none.
    pub gaps: Vec<String>,
    /// How often a stream was found to have brought what it should.
    pub checked: u64,
}

impl Report {
    pub(super) fn new(world: &World, day: Delivered, healed: Delivered) -> Self {
        let Tally { nodes, by_sort, delays_awake, delays, .. } = &world.tally;
        let honest = nodes.iter().zip(&world.nodes).filter(|(_, node)| node.mallory.is_none());
        let traffic: Vec<_> = honest.map(|(traffic, _)| *traffic).collect();
        let came = world.tally.entries_new + world.tally.entries_again;
        Self {
            plan: world.plan,
            honest: traffic.len(),
            up: Spread::of(traffic.iter().map(|traffic| traffic.up).collect()),
            down: Spread::of(traffic.iter().map(|traffic| traffic.down).collect()),
            by_sort: SORTS.into_iter().zip(*by_sort).collect(),
            delay_awake: Spread::of(delays_awake.clone()),
            delay: Spread::of(delays.clone()),
            day,
            healed,
            again: world.tally.entries_again as f64 / came.max(1) as f64,
            streams: world.tally.streams,
            steps: world.tally.steps,
            refused_honest: world.tally.refused_honest.clone(),
            refused_mallory: world.tally.refused_mallory,
            gaps: world.tally.gaps.clone(),
            checked: world.tally.checked,
        }
    }

    /// Bytes that an honest node sent and received on the measured day, on average.
    pub fn bytes_a_node(&self) -> f64 {
        self.up.mean + self.down.mean
    }
}

/// The chapter with the tables; `image` is where the plot is, seen from it.
pub fn page(reports: &[Report], image: &str) -> String {
    let Some(last) = reports.last() else { return String::new() };
    let mut page = format!("{HEAD}\n![Delivery and cost]({image})\n\n## By size\n\n");
    let plan = last.plan;
    page += &format!(
        "Seed {}. {} hours of fetching what was there before, then the measured {} hours, then {} in which all are \
         awake. {} % of the nodes are mallory's.\n\n",
        plan.seed, plan.warm_up_hours, plan.measured_hours, plan.healing_hours, plan.mallory_percent
    );
    page += "| nodes | kB a node a day, mean | sent: median | sent: p99 | received: median | received: p99 \
             | delay, awake: median | p99 | delay, all: median | p99 | arrived, awake | arrived, all | of victims \
             | after healing | came twice | streams a node |\n|";
    page += &"---|".repeat(16);
    page.push('\n');
    reports.iter().for_each(|report| page += &row(report));
    page += &format!(
        "\n## What is sent\n\nBy honest nodes, of {} nodes.\n\n| sort | kB a node a day | share |\n|---|---|---|\n",
        plan.nodes
    );
    let all: u64 = last.by_sort.iter().map(|(_, bytes)| bytes).sum();
    for (sort, bytes) in &last.by_sort {
        let share = *bytes as f64 * 100.0 / all.max(1) as f64;
        page += &format!("| {sort} | {:.1} | {share:.1} % |\n", *bytes as f64 / last.honest as f64 / 1e3);
    }
    page
}

fn row(report: &Report) -> String {
    let kilo = |bytes: u64| format!("{:.0}", bytes as f64 / 1e3);
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let cells = [
        report.plan.nodes.to_string(),
        format!("{:.0}", report.bytes_a_node() / 1e3),
        kilo(report.up.median()),
        kilo(report.up.p99()),
        kilo(report.down.median()),
        kilo(report.down.p99()),
        span(report.delay_awake.median()),
        span(report.delay_awake.p99()),
        span(report.delay.median()),
        span(report.delay.p99()),
        percent(report.day.awake.part()),
        percent(report.day.all.part()),
        percent(report.day.of_victims.part()),
        percent(report.healed.all.part()),
        percent(report.again),
        format!("{:.1}", report.streams as f64 / report.plan.nodes as f64),
    ];
    format!("| {} |\n", cells.join(" | "))
}

/// A span of time, as one reads it.
fn span(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..120_000 => format!("{:.1} s", ms as f64 / 1e3),
        120_000..7_200_000 => format!("{:.0} min", ms as f64 / 60e3),
        _ => format!("{:.1} h", ms as f64 / 3_600e3),
    }
}

/// What the chapter says before its figures.
const HEAD: &str = include_str!("head.md");
