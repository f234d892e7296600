//! IHE PCD-04: an alert as `ORU^R40`, and the acknowledgement of it.

use auscult_model::{Severity, Timestamp};

use crate::channel::page::{Page, Stage};
use crate::channel::render::About;
use crate::channel::text::{what, who};
use crate::policy::Receiver;

/// One message and the id its acknowledgement must name.
#[derive(Clone, PartialEq, Eq)]
pub struct Hl7 {
    /// MSH-10.
    pub control: String,
    /// Segments ended by carriage returns.
    pub text: String,
}

impl std::fmt::Debug for Hl7 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hl7").field("control", &self.control).finish_non_exhaustive()
    }
}

/// Longest MSH-10 of HL7 2.6, in characters.
const CONTROL_CHARS_MAX: usize = 199;

/// The message of a page.
pub fn alert(
    application: &str,
    facility: &str,
    receiver: &Receiver,
    page: &Page,
    about: &About,
    id: &str,
) -> Hl7 {
    let control: String = id.chars().take(CONTROL_CHARS_MAX).collect();
    let (application, facility) = (escaped(application), escaped(facility));
    let sent = time(Some(page.timestamp));
    let alert = escaped(if page.data.alert.is_empty() { id } else { &page.data.alert });
    let mut lines = vec![format!(
        "MSH|^~\\&|AUSCULT|{facility}|{application}|{facility}|{sent}||ORU^R40^ORU_R40|{control}|P|2.6|||AL|NE||\
         UNICODE UTF-8|||IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO"
    )];
    if let Some(patient) = who(receiver, page, &About::default()) {
        let name = who(receiver, page, about).filter(|it| *it != patient).unwrap_or_default();
        lines.push(format!("PID|||{}^^^{facility}^PI||{}", escaped(patient), escaped(name)));
    }
    if let Some(unit) = &about.unit {
        lines.push(format!("PV1||I|{}^^^{facility}", escaped(unit)));
    }
    let empty = "|".repeat(22);
    lines.push(format!(
        "OBR|1||{alert}^AUSCULT|196616^MDC_EVT_ALARM^MDC|||{}{empty}{alert}^AUSCULT",
        time(page.data.effective.or(Some(page.timestamp)))
    ));
    lines.extend(facets(page));
    let mut text = lines.join("\r");
    text.push('\r');
    Hl7 { control, text }
}

/// The facets of an alert, in the order of the profile.
fn facets(page: &Page) -> Vec<String> {
    let calls = page.data.page <= 1;
    let (phase, state, inactivation) = match page.stage() {
        Stage::Calls if page.event == "alert.escalated" => ("escalate", "active", "enabled"),
        Stage::Calls if calls => ("start", "active", "enabled"),
        Stage::Calls => ("continue", "active", "enabled"),
        Stage::Answered => ("update", "active", "alert-acknowledged"),
        Stage::Over | Stage::Retracted => ("end", "inactive", "enabled"),
        Stage::Heartbeat => ("present", "inactive", "enabled"),
    };
    let (priority, kind) = match page.severity() {
        Severity::Emergency => ("PH", "SP"),
        Severity::Urgent => ("PM", "SP"),
        Severity::Routine => ("PL", "SP"),
        Severity::Technical => ("PL", "ST"),
    };
    let words = escaped(&what(&page.data.cause, page.data.value));
    let opened = time(page.data.opened);
    let code = escaped(&page.data.cause);
    let source = match page.data.value {
        Some(value) => {
            format!("NM|{code}^{words}^L|1.0.0.0.2|{value}||||||F|||{}", time(page.data.effective))
        }
        None => {
            format!("ST|{code}^{words}^L|1.0.0.0.2|{words}||||||F|||{}", time(page.data.effective))
        }
    };
    let mut lines = vec![
        format!("OBX|1|ST|196616^MDC_EVT_ALARM^MDC|1.0.0.0.1|{words}||||||F|||{opened}"),
        format!("OBX|2|{source}"),
    ];
    let rest = [
        ("68481^MDC_ATTR_EVENT_PHASE^MDC", phase),
        ("68482^MDC_ATTR_ALARM_STATE^MDC", state),
        ("68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC", inactivation),
        ("68484^MDC_ATTR_ALARM_PRIORITY^MDC", priority),
        ("68485^MDC_ATTR_ALERT_TYPE^MDC", kind),
    ];
    for (place, (code, value)) in rest.into_iter().enumerate() {
        let facet = place + 3;
        lines.push(format!("OBX|{facet}|ST|{code}|1.0.0.0.{facet}|{value}||||||F"));
    }
    lines
}

fn time(at: Option<Timestamp>) -> String {
    let utc = at.and_then(Timestamp::to_utc);
    utc.map_or_else(String::new, |it| it.format("%Y%m%d%H%M%S+0000").to_string())
}

/// HL7's delimiters inside a value, and no line ends.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            '\\' => out.push_str("\\E\\"),
            it if it.is_control() => out.push(' '),
            it => out.push(it),
        }
    }
    out
}

/// A message in MLLP's frame.
#[must_use]
pub fn framed(text: &str) -> Vec<u8> {
    [b"\x0b", text.as_bytes(), b"\x1c\r"].concat()
}

/// The message inside the first whole frame.
#[must_use]
pub fn unframed(bytes: &[u8]) -> Option<&[u8]> {
    let start = bytes.iter().position(|it| *it == 0x0b)?.checked_add(1)?;
    let rest = bytes.get(start..)?;
    let end = rest.windows(2).position(|it| it == b"\x1c\r")?;
    rest.get(..end)
}

/// What an acknowledgement says about the message: `AA`/`CA` are the receipt, all else a failure;
/// a refusal as such is for good.
///
/// # Errors
/// A stable code, and whether another try is in vain.
pub fn acknowledged(answer: &[u8], control: &str) -> Result<String, (String, bool)> {
    let text = String::from_utf8_lossy(answer);
    let msa = text.split(['\r', '\n']).find(|it| it.starts_with("MSA"));
    let mut fields = msa.unwrap_or_default().split('|').skip(1);
    let (code, about) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
    if about != control {
        return Err(("ack-for-another".to_owned(), false));
    }
    match code {
        "AA" | "CA" => Ok(code.to_owned()),
        "AE" | "CE" => Err((format!("ack-{}", code.to_ascii_lowercase()), false)),
        "AR" | "CR" => Err((format!("ack-{}", code.to_ascii_lowercase()), true)),
        _ => Err(("ack-unreadable".to_owned(), false)),
    }
}
