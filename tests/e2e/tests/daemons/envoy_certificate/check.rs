//! What `check` and `print` say of the certificate, and that they leave what is pinned alone.

use rig::gateway::Gateway;
use rig::programs::Start;

use super::{Scene, names};
use crate::check::{Finding, check};

/// What the check says of the certificate.
async fn certificate(scene: &Scene, gateway: &Gateway) -> Finding {
    let checked = check(scene.scraper(gateway)).await;
    let mut steps = checked.steps.into_iter();
    steps
        .find(|step| step.step == "certificate")
        .expect("a step about the certificate")
}

fn holds(finding: &Finding, outcome: &str, parts: &[&str]) {
    assert_eq!(finding.outcome, outcome, "{finding:?}");
    for part in parts {
        assert!(
            finding.text.contains(part),
            "{part:?} is not in {finding:?}"
        );
    }
}

/// `print`: its exit code and what it says on standard error.
fn printed(start: &Start) -> (Option<i32>, String) {
    let output = start.clone().env("RUST_LOG", "warn").arg("print").to_end();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[tokio::test]
async fn a_check_tells_first_pinned_and_changed_certificates_apart_and_pins_none() {
    let mut scene = Scene::new("202400000047", "accept-new");
    let gateway = scene.gateway().await;
    let first = certificate(&scene, &gateway).await;
    holds(&first, "passed", &["none is pinned yet"]);
    assert_eq!(printed(&scene.scraper(&gateway)).0, Some(0));
    assert!(!scene.state().exists(), "{:?}", names(&scene.state()));

    let mut scraper = scene.scraper(&gateway).spawn();
    scraper.stderr_line(super::POLLED).await;
    assert!(scraper.terminate().await.success());
    let pinned = scene.pinned();
    let files = names(&scene.state());
    let same = certificate(&scene, &gateway).await;
    holds(&same, "passed", &["the pinned one", &pinned]);

    gateway.renew_certificate().await;
    let changed = certificate(&scene, &gateway).await;
    holds(&changed, "passed", &[&pinned, "firmware updates"]);
    let (code, said) = printed(&scene.scraper(&gateway));
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("not pinned by this look") && said.contains(&pinned),
        "{said}"
    );

    scene.policy = "pinned".to_owned();
    let refused = certificate(&scene, &gateway).await;
    let file = scene.pin_file().display().to_string();
    holds(
        &refused,
        "failed",
        &[&pinned, "remove", &file, "ENVOY_CERTIFICATE"],
    );
    let (code, said) = printed(&scene.scraper(&gateway));
    assert!(code == Some(1) && said.contains(&file), "{said}");

    std::fs::write(scene.pin_file(), "").expect("it can be written");
    let damaged = certificate(&scene, &gateway).await;
    holds(
        &damaged,
        "failed",
        &["remove that file", &file, "STATE_DIR"],
    );
    scene.policy = "accept-new".to_owned();
    let lost = certificate(&scene, &gateway).await;
    holds(
        &lost,
        "passed",
        &["can't be told", &file, "remove that file"],
    );
    assert_eq!(std::fs::read(scene.pin_file()).expect("it is there"), b"");
    assert_eq!(names(&scene.state()), files);
}

#[tokio::test]
async fn a_check_says_what_the_other_policies_are_worth() {
    let mut scene = Scene::new("202400000048", "insecure");
    let gateway = scene.gateway().await;
    let unchecked = certificate(&scene, &gateway).await;
    holds(&unchecked, "passed", &["not checked", "ENVOY_CERTIFICATE"]);
    scene.policy = "system".to_owned();
    let refused = check(scene.scraper(&gateway)).await;
    let step = refused.steps.iter().find(|step| step.outcome == "failed");
    let step = step.expect("no CA stands for it");
    assert_eq!(step.step, "certificate", "{step:?}");
    holds(
        step,
        "failed",
        &["not signed by a CA", "pin it instead", "ENVOY_CERTIFICATE"],
    );
    assert!(!scene.state().exists());
}
