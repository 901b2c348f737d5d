//! Tokens of the feed language (`FEED-2`). Reads on demand, so that nothing is taken in before it is counted.

use super::error::SourceError;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'s> {
    /// A name that is not reserved.
    Name(&'s str),
    /// The magnitude of a number, at most 2^63.
    Number(u64),
    /// A text, its escapes resolved.
    Text(Box<str>),
    /// An operator, bracket or one of the words `true`, `false` and `in`.
    Sign(&'static str),
    /// Nothing follows.
    End,
}

/// Signs, longer ones before their beginnings.
const SIGNS: [&str; 22] = [
    "&&", "||", "<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]",
];
/// Words that are signs.
const WORDS: [&str; 3] = ["true", "false", "in"];
/// Words that CEL keeps, and that no name may be (`FEED-2`).
const RESERVED: [&str; 18] = [
    "null",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Reads a source token by token.
pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, at: 0 }
    }

    /// The next token, and where it begins.
    pub(super) fn next(&mut self) -> Result<(usize, Token<'s>), SourceError> {
        self.skip_space();
        let at = self.at;
        let Some(first) = self.rest().chars().next() else { return Ok((at, Token::End)) };
        let token = match first {
            '_' | 'a'..='z' | 'A'..='Z' => self.word()?,
            '0'..='9' => self.number()?,
            '"' | '\'' => self.text(first)?,
            _ => self.sign()?,
        };
        Ok((at, token))
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    /// White space, and comments up to the end of their line.
    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\x0c', '\r']).len();
            if !self.rest().starts_with("//") {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    /// The longest stretch of characters from here on of which `is_in` holds.
    fn stretch(&mut self, is_in: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let stretch = &rest[..rest.find(|letter| !is_in(letter)).unwrap_or(rest.len())];
        self.at += stretch.len();
        stretch
    }

    fn word(&mut self) -> Result<Token<'s>, SourceError> {
        let at = self.at;
        let word = self.stretch(|letter| letter == '_' || letter.is_ascii_alphanumeric());
        if let Some(sign) = WORDS.iter().find(|sign| **sign == word) {
            return Ok(Token::Sign(sign));
        }
        if RESERVED.contains(&word) {
            return Err(SourceError::Token { at, what: "a reserved word" });
        }
        if self.rest().starts_with(['"', '\'']) {
            return Err(SourceError::Token { at, what: "a text with a prefix" });
        }
        Ok(Token::Name(word))
    }

    fn number(&mut self) -> Result<Token<'s>, SourceError> {
        let at = self.at;
        let letters = self.stretch(|letter| letter == '_' || letter.is_ascii_alphanumeric());
        let rest = self.rest().as_bytes();
        if rest.first() == Some(&b'.') && rest.get(1).is_some_and(u8::is_ascii_digit) {
            return Err(SourceError::Token { at, what: "a number with a fraction" });
        }
        let (digits, radix) = letters.strip_prefix("0x").map_or((letters, 10), |digits| (digits, 16));
        if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
            return Err(SourceError::Token { at, what: "no whole number" });
        }
        match u64::from_str_radix(digits, radix) {
            Ok(number) if number <= 1 << 63 => Ok(Token::Number(number)),
            _ => Err(SourceError::Token { at, what: "a number beyond 64 bits" }),
        }
    }

    fn text(&mut self, quote: char) -> Result<Token<'s>, SourceError> {
        let at = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.stretch(|letter| letter != quote && !matches!(letter, '\\' | '\n' | '\r')));
            match self.rest().chars().next() {
                Some('\\') => text.push(self.escape()?),
                Some(end) if end == quote => break,
                _ => return Err(SourceError::Token { at, what: "a text that does not end on its line" }),
            }
        }
        self.at += 1;
        if text.is_empty() && self.rest().starts_with(quote) {
            return Err(SourceError::Token { at, what: "a text in three quotes" });
        }
        Ok(Token::Text(text.into()))
    }

    /// The character that an escape stands for.
    fn escape(&mut self) -> Result<char, SourceError> {
        let wrong = SourceError::Token { at: self.at, what: "no escape of the language" };
        let mut letters = self.rest().chars().skip(1);
        let digits = match letters.next() {
            Some(letter @ ('\\' | '"' | '\'' | '`' | '?')) => {
                self.at += 2;
                return Ok(letter);
            }
            Some(letter @ ('n' | 'r' | 't')) => {
                self.at += 2;
                return Ok(match letter {
                    'n' => '\n',
                    'r' => '\r',
                    _ => '\t',
                });
            }
            Some('u') => 4,
            Some('U') => 8,
            _ => return Err(wrong),
        };
        let hex = self.rest().get(2..2 + digits).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32).ok_or(wrong)?;
        self.at += 2 + digits;
        Ok(code)
    }

    fn sign(&mut self) -> Result<Token<'s>, SourceError> {
        let sign = SIGNS.iter().find(|sign| self.rest().starts_with(**sign));
        let sign = sign.ok_or(SourceError::Token { at: self.at, what: "a character outside of the language" })?;
        self.at += sign.len();
        Ok(Token::Sign(sign))
    }
}
