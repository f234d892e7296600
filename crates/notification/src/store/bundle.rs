//! Makes deliveries of pages: one each, but one together for what a receiver is told at the same
//! time about one patient, and one digest for what was put off.

use std::collections::BTreeMap;

use auscult_model::{Severity, Timestamp};

use crate::delivery::{Also, Payload, delivery_id};
use crate::page::SendReason;
use crate::store::write::{Change, NewDelivery};

/// What pages have to have in common to share a delivery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Together {
    /// The patient.
    Patient(String),
    /// Put off until now.
    Digest,
}

/// Lays down the deliveries of every page of the batch, whose worst come first.
pub fn bundle(changes: &mut [Change], now: Timestamp) {
    let mut bundles: BTreeMap<(Together, String), Vec<usize>> = BTreeMap::new();
    for (place, change) in changes.iter_mut().enumerate() {
        let Some(receivers) = change.page.as_ref().map(|it| it.receivers.clone()) else { continue };
        let together = together(change);
        for receiver in receivers {
            match &together {
                None => {
                    let alone = delivery(change, &receiver, Vec::new(), false, now);
                    change.deliveries.extend(alone);
                }
                Some(kind) => bundles.entry((kind.clone(), receiver)).or_default().push(place),
            }
        }
    }
    for ((kind, receiver), members) in bundles {
        let Some((lead, others)) = members.split_first() else { continue };
        let also: Vec<Also> =
            others.iter().filter_map(|it| changes.get(*it)).filter_map(Also::of).collect();
        let digest = kind == Together::Digest && !also.is_empty();
        let Some(change) = changes.get_mut(*lead) else { continue };
        let delivery = delivery(change, &receiver, also, digest, now);
        change.deliveries.extend(delivery);
    }
}

/// `None` for a page that goes out alone: calls off, and every emergency.
fn together(change: &Change) -> Option<Together> {
    let page = change.page.as_ref()?;
    let severity = change.body.state.as_ref().map(|it| it.severity);
    if !page.reason.calls() || severity == Some(Severity::Emergency) {
        return None;
    }
    if page.put_off && page.reason == SendReason::First {
        Some(Together::Digest)
    } else {
        page.groups.then(|| Together::Patient(change.patient.reveal().to_owned()))
    }
}

fn delivery(
    change: &Change,
    receiver: &str,
    also: Vec<Also>,
    digest: bool,
    now: Timestamp,
) -> Option<NewDelivery> {
    let page = change.page.as_ref()?;
    let state = change.body.state.as_ref().or(change.known.as_ref())?;
    let mut payload = Payload::new(
        &change.alert,
        &change.patient,
        &change.cause,
        state,
        page.reason,
        page.number,
        now,
    );
    if digest {
        payload.event = "alert.digest";
    }
    payload.data.also = also;
    Some(NewDelivery {
        id: delivery_id(&change.alert, page.number, receiver),
        alert: change.alert.clone(),
        receiver: receiver.to_owned(),
        body: serde_json::to_string(&payload).ok()?,
    })
}

impl Also {
    fn of(change: &Change) -> Option<Self> {
        let state = change.body.state.as_ref()?;
        Some(Self {
            alert: change.alert.clone(),
            patient: change.patient.reveal().to_owned(),
            cause: change.cause.clone(),
            severity: state.severity.as_str(),
            value: state.value,
            link: format!("/ward/alerts/{}", change.alert),
        })
    }
}
