//! A proxy in the environment, as many machines have one: the Envoy is in the home network, and a proxy would be
//! given what is for it alone.

use rig::gateway::Gateway;
use rig::programs::Binary;

use crate::WITH_SUN;

#[tokio::test]
async fn the_envoy_is_never_asked_through_a_proxy() {
    for firmware in ["5.0.62", "8.3.5169"] {
        let gateway = Gateway::start(&[&["--firmware", firmware], &WITH_SUN[..]].concat()).await;
        let mut print = gateway.reader(Binary::Scraper).arg("print");
        for name in [
            "http_proxy",
            "https_proxy",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "all_proxy",
            "ALL_PROXY",
        ] {
            // Nothing listens there.
            print = print.env(name, "http://127.0.0.1:9");
        }
        let output = print.to_end();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{firmware}: {errors}");
    }
}
