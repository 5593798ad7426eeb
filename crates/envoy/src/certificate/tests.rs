mod lines;

use std::fs;
use std::path::Path;

use super::*;

const SERIAL: &str = "122012345678";
const ADDRESS: &str = "https://192.168.1.20";

fn one() -> Fingerprint {
    Fingerprint::of(b"one")
}

fn other() -> Fingerprint {
    Fingerprint::of(b"other")
}

fn certificates(policy: CertificatePolicy, directory: &Path) -> Certificates {
    Certificates::new(policy, StateFiles::inside(directory))
}

impl Certificates {
    /// The Envoy says who it is, with this certificate.
    fn meets(&mut self, shown: Fingerprint) -> Result<Standing, Error> {
        self.begin();
        self.noted.set(Some(shown));
        self.judge(SERIAL, ADDRESS, true, Timestamp::UNIX_EPOCH)?;
        Ok(self
            .last()
            .expect("a certificate was shown")
            .standing
            .clone())
    }
}

fn pinned_in(directory: &Path) -> Option<Fingerprint> {
    let pinned = pins::read(&StateFiles::inside(directory), SERIAL);
    pinned.expect("a pin that can be read")
}

#[test]
fn the_first_certificate_is_pinned_for_the_next_process() {
    for policy in [CertificatePolicy::AcceptNew, CertificatePolicy::Pinned] {
        let state = tempfile::tempdir().expect("a directory");
        let directory = state.path().join("not there yet");
        let mut certificates = certificates(policy, &directory);
        assert_eq!(certificates.meets(one()).ok(), Some(Standing::First));
        assert_eq!(certificates.accepted.get(), Some(one()));
        assert_eq!(certificates.meets(one()).ok(), Some(Standing::Pinned));

        let mut after_a_restart = super::tests::certificates(policy, &directory);
        assert_eq!(after_a_restart.meets(one()).ok(), Some(Standing::Pinned));
    }
}

#[test]
fn another_certificate_is_pinned_in_the_place_of_the_first_where_new_ones_are_accepted() {
    let state = tempfile::tempdir().expect("a directory");
    let mut certificates = certificates(CertificatePolicy::AcceptNew, state.path());
    let standings = [one(), other(), one()].map(|shown| certificates.meets(shown).ok());
    let expected = [
        Standing::First,
        Standing::Changed(one()),
        Standing::Changed(other()),
    ];
    assert_eq!(standings, expected.map(Some));
    assert_eq!(certificates.accepted.get(), Some(one()));
    assert_eq!(pinned_in(state.path()), Some(one()));
}

#[test]
fn another_certificate_than_the_pinned_one_is_refused_until_the_file_is_removed() {
    let state = tempfile::tempdir().expect("a directory");
    let mut certificates = certificates(CertificatePolicy::Pinned, state.path());
    certificates.meets(one()).expect("the first");
    let refusal = certificates.meets(other()).expect_err("another one");
    let text = refusal.to_string();
    let file = state.path().join("certificate-122012345678");
    let remedy = format!(
        "remove {} or give the policy pinned:{}",
        file.display(),
        other()
    );
    for part in [&one().to_string(), &other().to_string(), SERIAL, &remedy] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    assert_eq!(certificates.accepted.get(), None);
    assert_eq!(pinned_in(state.path()), Some(one()));

    fs::remove_file(file).expect("a file");
    let accepted = certificates.meets(other()).ok();
    assert_eq!(accepted, Some(Standing::Changed(one())));
    assert_eq!(pinned_in(state.path()), Some(other()));
}

#[test]
fn what_could_not_be_written_is_known_to_the_next_client_of_the_same_process() {
    let state = tempfile::tempdir().expect("a directory");
    let in_the_way = state.path().join("a file");
    fs::write(&in_the_way, "").expect("a file");
    let files = StateFiles::inside(in_the_way.join("state"));
    let client = || Certificates::new(CertificatePolicy::Pinned, files.clone());
    assert_eq!(client().meets(one()).ok(), Some(Standing::First));
    assert_eq!(client().meets(one()).ok(), Some(Standing::Pinned));
    assert!(client().meets(other()).is_err());
}

#[test]
fn a_pin_that_is_nowhere_but_in_memory_is_not_looked_for_on_disk_by_who_wants_to_accept_another() {
    let state = tempfile::tempdir().expect("a directory");
    let in_the_way = state.path().join("a file");
    fs::write(&in_the_way, "").expect("a file");
    let mut certificates = certificates(CertificatePolicy::Pinned, &in_the_way.join("state"));
    assert_eq!(certificates.meets(one()).ok(), Some(Standing::First));
    let refusal = certificates.meets(other()).expect_err("another one");
    let text = refusal.to_string();
    assert!(
        text.contains("start again") && !text.contains("remove"),
        "{text}"
    );
    assert_eq!(certificates.accepted.get(), None);
}

#[test]
fn a_pin_that_may_be_there_but_can_not_be_read_accepts_nothing_where_it_decides() {
    let state = tempfile::tempdir().expect("a directory");
    // A directory can't be read as a file, not even by root.
    fs::create_dir(state.path().join("certificate-122012345678")).expect("a directory");
    let mut certificates = certificates(CertificatePolicy::Pinned, state.path());
    let refusal = certificates.meets(one()).expect_err("nobody knows");
    assert!(
        refusal.to_string().contains("make it readable"),
        "{refusal}"
    );
    assert_eq!(certificates.accepted.get(), None);
}

#[test]
fn a_pin_that_can_not_be_read_is_not_called_none_where_new_ones_are_accepted() {
    let state = tempfile::tempdir().expect("a directory");
    let file = state.path().join("certificate-122012345678");
    fs::create_dir(&file).expect("a directory");
    let files = StateFiles::as_found_in(state.path());
    let mut look = Certificates::new(CertificatePolicy::AcceptNew, files);
    let Ok(Standing::Lost(lost)) = look.meets(one()) else {
        panic!("it was taken for no pin at all");
    };
    assert_eq!(lost.path(), file);
    assert!(lost.remedy().contains("make it readable"), "{lost:?}");
}

#[test]
fn what_was_accepted_is_so_no_more_while_the_envoy_is_asked_again() {
    let state = tempfile::tempdir().expect("a directory");
    let mut certificates = certificates(CertificatePolicy::AcceptNew, state.path());
    certificates.meets(one()).expect("the first");
    certificates.begin();
    assert_eq!(certificates.accepted.get(), None);
}

#[test]
fn a_certificate_that_was_seen_while_the_serial_came_by_http_is_nobodys() {
    for policy in [CertificatePolicy::AcceptNew, CertificatePolicy::Pinned] {
        let state = tempfile::tempdir().expect("a directory");
        let mut certificates = certificates(policy, state.path());
        certificates.begin();
        certificates.noted.set(Some(one()));
        certificates
            .judge(SERIAL, "http://192.168.1.20", false, Timestamp::UNIX_EPOCH)
            .expect("firmware below 7 has no certificate");
        assert_eq!(certificates.accepted.get(), None);
        assert_eq!(certificates.last(), None);
        assert_eq!(pinned_in(state.path()), None);
    }
}

#[test]
fn a_given_fingerprint_alone_is_accepted_and_nothing_is_written() {
    let state = tempfile::tempdir().expect("a directory");
    let mut certificates = certificates(CertificatePolicy::PinnedTo(one()), state.path());
    assert!(certificates.meets(other()).is_err());
    assert_eq!(certificates.meets(one()).ok(), Some(Standing::Pinned));
    assert_eq!(pinned_in(state.path()), None);
}

#[test]
fn an_envoy_with_a_pinned_certificate_is_not_asked_by_http() {
    let state = tempfile::tempdir().expect("a directory");
    let mut pinned = certificates(CertificatePolicy::Pinned, state.path());
    let by_http = |certificates: &mut Certificates| {
        certificates.begin();
        certificates.judge(SERIAL, "http://192.168.1.20", false, Timestamp::UNIX_EPOCH)
    };
    by_http(&mut pinned).expect("firmware below 7 has no certificate");
    pinned.meets(one()).expect("the first");
    let refusal = by_http(&mut pinned).expect_err("it had one");
    assert!(refusal.to_string().contains("without a certificate"));
    let mut accepting = certificates(CertificatePolicy::AcceptNew, state.path());
    by_http(&mut accepting).expect("what is new is accepted");
    assert_eq!(accepting.accepted.get(), None);
    let standing = accepting.last().map(|last| last.standing.clone());
    assert_eq!(standing, Some(Standing::Gone(one())));
    // What it had is still what it is expected to have.
    assert_eq!(pinned_in(state.path()), Some(one()));
}

#[test]
fn a_damaged_pin_is_replaced_where_new_ones_are_accepted_and_an_error_where_not() {
    for damaged in ["", "AB:CD", "\u{0}"] {
        let state = tempfile::tempdir().expect("a directory");
        let file = state.path().join("certificate-122012345678");
        fs::write(&file, damaged).expect("a file");
        let mut pinned = certificates(CertificatePolicy::Pinned, state.path());
        let refusal = pinned.meets(one()).expect_err("nobody knows which one");
        assert!(refusal.to_string().contains(&file.display().to_string()));
        let cause = std::error::Error::source(&refusal).expect("what is wrong with it");
        assert!(cause.source().is_none(), "it is said once");
        assert_eq!(pinned.accepted.get(), None);

        let mut accepting = certificates(CertificatePolicy::AcceptNew, state.path());
        let Ok(Standing::Lost(lost)) = accepting.meets(one()) else {
            panic!("{damaged:?} was taken for no pin at all");
        };
        assert_eq!(lost.path(), file);
        let said = lost.to_string();
        assert!(said.contains("no SHA-256 fingerprint"), "{said}");
        assert_eq!(pinned_in(state.path()), Some(one()));
        assert_eq!(accepting.meets(one()).ok(), Some(Standing::Pinned));
    }
}

#[test]
fn a_directory_that_can_not_be_written_costs_only_the_memory_of_the_next_process() {
    let state = tempfile::tempdir().expect("a directory");
    let in_the_way = state.path().join("a file");
    fs::write(&in_the_way, "").expect("a file");
    // Nothing can be made inside of a file, not even by root.
    let mut certificates = certificates(CertificatePolicy::AcceptNew, &in_the_way.join("state"));
    assert_eq!(certificates.meets(one()).ok(), Some(Standing::First));
    assert_eq!(certificates.meets(one()).ok(), Some(Standing::Pinned));
    assert_eq!(
        certificates.meets(other()).ok(),
        Some(Standing::Changed(one()))
    );
}

#[test]
fn a_look_beside_a_running_process_changes_nothing() {
    let state = tempfile::tempdir().expect("a directory");
    let look = |shown| {
        let files = StateFiles::as_found_in(state.path());
        Certificates::new(CertificatePolicy::AcceptNew, files).meets(shown)
    };
    assert_eq!(look(one()).ok(), Some(Standing::First));
    assert_eq!(pinned_in(state.path()), None);
    let mut running = certificates(CertificatePolicy::AcceptNew, state.path());
    running.meets(one()).expect("the first");
    assert_eq!(look(other()).ok(), Some(Standing::Changed(one())));
    assert_eq!(pinned_in(state.path()), Some(one()));
}
