//! Log lines: to stderr, filtered by `XOM_LOG` (default `warn`), as text or, with `XOM_LOG_FORMAT=json`, as one JSON
//! object a line.

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// What is logged where nobody says otherwise: warnings, but none of the table's, which has one whenever it is empty,
/// as it is at each start and on a machine alone; and nothing of gossipsub's, since whatever a peer sends makes one.
const DEFAULT: &str = "warn,libp2p_kad::behaviour=error,libp2p_gossipsub=off";

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// For people.
    Text,
    /// For programs: `timestamp`, `level`, `target`, `fields` with the `message` and what belongs to it.
    Json,
}

/// Starts logging. A filter or a format that can't be read is replaced by the default, and said so.
pub(super) fn start() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let wanted = variable("XOM_LOG");
    let wanted = if wanted.is_empty() { DEFAULT.to_owned() } else { wanted };
    let (filter, refused) = match EnvFilter::try_new(&wanted) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(DEFAULT), Some(error)),
    };
    let named = variable("XOM_LOG_FORMAT");
    let format = Format::of(&named);
    if lines(format.unwrap_or(Format::Text), filter, io::stderr, io::stderr().is_terminal()).try_init().is_err() {
        return;
    }
    if let Some(error) = refused {
        tracing::warn!("XOM_LOG is not a filter, using the default: {error}");
    }
    if format.is_none() {
        tracing::warn!("XOM_LOG_FORMAT is {named:?}, neither text nor json; using text");
    }
}

impl Format {
    fn of(name: &str) -> Option<Self> {
        match name {
            "" | "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

fn lines<W>(format: Format, filter: EnvFilter, to: W, colours: bool) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt().with_env_filter(filter).with_writer(to);
    match format {
        Format::Text => Box::new(lines.with_ansi(colours).finish()),
        Format::Json => Box::new(lines.json().with_current_span(false).with_span_list(false).finish()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was logged, as text.
    fn logged(format: Format, log: impl FnOnce()) -> String {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&kept);
        let to = move || Kept(Arc::clone(&writer));
        tracing::subscriber::with_default(lines(format, EnvFilter::new("warn"), to, false), log);
        let bytes = kept.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn as_json_each_line_is_an_object_with_its_fields_whatever_is_in_them() {
        let log = || {
            tracing::warn!(peer = "a \"quoted\" peer\nwith a line", count = 7, "let go");
            tracing::info!("not at this level");
        };
        let text = logged(Format::Json, log);
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["level"], &line["fields"]["message"]), (&"WARN".into(), &"let go".into()));
        assert_eq!(line["fields"]["peer"], "a \"quoted\" peer\nwith a line");
        assert_eq!(line["fields"]["count"], 7);
        assert!(line["timestamp"].is_string() && line["target"].is_string(), "{line}");
    }

    #[test]
    fn as_text_a_line_is_for_people() {
        let text = logged(Format::Text, || tracing::warn!(count = 7, "let go"));
        assert!(text.contains("WARN") && text.trim_end().ends_with("let go count=7"), "{text}");
        let names = ["", "text", "json", "xml"].map(Format::of);
        assert_eq!(names, [Some(Format::Text), Some(Format::Text), Some(Format::Json), None]);
    }
}
