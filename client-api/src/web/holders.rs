//! Who holds copies of the owner's posts, and whom this node keeps.

use maud::{Markup, html};
use xom_node::keep::{HolderView, HoldersReport, KeepView, LogCopies};

use super::fault::Page;
use super::home;
use super::layout::{self, Tab, moment};
use super::texts::holders as texts;
use super::visitor::Visitor;
use crate::api::words::count;

/// `/copies`. Whoever is connected is asked first.
pub(super) async fn show(visitor: Visitor) -> Page {
    let report = visitor.node.holders(visitor.did, true).await?;
    let keeps = visitor.node.keeps().await?;
    let main = html! {
        h1.title { (texts::TITLE) }
        @for log in &report.logs { (one_log(&report, log)) }
        @if !report.asked.is_empty() {
            section.card.copies {
                h2 { (texts::ASKED) }
                ul { @for asked in &report.asked { li { code { (asked.did) } " " span.badge { (asked.state.name()) } } } }
            }
        }
        @if !keeps.is_empty() {
            section.card.copies {
                h2 { (texts::KEPT) }
                ul { @for keep in &keeps { li { (one_keep(keep)) } } }
            }
        }
        p.hint.promise { (texts::HOW) }
    };
    Ok(layout::page(&visitor, texts::TITLE, Tab::None, &home::side(&visitor).await?, &main))
}

fn one_log(report: &HoldersReport, log: &LogCopies) -> Markup {
    html! {
        section.card.copies {
            p.summary role="status" { (summary(log)) }
            @if !report.holders.is_empty() {
                ul { @for holder in &report.holders { li { (one_holder(holder, log)) } } }
            }
        }
    }
}

/// How many live copies there are, as a sentence.
fn summary(log: &LogCopies) -> String {
    let entries = count(log.height, "entry", "entries");
    match (log.copies, log.behind) {
        (0, _) => format!("{entries}, and no live copy on a machine of somebody else."),
        (copies, 0) => format!("{entries}, and {}.", count(copies, "live copy", "live copies")),
        (copies, behind) => {
            format!("{entries}, and {}, {behind} of them behind.", count(copies, "live copy", "live copies"))
        }
    }
}

fn one_holder(holder: &HolderView, log: &LogCopies) -> Markup {
    let there = holder.logs.iter().find(|held| held.log == log.log).map_or(0, |held| held.height);
    let missing = log.height.saturating_sub(there);
    let short: String = holder.did.to_string().chars().take(20).collect();
    html! {
        p {
            strong { bdi { (holder.acct.as_deref().map_or_else(|| format!("{short}…"), |acct| format!("@{acct}"))) } } " "
            @if holder.own { span.badge { (texts::OWN) } " " }
            @if missing == 0 { span.badge { (texts::WHOLE) } } @else { span.badge.ended { (missing) " " (texts::MISSING) } }
            @if !holder.live { " " span.badge.ended { (texts::SILENT) } }
        }
        p.hint {
            (texts::STATED) " " (moment(holder.stated_ms))
            @if let Some(until) = holder.until_ms { " · " (texts::UNTIL) " " (moment(until)) }
        }
    }
}

fn one_keep(keep: &KeepView) -> Markup {
    html! {
        p { code { (keep.did) } }
        p.hint {
            (keep.bytes / 1_000_000) " " (texts::OF) " " (keep.quota_bytes / 1_000_000) " MB · " (texts::UNTIL) " " (moment(keep.until_ms))
        }
    }
}
