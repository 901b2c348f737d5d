//! The plot: how soon posts arrive in the largest of several simulations, and what a day costs by size.

use super::report::{Report, Spread};

/// The size of the picture, of one of its two fields, and where the fields begin.
const WIDE: f64 = 960.0;
const HIGH: f64 = 400.0;
const FIELD: (f64, f64) = (370.0, 280.0);
const TOP: f64 = 50.0;
const LEFTS: [f64; 2] = [70.0, 560.0];
/// Delays on the axis, and how they are written.
const DELAYS: [(u64, &str); 6] =
    [(100, "0.1 s"), (1_000, "1 s"), (10_000, "10 s"), (60_000, "1 min"), (600_000, "10 min"), (7_200_000, "2 h")];
const DELAY_MIN_MS: f64 = 20.0;
const DELAY_MAX_MS: f64 = 86_400_000.0;
/// Colours of the two curves of a field.
const COLOURS: [&str; 2] = ["#0b6e4f", "#c0562f"];

/// The plot as SVG.
pub fn plot(reports: &[Report]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDE} {HIGH}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDE}\" height=\"{HIGH}\" fill=\"#fff\"/>\n"
    );
    if let Some(last) = reports.last() {
        deliveries(&mut svg, last);
        costs(&mut svg, reports);
    }
    svg + "</svg>\n"
}

fn deliveries(svg: &mut String, report: &Report) {
    let left = LEFTS[0];
    frame(svg, left, &format!("Posts that arrived, by time since the post ({} nodes)", report.plan.nodes));
    let across = |ms: f64| left + FIELD.0 * (ms / DELAY_MIN_MS).ln() / (DELAY_MAX_MS / DELAY_MIN_MS).ln();
    let up = |share: f64| TOP + FIELD.1 * (1.0 - share);
    for (ms, name) in DELAYS {
        below(svg, across(ms as f64), name);
    }
    for share in [0.25, 0.5, 0.75, 1.0] {
        beside(svg, left, up(share), &format!("{:.0} %", share * 100.0));
    }
    let curve = |spread: &Spread, of: f64| {
        let point = |(at, ms): (usize, &u64)| {
            let ms = (*ms as f64).clamp(DELAY_MIN_MS, DELAY_MAX_MS);
            (across(ms), up(at as f64 / 100.0 * of))
        };
        spread.hundredths.iter().enumerate().map(point).collect::<Vec<_>>()
    };
    line(svg, &curve(&report.delay_awake, 1.0), COLOURS[0]);
    line(svg, &curve(&report.delay, report.day.all.part()), COLOURS[1]);
    legend(svg, left + 150.0, ["follower awake at the time, of those that arrived", "all followers, of all"]);
}

fn costs(svg: &mut String, reports: &[Report]) {
    let left = LEFTS[1];
    frame(svg, left, "Sent and received by a node in a day, by number of nodes");
    let (least, most) = (reports[0].plan.nodes as f64 * 0.7, reports[reports.len() - 1].plan.nodes as f64 * 1.4);
    let across = |nodes: f64| left + FIELD.0 * (nodes / least).ln() / (most / least).ln();
    let top = reports.iter().map(|report| p99(report).max(report.bytes_a_node())).fold(1.0, f64::max) * 1.1;
    let up = |bytes: f64| TOP + FIELD.1 * (1.0 - bytes / top);
    for quarter in 1..=4 {
        let bytes = top * f64::from(quarter) / 4.0;
        beside(svg, left, up(bytes), &format!("{:.1} MB", bytes / 1e6));
    }
    for report in reports {
        below(svg, across(report.plan.nodes as f64), &report.plan.nodes.to_string());
    }
    let curve = |bytes: fn(&Report) -> f64| {
        reports.iter().map(|report| (across(report.plan.nodes as f64), up(bytes(report)))).collect::<Vec<_>>()
    };
    line(svg, &curve(Report::bytes_a_node), COLOURS[0]);
    line(svg, &curve(p99), COLOURS[1]);
    legend(svg, left + 20.0, ["mean", "99th of a hundred (sent) + 99th (received)"]);
}

fn p99(report: &Report) -> f64 {
    (report.up.p99() + report.down.p99()) as f64
}

fn frame(svg: &mut String, left: f64, title: &str) {
    let (wide, high) = FIELD;
    *svg += &format!(
        "<text x=\"{left}\" y=\"30\" font-size=\"14\">{title}</text>\n\
         <rect x=\"{left}\" y=\"{TOP}\" width=\"{wide}\" height=\"{high}\" fill=\"none\" stroke=\"#999\"/>\n"
    );
}

/// A mark on the lower edge.
fn below(svg: &mut String, x: f64, name: &str) {
    let (foot, text) = (TOP + FIELD.1, TOP + FIELD.1 + 18.0);
    *svg += &format!(
        "<path d=\"M{x:.1} {TOP}V{foot}\" stroke=\"#eee\"/>\n\
         <text x=\"{x:.1}\" y=\"{text}\" text-anchor=\"middle\">{name}</text>\n"
    );
}

/// A mark on the left edge.
fn beside(svg: &mut String, left: f64, y: f64, name: &str) {
    let (wide, text, down) = (FIELD.0, left - 6.0, y + 4.0);
    *svg += &format!(
        "<path d=\"M{left} {y:.1}h{wide}\" stroke=\"#eee\"/>\n\
         <text x=\"{text}\" y=\"{down:.1}\" text-anchor=\"end\">{name}</text>\n"
    );
}

fn line(svg: &mut String, points: &[(f64, f64)], colour: &str) {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let points = points.join(" ");
    *svg += &format!("<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n");
}

fn legend(svg: &mut String, left: f64, names: [&str; 2]) {
    for ((name, colour), row) in names.into_iter().zip(COLOURS).zip(0_u8..) {
        let y = TOP + FIELD.1 + 40.0 + 16.0 * f64::from(row);
        let (dash, mid) = (left + 26.0, y - 4.0);
        *svg += &format!(
            "<path d=\"M{left} {mid}h20\" stroke=\"{colour}\" stroke-width=\"3\"/>\n\
             <text x=\"{dash}\" y=\"{y}\">{name}</text>\n"
        );
    }
}
