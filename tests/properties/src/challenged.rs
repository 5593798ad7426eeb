//! The answer to a challenge for a digest, as a server looks at it (RFC 7616).

use std::collections::BTreeMap;

use md5::Md5;
use ring::digest::{SHA256, SHA512_256};

/// Whether a server that knows the password lets in whoever answers like this: each parameter is there once, and the
/// response is the one that follows from them.
pub(crate) fn is_right(answer: &str, asked: (&str, &str), password: &str, challenges: &[&[u8]]) {
    let (user, path) = asked;
    let given = parameters(answer);
    let of = |name: &str| given.get(name).map(String::as_str);
    let is_new = of("qop").is_some();
    assert_eq!(of("uri"), Some(path), "{answer}");
    let (realm, nonce) = (&given["realm"], &given["nonce"]);
    // Without a qop the answer does not repeat the algorithm: the server goes by its own challenge.
    let algorithms: Vec<_> = match of("algorithm") {
        Some(algorithm) => vec![algorithm],
        None => ["MD5", "SHA-256", "SHA-512-256"]
            .into_iter()
            .filter(|name| *name == "MD5" || challenges.iter().any(|one| has(one, name)))
            .collect(),
    };
    let is_response = |algorithm: &str| {
        let (algorithm, is_session) = algorithm
            .strip_suffix("-sess")
            .map_or((algorithm, false), |algorithm| (algorithm, true));
        let hash = |parts: &[&str]| hash(algorithm, &parts.join(":"));
        let mut secret = hash(&[user, realm, password]);
        if is_session {
            secret = hash(&[&secret, nonce, &given["cnonce"]]);
        }
        let asked = hash(&["GET", path]);
        let response = if is_new {
            let (count, own, qop) = (&given["nc"], &given["cnonce"], &given["qop"]);
            assert_eq!((count.as_str(), qop.as_str()), ("00000001", "auth"));
            hash(&[&secret, nonce, count, own, qop, &asked])
        } else {
            hash(&[&secret, nonce, &asked])
        };
        let name = if of("userhash") == Some("true") {
            hash(&[user, realm])
        } else {
            user.to_owned()
        };
        response == given["response"] && name == given["username"]
    };
    assert!(algorithms.into_iter().any(is_response), "{answer}");
}

fn has(challenge: &[u8], word: &str) -> bool {
    let word = word.as_bytes();
    challenge.windows(word.len()).any(|part| part == word)
}

fn hash(algorithm: &str, text: &str) -> String {
    let text = text.as_bytes();
    let bytes = match algorithm {
        "MD5" => <Md5 as md5::Digest>::digest(text).to_vec(),
        "SHA-256" => ring::digest::digest(&SHA256, text).as_ref().to_vec(),
        "SHA-512-256" => ring::digest::digest(&SHA512_256, text).as_ref().to_vec(),
        other => panic!("no algorithm {other}"),
    };
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// `name=word` and `name="text"`, with commas between.
fn parameters(answer: &str) -> BTreeMap<String, String> {
    let mut rest = answer.strip_prefix("Digest ").expect("a digest");
    let mut parameters = BTreeMap::new();
    loop {
        let (name, after) = rest.split_once('=').expect("a name");
        let (value, behind) = if let Some(quoted) = after.strip_prefix('"') {
            text(quoted)
        } else {
            let end = after.find(',').unwrap_or(after.len());
            (after[..end].to_owned(), &after[end..])
        };
        let before = parameters.insert(name.to_owned(), value);
        assert_eq!(before, None, "{name} stands there twice: {answer}");
        if behind.is_empty() {
            return parameters;
        }
        rest = behind.strip_prefix(", ").expect("a comma");
    }
}

/// The text before the next quotation mark, and what is behind that.
fn text(quoted: &str) -> (String, &str) {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return (text, &quoted[place + 1..]),
            '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
            other => text.push(other),
        }
    }
    panic!("no quotation mark ends {quoted:?}");
}
