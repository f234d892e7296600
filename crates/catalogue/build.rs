//! Turns the tables under `data/` into static Rust, so that a fresh instance has nothing to parse.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// What goes wrong here is a fault of a table; the message names file and row.
type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    println!("cargo::rerun-if-changed=data");
    let mut out = String::new();
    let codes = codes(&mut out)?;
    units(&mut out)?;
    conversions(&mut out)?;
    device_types(&mut out)?;
    mdc(&mut out, &codes)?;
    let target = env::var("OUT_DIR")?;
    fs::write(Path::new(&target).join("tables.rs"), out)?;
    Ok(())
}

/// The rows of a tab-separated file, each by column name.
fn rows(name: &str) -> Outcome<Vec<BTreeMap<String, String>>> {
    let text = fs::read_to_string(Path::new("data").join(name))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().ok_or("an empty table")?.split('\t').collect();
    let mut rows = Vec::new();
    for (number, line) in lines.enumerate() {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells.len() != header.len() {
            return Err(format!("{name}: row {} has {} cells", number + 2, cells.len()).into());
        }
        rows.push(header.iter().zip(cells).map(|(k, v)| ((*k).into(), v.into())).collect());
    }
    Ok(rows)
}

/// A cell that must be there.
fn cell<'a>(row: &'a BTreeMap<String, String>, column: &str) -> Outcome<&'a str> {
    row.get(column).map(String::as_str).ok_or_else(|| format!("no column {column}").into())
}

/// `decimal(mantissa, scale)` of a number as written.
fn decimal(text: &str) -> Outcome<String> {
    let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let mantissa: i64 = text.replace('.', "").parse()?;
    Ok(format!("decimal({mantissa}, {scale})"))
}

/// `Some(…)` of a cell, `None` of an empty one.
fn optional(text: &str, write: impl Fn(&str) -> Outcome<String>) -> Outcome<String> {
    if text.is_empty() { Ok("None".into()) } else { Ok(format!("Some({})", write(text)?)) }
}

/// `&["a", "b"]` of `a;b`.
fn list(text: &str) -> String {
    let items: Vec<&str> = text.split(';').filter(|it| !it.is_empty()).collect();
    format!("&{items:?}")
}

/// The form in which names are compared: lower case without `_`, `-` and space.
fn folded(name: &str) -> String {
    name.chars().filter(|it| !"_- ".contains(*it)).flat_map(char::to_lowercase).collect()
}

/// A sorted index from text to a place in a table; one text may lead to one place only.
fn index(out: &mut String, name: &str, entries: &BTreeMap<String, usize>) -> Outcome<()> {
    writeln!(out, "static {name}: &[(&str, u16)] = &[")?;
    for (text, place) in entries {
        writeln!(out, "    ({text:?}, {place}),")?;
    }
    writeln!(out, "];")?;
    Ok(())
}

/// Enters a text, refusing one that is there for another place.
fn enter(entries: &mut BTreeMap<String, usize>, text: &str, place: usize) -> Outcome<()> {
    match entries.insert(text.into(), place) {
        Some(other) if other != place => Err(format!("{text:?} stands in two rows").into()),
        _ => Ok(()),
    }
}

fn profile(text: &str) -> Outcome<String> {
    Ok(match text.split_once(':') {
        Some(("cgm", name)) => {
            format!("\"http://hl7.org/fhir/uv/cgm/StructureDefinition/{name}\"")
        }
        _ => format!("\"http://hl7.org/fhir/StructureDefinition/{text}\""),
    })
}

fn codes(out: &mut String) -> Outcome<Vec<BTreeMap<String, String>>> {
    let table = rows("codes.tsv")?;
    let mut names = BTreeMap::new();
    let mut loinc = BTreeMap::new();
    writeln!(out, "static CODES: &[Code] = &[")?;
    for (place, row) in table.iter().enumerate() {
        let name = cell(row, "name")?;
        enter(&mut names, &folded(name), place)?;
        for synonym in cell(row, "synonyms")?.split(';').filter(|it| !it.is_empty()) {
            enter(&mut names, synonym, place)?;
        }
        let code = cell(row, "loinc")?;
        if !code.is_empty() {
            loinc.entry(code.to_owned()).or_insert(place);
        }
        let quoted = |text: &str| Ok(format!("{text:?}"));
        let display = cell(row, "display")?;
        let refid = cell(row, "refid")?;
        let (low, high) = (cell(row, "low")?, cell(row, "high")?);
        writeln!(
            out,
            "    Code {{ name: {name:?}, device_class: {:?}, loinc: {}, mdc: {}, ucum: {:?}, \
             accepted: {}, plausible: {}, change_per_min_max: {}, profile: {}, panel: {}, \
             category: {:?}, synonyms: {} }},",
            cell(row, "class")?,
            optional(code, |it| Ok(format!("({it:?}, {display:?})")))?,
            optional(cell(row, "mdc")?, |it| Ok(format!("({it}, {refid:?})")))?,
            cell(row, "ucum")?,
            list(cell(row, "units")?),
            optional(low, |it| Ok(format!("({}, {})", decimal(it)?, decimal(high)?)))?,
            optional(cell(row, "change")?, decimal)?,
            optional(cell(row, "profile")?, profile)?,
            optional(cell(row, "panel")?, quoted)?,
            cell(row, "category")?,
            list(cell(row, "synonyms")?),
        )?;
    }
    writeln!(out, "];")?;
    index(out, "NAMES", &names)?;
    index(out, "LOINC", &loinc)?;
    Ok(table)
}

fn mdc(out: &mut String, codes: &[BTreeMap<String, String>]) -> Outcome<()> {
    let mut numbers = BTreeMap::new();
    let mut refids = BTreeMap::new();
    let mut put = |row: &BTreeMap<String, String>, place: usize| -> Outcome<()> {
        let (number, refid) = (cell(row, "mdc")?, cell(row, "refid")?);
        if !number.is_empty() {
            numbers.entry(number.parse::<u32>()?).or_insert(place);
        }
        if !refid.is_empty() {
            refids.entry(refid.to_owned()).or_insert(place);
        }
        Ok(())
    };
    for (place, row) in codes.iter().enumerate() {
        put(row, place)?;
    }
    for row in rows("mdc_aliases.tsv")? {
        let name = cell(&row, "name")?;
        let place = codes.iter().position(|it| it.get("name").is_some_and(|it| it == name));
        put(&row, place.ok_or_else(|| format!("alias of an unknown {name}"))?)?;
    }
    writeln!(out, "static MDC: &[(u32, u16)] = &[")?;
    for (number, place) in numbers {
        writeln!(out, "    ({number}, {place}),")?;
    }
    writeln!(out, "];")?;
    index(out, "REFIDS", &refids)
}

fn units(out: &mut String) -> Outcome<()> {
    let table = rows("units.tsv")?;
    let mut texts = BTreeMap::new();
    writeln!(out, "static UNITS: &[Unit] = &[")?;
    for (place, row) in table.iter().enumerate() {
        for text in cell(row, "texts")?.split(';') {
            enter(&mut texts, text, place)?;
        }
        let mdc = optional(cell(row, "mdc")?, |it| Ok(it.to_owned()))?;
        let (ucum, display) = (cell(row, "ucum")?, cell(row, "display")?);
        writeln!(out, "    Unit {{ ucum: {ucum:?}, display: {display:?}, mdc: {mdc} }},")?;
    }
    writeln!(out, "];")?;
    index(out, "UNIT_TEXTS", &texts)
}

fn conversions(out: &mut String) -> Outcome<()> {
    writeln!(out, "static CONVERSIONS: &[Rule] = &[")?;
    for row in rows("conversions.tsv")? {
        let kind = match cell(&row, "kind")? {
            "multiply" => "Multiply",
            "divide" => "Divide",
            "shift-divide" => "ShiftThenDivide",
            "multiply-shift" => "MultiplyThenShift",
            other => return Err(format!("conversions.tsv: no kind {other}").into()),
        };
        writeln!(
            out,
            "    Rule {{ id: {:?}, from: {:?}, to: {:?}, conversion: Conversion::{kind}, \
             factor: {}, offset: {}, digits: {} }},",
            cell(&row, "id")?,
            cell(&row, "from")?,
            cell(&row, "to")?,
            decimal(cell(&row, "factor")?)?,
            decimal(cell(&row, "offset")?)?,
            cell(&row, "digits")?,
        )?;
    }
    writeln!(out, "];")?;
    Ok(())
}

fn device_types(out: &mut String) -> Outcome<()> {
    writeln!(out, "static DEVICE_TYPES: &[DeviceType] = &[")?;
    for row in rows("device_types.tsv")? {
        let (name, refid) = (cell(&row, "name")?, cell(&row, "refid")?);
        let mdc = cell(&row, "mdc")?;
        writeln!(out, "    DeviceType {{ name: {name:?}, mdc: {mdc}, refid: {refid:?} }},")?;
    }
    writeln!(out, "];")?;
    Ok(())
}
