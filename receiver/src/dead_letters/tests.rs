use super::*;

fn letter(number: usize) -> Arc<DeadLetter> {
    let payload = format!("{{\"number\":{number}}}");
    let topic = "envoy/e/inverters/i";
    DeadLetter::new(topic, payload.as_bytes(), "no".to_owned()).into()
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(path).expect("a file that was written");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

#[test]
fn a_letter_is_a_line_with_what_a_person_needs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("below/letters.jsonl");
    let payload = [b"\x00\"", &[b'x'; 2000][..]].concat();
    let letter = DeadLetter::new("a/topic", &payload, "a reason".to_owned());
    DeadLetters::new(path.clone(), FULL).append(&[letter.into()]);
    let [line] = &lines(&path)[..] else {
        panic!("not one line");
    };
    assert_eq!(line["topic"], "a/topic");
    assert_eq!(line["reason"], "a reason");
    assert_eq!(line["payload_bytes"], 2002);
    let kept = line["payload"].as_str().expect("text");
    assert!(kept.starts_with(r#"\x00\"xxx"#), "{kept}");
    assert!(kept.len() <= 4 * KEPT_PAYLOAD);
}

#[test]
fn a_letter_knows_its_place_where_it_names_one() {
    let envoy: Serial = "e".parse().expect("a serial");
    let place = |payload: &[u8]| {
        let letter = DeadLetter::new("t", payload, "no".to_owned());
        letter.of_envoy(&envoy, payload).place().cloned()
    };
    let journal = "j".parse().expect("an id");
    let named = place(br#"{"journal":"j","seq":7,"power_w":"much"}"#);
    assert_eq!(named, Some((envoy.clone(), journal, 7)));
    for nowhere in [
        &br#"{"journal":"j"}"#[..],
        br#"{"journal":"a b","seq":7}"#,
        br#"{"journal":"j","seq":0}"#,
        br#"{"journal":"j","seq":9007199254740992}"#,
        b"no JSON",
    ] {
        assert_eq!(place(nowhere), None);
    }
}

#[test]
fn a_flood_leaves_two_files_that_are_not_larger_than_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("letters.jsonl");
    let letters = DeadLetters::new(path.clone(), 4_000);
    for batch in 0..50 {
        let flood: Vec<_> = (0..20).map(|place| letter(20 * batch + place)).collect();
        letters.append(&flood);
    }
    let files: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(files.len(), 2);
    for file in files {
        let length = file.and_then(|file| file.metadata()).expect("a file").len();
        assert!(length <= 4_000, "{length}");
    }
    let newest = lines(&path).pop().expect("a line");
    assert_eq!(newest["payload"], r#"{\"number\":999}"#);
}

#[test]
fn letters_that_can_not_be_written_go_to_the_log_and_not_without_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let blocked = folder.path().join("a file");
    fs::write(&blocked, "").expect("a folder that can be written");
    let letters = DeadLetters::new(blocked.join("letters.jsonl"), FULL);
    for _ in 0..5 {
        let flood: Vec<_> = (0..90).map(letter).collect();
        letters.append(&flood);
    }
    let state = letters.0.lock().expect("nothing panics");
    assert!(state.failed);
    assert_eq!(state.logged, LOGGED);
}
