//! A server's HTTP interface, as an operator or a gateway speaks to it.

use std::path::PathBuf;
use std::time::Duration;

use auscult_model::Problem;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use url::Url;

use crate::failure::Failure;

/// A single answer may take this long: the slowest is a large Bundle on a small machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Longest part of an answer without a problem document that is repeated to the user.
const EXCERPT_CHARS_MAX: usize = 200;

/// Which server, and the operator's token for it.
#[derive(Debug, Clone, clap::Args)]
pub struct Connection {
    /// Address of the server.
    #[arg(long, default_value = "http://127.0.0.1:3000", env = "AUSCULT_URL")]
    pub url: Url,
    /// File that holds the operator's token.
    #[arg(long, default_value = ".auscult/operator.token", env = "AUSCULT_TOKEN_FILE")]
    pub token_file: PathBuf,
}

impl Connection {
    /// A client with the operator's token.
    pub fn operator(&self) -> Result<Client, Failure> {
        let token = std::fs::read_to_string(&self.token_file).map_err(|it| {
            Failure::unread(&format!("operator token {}", self.token_file.display()), &it)
        })?;
        Client::new(&self.url, token.trim())
    }
}

/// A server and who asks it.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: String,
}

impl Client {
    /// Speaks to `base` with a bearer token.
    pub fn new(base: &Url, token: &str) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(|it| Failure::unread("the HTTP client", &it))?;
        Ok(Self { http, base: base.clone(), token: token.to_owned() })
    }

    /// The same server with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Reads a resource.
    pub async fn get(&self, path: &[&str], params: &[(&str, &str)]) -> Result<Value, Failure> {
        self.json(self.request(Method::GET, path)?.query(params)).await
    }

    /// Reads a resource that may not be there.
    pub async fn find(
        &self,
        path: &[&str],
        params: &[(&str, &str)],
    ) -> Result<Option<Value>, Failure> {
        match self.get(path, params).await {
            Ok(value) => Ok(Some(value)),
            Err(Failure::Refused(problem)) if matches!(problem.status, 404 | 410) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Follows a `next` link of a list.
    pub async fn follow(&self, next: &str) -> Result<Value, Failure> {
        let url = self.base.join(next).map_err(|it| Failure::unread(next, &it))?;
        // A link never takes the token to another host.
        if url.origin() != self.base.origin() {
            return Err(Failure::Bad("the list continues on another host".to_owned()));
        }
        self.json(self.http.get(url).bearer_auth(&self.token)).await
    }

    /// Sends a document and reads the answer; `Null` when it is empty.
    pub async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.json(self.request(Method::POST, path)?.json(body)).await
    }

    /// Takes something away.
    pub async fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        self.json(self.request(Method::DELETE, path)?).await.map(|_| ())
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Failure> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::Bad("the server's address is not an http address".to_owned()))?
            .pop_if_empty()
            .extend(path);
        Ok(self.http.request(method, url).bearer_auth(&self.token))
    }

    async fn json(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let unreached = |it: reqwest::Error| {
            // The URL may hold an id of a patient or device: only the reason is told.
            Failure::unread(self.base.as_str(), &reason(&it.without_url()))
        };
        let answer = request.send().await.map_err(unreached)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(refused(status, answer).await);
        }
        let body = answer.bytes().await.map_err(unreached)?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|it| Failure::unread("the server's answer", &it))
    }
}

/// The innermost cause, which is the one that helps.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

async fn refused(status: StatusCode, answer: Response) -> Failure {
    let body = answer.bytes().await.unwrap_or_default();
    if let Ok(problem) = serde_json::from_slice::<Problem>(&body) {
        return Failure::Refused(Box::new(problem));
    }
    let outcome: Value = serde_json::from_slice(&body).unwrap_or_default();
    let said = outcome.pointer("/issue/0/diagnostics").and_then(Value::as_str);
    let excerpt = || String::from_utf8_lossy(&body).chars().take(EXCERPT_CHARS_MAX).collect();
    let said = said.map_or_else(excerpt, str::to_owned);
    let title = "The server refused";
    Failure::Refused(Box::new(Problem::new(status.as_u16(), "refused", title).detail(said.trim())))
}
