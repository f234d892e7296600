//! One HTTP call as the shells read it, and the answers they give.

use auscult_model::Problem;
use auscult_store::StoreError;
use spin_sdk::http::{Headers, IncomingRequest, OutgoingResponse, ResponseOutparam};

/// A request with its body read, up to a limit.
#[derive(Debug, Clone)]
pub struct Call {
    /// `GET` …
    pub method: String,
    /// Path without the query, as sent.
    pub path: String,
    /// Query without `?`.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// At most `body_bytes_max` of [`Call::read`].
    pub body: Vec<u8>,
}

impl Call {
    /// Reads a request. The body is refused before more than `body_bytes_max` of it is read.
    ///
    /// # Errors
    /// 413 when the body is larger, 400 when it breaks off.
    pub async fn read(request: IncomingRequest, body_bytes_max: usize) -> Result<Self, Problem> {
        let mut call = Self::head(&request);
        let said = call.header("content-length").and_then(|it| it.parse::<usize>().ok());
        if said.is_some_and(|it| it > body_bytes_max) {
            return Err(too_large(body_bytes_max));
        }
        let mut chunks = std::pin::pin!(request.into_body_stream());
        while let Some(chunk) = futures::StreamExt::next(&mut chunks).await {
            let chunk = chunk.map_err(|_| {
                Problem::new(400, "body-broken-off", "The request body could not be read")
            })?;
            if call.body.len() + chunk.len() > body_bytes_max {
                return Err(too_large(body_bytes_max));
            }
            call.body.extend_from_slice(&chunk);
        }
        Ok(call)
    }

    /// Everything but the body.
    #[must_use]
    pub fn head(request: &IncomingRequest) -> Self {
        let target = request.path_with_query().unwrap_or_else(|| "/".to_owned());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let headers = request.headers().entries().into_iter().map(|(name, value)| {
            (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned())
        });
        Self {
            method: request.method().to_string().to_ascii_uppercase(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.collect(),
            body: Vec::new(),
        }
    }

    /// First header of that (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// Path segments, percent-decoded.
    #[must_use]
    pub fn segments(&self) -> Vec<String> {
        self.path.split('/').filter(|it| !it.is_empty()).map(decoded).collect()
    }

    /// Query parameters in order, decoded.
    #[must_use]
    pub fn params(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// First query parameter of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<String> {
        self.params().into_iter().find(|(it, _)| it == name).map(|(_, value)| value)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 400 with line and column when it is not JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|it| {
            Problem::new(400, "malformed-json", "The body is not the JSON expected here")
                .detail(format!("line {} column {}", it.line(), it.column()))
        })
    }
}

fn decoded(segment: &str) -> String {
    // `+` is a plus in a path; only percent signs mean something.
    let kept = segment.replace('+', "%2B");
    form_urlencoded::parse(kept.as_bytes())
        .next()
        .map(|(it, _)| it.into_owned())
        .unwrap_or_default()
}

fn too_large(body_bytes_max: usize) -> Problem {
    Problem::new(413, "body-too-large", "The body is larger than this route takes")
        .detail(format!("at most {body_bytes_max} bytes"))
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers besides `content-length`.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// JSON.
    #[must_use]
    pub fn json(status: u16, value: &impl serde::Serialize) -> Self {
        Self::text(status, "application/json", serde_json::to_vec(value).unwrap_or_default())
    }

    /// Any body with its media type.
    #[must_use]
    pub fn text(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::empty(status).with("content-type", media_type).body(body)
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it. Work after this runs while the caller already has its answer.
    pub async fn send(self, response_out: ResponseOutparam) {
        let mut headers = self.headers;
        headers.push(("content-length".to_owned(), self.body.len().to_string()));
        let fields: Vec<(String, Vec<u8>)> =
            headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        let Ok(fields) = Headers::from_list(&fields) else {
            eprintln!("reply dropped: a header is malformed");
            return;
        };
        let response = OutgoingResponse::new(fields);
        if response.set_status_code(self.status).is_err() {
            eprintln!("reply with an impossible status");
        }
        if response_out.set_with_body(response, self.body).await.is_err() {
            eprintln!("the caller went away before the reply");
        }
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let reply = Self::text(problem.status, "application/problem+json", body);
        match problem.status {
            401 => reply.with("www-authenticate", "Bearer"),
            429 | 503 => reply.with("retry-after", "1"),
            _ => reply,
        }
    }
}

/// A failed database is "later", never "no".
#[must_use]
pub fn unavailable(error: &StoreError) -> Problem {
    eprintln!("store: {error}");
    Problem::new(503, "store-unavailable", "The database cannot take this now")
}

/// The answer where no route matches.
#[must_use]
pub fn not_found() -> Problem {
    Problem::new(404, "not-found", "There is nothing at this path")
}

/// The answer where the path exists and the method does not.
#[must_use]
pub fn method_not_allowed() -> Problem {
    Problem::new(405, "method-not-allowed", "This path does not take that method")
}
