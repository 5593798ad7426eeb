//! When a gateway shows another certificate, and when it does not.

use super::*;

#[tokio::test]
async fn each_update_brings_a_certificate_and_one_can_be_had_without() {
    let simulator = start(site("5.0.62")).await;
    assert_eq!(simulator.certificate(), None);
    update(&simulator, "7.6.175");
    let first = shown_certificate(&simulator).await;
    assert_eq!(simulator.certificate(), Some(first.clone()));
    update(&simulator, "8.2.4345");
    let second = shown_certificate(&simulator).await;
    simulator.renew_certificate().unwrap();
    let third = shown_certificate(&simulator).await;
    assert_eq!(simulator.certificate(), Some(third.clone()));
    assert!(first != second && second != third);
    simulator.reboot(Duration::ZERO, Duration::ZERO);
    assert_eq!(shown_certificate(&simulator).await, third);
}

#[tokio::test]
async fn a_certificate_that_is_kept_is_that_of_the_next_start_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("certificate");
    let begin = async |firmware: &str| {
        let options = Options {
            source: Source::Site(site(firmware)),
            certificate: Some(path.clone()),
            ..Options::default()
        };
        Simulator::start(options).await
    };
    let first = begin("8.3.5169").await.unwrap();
    let kept = shown_certificate(&first).await;
    first.stop().await;
    let second = begin("8.3.5169").await.unwrap();
    assert_eq!(shown_certificate(&second).await, kept);
    second.renew_certificate().unwrap();
    let renewed = second.certificate().unwrap();
    assert_ne!(renewed, kept);
    second.stop().await;
    let third = begin("8.3.5169").await.unwrap();
    assert_eq!(shown_certificate(&third).await, renewed);
    update(&third, "5.0.62");
    update(&third, "7.6.175");
    assert_ne!(third.certificate().unwrap(), renewed);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    std::fs::write(&path, "something else").unwrap();
    let refused = begin("8.3.5169").await.unwrap_err();
    assert!(refused.is_bad_input());
    let said = refused.to_string();
    assert!(
        said.contains("is not a certificate of the simulator"),
        "{said}"
    );
    assert!(begin("5.0.62").await.is_ok(), "there it needs none");
}
