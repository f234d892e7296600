//! Fifty broken mapping files: each fault names its place and its cause. The table is printed.

use auscult_mapping::{DeviceMapping, FaultCode, FhirMapping, MappingFault};

/// A device mapping of one template with this type and body, the body from line 4 on.
fn device(kind: &str, body: &str) -> String {
    format!(
        "{{\"templateType\": \"CollectionContent\",\n \"template\": [{{\n  \"templateType\": \
         \"{kind}\", \"template\": {{\n{body}\n}}}}]}}"
    )
}

/// A sound JsonPathContent body with one member (a line of its own) replaced.
fn json_path(member: &str, line: &str) -> String {
    device("JsonPathContent", &replaced(member, line, "$."))
}

fn calculated(member: &str, line: &str) -> String {
    device("CalculatedContent", &replaced(member, line, "$.matchedToken."))
}

fn replaced(member: &str, line: &str, root: &str) -> String {
    let members = [
        ("typeName", "\"typeName\": \"t\"".to_owned()),
        ("typeMatchExpression", "\"typeMatchExpression\": \"$..[?(@hr)]\"".to_owned()),
        ("deviceIdExpression", format!("\"deviceIdExpression\": \"{root}dev\"")),
        ("timestampExpression", format!("\"timestampExpression\": \"{root}ts\"")),
        (
            "values",
            format!("\"values\": [{{\"valueName\": \"v\", \"valueExpression\": \"{root}hr\"}}]"),
        ),
    ];
    let lines =
        members.into_iter().map(|(name, text)| if name == member { line.to_owned() } else { text });
    lines.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(",\n")
}

fn fhir(member: &str, line: &str) -> String {
    let members = [
        ("typeName", "\"typeName\": \"t\""),
        ("codes", "\"codes\": [{\"code\": \"8867-4\", \"system\": \"http://loinc.org\"}]"),
        ("value", "\"value\": {\"valueType\": \"Quantity\", \"valueName\": \"v\"}"),
        ("periodInterval", "\"periodInterval\": 0"),
    ];
    let lines = members.into_iter().map(|(name, text)| if name == member { line } else { text });
    let body = lines.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(",\n");
    format!(
        "{{\"templateType\": \"CollectionFhir\",\n \"template\": [{{\n  \"templateType\": \
         \"CodeValueFhir\", \"template\": {{\n{body}\n}}}}]}}"
    )
}

#[derive(Clone, Copy)]
enum Kind {
    Device,
    Fhir,
}

#[test]
#[allow(clippy::too_many_lines, reason = "one row for each of fifty files")]
fn fifty_broken_files_each_name_the_place_and_the_cause() {
    use FaultCode::*;
    use Kind::{Device, Fhir};
    const BODY: &str = "/template/0/template";
    let of = |member: &str| format!("{BODY}/{member}");
    let value = |text: &str| json_path("values", &format!("\"values\": [{text}]"));
    #[rustfmt::skip]
    let rows: Vec<(Kind, String, u32, String, FaultCode, &str)> = vec![
        // kind, file, line, place, code, what the detail or the suggestion names
        (Device, String::new(),                                      1, String::new(), EmptyMapping, "empty"),
        (Device, "null".into(),                                      1, String::new(), EmptyMapping, "empty"),
        (Device, "{\n  nope".into(),                                 2, String::new(), JsonSyntax, "member name"),
        (Device, "{\"templateType\":\n}".into(),                     2, String::new(), JsonSyntax, "templateType"),
        (Device, "[]".into(),                                        1, String::new(), JsonSyntax, "an object"),
        (Device, "{\"a\": 1} x".into(),                              1, String::new(), JsonSyntax, "after the document"),
        (Device, "{\"a\": \"x}".into(),                              1, String::new(), JsonSyntax, "does not end"),
        (Device, "{\"a\": [1 2]}".into(),                            1, String::new(), JsonSyntax, "',' or ']'"),
        (Device, "{\"a\": \"\\q\"}".into(),                          1, String::new(), JsonSyntax, "after '\\'"),
        (Device, "{\n/* a }".into(),                                 2, String::new(), JsonSyntax, "comment"),
        (Device, "[".repeat(70),                                     1, String::new(), JsonSyntax, "64 levels"),
        (Device, "{\"template\": []}".into(),                        1, String::new(), WrongTemplateType, "CollectionContent"),
        (Device, "{\n\"templateType\": \"CollectionFhir\"}".into(),  2, "/templateType".into(), WrongTemplateType, "CollectionContent"),
        (Device, "{\"templateType\": \"CollectionContent\"}".into(), 1, String::new(), TemplateNotArray, "array"),
        (Device, "{\"templateType\": \"CollectionContent\",\n\"template\": {}}".into(), 2, "/template".into(), TemplateNotArray, "array"),
        (Device, "{\"templateType\": \"CollectionContent\", \"template\": [\nnull]}".into(), 2, "/template/0".into(), TemplateTypeProblem, "null"),
        (Device, "{\"templateType\": \"CollectionContent\", \"template\": [\n\"x\"]}".into(), 2, "/template/0".into(), TemplateTypeProblem, "a text"),
        (Device, "{\"templateType\": \"CollectionContent\", \"template\": [\n{\"template\": {}}]}".into(), 2, "/template/0".into(), UnknownTemplateType, "templateType"),
        (Device, "{\"templateType\": \"CollectionContent\", \"template\": [\n{\"templateType\": \"JsonPathContent\"}]}".into(), 2, "/template/0".into(), TemplateTypeProblem, "body"),
        (Device, "{\"templateType\": \"CollectionContent\", \"template\": [\n{\"templateType\": \"JsonPathContent\", \"template\": []}]}".into(), 2, "/template/0/template".into(), TemplateTypeProblem, "object"),
        (Device, device("JsonPathContnt", ""),                       3, "/template/0/templateType".into(), UnknownTemplateType, "JsonPathContent"),
        (Device, device("CalculatedContentTemplate", ""),            3, "/template/0/templateType".into(), UnknownTemplateType, "CalculatedContent"),
        (Device, json_path("typeName", ""),                          3, BODY.into(), MissingRequiredProperty, "typeName"),
        (Device, json_path("typeName", "\"typeName\": null"),        4, of("typeName"), RequiredPropertyNull, "typeName"),
        (Device, json_path("typeName", "\"typeName\": [1]"),         4, of("typeName"), BadValueType, "an array"),
        (Device, json_path("typeMatchExpression", ""),               3, BODY.into(), MissingRequiredProperty, "typeMatchExpression"),
        (Device, json_path("deviceIdExpression", "\"deviceIDExpresion\": \"$.d\""), 6, of("deviceIDExpresion"), UnknownMember, "deviceIdExpression"),
        (Device, json_path("deviceIdExpression", "\"deviceIdExpression\": {\"value\": \"$.d\"}"), 6, of("deviceIdExpression"), BadValueType, "an object"),
        (Device, json_path("timestampExpression", ""),               3, BODY.into(), MissingRequiredProperty, "timestampExpression"),
        (Device, json_path("values", "\"values\": {}"),              8, of("values"), BadValueType, "an array"),
        (Device, value("7"),                                         8, of("values/0"), BadValueType, "an integer"),
        (Device, value("{\"valueName\": \"v\"}"),                    8, of("values/0"), MissingRequiredProperty, "valueExpression"),
        (Device, value("{\"valueExpression\": \"$.v\"}"),            8, of("values/0"), MissingRequiredProperty, "valueName"),
        (Device, value("{\"valueName\": \"v\", \"valueExpression\": \"$.v\", \"requird\": true}"), 8, of("values/0/requird"), UnknownMember, "required"),
        (Device, value("{\"valueName\": \"v\", \"valueExpression\": \"$.v\", \"required\": \"yes\"}"), 8, of("values/0/required"), BadValueType, "true or false"),
        (Device, json_path("typeMatchExpression", "\"typeMatchExpression\": \"$..[?(@hr\""), 5, of("typeMatchExpression"), ExpressionSyntax, "not closed"),
        (Device, calculated("values", ""),                           3, BODY.into(), MissingRequiredProperty, "values"),
        (Device, calculated("typeMatchExpression", "\"typeMatchExpression\": \"\""), 5, of("typeMatchExpression"), RequiredPropertyNull, "typeMatchExpression"),
        (Device, calculated("deviceIdExpression", "\"deviceIdExpression\": 5"), 6, of("deviceIdExpression"), BadValueType, "an integer"),
        (Device, calculated("deviceIdExpression", "\"deviceIdExpression\": {\"language\": \"JmesPath\"}"), 6, of("deviceIdExpression"), MissingRequiredProperty, "value"),
        (Device, calculated("deviceIdExpression", "\"deviceIdExpression\": {\"value\": \"d\", \"language\": \"XPath\"}"), 6, of("deviceIdExpression/language"), BadValueType, "JmesPath"),
        (Device, calculated("deviceIdExpression", "\"deviceIdExpression\": {\"value\": \"$.d\", \"language\": \"JmesPath\"}"), 6, of("deviceIdExpression"), ExpressionSyntax, "'$'"),
        (Device, calculated("deviceIdExpression", "\"deviceIdExpression\": {\"value\": \"ad(a, b)\", \"language\": \"JmesPath\"}"), 6, of("deviceIdExpression"), ExpressionSyntax, "'ad'"),
        (Fhir,   fhir("typeName", "\"typeName\": \" \""),            4, of("typeName"), EmptyTypeName, "blank"),
        (Fhir,   fhir("codes", ""),                                  3, BODY.into(), MissingRequiredProperty, "codes"),
        (Fhir,   fhir("codes", "\"codes\": [{\"cod\": \"x\"}]"),     5, of("codes/0/cod"), UnknownMember, "code"),
        (Fhir,   fhir("value", "\"value\": {\"valueName\": \"v\"}"), 6, of("value"), ValueTypeMissing, "valueType"),
        (Fhir,   fhir("value", "\"value\": {\"valueType\": \"Quantty\"}"), 6, of("value/valueType"), ValueTypeUnsupported, "Quantity"),
        (Fhir,   fhir("value", "\"value\": {\"valueType\": \"SampledData\", \"valueName\": \"v\", \"defaultPeriod\": 0}"), 6, of("value/defaultPeriod"), OutOfRange, "more than 0"),
        (Fhir,   fhir("periodInterval", "\"periodInterval\": 60.0"), 7, of("periodInterval"), BadValueType, "1440"),
    ];
    assert_eq!(rows.len(), 50);
    let mut failures = Vec::new();
    for (at, (kind, text, line, path, code, names)) in rows.into_iter().enumerate() {
        let faults = match kind {
            Device => DeviceMapping::compile(&text).faults,
            Fhir => FhirMapping::compile(&text).faults,
        };
        let Some(first) = faults.first() else {
            failures.push(format!("{at}: no fault in {text}"));
            continue;
        };
        let MappingFault { line: l, column: c, code: k, detail, suggestion, .. } = first;
        let told = suggestion.as_deref().map(|it| format!(" ({it})")).unwrap_or_default();
        println!("{at:>2} {l}:{c:<3} {:<28} {:<26} {detail}{told}", first.path, k.as_str());
        if (*l, &first.path, *k) != (line, &path, code)
            || !format!("{detail}{told}").contains(names)
        {
            failures.push(format!("{at}: want {line} {path} {code:?} {names}, found {first:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_faulty_template_never_stops_its_neighbours() {
    let sound = r#"{"templateType": "JsonPathContent", "template": {"typeName": "t",
        "typeMatchExpression": "$..[?(@hr)]", "deviceIdExpression": "$.d",
        "timestampExpression": "$.t"}}"#;
    let text = format!(
        r#"{{"templateType": "CollectionContent", "template": [{sound}, null, {{}}, {sound}]}}"#
    );
    let loaded = DeviceMapping::compile(&text);
    assert_eq!((loaded.mapping.len(), loaded.faults.len()), (2, 2));
    assert!(!loaded.is_sound());
}
