//! The pages over a real database: what a ward of stored rows looks like.

#[path = "pages/world.rs"]
mod world;

use auscult_console::store::{alert_page, message_page, patient_page, ward_page};
use auscult_console::{Frame, Shown, Span, page};
use auscult_store::Database;
use world::{NOW, World};

fn ward(world: &World) -> Shown {
    page::ward(&ward_page(&world.db, None, NOW).unwrap())
}

/// The place of each text in the page, which must all be there.
fn places(page: &str, texts: &[&str]) -> Vec<usize> {
    texts.iter().map(|it| page.find(it).unwrap_or_else(|| panic!("{it} is missing"))).collect()
}

/// The part of the ward page that shows one patient.
fn bed<'a>(page: &'a str, patient: &str) -> &'a str {
    let start = page.find(&format!("data-key=\"{patient}\"")).unwrap();
    let rest = &page[start..];
    &rest[..rest.find("</li><li class=\"bed").unwrap_or(rest.len())]
}

#[test]
fn an_empty_database_is_an_empty_ward_and_not_an_error() {
    let world = World::empty();
    assert!(ward(&world).fragment().contains("Nobody here yet"));
    assert_eq!(patient_page(&world.db, "nobody", None, NOW), Ok(None));
    assert_eq!(alert_page(&world.db, "none", NOW), Ok(None));
    assert_eq!(message_page(&world.db, "none"), Ok(None));
}

#[test]
fn the_most_urgent_comes_first_and_then_the_order_of_beds() {
    let world = World::furnished();
    let page = ward(&world).fragment();
    let order = places(
        &page,
        &[
            "Okonkwo, Amara",
            "Haidari, Leyla",
            "Marchetti, Dario",
            "Lindqvist, Tove",
            "Yilmazer, Selin",
        ],
    );
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn a_value_is_shown_with_unit_age_and_points() {
    let world = World::furnished();
    let page = ward(&world).fragment();
    let bed = bed(&page, "p-1");
    for text in ["94/58", "mmHg", "38.9", "°C", "NEWS2 over the last", "+3", "6", "L/min", "12 s"]
    {
        assert!(bed.contains(text), "{text}");
    }
    assert!(bed.contains("action=\"/ward/alerts/alert-1/acknowledge\""));
}

#[test]
fn an_implausible_value_is_never_shown() {
    let world = World::furnished();
    let page = ward(&world).fragment();
    assert!(bed(&page, "p-4").contains("⚠ implausible <time"));
    assert!(!bed(&page, "p-4").contains("342"));
    let patient = page::patient(&patient_page(&world.db, "p-4", None, NOW).unwrap().unwrap());
    assert!(!patient.fragment().contains("342"));
    let message = message_page(&world.db, "m-bad").unwrap().unwrap();
    let shown = page::message(&message, NOW).fragment();
    // It stands in the message as it came, and nowhere else.
    assert_eq!(shown.matches("342").count(), 1);
}

#[test]
fn an_old_value_never_passes_for_a_new_one() {
    let world = World::furnished();
    let page = ward(&world).fragment();
    let bed = bed(&page, "p-5");
    assert!(bed.contains("vital points-0 stale"), "{bed}");
    assert!(bed.contains("stale </span>"));
    assert!(bed.contains("no reading"));
    assert!(bed.contains("≥"));
    assert!(bed.contains("Temperature: no reading"));
}

#[test]
fn names_from_outside_cannot_become_markup() {
    let world = World::furnished();
    world.patient("p-x", "<script>alert(1)</script>", "Bed 9");
    let page = ward(&world).page(&Frame { now: NOW, name: None });
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn a_message_is_followed_through_every_stage() {
    let world = World::furnished();
    let message = message_page(&world.db, "m-1").unwrap().unwrap();
    assert_eq!(message.observations.len(), 1);
    assert_eq!(message.used_by.len(), 1);
    assert_eq!(message.alerts.len(), 1);
    let shown = page::message(&message, NOW).fragment();
    assert!(
        places(&shown, &["Received", "Made into Observations", "Scored", "Alerted"]).is_sorted()
    );
    assert!(shown.contains("/ward/patients/p-1"));
}

#[test]
fn a_rejected_message_says_where_and_why() {
    let world = World::furnished();
    let message = message_page(&world.db, "m-rejected").unwrap().unwrap();
    let shown = page::message(&message, NOW).fragment();
    for text in ["missing-time", "/ts", "a reading needs a time"] {
        assert!(shown.contains(text), "{text}");
    }
}

#[test]
fn the_patient_page_breaks_the_score_down() {
    let world = World::furnished();
    let found = patient_page(&world.db, "p-1", Some(Span::Hour), NOW).unwrap().unwrap();
    let shown = page::patient(&found).fragment();
    for text in
        ["Systolic pressure", "94 mmHg", "Every input was there", "emergency", "What happened"]
    {
        assert!(shown.contains(text), "{text}");
    }
    assert!(shown.matches("<svg class=\"chart\"").count() >= 5);
}

#[test]
fn the_number_of_statements_does_not_grow_with_the_ward() {
    let world = World::furnished();
    let counting = world::Counting::new(&world.db);
    ward_page(&counting, None, NOW).unwrap();
    let few = counting.n_statements();
    for n in 0..40 {
        world.patient(&format!("more-{n}"), &format!("More {n}"), &format!("Bed {}", 20 + n));
    }
    let counting = world::Counting::new(&world.db);
    let page = ward_page(&counting, None, NOW).unwrap();
    assert_eq!(page.patients.len(), 6 + 40);
    assert_eq!(counting.n_statements(), few);
    assert!(few <= 7, "{few}");
}

#[test]
fn every_statement_of_the_ward_seeks_instead_of_scanning() {
    let world = World::furnished();
    let counting = world::Counting::new(&world.db);
    ward_page(&counting, None, NOW).unwrap();
    for sql in counting.statements() {
        let plan = world.plan(&sql);
        for line in plan.lines().filter(|it| it.starts_with("SCAN")) {
            let of_big = ["observation", "assessment", "inbox", "alert_transition", "o", "a"];
            let scanned = line.split_whitespace().nth(1).unwrap_or_default();
            let is_newest = line.contains("inbox") || line.contains("USING COVERING INDEX");
            assert!(
                !of_big.contains(&scanned) || is_newest || sql.contains("FROM alert a"),
                "{line}\n{sql}"
            );
        }
    }
}

/// Writes the pages to the folder that `AUSCULT_PAGES` names, to be looked at in a browser.
#[test]
fn pages_can_be_written_out_to_be_looked_at() {
    let Ok(folder) = std::env::var("AUSCULT_PAGES") else { return };
    let world = World::furnished();
    let frame = Frame { now: NOW, name: Some("Sr. Achterberg".to_owned()) };
    let write = |name: &str, shown: Shown| {
        std::fs::write(format!("{folder}/{name}.html"), shown.page(&frame)).unwrap();
    };
    write("ward", ward(&world));
    write("empty", ward(&World::empty()));
    write("patient", page::patient(&patient_page(&world.db, "p-1", None, NOW).unwrap().unwrap()));
    write("alert", page::alert(&alert_page(&world.db, "alert-1", NOW).unwrap().unwrap(), NOW));
    write("message", page::message(&message_page(&world.db, "m-1").unwrap().unwrap(), NOW));
    write("rejected", page::message(&message_page(&world.db, "m-rejected").unwrap().unwrap(), NOW));
    write("search", page::search(Some("nothing-of-that-name")));
    write("login", page::login(Some(auscult_console::session::LoginError::Token)));
    assert!(!world.db.query("SELECT 1 AS one", &[]).unwrap().is_empty());
}
