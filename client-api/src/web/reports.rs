//! `/reports`: what people of this node have reported, for its owner and its moderators.

use maud::{Markup, html};
use serde_json::Value;

use super::fault::Page;
use super::home;
use super::layout::{self, Tab};
use super::texts;
use super::visitor::Visitor;
use crate::api::private::REPORT;

/// Most reports on the page, the newest.
const SHOWN_MAX: usize = 100;

/// The page.
pub(super) async fn show(visitor: Visitor) -> Page {
    let read = |reader: &xom_node::Reader| {
        let kept = reader.records(REPORT, &[], crate::api::v1::reports::REPORTS_MAX)?;
        let newest = kept.iter().rev().take(SHOWN_MAX).filter_map(|(_, value)| serde_json::from_slice(value).ok());
        let newest: Vec<Value> = newest.collect();
        let name = |report: &Value| {
            let did = report["by"].as_str().and_then(|did| did.parse().ok())?;
            reader.account(&did).ok().flatten().map(|account| account.acct)
        };
        Ok(newest.into_iter().map(|report| (name(&report), report)).collect())
    };
    let reports: Vec<(Option<String>, Value)> = visitor.node.read(read).await?;
    let main = html! {
        h1.title { (texts::REPORTS) }
        section.card.reports {
            @if reports.is_empty() { p { (texts::REPORTS_NONE) } } @else {
                p.hint { (texts::REPORTS_WHAT) }
                ul { @for (by, kept) in &reports { li { (one(by.as_deref(), &kept["report"])) } } }
            }
        }
    };
    Ok(layout::page(&visitor, texts::REPORTS, Tab::None, &home::side(&visitor).await?, &main))
}

fn one(by: Option<&str>, report: &Value) -> Markup {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let account = &report["target_account"];
    let statuses = report["status_ids"].as_array().map_or(&[][..], Vec::as_slice);
    html! {
        p {
            @if let Some(by) = by { strong { "@" (by) } " " } (texts::REPORTED) " "
            a href={ "/accounts/" (text(&account["id"])) } { bdi { "@" (text(&account["acct"])) } }
            " (" (text(&report["category"])) ", " (text(&report["created_at"])) ")"
        }
        @if !text(&report["comment"]).is_empty() { p { bdi { (text(&report["comment"])) } } }
        @for status in statuses { p.hint { a href={ "/statuses/" (text(status)) } { (text(status)) } } }
    }
}
