//! Tables of the scores over vital signs.

use super::Results;
use super::case::{Case, CaseError, Found};
use crate::news2::{self, Acvpu, SpO2Scale};
use crate::scores::{blood_pressure, mews, pews, qsofa, sepsis, shock_index, sirs};

const LEVELS: [(&str, Option<Acvpu>); 6] = [
    ("", None),
    ("A", Some(Acvpu::A)),
    ("C", Some(Acvpu::C)),
    ("V", Some(Acvpu::V)),
    ("P", Some(Acvpu::P)),
    ("U", Some(Acvpu::U)),
];

pub(super) fn news2(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let score = news2::score(&news2::Vitals {
        respiration_rate: case.number("rr")?,
        spo2: case.number("spo2")?,
        spo2_scale: case.one_of(
            "spo2_scale",
            &[("1", SpO2Scale::One), ("2", SpO2Scale::Two), ("", SpO2Scale::One)],
        )?,
        on_oxygen: case
            .one_of("on_oxygen", &[("0", Some(false)), ("1", Some(true)), ("", None)])?,
        systolic_bp: case.number("sbp")?,
        pulse: case.number("hr")?,
        consciousness: case.one_of("acvpu", &LEVELS)?,
        temperature: case.number("temp_c")?,
    });
    Ok(vec![
        ("p_rr", score.points.respiration_rate.into()),
        ("p_spo2", score.points.spo2.into()),
        ("p_o2", score.points.oxygen.into()),
        ("p_sbp", score.points.systolic_bp.into()),
        ("p_hr", score.points.pulse.into()),
        ("p_acvpu", score.points.consciousness.into()),
        ("p_temp", score.points.temperature.into()),
        ("total", score.total.into()),
        ("any_single_3", score.any_single_3.into()),
        ("risk", score.risk.as_str().into()),
        ("response", score.response().into()),
    ])
}

pub(super) fn mews(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let score = mews::score(&mews::Vitals {
        systolic_bp: case.number("sbp")?,
        heart_rate: case.number("hr")?,
        respiration_rate: case.number("rr")?,
        temperature: case.number("temp_c")?,
        consciousness: case.one_of("avpu", &LEVELS)?,
    });
    let columns = ["p_sbp", "p_hr", "p_rr", "p_temp", "p_avpu"];
    let mut results: Results = columns.into_iter().zip(score.points.map(Found::from)).collect();
    results.push(("total", score.total.into()));
    results.push(("trigger_ge5", score.triggered.into()));
    Ok(results)
}

pub(super) fn qsofa(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let altered = qsofa::altered(case.need("gcs")?);
    let score = qsofa::score(case.need("rr")?, case.need("sbp")?, altered);
    Ok(vec![
        ("c_rr", score.respiration.into()),
        ("c_sbp", score.pressure.into()),
        ("c_mentation", score.mentation.into()),
        ("total", score.total.into()),
        ("positive_ge2", score.positive.into()),
    ])
}

pub(super) fn sirs(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let score = sirs::score(&sirs::Values {
        temperature: case.need("temp_c")?,
        heart_rate: case.need("hr")?,
        respiration_rate: case.need("rr")?,
        paco2: case.number("paco2_mmhg")?,
        leukocytes: case.number("wbc_10e9_l")?,
        bands: case.number("bands_percent")?,
    });
    Ok(vec![
        ("c_temp", score.temperature.into()),
        ("c_hr", score.heart_rate.into()),
        ("c_resp", score.respiration.into()),
        ("c_wbc", score.leukocytes.into()),
        ("total", score.total.into()),
        ("sirs_ge2", score.positive.into()),
        ("labs_missing", score.labs_missing.into()),
    ])
}

pub(super) fn bedside_pews(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let efforts = [
        ("normal", pews::Effort::Normal),
        ("mild", pews::Effort::Mild),
        ("moderate", pews::Effort::Moderate),
        ("severe", pews::Effort::Severe),
    ];
    let oxygen =
        [("air", pews::Oxygen::Air), ("lt4", pews::Oxygen::Low), ("ge4", pews::Oxygen::High)];
    let score = pews::score(&pews::Values {
        age_months: case.need("age_months")?,
        heart_rate: case.need("hr")?,
        systolic_bp: case.need("sbp")?,
        capillary_refill_s: case.need("crt_s")?,
        respiration_rate: case.need("rr")?,
        effort: case.one_of("resp_effort", &efforts)?,
        spo2: case.need("spo2")?,
        oxygen: case.one_of("oxygen", &oxygen)?,
    });
    let Some(score) = score else { return Ok(Vec::new()) };
    let columns = ["p_hr", "p_sbp", "p_crt", "p_rr", "p_effort", "p_spo2", "p_o2"];
    let mut results: Results = columns.into_iter().zip(score.points.map(Found::from)).collect();
    results.push(("age_group", score.age_group.into()));
    results.push(("total", score.total.into()));
    results.push(("trigger_ge8", score.triggered.into()));
    Ok(results)
}

pub(super) fn shock_index(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let score = match (case.number("hr")?, case.number("sbp")?) {
        (Some(heart_rate), Some(systolic_bp)) => shock_index::score(heart_rate, systolic_bp),
        _ => None,
    };
    let (index, band) = score.unzip();
    Ok(vec![("shock_index", index.into()), ("band", band.into())])
}

pub(super) fn aha_bp(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let (systolic, diastolic) = (case.need("sbp")?, case.need("dbp")?);
    Ok(vec![
        ("category", blood_pressure::category(systolic, diastolic).into()),
        ("hypotension_flag", blood_pressure::is_low(systolic, diastolic).into()),
    ])
}

pub(super) fn sepsis_screen(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let screen = sepsis::screen(
        case.whole("news2_total")?,
        case.flag("any_single_3")?,
        case.flag("suspected_infection")?,
    );
    Ok(vec![("platform_trigger", screen.triggered.into()), ("risk_band", screen.band.into())])
}
