//! How an answer begins, for messages.

use std::fmt;

/// The beginning of an answer, made harmless for a line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// Characters that are kept.
    const LENGTH: usize = 120;

    /// The beginning of a body, in one line.
    pub(crate) fn of(body: &[u8]) -> Self {
        // Four bytes are the longest character.
        let body = &body[..body.len().min(8 * Self::LENGTH)];
        let text = String::from_utf8_lossy(body);
        let mut words = String::new();
        for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
            if !word.is_empty() {
                words.push_str(if words.is_empty() { "" } else { " " });
                words.push_str(word);
            }
        }
        let mut short: String = words.chars().take(Self::LENGTH).collect();
        if short.len() < words.len() {
            short.push('…');
        }
        Self(short)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            f.write_str("it is empty")
        } else {
            write!(f, "it begins with {:?}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_of_one_line() {
        let page = format!("<html>\r\n\t<b>\x1b[31mNo\0</b>{}", "x".repeat(5_000));
        let shown = Excerpt::of(page.as_bytes()).to_string();
        assert!(
            shown.starts_with("it begins with \"<html> <b> [31mNo </b>xxx"),
            "{shown}"
        );
        assert!(shown.chars().count() < 150 && !shown.contains(char::is_control));
        assert_eq!(Excerpt::of(b" \n").to_string(), "it is empty");
        assert!(Excerpt::of(&[0xd8, 0xc9]).to_string().contains('\u{fffd}'));
    }
}
