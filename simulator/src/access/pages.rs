//! The pages of a gateway that says no.

use hyper::StatusCode;

use crate::answer::Answer;
use crate::firmware::Firmware;
use crate::resource::Resource;

/// Below 7 the body of a 401 depends on the path: JSON for `/api/v1`, HTML for pages, else text.
pub(super) fn password_wanted(firmware: &Firmware, resource: &Resource) -> Answer {
    let (body, content_type) = match resource.name() {
        name if name.starts_with("api_v1") => (
            "{\n  \"status\": 401,\n  \"error\": \"\",\n  \"info\": \"Authentication required\",\n  \
             \"moreInfo\": \"\"\n}\n",
            "application/json",
        ),
        _ if firmware.major() >= 4 => (
            "<html><body><h2>401 Unauthorized</h2></body></html>\n",
            "text/html",
        ),
        _ => ("Error: 401\n", "text/plain"),
    };
    Answer::new(StatusCode::UNAUTHORIZED, body).content_type(content_type)
}

/// From 7 on: a page that sends a browser to where one logs in, and no `WWW-Authenticate`.
pub(super) fn token_wanted(firmware: &Firmware) -> Answer {
    let login = if firmware.is_at_least(&[8, 3, 5169]) {
        "/login.html"
    } else {
        "/home"
    };
    let page = [
        "<html>",
        "<head><title>401 Authorization Required</title></head>",
        "<body>",
        "<center><h1>401 Authorization Required</h1></center>",
        "<hr><center>This page goes on to <a id='login' href=''></a></center>",
        "<script>",
        &format!("const login = location.protocol + '//' + location.host + '{login}';"),
        "onload = function() {",
        "    const link = document.getElementById('login');",
        "    link.href = link.text = login;",
        "    setTimeout(function() { location.href = login; }, 500);",
        "}",
        "</script>",
        "</body>",
        "</html>",
    ];
    Answer::new(StatusCode::UNAUTHORIZED, page.join("\r\n") + "\r\n").content_type("text/html")
}
