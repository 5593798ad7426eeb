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
                words.push_str(&without_token(word));
            }
        }
        let mut short: String = words.chars().take(Self::LENGTH).collect();
        if short.len() < words.len() {
            short.push('…');
        }
        Self(short)
    }

    /// The beginning alone.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// A page of an error may repeat what was sent to it, and with it the token. Every one begins like
/// this, and ends with the first character that none has.
fn without_token(word: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut pieces = word.split("eyJ");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text.push_str("***");
        text.push_str(piece.trim_start_matches(is_part));
    }
    text
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
    fn a_token_that_an_answer_repeats_is_left_out() {
        let page = b"<b>Authorization: Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln</b> refused";
        let shown = Excerpt::of(page).to_string();
        assert!(shown.contains("Bearer ***</b> refused"), "{shown}");
    }

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
