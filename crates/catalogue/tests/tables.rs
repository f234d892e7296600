//! The tables: what they promise by themselves, and against the reference tables where present.

#![expect(
    clippy::unwrap_used,
    reason = "tests stop at the first thing that is not as it should be"
)]

use std::path::PathBuf;

use auscult_catalogue::{
    by_loinc, by_mdc, by_refid, code, codes, conversions, convert, device_types, plausible,
    rounded, rule, synonym, unit, units,
};
use rust_decimal::Decimal;

/// The rows of a reference table; empty, and said so, where the reference is not present.
fn reference(name: &str) -> Vec<std::collections::HashMap<String, String>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("../shared/reference/domain/codes").join(name);
    let Ok(mut reader) = csv::Reader::from_path(&path) else {
        println!("not compared: the reference table {name} is not present");
        return Vec::new();
    };
    reader.deserialize().map(Result::unwrap).collect()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn the_tables_have_every_row() {
    assert_eq!(codes().len(), 118);
    assert_eq!(units().len(), 57);
    assert_eq!(conversions().len(), 42);
    assert_eq!(device_types().len(), 30);
}

#[test]
fn every_code_is_found_by_all_its_names() {
    for it in codes() {
        assert_eq!(code(it.name), Some(it));
        for name in it.synonyms.iter().chain([&it.name]) {
            assert!(name.len() <= 56, "{name} does not fit the lookup buffer");
            let found = synonym(name, Some(it.device_class)).unwrap();
            assert_eq!(found.name, it.name, "{name}");
        }
        if let Some((number, refid)) = it.mdc {
            assert!(by_mdc(number).is_some() && (refid.is_empty() || by_refid(refid).is_some()));
        }
        if let Some((low, high)) = it.plausible {
            assert!(low < high && plausible(it, low) && plausible(it, high), "{}", it.name);
            let step = Decimal::new(1, 6);
            assert!(!plausible(it, low - step) && !plausible(it, high + step), "{}", it.name);
        }
        for own in it.accepted {
            assert!(convert(it, Decimal::ONE, own).is_ok(), "{} in {own}", it.name);
        }
    }
    assert_eq!(by_loinc("8867-4").map(|it| it.name), Some("heart_rate"));
    assert_eq!(by_mdc(149_514).map(|it| it.name), Some("pulse_rate"));
    assert_eq!(by_refid("MDC_PULS_RATE").map(|it| it.name), Some("pulse_rate"));
}

/// LOINC check digit, mod 10: digits at odd places from the right as one number, doubled, after
/// those at even places; the sum of all digits is completed to a multiple of ten.
#[test]
fn every_loinc_code_has_the_right_check_digit() {
    for it in codes().iter().filter_map(|it| it.loinc) {
        let (digits, check) = it.0.split_once('-').unwrap();
        let place = |odd: bool| -> String {
            let from_right = digits.chars().rev().enumerate();
            let picked: Vec<char> =
                from_right.filter(|(at, _)| (at % 2 == 0) == odd).map(|(_, it)| it).collect();
            picked.into_iter().rev().collect()
        };
        let doubled = place(true).parse::<u64>().unwrap() * 2;
        let all = format!("{}{doubled}", place(false));
        let sum: u32 = all.chars().map(|it| it.to_digit(10).unwrap()).sum();
        assert_eq!(check.parse::<u32>().unwrap(), (10 - sum % 10) % 10, "{}", it.0);
    }
}

#[test]
fn unit_texts_keep_their_case_where_it_matters() {
    let rows = [
        ("mmHg", Some("mm[Hg]")),
        ("MMHG", Some("mm[Hg]")),
        (" Bpm ", Some("/min")),
        ("264864", Some("/min")),
        ("MDC_DIM_DEGC", Some("Cel")),
        ("C", Some("Cel")),
        ("Cal", Some("kcal")),
        ("cal", None),
        ("CAL", None),
        ("m", Some("m")),
        ("M", None),
        ("Mg/dL", Some("mg/dL")),
        ("µV", Some("uV")),
        ("", None),
        ("furlong", None),
    ];
    for (text, want) in rows {
        assert_eq!(unit(text).map(|it| it.ucum), want, "{text:?}");
    }
}

#[test]
fn conversions_round_half_away_from_zero() {
    // Clinical edges: 3.9 and 10.0 mmol/L are 70 and 180 mg/dL (CGM consensus 2019); a pound is
    // 0.45359237 kg exactly (1959 agreement); 1 kPa is 1000/133.322387415 mm[Hg].
    let rows = [
        ("glucose_blood_mass", "3.9", "mmol/L", "70"),
        ("glucose_blood_mass", "10.0", "mmol/L", "180"),
        ("glucose_blood_mass", "13.9", "mmol/L", "250"),
        ("glucose_capillary_mass", "0.0058", "mol/L", "104"),
        ("glucose_capillary_mass", "0.00105", "kg/L", "105"),
        ("glucose_isf_molar", "70", "mg/dL", "3.9"),
        ("body_temperature", "98.6", "[degF]", "37"),
        ("body_temperature", "100.1", "[degF]", "37.83"),
        ("body_temperature", "310.15", "K", "37"),
        ("body_weight", "165.3", "lb", "74.98"),
        ("body_weight", "12", "st", "76.2"),
        ("body_weight", "74980", "g", "74.98"),
        ("systolic_bp", "16", "kPa", "120"),
        ("body_height", "70", "in", "177.8"),
        ("body_height", "1.752", "m", "175.2"),
        ("fev1", "3250", "mL", "3.25"),
        ("vent_peep", "10", "mbar", "10.2"),
        ("hba1c", "48", "mmol/mol", "6.5"),
        ("sleep_duration", "27000", "s", "7.5"),
        ("pef", "7.5", "L/s", "450"),
        ("active_energy", "1343.064", "kJ", "321"),
    ];
    for (name, value, from, want) in rows {
        let got = convert(code(name).unwrap(), decimal(value), from).unwrap();
        assert_eq!(got.shown, decimal(want), "{name} {value} {from}");
        assert!(got.converted);
    }
    assert_eq!(rounded(decimal("2.5"), 0), decimal("3"));
    assert_eq!(rounded(decimal("-2.5"), 0), decimal("-3"));
}

#[test]
fn every_measurement_is_as_in_the_reference() {
    let rows = reference("measurements.csv");
    assert!(rows.is_empty() || rows.len() == codes().len());
    for row in &rows {
        let it = code(&row["canonical"]).unwrap();
        let class = &row["device_class"];
        assert_eq!(it.device_class, class);
        assert_eq!(it.ucum, row["ucum"], "{}", it.name);
        assert_eq!(it.category, row["fhir_category"], "{}", it.name);
        assert_eq!(it.loinc.map_or("", |it| it.0), row["loinc"], "{}", it.name);
        assert_eq!(it.loinc.map_or("", |it| it.1), row["loinc_display"], "{}", it.name);
        assert_eq!(it.mdc.map_or(String::new(), |it| it.0.to_string()), row["mdc_code"]);
        let refid = if row["mdc_refid"].starts_with("MDC") { &row["mdc_refid"] } else { "" };
        assert_eq!(it.mdc.map_or("", |it| it.1), refid, "{}", it.name);
        let range = |at: fn((Decimal, Decimal)) -> Decimal| {
            it.plausible.map_or(String::new(), |it| at(it).to_string())
        };
        assert_eq!(range(|it| it.0), row["plausible_low"], "{}", it.name);
        assert_eq!(range(|it| it.1), row["plausible_high"], "{}", it.name);
        let change = it.change_per_min_max.map_or(String::new(), |it| it.to_string());
        assert_eq!(change, row["max_abs_change_per_min"], "{}", it.name);
        let profile = Some(row["fhir_profile"].as_str()).filter(|it| it.starts_with("http"));
        assert_eq!(it.profile, profile, "{}", it.name);
        for name in row["synonyms"].split(';').filter(|it| !it.is_empty()) {
            let found = synonym(name, Some(class)).map(|it| it.name);
            assert_eq!(found, Some(it.name), "{name}");
        }
        for unit in row["accepted_units"].split(';').filter(|it| !it.is_empty()) {
            let word = unit.starts_with('(');
            assert!(word || convert(it, Decimal::ONE, unit).is_ok(), "{} {unit}", it.name);
        }
    }
    println!("{} measurements compared", rows.len());
}

#[test]
fn every_unit_alias_and_device_type_is_as_in_the_reference() {
    let rows = reference("units.csv");
    for row in &rows {
        for text in row["accepted_strings"].split(';').filter(|it| !it.is_empty()) {
            assert_eq!(unit(text).map(|it| it.ucum), Some(row["ucum"].as_str()), "{text}");
        }
        let mdc = row["mdc_unit_code"].parse().ok();
        assert!(units().iter().any(|it| it.ucum == row["ucum"] && it.mdc == mdc));
    }
    let aliases = reference("mdc_aliases.csv");
    for row in &aliases {
        let found = by_mdc(row["mdc_code"].parse().unwrap()).unwrap();
        assert_eq!(found.name, row["canonical"], "{}", row["mdc_code"]);
    }
    let types = reference("device_types.csv");
    for row in &types {
        let (mdc, refid) = (row["mdc_code"].parse::<u32>().unwrap(), row["mdc_refid"].as_str());
        let same = |it: &&auscult_catalogue::DeviceType| {
            it.name == row["device_type"] && it.mdc == mdc && it.refid == refid
        };
        assert!(device_types().iter().any(|it| same(&it)), "{refid}");
    }
    println!(
        "{} units, {} aliases, {} device types compared",
        rows.len(),
        aliases.len(),
        types.len()
    );
}

#[test]
fn every_conversion_vector_of_the_reference_holds() {
    let vectors = reference("conversion_vectors.csv");
    let rules = reference("conversions.csv");
    assert!(rules.len() == conversions().len() || rules.is_empty());
    for row in &rules {
        assert_eq!(rule(&row["from_ucum"], &row["to_ucum"]).unwrap().id, row["rule_id"]);
    }
    for row in &vectors {
        let rule = conversions().iter().find(|it| it.id == row["rule_id"]).unwrap();
        let exact = rule.apply(decimal(&row["input"])).unwrap();
        assert_eq!(rounded(exact, 9), decimal(&row["exact_output"]), "{row:?}");
        // Temperatures from Fahrenheit are stored with one decimal more than scores round to.
        let digits = if rule.id == "CONV-T1" { 1 } else { rule.digits };
        assert_eq!(rounded(exact, digits), decimal(&row["rounded_output"]), "{row:?}");
    }
    println!("{n} of {n} conversion vectors", n = vectors.len());
}
