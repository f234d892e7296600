//! The text of a message: the usual one, or a receiver's own template.

use minijinja::{Environment, UndefinedBehavior, context};

use crate::channel::page::{Page, Stage};
use crate::channel::render::About;
use crate::channel::settings::{Audience, Shows};
use crate::channel::words;
use crate::channel::{Unsayable, words::Language};
use crate::policy::Receiver;

/// Most steps a template may take: a loop over other alerts, no more.
const TEMPLATE_FUEL: u64 = 20_000;

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub title: String,
    /// All of it, the title included.
    pub whole: String,
}

/// What a receiver is told about a page, by its template or in the usual words.
pub fn text(receiver: &Receiver, page: &Page, about: &About) -> Result<Text, Unsayable> {
    let language = language(receiver, about);
    if receiver.audience == Audience::Patient {
        let whole = words::to_patient(language, page.stage(), page.severity()).to_owned();
        return Ok(Text { title: whole.clone(), whole });
    }
    let title = title(receiver, page, about, language);
    let whole = match &receiver.template {
        Some(template) => written(template, receiver, page, about, language, &title)?,
        None => usual(page, about, language, &title),
    };
    Ok(Text { title, whole })
}

/// A patient's own language first, then the receiver's.
fn language(receiver: &Receiver, about: &About) -> Language {
    let own = about.language.as_deref().filter(|_| receiver.audience == Audience::Patient);
    own.and_then(Language::of_tag).unwrap_or(receiver.language)
}

fn title(receiver: &Receiver, page: &Page, about: &About, language: Language) -> String {
    if page.stage() == Stage::Heartbeat {
        return words::heartbeat(language).to_owned();
    }
    let mut title = String::new();
    let stage = words::stage(language, page.stage());
    if !stage.is_empty() {
        title += stage;
        title += ": ";
    }
    title += words::severity(language, page.severity());
    title += ": ";
    title += &what(&page.data.cause, page.data.value);
    for other in &page.data.also {
        title += ", ";
        title += &what(&other.cause, other.value);
    }
    for more in about.unit.as_deref().into_iter().chain(who(receiver, page, about)) {
        title += " · ";
        title += more;
    }
    title
}

/// The patient as far as the receiver may know.
pub fn who<'a>(receiver: &Receiver, page: &'a Page, about: &'a About) -> Option<&'a str> {
    let id = Some(page.data.patient.as_str()).filter(|it| !it.is_empty());
    match receiver.shows {
        Shows::Nobody => None,
        Shows::Id => id,
        Shows::Name => about.name.as_deref().or(id),
    }
}

/// `NEWS2 7`.
pub fn what(cause: &str, value: Option<i64>) -> String {
    let short = cause.len() <= 6;
    let name = if short { cause.to_uppercase() } else { cause.replace(['-', '_'], " ") };
    value.map_or(name.clone(), |value| format!("{name} {value}"))
}

fn usual(page: &Page, about: &About, language: Language, title: &str) -> String {
    let mut whole = title.to_owned();
    if let (Stage::Calls, Some(link)) = (page.stage(), &about.answer) {
        whole += &format!("\n{}: {link}", words::answer(language));
    }
    if let Some(link) = &about.link {
        whole += &format!("\n{}: {link}", words::open(language));
    }
    whole
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    // A name that does not exist is a fault of the template, found when the policy is checked.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(TEMPLATE_FUEL));
    environment
}

fn written(
    template: &str,
    receiver: &Receiver,
    page: &Page,
    about: &About,
    language: Language,
    title: &str,
) -> Result<String, Unsayable> {
    let values = context! {
        title => title,
        event => page.event.as_str(),
        severity => words::severity(language, page.severity()),
        what => what(&page.data.cause, page.data.value),
        also => page.data.also.iter().map(|it| what(&it.cause, it.value)).collect::<Vec<_>>(),
        status => page.data.status.as_str(),
        unit => about.unit.as_deref().unwrap_or_default(),
        patient => who(receiver, page, about).unwrap_or_default(),
        page => page.data.page,
        answer => about.answer.as_deref().unwrap_or_default(),
        link => about.link.as_deref().unwrap_or_default(),
    };
    environment().render_str(template, values).map_err(|_| Unsayable::Template)
}

/// Whether a template can be written out, tried on a page that has everything.
#[must_use]
pub fn template_works(template: &str, receiver: &Receiver) -> bool {
    let sample = r#"{"type":"alert.opened","timestamp":"2026-01-01T00:00:00.000Z","data":{"alert":"a","patient":"p",
        "cause":"news2","severity":"urgent","status":"open","value":5,"page":1,"link":"/","also":[{"cause":"b"}]}}"#;
    let Some(page) = Page::read(sample) else { return false };
    written(template, receiver, &page, &About::default(), Language::En, "title").is_ok()
}
