//! The page of an archive (`ARC-8`): what an identity said, for people, in the order of time. It opens from a
//! folder, without a node, without a network and without a script.

use std::io::Write;

use maud::{DOCTYPE, Markup, html};
use time::OffsetDateTime;
use time::macros::format_description;
use xom_node::archive::{Page as ArchivePage, PageError, blob_path};
use xom_node::model::{Account, AuthorFilter, Page, PostView, Status, StatusContent};
use xom_node::reader::Reader;
use xom_protocol::Did;
use xom_protocol::body::Attachment;

use crate::api::text::{Token, tokens};

/// Statuses read at a time.
const STATUSES: usize = 40;
/// Nothing is fetched and nothing runs, whatever a text says.
const POLICY: &str = "default-src 'none'; img-src 'self' file: data:; media-src 'self' file:; style-src 'unsafe-inline'; form-action 'none'";
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;\
    color:#1c1c1e;background:#fff}article{border-top:1px solid #ddd;padding:1rem 0;overflow-wrap:anywhere}\
    time,.meta{color:#636366;font-size:.875rem}img,video{max-width:100%;height:auto;border-radius:.5rem}\
    .avatar{width:5rem;height:5rem;object-fit:cover}blockquote{border-left:3px solid #ddd;margin:0;padding-left:1rem}\
    @media(prefers-color-scheme:dark){body{color:#eee;background:#161618}article{border-color:#333}\
    time,.meta{color:#a1a1a6}a{color:#7ab7ff}blockquote{border-color:#444}}";

/// Writes the page.
pub(crate) struct ReadablePage;

impl ArchivePage for ReadablePage {
    fn write(&self, reader: &Reader, identity: Did, to: &mut dyn Write) -> Result<(), PageError> {
        let mut account = None;
        let mut after = 0;
        loop {
            let page = Page { limit: STATUSES, min_id: Some(after), ..Page::default() };
            let mut statuses = reader.author_statuses(None, &identity, &AuthorFilter::default(), &page)?;
            statuses.reverse();
            if account.is_none() {
                account = Some(reader.account(&identity)?);
                begin(to, identity, account.as_ref().and_then(Option::as_ref))?;
            }
            let Some(last) = statuses.last() else { break };
            after = last.id.0;
            for status in &statuses {
                to.write_all(article(status).into_string().as_bytes())?;
                to.write_all(b"\n")?;
            }
        }
        Ok(to.write_all(b"</main></body></html>\n")?)
    }
}

fn begin(to: &mut dyn Write, identity: Did, account: Option<&Account>) -> std::io::Result<()> {
    let title = account.map_or_else(|| identity.short(), |account| shown_name(account).to_owned());
    let head = html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(POLICY);
            meta name="referrer" content="no-referrer";
            meta name="viewport" content="width=device-width";
            title { (title) }
            style { (maud::PreEscaped(STYLE)) }
        }
    };
    let profile = html! {
        header {
            @if let Some(avatar) = account.and_then(|account| account.avatar.as_ref()) {
                img.avatar src=(blob_path(&avatar.blob)) alt="";
            }
            h1 dir="auto" { (title) }
            p.meta { (identity) }
            @if let Some(account) = account {
                div dir="auto" { (prose(&account.bio)) }
                @for field in &account.fields { p dir="auto" { b { (field.name) } " " (inline(&field.value)) } }
            }
        }
    };
    writeln!(to, "{}<html lang=\"\">{}<body>{}<main>", DOCTYPE.into_string(), head.into_string(), profile.into_string())
}

fn shown_name(account: &Account) -> &str {
    if account.name.is_empty() { &account.username } else { &account.name }
}

fn article(status: &Status) -> Markup {
    html! {
        article id={ "s" (status.id.0) } {
            @match &status.content {
                StatusContent::Post(post) => {
                    p.meta { (moment(status.time_ms)) @if post.post.reply.is_some() { " · answer" } @if post.edited_ms.is_some() { " · edited" } }
                    (content(post, true))
                    p.meta { (status.reference.entry) }
                }
                StatusContent::Repost(original) => {
                    p.meta { (moment(status.time_ms)) " · passed on from " bdi { (shown_name(&original.account)) } }
                    @if let StatusContent::Post(post) = &original.content { blockquote { (content(post, false)) } }
                }
            }
        }
    }
}

/// What a post says; media of others are not in the archive.
fn content(post: &PostView, own: bool) -> Markup {
    let body = html! {
        div dir="auto" lang=[post.post.languages.first()] { (prose(&post.post.text)) }
        @if own { @for attachment in &post.post.attachments { (medium(attachment)) } }
        @else if !post.post.attachments.is_empty() { p.meta { "with media" } }
        @if let Some(poll) = &post.poll {
            ul { @for (option, votes) in poll.poll.options.iter().zip(&poll.votes) { li dir="auto" { (option) ": " (votes) } } }
        }
        @if let Some(quote) = &post.quote && let StatusContent::Post(quoted) = &quote.content {
            blockquote { p.meta { bdi { (shown_name(&quote.account)) } } div dir="auto" { (prose(&quoted.post.text)) } }
        }
        @if let Some(source) = &post.post.imported_from { p.meta { (inline(source)) } }
    };
    html! {
        @if post.post.warning.is_empty() { (body) } @else { details { summary dir="auto" { (post.post.warning) } (body) } }
    }
}

fn medium(attachment: &Attachment) -> Markup {
    let source = blob_path(&attachment.blob);
    html! {
        p {
            @match attachment.media_type.split('/').next() {
                Some("image") => {
                    img src=(source) alt=(attachment.alt) title=(attachment.alt) loading="lazy"
                        width=[attachment.width] height=[attachment.height];
                }
                Some("video") => { video src=(source) controls preload="none" aria-label=(attachment.alt) {} }
                Some("audio") => { audio src=(source) controls preload="none" aria-label=(attachment.alt) {} }
                _ => { a href=(source) download { (attachment.media_type) } " " (attachment.alt) }
            }
        }
    }
}

fn prose(text: &str) -> Markup {
    let paragraphs = text.split("\n\n").map(|part| part.trim_matches('\n')).filter(|part| !part.is_empty());
    html! {
        @for paragraph in paragraphs {
            p { @for (number, line) in paragraph.lines().enumerate() { @if number > 0 { br; } (inline(line)) } }
        }
    }
}

fn inline(line: &str) -> Markup {
    html! {
        @for token in tokens(line) {
            @match token {
                Token::Url(url) => { a href=(url) rel="noopener noreferrer nofollow" { (url) } }
                Token::Plain(text) | Token::Tag(text) | Token::Mention(text) => { (text) }
            }
        }
    }
}

fn moment(ms: u64) -> Markup {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(ms / 1_000).unwrap_or_default());
    let text = time.ok().and_then(|time| time.format(format_description!("[year]-[month]-[day] [hour]:[minute]")).ok());
    html! { @if let Some(text) = text { time datetime={ (text) "Z" } { (text) " UTC" } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_api_15_markup_in_a_text_is_text_in_the_page_of_an_archive() {
        let html = prose("<script>a</script> \"b\"\njavascript:alert(1)").into_string();
        let expected = "<p>&lt;script&gt;a&lt;/script&gt; &quot;b&quot;<br>javascript:alert(1)</p>";
        assert_eq!(html, expected);
        let link = prose("https://a.example/\"><b>").into_string();
        assert!(!link.contains("<b>"), "{link}");
    }
}
