//! What each channel sends, to whom it says what, and how answers are read.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

use auscult_model::Timestamp;
use auscult_notification::Policy;
use auscult_notification::channel::{
    About, Message, Request, hl7, mail::Mail, render, reply, smtp,
};
use auscult_notification::delivery::{Claimed, Outcome};
use serde_json::{Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn now() -> Timestamp {
    Timestamp::parse("2026-11-20T10:00:05Z").unwrap()
}

fn page(event: &str, severity: &str) -> Claimed {
    let body = json!({
        "type": event, "timestamp": "2026-11-20T10:00:05.000Z",
        "data": { "alert": "a-1", "patient": "p-77", "cause": "news2", "severity": severity,
                  "status": "open", "value": 7, "band": "high", "effective": "2026-11-20T10:00:00.000Z",
                  "opened": "2026-11-20T10:00:00.000Z", "page": 1, "link": "/ward/alerts/a-1" },
    });
    Claimed {
        id: "d-1".to_owned(),
        alert: "a-1".to_owned(),
        receiver: "r".to_owned(),
        body: body.to_string(),
        tries: 1,
        created: now(),
    }
}

fn about() -> About {
    About {
        unit: Some("3 East".to_owned()),
        name: Some("Alex Example".to_owned()),
        language: Some("de-CH".to_owned()),
        link: Some("https://h.example/ward/alerts/a-1".to_owned()),
        answer: None,
    }
}

fn said(receiver: Value, page: &Claimed) -> Message {
    let mut receiver = receiver;
    receiver["name"] = json!("r");
    let policy = json!({ "receivers": [receiver], "route": { "receiver": "r" } });
    let policy = Policy::parse(policy).unwrap_or_else(|faults| panic!("{faults:?}"));
    render(policy.receiver("r").unwrap(), page, &about(), now()).unwrap()
}

fn request(receiver: Value, page: &Claimed) -> Request {
    match said(receiver, page) {
        Message::Http(request) => request,
        other => panic!("{other:?}"),
    }
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

fn smtp_receiver() -> Value {
    json!({ "smtp": { "host": "relay", "from": "auscult@h.example", "to": "ward@h.example" } })
}

#[test]
fn every_channel_sends_what_its_service_takes() {
    let opened = page("alert.opened", "emergency");
    let title = "EMERGENCY: NEWS2 7 · 3 East";

    let got = request(json!({ "webhook": { "url": "https://w/x", "secret": SECRET } }), &opened);
    assert_eq!((got.method, got.url.as_str(), &got.body), ("POST", "https://w/x", &opened.body));
    let signed = got
        .headers
        .iter()
        .any(|(name, value)| *name == "webhook-signature" && value.starts_with("v1,"));
    assert!(signed);

    let got = body(&request(json!({ "slack": { "url": "https://hooks.slack/x" } }), &opened));
    assert_eq!(got["text"], title);
    assert_eq!(got["blocks"][1]["elements"][0]["url"], "https://h.example/ward/alerts/a-1");

    let got = body(&request(json!({ "teams": { "url": "https://t/x" } }), &opened));
    let card = &got["attachments"][0];
    assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(card["content"]["body"][0]["text"], title);
    assert_eq!(card["content"]["actions"][0]["type"], "Action.OpenUrl");

    let got = request(json!({ "email": { "key": "SG.k", "from": "a@h", "to": "b@h" } }), &opened);
    assert_eq!(got.url, "https://api.sendgrid.com/v3/mail/send");
    assert!(got.headers.contains(&("authorization", "Bearer SG.k".to_owned())));
    assert_eq!(body(&got)["personalizations"][0]["to"][0]["email"], "b@h");
    assert_eq!(body(&got)["subject"], title);

    let Message::Smtp(mail) = said(smtp_receiver(), &opened) else { panic!("no mail") };
    assert!(mail.data.contains("Message-ID: <d-1@h.example>"), "{}", mail.data);
}

#[test]
fn an_incident_is_triggered_acknowledged_and_resolved_under_one_key() {
    let receiver = || json!({ "pagerduty": { "routing_key": "R1" } });
    let rows = [
        ("alert.opened", "trigger"),
        ("alert.repeated", "trigger"),
        ("alert.acknowledged", "acknowledge"),
        ("alert.resolved", "resolve"),
        ("alert.retracted", "resolve"),
    ];
    for (event, action) in rows {
        let got = request(receiver(), &page(event, "urgent"));
        assert_eq!(got.url, "https://events.pagerduty.com/v2/enqueue");
        let got = body(&got);
        assert_eq!(
            (&got["event_action"], &got["dedup_key"]),
            (&json!(action), &json!("a-1")),
            "{event}"
        );
        assert_eq!(got["payload"].is_null(), action != "trigger", "{event}");
    }
    let got = body(&request(receiver(), &page("alert.opened", "emergency")));
    assert_eq!(got["payload"]["severity"], "critical");
}

#[test]
fn an_ehr_is_written_under_ids_of_ours_so_that_twice_changes_nothing() {
    let receiver = |kind: &str| json!({ "fhir": { "url": "https://ehr/fhir/", "token": "t", "resource": kind } });
    let rows = [
        ("CommunicationRequest", "alert.opened", "active"),
        ("CommunicationRequest", "alert.resolved", "completed"),
        ("CommunicationRequest", "alert.retracted", "revoked"),
        ("Task", "alert.opened", "requested"),
        ("Task", "alert.acknowledged", "accepted"),
        ("Task", "alert.resolved", "completed"),
        ("Communication", "alert.opened", "completed"),
    ];
    for (kind, event, status) in rows {
        let got = request(receiver(kind), &page(event, "emergency"));
        let resource = body(&got);
        let id = resource["id"].as_str().unwrap();
        assert_eq!((got.method, got.url.clone()), ("PUT", format!("https://ehr/fhir/{kind}/{id}")));
        assert_eq!(
            (&resource["resourceType"], &resource["status"]),
            (&json!(kind), &json!(status)),
            "{event}"
        );
        assert_eq!(resource["priority"], "stat");
        let opened = body(&request(receiver(kind), &page("alert.opened", "urgent")));
        assert_eq!(opened["id"], resource["id"], "one alert, one {kind}");
    }
}

#[test]
fn nobody_learns_more_of_the_patient_than_the_receiver_is_allowed() {
    let open_to_anybody = [
        json!({ "slack": { "url": "https://s/x" } }),
        json!({ "teams": { "url": "https://t/x" } }),
        json!({ "pagerduty": { "routing_key": "R" } }),
        json!({ "sms": { "account": "A", "token": "t", "from": "+1", "to": "+2" } }),
        json!({ "email": { "key": "k", "from": "a@h", "to": "b@h" } }),
        smtp_receiver(),
    ];
    let text = |receiver: Value| match said(receiver, &page("alert.opened", "urgent")) {
        Message::Http(it) => it.body,
        Message::Smtp(it) => it.data,
        Message::Mllp(it) => it.text,
    };
    for receiver in open_to_anybody {
        let by_default = text(receiver.clone());
        assert!(!by_default.contains("p-77") && !by_default.contains("Alex"), "{by_default}");
        let mut allowed = receiver.clone();
        allowed["patient"] = json!("id");
        let with_id = text(allowed.clone());
        assert!(with_id.contains("p-77") && !with_id.contains("Alex"), "{with_id}");
        allowed["patient"] = json!("name");
        assert!(text(allowed).contains("Alex"));
        // A template cannot get more.
        let mut template = receiver;
        template["template"] = json!("{{ severity }} in {{ unit }}: {{ what }} {{ patient }}");
        let written = text(template);
        assert!(!written.contains("p-77") && !written.contains("Alex"), "{written}");
    }
}

#[test]
fn a_patient_reads_plain_words_in_their_own_language_and_no_figure() {
    let receiver = json!({
        "sms": { "account": "A", "token": "t", "from": "+1", "to": "+2" },
        "audience": "patient", "language": "fr",
        "quiet_hours": { "from": "22:00", "to": "07:00", "zone": "Europe/Zurich" },
    });
    for event in ["alert.opened", "alert.resolved", "alert.retracted", "alert.acknowledged"] {
        let got = request(receiver.clone(), &page(event, "urgent")).body;
        assert!(got.contains("Messwerte"), "the patient speaks German: {got}");
        for never in ["NEWS2", "7", "p-77", "Alex", "https"] {
            let text = got.split("Body=").nth(1).unwrap();
            assert!(!text.contains(never), "{event}: {never} in {text}");
        }
    }
}

#[test]
fn the_hl7_message_has_the_segments_and_facets_of_the_profile() {
    let receiver =
        json!({ "hl7": { "host": "10.0.0.9", "application": "AM", "facility": "HOSP" } });
    let Message::Mllp(got) = said(receiver, &page("alert.opened", "emergency")) else {
        panic!("no HL7")
    };
    let golden = "MSH|^~\\&|AUSCULT|HOSP|AM|HOSP|20261120100005+0000||ORU^R40^ORU_R40|d-1|P|2.6|||AL|NE||UNICODE UTF-8|||IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO\r\
        PID|||p-77^^^HOSP^PI||\r\
        PV1||I|3 East^^^HOSP\r\
        OBR|1||a-1^AUSCULT|196616^MDC_EVT_ALARM^MDC|||20261120100000+0000||||||||||||||||||||||a-1^AUSCULT\r\
        OBX|1|ST|196616^MDC_EVT_ALARM^MDC|1.0.0.0.1|NEWS2 7||||||F|||20261120100000+0000\r\
        OBX|2|NM|news2^NEWS2 7^L|1.0.0.0.2|7||||||F|||20261120100000+0000\r\
        OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.0.0.0.3|start||||||F\r\
        OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.0.0.0.4|active||||||F\r\
        OBX|5|ST|68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC|1.0.0.0.5|enabled||||||F\r\
        OBX|6|ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.0.0.0.6|PH||||||F\r\
        OBX|7|ST|68485^MDC_ATTR_ALERT_TYPE^MDC|1.0.0.0.7|SP||||||F\r";
    assert_eq!(got.text, golden);
    let file = "../../../shared/reference/domain/hl7v2/pcd04_oru_r40_alert_start.hl7";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let Ok(theirs) = std::fs::read_to_string(&path) else {
        println!("not present, so not read: {file}");
        return;
    };
    // Field for field as far as both say the same: the kind, the profile, the place of the alert's
    // id, and codes and values of the facets after the source.
    let fields = |text: &str, segment: &str, at: usize| {
        let line = text
            .split(['\r', '\n'])
            .find(|it| it.starts_with(segment))
            .unwrap_or_default()
            .to_owned();
        line.split('|').nth(at).unwrap_or_default().to_owned()
    };
    for (segment, at) in [
        ("MSH", 8),
        ("MSH", 10),
        ("MSH", 11),
        ("MSH", 14),
        ("MSH", 15),
        ("MSH", 17),
        ("MSH", 20),
        ("OBR", 4),
        ("OBX|3", 3),
        ("OBX|3", 5),
        ("OBX|4", 3),
        ("OBX|4", 5),
        ("OBX|5", 3),
        ("OBX|5", 5),
        ("OBX|6", 3),
        ("OBX|6", 5),
        ("OBX|7", 3),
        ("OBX|7", 5),
    ] {
        assert_eq!(fields(&got.text, segment, at), fields(&theirs, segment, at), "{segment}-{at}");
    }
    assert_eq!(fields(&theirs, "OBR", 29).split('^').next(), Some("alert-7f3"));
    assert_eq!(fields(&got.text, "OBR", 29), "a-1^AUSCULT");
}

#[test]
fn only_the_acknowledgement_of_this_message_is_a_receipt() {
    let ack =
        |code: &str, id: &str| format!("MSH|^~\\&|X|H|A|H|2026||ACK|1|P|2.6\rMSA|{code}|{id}\r");
    let rows = [
        ("AA", "d-1", Ok("AA")),
        ("CA", "d-1", Ok("CA")),
        ("AE", "d-1", Err(("ack-ae", false))),
        ("AR", "d-1", Err(("ack-ar", true))),
        ("AA", "d-2", Err(("ack-for-another", false))),
        ("XX", "d-1", Err(("ack-unreadable", false))),
    ];
    for (code, id, want) in rows {
        let got = hl7::acknowledged(ack(code, id).as_bytes(), "d-1");
        let want = want.map(str::to_owned).map_err(|(code, never)| (code.to_owned(), never));
        assert_eq!(got, want, "{code} {id}");
    }
    assert_eq!(hl7::unframed(&hl7::framed("MSH|x")), Some(b"MSH|x".as_slice()));
    assert_eq!(hl7::unframed(b"\x0bMSH|x"), None, "not whole yet");
}

#[test]
fn an_answer_is_a_receipt_a_reason_to_wait_or_the_end() {
    let answer = |status: u16, retry: Option<&str>, body: &str| {
        let retry = retry.map(str::to_owned);
        reply::outcome(
            status,
            |name| retry.clone().filter(|_| name == "retry-after"),
            body.as_bytes(),
            now(),
        )
    };
    let Outcome::Delivered(receipt) = answer(201, None, r#"{"sid":"SM1"}"#) else {
        panic!("taken")
    };
    assert_eq!((receipt.status.as_str(), receipt.id.as_deref()), ("201", Some("SM1")));
    #[rustfmt::skip]
    let rows = [
        (500, None,                                  None,          false),
        (503, Some("7"),                             Some(7_000),   false),
        (429, Some("Fri, 20 Nov 2026 10:00:35 GMT"), Some(30_000),  false),
        (429, Some("999999"),                        Some(300_000), false),
        (429, Some("soon"),                          None,          false),
        (408, None,                                  None,          false),
        (400, None,                                  None,          true),
        (404, None,                                  None,          true),
        (410, None,                                  None,          true),
    ];
    for (status, retry, wait_ms, permanent) in rows {
        let code = format!("status-{status}");
        assert_eq!(
            answer(status, retry, ""),
            Outcome::Failed { code, wait_ms, permanent },
            "{status}"
        );
    }
}

#[test]
fn smtp_goes_step_by_step_and_says_why_it_stops() {
    let mail = Mail {
        from: "a@h".to_owned(),
        to: "b@h".to_owned(),
        login: Some(("u".to_owned(), "p".to_owned())),
        data: "Subject: x\r\n\r\n.hidden dot\r\n".to_owned(),
    };
    let mut dialogue = smtp::Dialogue::new(&mail);
    let mut heard = Vec::new();
    for line in [
        "220 hi\r\n",
        "250-h\r\n250 AUTH PLAIN\r\n",
        "235 ok\r\n",
        "250 ok\r\n",
        "250 ok\r\n",
        "354 go\r\n",
        "250 queued\r\n",
    ] {
        let (reply, length) = smtp::reply(line.as_bytes()).unwrap().unwrap();
        assert_eq!(length, line.len());
        heard.push(dialogue.next(&reply));
    }
    let send = |it: &str| smtp::Step::Send(it.to_owned());
    let want = [
        send("EHLO auscult\r\n"),
        send("AUTH PLAIN AHUAcA==\r\n"),
        send("MAIL FROM:<a@h>\r\n"),
        send("RCPT TO:<b@h>\r\n"),
        send("DATA\r\n"),
        send("Subject: x\r\n\r\n..hidden dot\r\n.\r\n"),
        smtp::Step::Done("queued".to_owned()),
    ];
    assert_eq!(heard, want);
    let refused = smtp::reply(b"550 no such user\r\n").unwrap().unwrap().0;
    let mut dialogue = smtp::Dialogue::new(&mail);
    let stopped = dialogue.next(&refused);
    assert_eq!(stopped, smtp::Step::Failed { code: "smtp-550".to_owned(), permanent: false });
    assert_eq!(smtp::reply(b"250-half"), Ok(None));
    assert_eq!(smtp::reply(b"HTTP/1.1 400\r\n"), Err("smtp-unreadable"));
}

#[test]
fn secrets_are_kept_for_the_same_place_and_go_to_no_other() {
    let policy = |email: Value| json!({ "receivers": [{ "name": "r", "email": email }], "route": { "receiver": "r" } });
    let stored = policy(json!({ "key": "SG.k", "from": "a@h", "to": "b@h" }));
    let mut back = Policy::parse(stored.clone()).unwrap().shown();
    assert!(!back.to_string().contains("SG.k"));
    auscult_notification::policy::keep_secrets(&mut back, &stored);
    assert_eq!(back, stored);
    let mut moved = policy(json!({ "url": "https://elsewhere", "from": "a@h", "to": "b@h" }));
    auscult_notification::policy::keep_secrets(&mut moved, &stored);
    assert!(Policy::parse(moved).is_err(), "whoever moves a channel must know its key");
}
