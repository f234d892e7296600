//! FHIR mappings: grouping, new Observations, merging, identities, validation.

use std::sync::Arc;

use auscult_mapping::fhir::{
    Convention, Group, Reading, References, build_sampled_data, measurement_groups,
    merge_sampled_data, observation_groups, partition_hash,
};
use auscult_mapping::identity::{Directory, IdentityError, Mode, Named, resolve, search};
use auscult_mapping::{FhirMapping, Instant, Measurement, parse_token, validate};
use serde_json::{Value, json};

use crate::device::{template_errors, written};
use crate::{Case, same};

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value[name].as_str()
}

fn owned(value: &Value, name: &str) -> Option<String> {
    text(value, name).map(str::to_owned)
}

fn instant(value: &Value) -> Instant {
    Instant::parse(value.as_str().unwrap()).unwrap()
}

fn readings(data: &Value) -> Vec<Reading> {
    let properties = |it: &Value| {
        let members = it["properties"].as_object().unwrap();
        members.iter().map(|(k, v)| (Arc::from(k.as_str()), v.as_str().unwrap().into())).collect()
    };
    let items = data.as_array().unwrap().iter();
    items
        .map(|it| Reading {
            occurred: instant(&it["occurrenceTimeUtc"]),
            properties: properties(it),
        })
        .collect()
}

pub fn fhir(case: &Case) -> Result<(), String> {
    let loaded = FhirMapping::compile(case.text("fhirMapping").unwrap());
    template_errors(&loaded.faults, case)?;
    let group = &case["group"];
    let group = Group {
        type_name: Arc::from(text(group, "measureType").unwrap()),
        device_id: owned(group, "deviceId").unwrap(),
        patient_id: owned(group, "patientId"),
        encounter_id: owned(group, "encounterId"),
        correlation_id: owned(group, "correlationId"),
        readings: readings(&group["data"]),
    };
    let ids = &case["resolvedIds"];
    let references = References {
        patient: text(ids, "patient").unwrap(),
        device: text(ids, "device").unwrap(),
        encounter: text(ids, "encounter"),
    };
    let error = text(&case["expectedError"], "category");
    let windows = match loaded.mapping.observation_groups(&group) {
        Ok(windows) => windows,
        Err(found) => return same("error", Some(found.code()), error),
    };
    let existing = &case["existingObservation"];
    let mut found = Vec::new();
    for window in &windows {
        let convention = Convention::default();
        let made = if existing.is_null() {
            loaded
                .mapping
                .create(&group.type_name, window, &references, &convention)
                .map(|it| (it, "Created"))
        } else {
            let merged = loaded.mapping.merge(&group.type_name, window, existing, &convention);
            merged.map(|it| (it.observation, if it.changed { "Updated" } else { "NoOperation" }))
        };
        match made {
            Ok((observation, operation)) => {
                if let Some(want) = text(case, "expectedOperation") {
                    same("operation", operation, want)?;
                }
                found.push(observation);
            }
            Err(found) => return same("error", Some(found.code()), error),
        }
    }
    same("error", None, error)?;
    let want = match case.get("expectedObservation") {
        Some(one) => vec![one.clone()],
        None => case["expectedObservations"].as_array().unwrap().clone(),
    };
    same("observations", comparable(found.into()), comparable(want.into()))
}

/// Numbers by value, empty lists as absent.
fn comparable(value: Value) -> Value {
    match value {
        Value::Number(it) => json!(it.as_f64()),
        Value::Array(items) => items.into_iter().map(comparable).collect(),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, it)| *it != json!([]))
                .map(|(name, it)| (name, comparable(it)))
                .collect(),
        ),
        it => it,
    }
}

pub fn groups_of_measurements(case: &Case) -> Result<(), String> {
    let items = case["measurements"].as_array().unwrap().iter();
    let batch: Vec<_> = items
        .map(|it| {
            let measurement = Measurement {
                type_name: Arc::from(text(it, "type").unwrap()),
                occurred: instant(&it["occurrenceTimeUtc"]),
                device_id: owned(it, "deviceId").unwrap(),
                patient_id: owned(it, "patientId"),
                encounter_id: owned(it, "encounterId"),
                correlation_id: owned(it, "correlationId"),
                properties: Vec::new(),
                template: 0,
            };
            (measurement, text(it, "ingestionTimeUtc").and_then(Instant::parse))
        })
        .collect();
    let found: Vec<Value> = measurement_groups(&batch)
        .iter()
        .map(|it| {
            json!({
                "measureType": *it.group.type_name, "deviceId": it.group.device_id,
                "patientId": it.group.patient_id, "encounterId": it.group.encounter_id,
                "correlationId": it.group.correlation_id, "keptMeasurementIndexes": it.kept,
            })
        })
        .collect();
    same("groups", Value::from(found), case["expectedGroups"].clone())
}

pub fn groups_of_observations(case: &Case) -> Result<(), String> {
    let readings = readings(&case["measurements"]);
    let period = case["periodInterval"].as_i64().unwrap();
    let groups = observation_groups(period, text(case, "correlationId"), &readings);
    let groups = groups.map_err(|it| it.to_string())?;
    let found: Vec<Value> = groups
        .iter()
        .map(|it| {
            let values = it.values.iter().map(|(name, series)| {
                let series: Vec<Value> = series
                    .iter()
                    .map(|(time, value)| json!({ "time": time.to_string(), "value": value }))
                    .collect();
                (name.to_string(), Value::from(series))
            });
            json!({
                "start": it.start.to_string(), "end": it.end.to_string(),
                "idSegment": it.id_segment, "values": values.collect::<serde_json::Map<_, _>>(),
            })
        })
        .collect();
    same("groups", Value::from(found), case["expectedGroups"].clone())
}

fn series(value: &Value) -> Vec<(Instant, String)> {
    let items = value.as_array().unwrap().iter();
    items.map(|it| (instant(&it["time"]), owned(it, "value").unwrap())).collect()
}

pub fn sampled_build(case: &Case) -> Result<(), String> {
    let period = case["periodMs"].as_i64().unwrap() * 10_000;
    let (start, end) = (instant(&case["start"]), instant(&case["end"]));
    let found = build_sampled_data(&series(&case["values"]), start, end, period);
    same("data", found.map_err(|it| it.to_string())?.as_str(), text(case, "expectedData").unwrap())
}

pub fn sampled_merge(case: &Case) -> Result<(), String> {
    let found = merge_sampled_data(&series(&case["existing"]), &series(&case["new"]));
    same("merged", found, series(&case["expected"]))
}

pub fn hash(case: &Case) -> Result<(), String> {
    let range = u32::try_from(case["range"].as_u64().unwrap()).unwrap();
    let found = partition_hash(text(case, "deviceId").unwrap(), range);
    same("hash", found.to_string().as_str(), text(case, "expected").unwrap())
}

struct Server<'a>(&'a [Value]);

impl Directory for Server<'_> {
    fn find(&self, resource_type: &str, system: Option<&str>, value: &str) -> Vec<Value> {
        let has = |it: &&Value| {
            it["resourceType"] == resource_type
                && it["identifier"].as_array().unwrap().iter().any(|it| {
                    it["value"] == value && system.is_none_or(|system| it["system"] == system)
                })
        };
        self.0.iter().filter(has).cloned().collect()
    }
}

pub fn identity(case: &Case) -> Result<(), String> {
    let mode = match text(case, "mode").unwrap() {
        "Lookup" => Mode::Lookup,
        "Create" => Mode::Create,
        _ => Mode::LookupWithEncounter,
    };
    let group = &case["group"];
    let named = Named {
        device: text(group, "deviceId").unwrap(),
        patient: text(group, "patientId"),
        encounter: text(group, "encounterId"),
    };
    let system = text(case, "defaultDeviceIdentifierSystem");
    let server = Server(case["server"].as_array().unwrap());
    let want = &case["expected"];
    let found = match resolve(mode, system, named, &server) {
        Err(error) => {
            let (kind, resource) = match error {
                IdentityError::NotFound(it) => ("resource-not-found", Some(it)),
                IdentityError::Several(it) => ("multiple-resources", Some(it)),
                IdentityError::NotDefined(it) => ("identity-not-defined", Some(it)),
                IdentityError::PatientDeviceMismatch => ("patient-device-mismatch", None),
            };
            same("error", Some(kind), text(&want["error"], "kind"))?;
            return same("resource", resource, text(&want["error"], "resourceType"));
        }
        Ok(found) => found,
    };
    let ids = &want["ids"];
    same("device", Some(found.device.as_str()), text(ids, "device"))?;
    same("patient", Some(found.patient.as_str()), text(ids, "patient"))?;
    same("encounter", found.encounter.as_deref(), text(ids, "encounter"))?;
    for (what, found) in [("created", found.created), ("updated", found.updated)] {
        let want = want[what].as_array().cloned().unwrap_or_default();
        same(what, found, want)?;
    }
    if let Some(searches) = want["searches"].as_array() {
        let found = vec![Value::from(search("Device", system, named.device))];
        same("searches", &found, searches)?;
    }
    Ok(())
}

pub fn validation(case: &Case) -> Result<(), String> {
    let mapping = |name: &str| {
        let exact = text(case, &format!("{name}Text")).map(str::to_owned);
        exact.or(case.text(name).map(str::to_owned))
    };
    let messages: Vec<_> = case["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| parse_token(&it.to_string()).unwrap())
        .collect();
    let (device, fhir) = (mapping("deviceMapping"), mapping("fhirMapping"));
    let found = validate::validate(device.as_deref(), fhir.as_deref(), &messages);
    let found = match found {
        Err(_) => return same("fails", case.get("expectedError").is_some(), true),
        Ok(found) => found,
    };
    findings(&found.mappings, &case["expectedTemplateResult"])?;
    let want = case["expectedDeviceResults"].as_array().unwrap();
    same("messages", found.messages.len(), want.len())?;
    for (found, want) in found.messages.iter().zip(want) {
        let measurements: Vec<Value> = found.measurements.iter().map(written).collect();
        same("measurements", measurements.len(), want["measurements"].as_array().unwrap().len())?;
        for (found, want) in measurements.iter().zip(want["measurements"].as_array().unwrap()) {
            same("type", &found["type"], &want["type"])?;
            same("device", &found["deviceId"], &want["deviceId"])?;
            let properties = want["properties"].as_object().unwrap().len();
            same("properties", found["properties"].as_array().unwrap().len(), properties)?;
        }
        let count = want["observationCount"].as_u64().unwrap();
        same("observations", found.observations.len() as u64, count)?;
        let components: Vec<Value> = found
            .observations
            .iter()
            .map(|it| {
                let items = it["component"].as_array().cloned().unwrap_or_default();
                items.iter().map(|it| it["code"]["text"].clone()).collect()
            })
            .collect();
        same("components", Value::from(components), want["observationComponents"].clone())?;
        findings(&found.findings, &want["problems"])?;
    }
    Ok(())
}

fn findings(found: &[validate::Finding], want: &Value) -> Result<(), String> {
    let want = want.as_array().unwrap();
    same("findings", found.len(), want.len())?;
    for (found, want) in found.iter().zip(want) {
        let written = serde_json::to_value(found).unwrap();
        same("level", &written["level"], &want["level"])?;
        same("stage", &written["stage"], &want["stage"])?;
        same("code", &written["code"], &want["category"])?;
        if want.get("line").is_some() {
            same("line", &written["line"], &want["line"])?;
        }
        for subject in want["subjects"].as_array().unwrap() {
            let subject = subject.as_str().unwrap().to_lowercase();
            same(&subject, found.detail.to_lowercase().contains(&subject), true)?;
        }
    }
    Ok(())
}
