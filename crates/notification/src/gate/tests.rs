use auscult_model::Severity::{Emergency, Routine, Technical, Urgent};
use serde_json::json;

use super::*;
use crate::policy::{Match, Policy};

const MINUTE_MS: i64 = 60_000;

/// 2026-11-20 is a Friday.
fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("2026-11-20T{text}:00Z")).unwrap()
}

fn policy() -> Policy {
    let webhook = json!({ "url": "http://a/", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" });
    Policy::parse(json!({
        "receivers": [{ "name": "ward", "webhook": webhook }],
        "route": { "receiver": "ward", "delay": "3m", "group_wait": "2m" },
        "inhibit": [
            { "source": { "severity": "emergency" }, "target": { "severity": ["urgent", "routine"] } },
            { "source": { "cause": "probe-off" }, "target": { "severity": "emergency", "cause": "spo2-*" } },
        ],
        "flapping": { "openings": 3, "within": "1h", "steady": "10m" },
        "quiet_hours": [{ "match": { "severity": "routine" }, "time_zone": "UTC", "from": "22:00", "to": "07:00" }],
        "budgets": [{ "unit": "icu", "pages": 2, "time_zone": "UTC", "shifts": ["07:00", "19:00"] }],
    }))
    .unwrap()
}

fn silence(severity: Severity, until: Timestamp) -> Silence {
    Silence {
        id: "s".to_owned(),
        of: Match::default(),
        patient: Some("p".to_owned()),
        alert: None,
        covers: severity,
        author: "nurse".to_owned(),
        comment: None,
        from: at("00:00"),
        until,
    }
}

#[test]
fn a_call_waits_for_a_reason_and_an_emergency_for_none() {
    use HoldReason::{Budget, Delay, Flapping, Grouped, Inhibited, QuietHours, Silenced};
    let policy = policy();
    let stands = |cause: &str, severity| Standing {
        alert: cause.to_owned(),
        cause: cause.to_owned(),
        severity,
    };
    let emergency = vec![stands("news2", Emergency)];
    let probe = vec![stands("probe-off", Technical)];
    let hush = |severity| vec![silence(severity, at("13:00"))];
    let openings: Vec<Timestamp> = [10, 20, 30].map(|m| at("11:00").plus_ms(m * MINUTE_MS)).into();
    #[rustfmt::skip]
    let rows = [
        // severity, cause,    now,     stands for, unit,  spent, last call,      others,     silences,        openings,   want
        (Urgent,    "sepsis",  "12:00", 3,          "",    0,     None,           &[][..],    vec![],          &[][..],    None),
        (Urgent,    "sepsis",  "12:00", 2,          "",    0,     None,           &[],        vec![],          &[],        Some((Delay, Some(at("12:01"))))),
        (Emergency, "sepsis",  "12:00", 0,          "",    0,     None,           &[],        vec![],          &[],        None),
        (Urgent,    "sepsis",  "12:00", 3,          "",    0,     None,           &[],        hush(Urgent),    &[],        Some((Silenced, Some(at("13:00"))))),
        (Emergency, "sepsis",  "12:00", 3,          "",    0,     None,           &[],        hush(Urgent),    &[],        None),
        (Emergency, "sepsis",  "12:00", 3,          "",    0,     None,           &[],        hush(Emergency), &[],        Some((Silenced, Some(at("13:00"))))),
        (Urgent,    "sepsis",  "13:00", 3,          "",    0,     None,           &[],        hush(Urgent),    &[],        None),
        (Urgent,    "sepsis",  "12:00", 3,          "",    0,     None,           &emergency, vec![],          &[],        Some((Inhibited, None))),
        (Emergency, "sepsis",  "12:00", 3,          "",    0,     None,           &emergency, vec![],          &[],        None),
        (Emergency, "spo2-low","12:00", 3,          "",    0,     None,           &probe,     vec![],          &[],        Some((Inhibited, None))),
        (Emergency, "sepsis",  "12:00", 3,          "",    0,     None,           &probe,     vec![],          &[],        None),
        (Urgent,    "sepsis",  "12:00", 9,          "",    0,     None,           &[],        vec![],          &openings,  Some((Flapping, Some(at("12:01"))))),
        (Urgent,    "sepsis",  "12:00", 10,         "",    0,     None,           &[],        vec![],          &openings,  None),
        (Emergency, "sepsis",  "12:00", 0,          "",    0,     None,           &[],        vec![],          &openings,  None),
        (Urgent,    "sepsis",  "12:00", 9,          "",    0,     None,           &[],        vec![],          &openings[1..], None),
        (Routine,   "weight",  "23:00", 9,          "",    0,     None,           &[],        vec![],          &[],        Some((QuietHours, Timestamp::parse("2026-11-21T07:00:00Z")))),
        (Routine,   "weight",  "21:59", 9,          "",    0,     None,           &[],        vec![],          &[],        None),
        (Urgent,    "sepsis",  "23:00", 9,          "",    0,     None,           &[],        vec![],          &[],        None),
        (Urgent,    "sepsis",  "12:00", 9,          "icu", 1,     None,           &[],        vec![],          &[],        None),
        (Urgent,    "sepsis",  "12:00", 9,          "icu", 2,     None,           &[],        vec![],          &[],        Some((Budget, Some(at("19:00"))))),
        (Emergency, "sepsis",  "12:00", 9,          "icu", 99,    None,           &[],        vec![],          &[],        None),
        (Urgent,    "sepsis",  "12:00", 9,          "bay", 99,    None,           &[],        vec![],          &[],        None),
        (Urgent,    "sepsis",  "12:00", 9,          "",    0,     Some("11:59"),  &[],        vec![],          &[],        Some((Grouped, Some(at("12:01"))))),
        (Urgent,    "sepsis",  "12:00", 9,          "",    0,     Some("11:58"),  &[],        vec![],          &[],        None),
        (Urgent,    "sepsis",  "12:00", 9,          "",    0,     Some("12:00"),  &[],        vec![],          &[],        None),
        (Emergency, "sepsis",  "12:00", 9,          "",    0,     Some("11:59"),  &[],        vec![],          &[],        None),
    ];
    for (severity, cause, now, stood, unit, spent, last_call, standing, silences, openings, want) in
        rows
    {
        let subject = Subject { severity, cause, unit, tags: &[] };
        let routed = policy.route(subject).unwrap();
        let rules = Rules {
            receiver: Some(routed.receiver),
            delay_ms: routed.delay_ms,
            group_ms: routed.group_ms,
            repeat_after_ms: routed.repeat_after_ms,
            escalate: routed.escalate,
            backfill_limit_ms: i64::MAX,
        };
        let scene = Scene {
            alert: "z",
            patient: "p",
            subject,
            noise: Some(&policy.noise),
            silences: &silences,
            standing,
            last_call: last_call.map(at),
            spent,
        };
        let standing = at(now).plus_ms(-stood * MINUTE_MS);
        let call = Call { reason: SendReason::First, standing, openings, put_off: false };
        let got = gate(rules, call, scene, at(now));
        assert_eq!(got, want, "{severity:?} {cause} {now} {stood} {unit} {spent} {last_call:?}");
    }
}

#[test]
fn what_was_put_off_once_is_not_put_off_again() {
    let policy = policy();
    let subject = Subject { severity: Urgent, cause: "sepsis", unit: "icu", tags: &[] };
    let rules = Rules {
        receiver: Some("ward"),
        delay_ms: 0,
        group_ms: 0,
        repeat_after_ms: 1,
        escalate: &[],
        backfill_limit_ms: i64::MAX,
    };
    let scene = Scene {
        alert: "z",
        patient: "p",
        subject,
        noise: Some(&policy.noise),
        silences: &[],
        standing: &[],
        last_call: None,
        spent: 99,
    };
    for (put_off, want) in [(true, None), (false, Some(HoldReason::Budget))] {
        let standing = at("11:00");
        let call = Call { reason: SendReason::First, standing, openings: &[], put_off };
        assert_eq!(gate(rules, call, scene, at("12:00")).map(|it| it.0), want);
    }
}
