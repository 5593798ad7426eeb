//! The file that they are kept in.

use super::*;

#[test]
fn a_file_gives_back_what_was_saved_for_this_store_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("below/marks.json");
    let file = |store: &str| MarksFile::new(path.clone(), store.to_owned());
    let mut kept = marks(&[1..=3, 5..=MAX_SEQ]);
    assert_eq!(kept.holds_from(&envoy("e"), &journal("j"), 2), 0);
    assert_eq!(
        file("a").load().expect("no file is no mistake"),
        Marks::default()
    );
    file("a").save(&kept).expect("a folder that can be written");
    assert_eq!(file("a").load().expect("it was just written"), kept);
    let error = file("b").load().expect_err("another store");
    assert!(
        error.to_string().contains("of another store (a)"),
        "{error}"
    );
    assert!(path.exists());
}

/// A file, and marks that are in it: of three Envoys.
fn written(path: &std::path::Path) -> (MarksFile, Marks) {
    let file = MarksFile::new(path.to_owned(), "a".to_owned());
    let mut marks = Marks::default();
    for name in ["a", "b", "c"] {
        marks.settle(&envoy(name), &journal("j"), 1..=3);
    }
    file.save(&marks).expect("a folder that can be written");
    (file, marks)
}

/// Marks the next reading of an Envoy, here and in the file.
fn one_more(file: &MarksFile, marks: &mut Marks, name: &str) {
    let own = envoy(name);
    let next = marks
        .highest(&own, &journal("j"))
        .map_or(1, |last| last + 1);
    marks.settle(&own, &journal("j"), next..=next);
    file.update(&marks.of([&own]))
        .expect("a file that can be written");
}

#[test]
fn what_changes_is_put_behind_what_is_there_and_read_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marks.json");
    let (file, mut marks) = written(&path);
    let before = std::fs::read(&path).expect("it is there");
    for name in ["a", "new", "b", "a"] {
        one_more(&file, &mut marks, name);
        assert_eq!(file.load().expect("it was just written"), marks);
    }
    let text = std::fs::read(&path).expect("it is there");
    assert!(text.starts_with(&before), "all of it was written anew");
    // Whoever starts with it goes on.
    let next = MarksFile::new(path.clone(), "a".to_owned());
    assert_eq!(next.load().expect("it was just written"), marks);
    one_more(&next, &mut marks, "c");
    assert!(
        std::fs::read(&path)
            .expect("it is there")
            .starts_with(&text)
    );
}

#[test]
fn a_file_of_marks_does_not_grow_with_what_is_marked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marks.json");
    let (file, mut marks) = written(&path);
    for _ in 0..1_000 {
        one_more(&file, &mut marks, "b");
        let length = path.metadata().expect("it is there").len();
        assert!(length < 17 * 1024, "{length} bytes");
    }
    assert_eq!(file.load().expect("it was just written"), marks);
}

#[test]
fn what_a_power_cut_leaves_of_a_line_is_as_if_it_was_never_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marks.json");
    let (file, mut marks) = written(&path);
    one_more(&file, &mut marks, "b");
    let text = std::fs::read(&path).expect("it is there");
    let before = marks.clone();
    one_more(&file, &mut marks, "c");
    let more = std::fs::read(&path).expect("it is there");
    for length in text.len()..more.len() {
        for behind in ["", "\0\0\0\n", "{\n"] {
            let left = [&more[..length], behind.as_bytes()].concat();
            std::fs::write(&path, left).expect("a file");
            let file = MarksFile::new(path.clone(), "a".to_owned());
            assert_eq!(file.load().expect("the rest is whole"), before);
            // What is written then is not lost behind it.
            let mut next = before.clone();
            one_more(&file, &mut next, "a");
            assert_eq!(file.load().expect("it was just written"), next);
        }
    }
}

#[test]
fn a_file_that_was_removed_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marks.json");
    let (file, mut marks) = written(&path);
    std::fs::remove_file(&path).expect("it is there");
    one_more(&file, &mut marks, "b");
    assert_eq!(file.load().expect("it is back"), marks.of([&envoy("b")]));
}

#[test]
fn a_file_that_somebody_replaced_is_not_gone_on_with_but_written_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marks.json");
    let (file, mut marks) = written(&path);
    let before = std::fs::read(&path).expect("it is there");
    let torn = [&before[..], b"{\"envoy\":"].concat();
    std::fs::write(&path, torn).expect("a file");
    one_more(&file, &mut marks, "b");
    assert_eq!(file.load().expect("it was just written"), marks);
}

#[test]
fn what_was_left_of_a_file_written_anew_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marks.json");
    let (file, mut marks) = written(&path);
    one_more(&file, &mut marks, "b");
    // A power cut within it: the old one is whole, and the next one takes the place of what is there.
    let new = path.with_extension("new");
    std::fs::write(&new, r#"{"format":2,"store":"a","marks":[{"en"#).expect("a file");
    let next = MarksFile::new(path.clone(), "a".to_owned());
    assert_eq!(next.load().expect("it is whole"), marks);
    next.save(&marks).expect("a folder that can be written");
    assert_eq!(next.load().expect("it was just written"), marks);
    assert!(!new.exists());
}

#[test]
fn a_file_of_the_first_format_is_read_and_gone_on_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marks.json");
    let text = r#"{"format":1,"store":"a","marks":[{"envoy":"e","journals":[{"id":"j","first":2,"settled":[[1,3],[5,6]]}]}]}"#;
    std::fs::write(&path, text).expect("a file");
    let file = MarksFile::new(path.clone(), "a".to_owned());
    let mut marks = file.load().expect("it is whole");
    assert_eq!(missing(&marks, 1..=7), [4..=4, 7..=7]);
    assert!(marks.firsts().eq([(&envoy("e"), &journal("j"), 2)]));
    one_more(&file, &mut marks, "e");
    assert_eq!(file.load().expect("it was just written"), marks);
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert!(
        text.starts_with(r#"{"format":2,"store":"a","marks":["#),
        "{text}"
    );
}

#[test]
fn a_file_of_another_format_is_named_and_gives_no_marks() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marks.json");
    std::fs::write(&path, r#"{"format":99,"store":"a","marks":"?"}"#).expect("a file");
    let error = MarksFile::new(path, "a".to_owned()).load();
    let error = error.expect_err("nobody knows it").to_string();
    assert!(error.contains("format 99"), "{error}");
}

#[test]
fn a_damaged_file_is_set_aside_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marks.json");
    let file = MarksFile::new(path.clone(), "a".to_owned());
    for damage in [
        "",
        "{",
        r#"{"format":1,"store":"a","marks":[{"envoy":"e","journals":[{"id":"j","settled":[[9,3]]}]}]}"#,
    ] {
        std::fs::write(&path, damage).expect("a folder that can be written");
        let error = file.load().expect_err("it is damaged");
        assert!(error.to_string().contains("marks.damaged"), "{error}");
        assert!(!path.exists(), "{damage}");
    }
}

#[test]
fn a_save_that_fails_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let blocked = folder.path().join("a file");
    std::fs::write(&blocked, "").expect("a folder that can be written");
    let file = MarksFile::new(blocked.join("marks.json"), "a".to_owned());
    let error = file.save(&marks(&[1..=3])).expect_err("that is no folder");
    let chain = format!("{error}: {:?}", std::error::Error::source(&error));
    assert!(chain.contains("can't be written"), "{chain}");
    let again = file.save(&marks(&[1..=3])).expect_err("that is no folder");
    let again = format!("{again}: {:?}", std::error::Error::source(&again));
    assert_eq!(chain, again, "so that it is said once");
}
