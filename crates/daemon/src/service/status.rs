//! How things stand in all parts, in one line.

/// The longest status that is told, in characters; a reason may quote what a server says.
const LONGEST: usize = 300;

/// What several parts say. What they say alike, such as why there is no connection, is said once.
pub(super) fn joined<'a>(said: impl Iterator<Item = &'a str>) -> String {
    let mut clauses: Vec<&str> = Vec::new();
    for clause in said.flat_map(|status| status.split("; ")) {
        if !clause.is_empty() && !clauses.contains(&clause) {
            clauses.push(clause);
        }
    }
    shortened(&clauses.join("; "))
}

/// One that is too long ends with a whole word and an ellipsis.
fn shortened(status: &str) -> String {
    if status.chars().count() <= LONGEST {
        return status.to_owned();
    }
    let room: String = status.chars().take(LONGEST - 1).collect();
    let words = room.rfind(' ').map_or(&*room, |end| &room[..end]);
    format!("{}…", words.trim_end_matches([' ', ',', ';', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_parts_say_alike_is_said_once() {
        let broker = "no connection to the broker: refused";
        let receiver = format!("the store answers; {broker}");
        assert_eq!(
            joined([broker, "", &receiver].into_iter()),
            "no connection to the broker: refused; the store answers"
        );
    }

    #[test]
    fn one_that_is_too_long_ends_with_a_whole_word() {
        let told = |status: &str| joined([status].into_iter());
        let cut = told(&"grün ".repeat(100));
        assert!(cut.chars().count() <= LONGEST, "{cut}");
        assert!(cut.ends_with("grün…"), "{cut}");
        let fits = "x".repeat(LONGEST);
        assert_eq!(told(&fits), fits);
        assert_eq!(told(&format!("{fits}x")).chars().count(), LONGEST);
    }
}
