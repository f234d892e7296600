//! Expressions on their own.

use auscult_mapping::convert;
use auscult_mapping::jmespath::JmesPath;
use auscult_mapping::jsonpath::{Hit, JsonPath};
use auscult_mapping::{Token, parse_token};
use serde_json::{Value, json};

use crate::{Case, same};

pub fn expression(case: &Case) -> Result<(), String> {
    let document = parse_token(case.text("document").unwrap()).unwrap();
    let text = case["expression"].as_str().unwrap();
    let found = match case["language"].as_str().unwrap() {
        "JsonPath" => json_path(text, &document),
        _ => jmes_path(text, &document),
    };
    match (&case["expectedError"], found) {
        (Value::Null, Err(error)) => Err(error),
        (Value::Null, Ok(found)) => match case.get("expectedTokens") {
            Some(want) => {
                let values: Vec<&Value> =
                    want.as_array().unwrap().iter().map(|it| &it["value"]).collect();
                same("values", found["values"].as_array().unwrap().iter().collect(), values)
            }
            None => {
                same("value", &found["value"], &case["expected"])?;
                if case["expectedTokenType"] != "(null)" {
                    same("type", &found["type"], &case["expectedTokenType"])?;
                }
                match case.get("expectedAsString") {
                    Some(want) => same("text", &found["text"], want),
                    None => Ok(()),
                }
            }
        },
        (_, Ok(found)) => Err(format!("an error is expected, found {found}")),
        (error, Err(found)) => {
            let category = error["category"].as_str().unwrap();
            let kind = found.split(':').next().unwrap_or_default();
            same("category", kind, category)
        }
    }
}

fn json_path(text: &str, document: &Token) -> Result<Value, String> {
    let path = JsonPath::parse(text).map_err(|it| format!("expression-error: {it}"))?;
    let hits = path.select(Hit::Value(document)).map_err(|it| format!("expression-error: {it}"))?;
    let value = |hit: &Hit<'_>| match hit {
        Hit::Value(token) => token.to_json(),
        Hit::Pair(name, value) => json!({ "pair": name, "value": value.to_json() }),
    };
    Ok(json!({ "values": hits.iter().map(value).collect::<Vec<_>>() }))
}

fn jmes_path(text: &str, document: &Token) -> Result<Value, String> {
    use auscult_mapping::jmespath::{FunctionError, JmesError};
    let path = JmesPath::parse(text).map_err(|it| format!("expression-error: {it}"))?;
    let found = path.find(document).map_err(|error| match error {
        JmesError::Several => "multiple-tokens".to_owned(),
        JmesError::Function { error: FunctionError::Argument(_), .. } => {
            "function-argument-type".to_owned()
        }
        JmesError::Function { .. } => "function-runtime".to_owned(),
        error => format!("expression-error: {error}"),
    })?;
    let Some(token) = found else { return Ok(json!({ "value": null })) };
    let kind = match *token {
        Token::Null => "Null",
        Token::Bool(_) => "Boolean",
        Token::Int(_) | Token::Big(_) => "Integer",
        Token::Float(_) => "Float",
        Token::Text(_) => "String",
        Token::Date(_) => "Date",
        Token::Array(_) => "Array",
        Token::Object(_) => "Object",
    };
    Ok(json!({ "value": token.to_json(), "type": kind, "text": convert::text(&token) }))
}
