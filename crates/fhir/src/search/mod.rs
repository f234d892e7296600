//! A search as FHIR R4 writes it in a query, read into types.

mod params;
mod values;

use auscult_model::Problem;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ResourceType;
pub use params::{Field, Param, ParamKind, param_named, params};
pub use values::{DateTest, Prefix, QuantityTest, ReferenceTest, Token, split_escaped};

/// Entries of a page when the caller does not say.
pub const COUNT_DEFAULT: usize = 50;
/// Entries of a page at most: about 300 kB of Observations, answered in a few milliseconds.
pub const COUNT_MAX: usize = 200;
/// Parameters of one search at most; a long form of a real client has ten.
const PARAMS_MAX: usize = 50;
/// Values joined by commas at most; each is a comparison per row.
const VALUES_MAX: usize = 100;

/// Name of our parameter that goes on where a page ended.
const PAGE: &str = "_page";

/// One search.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// What is searched.
    pub kind: ResourceType,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// In which order.
    pub sort: Sort,
    /// Entries of a page; 0 asks for the number of matches only.
    pub count: usize,
    /// Where the last page ended.
    pub after: Option<Cursor>,
    /// Whether the number of matches is wanted.
    pub total: bool,
    /// The parameters that were understood, as given, for the self link; without the page.
    pub understood: Vec<(String, String)>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// What is looked at.
    pub field: Field,
    /// What must hold.
    pub tests: Tests,
    /// `:not`: no test may hold.
    pub negate: bool,
}

/// Values of one parameter; one of them must fit.
#[derive(Debug, Clone, PartialEq)]
pub enum Tests {
    /// Codes.
    Tokens(Vec<Token>),
    /// Dates.
    Dates(Vec<DateTest>),
    /// Resources.
    References(Vec<ReferenceTest>),
    /// Texts, and how they compare.
    Texts(TextMatch, Vec<String>),
    /// Quantities.
    Quantities(Vec<QuantityTest>),
    /// A code and its quantity.
    CodeQuantities(Vec<(Token, QuantityTest)>),
    /// `:missing`.
    Missing(bool),
}

/// How texts compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextMatch {
    /// Begins with it, whatever the case.
    Start,
    /// Is it, to the letter.
    Exact,
    /// Holds it, whatever the case.
    Contains,
}

/// The order of the matches; ties go by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// What decides.
    pub by: SortBy,
    /// Largest first.
    pub descending: bool,
}

/// What decides the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// The logical id.
    Id,
    /// When it was last changed.
    LastUpdated,
    /// When an Observation was made.
    Date,
}

/// The last entry of a page. The next page begins behind it, so new entries neither repeat nor hide one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Milliseconds of what decides the order; 0 when that is the id.
    pub key: i64,
    /// Logical id.
    pub id: String,
}

impl Cursor {
    /// As it is written in a link.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{} {}", self.key, self.id))
    }

    fn decode(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (key, id) = text.split_once(' ')?;
        Some(Self { key: key.parse().ok()?, id: id.to_owned() })
    }
}

impl Search {
    /// Reads a query. What is not known is ignored, unless `strict` (`Prefer: handling=strict`).
    ///
    /// # Errors
    /// 400 when a value or modifier cannot be understood, or with `strict` a parameter; 406 when
    /// something other than JSON is asked for.
    pub fn parse(
        kind: ResourceType,
        query: &[(String, String)],
        strict: bool,
    ) -> Result<Self, Problem> {
        let by = match kind {
            ResourceType::Observation => SortBy::Date,
            _ => SortBy::Id,
        };
        let mut search = Self {
            kind,
            filters: Vec::new(),
            sort: Sort { by, descending: by == SortBy::Date },
            count: COUNT_DEFAULT,
            after: None,
            total: true,
            understood: Vec::new(),
        };
        if query.len() > PARAMS_MAX {
            let problem = Problem::new(400, "too-many-parameters", "The search is too long");
            return Err(problem.detail(format!("at most {PARAMS_MAX} parameters")));
        }
        for (name, value) in query {
            // FHIR: a parameter without a value says nothing.
            if value.is_empty() {
                continue;
            }
            if search.result_param(name, value)? || search.filter_param(name, value)? {
                if name != PAGE {
                    search.understood.push((name.clone(), value.clone()));
                }
            } else if strict {
                return Err(unknown(name));
            }
        }
        Ok(search)
    }

    /// Parameters that shape the answer; `false` when this is none.
    fn result_param(&mut self, name: &str, value: &str) -> Result<bool, Problem> {
        match name {
            "_count" => {
                let count: usize = value.parse().map_err(|_| invalid(name, "a number"))?;
                self.count = count.min(COUNT_MAX);
            }
            "_sort" => return self.sort_param(value),
            PAGE => {
                let cursor = Cursor::decode(value);
                self.after = Some(cursor.ok_or_else(|| invalid(name, "taken from a next link"))?);
            }
            "_total" => match value {
                "none" => self.total = false,
                "estimate" | "accurate" => self.total = true,
                _ => return Err(invalid(name, "none, estimate or accurate")),
            },
            "_summary" => match value {
                "count" => self.count = 0,
                "false" => {}
                _ => return Ok(false),
            },
            "_format" => match value {
                "json" | "application/json" | "text/json" | "application/fhir+json" => {}
                _ => return Err(Problem::new(406, "format", "Only JSON is spoken here")),
            },
            "_pretty" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn sort_param(&mut self, value: &str) -> Result<bool, Problem> {
        // Ties go by id, so only the first key can matter here.
        let first = value.split(',').next().unwrap_or(value);
        let (descending, key) = match first.strip_prefix('-') {
            Some(key) => (true, key),
            None => (false, first),
        };
        let by = match (key, self.kind) {
            ("_id", _) => SortBy::Id,
            ("_lastUpdated", _) => SortBy::LastUpdated,
            ("date", ResourceType::Observation) => SortBy::Date,
            _ if param_named(self.kind, key).is_some() => return Ok(false),
            _ => return Err(invalid("_sort", "a search parameter of this type")),
        };
        self.sort = Sort { by, descending };
        Ok(true)
    }

    /// Parameters that choose matches; `false` when this is none.
    fn filter_param(&mut self, name: &str, value: &str) -> Result<bool, Problem> {
        let (plain, modifier) = match name.split_once(':') {
            Some((plain, modifier)) => (plain, Some(modifier)),
            None => (name, None),
        };
        let Some(param) = param_named(self.kind, plain) else {
            return Ok(false);
        };
        self.filters.push(filter(param, modifier, value)?);
        Ok(true)
    }
}

fn filter(param: &'static Param, modifier: Option<&str>, value: &str) -> Result<Filter, Problem> {
    let field = param.field;
    if modifier == Some("missing") {
        let missing = value.parse().map_err(|_| invalid(param.name, "true or false"))?;
        return Ok(Filter { field, tests: Tests::Missing(missing), negate: false });
    }
    let values = split_escaped(value, ',');
    if values.len() > VALUES_MAX {
        return Err(invalid(param.name, "fewer values"));
    }
    let mut negate = false;
    let tests = match (param.kind, modifier) {
        (ParamKind::Token, None | Some("not")) => {
            negate = modifier.is_some();
            Tests::Tokens(each(param, &values, "a code or system|code", Token::parse)?)
        }
        (ParamKind::Date, None) => {
            Tests::Dates(each(param, &values, "a FHIR date with a known prefix", DateTest::parse)?)
        }
        (ParamKind::Reference, kind) => {
            Tests::References(each(param, &values, "an id or Type/id", |it| {
                let mut reference = ReferenceTest::parse(it)?;
                if let Some(kind) = kind {
                    let agrees = reference.kind.as_deref().is_none_or(|it| it == kind);
                    // Modifiers of references are resource types, which begin with a capital.
                    if !agrees || !kind.starts_with(char::is_uppercase) {
                        return None;
                    }
                    reference.kind = Some(kind.to_owned());
                }
                if param.name == "patient" && reference.kind.is_none() {
                    reference.kind = Some("Patient".to_owned());
                }
                Some(reference)
            })?)
        }
        (ParamKind::Text, None) => Tests::Texts(TextMatch::Start, values),
        (ParamKind::Text, Some("exact")) => Tests::Texts(TextMatch::Exact, values),
        (ParamKind::Text, Some("contains")) => Tests::Texts(TextMatch::Contains, values),
        (ParamKind::Uri, None) => Tests::Texts(TextMatch::Exact, values),
        (ParamKind::Quantity, None) => {
            Tests::Quantities(each(param, &values, "a number, or number|system|code", |it| {
                QuantityTest::parse(it)
            })?)
        }
        (ParamKind::Composite, None) => {
            Tests::CodeQuantities(each(param, &values, "code$quantity", |it| {
                let parts = split_escaped(it, '$');
                let [code, quantity] = parts.as_slice() else { return None };
                Some((Token::parse(code)?, QuantityTest::parse(quantity)?))
            })?)
        }
        (_, Some(_)) => {
            let problem = Problem::new(400, "modifier-unknown", "A modifier is not supported");
            return Err(problem.detail(format!("parameter {}", param.name)));
        }
    };
    Ok(Filter { field, tests, negate })
}

fn each<T>(
    param: &Param,
    values: &[String],
    want: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Problem> {
    values.iter().map(|it| parse(it).ok_or_else(|| invalid(param.name, want))).collect()
}

fn invalid(name: &str, want: &str) -> Problem {
    Problem::new(400, "parameter-invalid", "A search parameter cannot be understood")
        .detail(format!("{name} must be {want}"))
}

fn unknown(name: &str) -> Problem {
    /// Longest name that is told back: it comes from outside.
    const NAME_CHARS_MAX: usize = 64;
    let short: String = name.chars().take(NAME_CHARS_MAX).collect();
    Problem::new(400, "parameter-unknown", "A search parameter is not supported").detail(short)
}

#[cfg(test)]
mod tests;
