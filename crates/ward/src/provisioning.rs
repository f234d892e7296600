//! The FHIR resources behind the ward: who lies where and wears what. Every name is invented.

use std::ops::Range;

use auscult_model::Timestamp;
use serde_json::{Value, json};

use crate::sensors::Sensor;

/// Family name, given name, administrative gender, birth date: no two alike, nobody real.
const PEOPLE: [(&str, &str, &str, &str); 16] = [
    ("Okonkwo", "Amara", "female", "1951-03-14"),
    ("Lindqvist", "Tove", "female", "1978-11-02"),
    ("Marchetti", "Dario", "male", "1944-07-29"),
    ("Yilmazer", "Selin", "female", "1963-01-18"),
    ("Hartwell", "Joss", "male", "1957-09-05"),
    ("Nakagami", "Ren", "male", "1939-12-21"),
    ("Valdivieso", "Inés", "female", "1985-05-08"),
    ("Pettersen", "Aksel", "male", "1970-02-27"),
    ("Mbekeni", "Thandi", "female", "1966-08-11"),
    ("Kowalczuk", "Oskar", "male", "1948-04-03"),
    ("Haidari", "Leyla", "female", "1991-10-16"),
    ("Fairbourne", "Edith", "female", "1935-06-30"),
    ("Tuilagi", "Sione", "male", "1974-12-09"),
    ("Brankova", "Mila", "female", "1960-03-25"),
    ("Desrosiers", "Luc", "male", "1982-07-07"),
    ("Aravind", "Meera", "female", "1955-01-01"),
];

/// Logical id of the patient in that bed, from 0.
pub fn patient_id(bed: u32) -> String {
    format!("patient-{}", bed + 1)
}

/// The transaction Bundle of these beds.
pub fn bundle(beds: Range<u32>, sensors: &[Sensor], worn_since: Timestamp) -> Value {
    let people = beds.clone().map(patient);
    let things = sensors.iter().filter(|it| beds.contains(&it.bed()));
    let things = things.flat_map(|it| [device(it), worn(it, worn_since)]);
    let entries: Vec<Value> = people.chain(things).map(entry).collect();
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
}

fn entry(resource: Value) -> Value {
    let of = |key| resource.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let url = format!("{}/{}", of("resourceType"), of("id"));
    json!({ "resource": resource, "request": { "method": "PUT", "url": url } })
}

fn patient(bed: u32) -> Value {
    let place = bed as usize;
    let (family, given, gender, birth_date) =
        PEOPLE.get(place % PEOPLE.len()).copied().unwrap_or(("Bed", "A", "unknown", "1960-01-01"));
    // More beds than names: the second round gets a numeral.
    let round = place / PEOPLE.len();
    let family = if round == 0 { family.to_owned() } else { format!("{family} {}", round + 1) };
    json!({
        "resourceType": "Patient",
        "id": patient_id(bed),
        "identifier": [{ "system": "urn:auscult:simulated-ward", "value": format!("SIM-{:04}", bed + 1) }],
        "name": [{ "use": "official", "family": family, "given": [given] }],
        "gender": gender,
        "birthDate": birth_date
    })
}

fn device(sensor: &Sensor) -> Value {
    json!({
        "resourceType": "Device",
        "id": sensor.device(),
        "status": "active",
        "deviceName": [{ "name": sensor.kind().display(), "type": "user-friendly-name" }],
        "location": { "display": format!("Bed {}", sensor.bed() + 1) }
    })
}

fn worn(sensor: &Sensor, worn_since: Timestamp) -> Value {
    json!({
        "resourceType": "DeviceUseStatement",
        "id": format!("use-{}", sensor.device()),
        "status": "active",
        "subject": { "reference": format!("Patient/{}", patient_id(sensor.bed())) },
        "device": { "reference": format!("Device/{}", sensor.device()) },
        "timingPeriod": { "start": worn_since.to_string() }
    })
}
