//! Text that others wrote, made safe for a terminal: nothing in it can move the cursor, change
//! colours, retitle the window or turn the reading direction around.

/// The text without control and direction characters; line breaks and tabs stay.
pub fn printable(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !is_unsafe(*c)).collect()
}

/// As [`printable`], on one line.
pub fn printable_line(text: &str) -> String {
    let flat: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    printable(&flat).trim().to_owned()
}

/// JSON for a terminal or a pipe: what [`printable`] drops is written as `\u` escapes, so nothing is lost.
pub(crate) fn printable_json(value: &serde_json::Value) -> String {
    let mut safe = String::new();
    for c in value.to_string().chars() {
        if is_unsafe(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

fn is_unsafe(c: char) -> bool {
    let direction =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || direction || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_others_do_not_reach_the_terminal() {
        assert_eq!(printable("\u{1b}[2J\u{1b}]0;owned\u{7}hello\r\n\tx\u{9b}31m\u{7f}"), "[2J]0;ownedhello\n\tx31m");
        assert_eq!(printable("a\u{202e}b\u{2066}c\u{feff}"), "abc");
        assert_eq!(printable("Xin chào xóm! 🏡"), "Xin chào xóm! 🏡");
    }

    #[test]
    fn a_name_stays_on_one_line() {
        assert_eq!(printable_line(" Lan\r\n\u{1b}[31m fake line\u{2028}x "), "Lan  [31m fake line x");
    }

    #[test]
    fn json_keeps_everything_but_escapes_what_a_terminal_would_obey() {
        let value = serde_json::json!({"text": "a\u{9b}b\u{202e}\u{1b}c\u{e0041}"});
        let line = printable_json(&value);
        assert!(line.is_ascii(), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
