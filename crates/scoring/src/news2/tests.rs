//! NEWS2 against a second writing of the chart, and against cases worked out by hand.

use std::ops::RangeInclusive;

use crate::bands::Table;

use super::*;

/// The chart again, the other way round: by points, each with the values that earn it, written
/// from the published picture and not from `table.rs`.
type Chart = [(u32, &'static [RangeInclusive<i32>])];

const RESPIRATION: &Chart =
    &[(3, &[0..=8, 25..=99]), (1, &[9..=11]), (0, &[12..=20]), (2, &[21..=24])];
const SATURATION_1: &Chart = &[(3, &[0..=91]), (2, &[92..=93]), (1, &[94..=95]), (0, &[96..=100])];
const SATURATION_2_AIR: &Chart =
    &[(3, &[0..=83]), (2, &[84..=85]), (1, &[86..=87]), (0, &[88..=92, 93..=100])];
const SATURATION_2_OXYGEN: &Chart = &[
    (3, &[0..=83, 97..=100]),
    (2, &[84..=85, 95..=96]),
    (1, &[86..=87, 93..=94]),
    (0, &[88..=92]),
];
const PRESSURE: &Chart =
    &[(3, &[0..=90, 220..=300]), (2, &[91..=100]), (1, &[101..=110]), (0, &[111..=219])];
const PULSE: &Chart =
    &[(3, &[0..=40, 131..=300]), (2, &[111..=130]), (1, &[41..=50, 91..=110]), (0, &[51..=90])];
/// Tenths of a degree.
const TEMPERATURE: &Chart =
    &[(3, &[250..=350]), (2, &[391..=450]), (1, &[351..=360, 381..=390]), (0, &[361..=380])];

fn earned(chart: &Chart, value: i32) -> u32 {
    let rows = chart.iter().filter(|(_, ranges)| ranges.iter().any(|it| it.contains(&value)));
    let found: Vec<u32> = rows.map(|(points, _)| *points).collect();
    assert_eq!(found.len(), 1, "the chart names {value} {} times", found.len());
    found[0]
}

#[test]
fn every_table_covers_every_value_once() {
    for table in [
        table::RESPIRATION_RATE,
        table::SPO2_SCALE_1,
        table::SPO2_SCALE_2_AIR,
        table::SPO2_SCALE_2_OXYGEN,
        table::SYSTOLIC_BP,
        table::PULSE,
        table::TEMPERATURE,
    ] {
        assert!(table.is_total(), "{table:?}");
    }
}

#[test]
fn each_parameter_agrees_with_the_chart_over_its_whole_range() {
    let rows: [(Table, &Chart, RangeInclusive<i32>); 7] = [
        (table::RESPIRATION_RATE, RESPIRATION, 0..=99),
        (table::SPO2_SCALE_1, SATURATION_1, 0..=100),
        (table::SPO2_SCALE_2_AIR, SATURATION_2_AIR, 0..=100),
        (table::SPO2_SCALE_2_OXYGEN, SATURATION_2_OXYGEN, 0..=100),
        (table::SYSTOLIC_BP, PRESSURE, 0..=300),
        (table::PULSE, PULSE, 0..=300),
        (table::TEMPERATURE, TEMPERATURE, 250..=450),
    ];
    for (table, chart, values) in rows {
        for value in values {
            let exact = Decimal::new(i64::from(value), table.decimals);
            assert_eq!(table.points(exact), earned(chart, value), "{value}");
        }
    }
}

/// Every combination of every band, both edges of each band, both scales, air, oxygen and unknown,
/// and each parameter also missing.
#[test]
fn every_combination_of_bands_sums_up_as_the_chart_says() {
    let edges = |chart: &Chart| -> Vec<Option<i32>> {
        let ends =
            chart.iter().flat_map(|(_, it)| it.iter()).flat_map(|it| [*it.start(), *it.end()]);
        ends.map(Some).chain([None]).collect()
    };
    let tenths = |it: i32| Decimal::new(i64::from(it), 1);
    let levels = [Some(Acvpu::A), Some(Acvpu::C), Some(Acvpu::U), None];
    let mut n_checked = 0_u64;
    for scale in [SpO2Scale::One, SpO2Scale::Two] {
        for on_oxygen in [Some(false), Some(true), None] {
            let saturation = match (scale, on_oxygen) {
                (SpO2Scale::One, _) => SATURATION_1,
                (SpO2Scale::Two, Some(true)) => SATURATION_2_OXYGEN,
                (SpO2Scale::Two, _) => SATURATION_2_AIR,
            };
            for spo2 in edges(saturation) {
                for rr in edges(RESPIRATION) {
                    for sbp in edges(PRESSURE) {
                        for hr in edges(PULSE) {
                            for temperature in edges(TEMPERATURE) {
                                for consciousness in levels {
                                    let vitals = Vitals {
                                        respiration_rate: rr.map(Decimal::from),
                                        spo2: spo2.map(Decimal::from),
                                        spo2_scale: scale,
                                        on_oxygen,
                                        systolic_bp: sbp.map(Decimal::from),
                                        pulse: hr.map(Decimal::from),
                                        consciousness,
                                        temperature: temperature.map(tenths),
                                    };
                                    let want = [
                                        rr.map(|it| earned(RESPIRATION, it)),
                                        spo2.map(|it| earned(saturation, it)),
                                        on_oxygen.map(|it| if it { 2 } else { 0 }),
                                        sbp.map(|it| earned(PRESSURE, it)),
                                        hr.map(|it| earned(PULSE, it)),
                                        consciousness.map(|it| if it == Acvpu::A { 0 } else { 3 }),
                                        temperature.map(|it| earned(TEMPERATURE, it)),
                                    ];
                                    let total: u32 = want.iter().flatten().sum();
                                    let any_three = want.contains(&Some(3));
                                    let severity = match total {
                                        7.. => Some(Severity::Emergency),
                                        5..=6 => Some(Severity::Urgent),
                                        _ if any_three => Some(Severity::Urgent),
                                        _ => None,
                                    };
                                    let found = score(&vitals);
                                    assert!(
                                        found.points.all() == want
                                            && found.total == total
                                            && found.any_single_3 == any_three
                                            && found.complete == !want.contains(&None)
                                            && found.severity() == severity,
                                        "{vitals:?}: {found:?}"
                                    );
                                    n_checked += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(n_checked > 1_000_000, "{n_checked}");
}

#[test]
fn cases_worked_out_by_hand() {
    #[rustfmt::skip]
    let rows = [
        // rr     spo2   scale on_o2  sbp      hr       level temp     total risk          response
        ("16",    "98",   1, false, "120",   "70",     'A', "37.0",    0, "low",        "routine_12h"),
        ("16",    "98",   1, true,  "120",   "70",     'A', "37.0",    2, "low",        "ward_4-6h"),
        ("16",    "98",   1, false, "120",   "70",     'C', "37.0",    3, "low-medium", "urgent_ward_1h"),
        ("24.49", "95.5", 1, false, "110.5", "90.49",  'A', "38.04",   2, "low",        "ward_4-6h"),
        ("24.5",  "95.4", 1, false, "110.4", "90.5",   'A', "38.05",   7, "high",       "emergency_continuous"),
        ("21",    "98",   1, false, "105",   "95",     'A', "38.5",    5, "medium",     "urgent_1h"),
        ("16",    "93",   2, false, "120",   "70",     'A', "37.0",    0, "low",        "routine_12h"),
        ("16",    "93",   2, true,  "120",   "70",     'A', "37.0",    3, "low",        "ward_4-6h"),
        ("16",    "97",   2, true,  "120",   "70",     'A', "37.0",    5, "medium",     "urgent_1h"),
        ("30",    "80",   1, true,  "70",    "150",    'U', "34.0",   20, "high",       "emergency_continuous"),
    ];
    for (rr, spo2, scale, oxygen, sbp, hr, level, temperature, total, risk, response) in rows {
        let number = |text: &str| Some(text.parse::<Decimal>().unwrap());
        let found = score(&Vitals {
            respiration_rate: number(rr),
            spo2: number(spo2),
            spo2_scale: if scale == 2 { SpO2Scale::Two } else { SpO2Scale::One },
            on_oxygen: Some(oxygen),
            systolic_bp: number(sbp),
            pulse: number(hr),
            consciousness: Acvpu::parse(&level.to_string()),
            temperature: number(temperature),
        });
        let seen = (found.total, found.risk.as_str(), found.response());
        assert_eq!(seen, (total, risk, response), "rr {rr} spo2 {spo2} level {level}");
    }
}

#[test]
fn a_lower_bound_that_reaches_a_threshold_alerts() {
    let only = Vitals { respiration_rate: Some(Decimal::from(30)), ..Vitals::default() };
    let found = score(&only);
    assert_eq!((found.total, found.complete, found.severity()), (3, false, Some(Severity::Urgent)));
    let two = Vitals { on_oxygen: Some(true), systolic_bp: Some(Decimal::from(80)), ..only };
    assert_eq!(score(&two).severity(), Some(Severity::Emergency));
    assert_eq!(score(&Vitals::default()).severity(), None);
}
