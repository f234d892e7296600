//! Queries and what they mean.

use super::*;
use ResourceType::{Device, Observation, Patient};

fn query(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|it| !it.is_empty());
    pairs
        .map(|it| it.split_once('=').unwrap_or((it, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn check(kind: ResourceType, text: &str) -> Result<Search, String> {
    Search::parse(kind, &query(text), false).map_err(|it| it.code().to_owned())
}

fn only(kind: ResourceType, text: &str) -> Filter {
    let mut search = check(kind, text).unwrap();
    assert_eq!(search.filters.len(), 1, "{text}");
    search.filters.remove(0)
}

fn token(system: Option<&str>, code: Option<&str>) -> Token {
    Token { system: system.map(str::to_owned), code: code.map(str::to_owned) }
}

#[test]
fn tokens_may_leave_out_system_or_code() {
    #[rustfmt::skip]
    let rows = [
        ("8867-4", vec![token(None, Some("8867-4"))]),
        ("http://loinc.org|8867-4", vec![token(Some("http://loinc.org"), Some("8867-4"))]),
        ("|8867-4", vec![token(Some(""), Some("8867-4"))]),
        ("http://loinc.org|", vec![token(Some("http://loinc.org"), None)]),
        ("a,b\\,c", vec![token(None, Some("a")), token(None, Some("b,c"))]),
        ("s|a\\|b", vec![token(Some("s"), Some("a|b"))]),
        ("a\\\\b", vec![token(None, Some("a\\b"))]),
    ];
    for (text, want) in rows {
        assert_eq!(only(Observation, &format!("code={text}")).tests, Tests::Tokens(want), "{text}");
    }
}

#[test]
fn dates_carry_a_prefix() {
    #[rustfmt::skip]
    let rows = [
        ("2026-11-20", Prefix::Eq), ("eq2026", Prefix::Eq), ("ne2026", Prefix::Ne),
        ("lt2026-11", Prefix::Lt), ("gt2026", Prefix::Gt), ("le2026", Prefix::Le),
        ("ge2026-11-20T08:00:00Z", Prefix::Ge), ("sa2026", Prefix::Sa), ("eb2026", Prefix::Eb),
    ];
    for (text, want) in rows {
        let Tests::Dates(dates) = only(Observation, &format!("date={text}")).tests else {
            panic!("{text}");
        };
        assert_eq!(dates.iter().map(|it| it.prefix).collect::<Vec<_>>(), [want], "{text}");
    }
}

#[test]
fn references_name_their_type_or_leave_it_to_the_parameter() {
    #[rustfmt::skip]
    let rows = [
        ("patient=p1", Some("Patient"), "p1"),
        ("patient=Patient/p1", Some("Patient"), "p1"),
        ("subject=p1", None, "p1"),
        ("subject:Patient=p1", Some("Patient"), "p1"),
        ("subject=http://h/fhir/Patient/p1", Some("Patient"), "p1"),
        ("device=Device/d1", Some("Device"), "d1"),
    ];
    for (text, kind, id) in rows {
        let want = ReferenceTest { kind: kind.map(str::to_owned), id: id.to_owned() };
        assert_eq!(only(Observation, text).tests, Tests::References(vec![want]), "{text}");
    }
}

#[test]
fn a_quantity_covers_half_a_unit_of_its_last_digit() {
    #[rustfmt::skip]
    let rows = [
        ("5.4", Prefix::Eq, 5.35, 5.45, None),
        ("gt100", Prefix::Gt, 99.5, 100.5, None),
        ("le38.0||Cel", Prefix::Le, 37.95, 38.05, Some("Cel")),
        ("72|http://unitsofmeasure.org|/min", Prefix::Eq, 71.5, 72.5, Some("/min")),
    ];
    for (text, prefix, low, high, unit) in rows {
        let Tests::Quantities(found) = only(Observation, &format!("value-quantity={text}")).tests
        else {
            panic!("{text}");
        };
        let found = found.first().unwrap();
        assert_eq!((found.prefix, found.low, found.high), (prefix, low, high), "{text}");
        assert_eq!(found.unit.as_deref(), unit, "{text}");
    }
}

#[test]
fn modifiers_change_the_condition() {
    assert!(only(Observation, "category:not=survey").negate);
    assert_eq!(only(Patient, "identifier:missing=true").tests, Tests::Missing(true));
    let texts = |it: &str| vec![it.to_owned()];
    assert_eq!(
        only(Patient, "family:exact=Doe").tests,
        Tests::Texts(TextMatch::Exact, texts("Doe"))
    );
    assert_eq!(only(Patient, "name=do").tests, Tests::Texts(TextMatch::Start, texts("do")));
}

#[test]
fn what_cannot_be_understood_is_refused_with_a_reason() {
    #[rustfmt::skip]
    let rows = [
        (Observation, "date=yesterday", "parameter-invalid"),
        (Observation, "date=ap2026", "parameter-invalid"),
        (Observation, "code=|", "parameter-invalid"),
        (Observation, "code=a|b|c", "parameter-invalid"),
        (Observation, "code:text=heart", "modifier-unknown"),
        (Observation, "date:not=2026", "modifier-unknown"),
        (Observation, "value-quantity=tall", "parameter-invalid"),
        (Observation, "code-value-quantity=8867-4", "parameter-invalid"),
        (Observation, "subject:Patient=Device/d1", "parameter-invalid"),
        (Observation, "subject:identifier=x", "parameter-invalid"),
        (Observation, "_count=many", "parameter-invalid"),
        (Observation, "_count=-1", "parameter-invalid"),
        (Observation, "_sort=colour", "parameter-invalid"),
        (Observation, "_page=%%%", "parameter-invalid"),
        (Observation, "_format=xml", "format"),
        (Device, "status:missing=perhaps", "parameter-invalid"),
    ];
    for (kind, text, want) in rows {
        assert_eq!(check(kind, text).map(|it| it.filters), Err(want.to_owned()), "{text}");
    }
}

#[test]
fn an_unknown_parameter_is_left_out_unless_handling_is_strict() {
    let text = query("patient=p1&colour=red&code=8867-4&_page=MSBh");
    let search = Search::parse(Observation, &text, false).unwrap();
    let names: Vec<&str> = search.understood.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["patient", "code"]);
    let refused = Search::parse(Observation, &text, true).unwrap_err();
    assert_eq!((refused.status, refused.code()), (400, "parameter-unknown"));
}

#[test]
fn order_and_size_of_a_page_are_bounded() {
    let search = check(Observation, "").unwrap();
    assert_eq!(
        (search.count, search.sort.by, search.sort.descending),
        (COUNT_DEFAULT, SortBy::Date, true)
    );
    assert_eq!(check(Observation, "_count=100000").unwrap().count, COUNT_MAX);
    assert_eq!(check(Observation, "_summary=count").unwrap().count, 0);
    let sort = check(Observation, "_sort=date").unwrap().sort;
    assert_eq!(sort, Sort { by: SortBy::Date, descending: false });
    let sort = check(Patient, "_sort=-_lastUpdated,_id").unwrap().sort;
    assert_eq!(sort, Sort { by: SortBy::LastUpdated, descending: true });
}

#[test]
fn a_cursor_survives_its_link() {
    let cursor = Cursor { key: -62_135_596_800_000, id: "a b/c".to_owned() };
    assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    assert_eq!(Cursor::decode("bm8"), None);
}
