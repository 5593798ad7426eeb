//! What a request asks for.

use hyper::Uri;

/// The target of a request, under the name that its recording would have: the path without its
/// first slash, `/` as `_`, and a query after another `_` (`production.json_details_1`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    name: String,
    query: String,
}

impl Resource {
    /// None for a path that no gateway has: one that would only be mistaken for another because of
    /// a `_` where a `/` belongs (`/api_v1_production`).
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let path = uri.path().strip_prefix('/')?.trim_end_matches('/');
        let root = path.split('/').next()?;
        if path.is_empty() || root.contains('_') {
            return None;
        }
        let query = uri
            .query()
            .unwrap_or_default()
            .replace(['=', '&', '/'], "_");
        Some(Self {
            name: path.replace('/', "_"),
            query,
        })
    }

    /// The name without the query.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name with the query; none when there is no query.
    pub(crate) fn name_with_query(&self) -> Option<String> {
        (!self.query.is_empty()).then(|| format!("{}_{}", self.name, self.query))
    }

    /// The list of inverters.
    pub(crate) fn is_inverters(&self) -> bool {
        self.name == "api_v1_production_inverters"
    }

    pub(crate) fn is_device_data(&self) -> bool {
        self.name == "ivp_pdm_device_data"
    }

    /// `/info` and `/info.xml` are the same document, open to everyone on every firmware.
    pub(crate) fn is_info(&self) -> bool {
        matches!(self.name.as_str(), "info" | "info.xml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Option<Resource> {
        Resource::of(&uri.parse().expect("a URI"))
    }

    #[test]
    fn slashes_and_queries_become_underscores() {
        let resource = of("/production.json?details=1").expect("a resource");
        assert_eq!(resource.name(), "production.json");
        assert_eq!(
            resource.name_with_query().as_deref(),
            Some("production.json_details_1")
        );
        assert_eq!(
            of("/ivp/meters/reports/").expect("a resource").name(),
            "ivp_meters_reports"
        );
        assert_eq!(
            of("/auth/check_jwt").expect("a resource").name(),
            "auth_check_jwt"
        );
    }

    #[test]
    fn an_underscore_does_not_stand_for_a_slash() {
        assert_eq!(of("/api_v1_production_inverters"), None);
        assert_eq!(of("/_readme"), None);
        assert_eq!(of("/"), None);
    }
}
