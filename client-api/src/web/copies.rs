//! Who holds a copy of an own post, and what became of it once it was erased.

use axum::extract::Path;
use maud::{Markup, html};
use xom_node::model::{CopiesReport, CopyView, HereBody};
use xom_protocol::receipt::Fate;

use super::fault::Page;
use super::home;
use super::layout::{self, Tab, moment};
use super::texts::copies as texts;
use super::visitor::Visitor;
use crate::api::xom::copies::{find, summary};

/// `/statuses/:id/copies`: of a post that stands or that is erased.
pub(super) async fn show(visitor: Visitor, Path(id): Path<String>) -> Page {
    let report = find(&visitor.node, visitor.did, id).await?;
    let main = html! {
        h1.title { (texts::TITLE) }
        section.card.copies {
            p.summary role="status" { (sentence(&report)) }
            p.hint {
                (texts::POSTED) " " (moment(report.time_ms))
                @if let Some(erased) = report.erased_ms { " · " (texts::ERASED) " " (moment(erased)) }
            }
            p.hint { (here(&report)) }
            @if let (None, Some(status)) = (report.erased_ms, report.status) {
                p { a href={ "/statuses/" (status.0) } { (texts::POST) } }
            }
        }
        @if !report.copies.is_empty() {
            section.card.copies {
                h2 { (texts::HOLDERS) }
                ul { @for copy in &report.copies { li { (one(copy, report.erased_ms.is_some())) } } }
            }
        }
        p.hint.promise { (texts::PROMISE) }
    };
    Ok(layout::page(&visitor, texts::TITLE, Tab::None, &home::side(&visitor).await?, &main))
}

/// The summary as a sentence of its own.
fn sentence(report: &CopiesReport) -> String {
    let said = summary(report);
    let mut letters = said.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

fn here(report: &CopiesReport) -> Markup {
    html! {
        @match report.here {
            HereBody::Held => { (texts::HERE) }
            HereBody::Hidden { purge_ms } => { (texts::HERE_HIDDEN) " " (moment(purge_ms)) }
            HereBody::Gone => { (texts::HERE_GONE) }
        }
    }
}

fn one(copy: &CopyView, erased: bool) -> Markup {
    let short: String = copy.device.to_string().chars().take(12).collect();
    html! {
        p {
            strong { bdi { (copy.acct.as_deref().map_or_else(|| short.clone(), |acct| format!("@{acct}"))) } } " "
            @match copy.fate {
                Some(Fate::Purged) => { span.badge { (texts::PURGED) } }
                Some(Fate::Hidden) => { span.badge { (texts::HIDDEN) } }
                None if erased => { span.badge.ended { (texts::SILENT) } }
                None => { span.badge { (texts::HOLDS) } }
            }
            @if copy.broken { " " span.badge.ended { (texts::BROKEN) } }
        }
        p.hint {
            code { (short) "…" }
            @match copy.answered_ms {
                Some(answered) => { " · " (texts::ANSWERED) " " (moment(answered)) }
                None => { " · " (texts::SEEN) " " (moment(copy.seen_ms)) }
            }
        }
    }
}
