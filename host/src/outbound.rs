//! Requests guests make: denied unless allowed, to other components without leaving the process,
//! to other hosts with time limits.

use crate::allowed_hosts::default_port;
use crate::application::Inner;
use crate::body::AnswerBody;
use crate::component::Component;
use crate::events;
use crate::instance::Call;
use http_body_util::BodyExt;
use std::future::Future;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

/// What a component's name ends in when another component calls it.
const INTERNAL_SUFFIX: &str = ".spin.internal";
/// The name under which an application calls its own routes.
const SELF_HOST: &str = "self";

/// The way out for one instance.
pub(crate) struct Outbound {
    application: Arc<Inner>,
    component: Arc<Component>,
    depth: u8,
}

type Done = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Received = Result<(http::Response<WasiBody>, Done), Error>;

impl Outbound {
    /// The way out for an instance that `depth` components led to.
    pub(crate) fn new(application: Arc<Inner>, component: Arc<Component>, depth: u8) -> Self {
        Self { application, component, depth }
    }

    /// The component that calls.
    pub(crate) fn component(&self) -> &Arc<Component> {
        &self.component
    }

    /// The application it is part of.
    pub(crate) fn application(&self) -> &Arc<Inner> {
        &self.application
    }

    fn is_allowed(&self, uri: &http::Uri) -> bool {
        let scheme = uri.scheme_str().unwrap_or("https");
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().or_else(|| default_port(scheme)).unwrap_or(0);
        let allowed = self.component.allowed_hosts.allows(scheme, host, port);
        if !allowed {
            events::OutboundDenied { component: &self.component.id, host }
                .emit(&self.application.runtime.metrics);
        }
        allowed
    }
}

impl WasiHttpHooks for Outbound {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        static FILTER: LazyLock<ForbiddenHeaderFilter> =
            LazyLock::new(|| Arc::new(|name| DEFAULT_FORBIDDEN_HEADERS.contains(name)));
        FILTER.clone()
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: Done,
    ) -> Box<dyn Future<Output = Received> + Send> {
        if !self.is_allowed(request.uri()) {
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        }
        let host = request.uri().host().unwrap_or_default();
        let answer_time_max = options.and_then(|options| options.first_byte_timeout);
        if let Some(id) = host.strip_suffix(INTERNAL_SUFFIX) {
            let Some(component) = self.application.components.get(id).cloned() else {
                return Box::new(std::future::ready(Err(Error::DestinationNotFound)));
            };
            let application = self.application.clone();
            let call = Call { request, depth: self.depth.saturating_add(1), permit: None };
            return Box::new(within(answer_time_max, async move {
                let answer = application.chain(component, call).await;
                received(answer)
            }));
        }
        if host == SELF_HOST {
            let application = self.application.clone();
            let call = Call { request, depth: self.depth.saturating_add(1), permit: None };
            return Box::new(within(answer_time_max, async move {
                received(application.route_internally(call).await)
            }));
        }
        let limits = &self.application.runtime.limits;
        let options = bounded(options, limits.connect_time_max, limits.outbound_time_max);
        Box::new(async move {
            let (response, connection) =
                wasmtime_wasi_http::default_send_request(request, Some(options)).await?;
            Ok((response.map(BodyExt::boxed_unsync), Box::new(connection) as Done))
        })
    }
}

fn received(answer: http::Response<AnswerBody>) -> Received {
    Ok((answer.map(BodyExt::boxed_unsync), Box::new(std::future::ready(Ok(())))))
}

async fn within(limit: Option<Duration>, answer: impl Future<Output = Received>) -> Received {
    match limit {
        None => answer.await,
        Some(limit) => {
            tokio::time::timeout(limit, answer).await.unwrap_or(Err(Error::ConnectionReadTimeout))
        }
    }
}

/// The guest's own time limits, none longer than the host's.
fn bounded(options: Option<RequestOptions>, connect: Duration, answer: Duration) -> RequestOptions {
    let options = options.unwrap_or_default();
    let shorter =
        |asked: Option<Duration>, limit| Some(asked.map_or(limit, |asked| asked.min(limit)));
    RequestOptions {
        connect_timeout: shorter(options.connect_timeout, connect),
        first_byte_timeout: shorter(options.first_byte_timeout, answer),
        between_bytes_timeout: shorter(options.between_bytes_timeout, answer),
    }
}
