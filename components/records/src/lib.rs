//! `records`: serves what is stored as FHIR R4, takes patients, devices and assignments, and tells what
//! became of a message.

#![allow(unsafe_code, reason = "the export that #[http_component] generates")]

mod announce;
mod fhir;
mod trace;

use auscult_shell::{Call, Reply};
use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::http_component;

/// Largest request body: a transaction of a thousand resources of two kilobytes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

#[http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    let head = Call::head(&request);
    let fhir = head.path == "/fhir" || head.path.starts_with("/fhir/");
    let call = match Call::read(request, BODY_BYTES_MAX).await {
        Ok(call) => call,
        Err(problem) if fhir => {
            return fhir::refused(problem, "Bundle").send(response_out).await;
        }
        Err(problem) => return Reply::from(problem).send(response_out).await,
    };
    if !fhir {
        return trace::answer(&call).send(response_out).await;
    }
    let answer = fhir::answer(&call);
    answer.reply.send(response_out).await;
    // The caller has its answer; normalization also finds the change by itself, only later.
    if !answer.devices.is_empty() {
        announce::assignments(&call, answer.devices).await;
    }
}
