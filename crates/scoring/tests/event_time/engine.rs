//! The engine on a real file: what is assessed, what late data changes, what a repeat sends.

use crate::common::{NOW, Ward, full_set, minute, reading};
use auscult_model::events::ObservedValue;
use auscult_model::{AssessmentStatus, Quality, Severity};

#[test]
fn a_full_set_of_one_instant_makes_one_complete_assessment() {
    let ward = Ward::new();
    let sent = ward.record(&full_set("p", minute(0), "16"));
    assert_eq!(sent.len(), 1);
    let one = &sent[0];
    assert_eq!((one.status, one.value), (AssessmentStatus::Complete, Some(0)));
    assert_eq!((one.band.as_deref(), one.severity), (Some("low"), None));
    assert_eq!((one.inputs.len(), one.missing.len()), (7, 0));
    assert_eq!((one.reason.clone(), one.supersedes.clone()), (None, None));
}

#[test]
fn what_is_missing_or_stale_is_named_with_its_age_and_limit() {
    let ward = Ward::new();
    ward.record(&full_set("p", minute(0), "30"));
    let sent = ward.record(&[reading("late", "p", "spo2", "97", minute(13 * 60))]);
    let one = &sent[0];
    assert_eq!((one.status, one.value), (AssessmentStatus::Incomplete, Some(0)));
    let missing: Vec<(&str, &str)> =
        one.missing.iter().map(|it| (it.code.as_str(), it.reason.as_str())).collect();
    let want = [
        ("respiratory_rate", "13 h old, limit 1 h"),
        ("inhaled_oxygen_flow", "13 h old, limit 12 h; air assumed"),
        ("systolic_bp", "13 h old, limit 12 h"),
        ("heart_rate", "13 h old, limit 1 h"),
        ("consciousness_acvpu", "13 h old, limit 12 h"),
        ("body_temperature", "13 h old, limit 12 h"),
    ];
    assert_eq!(missing, want);

    let other = ward.record(&[reading("x", "q", "respiratory_rate", "25", minute(0))]);
    assert_eq!((other[0].value, other[0].severity), (Some(3), Some(Severity::Urgent)));
    assert_eq!(other[0].missing[0].reason, "no reading");
}

#[test]
fn an_input_counts_to_the_end_of_its_limit_and_no_longer() {
    let rows = [
        ("respiratory_rate", "30", 60, true),
        ("respiratory_rate", "30", 61, false),
        ("systolic_bp", "80", 720, true),
        ("systolic_bp", "80", 721, false),
    ];
    for (code, value, age, counts) in rows {
        let ward = Ward::new();
        ward.record(&[reading("a", "p", code, value, minute(0))]);
        let sent = ward.record(&[reading("b", "p", "spo2", "97", minute(age))]);
        assert_eq!(sent[0].inputs.iter().any(|it| it.code == code), counts, "{code} {age} min");
    }
}

#[test]
fn a_late_reading_corrects_what_it_touches_and_says_so() {
    let ward = Ward::new();
    ward.record(&full_set("p", minute(0), "16"));
    ward.record(&[reading("b", "p", "heart_rate", "70", minute(20))]);
    let before = ward.record(&[reading("c", "p", "heart_rate", "70", minute(40))]);
    ward.record(&[reading("d", "p", "respiratory_rate", "16", minute(30))]);
    // Respiration rate of minute 10: touches 10 itself and 20, but from 30 on the next one counts.
    let sent = ward.record(&[reading("e", "p", "respiratory_rate", "26", minute(10))]);
    let found: Vec<_> =
        sent.iter().map(|it| (it.effective, it.value.unwrap(), it.reason.as_deref())).collect();
    assert_eq!(found, [(minute(10), 3, None), (minute(20), 3, Some("late-data"))]);
    assert!(sent[1].supersedes.is_some());
    assert_eq!(ward.count("assessment WHERE current = 0"), 2);
    let at_40 = format!("assessment WHERE current = 1 AND id = '{}'", before[0].id);
    assert_eq!(ward.count(&at_40), 0, "minute 30 came between");
}

#[test]
fn a_repeat_changes_nothing_and_sends_the_same() {
    let ward = Ward::new();
    let set = full_set("p", minute(0), "26");
    let first = ward.record(&set[..4]);
    let corrected = ward.record(&set[4..]);
    assert_eq!(corrected[0].supersedes.as_deref(), Some(first[0].id.as_str()));
    let rows = ward.count("assessment");
    let again = ward.record(&set);
    assert_eq!(again, corrected);
    assert_eq!(ward.count("assessment"), rows);
}

#[test]
fn values_that_may_not_be_scored_are_not() {
    let ward = Ward::new();
    for quality in [Quality::FutureTime, Quality::OutOfPlausibleRange, Quality::DeviceInvalid] {
        let mut bad = reading(quality.as_str(), "p", "heart_rate", "200", minute(0));
        bad.quality = quality;
        assert!(ward.record(&[bad]).is_empty());
    }
    let height = reading("h", "p", "body_height", "180", minute(0));
    assert!(ward.record(&[height]).is_empty(), "no rule reads it");
    assert_eq!(ward.count("assessment"), 0);
}

#[test]
fn a_panel_gives_its_systolic_pressure() {
    let ward = Ward::new();
    let mut panel = reading("bp", "p", "blood_pressure", "85", minute(0));
    let value = |code: &str, value: i64| ObservedValue {
        code: code.to_owned(),
        value: auscult_model::ReadingValue::Number(value.into()),
        unit: "mm[Hg]".to_owned(),
    };
    panel.inputs = vec![value("systolic_bp", 85), value("diastolic_bp", 50)];
    let sent = ward.record(&[panel]);
    assert_eq!((sent[0].value, sent[0].inputs.len()), (Some(3), 1));
}

#[test]
fn of_equally_fresh_pulses_the_electrocardiogram_counts() {
    #[rustfmt::skip]
    let rows = [
        // (code, minute) …                                          whose pulse counts
        (&[("pulse_rate", 0), ("heart_rate", 0)][..],                "heart_rate"),
        (&[("heart_rate", 0), ("pulse_rate", 5)][..],                "heart_rate"),
        (&[("heart_rate", 0), ("pulse_rate", 6)][..],                "pulse_rate"),
        (&[("pulse_rate_nibp", 3), ("pulse_rate", 1)][..],           "pulse_rate"),
    ];
    for (given, want) in rows {
        let ward = Ward::new();
        let readings: Vec<_> = given
            .iter()
            .map(|(code, at)| reading(&format!("{code}{at}"), "p", code, "70", minute(*at)))
            .collect();
        let sent = ward.record(&readings);
        let last = sent.last().unwrap();
        assert_eq!(last.inputs.iter().find(|it| it.unit == "/min").unwrap().code, want);
    }
}

#[test]
fn oxygen_is_any_flow_or_more_than_air() {
    let rows = [
        ("inhaled_oxygen_flow", "0", 0),
        ("inhaled_oxygen_flow", "0.5", 2),
        ("inhaled_oxygen_concentration", "21", 0),
        ("inhaled_oxygen_concentration", "24", 2),
    ];
    for (code, value, points) in rows {
        let ward = Ward::new();
        let sent = ward.record(&[reading("o", "p", code, value, minute(0))]);
        assert_eq!(sent[0].inputs[0].points, points, "{code} {value}");
    }
}

#[test]
fn an_observation_filed_to_somebody_else_leaves_no_trace_in_what_stands() {
    let ward = Ward::new();
    let moved = reading("x", "wrong", "respiratory_rate", "30", minute(5));
    ward.record(&full_set("wrong", minute(0), "16"));
    ward.record(&[moved.clone()]);
    ward.record(&[reading("y", "wrong", "spo2", "97", minute(10))]);
    ward.refile("x", Some("right"));
    let mut to_right = moved.clone();
    to_right.patient = "right".to_owned();
    let news = [to_right, moved];
    let sent = ward.tell(&news);
    let seen: Vec<_> = sent
        .iter()
        .map(|it| (it.patient.reveal(), it.effective, it.value, it.reason.as_deref()))
        .collect();
    let late = Some("late-data");
    let want = [
        ("right", minute(5), Some(3), None),
        ("wrong", minute(10), Some(0), late),
        ("wrong", minute(5), None, late),
    ];
    assert_eq!(seen, want);
    let retracted = &sent[2];
    assert!(retracted.inputs.is_empty() && retracted.severity.is_none());
    assert_eq!(ward.count("assessment WHERE patient = 'wrong' AND current = 1"), 2);

    let mut again = ward.tell(&news);
    again.sort_by_key(|it| it.id.clone());
    let mut first = sent;
    first.sort_by_key(|it| it.id.clone());
    assert_eq!(again, first, "a repeat sends the retraction again");
}

#[test]
fn a_day_of_continuous_data_is_corrected_in_several_steps() {
    let ward = Ward::new();
    let beats: Vec<_> = (1..1_500)
        .map(|it| reading(&format!("h{it}"), "p", "heart_rate", "70", minute(it)))
        .collect();
    for batch in beats.chunks(100) {
        ward.record(batch);
    }
    let late = reading("bp", "p", "systolic_bp", "85", minute(0));
    ward.store(std::slice::from_ref(&late));
    let progress = auscult_scoring::record(&ward.db, std::slice::from_ref(&late), NOW).unwrap();
    assert!(!progress.rest.is_empty());
    let sent = ward.tell(&[late]);
    assert_eq!(sent.len(), 1 + 24 * 60, "to where a stale value is still named");
    assert_eq!(ward.count("assessment WHERE current = 1 AND value = 3"), 1 + 12 * 60);
}
