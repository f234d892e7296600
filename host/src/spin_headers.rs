//! The `spin-*` headers that tell a component how its request was routed.

use crate::router::{Found, Route};
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use std::net::SocketAddr;

/// What a timer's request carries, so that a component can tell it from others: `first` after a start,
/// then `again`.
pub(crate) const TIMER_HEADER: HeaderName = HeaderName::from_static("x-auscult-timer");

const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");
const PATH_MATCH_PREFIX: &str = "spin-path-match-";
const PREFIX: &str = "spin-";

/// The headers of one route that are the same for all its requests.
pub(crate) struct RouteHeaders {
    pattern: HeaderValue,
    base: HeaderValue,
}

impl RouteHeaders {
    /// The headers for a route; the route must be writable in a header.
    pub(crate) fn new(route: &Route) -> Result<Self, String> {
        let value = |text: &str| {
            HeaderValue::from_str(text)
                .map_err(|_| format!("route '{}' cannot stand in a header", route.pattern))
        };
        Ok(Self { pattern: value(&route.pattern)?, base: value(&route.base)? })
    }

    /// What to tell about one request.
    pub(crate) fn tell(
        &self,
        found: &Found<'_>,
        uri: &http::Uri,
        headers: &HeaderMap,
        base: &str,
        client: Option<SocketAddr>,
    ) -> Vec<(HeaderName, HeaderValue)> {
        let mut told = Vec::with_capacity(7 + found.named.len());
        let mut put = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                told.push((name, value));
            }
        };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        put(FULL_URL, &format!("http://{host}{base}{uri}"));
        put(PATH_INFO, found.rest);
        put(BASE_PATH, if base.is_empty() { "/" } else { base });
        if let Some(client) = client {
            put(CLIENT_ADDR, &client.to_string());
        }
        for (name, value) in &found.named {
            if let Ok(name) =
                HeaderName::from_bytes(format!("{PATH_MATCH_PREFIX}{name}").as_bytes())
            {
                put(name, value);
            }
        }
        told.push((MATCHED_ROUTE, self.pattern.clone()));
        told.push((RAW_COMPONENT_ROUTE, self.pattern.clone()));
        told.push((COMPONENT_ROUTE, self.base.clone()));
        told
    }

    /// Puts what was told in the place of anything the sender wrote under such names.
    pub(crate) fn put(told: Vec<(HeaderName, HeaderValue)>, headers: &mut HeaderMap) {
        remove_reserved(headers);
        for (name, value) in told {
            headers.insert(name, value);
        }
    }

    /// The headers of a request from component to component.
    pub(crate) fn tell_internal<B>(request: &mut http::Request<B>) {
        let path = HeaderValue::from_str(request.uri().path());
        let headers = request.headers_mut();
        remove_reserved(headers);
        if let Ok(path) = path {
            headers.insert(PATH_INFO, path);
        }
        headers.insert(BASE_PATH, HeaderValue::from_static("/"));
        headers.insert(MATCHED_ROUTE, HeaderValue::from_static("/..."));
        headers.insert(RAW_COMPONENT_ROUTE, HeaderValue::from_static("/..."));
        headers.insert(COMPONENT_ROUTE, HeaderValue::from_static(""));
    }
}

/// Removes headers only the host may set.
fn remove_reserved(headers: &mut HeaderMap) {
    if headers.keys().any(|name| name.as_str().starts_with(PREFIX)) {
        let names: Vec<HeaderName> =
            headers.keys().filter(|name| name.as_str().starts_with(PREFIX)).cloned().collect();
        for name in names {
            headers.remove(name);
        }
    }
}
