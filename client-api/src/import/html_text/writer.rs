//! Writes text as a browser would lay it out: collapsed spaces, lines, blank lines between blocks, prefixes.

/// Collects text; line ends are only written once something follows them, so none is left at either end.
#[derive(Debug, Default)]
pub(super) struct TextWriter {
    text: String,
    /// Line ends to write before the next character.
    line_ends: usize,
    /// A space to write before the next character, if that is on the same line.
    space: bool,
    preformatted: bool,
    prefixes: Vec<Prefix>,
    /// How many of `prefixes` have been in force without a break since the last character.
    common_prefixes: usize,
    starts_with_space: bool,
}

/// What stands at the beginning of the lines of a quotation or a list item.
#[derive(Debug)]
struct Prefix {
    first: Option<String>,
    rest: String,
}

impl TextWriter {
    /// Adds text of the document.
    pub(super) fn text(&mut self, text: &str) {
        if self.preformatted {
            return self.literal(text);
        }
        for c in text.chars() {
            if c.is_ascii_whitespace() {
                self.space = true;
                self.starts_with_space |= self.text.is_empty();
            } else {
                self.put(c);
            }
        }
    }

    /// Adds text whose spaces and line ends count.
    pub(super) fn literal(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\n' => self.line_break(),
                '\r' => {}
                _ => self.put(c),
            }
        }
    }

    /// Ends the line.
    pub(super) fn line_break(&mut self) {
        self.space = false;
        self.line_ends += 1;
    }

    /// Asks for at least `line_ends` between what was written and what follows.
    pub(super) fn separate(&mut self, line_ends: usize) {
        self.space = false;
        self.line_ends = self.line_ends.max(line_ends);
    }

    /// Begins lines with `rest`, and the next one with `first`, until the matching [`TextWriter::pop_prefix`].
    pub(super) fn push_prefix(&mut self, first: &str, rest: &str) {
        self.prefixes.push(Prefix { first: Some(first.to_owned()), rest: rest.to_owned() });
    }

    pub(super) fn pop_prefix(&mut self) {
        self.prefixes.pop();
        self.common_prefixes = self.common_prefixes.min(self.prefixes.len());
    }

    /// Says whether spaces and line ends count from here on, and answers whether they did before.
    pub(super) fn preformatted(&mut self, preformatted: bool) -> bool {
        std::mem::replace(&mut self.preformatted, preformatted)
    }

    pub(super) fn is_preformatted(&self) -> bool {
        self.preformatted
    }

    /// There was white space before the first character.
    pub(super) fn starts_with_space(&self) -> bool {
        self.starts_with_space
    }

    /// There is white space after the last character.
    pub(super) fn ends_with_space(&self) -> bool {
        self.space
    }

    pub(super) fn finish(self) -> String {
        let mut text = self.text;
        text.truncate(text.trim_end().len());
        text
    }

    fn put(&mut self, c: char) {
        if self.text.is_empty() {
            self.line_ends = 0;
            self.begin_line();
        } else if self.line_ends > 0 {
            self.end_lines();
            self.begin_line();
        } else if self.space {
            self.text.push(' ');
        }
        self.space = false;
        self.text.push(c);
    }

    fn end_lines(&mut self) {
        let blank: String = self.prefixes[..self.common_prefixes].iter().map(|prefix| prefix.rest.as_str()).collect();
        self.text.truncate(self.text.trim_end_matches([' ', '\t']).len());
        self.text.push('\n');
        for _ in 1..self.line_ends {
            self.text.push_str(blank.trim_end());
            self.text.push('\n');
        }
        self.line_ends = 0;
    }

    fn begin_line(&mut self) {
        for prefix in &mut self.prefixes {
            match prefix.first.take() {
                Some(first) => self.text.push_str(&first),
                None => self.text.push_str(&prefix.rest),
            }
        }
        self.common_prefixes = self.prefixes.len();
    }
}
