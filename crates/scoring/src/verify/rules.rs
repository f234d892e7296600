//! Every rule by name, and the tables of those over days and populations.

use rust_decimal::Decimal;

use super::case::{Case, CaseError, Found, pair, parse, whole};
use super::{Evaluate, Results, Rule, glucose, vitals};
use crate::news2;
use crate::scores::{
    adherence, baseline, cluster, ears, inactivity, inhaler, lace, missing_data, weight,
};

const fn rule(
    name: &'static str,
    title: &'static str,
    source: &'static str,
    evaluate: Evaluate,
) -> Rule {
    Rule { name, title, source, companion: None, evaluate }
}

pub(super) static RULES: [Rule; 20] = [
    rule("news2", "National Early Warning Score 2", news2::SOURCE, vitals::news2),
    rule("mews", "Modified Early Warning Score", "Subbe et al., QJM 2001;94:521", vitals::mews),
    rule("qsofa", "Quick SOFA", "Singer et al., JAMA 2016;315:801", vitals::qsofa),
    rule("sirs", "SIRS criteria", "Bone et al., Chest 1992;101:1644", vitals::sirs),
    rule(
        "bedside_pews",
        "Bedside Paediatric Early Warning System",
        "Parshuram et al., Crit Care 2009;13:R135",
        vitals::bedside_pews,
    ),
    rule(
        "shock_index",
        "Shock index",
        "Allgöwer and Burri, DMW 1967; Rady et al., Ann Emerg Med 1994;24:685; bands of this project",
        vitals::shock_index,
    ),
    rule(
        "aha_bp",
        "Blood pressure category",
        "Whelton et al. (ACC/AHA), Hypertension 2018;71:e13",
        vitals::aha_bp,
    ),
    rule("sepsis_screen", "Sepsis screen on NEWS2", "NICE NG51, 2024", vitals::sepsis_screen),
    rule(
        "chf_weight",
        "Weight gain in heart failure",
        "AHA self-care advice; McDonagh et al. (ESC), EHJ 2021",
        chf_weight,
    ),
    Rule {
        name: "cgm_metrics",
        title: "Metrics of continuous glucose monitoring",
        source: "Battelino et al., Diabetes Care 2019;42:1593",
        companion: Some("cgm_series.json"),
        evaluate: glucose::cgm_metrics,
    },
    rule(
        "cgm_alert",
        "Events of continuous glucose monitoring",
        "Danne et al., Diabetes Care 2017;40:1631; Battelino et al., 2023",
        glucose::cgm_alert,
    ),
    rule("inhaler", "Reliever overuse", "GINA report; daily limit of this project", inhaler),
    rule("pdc", "Proportion of days covered", "Pharmacy Quality Alliance", pdc),
    rule("inactivity", "No movement at home", "this project", inactivity),
    rule("fever_cluster", "Fever cluster on a unit", "CDC long-term care rule", fever_cluster),
    rule(
        "ears",
        "EARS C1 to C3",
        "Hutwagner et al., J Urban Health 2003;80:i89; Fricker et al., Stat Med 2008;27:3407",
        ears,
    ),
    rule("missing_data", "Whether a source still delivers", "this project", missing_data),
    rule("robust_z", "Robust z-score against a personal baseline", "standard definition", robust_z),
    rule("ewma", "EWMA control chart", "standard definition", ewma),
    rule("lace", "LACE index", "van Walraven et al., CMAJ 2010;182:551", lace),
];

fn chf_weight(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    const COLUMN: &str = "daily_weights_kg_day-7_to_day0";
    let mut days: Vec<Option<Decimal>> = case
        .parts(COLUMN, '|')
        .into_iter()
        .map(|it| if it.is_empty() { Ok(None) } else { parse(COLUMN, it).map(Some) })
        .collect::<Result<_, _>>()?;
    let today = days.pop().flatten();
    days.reverse();
    let finding = weight::judge(today, &days);
    let rules = finding.rules.iter().map(|it| it.as_str()).collect();
    Ok(vec![("status", finding.status.into()), ("rules", Found::Set(rules))])
}

fn inhaler(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    const COLUMN: &str = "puffs_day-6_to_day0";
    let puffs: Vec<u64> = case
        .text(COLUMN)
        .split_whitespace()
        .map(|it| whole(COLUMN, it))
        .collect::<Result<_, _>>()?;
    let finding = inhaler::judge(&puffs);
    Ok(vec![
        ("saba_days_7d", Found::Number(finding.n_days.into())),
        ("puffs_7d", Found::Number(finding.n_puffs.into())),
        ("flags", Found::Set(finding.flags)),
    ])
}

fn pdc(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    const COLUMN: &str = "fills_day:supply";
    let fills: Vec<(i64, i64)> = case
        .text(COLUMN)
        .split_whitespace()
        .map(|it| pair(COLUMN, it, ':'))
        .collect::<Result<_, _>>()?;
    let Some(coverage) = adherence::coverage(case.whole("period_days")?, &fills) else {
        return Ok(Vec::new());
    };
    Ok(vec![
        ("covered_days", coverage.days.into()),
        ("pdc_percent", coverage.percent.into()),
        ("adherent_ge80", coverage.adherent.into()),
    ])
}

fn inactivity(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    const MOTION: &str = "motion_event_minutes";
    const AWAY: &str = "away_intervals";
    let motion: Vec<i64> = case
        .text(MOTION)
        .split_whitespace()
        .map(|it| whole(MOTION, it))
        .collect::<Result<_, _>>()?;
    let away: Vec<(i64, i64)> = case
        .text(AWAY)
        .split_whitespace()
        .map(|it| pair(AWAY, it, '-'))
        .collect::<Result<_, _>>()?;
    let (state, gap) = match inactivity::judge(&motion, &away, case.whole("now_minute")?) {
        inactivity::State::NotEvaluated => ("not_evaluated", None),
        inactivity::State::Ok(gap) => ("ok", Some(gap)),
        inactivity::State::Alert(gap) => ("alert", Some(gap)),
    };
    Ok(vec![("state", state.into()), ("effective_gap_min", gap.into())])
}

fn fever_cluster(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    const COLUMN: &str = "fever_events_hour:unit:patient";
    let mut fevers = Vec::new();
    for part in case.text(COLUMN).split_whitespace() {
        let mut fields = part.splitn(3, ':');
        fevers.push(cluster::Fever {
            hour: whole(COLUMN, fields.next().unwrap_or_default())?,
            unit: fields.next().unwrap_or_default(),
            patient: fields.next().unwrap_or_default(),
        });
    }
    let first = cluster::alarms(&fevers).into_iter().next();
    Ok(vec![
        ("alarm_hour", first.as_ref().map(|it| it.hour).into()),
        ("alarm_unit", first.as_ref().map(|it| it.unit).into()),
        ("patients", first.map_or(Found::Nothing, |it| Found::Number(it.n_patients.into()))),
    ])
}

fn ears(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let statistics = ears::statistics(&case.numbers("counts_day0_to_day11")?);
    let number =
        |it: Option<Decimal>| it.map_or_else(|| "insufficient_history".into(), Found::from);
    let [c1, c2, c3] = statistics.alarms();
    Ok(vec![
        ("c1", number(statistics.c1)),
        ("c2", number(statistics.c2)),
        ("c3", number(statistics.c3)),
        ("c1_alarm", c1.into()),
        ("c2_alarm", c2.into()),
        ("c3_alarm", c3.into()),
    ])
}

fn missing_data(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let (interval, grace) = (case.need("expected_interval_min")?, case.need("grace_min")?);
    // A source that never delivered is missing too.
    let age = case.number("age_min")?;
    let state = age.map_or("missing", |it| missing_data::state(it, interval, grace));
    Ok(vec![("state", state.into())])
}

fn robust_z(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let history = case.numbers("history")?;
    let found = baseline::robust_z(&history, case.need("x")?, case.need("scale_floor")?);
    Ok(vec![
        ("median", found.map(|it| it.median).into()),
        ("scale", found.map(|it| it.scale).into()),
        ("robust_z", found.map(|it| it.z).into()),
        ("state", found.map_or("insufficient_history", |it| it.state).into()),
    ])
}

fn ewma(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let chart = baseline::Chart {
        mean: case.need("mu0")?,
        deviation: case.need("sigma0")?,
        lambda: case.need("lambda")?,
        limit: case.need("L")?,
    };
    let (averages, alarms) = baseline::ewma(&chart, &case.numbers("x_series")?).into_iter().unzip();
    Ok(vec![("ewma_series", Found::Numbers(averages)), ("alarm_series", Found::Flags(alarms))])
}

fn lace(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let score = lace::score(
        case.need("los_days")?,
        case.flag("acute_admission")?,
        case.need("charlson")?,
        case.need("ed_visits_6mo")?,
    );
    let columns = ["p_l", "p_a", "p_c", "p_e"];
    let mut results: Results = columns.into_iter().zip(score.points.map(Found::from)).collect();
    results.push(("total", score.total.into()));
    results.push(("risk", score.risk.into()));
    Ok(results)
}
