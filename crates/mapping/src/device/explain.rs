//! Tells why a value arrived or did not: what each template tried and what it found.

use serde::Serialize;

use super::measure::{Context, Match, evaluate, matches};
use super::{Code, DeviceMapping, Expression, Measured, Template};
use crate::convert;
use crate::token::{Token, path_of};

/// Longest text of a found value shown; the trace is for reading.
const SHOWN_MAX: usize = 120;

/// What happened to one message.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// What came out.
    pub measured: Measured,
    /// Each template that was tried, in file order.
    pub templates: Vec<TemplateTrace>,
}

/// What one template did with the message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemplateTrace {
    /// Index in the file.
    pub template: usize,
    /// `typeName`.
    pub type_name: String,
    /// The type match as written.
    pub type_match: String,
    /// Why nothing matched, or why the match could not be tried; none when something matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_match: Option<String>,
    /// Each match, in order.
    pub matches: Vec<MatchTrace>,
}

/// One match and what its expressions gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatchTrace {
    /// JSONPath of the matched value; empty when an expression made it.
    pub path: String,
    /// Whether it gave a measurement.
    pub measured: bool,
    /// The fault that kept it from giving one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Each expression, in the order of evaluation.
    pub expressions: Vec<ExpressionTrace>,
}

/// What one expression gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpressionTrace {
    /// The member it stands in, or the name of the value.
    pub field: String,
    /// The expression as written.
    pub expression: String,
    /// What it gave.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What one expression gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// A value with a text.
    Found {
        /// JSONPath of the value in the message, when it is a part of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// Its text.
        text: String,
    },
    /// A value without a text: null, an array, an object.
    NoText {
        /// JSONPath of the value in the message, when it is a part of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// What kind of value it is.
        kind: &'static str,
    },
    /// Nothing at that place.
    Nothing {
        /// The longest beginning of the path that does exist, when that can be told.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// The expression failed.
    Failed {
        /// Why.
        detail: String,
    },
}

pub(super) fn explain(mapping: &DeviceMapping, message: &Token) -> Explanation {
    let measured = mapping.measure(message);
    let templates = mapping.templates.iter().map(|it| trace(it, message)).collect();
    Explanation { measured, templates }
}

fn trace(template: &Template, message: &Token) -> TemplateTrace {
    let mut found = Vec::new();
    let tried = if matches!(message, Token::Object(_)) {
        matches(template, message, &mut |matched| {
            found.push(match_trace(template, message, matched))
        })
        .map_err(|it| it.detail)
    } else {
        Err(format!("a message must be an object, it is {}", message.kind()))
    };
    let no_match = match tried {
        Err(detail) => Some(detail),
        Ok(()) if found.is_empty() => Some("the type match finds nothing".to_owned()),
        Ok(()) => None,
    };
    TemplateTrace {
        template: template.index,
        type_name: template.type_name.to_string(),
        type_match: template.type_match.text.to_string(),
        no_match,
        matches: found,
    }
}

fn match_trace(template: &Template, message: &Token, matched: Match<'_>) -> MatchTrace {
    let outcome = evaluate(template, message, matched);
    let mut expressions = Vec::new();
    if let Ok(context) = Context::new(template, message, matched) {
        let mut one = |field: &str, expression: &Expression| {
            expressions.push(ExpressionTrace {
                field: field.to_owned(),
                expression: expression.text.to_string(),
                outcome: look(&context, expression, field, message, matched),
            });
        };
        one("DeviceIdExpression", &template.device_id);
        template.timestamps.iter().for_each(|it| one("TimestampExpression", it));
        let optional = [
            ("CorrelationIdExpression", &template.correlation_id),
            ("PatientIdExpression", &template.patient_id),
            ("EncounterIdExpression", &template.encounter_id),
        ];
        for (field, expression) in optional {
            if let Some(expression) = expression.as_ref().filter(|it| !it.is_blank()) {
                one(field, expression);
            }
        }
        template.values.iter().for_each(|it| one(&it.name, &it.expression));
    }
    MatchTrace {
        path: matched.path(message),
        measured: outcome.is_ok(),
        fault: outcome.err().map(|it| format!("{}: {}", it.field, it.detail)),
        expressions,
    }
}

fn look(
    context: &Context<'_>,
    expression: &Expression,
    field: &str,
    message: &Token,
    matched: Match<'_>,
) -> Outcome {
    let found = match context.find(expression, field) {
        Err(failure) => return Outcome::Failed { detail: failure.detail },
        Ok(None) => return Outcome::Nothing { hint: hint(context, expression, matched) },
        Ok(Some(found)) => found,
    };
    let path = path_of(message, &found);
    match convert::text(&found) {
        Some(text) => Outcome::Found { path, text: text.chars().take(SHOWN_MAX).collect() },
        None => Outcome::NoText { path, kind: found.kind() },
    }
}

/// For a plain path that finds nothing: how far it leads, and what is there instead.
fn hint(context: &Context<'_>, expression: &Expression, matched: Match<'_>) -> Option<String> {
    let Code::JsonPath(_) = expression.code else { return None };
    let text = expression.text.strip_prefix("$.").unwrap_or(&expression.text);
    if text.contains(['[', '(', '*']) || text.contains("..") {
        return None;
    }
    let names: Vec<&str> = text.split('.').collect();
    let mut node: Option<&Token> = None;
    let mut path = String::from("$");
    for name in names {
        let (next, known) = match (node, matched) {
            (None, Match::Token(token)) => (context.member(name), members(token)),
            (Some(token), _) => (token.member(name), members(token)),
            (None, Match::Pair) => return None,
        };
        let Some(next) = next else {
            let near = crate::load::nearest(name, &known);
            let near = near.map(|it| format!(", there is '{it}'")).unwrap_or_default();
            return Some(format!("there is no '{name}' in {path}{near}"));
        };
        path.push('.');
        path.push_str(name);
        node = Some(next);
    }
    None
}

fn members(token: &Token) -> Vec<&str> {
    match token {
        Token::Object(object) => object.iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}
