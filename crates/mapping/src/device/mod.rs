//! The device mapping: which messages hold which measurements, and where.

mod explain;
pub(crate) mod load;
mod measure;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::jmespath::JmesPath;
use crate::jsonpath::{JsonPath, PathSyntaxError};
use crate::load::Loaded;
use crate::moment::Instant;
use crate::token::Token;

pub use explain::{Explanation, ExpressionTrace, MatchTrace, Outcome, TemplateTrace};

/// A device mapping, compiled once per version and used for every message.
#[derive(Debug, Clone, Default)]
pub struct DeviceMapping {
    templates: Vec<Template>,
}

impl DeviceMapping {
    /// Reads a mapping file. Every fault is collected; the templates that loaded can be used.
    #[must_use]
    pub fn compile(text: &str) -> Loaded<Self> {
        load::compile(text)
    }

    /// Number of templates that loaded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.templates.len()
    }

    /// Whether no template loaded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    /// The measurement types and value names the templates can produce, in file order.
    #[must_use]
    pub fn produces(&self) -> Vec<(&str, Vec<&str>)> {
        self.templates
            .iter()
            .map(|it| (&*it.type_name, it.values.iter().map(|value| &*value.name).collect()))
            .collect()
    }

    /// Every measurement of a message, in template and match order. A fault in one match never
    /// costs another match or template theirs.
    #[must_use]
    pub fn measure(&self, message: &Token) -> Measured {
        measure::measure(self, message)
    }

    /// The same with a trace of what was tried and what each expression gave.
    #[must_use]
    pub fn explain(&self, message: &Token) -> Explanation {
        explain::explain(self, message)
    }
}

/// What a message gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// The measurements, in template and match order.
    pub measurements: Vec<Measurement>,
    /// What went wrong, in the same order.
    pub errors: Vec<MessageFault>,
}

impl Measured {
    /// What the Azure service would have published: it stops at the first fault of a message and
    /// loses the measurements that follow.
    #[must_use]
    pub fn until_first_error(&self) -> &[Measurement] {
        let end = self.errors.first().map_or(self.measurements.len(), |it| it.after);
        self.measurements.get(..end).unwrap_or_default()
    }
}

/// One normalised measurement: a type, a time, ids and named values as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measurement {
    /// `typeName` of the template.
    pub type_name: Arc<str>,
    /// When it was measured.
    pub occurred: Instant,
    /// Never blank.
    pub device_id: String,
    /// May be blank when the message says so.
    pub patient_id: Option<String>,
    /// May be blank when the message says so.
    pub encounter_id: Option<String>,
    /// Never blank.
    pub correlation_id: Option<String>,
    /// Value names and values, in template order; a name may repeat.
    pub properties: Vec<(Arc<str>, String)>,
    /// Index of the template in the file.
    pub template: usize,
}

impl Measurement {
    /// The value of that name; the last one when it repeats.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().rev().find(|(it, _)| **it == *name).map(|(_, value)| value.as_str())
    }
}

/// Why a match gave no measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageFaultCode {
    /// The message is not an object.
    MessageNotObject,
    /// A required value was not found.
    RequiredValueMissing,
    /// A required value is null, empty or blank.
    RequiredValueNullOrEmpty,
    /// A required value has a type that cannot be read as text or time.
    ConversionFailed,
    /// A required expression is blank.
    ExpressionNotSet,
    /// An expression does not compile or cannot be evaluated.
    ExpressionError,
    /// An expression found several values where one is wanted.
    MultipleTokens,
    /// A function got an argument of the wrong type.
    FunctionArgumentType,
    /// A function, an index or a comparison failed on this value.
    FunctionRuntime,
}

impl MessageFaultCode {
    /// The stable name, kebab-case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessageNotObject => "message-not-object",
            Self::RequiredValueMissing => "required-value-missing",
            Self::RequiredValueNullOrEmpty => "required-value-null-or-empty",
            Self::ConversionFailed => "conversion-failed",
            Self::ExpressionNotSet => "expression-not-set",
            Self::ExpressionError => "expression-error",
            Self::MultipleTokens => "multiple-tokens",
            Self::FunctionArgumentType => "function-argument-type",
            Self::FunctionRuntime => "function-runtime",
        }
    }
}

/// One match, or one template, that failed on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFault {
    /// Index of the template in the file.
    pub template: usize,
    /// `typeName` of the template.
    pub type_name: String,
    /// The member at fault: `TimestampExpression`, or the name of a value.
    pub field: String,
    /// What kind of fault.
    pub code: MessageFaultCode,
    /// JSONPath of the match in the message; empty when the type match itself failed.
    pub path: String,
    /// The reason, without any value of the message.
    pub detail: String,
    /// Line of the expression in the mapping file; 0 when the template type fixes it.
    pub line: u32,
    /// Number of measurements that came before.
    pub after: usize,
}

#[derive(Debug, Clone)]
struct Template {
    index: usize,
    type_name: Arc<str>,
    type_match: Expression,
    device_id: Expression,
    // A second one is used when the first gives no time.
    timestamps: Vec<Expression>,
    patient_id: Option<Expression>,
    encounter_id: Option<Expression>,
    correlation_id: Option<Expression>,
    values: Vec<ValueTemplate>,
    scope: Scope,
}

/// What `$` is in the expressions of a template, except in its type match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The matched token.
    Match,
    /// The message with the match as one more member.
    Message,
}

#[derive(Debug, Clone)]
struct ValueTemplate {
    name: Arc<str>,
    expression: Expression,
    required: bool,
}

#[derive(Debug, Clone)]
struct Expression {
    text: Box<str>,
    code: Code,
    // Line of the mapping file; 0 for an expression the template type fixes.
    line: u32,
}

#[derive(Debug, Clone)]
enum Code {
    /// Blank, which only matters when it is needed.
    Blank,
    JsonPath(JsonPath),
    JmesPath(JmesPath),
    /// JSONPath that does not compile: an error with the first message.
    Faulty(PathSyntaxError),
}

impl Expression {
    fn json_path(text: &str) -> Self {
        let code = if text.trim().is_empty() {
            Code::Blank
        } else {
            match JsonPath::parse(text) {
                Ok(path) => Code::JsonPath(path),
                Err(error) => Code::Faulty(error),
            }
        };
        Self { text: text.into(), code, line: 0 }
    }

    fn is_blank(&self) -> bool {
        matches!(self.code, Code::Blank)
    }
}
