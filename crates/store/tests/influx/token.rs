//! The token: from a file that may change, and never shown.

use std::path::Path;

use secrecy::SecretString;
use store::{InfluxDb, Settings, SettingsError, Store, TokenSource, WriteError};

use crate::{readings, settings};
use scripted::influx::{Reply, Request, Server};

/// Accepts the token `new` only.
fn wants_new(request: &Request, _: &[Request]) -> Reply {
    match request.header("authorization") {
        Some("Token new") => Reply::stored(),
        _ => Reply::error(401, "unauthorized access"),
    }
}

fn with_file(server: &Server, path: &Path) -> InfluxDb {
    InfluxDb::new(Settings {
        token: TokenSource::File(path.to_owned()),
        ..settings(server, "")
    })
    .unwrap()
}

#[tokio::test]
async fn a_token_file_that_changes_is_read_again() {
    let server = Server::start(wants_new).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "old\n").unwrap();
    let store = with_file(&server, &path);
    let error = store.write(&readings(1, &[])).await.unwrap_err();
    assert!(
        matches!(error, WriteError::Configuration { .. }),
        "{error:?}"
    );
    std::fs::write(&path, "  new\r\n").unwrap();
    let _ = store.write(&readings(1, &[])).await.unwrap();
}

#[tokio::test]
async fn a_token_replaced_while_the_server_answers_is_tried_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "old").unwrap();
    let token = path.clone();
    let server = Server::start(move |request, before| {
        std::fs::write(&token, "new").unwrap();
        wants_new(request, before)
    })
    .await;
    let _ = with_file(&server, &path)
        .write(&readings(1, &[]))
        .await
        .unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_token_file_that_is_gone_for_a_moment_stops_nothing() {
    let server = Server::start(wants_new).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "new").unwrap();
    let store = with_file(&server, &path);
    let _ = store.write(&readings(1, &[])).await.unwrap();
    std::fs::write(&path, "").unwrap();
    let _ = store.write(&readings(1, &[])).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let _ = store.write(&readings(1, &[])).await.unwrap();
}

#[tokio::test]
async fn a_token_file_that_was_never_there_is_named() {
    let server = Server::start(wants_new).await;
    let store = with_file(&server, Path::new("/no/such/token"));
    let error = store.write(&readings(1, &[])).await.unwrap_err();
    assert!(
        matches!(error, WriteError::Configuration { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("/no/such/token"), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_token_that_can_not_be_sent_is_refused_and_not_shown() {
    let server = Server::start(wants_new).await;
    for token in ["", " \n", "hush\nX-Injected: 1", "hush\0"] {
        let error = InfluxDb::new(Settings {
            token: TokenSource::Value(SecretString::from(token)),
            ..settings(&server, "")
        })
        .unwrap_err();
        assert!(
            matches!(error, SettingsError::Token | SettingsError::EmptyToken),
            "{error:?}"
        );
        assert!(!format!("{error:?} {error}").contains("hush"));
    }
}

#[tokio::test]
async fn the_store_does_not_show_its_token() {
    let server = Server::start(wants_new).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "new").unwrap();
    let from_file = with_file(&server, &path);
    let _ = from_file.write(&readings(1, &[])).await.unwrap();
    assert!(!format!("{from_file:?}").contains("\"Token new\""));
    let from_value = InfluxDb::new(settings(&server, "")).unwrap();
    assert!(!format!("{from_value:?}").contains(crate::TOKEN));
}
