//! The FHIR destination mapping: which Observation a group of measurements becomes.
//!
//! A device mapping gives measurements; [`measurement_groups`] puts those of one device and type
//! together, [`FhirMapping::observation_groups`] cuts them into the windows the template asks for,
//! and [`FhirMapping::create`] or [`FhirMapping::merge`] makes the Observation of one window.

mod group;
pub(crate) mod load;
mod merge;
mod observation;
mod sampled;
mod text;

use std::borrow::Cow;
use std::collections::HashMap;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::load::Loaded;
use crate::moment::Instant;

pub use group::{
    Group, Grouped, ObservationGroup, Reading, measurement_groups, observation_groups,
    partition_hash,
};
pub use merge::Merged;
pub use observation::{Convention, References, identifier_value, resource_id};
pub use sampled::{build as build_sampled_data, merge as merge_sampled_data};

/// The system of codes and identifiers that existing services write; observations already stored
/// are found by it.
pub const SERVICE_SYSTEM: &str = "https://azure.microsoft.com/en-us/services/iomt-fhir-connector/";

/// Room taken for the text of one Observation; most have less than a kilobyte.
const OBSERVATION_BYTES: usize = 1024;

/// A FHIR mapping, compiled once per version.
#[derive(Debug, Clone, Default)]
pub struct FhirMapping {
    templates: Vec<CodeValue>,
    // Position by type name in lower case.
    by_type: HashMap<String, usize, foldhash::fast::RandomState>,
}

/// Why a group of measurements became no Observation. None of these carries a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// No template has the type of the measurements.
    #[error("no FHIR template has this type")]
    NoTemplate,
    /// The template groups by correlation id and the measurements have none.
    #[error("the template groups by correlation id, and there is none")]
    CorrelationIdMissing,
    /// A Quantity needs exactly one value that is a decimal number.
    #[error("a Quantity needs exactly one value that is a decimal number")]
    QuantityInvalid,
    /// A String needs exactly one value.
    #[error("a String needs exactly one value, use CodeableConcept or a shorter period")]
    SeveralTexts,
    /// A `periodInterval` that is none of 0, 60, 1440 and -1.
    #[error("periodInterval must be 0, 60, 1440 or -1")]
    PeriodInterval,
    /// SampledData without a `defaultPeriod`.
    #[error("SampledData needs a defaultPeriod")]
    NoDefaultPeriod,
    /// A window of more samples than a resource can hold.
    #[error("the window has more samples than one Observation can hold")]
    TooManySamples,
    /// The stored Observation has no period or time this language knows.
    #[error("the stored Observation has no effectivePeriod or effectiveDateTime")]
    NoEffectiveTime,
    /// The stored value is missing or of another type than the template's.
    #[error("the stored value is missing or of another type than the template's")]
    OtherValueType,
    /// The stored SampledData has more than one dimension.
    #[error("stored SampledData with more than one dimension cannot be merged")]
    Dimensions,
}

impl ConvertError {
    /// The stable name, kebab-case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoTemplate => "no-fhir-template",
            Self::CorrelationIdMissing => "correlation-id-missing",
            Self::QuantityInvalid => "quantity-invalid",
            Self::SeveralTexts | Self::NoDefaultPeriod => "invalid-operation",
            Self::PeriodInterval
            | Self::TooManySamples
            | Self::NoEffectiveTime
            | Self::OtherValueType
            | Self::Dimensions => "not-supported",
        }
    }
}

impl FhirMapping {
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

    fn template(&self, type_name: &str) -> Result<&CodeValue, ConvertError> {
        let lower = if type_name.bytes().any(|it| !it.is_ascii() || it.is_ascii_uppercase()) {
            Cow::Owned(type_name.to_lowercase())
        } else {
            Cow::Borrowed(type_name)
        };
        let at = self.by_type.get(&*lower);
        at.and_then(|at| self.templates.get(*at)).ok_or(ConvertError::NoTemplate)
    }

    /// The value names a type's template uses; none when there is no template for the type.
    #[must_use]
    pub fn value_names(&self, type_name: &str) -> Option<Vec<&str>> {
        let template = self.template(type_name).ok()?;
        let components = template.components.iter().filter_map(|it| it.value.as_ref());
        Some(template.value.iter().chain(components).map(|it| it.name.as_str()).collect())
    }

    /// Cuts a group into the windows of its type's template, in the order they are first seen.
    ///
    /// # Errors
    /// When there is no template, the period is not supported or the correlation id is missing.
    pub fn observation_groups(&self, group: &Group) -> Result<Vec<ObservationGroup>, ConvertError> {
        if group.readings.is_empty() {
            return Ok(Vec::new());
        }
        let template = self.template(&group.type_name)?;
        observation_groups(
            template.period_interval,
            group.correlation_id.as_deref(),
            &group.readings,
        )
    }

    /// Of values that an Observation holds one of, only the latest in time stays. Series stay whole.
    pub fn keep_latest(&self, type_name: &str, window: &mut ObservationGroup) {
        let Ok(template) = self.template(type_name) else { return };
        let components = template.components.iter().filter_map(|it| it.value.as_ref());
        let single = template.value.iter().chain(components).filter(|it| !it.kind.is_series());
        for value in single {
            let series = window.values.iter_mut().find(|(name, _)| **name == *value.name);
            if let Some((_, series)) = series {
                series.drain(..series.len().saturating_sub(1));
            }
        }
    }

    /// The new Observation of one window.
    ///
    /// # Errors
    /// When there is no template or a value does not fit its value type.
    pub fn create(
        &self,
        type_name: &str,
        window: &ObservationGroup,
        references: &References<'_>,
        convention: &Convention<'_>,
    ) -> Result<Value, ConvertError> {
        let text = self.write(type_name, window, references, convention)?;
        serde_json::from_str(&text).map_err(|_| ConvertError::QuantityInvalid)
    }

    /// The same as JSON text, which is quicker where no value is needed in between.
    ///
    /// # Errors
    /// As [`FhirMapping::create`].
    pub fn write(
        &self,
        type_name: &str,
        window: &ObservationGroup,
        references: &References<'_>,
        convention: &Convention<'_>,
    ) -> Result<String, ConvertError> {
        let template = self.template(type_name)?;
        let draft = observation::draft(template, type_name, window, references, convention)?;
        let mut text = String::with_capacity(OBSERVATION_BYTES);
        text::observation(&mut text, &draft)?;
        Ok(text)
    }

    /// A stored Observation with the values of one window taken in.
    ///
    /// # Errors
    /// When there is no template, or the stored Observation does not fit it.
    pub fn merge(
        &self,
        type_name: &str,
        window: &ObservationGroup,
        existing: &Value,
        convention: &Convention<'_>,
    ) -> Result<Merged, ConvertError> {
        merge::merge(self.template(type_name)?, window, existing, convention)
    }
}

#[derive(Debug, Clone)]
struct CodeValue {
    codes: Vec<Code>,
    categories: Vec<Category>,
    period_interval: i64,
    value: Option<ValueType>,
    components: Vec<Component>,
}

/// A coding as it stands in every Observation of its template: JSON text, written once.
#[derive(Debug, Clone)]
struct Code(Box<str>);

#[derive(Debug, Clone)]
struct Category {
    codes: Vec<Code>,
    text: Option<String>,
}

#[derive(Debug, Clone)]
struct Component {
    codes: Vec<Code>,
    value: Option<ValueType>,
}

#[derive(Debug, Clone)]
struct ValueType {
    name: String,
    kind: ValueKind,
}

#[derive(Debug, Clone)]
enum ValueKind {
    SampledData { period_ms: Option<Decimal>, unit: Option<String> },
    Quantity { unit: Option<String>, code: Option<String>, system: Option<String> },
    CodeableConcept { text: Option<String>, codes: Vec<Code> },
    Text,
}

impl ValueKind {
    const fn is_series(&self) -> bool {
        matches!(self, Self::SampledData { .. })
    }

    /// The member of an Observation that holds such a value.
    const fn member(&self) -> &'static str {
        match self {
            Self::SampledData { .. } => "valueSampledData",
            Self::Quantity { .. } => "valueQuantity",
            Self::CodeableConcept { .. } => "valueCodeableConcept",
            Self::Text => "valueString",
        }
    }
}

/// Values of one name with their times, in time order.
pub type Series = Vec<(Instant, String)>;
