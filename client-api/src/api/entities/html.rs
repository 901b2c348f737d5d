//! Plain text to HTML as Mastodon's clients expect it: paragraphs, `<br>`, links in three spans, mentions, tags.
//!
//! Everything is escaped when it is written, and only elements and attributes that stand here as constants are
//! written around it; a test holds the result against a sanitiser that allows no others.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use xom_node::model;
use xom_protocol::body::{Mention, Post};
use xom_protocol::limits::POST_CHARS_MAX;

use crate::api::compose::lower_scheme;
use crate::api::text::{Token, fold, tokens};
use crate::http::Base;

/// Longest text that is rendered, characters: the cost must stay bounded (`R-API-21`).
const TEXT_CHARS_MAX: usize = POST_CHARS_MAX;
/// Characters of an address that show.
const LINK_CHARS_SHOWN: usize = 30;

/// The HTML of a post; `known` are the accounts that it mentions and that are known here.
pub fn of_post(base: &Base, post: &Post, known: &[Arc<model::Account>]) -> String {
    let tags: BTreeSet<String> = post.tags.iter().map(|tag| fold(tag)).collect();
    render(&post.text, |html, token| match token {
        Token::Tag(tag) if tags.contains(&fold(&tag[1..])) => write_tag(html, base, &tag[1..]),
        Token::Mention(name) => match post.mentions.iter().find(|mention| mention.name == name[1..]) {
            Some(mention) => write_mention(html, base, mention, known),
            None => escape(html, name),
        },
        Token::Url(url) => write_link(html, url),
        Token::Tag(piece) | Token::Plain(piece) => escape(html, piece),
    })
}

/// The HTML of a biography or of the value of a profile field: links only.
pub fn of_text(text: &str) -> String {
    render(text, |html, token| match token {
        Token::Url(url) => write_link(html, url),
        Token::Plain(piece) | Token::Tag(piece) | Token::Mention(piece) => escape(html, piece),
    })
}

/// As [`of_text`], in one line without a paragraph around it.
pub fn of_line(text: &str) -> String {
    let html = of_text(&text.replace('\n', " "));
    html.strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>")).unwrap_or(&html).to_owned()
}

fn render(text: &str, write: impl Fn(&mut String, Token<'_>)) -> String {
    let text = match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => &text[..end],
        None => text,
    };
    if text.is_empty() {
        return String::new();
    }
    let mut html = String::with_capacity(text.len() * 2);
    for paragraph in paragraphs(text) {
        html.push_str("<p>");
        for (number, line) in paragraph.iter().enumerate() {
            if number > 0 {
                html.push_str("<br>");
            }
            for token in tokens(line) {
                write(&mut html, token);
            }
        }
        html.push_str("</p>");
    }
    html
}

/// Lines of each paragraph; empty lines part paragraphs.
fn paragraphs(text: &str) -> Vec<Vec<&str>> {
    let mut paragraphs = Vec::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        if !line.trim().is_empty() {
            lines.push(line);
        } else if !lines.is_empty() {
            paragraphs.push(std::mem::take(&mut lines));
        }
    }
    if !lines.is_empty() {
        paragraphs.push(lines);
    }
    paragraphs
}

/// Escapes for element content and for quoted attributes alike. Control characters that no text has are left out.
pub fn escape(html: &mut String, text: &str) {
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let written = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            b'\n' | b'\t' => continue,
            byte if byte.is_ascii_control() => "",
            _ => continue,
        };
        html.push_str(&text[plain_from..at]);
        html.push_str(written);
        plain_from = at + 1;
    }
    html.push_str(&text[plain_from..]);
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    escape(&mut html, text);
    html
}

/// A link whose scheme and long rest are there for machines and hidden from eyes.
fn write_link(html: &mut String, url: &str) {
    let href = lower_scheme(url);
    let scheme = href.find("://").map_or(0, |at| at + 3);
    let hidden = if href[scheme..].starts_with("www.") { scheme + 4 } else { scheme };
    let shown = &href[hidden..];
    let cut = shown.char_indices().nth(LINK_CHARS_SHOWN).map_or(shown.len(), |(at, _)| at);
    let class = if cut < shown.len() { "ellipsis" } else { "" };
    let (prefix, middle, rest) = (escaped(&href[..hidden]), escaped(&shown[..cut]), escaped(&shown[cut..]));
    push(
        html,
        format_args!(
            "<a href=\"{}\" target=\"_blank\" rel=\"nofollow noopener noreferrer\" translate=\"no\">\
         <span class=\"invisible\">{prefix}</span><span class=\"{class}\">{middle}</span>\
         <span class=\"invisible\">{rest}</span></a>",
            escaped(&href)
        ),
    );
}

fn write_tag(html: &mut String, base: &Base, tag: &str) {
    let href = escaped(&base.tag(&fold(tag)));
    let name = escaped(tag);
    push(html, format_args!("<a href=\"{href}\" class=\"mention hashtag\" rel=\"tag\">#<span>{name}</span></a>"));
}

fn write_mention(html: &mut String, base: &Base, mention: &Mention, known: &[Arc<model::Account>]) {
    let account = known.iter().find(|account| account.did == mention.did);
    // Somebody unknown here is reached by DID, which resolves as soon as it is known.
    let acct = account.map_or_else(|| mention.did.to_string(), |account| account.acct.clone());
    let name =
        mention.name.split('@').next().filter(|name| !name.starts_with("did:")).map_or_else(
            || account.map_or_else(|| mention.did.short(), |account| account.username.clone()),
            str::to_owned,
        );
    push(
        html,
        format_args!(
            "<span class=\"h-card\" translate=\"no\"><a href=\"{}\" class=\"u-url mention\">@<span>{}</span></a></span>",
            escaped(&base.account(&acct)),
            escaped(&name)
        ),
    );
}

fn push(html: &mut String, pieces: std::fmt::Arguments<'_>) {
    html.write_fmt(pieces).expect("writing to a string can't fail");
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use xom_protocol::Did;

    use super::*;

    /// Lets nothing through but what clients of Mastodon get.
    static SANITISER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
        let mut builder = ammonia::Builder::empty();
        builder
            .add_tags(["p", "br", "span", "a"])
            .add_tag_attributes("a", ["href", "class", "rel", "target", "translate"])
            .add_tag_attributes("span", ["class", "translate"])
            .link_rel(None)
            .url_schemes(["http", "https"].into());
        builder
    });

    /// A sanitiser finds nothing to take away: it gives back the same but for the spelling of some letters.
    fn check_clean(html: &str) {
        let spelled = html.replace("&quot;", "\"").replace("&#39;", "'").replace('\u{a0}', "&nbsp;");
        assert_eq!(SANITISER.clean(html).to_string(), spelled);
    }

    /// Pieces that somebody who wants to break out would try, and ordinary ones.
    fn text() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(vec![
            "<",
            ">",
            "\"",
            "'",
            "&",
            "&lt;",
            "&#x3c;",
            "<script>",
            "</p>",
            "<!--",
            "-->",
            "]]>",
            "<a href=",
            "javascript:",
            "https://a.example/",
            "http://www.b.example/x?y=z&amp=1#",
            "HTTPS://C.example/",
            "#tag",
            "#xóm",
            "@lan",
            "@a@b.xom",
            "@did:xom:",
            "\n",
            "\n\n",
            "\t",
            "\0",
            "\r",
            "\u{a0}",
            "\u{202e}",
            "\u{feff}",
            "style=",
            "onload=",
            "ế",
            " ",
        ]);
        let piece = prop_oneof![3 => odd.prop_map(str::to_owned), 1 => "[a-zA-Z0-9./:?=&#@ -]{0,12}"];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn r_api_15_whatever_is_written_a_sanitiser_has_nothing_to_take_away(text in text()) {
            check_clean(&html(&text));
            check_clean(&of_text(&text));
            let did = Did([7; 32]);
            let names = text.split('@').skip(1).map(|rest| rest.split([' ', '\n']).next().unwrap_or_default());
            let mentions = names.map(|name| Mention { did, name: name.into() }).collect();
            let post = Post { text, mentions, ..Post::default() };
            check_clean(&of_post(&Base::new("http", "localhost:7766"), &post, &[]));
        }
    }

    #[test]
    fn the_sanitiser_of_the_tests_does_take_markup_away() {
        assert_eq!(SANITISER.clean("<p onclick=x>a<script>b</script></p>").to_string(), "<p>a</p>");
        assert_eq!(SANITISER.clean("<a href=\"javascript:x\">a</a>").to_string(), "<a>a</a>");
    }

    fn html(text: &str) -> String {
        let marks = crate::api::compose::Marks::find(text);
        let post = Post { text: text.into(), tags: marks.tags, ..Post::default() };
        of_post(&Base::new("http", "localhost:7766"), &post, &[])
    }

    #[test]
    fn lines_become_breaks_and_empty_lines_paragraphs() {
        assert_eq!(html("a\nb\n\n\n  \nc"), "<p>a<br>b</p><p>c</p>");
        assert_eq!(html(""), "");
    }

    #[test]
    fn a_link_has_three_spans() {
        let long = html("https://www.example.com/a/very/long/path/that/goes/on");
        assert!(long.contains("<span class=\"invisible\">https://www.</span>"), "{long}");
        assert!(long.contains("<span class=\"ellipsis\">example.com/a/very/long/path/t</span>"), "{long}");
        assert!(long.contains("<span class=\"invisible\">hat/goes/on</span>"), "{long}");
        assert!(html("http://a.example").contains("<span class=\"\">a.example</span>"));
    }

    #[test]
    fn a_tag_of_the_post_is_linked_with_its_letters_encoded() {
        let tagged = html("#Xóm");
        assert!(tagged.contains("href=\"http://localhost:7766/tags/x%C3%B3m\""), "{tagged}");
        assert!(tagged.contains("#<span>Xóm</span>"), "{tagged}");
        let untagged = Post { text: "#Xóm".into(), ..Post::default() };
        assert_eq!(of_post(&Base::new("http", "localhost:7766"), &untagged, &[]), "<p>#Xóm</p>");
    }

    #[test]
    fn a_mention_is_a_card_that_links_to_the_account() {
        let did = Did([7; 32]);
        let mention = Mention { did, name: "lan@x.xom".into() };
        let post = Post { text: "hi @lan@x.xom".into(), mentions: vec![mention], ..Post::default() };
        let html = of_post(&Base::new("http", "localhost:7766"), &post, &[]);
        let link = format!("<a href=\"http://localhost:7766/@{did}\" class=\"u-url mention\">@<span>lan</span></a>");
        assert!(html.contains(&link), "{html}");
    }

    #[test]
    fn r_api_15_markup_in_a_text_is_shown_and_never_run() {
        for text in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "\"><svg onload=alert(1)>",
            "https://a.example/\"onmouseover=\"alert(1)",
            "https://a.example/'><script>",
            "javascript:alert(1)",
            "<a href=\"javascript:alert(1)\">x</a>",
            "&lt;script&gt;",
            "#<b>x",
            "\0<scr\0ipt>",
        ] {
            for html in [html(text), of_text(text), of_line(text)] {
                for bad in ["<script", "<img", "<svg", "<b>", "<a href=\"javascript:", "\" onmouseover=", "<a onmouse"]
                {
                    assert!(!html.contains(bad), "{text} became {html}");
                }
            }
        }
    }

    #[test]
    fn r_api_21_a_huge_text_is_cut_before_it_is_rendered() {
        let html = of_text(&"<div>".repeat(200_000));
        assert!(html.len() < 20 * TEXT_CHARS_MAX);
    }
}
