use super::*;

#[test]
fn nothing_is_asked_before_anything_was_announced() {
    let mut audit = Audit::new(Duration::from_mins(1));
    let (requests, findings) = audit.requests(&Marks::default(), Instant::now());
    assert_eq!((requests, findings), (Vec::new(), Vec::new()));
}
