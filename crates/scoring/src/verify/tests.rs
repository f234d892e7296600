//! Cases worked out by hand for every rule, and the reference tables where they are present.

use std::path::Path;

use super::*;

const CGM: &str = r#"{"one": [100, 100, 100, 100], "two": [60, 160, 60, 160]}"#;

/// Header and rows per rule.
const TABLES: [(&str, &str); 20] = [
    (
        "news2",
        "id,rr,spo2,spo2_scale,on_oxygen,sbp,hr,acvpu,temp_c,p_spo2,total,any_single_3,risk\n\
         plain,15,97,1,0,118,66,A,36.7,0,0,0,low\n\
         too much oxygen,15,98,2,1,118,66,A,36.7,3,5,1,medium\n\
         not measured,27,,1,,,,,,,3,1,low-medium\n",
    ),
    (
        "mews",
        "id,sbp,hr,rr,temp_c,avpu,total,trigger_ge5\n\
         ill,75,120,22,38.6,C,9,1\nwell,125,80,14,36.8,A,0,0\n",
    ),
    (
        "qsofa",
        "id,rr,sbp,gcs,total,positive_ge2\nrounds up,21.5,100.4,15,2,1\nwell,16,120,15,0,0\n",
    ),
    (
        "sirs",
        "id,temp_c,hr,rr,paco2_mmhg,wbc_10e9_l,bands_percent,total,sirs_ge2,labs_missing\n\
         edges,38.0,90,20,32,12.0,10,0,0,0\nall,38.1,91,21,,12.1,,4,1,1\n",
    ),
    (
        "bedside_pews",
        "id,age_months,hr,sbp,crt_s,rr,resp_effort,spo2,oxygen,age_group,total,trigger_ge8\n\
         well,30,110,100,2,30,normal,98,air,1-4y,0,0\nill,30,155,80,3,65,moderate,92,lt4,1-4y,14,1\n",
    ),
    ("shock_index", "id,hr,sbp,shock_index,band\nno pressure,80,0,,\nhigh,95,100,0.95,high\n"),
    ("aha_bp", "id,sbp,dbp,category,hypotension_flag\none,118,95,stage2,0\ntwo,89.4,70,normal,1\n"),
    (
        "sepsis_screen",
        "id,news2_total,any_single_3,suspected_infection,platform_trigger,risk_band\n\
         decide,3,1,1,0,low_consider_moderate\ntop,9,1,1,1,high\n",
    ),
    (
        "chf_weight",
        "id,daily_weights_kg_day-7_to_day0,status,rules\n\
         slow,70|70|70|71|71|71|71|72.5,alert,R2_7d;R1_24h\nfirst,|||||||70,ok,\n",
    ),
    (
        "cgm_metrics",
        "id,n,mean_mgdl,sd_sample,gmi_percent,tbr1,tir,mage_mgdl\n\
         one,4,100.0000,0.0000,5.7020,0.0000,100.0000,\n\
         two,4,110.0000,57.7350,5.9412,50.0000,50.0000,100.0000\n",
    ),
    (
        "cgm_alert",
        "id,minute:mgdl series,L1 events start-alert-end,L2 events start-alert-end\n\
         open,0:60 5:60 10:60 15:53,0-15-,\nover,0:50 15:50 20:75 35:75,0-15-20,0-15-20\n",
    ),
    (
        "inhaler",
        "id,puffs_day-6_to_day0,saba_days_7d,puffs_7d,flags\none,1 0 1 0 0 0 12,3,14,SABA_GE12_24H;SABA_DAYS_GT2_7D\n",
    ),
    (
        "pdc",
        "id,period_days,fills_day:supply,covered_days,pdc_percent,adherent_ge80\none,60,0:30 20:30,60,100.00,1\ntwo,60,10:30,30,50.00,0\n",
    ),
    (
        "inactivity",
        "id,motion_event_minutes,now_minute,away_intervals,state,effective_gap_min\none,500,760,510-530 520-540,ok,230\nnight,500,30,,not_evaluated,\n",
    ),
    (
        "fever_cluster",
        "id,fever_events_hour:unit:patient,alarm_hour,alarm_unit,patients\none,9:A:x 3:A:y 5:B:z,9,A,2\n",
    ),
    (
        "ears",
        "id,counts_day0_to_day11,c1,c1_alarm\none,0 0 0 0 1 1 1 1 1 1 1 2,2.0000,0\nshort,1 2,insufficient_history,0\n",
    ),
    (
        "missing_data",
        "id,age_min,expected_interval_min,grace_min,state\none,11,5,5,late\nnever,,5,5,missing\n",
    ),
    (
        "robust_z",
        "id,history,x,scale_floor,median,scale,robust_z,state\none,1 2 3 4 5 6 7,4,1,4.0000,2.9652,0.0000,ok\nfew,1 2 3,9,1,,,,insufficient_history\n",
    ),
    (
        "ewma",
        "id,x_series,mu0,sigma0,lambda,L,ewma_series,alarm_series\none,10 20,10,1,0.2,3,10.0000 12.0000,0 1\n",
    ),
    (
        "lace",
        "id,los_days,acute_admission,charlson,ed_visits_6mo,total,risk\none,5.9,1,4,7,16,high\n",
    ),
];

#[test]
fn every_rule_passes_its_own_cases() {
    let named: Vec<&str> = rules().iter().map(|it| it.name).collect();
    for (rule, table) in TABLES {
        assert!(named.contains(&rule));
        let report = verify(rule, table, Some(CGM)).unwrap();
        assert!(report.passed(), "{rule}: {:#?}", report.failures);
    }
    assert_eq!(TABLES.len(), rules().len());
}

#[test]
fn a_wrong_cell_is_named_with_what_was_found() {
    let table = "id,hr,sbp,shock_index,band,colour\nbad,95,100,0.96,high,red\n";
    let report = verify("shock_index", table, None).unwrap();
    let failures: Vec<(&str, &str, &str)> = report
        .failures
        .iter()
        .map(|it| (it.column.as_str(), it.expected.as_str(), it.found.as_str()))
        .collect();
    let want = [("shock_index", "0.96", "0.95"), ("colour", "red", "not a column of this rule")];
    assert_eq!((failures, report.passed()), (want.to_vec(), false));
}

#[test]
fn what_cannot_be_checked_does_not_pass() {
    assert!(matches!(verify("astrology", "id\n1\n", None), Err(VerifyError::UnknownRule(_))));
    assert!(!verify("lace", "id,los_days\n", None).unwrap().passed());
    assert!(!verify("qsofa", "id,rr,sbp,gcs\none,16,120,15\n", None).unwrap().passed());
    assert!(!verify("qsofa", "id,rr,sbp,gcs,total\none,x,120,15,0\n", None).unwrap().passed());
    assert!(!verify("qsofa", "id,rr,sbp,gcs,total\none,1e28,120,15,0\n", None).unwrap().passed());
}

#[test]
fn every_reference_table_passes_where_it_is_present() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/domain/scores");
    if !folder.exists() {
        println!("reference tables are not present: own cases only");
        return;
    }
    for rule in rules() {
        let table =
            std::fs::read_to_string(folder.join(format!("{}_vectors.csv", rule.name))).unwrap();
        let companion = rule.companion.map(|it| std::fs::read_to_string(folder.join(it)).unwrap());
        let report = verify(rule.name, &table, companion.as_deref()).unwrap();
        println!("{}: {} of {}", rule.name, report.n_passed, report.n_cases);
        assert!(report.passed(), "{}: {:#?}", rule.name, report.failures);
    }
}
