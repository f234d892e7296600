//! Search conditions as SQL. Values are always bound, never written into the statement.

use auscult_fhir::TokenKind;
use auscult_fhir::search::{
    DateTest, Field, Filter, Prefix, QuantityTest, ReferenceTest, Search, Tests, TextMatch, Token,
};

use super::Bound;
use super::leg::{Leg, Source};

/// All conditions of a search on one leg, and the values they bind, in order.
pub(super) fn all(leg: &Leg, search: &Search) -> (String, Vec<Bound>) {
    let mut sql = Sql { text: leg.always.to_owned(), bound: Vec::new() };
    if leg.source == Source::Kept {
        sql.bound.push(Bound::Text(search.kind.as_str().to_owned()));
    }
    for filter in &search.filters {
        sql.text.push_str(if filter.negate { " AND NOT coalesce(" } else { " AND (" });
        sql.filter(leg, filter);
        sql.text.push_str(if filter.negate { ", 0)" } else { ")" });
    }
    (sql.text, sql.bound)
}

struct Sql {
    text: String,
    bound: Vec<Bound>,
}

impl Sql {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn text(&mut self, sql: &str, values: &[&str]) {
        self.push(sql);
        self.bound.extend(values.iter().map(|it| Bound::Text((*it).to_owned())));
    }

    /// One of the tests must hold.
    fn any<T>(&mut self, tests: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.push("(");
        for (place, test) in tests.iter().enumerate() {
            if place > 0 {
                self.push(" OR ");
            }
            self.push("(");
            each(self, test);
            self.push(")");
        }
        self.push(")");
    }

    fn filter(&mut self, leg: &Leg, filter: &Filter) {
        match (&filter.tests, filter.field) {
            (Tests::Missing(missing), field) => self.missing(leg, field, *missing),
            (Tests::Tokens(tokens), field) => self.any(tokens, |sql, it| sql.token(leg, field, it)),
            (Tests::Dates(dates), Field::LastUpdated) => {
                let end = format!("({} + 1)", leg.updated);
                self.any(dates, |sql, it| sql.date(leg.updated, &end, it));
            }
            (Tests::Dates(dates), Field::Effective) => {
                self.any(dates, |sql, it| sql.date(leg.effective, leg.effective_end, it));
            }
            (Tests::Dates(dates), Field::JsonDate(path)) => {
                let (start, end) = json_date(leg.json, path);
                self.any(dates, |sql, it| sql.date(&start, &end, it));
            }
            (Tests::References(references), field) => {
                self.any(references, |sql, it| sql.reference(leg, field, it));
            }
            (Tests::Texts(how, texts), Field::JsonText(paths)) => {
                self.any(texts, |sql, text| {
                    sql.any(paths, |sql, path| sql.any_text(leg, path, *how, text));
                });
            }
            (Tests::Texts(_, texts), Field::JsonUri(path)) if !leg.json.is_empty() => {
                let tree = tree(leg.json, path);
                self.any(texts, |sql, text| sql.text(&format!("{tree} AND t.atom = ?)"), &[text]));
            }
            (Tests::Quantities(quantities), Field::Value) if !leg.json.is_empty() => {
                let json = format!("({} -> '$.valueQuantity')", leg.json);
                self.any(quantities, |sql, it| sql.quantity(&json, it));
            }
            (Tests::Quantities(quantities), Field::ComponentValue) if !leg.json.is_empty() => {
                let each = format!(
                    "EXISTS (SELECT 1 FROM json_each({}, '$.component') AS c WHERE ",
                    leg.json
                );
                self.any(quantities, |sql, it| {
                    sql.push(&each);
                    sql.quantity("(c.value -> '$.valueQuantity')", it);
                    sql.push(")");
                });
            }
            (Tests::CodeQuantities(pairs), Field::CodeValue) if !leg.json.is_empty() => {
                let json = format!("({} -> '$.valueQuantity')", leg.json);
                self.any(pairs, |sql, (code, quantity)| {
                    sql.token(leg, Field::Code, code);
                    sql.push(" AND ");
                    sql.quantity(&json, quantity);
                });
            }
            _ => self.push("0"),
        }
    }

    fn token(&mut self, leg: &Leg, field: Field, token: &Token) {
        let kinds: &[TokenKind] = match field {
            Field::Code => &[TokenKind::Code],
            Field::ComponentCode => &[TokenKind::Component],
            Field::ComboCode => &[TokenKind::Code, TokenKind::Component],
            Field::Category => &[TokenKind::Category],
            Field::Id => return self.code(leg.id, token),
            Field::Status => return self.code(leg.status, token),
            // A code or a boolean: the JSON text without its quotes.
            Field::JsonCode(path) if !leg.json.is_empty() => {
                return self.code(&format!("trim({} -> '{path}', '\"')", leg.json), token);
            }
            Field::Deceased => return self.deceased(leg, token),
            Field::JsonConcept(path) => return self.coded(leg, path, "code", None, token),
            Field::JsonIdentifier(path) => return self.coded(leg, path, "value", None, token),
            Field::JsonContact(path, system) => {
                return self.coded(leg, path, "value", system, token);
            }
            _ => return self.push("0"),
        };
        if leg.tokens.is_empty() {
            return self.push("0");
        }
        self.any(kinds, |sql, kind| {
            sql.text(&format!("instr({}, ?) > 0", leg.tokens), &[&token.needle(*kind)]);
        });
    }

    /// A plain code has no system of its own: any is taken.
    fn code(&mut self, expression: &str, token: &Token) {
        match &token.code {
            Some(code) if !expression.is_empty() => {
                self.text(&format!("{expression} = ?"), &[code])
            }
            _ => self.push("0"),
        }
    }

    fn deceased(&mut self, leg: &Leg, token: &Token) {
        let is = format!(
            "(coalesce({json} -> '$.deceasedBoolean' = 'true', 0) \
             OR ({json} -> '$.deceasedDateTime') IS NOT NULL)",
            json = leg.json
        );
        match token.code.as_deref() {
            Some("true") => self.push(&is),
            Some("false") => self.push(&format!("NOT {is}")),
            _ => self.push("0"),
        }
    }

    /// An object below `path` with this code (or value) and system.
    fn coded(&mut self, leg: &Leg, path: &str, key: &str, system: Option<&str>, token: &Token) {
        if leg.json.is_empty() {
            return self.push("0");
        }
        self.push(&format!("{} AND t.type = 'object'", tree(leg.json, path)));
        if let Some(system) = system {
            self.text(" AND t.value ->> '$.system' = ?", &[system]);
        }
        match token.system.as_deref() {
            Some("") => self.push(" AND t.value ->> '$.system' IS NULL"),
            Some(system) => self.text(" AND t.value ->> '$.system' = ?", &[system]),
            None => {}
        }
        if let Some(code) = &token.code {
            self.text(&format!(" AND t.value ->> '$.{key}' = ?"), &[code]);
        }
        self.push(")");
    }

    fn reference(&mut self, leg: &Leg, field: Field, test: &ReferenceTest) {
        let kind = test.kind.as_deref();
        let (column, want) = match field {
            Field::Subject => (leg.patient, "Patient"),
            Field::Device => (leg.device, "Device"),
            Field::JsonReference(path) if !leg.json.is_empty() => {
                return self.json_reference(leg, path, test);
            }
            _ => ("", ""),
        };
        if column.is_empty() || kind.is_some_and(|it| it != want) {
            return self.push("0");
        }
        self.text(&format!("{column} = ?"), &[&test.id]);
    }

    /// A literal reference that is `Type/id`, or ends in it.
    fn json_reference(&mut self, leg: &Leg, path: &str, test: &ReferenceTest) {
        let target = match &test.kind {
            Some(kind) => format!("{kind}/{}", test.id),
            None => test.id.clone(),
        };
        let end = format!("/{target}");
        self.text(
            &format!(
                "{} AND t.type = 'object' AND (t.value ->> '$.reference' = ? \
                 OR substr(t.value ->> '$.reference', -length(?)) = ?))",
                tree(leg.json, path)
            ),
            &[&target, &end, &end],
        );
    }

    /// `path` may end in `|name`: then only texts under that name count.
    fn any_text(&mut self, leg: &Leg, path: &str, how: TextMatch, text: &str) {
        if leg.json.is_empty() {
            return self.push("0");
        }
        let (path, name) = path.split_once('|').unwrap_or((path, ""));
        self.push(&format!("{} AND t.type = 'text'", tree(leg.json, path)));
        if name.is_empty() {
            self.push(" AND t.key NOT IN ('use', 'start', 'end', 'system')");
        } else {
            // Items of a list have a number for a key and the list's name at the end of their path.
            let end = format!(".{name}");
            self.text(" AND (t.key = ? OR substr(t.path, -length(?)) = ?)", &[name, &end, &end]);
        }
        match how {
            TextMatch::Exact => self.text(" AND t.atom = ?)", &[text]),
            TextMatch::Start => {
                self.text(" AND t.atom LIKE ? ESCAPE '\\')", &[&format!("{}%", like(text))]);
            }
            TextMatch::Contains => {
                self.text(" AND t.atom LIKE ? ESCAPE '\\')", &[&format!("%{}%", like(text))]);
            }
        }
    }

    /// Compares `[start, end)` of the row with the range of the test, as FHIR R4 defines each prefix.
    fn date(&mut self, start: &str, end: &str, test: &DateTest) {
        if start.is_empty() {
            return self.push("0");
        }
        let inside = format!("({start} >= ? AND {start} < ? AND {end} <= ?)");
        let (low, high) = (test.range.start.unix_ms(), test.range.end.unix_ms());
        let (sql, values): (String, Vec<i64>) = match test.prefix {
            Prefix::Eq => (inside, vec![low, high, high]),
            Prefix::Ne => (format!("NOT {inside}"), vec![low, high, high]),
            Prefix::Lt => (format!("{start} < ?"), vec![low]),
            Prefix::Gt => (format!("{end} > ?"), vec![high]),
            Prefix::Le => (format!("({start} < ? OR {inside})"), vec![low, low, high, high]),
            // Whatever ends behind the beginning of the range begins in it or lasts beyond it; the
            // first half lets an index find the rows.
            Prefix::Ge => (format!("({end} > ? OR {inside})"), vec![high, low, high, high]),
            Prefix::Sa => (format!("{start} >= ?"), vec![high]),
            Prefix::Eb => (format!("{end} <= ?"), vec![low]),
        };
        self.push(&sql);
        self.bound.extend(values.into_iter().map(Bound::Integer));
    }

    fn quantity(&mut self, json: &str, test: &QuantityTest) {
        let number = format!("({json} ->> '$.value')");
        let (sql, values) = match test.prefix {
            Prefix::Eq => (format!("({number} >= ? AND {number} < ?)"), vec![test.low, test.high]),
            Prefix::Ne => (format!("({number} < ? OR {number} >= ?)"), vec![test.low, test.high]),
            Prefix::Lt => (format!("{number} < ?"), vec![test.number]),
            Prefix::Gt => (format!("{number} > ?"), vec![test.number]),
            Prefix::Le => (format!("{number} <= ?"), vec![test.number]),
            Prefix::Ge => (format!("{number} >= ?"), vec![test.number]),
            Prefix::Sa => (format!("{number} >= ?"), vec![test.high]),
            Prefix::Eb => (format!("{number} < ?"), vec![test.low]),
        };
        self.push(&sql);
        self.bound.extend(values.into_iter().map(Bound::Real));
        if let Some(system) = &test.system {
            self.text(&format!(" AND {json} ->> '$.system' = ?"), &[system]);
        }
        if let Some(unit) = &test.unit {
            self.text(
                &format!(" AND ({json} ->> '$.code' = ? OR {json} ->> '$.unit' = ?)"),
                &[unit, unit],
            );
        }
    }

    fn missing(&mut self, leg: &Leg, field: Field, missing: bool) {
        let json = |path: &str| {
            if leg.json.is_empty() {
                "1".to_owned()
            } else {
                format!("({} -> '{path}') IS NULL", leg.json)
            }
        };
        let column = |it: &str| {
            if it.is_empty() { "1".to_owned() } else { format!("({it}) IS NULL") }
        };
        let absent = match field {
            Field::Id | Field::LastUpdated | Field::Status => "0".to_owned(),
            Field::Subject => column(leg.patient),
            Field::Device => column(leg.device),
            Field::Effective => column(leg.effective),
            Field::Code | Field::ComboCode | Field::Category => column(leg.tokens),
            Field::ComponentCode | Field::ComponentValue => json("$.component"),
            Field::Value | Field::CodeValue => json("$.valueQuantity"),
            Field::JsonCode(path)
            | Field::JsonConcept(path)
            | Field::JsonIdentifier(path)
            | Field::JsonContact(path, _)
            | Field::JsonReference(path)
            | Field::JsonDate(path)
            | Field::JsonUri(path) => json(path),
            Field::JsonText(paths) => {
                let each: Vec<String> = paths
                    .iter()
                    .map(|it| json(it.split_once('|').map_or(it, |(path, _)| path)))
                    .collect();
                format!("({})", each.join(" AND "))
            }
            Field::Deceased => {
                format!("({} AND {})", json("$.deceasedBoolean"), json("$.deceasedDateTime"))
            }
        };
        self.push(if missing { "" } else { "NOT " });
        self.push(&format!("({absent})"));
    }
}

/// Every value below a path; the caller adds conditions on `t` and the closing bracket.
fn tree(json: &str, path: &str) -> String {
    format!("EXISTS (SELECT 1 FROM json_tree({json}, '{path}') AS t WHERE 1")
}

/// Milliseconds of the beginning and the end of a date of any precision at a path.
fn json_date(json: &str, path: &str) -> (String, String) {
    if json.is_empty() {
        return (String::new(), String::new());
    }
    let date = format!("({json} ->> '{path}')");
    let day = format!("substr({date} || '-01-01', 1, 10)");
    let step = format!(
        "CASE length({date}) WHEN 4 THEN '+1 year' WHEN 7 THEN '+1 month' ELSE '+1 day' END"
    );
    (
        format!("(CAST(strftime('%s', {day}) AS INTEGER) * 1000)"),
        format!("(CAST(strftime('%s', {day}, {step}) AS INTEGER) * 1000)"),
    )
}

/// The text with LIKE's own characters escaped.
fn like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
