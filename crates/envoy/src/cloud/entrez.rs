//! What Entrez answers, to programs and to people.

use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::error::CloudError;

/// The token that is the whole answer to `POST /tokens`.
pub(super) fn bare_token(
    url: &Url,
    serial: &str,
    status: StatusCode,
    body: &SecretString,
) -> Result<SecretString, CloudError> {
    match status {
        StatusCode::OK => token(body.expose_secret()).ok_or(CloudError::unexpected(url, status)),
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Err(CloudError::NotYours {
            serial: serial.to_owned(),
        }),
        _ => Err(CloudError::unexpected(url, status)),
    }
}

/// The cookie that the form's login gave. Whoever is not let in sees the form again, with status 200.
pub(super) fn session(
    url: &Url,
    status: StatusCode,
    cookie: Option<HeaderValue>,
) -> Result<HeaderValue, CloudError> {
    match cookie {
        Some(cookie) if status.is_success() || status.is_redirection() => Ok(cookie),
        _ if status.is_success() || status == StatusCode::UNAUTHORIZED => {
            Err(CloudError::BadCredentials)
        }
        _ => Err(CloudError::unexpected(url, status)),
    }
}

/// The token in the text area of the page that answers `POST /entrez_tokens`. An error stands in its
/// place, and begins with `Error`.
pub(super) fn token_in_page(
    url: &Url,
    serial: &str,
    status: StatusCode,
    body: &SecretString,
) -> Result<SecretString, CloudError> {
    let unexpected = || CloudError::unexpected(url, status);
    if status != StatusCode::OK {
        return Err(unexpected());
    }
    let area = area(body.expose_secret()).ok_or_else(unexpected)?;
    if area.starts_with("Error") {
        return Err(CloudError::NotYours {
            serial: serial.to_owned(),
        });
    }
    token(area).ok_or_else(unexpected)
}

/// What stands between the tags of the text area with the token.
fn area(page: &str) -> Option<&str> {
    let page = &page[page.find("id=\"JWTToken\"")?..];
    let content = &page[page.find('>')? + 1..];
    Some(content[..content.find("</textarea>")?].trim())
}

/// Three parts between dots, the first of which is a JSON object in base64.
pub(super) fn token(text: &str) -> Option<SecretString> {
    let text = text.trim();
    let is_one = text.starts_with("eyJ")
        && text.split('.').count() == 3
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_one.then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJh.eyJh.c2ln";

    fn url() -> Url {
        "https://entrez.example".parse().expect("a URL")
    }

    fn status(status: u16) -> StatusCode {
        StatusCode::from_u16(status).expect("a status")
    }

    fn said(result: Result<SecretString, CloudError>) -> String {
        match result {
            Ok(token) => token.expose_secret().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_bare_token_is_taken_and_nothing_else() {
        for (code, body, expected) in [
            (200, TOKEN, TOKEN),
            (200, " eyJh.eyJh.c2ln\n", TOKEN),
            (200, "<html>", "is no token"),
            (200, "eyJh.eyJh", "is no token"),
            (200, "{\"token\":\"eyJh.eyJh.c2ln\"}", "is no token"),
            (401, "", "is no token"),
            (403, "Forbidden", "no token for the Envoy 1220"),
        ] {
            let said = said(bare_token(&url(), "1220", status(code), &body.into()));
            assert!(said.contains(expected), "{code} {body}: {said}");
        }
    }

    #[test]
    fn the_token_of_the_page_for_people_stands_in_its_text_area() {
        let page = |area: &str| {
            format!(
                "<html><textarea name=\"accessToken\" id=\"JWTToken\" cols=\"30\">{area}</textarea></html>"
            )
        };
        for (code, body, expected) in [
            (200, page(TOKEN), TOKEN),
            (200, page(" eyJh.eyJh.c2ln\n"), TOKEN),
            (200, page("Error: no"), "no token for the Envoy 1220"),
            (200, page(""), "is no token"),
            (200, "<html>id=\"JWTToken\"".to_owned(), "is no token"),
            (200, "<html>".to_owned(), "is no token"),
            (404, page(TOKEN), "is no token"),
        ] {
            let said = said(token_in_page(
                &url(),
                "1220",
                status(code),
                &body.clone().into(),
            ));
            assert!(said.contains(expected), "{code} {body}: {said}");
        }
    }

    #[test]
    fn the_form_again_means_that_the_account_was_not_let_in() {
        let cookie = || Some(HeaderValue::from_static("SESSION=1"));
        assert!(session(&url(), status(302), cookie()).is_ok());
        assert!(session(&url(), status(200), cookie()).is_ok());
        for (code, cookie) in [(200, None), (401, cookie())] {
            let error = session(&url(), status(code), cookie).expect_err("no session");
            assert!(matches!(error, CloudError::BadCredentials), "{error:?}");
        }
        let error = session(&url(), status(404), None).expect_err("no session");
        assert!(matches!(error, CloudError::Unexpected { .. }), "{error:?}");
    }
}
