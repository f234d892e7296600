//! No message makes the decoder panic, and no reading it gives breaks its promises.

use auscult_catalogue::{Context, SHAPES, Zone, code, decode, plausible};
use auscult_model::{Quality, ReadingValue, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Names that make shapes look closer, and some that mean nothing.
const KEYS: &[&str] = &[
    "ts",
    "time",
    "date",
    "HR",
    "temp",
    "bp",
    "acvpu",
    "value",
    "unit",
    "code",
    "type",
    "readings",
    "device",
    "payload",
    "records",
    "recordType",
    "recordId",
    "systemTime",
    "status",
    "body",
    "measuregrps",
    "measures",
    "result",
    "bloodPressure",
    "dateTime",
    "header",
    "schema_id",
    "name",
    "effective_time_frame",
    "time_interval",
    "heart_rate",
    "activities-heart",
    "weight",
    "dataset",
    "activities-heart-intraday",
    "dailies",
    "startTimeInSeconds",
    "startTimeOffsetInSeconds",
    "timeOffsetHeartRateSamples",
    "sgv",
    "characteristic",
    "hex",
    "received_at",
    "session_start",
    "resourceType",
    "valueQuantity",
    "component",
    "coding",
    "entry",
    "resource",
    "15",
    "x",
    "sleep",
    "durationInSeconds",
    "date_time",
    "duration",
    "timezone",
    "source",
    "category",
    "bodyComps",
];

/// Texts that shapes look for.
const TEXTS: &[&str] = &[
    "",
    "F",
    "kPa",
    "mg/dL",
    "2026-11-20T08:00:00Z",
    "2026-11-20",
    "08:00:00",
    "9999-12-31",
    "-262143-01-01",
    "+262142-12-31",
    "2026-03-29 02:30:00",
    "egv",
    "sgv",
    "mbg",
    "low",
    "high",
    "Observation",
    "Bundle",
    "heart-rate",
    "blood-pressure",
    "0x2A37",
    "2A35",
    "2a18",
    "2A5E",
    "2A5F",
    "2A9D",
    "2A1C",
    "2AA7",
    "1f2c010c00d000ce00",
    "0f0500ea070b140700003c003ac0110000",
    "00",
    "zz",
    "120/80",
    "/",
    "<40",
    "8867-4",
    "1795158000",
    "NaN",
    "userid=1&startdate=1&enddate=2",
    "<HealthData><Record type=\"HKQuantityTypeIdentifierHeartRate\" value=\"1\"/>",
    "<?xml",
    "æ",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_i64..300).prop_map(Value::from),
        Just(json!(1_795_158_000_000_i64)),
        Just(json!(1_795_158_000)),
        prop::sample::select(TEXTS).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[0-9a-f]{0,44}".prop_map(Value::from),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(6, 96, 8, |inner| {
        let key = prop_oneof![
            8 => prop::sample::select(KEYS).prop_map(str::to_owned),
            1 => ".{0,8}".prop_map(String::from),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..10)
                .prop_map(|it| Value::from(it.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_decodes_or_is_refused_by_every_shape(message in any_json(), zoned in any::<bool>()) {
        let mut context = Context::new(Timestamp::from_unix_ms(1_795_161_600_000));
        context.zone = zoned.then_some(()).and(Zone::parse("America/New_York"));
        let named = SHAPES.iter().map(|it| Some(it.name)).chain([None]);
        for source in named {
            let Ok(decoded) = decode(&message, source, &context) else { continue };
            for it in &decoded.readings {
                let reading = &it.reading;
                let known = code(&reading.code).unwrap();
                prop_assert!(it.path.is_empty() || message.pointer(&it.path).is_some()
                    || message.is_string(), "{} of {message}", it.path);
                prop_assert!(reading.effective >= Timestamp::parse("1990-01-01T00:00:00Z").unwrap());
                if reading.quality == Quality::Accepted {
                    prop_assert!(it.exact.is_none_or(|value| plausible(known, value)));
                }
                prop_assert_eq!(it.exact.is_some(), matches!(reading.value, ReadingValue::Number(_)));
                prop_assert_eq!(known.is_coded(), it.exact.is_none());
            }
            // Decoding is a function: the same message gives the same readings.
            prop_assert_eq!(Ok(decoded), decode(&message, source, &context));
        }
    }

    #[test]
    fn any_frame_of_any_characteristic_is_read_to_its_end_or_refused_whole(
        characteristic in prop::sample::select(&["2A37", "2A35", "2A18", "2A5E", "2A5F", "2A9D",
            "2A1C", "2AA7"][..]),
        bytes in prop::collection::vec(any::<u8>(), 0..28),
        start in prop::option::of(Just("2026-11-20T00:00:00Z")),
    ) {
        let hex = |bytes: &[u8]| bytes.iter().map(|it| format!("{it:02x}")).collect::<String>();
        let message = |bytes: &[u8]| json!({"characteristic": characteristic, "hex": hex(bytes),
            "received_at": "2026-11-20T08:00:00Z", "session_start": start, "timezone": "UTC"});
        let context = Context::new(Timestamp::from_unix_ms(1_795_161_600_000));
        let decoded = decode(&message(&bytes), None, &context).unwrap();
        let malformed = decoded.rejected.iter().any(|it| it.code == "malformed");
        prop_assert!(!malformed || decoded.readings.is_empty());
        // A heart rate frame may go on with intervals of two bytes, the others have one length.
        if !malformed && characteristic != "2A37" && characteristic != "2AA7" {
            for cut in [&bytes[..bytes.len() - 1], &[&bytes[..], &[0]].concat()] {
                let decoded = decode(&message(cut), None, &context).unwrap();
                prop_assert!(decoded.rejected.iter().all(|it| it.code == "malformed"));
                prop_assert!(decoded.readings.is_empty() && decoded.rejected.len() == 1);
            }
        }
    }

    #[test]
    fn any_text_is_a_time_or_a_fault(text in ".{0,30}", digits in "[-+0-9:TZ. ]{0,32}") {
        for zone in [None, Zone::parse("Europe/Paris"), Zone::parse("+14:00")] {
            let _ = auscult_catalogue::parse_time(&text, zone);
            let _ = auscult_catalogue::parse_time(&digits, zone);
        }
    }
}
