use auscult_model::Severity::{Emergency, Routine, Technical, Urgent};
use serde_json::json;

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn receiver(name: &str) -> Value {
    json!({ "name": name, "webhook": { "url": "http://127.0.0.1:9000/alerts", "secret": SECRET } })
}

fn role(name: &str, time_zone: &str, otherwise: &str) -> Value {
    json!({ "name": name, "time_zone": time_zone, "otherwise": otherwise })
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
        let got = policy.route(Subject { severity, cause, unit: "", tags: &[] }).unwrap();
        let want = (receiver, repeat_after_ms);
        assert_eq!((got.receiver, got.repeat_after_ms), want, "{severity:?} {cause}");
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
        ("/receivers/0/email",                 json!("a@b"),                  "/receivers/0/email",        "two-channels"),
        ("/receivers/0/pager",                 json!("a"),                    "/receivers/0/pager",        "unknown-key"),
        ("/receivers/0/patient",               json!("all"),                  "/receivers/0/patient",      "unknown-value"),
        ("/receivers/0/language",              json!("xx"),                   "/receivers/0/language",     "unknown-language"),
        ("/receivers/0/template",              json!("{{ nothing }}"),        "/receivers/0/template",     "bad-template"),
        ("/receivers/0/template",              json!("{% for"),               "/receivers/0/template",     "bad-template"),
        ("/receivers/0/fallback",              json!({ "receiver": "x" }),    "/receivers/0/fallback/receiver", "unknown-receiver"),
        ("/receivers/0/fallback",              json!({ "receiver": "ward" }), "/receivers/0/fallback/receiver", "circular"),
        ("/receivers/0/retry",                 json!({ "tries": 0 }),         "/receivers/0/retry/tries",  "bad-number"),
        ("/a~1b",                              json!(1),                      "/a~1b",                     "unknown-key"),
        ("/backfill_limit",                    json!("soon"),                 "/backfill_limit",           "bad-duration"),
        ("/route",                             json!("ward"),                 "/route",                    "wrong-type"),
        ("/route/receiver",                    json!("nobody"),               "/route/receiver",           "unknown-receiver"),
        ("/dismissal",                         json!("0s"),                   "/dismissal",                "bad-duration"),
        ("/schedules",                         json!([role("ward", "UTC", "ward")]), "/schedules/0/name", "duplicate"),
        ("/schedules",                         json!([role("r", "Mars/Olympus", "ward")]), "/schedules/0/time_zone", "unknown-zone"),
        ("/schedules",                         json!([role("r", "UTC", "nobody")]), "/schedules/0/otherwise", "unknown-receiver"),
        ("/schedules",                         json!([{ "name": "r", "time_zone": "UTC", "otherwise": "ward", "shifts": [{ "from": "25:00", "to": "07:00", "receiver": "ward" }] }]), "/schedules/0/shifts/0/from", "bad-time"),
        ("/schedules",                         json!([{ "name": "r", "time_zone": "UTC", "otherwise": "ward", "shifts": [{ "days": ["monday"], "from": "07:00", "to": "09:00", "receiver": "ward" }] }]), "/schedules/0/shifts/0/days/0", "unknown-day"),
        ("/inhibit",                           json!([{ "source": { "severity": "emergency" } }]), "/inhibit/0/target", "missing"),
        ("/inhibit",                           json!([{ "source": { "cause": "a" }, "target": { "severity": "emergency" } }]), "/inhibit/0/target", "holds-emergency"),
        ("/flapping",                          json!({ "openings": 1, "within": "1h", "steady": "5m" }), "/flapping/openings", "bad-number"),
        ("/flapping",                          json!({ "openings": 3, "steady": "5m" }), "/flapping/within", "missing"),
        ("/quiet_hours",                       json!([{ "match": { "severity": "urgent" }, "time_zone": "UTC", "from": "22:00", "to": "06:00" }]), "/quiet_hours/0/match/severity", "cannot-wait"),
        ("/quiet_hours",                       json!([{ "match": { "severity": "routine" }, "from": "22:00", "to": "06:00" }]), "/quiet_hours/0/time_zone", "missing"),
        ("/budgets",                           json!([{ "pages": -1, "time_zone": "UTC", "shifts": ["07:00"] }]), "/budgets/0/pages", "bad-number"),
        ("/budgets",                           json!([{ "pages": 9, "time_zone": "UTC", "shifts": [] }]), "/budgets/0/shifts", "empty"),
        ("/heartbeat",                         json!({ "receiver": "nobody", "interval": "1h" }), "/heartbeat/receiver", "unknown-receiver"),
        ("/heartbeat",                         json!({ "receiver": "ward" }), "/heartbeat/interval", "missing"),
        ("/route/delay",                       json!("now"),                  "/route/delay",              "bad-duration"),
        ("/route/routes/0",                    json!({ "match": { "severity": "emergency" }, "delay": "5m" }), "/route/routes/0/delay", "holds-emergency"),
        ("/route/escalate",                    json!([{ "after": "5m", "receiver": "nobody" }]), "/route/escalate/0/receiver", "unknown-receiver"),
        ("/route/escalate",                    json!([{ "after": "5m", "receiver": "ward" }, { "after": "5m", "receiver": "biomed" }]), "/route/escalate/1/after", "not-later"),
        ("/route/escalate",                    json!([{ "receiver": "ward" }]), "/route/escalate/0/after", "missing"),
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

#[test]
fn the_policy_to_begin_with_is_a_good_one() {
    let document: Value = serde_json::from_str(DEFAULT).unwrap();
    let policy = Policy::parse(document).unwrap();
    assert!(policy.heartbeat.is_some() && !policy.noise.inhibit.is_empty());
}

#[test]
fn the_published_schema_names_every_key_the_check_knows() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let keys = |place: &str| -> Vec<String> {
        let mut keys: Vec<String> =
            schema.pointer(place).unwrap().as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let mut known = check::KEYS.map(str::to_owned).to_vec();
    known.sort();
    assert_eq!(keys("/properties"), known);
    let mut known = check::ROUTE_KEYS.map(str::to_owned).to_vec();
    known.sort();
    assert_eq!(keys("/$defs/route/properties"), known);
}

#[test]
fn a_role_is_whoever_has_it_now() {
    let mut document = smallest();
    document["schedules"] = json!([{
        "name": "on-call", "time_zone": "Europe/Berlin", "otherwise": "biomed",
        "shifts": [{ "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00", "receiver": "ward" }],
    }]);
    document["route"]["receiver"] = json!("on-call");
    let policy = Policy::parse(document).unwrap();
    for (at, want) in [
        ("2026-11-20T07:00:00Z", "ward"),
        ("2026-11-20T17:00:00Z", "biomed"),
        ("2026-11-21T12:00:00Z", "biomed"),
    ] {
        assert_eq!(policy.who("on-call", Timestamp::parse(at).unwrap()), want, "{at}");
    }
    assert_eq!(policy.who("ward", Timestamp::from_unix_ms(0)), "ward");
}
