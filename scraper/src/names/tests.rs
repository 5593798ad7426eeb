#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use super::*;

fn serial(text: &str) -> Serial {
    text.parse().unwrap()
}

#[test]
fn an_inverter_has_a_name_alone_or_with_its_array() {
    let (names, mistakes) = Names::parse(
        "# the roof\n[inverters]\n482012345678 = \"Garage left\"\n482012345679 = { name = \"Garage right\", array = \"Garage\" }\n482012345680 = { array = \"Garage\" }\n",
    );
    assert_eq!(mistakes, None);
    assert_eq!(names.name(&serial("482012345678")), Some("Garage left"));
    assert_eq!(names.array(&serial("482012345678")), None);
    assert_eq!(names.array(&serial("482012345679")), Some("Garage"));
    assert_eq!(names.name(&serial("482012345680")), None);
    assert_eq!(names.inverters().count(), 3);
}

#[test]
fn all_mistakes_are_named_with_their_lines() {
    let text = "[inverters]\n1 = 7\n\"a b\" = \"x\"\n2 = \"\"\n3 = { nme = \"x\" }\n4 = \"good\"\n";
    let (names, mistakes) = Names::parse(text);
    assert_eq!(names.name(&serial("4")), Some("good"));
    assert_eq!(names.inverters().count(), 1);
    assert_eq!(
        mistakes.unwrap().to_string(),
        "line 2: 1: the name is no text; write it in quotation marks; \
         line 3: \"a b\" is no serial number: "
            .to_owned()
            + &"a b".parse::<Serial>().unwrap_err().to_string()
            + "; line 4: 2: the name is empty; leave it out; \
         line 5: 3: there is no \"nme\"; write name and array"
    );
}

#[test]
fn a_name_of_two_inverters_is_found_out() {
    let text = "[inverters]\n1 = \"left\"\n2 = { name = \"left\" }\n3 = \"right\"\n4 = { array = \"roof\" }\n";
    let (names, mistakes) = Names::parse(text);
    assert_eq!(mistakes, None);
    let (one, two) = (serial("1"), serial("2"));
    assert_eq!(names.shared(), [("left", vec![&one, &two])].into());
}

#[test]
fn a_name_that_is_the_envoys_is_found_out() {
    let (names, _) = Names::parse(
        "[inverters]\n1 = \"Envoy 122012345678\"\n2 = \"envoy 122012345678\"\n3 = \"122012345678\"\n4 = \"Envoy\"\n",
    );
    let envoy = serial("122012345678");
    let found: Vec<&str> = names.as_the_envoy(&envoy).map(Serial::as_str).collect();
    assert_eq!(found, ["1", "2", "3"]);
    assert_eq!(names.as_the_envoy(&serial("9")).count(), 0);
}

#[test]
fn a_name_turns_no_text_around() {
    let text = "[inverters]\n1 = \"roof\u{202e}tsew\u{202c}\"\n2 = \"\u{2067}\"\n3 = \"\u{5d2}\u{5d2}\u{200f}\"\n";
    let (names, mistakes) = Names::parse(text);
    assert_eq!(names.name(&serial("1")), Some("rooftsew"));
    assert_eq!(names.name(&serial("3")), Some("\u{5d2}\u{5d2}\u{200f}"));
    assert_eq!(
        mistakes.unwrap().to_string(),
        "line 3: 2: the name is empty; leave it out"
    );
}

/// The lines that are wrong, and the names of those that are not.
fn wrong_and_right(content: &[u8]) -> (Vec<usize>, Vec<String>) {
    let (names, mistakes) = Names::parse(content);
    let lines = mistakes.map_or(Vec::new(), |mistakes| {
        mistakes.0.iter().map(|mistake| mistake.line).collect()
    });
    let names = names.0.into_values().filter_map(|named| named.name);
    (lines, names.collect())
}

#[test]
fn a_line_that_is_no_toml_costs_itself_alone() {
    let both = ["a".to_owned(), "c".to_owned()];
    for wrong in [
        "2 = \"b",
        "2 = b",
        "2 \"b\"",
        "1 = \"twice\"",
        "[inverter]",
        "2 = { name = \"b\"",
        "[",
    ] {
        let text = format!("[inverters]\n1 = \"a\"\n{wrong}\n3 = \"c\"\n");
        let (lines, names) = wrong_and_right(text.as_bytes());
        assert_eq!((lines, &names[..]), (vec![3], &both[..]), "{wrong}");
    }
    let (lines, names) = wrong_and_right(b"[inverters]\n1 = \"a\"\n2 = \"\xff\"\n3 = \"c\"\n");
    assert_eq!((lines, &names[..]), (vec![3], &both[..]));
}

#[test]
fn nothing_in_a_mistake_is_obeyed_by_a_terminal() {
    let text = "\"\\u001b[2J\" = 1\n[inverters]\n\"\\u0007\" = 7\n";
    let (_, mistakes) = Names::parse(text);
    let said = mistakes.expect("two of them").to_string();
    assert!(said.contains("line 1") && said.contains("line 3"), "{said}");
    assert!(!said.contains(char::is_control), "{said:?}");
}

#[test]
fn what_is_no_file_of_names_at_all_names_nobody() {
    let (lines, names) = wrong_and_right("Dear Sir,\n\n".repeat(50).as_bytes());
    assert_eq!((lines.len(), names.len()), (MOST_LINES, 0));
    assert_eq!(wrong_and_right(b""), (vec![], vec![]));
}

#[test]
fn a_file_is_read_again_when_it_changes_and_names_whom_it_can() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("names.toml");
    fs::write(&path, "[inverters]\n1 = \"a\"\n").unwrap();
    let mut file = NamesFile::open(path.clone()).unwrap();
    assert_eq!(file.look().unwrap(), Looked::Unchanged);
    fs::write(&path, "[inverters]\n1 = \"longer\"\n").unwrap();
    assert_eq!(file.look().unwrap(), Looked::Read { are_others: true });
    assert_eq!(file.names().name(&serial("1")), Some("longer"));
    assert_eq!(file.mistakes(), None);
    fs::write(&path, "[inverters]\n1 = \"longer\"\n2 = 12345\n").unwrap();
    assert_eq!(file.look().unwrap(), Looked::Read { are_others: false });
    assert!(file.mistakes().is_some());
    assert_eq!(file.names().name(&serial("1")), Some("longer"));
    // A start takes it as it is.
    let begun = NamesFile::open(path.clone()).unwrap();
    assert_eq!(
        (begun.names(), begun.mistakes()),
        (file.names(), file.mistakes())
    );
    fs::remove_file(&path).unwrap();
    file.look().unwrap_err();
    assert_eq!(
        file.look().unwrap(),
        Looked::Unchanged,
        "that it is away is said once"
    );
    fs::write(&path, "[inverters]\n1 = \"back again\"\n").unwrap();
    assert_eq!(file.look().unwrap(), Looked::Read { are_others: true });
}

#[test]
fn what_is_no_file_is_refused_and_never_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    for (path, what) in [
        (pipe.as_path(), "a pipe"),
        (Path::new("/dev/zero"), "a device"),
        (directory.path(), "a directory"),
    ] {
        let said = NamesFile::open(path.to_owned()).unwrap_err().to_string();
        assert!(said.contains(what), "{said}");
    }
    let path = directory.path().join("names.toml");
    fs::write(&path, "[inverters]\n1 = \"a\"\n").unwrap();
    let mut file = NamesFile::open(path.clone()).unwrap();
    fs::rename(&pipe, &path).unwrap();
    file.look().unwrap_err();
    assert_eq!(file.look().unwrap(), Looked::Unchanged, "it is said once");
    assert_eq!(file.names().name(&serial("1")), Some("a"));
}
