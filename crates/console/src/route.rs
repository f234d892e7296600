//! Which page a request asks for.

/// A page, or something done on one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `GET /`: everybody.
    Ward,
    /// `GET /ward/patients/{id}`.
    Patient(String),
    /// `GET /ward/alerts/{id}`.
    Alert(String),
    /// `GET /ward/messages/{id}`.
    Message(String),
    /// `GET /ward/messages?id=`: the search box.
    Search,
    /// `GET /ward/login`.
    Login,
    /// `POST /ward/login`.
    SignIn,
    /// `POST /ward/logout`.
    SignOut,
    /// `POST /ward/alerts/{id}/acknowledge`.
    Acknowledge(String),
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoute {
    /// Nothing is at this path.
    NotFound,
    /// Something is, but it does not take this method.
    MethodNotAllowed,
}

impl Route {
    /// The route of a method and the decoded segments of a path.
    ///
    /// # Errors
    /// [`NoRoute`] when there is none.
    pub fn parse(method: &str, segments: &[String]) -> Result<Self, NoRoute> {
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let reads = matches!(method, "GET" | "HEAD");
        let writes = method == "POST";
        let (route, right) = match segments.as_slice() {
            [] | ["ward"] => (Self::Ward, reads),
            ["ward", "patients", id] => (Self::Patient((*id).to_owned()), reads),
            ["ward", "alerts", id] => (Self::Alert((*id).to_owned()), reads),
            ["ward", "messages"] => (Self::Search, reads),
            ["ward", "messages", id] => (Self::Message((*id).to_owned()), reads),
            ["ward", "login"] if writes => (Self::SignIn, true),
            ["ward", "login"] => (Self::Login, reads),
            ["ward", "logout"] => (Self::SignOut, writes),
            ["ward", "alerts", id, "acknowledge"] => (Self::Acknowledge((*id).to_owned()), writes),
            _ => return Err(NoRoute::NotFound),
        };
        if right { Ok(route) } else { Err(NoRoute::MethodNotAllowed) }
    }

    /// Whether anybody may come here without a session.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self, Self::Login | Self::SignIn | Self::SignOut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, want: Result<Route, NoRoute>) {
        let segments: Vec<String> =
            path.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect();
        assert_eq!(Route::parse(method, &segments), want, "{method} {path}");
    }

    #[test]
    fn every_path_has_its_page_and_its_methods() {
        let a = || "a".to_owned();
        check("GET", "/", Ok(Route::Ward));
        check("GET", "/ward", Ok(Route::Ward));
        check("GET", "/ward/patients/a", Ok(Route::Patient(a())));
        check("GET", "/ward/messages", Ok(Route::Search));
        check("GET", "/ward/messages/a", Ok(Route::Message(a())));
        check("GET", "/ward/alerts/a", Ok(Route::Alert(a())));
        check("POST", "/ward/alerts/a/acknowledge", Ok(Route::Acknowledge(a())));
        check("GET", "/ward/alerts/a/acknowledge", Err(NoRoute::MethodNotAllowed));
        check("GET", "/ward/login", Ok(Route::Login));
        check("POST", "/ward/login", Ok(Route::SignIn));
        check("DELETE", "/ward/login", Err(NoRoute::MethodNotAllowed));
        check("POST", "/", Err(NoRoute::MethodNotAllowed));
        check("GET", "/ward/patients", Err(NoRoute::NotFound));
    }
}
