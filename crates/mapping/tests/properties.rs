//! What holds for every message and every mapping.

use auscult_mapping::fhir::{Convention, Group, Reading, References};
use auscult_mapping::jmespath::JmesPath;
use auscult_mapping::jsonpath::{Hit, JsonPath};
use auscult_mapping::{DeviceMapping, FhirMapping, Instant, Measurement, parse_token};
use proptest::prelude::*;
use serde_json::{Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any_name(), inner, 0..6)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

/// Names that mean something in mappings and messages, or nothing.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "templateType",
            "template",
            "typeName",
            "typeMatchExpression",
            "deviceIdExpression",
            "timestampExpression",
            "values",
            "valueName",
            "valueExpression",
            "required",
            "Body",
            "hr",
            "matchedToken",
            "codes",
            "value",
            "valueType",
            "periodInterval",
            "components",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "CollectionContent",
            "CollectionFhir",
            "JsonPathContent",
            "CalculatedContent",
            "CodeValueFhir",
            "$..[?(@hr)]",
            "$.Body",
            "JmesPath",
            "2020-01-02T03:04:05Z",
            "SampledData",
            "Jan 2 2020",
            "/Date(1)/",
            "9999-12-31T23:59:59-14:00",
            "-",
        ])
        .prop_map(str::to_owned),
        any_expression(),
        ".{0,12}",
    ]
}

/// Texts made of the symbols of both expression languages.
fn any_expression() -> impl Strategy<Value = String> {
    let symbol = prop::sample::select(vec![
        "$",
        "@",
        ".",
        "..",
        "*",
        "[",
        "]",
        "(",
        ")",
        "?(",
        "'a'",
        "`1`",
        "`[1,2]`",
        "hr",
        "a",
        "0",
        "-1",
        ":",
        ",",
        "==",
        "<",
        "!=",
        "=~",
        "/x/",
        "&&",
        "||",
        "|",
        "!",
        "&",
        "{",
        "}",
        " ",
        "add(",
        "to_array(",
        "sort_by(",
        "map(",
        "join(",
        "length(",
        "pow(",
        "\"",
        "\\",
        "é",
    ]);
    prop::collection::vec(symbol, 0..14).prop_map(|it| it.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_text_as_message_or_mapping_panics(mapping in any_json(), text in ".{0,60}", message in any_json()) {
        for mapping in [mapping.to_string(), text.clone()] {
            let device = DeviceMapping::compile(&mapping).mapping;
            let _ = FhirMapping::compile(&mapping);
            for message in [message.to_string(), text.clone()] {
                if let Ok(token) = parse_token(&message) {
                    let _ = device.explain(&token);
                }
            }
        }
    }

    #[test]
    fn no_expression_panics(expression in any_expression(), message in any_json()) {
        let token = parse_token(&message.to_string()).unwrap();
        if let Ok(path) = JsonPath::parse(&expression) {
            let _ = path.select(Hit::Value(&token));
        }
        if let Ok(path) = JmesPath::parse(&expression) {
            let _ = path.search(&token);
        }
    }

    #[test]
    fn any_expression_in_any_template_gives_a_measurement_or_a_reason(
        expression in any_expression(), jmes in any::<bool>(), body in any_json(),
    ) {
        let language = if jmes { "JmesPath" } else { "JsonPath" };
        let mapping = json!({ "templateType": "CollectionContent", "template": [{
            "templateType": "CalculatedContent", "template": {
                "typeName": "t", "typeMatchExpression": "$.Body", "deviceIdExpression": "$.d",
                "timestampExpression": "$.t",
                "values": [{ "valueName": "v", "required": true,
                    "valueExpression": { "value": expression, "language": language } }],
            },
        }]});
        let loaded = DeviceMapping::compile(&mapping.to_string());
        let message = json!({ "Body": body, "d": "d", "t": "2020-01-01T00:00:00Z" }).to_string();
        let measured = loaded.mapping.measure(&parse_token(&message).unwrap());
        let told = measured.measurements.len() + measured.errors.len();
        prop_assert!(told == 1 || !loaded.faults.is_empty());
    }

    #[test]
    fn the_order_of_templates_that_do_not_overlap_does_not_matter(
        order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
        present in prop::collection::vec(any::<bool>(), 6),
        faulty in prop::collection::vec(any::<bool>(), 6),
    ) {
        let mut message = json!({ "d": "d", "t": "2020-01-01T00:00:00Z" });
        for (it, present) in present.iter().enumerate() {
            if *present {
                message[format!("m{it}")] = json!(it);
            }
        }
        let token = parse_token(&message.to_string()).unwrap();
        let outcome = |order: &[usize]| {
            let templates: Vec<Value> = order.iter().map(|it| device_template(*it, faulty[*it])).collect();
            let text = json!({ "templateType": "CollectionContent", "template": templates });
            let mapping = DeviceMapping::compile(&text.to_string()).mapping;
            let mut measured = mapping.measure(&token);
            measured.measurements.iter_mut().for_each(|it| it.template = 0);
            measured.measurements.sort_by(|a, b| a.type_name.cmp(&b.type_name));
            let mut errors: Vec<_> =
                measured.errors.iter().map(|it| (it.type_name.clone(), it.code.as_str())).collect();
            errors.sort_unstable();
            let found: Vec<Measurement> = measured.measurements;
            (found, errors)
        };
        let (found, errors) = outcome(&order);
        prop_assert_eq!(&(found.clone(), errors.clone()), &outcome(&[0, 1, 2, 3, 4, 5]));
        let wanted = present.iter().filter(|it| **it).count();
        prop_assert_eq!(found.len() + errors.len(), wanted);
    }

    #[test]
    fn the_order_of_fhir_templates_does_not_matter(
        templates in prop::collection::vec(any_fhir_template(), 1..5),
        readings in any_readings(any_text().boxed()),
        shuffle in any::<prop::sample::Index>(),
    ) {
        let named: Vec<Value> = templates
            .iter()
            .enumerate()
            .map(|(at, it)| {
                let mut it = it.clone();
                it["template"]["typeName"] = json!(format!("t{at}"));
                it
            })
            .collect();
        let mut turned = named.clone();
        turned.rotate_left(shuffle.index(named.len()));
        let written = |templates: &[Value]| {
            let mapping = fhir_mapping(templates);
            (0..named.len()).map(|at| write(&mapping, &group(&format!("t{at}"), &readings))).collect::<Vec<_>>()
        };
        prop_assert_eq!(written(&named), written(&turned));
    }

    #[test]
    fn what_an_observation_was_made_of_changes_nothing_when_it_comes_again(
        template in any_fhir_template(),
        readings in any_readings(any_number()),
    ) {
        let mapping = fhir_mapping(&[template]);
        let group = group("t", &readings);
        for window in mapping.observation_groups(&group).unwrap_or_default() {
            let convention = Convention::default();
            let Ok(made) = mapping.create("t", &window, &REFERENCES, &convention) else { continue };
            let text = mapping.write("t", &window, &REFERENCES, &convention).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &made);
            let again = mapping.merge("t", &window, &made, &convention).unwrap();
            prop_assert!(!again.changed, "{} became {}", made, again.observation);
        }
    }
}

const REFERENCES: References<'static> = References { patient: "p", device: "d", encounter: None };

/// Every kind of template once or twice; a faulty one finds no device.
fn device_template(at: usize, faulty: bool) -> Value {
    let (kind, language) = match at % 3 {
        0 => ("JsonPathContent", None),
        1 => ("CalculatedContent", Some("JsonPath")),
        _ => ("CalculatedContent", Some("JmesPath")),
    };
    let (jmes, matched) = (language == Some("JmesPath"), language.is_some());
    let root = match (jmes, matched) {
        (true, _) => "matchedToken",
        (false, true) => "$.matchedToken",
        (false, false) => "$",
    };
    let device = if faulty { "nobody" } else { "d" };
    let mut template = json!({
        "typeName": format!("t{at}"),
        "typeMatchExpression": if jmes {
            format!("to_array(@)[?m{at} != null]")
        } else {
            format!("$..[?(@m{at})]")
        },
        "deviceIdExpression": format!("{root}.{device}"),
        "timestampExpression": format!("{root}.t"),
        "values": [{ "valueName": "v", "valueExpression": format!("{root}.m{at}") }],
    });
    if let Some(language) = language {
        template["defaultExpressionLanguage"] = json!(language);
    }
    json!({ "templateType": kind, "template": template })
}

fn any_fhir_template() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec!["SampledData", "Quantity", "CodeableConcept", "String"]);
    let kinds = (kind.clone(), prop::option::of(kind));
    let period = prop::sample::select(vec![0, 60, 1440, -1]);
    (kinds, period, 1_000_i64..900_000, any_text()).prop_map(|((one, two), period, step, text)| {
        let value = |kind: &str, name: &str| {
            json!({
                "valueType": kind, "valueName": name, "defaultPeriod": step, "unit": text,
                "code": text, "system": "s", "text": text, "codes": [{ "code": text }],
            })
        };
        let components: Vec<Value> = two
            .iter()
            .map(|it| json!({ "codes": [{ "display": text }], "value": value(it, "b") }))
            .collect();
        json!({ "templateType": "CodeValueFhir", "template": {
            "typeName": "t", "periodInterval": period, "value": value(one, "a"),
            "codes": [{ "code": text, "system": "s" }], "category": [{ "text": text }],
            "components": components,
        }})
    })
}

fn any_number() -> BoxedStrategy<String> {
    (-99_999_i32..99_999, 0_i32..4)
        .prop_map(|(whole, scale)| (f64::from(whole) / 10_f64.powi(scale)).to_string())
        .boxed()
}

/// Up to six readings within two days, each with one or both values.
fn any_readings(
    text: impl Strategy<Value = String> + Clone,
) -> impl Strategy<Value = Vec<Reading>> {
    let start = 1_600_000_000_000_i64;
    let reading =
        (0_i64..172_800, text.clone(), prop::option::of(text)).prop_map(move |(second, a, b)| {
            Reading {
                occurred: Instant::from_unix_ms(start + second * 1_000).unwrap(),
                properties: [Some(("a".into(), a)), b.map(|it| ("b".into(), it))]
                    .into_iter()
                    .flatten()
                    .collect(),
            }
        });
    prop::collection::vec(reading, 0..6)
}

fn fhir_mapping(templates: &[Value]) -> FhirMapping {
    let text = json!({ "templateType": "CollectionFhir", "template": templates });
    let loaded = FhirMapping::compile(&text.to_string());
    assert!(loaded.is_sound(), "{:?}", loaded.faults);
    loaded.mapping
}

fn group(type_name: &str, readings: &[Reading]) -> Group {
    Group {
        type_name: type_name.into(),
        device_id: "d".to_owned(),
        patient_id: None,
        encounter_id: None,
        correlation_id: Some("c".to_owned()),
        readings: readings.to_vec(),
    }
}

/// What each window became, or why not.
fn write(mapping: &FhirMapping, group: &Group) -> Vec<Result<String, String>> {
    let windows = match mapping.observation_groups(group) {
        Ok(windows) => windows,
        Err(error) => return vec![Err(error.to_string())],
    };
    let convention = Convention::default();
    windows
        .iter()
        .map(|it| {
            mapping
                .write(&group.type_name, it, &REFERENCES, &convention)
                .map_err(|it| it.to_string())
        })
        .collect()
}
