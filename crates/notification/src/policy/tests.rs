use auscult_model::Severity::{Emergency, Routine, Technical, Urgent};
use serde_json::json;

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn receiver(name: &str) -> Value {
    json!({ "name": name, "webhook": { "url": "http://127.0.0.1:9000/alerts", "secret": SECRET } })
}

fn smallest() -> Value {
    json!({
        "receivers": [receiver("ward"), receiver("biomed")],
        "route": {
            "receiver": "ward",
            "repeat_interval": "15m",
            "routes": [{ "match": { "severity": "technical" }, "receiver": "biomed" }],
        },
    })
}

#[test]
fn an_alert_goes_down_the_tree_to_the_first_match() {
    let policy = Policy::parse(json!({
        "receivers": [receiver("ward"), receiver("biomed"), receiver("rapid-response")],
        "backfill_limit": "12h",
        "route": {
            "receiver": "ward",
            "routes": [
                { "match": { "severity": "technical" }, "receiver": "biomed", "repeat_interval": "2d" },
                {
                    "match": { "severity": ["urgent", "emergency"], "cause": "news2" },
                    "repeat_interval": "10m",
                    "routes": [
                        { "match": { "severity": "emergency" }, "receiver": "rapid-response" },
                        { "match": { "severity": "emergency" }, "receiver": "biomed" },
                    ],
                },
            ],
        },
    }))
    .unwrap();
    assert_eq!(policy.backfill_limit_ms, 43_200_000);
    let minute_ms = 60_000;
    let rows = [
        (Technical, "news2", "biomed", 2 * 24 * 60 * minute_ms),
        (Urgent, "news2", "ward", 10 * minute_ms),
        (Emergency, "news2", "rapid-response", 10 * minute_ms),
        (Emergency, "sepsis", "ward", 15 * minute_ms),
        (Urgent, "sepsis", "ward", 60 * minute_ms),
        (Routine, "news2", "ward", 24 * 60 * minute_ms),
    ];
    for (severity, cause, receiver, repeat_after_ms) in rows {
        let want = Some(Routed { receiver, repeat_after_ms });
        assert_eq!(policy.route(severity, cause), want, "{severity:?} {cause}");
    }
}

#[test]
fn every_fault_is_named_with_its_place() {
    let long = "x".repeat(2_001);
    let mut deep = json!({ "match": { "cause": "a" } });
    for _ in 0..17 {
        deep = json!({ "match": { "cause": "a" }, "routes": [deep] });
    }
    let deepest = format!("/route{}", "/routes/0".repeat(17));
    #[rustfmt::skip]
    let rows: Vec<(&str, Value, &str, &str)> = vec![
        // set at,                             to,                            place of the fault,         code
        ("",                                   json!([]),                     "",                          "wrong-type"),
        ("",                                   json!({}),                     "/receivers",                "missing"),
        ("",                                   json!({}),                     "/route",                    "missing"),
        ("/receivers",                         json!([]),                     "/receivers",                "empty"),
        ("/receivers",                         json!({}),                     "/receivers",                "wrong-type"),
        ("/receivers/0/name",                  json!("biomed"),               "/receivers/1/name",         "duplicate"),
        ("/receivers/0/name",                  json!(" "),                    "/receivers/0/name",         "blank"),
        ("/receivers/0/name",                  json!(7),                      "/receivers/0/name",         "wrong-type"),
        ("/receivers/0/name",                  json!(long),                   "/receivers/0/name",         "too-long"),
        ("/receivers/0/webhook",               Value::Null,                   "/receivers/0/webhook",      "wrong-type"),
        ("/receivers/0/webhook/url",           json!("ftp://a/b"),            "/receivers/0/webhook/url",  "bad-url"),
        ("/receivers/0/webhook/url",           json!("/alerts"),              "/receivers/0/webhook/url",  "bad-url"),
        ("/receivers/0/webhook/url",           json!("http://u:p@a/"),        "/receivers/0/webhook/url",  "bad-url"),
        ("/receivers/0/webhook/secret",        json!("c2VjcmV0"),             "/receivers/0/webhook/secret", "bad-secret"),
        ("/receivers/0/webhook/secret",        json!("whsec_c2VjcmV0"),       "/receivers/0/webhook/secret", "bad-secret"),
        ("/receivers/0/webhook/secret",        json!("whsec_%%%"),            "/receivers/0/webhook/secret", "bad-secret"),
        ("/receivers/0/email",                 json!("a@b"),                  "/receivers/0/email",        "unknown-key"),
        ("/a~1b",                              json!(1),                      "/a~1b",                     "unknown-key"),
        ("/backfill_limit",                    json!("soon"),                 "/backfill_limit",           "bad-duration"),
        ("/route",                             json!("ward"),                 "/route",                    "wrong-type"),
        ("/route/receiver",                    json!("nobody"),               "/route/receiver",           "unknown-receiver"),
        ("/route/match",                       json!({}),                     "/route/match",              "root-match"),
        ("/route/continue",                    json!(true),                   "/route/continue",           "unknown-key"),
        ("/route/repeat_interval",             json!("15"),                   "/route/repeat_interval",    "bad-duration"),
        ("/route/repeat_interval",             json!("999ms"),                "/route/repeat_interval",    "bad-duration"),
        ("/route/repeat_interval",             json!(15),                     "/route/repeat_interval",    "wrong-type"),
        ("/route/routes",                      json!({}),                     "/route/routes",             "wrong-type"),
        ("/route/routes/0",                    json!({ "receiver": "ward" }), "/route/routes/0/match",     "missing"),
        ("/route/routes/0",                    deep,                          &deepest,                    "too-deep"),
        ("/route/routes/0/receiver",           json!("nobody"),               "/route/routes/0/receiver",  "unknown-receiver"),
        ("/route/routes/0/match",              json!({}),                     "/route/routes/0/match",     "empty"),
        ("/route/routes/0/match/ward",         json!("3"),                    "/route/routes/0/match/ward", "unknown-key"),
        ("/route/routes/0/match/severity",     json!("bad"),                  "/route/routes/0/match/severity", "unknown-severity"),
        ("/route/routes/0/match/severity",     json!(["urgent", "bad"]),      "/route/routes/0/match/severity/1", "unknown-severity"),
        ("/route/routes/0/match/severity",     json!([]),                     "/route/routes/0/match/severity", "wrong-type"),
    ];
    for (place, value, want_path, want_code) in rows {
        let document = with(smallest(), place, value);
        let faults = Policy::parse(document).unwrap_err();
        let named = faults.iter().any(|it| it.path == want_path && it.code == want_code);
        assert!(named, "{place}: {faults:?}");
        if !place.is_empty() && want_code != "duplicate" {
            assert_eq!(faults.len(), 1, "{place}: {faults:?}");
        }
    }
}

fn with(mut document: Value, place: &str, value: Value) -> Value {
    let Some((parent, key)) = place.rsplit_once('/') else { return value };
    let key = key.replace("~1", "/");
    match document.pointer_mut(parent).unwrap() {
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        Value::Object(keys) => {
            keys.insert(key, value);
        }
        _ => panic!("{place}"),
    }
    document
}

#[test]
fn what_is_shown_has_no_secret_and_can_be_written_back() {
    let policy = Policy::parse(smallest()).unwrap();
    let shown = policy.shown();
    assert!(!shown.to_string().contains("whsec_"), "{shown}");
    assert!(!format!("{policy:?} {:?}", policy.receivers).contains("MfKQ9r8G"));
    let mut back = shown;
    keep_secrets(&mut back, policy.stored());
    assert_eq!(Policy::parse(back).unwrap(), policy);
}

#[test]
fn a_new_receiver_needs_its_own_secret() {
    let policy = Policy::parse(smallest()).unwrap();
    let mut document = with(policy.shown(), "/receivers/0/name", serde_json::json!("ward-7"));
    document["route"]["receiver"] = serde_json::json!("ward-7");
    keep_secrets(&mut document, policy.stored());
    let faults = Policy::parse(document).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(
        (faults[0].path.as_str(), faults[0].code.as_str()),
        ("/receivers/0/webhook/secret", "missing")
    );
}
