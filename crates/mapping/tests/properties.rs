//! What holds for every message and every mapping.

use auscult_mapping::jmespath::JmesPath;
use auscult_mapping::jsonpath::{Hit, JsonPath};
use auscult_mapping::{DeviceMapping, FhirMapping, Measurement, parse_token};
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
    ) {
        let template = |it: usize| json!({ "templateType": "JsonPathContent", "template": {
            "typeName": format!("t{it}"), "typeMatchExpression": format!("$..[?(@m{it})]"),
            "deviceIdExpression": "$.d", "timestampExpression": "$.t",
            "values": [{ "valueName": "v", "valueExpression": format!("$.m{it}") }],
        }});
        let mapping = |order: &[usize]| {
            let templates: Vec<Value> = order.iter().map(|it| template(*it)).collect();
            let text = json!({ "templateType": "CollectionContent", "template": templates });
            DeviceMapping::compile(&text.to_string()).mapping
        };
        let mut message = json!({ "d": "d", "t": "2020-01-01T00:00:00Z" });
        for (it, present) in present.iter().enumerate() {
            if *present {
                message[format!("m{it}")] = json!(it);
            }
        }
        let token = parse_token(&message.to_string()).unwrap();
        let sorted = |order: &[usize]| {
            let mut found: Vec<Measurement> = mapping(order).measure(&token).measurements;
            found.iter_mut().for_each(|it| it.template = 0);
            found.sort_by(|a, b| a.type_name.cmp(&b.type_name));
            found
        };
        prop_assert_eq!(sorted(&order), sorted(&[0, 1, 2, 3, 4, 5]));
    }
}
