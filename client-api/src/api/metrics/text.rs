//! The text format of Prometheus: families with help and type, and their samples.

/// What a family measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only grows, until the node starts again. Its name ends with `_total`.
    Counter,
}

/// Text that grows family by family.
#[derive(Debug, Default)]
pub(super) struct Text(String);

/// A family that takes samples.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Text {
    /// Begins a family.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        debug_assert_eq!(kind == Kind::Counter, name.ends_with("_total"), "{name}");
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        self.0.push_str(&format!("# HELP {name} {}\n# TYPE {name} {kind}\n", escape(help, false)));
        Family { text: &mut self.0, name }
    }

    /// A gauge with one sample.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, Kind::Gauge, help).sample(value);
    }

    /// A counter with one sample.
    pub(super) fn counter(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, Kind::Counter, help).sample(value);
    }

    /// The whole text.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// The one sample of a family without labels.
    pub(super) fn sample(&mut self, value: u64) {
        let line = format!("{} {value}\n", self.name);
        self.text.push_str(&line);
    }

    /// The one sample, in thousandths.
    pub(super) fn thousandths(&mut self, value: i64) {
        let sign = if value < 0 { "-" } else { "" };
        let value = value.unsigned_abs();
        let line = format!("{} {sign}{}.{:03}\n", self.name, value / 1_000, value % 1_000);
        self.text.push_str(&line);
    }

    /// A sample with one label.
    pub(super) fn labelled(&mut self, label: &str, of: &str, value: u64) {
        let line = format!("{}{{{label}=\"{}\"}} {value}\n", self.name, escape(of, true));
        self.text.push_str(&line);
    }
}

fn escape(text: &str, quoted: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quoted { text.replace('"', "\\\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_read_as_prometheus_writes_them() {
        let mut text = Text::default();
        text.gauge("xom_entries", "Entries\nstored.", 7);
        let mut family = text.family("xom_refusals_total", Kind::Counter, "Refusals.");
        family.labelled("rule", "SYN-1", 2);
        family.labelled("rule", "a\"b\\c\nd", 1);
        text.family("xom_ahead_seconds", Kind::Gauge, "Ahead.").thousandths(-1_050);
        assert_eq!(
            text.finish(),
            "# HELP xom_entries Entries\\nstored.\n# TYPE xom_entries gauge\nxom_entries 7\n\
             # HELP xom_refusals_total Refusals.\n# TYPE xom_refusals_total counter\n\
             xom_refusals_total{rule=\"SYN-1\"} 2\nxom_refusals_total{rule=\"a\\\"b\\\\c\\nd\"} 1\n\
             # HELP xom_ahead_seconds Ahead.\n# TYPE xom_ahead_seconds gauge\nxom_ahead_seconds -1.050\n"
        );
    }
}
