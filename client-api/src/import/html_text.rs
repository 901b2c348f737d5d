//! HTML of a post to plain text, without losing a link or a line break.
//!
//! Parsed by an HTML5 parser and read as a browser would show it: white space collapses, paragraphs are
//! set apart by a blank line. Nothing of the result is markup; whoever shows it escapes it.

mod link;
mod writer;

#[cfg(test)]
mod tests;

use scraper::{ElementRef, Html, Node};

pub use self::link::KnownMention;
pub(super) use self::link::percent_decode;
use self::link::{LinkText, link_text};
use self::writer::TextWriter;

/// Largest HTML of one post, bytes.
pub const HTML_BYTES_MAX: usize = 512 << 10;
/// Most tags in the HTML of one post: the time to parse nested ones grows with their square.
pub const HTML_TAGS_MAX: usize = 6_000;
/// Deepest nesting that is read element by element; what lies deeper is taken as its bare text.
const DEPTH_MAX: usize = 200;

/// What a post's HTML says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlainText {
    /// The text; lines end with `\n`, none at either end.
    pub text: String,
    /// Where the text links to, `http` and `https` only, each once, in their order. Those of hash tags are left out.
    pub links: Vec<String>,
}

/// Reads `html`; `mentions` tells the full name of those whom it calls only by their short one.
///
/// # Errors
/// If parsing might take very long.
pub fn html_to_text(html: &str, mentions: &[KnownMention]) -> Result<PlainText, HtmlTooLarge> {
    let tags = html.matches('<').count();
    if html.len() > HTML_BYTES_MAX || tags > HTML_TAGS_MAX {
        return Err(HtmlTooLarge { bytes: html.len(), tags });
    }
    let document = Html::parse_fragment(html);
    let mut reader = Reader { out: TextWriter::default(), links: Vec::new(), mentions };
    reader.children(document.root_element(), 0);
    Ok(PlainText { text: reader.out.finish(), links: reader.links })
}

/// HTML beyond [`HTML_BYTES_MAX`] or [`HTML_TAGS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its HTML has {bytes} bytes and {tags} tags, more than {HTML_BYTES_MAX} and {HTML_TAGS_MAX}")]
pub struct HtmlTooLarge {
    /// How many bytes.
    pub bytes: usize,
    /// How many tags.
    pub tags: usize,
}

struct Reader<'m> {
    out: TextWriter,
    links: Vec<String>,
    mentions: &'m [KnownMention],
}

impl Reader<'_> {
    fn children(&mut self, parent: ElementRef<'_>, depth: usize) {
        for child in parent.children() {
            match child.value() {
                Node::Text(text) => self.out.text(text),
                Node::Element(_) => {
                    if let Some(element) = ElementRef::wrap(child) {
                        self.element(element, depth + 1);
                    }
                }
                _ => {}
            }
        }
    }

    fn element(&mut self, element: ElementRef<'_>, depth: usize) {
        if depth > DEPTH_MAX {
            element.text().for_each(|text| self.out.text(text));
            return;
        }
        match element.value().name() {
            "br" => self.out.line_break(),
            "a" => self.link(element, depth),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "figure" => self.block(element, depth, 2),
            "div" | "section" | "article" | "header" | "footer" | "main" | "aside" | "nav" | "tr" | "dt" | "dd"
            | "figcaption" | "details" | "summary" | "address" => self.block(element, depth, 1),
            "ul" | "ol" => self.list(element, depth),
            "li" => self.item(element, depth, "- "),
            "blockquote" => {
                self.out.separate(2);
                self.out.push_prefix("> ", "> ");
                self.children(element, depth);
                self.out.pop_prefix();
                self.out.separate(2);
            }
            "pre" => {
                self.out.separate(2);
                let outer = self.out.preformatted(true);
                self.children(element, depth);
                self.out.preformatted(outer);
                self.out.separate(2);
            }
            "hr" => {
                self.out.separate(2);
                self.out.text("---");
                self.out.separate(2);
            }
            "td" | "th" => {
                self.out.text(" ");
                self.children(element, depth);
            }
            "img" => self.out.text(element.attr("alt").unwrap_or_default()),
            "script" | "style" | "template" | "title" => {}
            _ => self.children(element, depth),
        }
    }

    fn block(&mut self, element: ElementRef<'_>, depth: usize, line_ends: usize) {
        self.out.separate(line_ends);
        self.children(element, depth);
        self.out.separate(line_ends);
    }

    /// A list is a paragraph of its own, unless it stands in another list.
    fn list(&mut self, element: ElementRef<'_>, depth: usize) {
        let nested = element.ancestors().filter_map(ElementRef::wrap).any(|outer| outer.value().name() == "li");
        let line_ends = if nested { 1 } else { 2 };
        self.out.separate(line_ends);
        if element.value().name() == "ol" {
            let mut number = element.attr("start").and_then(|start| start.parse::<i64>().ok()).unwrap_or(1);
            for item in element.child_elements() {
                self.item(item, depth + 1, &format!("{number}. "));
                number = number.saturating_add(1);
            }
        } else {
            self.children(element, depth);
        }
        self.out.separate(line_ends);
    }

    fn item(&mut self, element: ElementRef<'_>, depth: usize, marker: &str) {
        if depth > DEPTH_MAX {
            element.text().for_each(|text| self.out.text(text));
            return;
        }
        self.out.separate(1);
        self.out.push_prefix(marker, &" ".repeat(marker.len()));
        self.children(element, depth);
        self.out.pop_prefix();
        self.out.separate(1);
    }

    fn link(&mut self, element: ElementRef<'_>, depth: usize) {
        let Some(href) = element.attr("href").map(str::trim).filter(|href| !href.is_empty()) else {
            return self.children(element, depth);
        };
        let mut inner = Reader { out: TextWriter::default(), links: Vec::new(), mentions: self.mentions };
        inner.out.preformatted(self.out.is_preformatted());
        inner.children(element, depth);
        let (starts_apart, ends_apart) = (inner.out.starts_with_space(), inner.out.ends_with_space());
        let written = inner.out.finish();

        let LinkText { text, is_tag } = link_text(element, href, &written, self.mentions);
        if starts_apart {
            self.out.text(" ");
        }
        self.out.literal(&text);
        if ends_apart {
            self.out.text(" ");
        }
        let on_the_web = href.starts_with("https://") || href.starts_with("http://");
        if on_the_web && !is_tag && !self.links.iter().any(|known| known == href) {
            self.links.push(href.to_owned());
        }
    }
}
