//! Text of a post as markup: paragraphs, line breaks, links, tags and mentions. Everything else is escaped.

use maud::{Markup, html};
use xom_protocol::body::Mention;

use crate::api::text::{Token, tokens};
use crate::http::base::encode_segment;

/// The most characters of an address that are shown; the link has all.
const LINK_CHARS_SHOWN: usize = 48;

/// A text with its mentions.
pub(super) fn prose(text: &str, mentions: &[Mention]) -> Markup {
    let paragraphs = text.split("\n\n").map(|part| part.trim_matches('\n')).filter(|part| !part.is_empty());
    html! {
        @for paragraph in paragraphs {
            p dir="auto" {
                @for (number, line) in paragraph.lines().enumerate() {
                    @if number > 0 { br; }
                    @for token in tokens(line) { (inline(token, mentions)) }
                }
            }
        }
    }
}

fn inline(token: Token<'_>, mentions: &[Mention]) -> Markup {
    match token {
        Token::Plain(text) => html! { (text) },
        Token::Url(url) => html! { a href=(url) rel="noopener noreferrer nofollow ugc" title=(url) { (shown(url)) } },
        Token::Tag(tag) => html! { a href={ "/tags/" (encode_segment(&tag[1..])) } { (tag) } },
        Token::Mention(name) => match mentions.iter().find(|mention| mention.name == name[1..]) {
            Some(mention) => html! { a href={ "/@" (mention.did) } { (name) } },
            None => html! { (name) },
        },
    }
}

/// An address without its scheme, cut where it is long.
fn shown(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest).trim_start_matches("www.");
    match bare.char_indices().nth(LINK_CHARS_SHOWN) {
        Some((end, _)) => format!("{}…", &bare[..end]),
        None => bare.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(prose(text, &[]).into_string(), expected);
    }

    #[test]
    fn r_api_15_markup_of_others_is_text() {
        check("<script>a</script> & \"b\"", "<p dir=\"auto\">&lt;script&gt;a&lt;/script&gt; &amp; &quot;b&quot;</p>");
        check("javascript:alert(1)", "<p dir=\"auto\">javascript:alert(1)</p>");
        let link = prose("https://a.example/\"><b>", &[]).into_string();
        assert!(!link.contains("<b>"), "{link}");
    }

    #[test]
    fn paragraphs_lines_and_tags_are_kept() {
        check("a\nb\n\n\nc", "<p dir=\"auto\">a<br>b</p><p dir=\"auto\">c</p>");
        check("#xóm", "<p dir=\"auto\"><a href=\"/tags/x%C3%B3m\">#xóm</a></p>");
    }

    #[test]
    fn a_long_address_is_cut_for_the_eye_only() {
        let url = format!("https://www.a.example/{}", "x".repeat(100));
        assert_eq!(shown(&url).chars().count(), LINK_CHARS_SHOWN + 1);
        assert!(prose(&url, &[]).into_string().contains(&format!("href=\"{url}\"")));
    }
}
