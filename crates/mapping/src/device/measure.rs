//! Evaluates the templates of a device mapping on one message.

use std::borrow::Cow;

use super::{
    Code, DeviceMapping, Expression, Measured, Measurement, MessageFault, MessageFaultCode, Scope,
    Template,
};
use crate::convert;
use crate::jmespath::{Found, FunctionError, JmesError};
use crate::jsonpath::{EvalError, Hit, Overlay};
use crate::moment::Instant;
use crate::token::{Token, path_of};

pub(super) fn measure(mapping: &DeviceMapping, message: &Token) -> Measured {
    let mut measured = Measured::default();
    for template in &mapping.templates {
        if !matches!(message, Token::Object(_)) {
            let detail = format!("a message must be an object, it is {}", message.kind());
            let failure =
                Failure::new("TypeMatchExpression", MessageFaultCode::MessageNotObject, detail);
            measured.errors.push(failure.fault(template, String::new(), 0));
            break;
        }
        let mut one = |matched: Match<'_>| match evaluate(template, message, matched) {
            Ok(measurement) => measured.measurements.push(measurement),
            Err(failure) => {
                let path = matched.path(message);
                let after = measured.measurements.len();
                measured.errors.push(failure.fault(template, path, after));
            }
        };
        if let Err(failure) = matches(template, message, &mut one) {
            let failure = failure.of(&template.type_match);
            let after = measured.measurements.len();
            measured.errors.push(failure.fault(template, String::new(), after));
        }
    }
    measured
}

/// Why a match failed, before it is known which template and match it was.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) field: Cow<'static, str>,
    pub(super) code: MessageFaultCode,
    pub(super) detail: String,
    pub(super) line: u32,
}

impl Failure {
    fn new(
        field: impl Into<Cow<'static, str>>,
        code: MessageFaultCode,
        detail: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), code, detail: detail.into(), line: 0 }
    }

    /// The same, in that expression.
    fn of(self, expression: &Expression) -> Self {
        Self { line: expression.line, ..self }
    }

    pub(super) fn fault(self, template: &Template, path: String, after: usize) -> MessageFault {
        MessageFault {
            template: template.index,
            type_name: template.type_name.to_string(),
            field: self.field.into_owned(),
            code: self.code,
            path,
            detail: self.detail,
            line: self.line,
            after,
        }
    }
}

/// What a type match found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Match<'a> {
    /// A value, of the message or made by an expression.
    Token(&'a Token),
    /// A member of an object taken as one thing, which nothing can be read from.
    Pair,
}

impl Match<'_> {
    pub(super) fn path(self, message: &Token) -> String {
        match self {
            Self::Token(token) => path_of(message, token).unwrap_or_default(),
            Self::Pair => String::new(),
        }
    }
}

/// Hands every match of the template to `one`.
pub(super) fn matches(
    template: &Template,
    message: &Token,
    one: &mut dyn FnMut(Match<'_>),
) -> Result<(), Failure> {
    const FIELD: &str = "TypeMatchExpression";
    match &template.type_match.code {
        Code::Blank => Err(not_set(FIELD)),
        Code::Faulty(error) => {
            Err(Failure::new(FIELD, MessageFaultCode::ExpressionError, error.to_string()))
        }
        Code::JsonPath(path) => {
            let mut each = |hit: Hit<'_>| {
                one(match hit {
                    Hit::Value(token) => Match::Token(token),
                    Hit::Pair(..) => Match::Pair,
                });
                Ok(())
            };
            path.each(Hit::Value(message), &mut each).map_err(|it| path_failure(FIELD.into(), it))
        }
        Code::JmesPath(path) => {
            let found = path.search(message).map_err(|it| jmes_failure(FIELD.into(), &it))?;
            match found {
                Found::Nothing => {}
                Found::One(token) => one(Match::Token(&token)),
                Found::Projected(items) => items.iter().for_each(|it| one(Match::Token(it))),
            }
            Ok(())
        }
    }
}

fn not_set(field: impl Into<Cow<'static, str>>) -> Failure {
    Failure::new(field, MessageFaultCode::ExpressionNotSet, "the expression is blank")
}

fn path_failure(field: Cow<'static, str>, error: EvalError) -> Failure {
    let code = match error {
        EvalError::Several => MessageFaultCode::MultipleTokens,
        EvalError::ZeroStep | EvalError::TooMuch => MessageFaultCode::ExpressionError,
        EvalError::NegativeIndex
        | EvalError::BadIndex
        | EvalError::NotComparable
        | EvalError::BadPattern
        | EvalError::PatternTooSlow => MessageFaultCode::FunctionRuntime,
    };
    Failure::new(field, code, error.to_string())
}

fn jmes_failure(field: Cow<'static, str>, error: &JmesError) -> Failure {
    let code = match error {
        JmesError::Several => MessageFaultCode::MultipleTokens,
        JmesError::TooMuch | JmesError::ZeroStep => MessageFaultCode::ExpressionError,
        JmesError::Function { error: FunctionError::Argument(_), .. } => {
            MessageFaultCode::FunctionArgumentType
        }
        JmesError::Function { .. } => MessageFaultCode::FunctionRuntime,
    };
    Failure::new(field, code, error.to_string())
}

/// What the expressions of one match are evaluated on.
pub(super) struct Context<'a> {
    matched: Option<&'a Token>,
    overlay: Option<Overlay<'a>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        template: &Template,
        message: &'a Token,
        matched: Match<'a>,
    ) -> Result<Self, Failure> {
        let matched = match matched {
            Match::Token(token) => Some(token),
            Match::Pair if template.scope == Scope::Match => None,
            Match::Pair => {
                return Err(Failure::new(
                    "TypeMatchExpression",
                    MessageFaultCode::FunctionRuntime,
                    "the filter selects a member of an object, which is no value; filter an array",
                ));
            }
        };
        let overlay = match (template.scope, matched) {
            (Scope::Message, Some(matched)) => Some(Overlay::new(message, matched)),
            _ => None,
        };
        Ok(Self { matched, overlay })
    }

    /// The member of that name that expressions see at their root.
    pub(super) fn member(&self, name: &str) -> Option<&Token> {
        match &self.overlay {
            Some(overlay) => overlay.member(name),
            None => self.matched.and_then(|it| it.member(name)),
        }
    }

    /// The value of an expression, or none.
    pub(super) fn find<'c>(
        &'c self,
        expression: &'c Expression,
        field: &str,
    ) -> Result<Option<Cow<'c, Token>>, Failure> {
        let named = || Cow::Owned(field.to_owned());
        match &expression.code {
            Code::Blank => Err(not_set(field.to_owned())),
            Code::Faulty(error) => {
                Err(Failure::new(named(), MessageFaultCode::ExpressionError, error.to_string()))
            }
            Code::JsonPath(path) => {
                let found = match (&self.overlay, self.matched) {
                    (Some(overlay), _) => path.find_over(overlay),
                    (None, Some(matched)) => path.find(Hit::Value(matched)),
                    (None, None) => Ok(None),
                };
                found.map(|it| it.map(Cow::Borrowed)).map_err(|it| path_failure(named(), it))
            }
            Code::JmesPath(path) => {
                let Some(overlay) = &self.overlay else { return Ok(None) };
                path.find_over(overlay).map_err(|it| jmes_failure(named(), &it))
            }
        }
    }

    fn required<'c>(
        &'c self,
        expression: &'c Expression,
        field: &str,
    ) -> Result<Cow<'c, Token>, Failure> {
        match self.find(expression, field)? {
            None => Err(Failure::new(
                field.to_owned(),
                MessageFaultCode::RequiredValueMissing,
                format!("nothing found by {}", expression.text),
            )),
            Some(token) if *token == Token::Null => Err(Failure::new(
                field.to_owned(),
                MessageFaultCode::RequiredValueNullOrEmpty,
                format!("null found by {}", expression.text),
            )),
            Some(token) => Ok(token),
        }
    }

    /// A text that must be there and not blank.
    pub(super) fn required_text(
        &self,
        expression: &Expression,
        field: &str,
    ) -> Result<String, Failure> {
        let token = self.required(expression, field)?;
        let Some(text) = convert::text(&token) else {
            let detail = format!("{} found by {} has no text", token.kind(), expression.text);
            return Err(Failure::new(field.to_owned(), MessageFaultCode::ConversionFailed, detail));
        };
        if text.trim().is_empty() {
            let detail = format!("a blank text found by {}", expression.text);
            let code = MessageFaultCode::RequiredValueNullOrEmpty;
            return Err(Failure::new(field.to_owned(), code, detail));
        }
        Ok(text.into_owned())
    }

    /// A text that may be there; blank is kept, what has no text is left out.
    pub(super) fn optional_text(
        &self,
        expression: &Expression,
        field: &str,
    ) -> Result<Option<String>, Failure> {
        if expression.is_blank() {
            return Ok(None);
        }
        let found = self.find(expression, field)?;
        Ok(found.and_then(|it| convert::text(&it).map(Cow::into_owned)))
    }

    pub(super) fn timestamp(&self, template: &Template) -> Result<Instant, Failure> {
        const FIELD: &str = "TimestampExpression";
        let Some((last, earlier)) = template.timestamps.split_last() else {
            return Err(not_set(FIELD));
        };
        for expression in earlier {
            let found = self.find(expression, FIELD).map_err(|e| e.of(expression))?;
            if let Some(moment) = found.and_then(|it| convert::moment(&it)) {
                return Ok(moment.instant);
            }
        }
        let token = self.required(last, FIELD).map_err(|e| e.of(last))?;
        convert::moment(&token).map(|it| it.instant).ok_or_else(|| {
            let mut detail = format!("{} found by {} is not a time", token.kind(), last.text);
            if matches!(*token, Token::Int(_) | Token::Float(_)) {
                detail.push_str("; use fromUnixTimestamp or fromUnixTimestampMs");
            }
            Failure::new(FIELD, MessageFaultCode::ConversionFailed, detail).of(last)
        })
    }
}

pub(super) fn evaluate(
    template: &Template,
    message: &Token,
    matched: Match<'_>,
) -> Result<Measurement, Failure> {
    let context = Context::new(template, message, matched)?;
    let text =
        |it: &Expression, field: &str| context.required_text(it, field).map_err(|e| e.of(it));
    let device_id = text(&template.device_id, "DeviceIdExpression")?;
    let occurred = context.timestamp(template)?;
    let correlation_id = match &template.correlation_id {
        Some(it) if !it.is_blank() => Some(text(it, "CorrelationIdExpression")?),
        _ => None,
    };
    let optional = |it: &Option<Expression>, field| match it {
        Some(it) => context.optional_text(it, field).map_err(|e| e.of(it)),
        None => Ok(None),
    };
    let patient_id = optional(&template.patient_id, "PatientIdExpression")?;
    let encounter_id = optional(&template.encounter_id, "EncounterIdExpression")?;
    let mut properties = Vec::with_capacity(template.values.len());
    for value in &template.values {
        let found = if value.required {
            context.required_text(&value.expression, &value.name).map(Some)
        } else {
            context.optional_text(&value.expression, &value.name)
        };
        let found = found.map_err(|e| e.of(&value.expression))?;
        properties.extend(found.map(|text| (value.name.clone(), text)));
    }
    Ok(Measurement {
        type_name: template.type_name.clone(),
        occurred,
        device_id,
        patient_id,
        encounter_id,
        correlation_id,
        properties,
        template: template.index,
    })
}
