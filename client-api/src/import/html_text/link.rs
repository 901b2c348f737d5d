//! How a link is written in plain text: its address is kept, unless it is a mention or a hash tag.

use scraper::ElementRef;

/// Somebody whom the post names, by the post's own list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMention {
    /// `@bob@example.com`; `@bob` if of the author's own server.
    pub name: String,
    /// The address of the account.
    pub url: String,
}

/// A link in plain text.
pub(super) struct LinkText {
    pub(super) text: String,
    pub(super) is_tag: bool,
}

/// Writes the link `element` to `href` whose content reads `written`.
pub(super) fn link_text(element: ElementRef<'_>, href: &str, written: &str, mentions: &[KnownMention]) -> LinkText {
    let shown = written.trim();
    if is_hash_tag(element, href, shown) {
        return LinkText { text: shown.to_owned(), is_tag: true };
    }
    let text = if shown.is_empty() || is_address(shown, href) {
        href.to_owned()
    } else if is_mention(element, href, shown, mentions) {
        full_name(shown, href, mentions)
    } else {
        format!("{shown} ({href})")
    };
    LinkText { text, is_tag: false }
}

fn is_hash_tag(element: ElementRef<'_>, href: &str, shown: &str) -> bool {
    let Some(tag) = shown.strip_prefix('#').filter(|tag| is_word(tag)) else { return false };
    let marked = element.value().classes().any(|class| class == "hashtag" || class == "mention");
    let related = element.attr("rel").is_some_and(|rel| rel.split_ascii_whitespace().any(|word| word == "tag"));
    marked || related || percent_decode(href).to_lowercase().ends_with(&format!("/{}", tag.to_lowercase()))
}

fn is_mention(element: ElementRef<'_>, href: &str, shown: &str, mentions: &[KnownMention]) -> bool {
    shown.strip_prefix('@').is_some_and(is_word)
        && (element.value().classes().any(|class| class == "mention") || mentions.iter().any(|known| known.url == href))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

/// `@bob` with its server, so that it can be found from anywhere.
fn full_name(shown: &str, href: &str, mentions: &[KnownMention]) -> String {
    let name = shown.trim_start_matches('@');
    if name.contains('@') {
        return shown.to_owned();
    }
    let same_name = |known: &&KnownMention| {
        let mut parts = known.name.trim_start_matches('@').split('@');
        parts.next().is_some_and(|user| user.eq_ignore_ascii_case(name))
    };
    let mut candidates = mentions.iter().filter(same_name);
    let known = mentions
        .iter()
        .find(|known| known.url == href)
        .or_else(|| candidates.next().filter(|_| candidates.next().is_none()));
    match known.filter(|known| known.name.trim_start_matches('@').contains('@')) {
        Some(known) => format!("@{}", known.name.trim_start_matches('@')),
        None => host(href).map_or_else(|| shown.to_owned(), |host| format!("@{name}@{host}")),
    }
}

/// `shown` is `href`, in full or in the shortened form that servers show.
fn is_address(shown: &str, href: &str) -> bool {
    let address = comparable(href);
    let whole = comparable(shown);
    if whole == address {
        return true;
    }
    let cut = shown.trim_end_matches('…').trim_end_matches("...");
    shown.contains('.') && !shown.contains(char::is_whitespace) && address.starts_with(&comparable(cut))
}

/// Without what a shortened form leaves out.
fn comparable(address: &str) -> String {
    let decoded = percent_decode(address);
    let rest = without_scheme(&decoded);
    rest.strip_prefix("www.").unwrap_or(rest).trim_end_matches('/').to_lowercase()
}

fn without_scheme(address: &str) -> &str {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    rest.unwrap_or(address)
}

fn host(href: &str) -> Option<&str> {
    let rest = href.strip_prefix("https://").or_else(|| href.strip_prefix("http://"))?;
    rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())
}

/// Replaces `%41` by `A`, where the result is text.
pub(in crate::import) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|_| byte == b'%');
        let value = digits.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(hex_byte);
        out.push(value.unwrap_or(byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

fn hex_byte(digits: &str) -> Option<u8> {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok())?
}
