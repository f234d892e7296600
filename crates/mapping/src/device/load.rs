//! Reads the templates of a device mapping.

use std::sync::Arc;

use super::{Code, DeviceMapping, Expression, Scope, Template, ValueTemplate};
use crate::jmespath::JmesPath;
use crate::json::pointer;
use crate::load::{Container, FaultCode, Loaded, Loader, Members, containers, nearest, open};
use crate::token::Token;

/// What the root of a device mapping may call itself.
const ROOT_TYPES: [&str; 2] = ["CollectionContent", "CollectionContentTemplate"];
/// Names of the template types, without the ones that only add `Template`.
const TEMPLATE_TYPES: [&str; 4] =
    ["JsonPathContent", "IotJsonPathContent", "IotCentralJsonPathContent", "CalculatedContent"];
const MEMBERS: [&str; 8] = [
    "typeName",
    "typeMatchExpression",
    "deviceIdExpression",
    "timestampExpression",
    "patientIdExpression",
    "encounterIdExpression",
    "correlationIdExpression",
    "values",
];
const CALCULATED_MEMBERS: [&str; 9] = [
    "typeName",
    "typeMatchExpression",
    "deviceIdExpression",
    "timestampExpression",
    "patientIdExpression",
    "encounterIdExpression",
    "correlationIdExpression",
    "values",
    "defaultExpressionLanguage",
];
const VALUE_MEMBERS: [&str; 3] = ["valueName", "valueExpression", "required"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    JsonPath,
    IotHub,
    IotCentral,
    Calculated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    JsonPath,
    JmesPath,
}

pub(super) fn compile(text: &str) -> Loaded<DeviceMapping> {
    let mut loader = match open(text) {
        Ok(loader) => loader,
        Err(fault) => return Loaded { mapping: DeviceMapping::default(), faults: vec![*fault] },
    };
    let root = std::mem::replace(&mut loader.document.root, Token::Null);
    let mapping = read(&root, "", &mut loader);
    Loaded { mapping, faults: loader.faults }
}

/// Reads the device mapping that stands at `base` of a file.
pub(crate) fn read(root: &Token, base: &str, loader: &mut Loader) -> DeviceMapping {
    let templates = containers(root, base, loader, &ROOT_TYPES)
        .into_iter()
        .filter_map(|it| {
            let before = loader.fatal();
            let template = template(&it, loader)?;
            (before == loader.fatal()).then_some(template)
        })
        .collect();
    DeviceMapping { templates }
}

fn kind(container: &Container<'_>, loader: &mut Loader) -> Option<Kind> {
    match container.kind.to_ascii_lowercase().as_str() {
        "jsonpathcontent" | "jsonpathcontenttemplate" => return Some(Kind::JsonPath),
        "iotjsonpathcontent" | "iotjsonpathcontenttemplate" => return Some(Kind::IotHub),
        "iotcentraljsonpathcontent" => return Some(Kind::IotCentral),
        "calculatedcontent" => return Some(Kind::Calculated),
        _ => {}
    }
    let path = &container.kind_path;
    loader.fault(path, FaultCode::UnknownTemplateType, "there is no template of this type");
    let name = container.kind.to_ascii_lowercase();
    let plain = name.strip_suffix("template").unwrap_or(&name);
    if let Some(near) = nearest(plain, &TEMPLATE_TYPES) {
        loader.suggest(format!("\"templateType\": \"{near}\""));
    }
    None
}

fn template(container: &Container<'_>, loader: &mut Loader) -> Option<Template> {
    let kind = kind(container, loader)?;
    let known: &[&'static str] =
        if kind == Kind::Calculated { &CALCULATED_MEMBERS } else { &MEMBERS };
    let mut members = Members::read(container.body, &container.path, known, loader);
    let default = if kind == Kind::Calculated { default_language(&mut members) } else { None };
    let reader = Reader { calculated: kind == Kind::Calculated, default };
    let type_name = members.required_text("typeName");
    let type_match = reader.required(&mut members, "typeMatchExpression");
    let fixed = |path: &str| Some(Expression::json_path(path));
    let (device_id, timestamps) = match kind {
        Kind::JsonPath | Kind::Calculated => (
            reader.required(&mut members, "deviceIdExpression"),
            reader.required(&mut members, "timestampExpression").map(|it| vec![it]),
        ),
        Kind::IotHub => (
            fixed("$.SystemProperties.iothub-connection-device-id"),
            Some(vec![
                Expression::json_path("$.Properties.iothub-creation-time-utc"),
                Expression::json_path("$.SystemProperties.iothub-enqueuedtime"),
            ]),
        ),
        Kind::IotCentral => {
            (fixed("$.deviceId"), Some(vec![Expression::json_path("$.enqueuedTime")]))
        }
    };
    let patient_id = reader.optional(&mut members, "patientIdExpression");
    let encounter_id = reader.optional(&mut members, "encounterIdExpression");
    let correlation_id = reader.optional(&mut members, "correlationIdExpression");
    let values = values(&reader, &mut members);
    Some(Template {
        index: container.index,
        type_name: type_name?.into(),
        type_match: type_match?,
        device_id: device_id?,
        timestamps: timestamps?,
        patient_id,
        encounter_id,
        correlation_id,
        values: values?,
        scope: if kind == Kind::Calculated { Scope::Message } else { Scope::Match },
    })
}

fn language(token: &Token) -> Option<Language> {
    match token {
        Token::Int(0) => Some(Language::JsonPath),
        Token::Int(1) => Some(Language::JmesPath),
        Token::Text(it) => match it.trim().to_ascii_lowercase().as_str() {
            "jsonpath" | "0" => Some(Language::JsonPath),
            "jmespath" | "1" => Some(Language::JmesPath),
            _ => None,
        },
        _ => None,
    }
}

fn default_language(members: &mut Members<'_, '_>) -> Option<Language> {
    let token = members.get("defaultExpressionLanguage")?;
    let language = language(token);
    if language.is_none() {
        members.bad("defaultExpressionLanguage", "JsonPath or JmesPath");
    }
    language
}

/// Reads expressions the way the template type wants them.
struct Reader {
    calculated: bool,
    default: Option<Language>,
}

impl Reader {
    fn required(&self, members: &mut Members<'_, '_>, name: &'static str) -> Option<Expression> {
        if !self.calculated {
            return members
                .required_text(name)
                .map(|text| self.compile(members, name, &text, None));
        }
        match members.get(name) {
            None => {
                members.missing(name);
                None
            }
            Some(Token::Null) => {
                members.is_null(name);
                None
            }
            Some(_) => self.calculated(members, name),
        }
    }

    fn optional(&self, members: &mut Members<'_, '_>, name: &'static str) -> Option<Expression> {
        if !self.calculated {
            let text = members.optional_text(name)?;
            return Some(self.compile(members, name, &text, None));
        }
        members.get(name).filter(|it| **it != Token::Null)?;
        self.calculated(members, name)
    }

    /// A text, or an object that also names the language.
    fn calculated(&self, members: &mut Members<'_, '_>, name: &'static str) -> Option<Expression> {
        let (text, stated) = match members.get(name)? {
            Token::Object(object) => {
                let path = members.path_to(name);
                let mut inner = Members::lenient(object, &path, members.loader);
                let stated = match inner.get("language") {
                    None | Some(Token::Null) => None,
                    Some(Token::Text(it)) if it.is_empty() => None,
                    Some(token) => {
                        let language = language(token);
                        if language.is_none() {
                            inner.bad("language", "JsonPath or JmesPath");
                        }
                        language
                    }
                };
                (inner.required_text("value")?, stated)
            }
            Token::Text(text) => (text.to_string(), None),
            token @ Token::Date(_) => (crate::convert::text(token)?.into_owned(), None),
            _ => {
                members.bad(name, "a text or an object with value and language");
                return None;
            }
        };
        if text.trim().is_empty() {
            members.is_null(name);
            return None;
        }
        Some(self.compile(members, name, &text, stated))
    }

    fn compile(
        &self,
        members: &mut Members<'_, '_>,
        name: &'static str,
        text: &str,
        stated: Option<Language>,
    ) -> Expression {
        let path = members.path_to(name);
        let line = members.loader.document.place(&path).line;
        if stated.or(self.default) == Some(Language::JmesPath) {
            return match JmesPath::parse(text) {
                Ok(path) => Expression { text: text.into(), code: Code::JmesPath(path), line },
                Err(error) => {
                    let detail = format!("{name} is not JMESPath: {error}");
                    members.loader.fault(&path, FaultCode::ExpressionSyntax, detail);
                    Expression { text: text.into(), code: Code::Blank, line }
                }
            };
        }
        let expression = Expression { line, ..Expression::json_path(text) };
        if let Code::Faulty(error) = &expression.code {
            // Existing services take such a file and fail with every message.
            let detail = format!("{name} is not JSONPath: {error}");
            members.loader.fault(&path, FaultCode::ExpressionSyntax, detail);
            members.loader.only_warn();
        }
        expression
    }
}

fn values(reader: &Reader, members: &mut Members<'_, '_>) -> Option<Vec<ValueTemplate>> {
    let path = members.path_to("values");
    let Some(items) = members.optional_array("values") else {
        // A wrong type was noted already; the rest of the template is still looked at.
        if reader.calculated && matches!(members.get("values"), None | Some(Token::Null)) {
            members.missing("values");
            members.loader.suggest("\"values\": []");
        }
        return Some(Vec::new());
    };
    let items = items.iter().enumerate();
    Some(
        items
            .filter_map(|(at, item)| value(reader, item, &pointer(&path, at), members.loader))
            .collect(),
    )
}

fn value(reader: &Reader, item: &Token, path: &str, loader: &mut Loader) -> Option<ValueTemplate> {
    let Token::Object(object) = item else {
        let detail = format!("a value must be an object, it is {}", item.kind());
        loader.fault(path, FaultCode::BadValueType, detail);
        return None;
    };
    let mut members = Members::read(object, path, &VALUE_MEMBERS, loader);
    let name = members.required_text("valueName");
    let expression = reader.required(&mut members, "valueExpression");
    let required = match members.get("required") {
        None => Some(false),
        Some(Token::Bool(it)) => Some(*it),
        Some(Token::Int(it)) => Some(*it != 0),
        Some(Token::Float(it)) => Some(*it != 0.0),
        Some(Token::Text(it)) if it.trim().eq_ignore_ascii_case("true") => Some(true),
        Some(Token::Text(it)) if it.trim().eq_ignore_ascii_case("false") => Some(false),
        Some(_) => {
            members.bad("required", "true or false");
            None
        }
    };
    Some(ValueTemplate { name: Arc::from(name?), expression: expression?, required: required? })
}
