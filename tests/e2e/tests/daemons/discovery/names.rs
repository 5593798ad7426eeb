//! An Envoy that is configured by its name, which is given another address.

use std::path::Path;

use rig::programs::Start;
use rig::servers::skip;

use super::{Neighbourhood, OLD, goes_on, moved};

const NAME: &str = "my-envoy.lan";

fn is_at(hosts: &Path, address: &str) {
    std::fs::write(hosts, format!("{address} {NAME}\n")).expect("the file is written");
}

#[tokio::test]
async fn a_name_is_looked_up_anew_for_each_connection_also_to_ipv6() {
    if !Start::can_choose_hosts() {
        let test = "a name is looked up anew for each connection, also to IPv6";
        let reason = "this user can't give a process one (unshare)";
        return skip(test, "/etc/hosts of its own", reason).unwrap_or_default();
    }
    let here = Neighbourhood::new();
    let hosts = here.directory.path().join("hosts");
    is_at(&hosts, "127.0.0.1");
    let mut envoy = here.envoy("122000000001", &OLD).await;
    let (_, port) = envoy.address().rsplit_once(':').expect("a port");
    let port = port.to_owned();
    let scraper = here.scraper(None).with_hosts(&hosts);
    let mut scraper = scraper.env("ENVOY_HOST", format!("{NAME}:{port}")).spawn();
    goes_on(&envoy).await;
    for (address, host, day) in [
        ("127.0.0.2", "127.0.0.2", "2026-06-21"),
        ("::1", "[::1]", "2026-06-22"),
    ] {
        envoy = moved(envoy, &format!("{host}:{port}"), day).await;
        is_at(&hosts, address);
        goes_on(&envoy).await;
    }
    assert!(scraper.terminate().await.success());
}
