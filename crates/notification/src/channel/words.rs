//! Our words in the languages people read.

use auscult_model::Severity;

use crate::channel::page::Stage;

/// A language messages can be written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
}

/// The languages of a setting.
pub const LANGUAGES: [(&str, Language); 4] =
    [("en", Language::En), ("de", Language::De), ("fr", Language::Fr), ("es", Language::Es)];

impl Language {
    /// From a BCP 47 tag such as `de-AT`.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let first = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        LANGUAGES.iter().find(|(name, _)| *name == first).map(|(_, it)| *it)
    }

    const fn pick(self, texts: [&'static str; 4]) -> &'static str {
        let [en, de, fr, es] = texts;
        match self {
            Self::En => en,
            Self::De => de,
            Self::Fr => fr,
            Self::Es => es,
        }
    }
}

/// How fast somebody must come.
#[must_use]
pub const fn severity(language: Language, severity: Severity) -> &'static str {
    language.pick(match severity {
        Severity::Emergency => ["EMERGENCY", "NOTFALL", "URGENCE VITALE", "EMERGENCIA"],
        Severity::Urgent => ["Urgent", "Dringend", "Urgent", "Urgente"],
        Severity::Routine => ["Routine", "Routine", "Routine", "Rutina"],
        Severity::Technical => ["Technical", "Technisch", "Technique", "Técnico"],
    })
}

/// What stands before a message that calls nobody.
#[must_use]
pub const fn stage(language: Language, stage: Stage) -> &'static str {
    match stage {
        Stage::Calls | Stage::Heartbeat => "",
        Stage::Answered => language.pick(["Taken", "Übernommen", "Pris en charge", "Atendida"]),
        Stage::Over => language.pick(["Over", "Beendet", "Terminé", "Terminada"]),
        Stage::Retracted => language.pick(["Withdrawn", "Zurückgenommen", "Retiré", "Retirada"]),
    }
}

/// What the link that answers is called.
#[must_use]
pub const fn answer(language: Language) -> &'static str {
    language.pick(["Answer", "Antworten", "Répondre", "Responder"])
}

/// What the link to the alert is called.
#[must_use]
pub const fn open(language: Language) -> &'static str {
    language.pick(["Open", "Öffnen", "Ouvrir", "Abrir"])
}

/// The heartbeat.
#[must_use]
pub const fn heartbeat(language: Language) -> &'static str {
    language.pick([
        "Alerting works. If this message stops coming, it does not.",
        "Die Alarmierung arbeitet. Bleibt diese Nachricht aus, arbeitet sie nicht.",
        "L'alerte fonctionne. Si ce message n'arrive plus, elle ne fonctionne plus.",
        "El sistema de alertas funciona. Si este mensaje deja de llegar, no funciona.",
    ])
}

/// The whole message to a patient: plain words, no figure.
#[must_use]
pub const fn to_patient(language: Language, stage: Stage, severity: Severity) -> &'static str {
    match (stage, severity) {
        (Stage::Calls, Severity::Emergency) => language.pick([
            "Your readings need attention now. Call your care team at once. If you feel very unwell, call the emergency number.",
            "Ihre Messwerte brauchen jetzt Aufmerksamkeit. Rufen Sie sofort Ihr Behandlungsteam an. Wenn es Ihnen sehr schlecht geht, rufen Sie den Notruf.",
            "Vos mesures demandent une attention immédiate. Appelez tout de suite votre équipe soignante. Si vous vous sentez très mal, appelez les secours.",
            "Sus mediciones necesitan atención ahora. Llame enseguida a su equipo médico. Si se siente muy mal, llame a emergencias.",
        ]),
        (Stage::Calls, Severity::Technical) => language.pick([
            "Your device is not sending readings as it should. Please check that it is worn and charged.",
            "Ihr Gerät sendet nicht wie erwartet. Bitte prüfen Sie, ob es angelegt und geladen ist.",
            "Votre appareil n'envoie pas les mesures comme prévu. Vérifiez qu'il est porté et chargé.",
            "Su dispositivo no envía las mediciones como debería. Compruebe que lo lleva puesto y que está cargado.",
        ]),
        (Stage::Calls, Severity::Urgent | Severity::Routine) => language.pick([
            "Your readings have changed. Please call your care team today.",
            "Ihre Messwerte haben sich verändert. Bitte rufen Sie heute Ihr Behandlungsteam an.",
            "Vos mesures ont changé. Veuillez appeler votre équipe soignante aujourd'hui.",
            "Sus mediciones han cambiado. Llame hoy a su equipo médico, por favor.",
        ]),
        (Stage::Answered, _) => language.pick([
            "Your care team has seen your readings.",
            "Ihr Behandlungsteam hat Ihre Messwerte gesehen.",
            "Votre équipe soignante a vu vos mesures.",
            "Su equipo médico ha visto sus mediciones.",
        ]),
        (Stage::Over, _) => language.pick([
            "Your readings are back in the expected range.",
            "Ihre Messwerte sind wieder im erwarteten Bereich.",
            "Vos mesures sont revenues dans la plage attendue.",
            "Sus mediciones han vuelto al intervalo esperado.",
        ]),
        (Stage::Retracted, _) => language.pick([
            "Please disregard our last message about your readings.",
            "Bitte beachten Sie unsere letzte Nachricht zu Ihren Messwerten nicht.",
            "Veuillez ignorer notre dernier message sur vos mesures.",
            "No tenga en cuenta nuestro último mensaje sobre sus mediciones, por favor.",
        ]),
        (Stage::Heartbeat, _) => heartbeat(language),
    }
}
