//! Tidying what people and archives bring, before it is signed: `BODY-0` allows few control characters.

use super::{Post, Profile};

/// Text without control characters but line feed and tab; CR LF and CR become LF (`BODY-0`).
pub fn tidy_text(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    lines.chars().filter(|c| !c.is_ascii_control() || matches!(c, '\n' | '\t')).collect()
}

/// One line: white space that is a control character becomes a space, other control characters go (`BODY-0`).
pub fn tidy_line(text: &str) -> String {
    let spaced = tidy_text(text).replace(['\n', '\t'], " ");
    spaced.trim().to_owned()
}

impl Post {
    /// The post with its texts tidied; bounds are still to be checked.
    pub fn tidy(mut self) -> Self {
        self.text = tidy_text(&self.text);
        self.warning = tidy_text(&self.warning);
        for attachment in &mut self.attachments {
            attachment.alt = tidy_text(&attachment.alt);
        }
        for option in self.poll.iter_mut().flat_map(|poll| &mut poll.options) {
            *option = tidy_line(option);
        }
        for mention in &mut self.mentions {
            mention.name = tidy_line(&mention.name);
        }
        self
    }
}

impl Profile {
    /// The profile with its texts tidied; bounds are still to be checked.
    pub fn tidy(mut self) -> Self {
        self.name = self.name.map(|name| tidy_line(&name));
        self.bio = self.bio.map(|bio| tidy_text(&bio));
        for field in self.fields.iter_mut().flatten() {
            field.name = tidy_line(&field.name);
            field.value = tidy_line(&field.value);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Body, Poll, ProfileField};
    use super::*;

    #[test]
    fn a_tidied_post_or_profile_has_no_forbidden_characters() {
        let options = vec!["one\r\n".to_owned(), "t\0wo\tthree".to_owned()];
        let poll = Some(Poll { options, multiple: false, hide_totals: false, ends: 1 });
        let (text, warning) = ("a\r\nb\rc\u{7}\td".to_owned(), "w\0".to_owned());
        let post = Post { text, warning, poll, ..Post::default() }.tidy();
        assert_eq!((post.text.as_str(), post.warning.as_str()), ("a\nb\nc\td", "w"));
        assert_eq!(post.poll.as_ref().map(|poll| poll.options.clone()), Some(vec!["one".into(), "two three".into()]));
        assert_eq!(Body::Post(post).check(), Ok(()));
        let fields = Some(vec![ProfileField { name: "a\nb".into(), value: "\u{1b}c".into() }]);
        let profile = Profile { name: Some("two\r\nlines".into()), fields, ..Profile::default() }.tidy();
        assert_eq!(profile.name.as_deref(), Some("two lines"));
        assert_eq!(Body::Profile(profile).check(), Ok(()));
    }
}
