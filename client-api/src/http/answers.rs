//! How requests were answered, by class of their code.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::app::App;

/// The classes, by their first digit.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Answers([AtomicU64; CLASSES.len()]);

impl Answers {
    fn note(&self, code: u16) {
        let class = usize::from(code / 100).saturating_sub(1).min(CLASSES.len() - 1);
        self.0[class].fetch_add(1, Ordering::Relaxed);
    }

    /// Each class with its count.
    pub fn by_class(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        CLASSES.into_iter().zip(self.0.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

/// Counts every answer.
pub async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    app.answers().note(response.status().as_u16());
    response
}
