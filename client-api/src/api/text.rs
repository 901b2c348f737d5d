//! What is in a plain text: addresses, tags, mentions. The composer and the renderer read it the same way.

/// A piece of a text; the pieces of a text, joined, are the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'t> {
    /// Anything else.
    Plain(&'t str),
    /// A web address, `http` or `https`.
    Url(&'t str),
    /// A tag with its `#`.
    Tag(&'t str),
    /// A mention with its `@`.
    Mention(&'t str),
}

/// Longest tag that is read as one, characters.
const TAG_CHARS_MAX: usize = xom_protocol::limits::TAG_CHARS_MAX;
/// Longest address that is read as one, bytes.
const URL_BYTES_MAX: usize = xom_protocol::limits::URL_BYTES_MAX;

/// Splits a text.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    let mut before = None;
    while let Some(current) = text[at..].chars().next() {
        let rest = &text[at..];
        let found = match current {
            'h' | 'H' => match address_bytes(before, rest) {
                // What is too long for an address is none, and holds none: it is looked at once.
                Some(bytes) if bytes > URL_BYTES_MAX => {
                    before = rest[..bytes].chars().next_back();
                    at += bytes;
                    continue;
                }
                found => found.map(|bytes| Token::Url(&rest[..bytes])),
            },
            '#' => tag_bytes(before, rest).map(|bytes| Token::Tag(&rest[..bytes])),
            '@' => mention_bytes(before, rest).map(|bytes| Token::Mention(&rest[..bytes])),
            _ => None,
        };
        let Some(token) = found else {
            before = Some(current);
            at += current.len_utf8();
            continue;
        };
        if plain_from < at {
            tokens.push(Token::Plain(&text[plain_from..at]));
        }
        let (Token::Plain(piece) | Token::Url(piece) | Token::Tag(piece) | Token::Mention(piece)) = token;
        tokens.push(token);
        before = piece.chars().next_back();
        at += piece.len();
        plain_from = at;
    }
    if plain_from < text.len() {
        tokens.push(Token::Plain(&text[plain_from..]));
    }
    tokens
}

/// Tags compare without case; accents count.
pub fn fold(tag: &str) -> String {
    tag.to_lowercase()
}

/// Letters of words: also the combining marks of decomposed Vietnamese.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || ('\u{300}'..='\u{36f}').contains(&c)
}

/// How long the address is that `rest` begins with, whatever its length.
fn address_bytes(before: Option<char>, rest: &str) -> Option<usize> {
    if before.is_some_and(is_word) {
        return None;
    }
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let host = rest[scheme.len()..].chars().next()?;
    if !host.is_alphanumeric() && host != '[' {
        return None;
    }
    let ends = |c: char| c.is_whitespace() || c.is_control() || "<>\"`{}|\\^".contains(c) || is_direction(c);
    let whole = &rest[..rest.find(ends).unwrap_or(rest.len())];
    Some(trim_punctuation(whole).len())
}

/// Characters that turn the direction of a text could hide where an address leads.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Takes the end of the sentence off, and brackets that the address does not open. Brackets are counted once: the
/// cost must not grow with their square (`R-API-21`).
fn trim_punctuation(address: &str) -> &str {
    let count = |bracket: char| address.matches(bracket).count();
    let (mut round, mut square) = (count(')').saturating_sub(count('(')), count(']').saturating_sub(count('[')));
    let mut address = address;
    while let Some(last) = address.chars().next_back() {
        let unopened = match last {
            ')' => take_one(&mut round),
            ']' => take_one(&mut square),
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '…' | '”' | '’' | '»' => true,
            _ => false,
        };
        if !unopened {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

fn take_one(left: &mut usize) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}

fn tag_bytes(before: Option<char>, rest: &str) -> Option<usize> {
    if before.is_some_and(|c| is_word(c) || matches!(c, '#' | '&' | '/' | '@')) {
        return None;
    }
    let name = &rest[1..];
    let name = &name[..name.find(|c| !is_word(c)).unwrap_or(name.len())];
    let chars = name.chars().count();
    let has_letter = name.chars().any(char::is_alphabetic);
    (has_letter && chars <= TAG_CHARS_MAX).then_some(1 + name.len())
}

fn mention_bytes(before: Option<char>, rest: &str) -> Option<usize> {
    if before.is_some_and(|c| is_word(c) || matches!(c, '@' | '/' | '.' | '-' | '+')) {
        return None;
    }
    let text = &rest[1..];
    if text.starts_with(xom_protocol::Did::PREFIX) {
        let length = xom_protocol::Did::PREFIX.len() + 52;
        let is_did = text.get(..length).is_some_and(|did| did.parse::<xom_protocol::Did>().is_ok());
        return is_did.then_some(1 + length);
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = text.find(|c| !is_name(c)).unwrap_or(text.len());
    if name == 0 || text[name..].chars().next().is_some_and(is_word) {
        return None;
    }
    let Some(host) = text[name..].strip_prefix('@') else { return Some(1 + name) };
    let is_host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let host = &host[..host.find(|c| !is_host(c)).unwrap_or(host.len())];
    let host = host.trim_end_matches(['.', '-']);
    Some(if host.is_empty() { 1 + name } else { 1 + name + 1 + host.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[Token<'_>]) {
        let found = tokens(text);
        let marked: Vec<Token<'_>> = found.iter().copied().filter(|token| !matches!(token, Token::Plain(_))).collect();
        assert_eq!(marked, expected, "{text}");
        let joined: String = found
            .iter()
            .map(|token| match token {
                Token::Plain(piece) | Token::Url(piece) | Token::Tag(piece) | Token::Mention(piece) => *piece,
            })
            .collect();
        assert_eq!(joined, text);
    }

    #[test]
    fn tags_take_vietnamese_letters() {
        check("chào #xóm, #Đà_Nẵng #2024 #k8s!", &[Token::Tag("#xóm"), Token::Tag("#Đà_Nẵng"), Token::Tag("#k8s")]);
        check("#xo\u{301}m", &[Token::Tag("#xo\u{301}m")]);
        check("a#b &#39; x/#y ##z", &[]);
    }

    #[test]
    fn addresses_end_before_the_end_of_the_sentence() {
        check("see https://a.example/x.", &[Token::Url("https://a.example/x")]);
        check("(https://a.example/x_(y))", &[Token::Url("https://a.example/x_(y)")]);
        check("HTTP://A.example?q=1,2", &[Token::Url("HTTP://A.example?q=1,2")]);
        check("https:// http://.x xhttps://a.example javascript:alert(1)", &[]);
        check("https://a.example/\u{202e}gpj", &[Token::Url("https://a.example/")]);
        check(
            "(https://a.example/x)). [https://[::1]/y]]",
            &[Token::Url("https://a.example/x"), Token::Url("https://[::1]/y")],
        );
        let long = format!("https://a.example/{} #b", "x".repeat(URL_BYTES_MAX));
        check(&long, &[Token::Tag("#b")]);
        check("https://a.example/#tag @b", &[Token::Url("https://a.example/#tag"), Token::Mention("@b")]);
    }

    #[test]
    fn mentions_take_names_short_dids_and_dids() {
        let did = xom_protocol::Did([7; 32]);
        let whole = format!("@{did}");
        check(
            "@lan @lan@abc.xom. (@minh)",
            &[Token::Mention("@lan"), Token::Mention("@lan@abc.xom"), Token::Mention("@minh")],
        );
        check(&format!("hi {whole}!"), &[Token::Mention(&whole)]);
        check("lan@example.com @ @@x @did:xom:abc", &[]);
    }

    #[test]
    fn long_and_odd_texts_are_read_in_one_piece() {
        check(&"#".repeat(5_000), &[]);
        check(&"@a".repeat(2_500), &[Token::Mention("@a@a")]);
        check(&"e\u{301}".repeat(2_500), &[]);
    }

    #[test]
    fn r_api_21_no_text_of_a_posts_length_takes_long_to_split() {
        let wide = "ế".repeat(1_700);
        let texts = [
            format!("{}a{wide}{}", "http://".repeat(240), ")".repeat(1_600)),
            format!("{}a{}", "https://".repeat(400), "]".repeat(1_700)),
            format!("{}{}", "http://!".repeat(300), ")".repeat(2_500)),
        ];
        let began = std::time::Instant::now();
        for text in &texts {
            check(text, &[]);
        }
        let took = began.elapsed();
        assert!(took < std::time::Duration::from_secs(2), "{took:?}");
    }
}
