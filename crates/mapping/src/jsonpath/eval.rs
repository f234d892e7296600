//! Evaluation of a compiled JSONPath: every found value is handed on at once, nothing is collected.

use std::cell::{Cell, OnceCell};

use super::compare::{holds, matches};
use super::{Filter, JsonPath, Operator, Side, Step};
use crate::token::{Object, Token};

/// Most nodes one evaluation may visit. A megabyte of JSON has some hundred thousand; an
/// expression such as `$..*..*..*` would visit billions.
const VISITS_MAX: u32 = 5_000_000;

/// Why an expression gave no answer for a message. None of these carries a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// More than one value where one is wanted.
    #[error("the path finds more than one value")]
    Several,
    /// `[-1]`.
    #[error("a negative index is not possible here; the last element is [-1:]")]
    NegativeIndex,
    /// An index that is no number of 32 bits.
    #[error("an index is not a number of 32 bits")]
    BadIndex,
    /// A slice with step 0.
    #[error("the step of a slice cannot be 0")]
    ZeroStep,
    /// A comparison of types that have no order.
    #[error("the two sides of a comparison cannot be compared")]
    NotComparable,
    /// A regular expression that does not compile.
    #[error("the regular expression is not valid")]
    BadPattern,
    /// A regular expression that takes too long.
    #[error("the regular expression takes too long on this text")]
    PatternTooSlow,
    /// An expression that visits too many nodes.
    #[error("the expression visits too many values")]
    TooMuch,
}

/// What a path can find.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Hit<'a> {
    /// A value.
    Value(&'a Token),
    /// A member of an object, name and value as one thing, which filters on objects can select.
    Pair(&'a str, &'a Token),
}

/// The context of a calculated template: the message with one more member, `matchedToken`.
#[derive(Debug)]
pub struct Overlay<'a> {
    message: &'a Token,
    matched: &'a Token,
    whole: OnceCell<Token>,
}

/// Name of the member that holds the match.
pub const MATCHED: &str = "matchedToken";

impl<'a> Overlay<'a> {
    /// Lays `matched` over `message`, without copying either.
    #[must_use]
    pub const fn new(message: &'a Token, matched: &'a Token) -> Self {
        Self { message, matched, whole: OnceCell::new() }
    }

    /// The member of that name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&'a Token> {
        if name == MATCHED { Some(self.matched) } else { self.message.member(name) }
    }

    /// The context as one value: a copy, made the first time an expression needs it.
    #[must_use]
    pub fn whole(&self) -> &Token {
        self.whole.get_or_init(|| {
            let mut object = match self.message {
                Token::Object(object) => object.clone(),
                _ => Object::default(),
            };
            object.set(MATCHED, self.matched.clone());
            Token::Object(object)
        })
    }
}

type Outcome = Result<(), EvalError>;
type Sink<'s, 'a> = &'s mut dyn FnMut(Hit<'a>) -> Outcome;

struct Walk<'a> {
    root: Hit<'a>,
    visits: Cell<u32>,
}

impl JsonPath {
    /// Everything the path finds, in document order.
    ///
    /// # Errors
    /// See [`EvalError`].
    pub fn select<'a>(&self, root: Hit<'a>) -> Result<Vec<Hit<'a>>, EvalError> {
        let mut found = Vec::new();
        self.each(root, &mut |hit| {
            found.push(hit);
            Ok(())
        })?;
        Ok(found)
    }

    /// Hands everything the path finds to `sink`, in document order.
    ///
    /// # Errors
    /// See [`EvalError`], and whatever `sink` returns.
    pub fn each<'a>(
        &self,
        root: Hit<'a>,
        sink: &mut dyn FnMut(Hit<'a>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        Walk { root, visits: Cell::new(0) }.steps(&self.steps, root, sink)
    }

    /// The one value the path finds, or none.
    ///
    /// # Errors
    /// [`EvalError::Several`] when there is more than one, and the rest of [`EvalError`].
    pub fn find<'a>(&self, root: Hit<'a>) -> Result<Option<&'a Token>, EvalError> {
        single(root, &self.steps)
    }

    /// The same in the context of a calculated template.
    ///
    /// # Errors
    /// As [`JsonPath::find`].
    pub fn find_over<'a>(&self, over: &'a Overlay<'a>) -> Result<Option<&'a Token>, EvalError> {
        if let (false, Some((Step::Field(Some(name)), rest))) =
            (self.rooted, self.steps.split_first())
        {
            let Some(member) = over.member(name) else { return Ok(None) };
            return single(Hit::Value(member), rest);
        }
        self.find(Hit::Value(over.whole()))
    }
}

fn single<'a>(root: Hit<'a>, steps: &[Step]) -> Result<Option<&'a Token>, EvalError> {
    let mut found = None;
    let walk = Walk { root, visits: Cell::new(0) };
    walk.steps(steps, root, &mut |hit| match found {
        Some(_) => Err(EvalError::Several),
        None => {
            found = Some(hit);
            Ok(())
        }
    })?;
    Ok(match found {
        Some(Hit::Value(token)) => Some(token),
        Some(Hit::Pair(..)) | None => None,
    })
}

impl<'a> Walk<'a> {
    fn visit(&self) -> Outcome {
        let visits = self.visits.get() + 1;
        self.visits.set(visits);
        if visits > VISITS_MAX { Err(EvalError::TooMuch) } else { Ok(()) }
    }

    fn steps(&self, steps: &[Step], node: Hit<'a>, sink: Sink<'_, 'a>) -> Outcome {
        self.visit()?;
        let Some((step, rest)) = steps.split_first() else { return sink(node) };
        let mut next = |hit: Hit<'a>| self.steps(rest, hit, sink);
        let value = match node {
            Hit::Value(value) => Some(value),
            Hit::Pair(..) => None,
        };
        match step {
            Step::Root => next(self.root),
            Step::Field(Some(name)) => each(value.and_then(|it| it.member(name)), &mut next),
            Step::Field(None) => match value {
                Some(Token::Object(object)) => {
                    object.iter().try_for_each(|(_, it)| next(Hit::Value(it)))
                }
                _ => Ok(()),
            },
            Step::Fields(names) => names
                .iter()
                .try_for_each(|name| each(value.and_then(|it| it.member(name)), &mut next)),
            Step::Index(None) => match value {
                Some(Token::Array(items)) => items.iter().try_for_each(|it| next(Hit::Value(it))),
                _ => Ok(()),
            },
            Step::Index(Some(index)) => each(element(value, *index)?, &mut next),
            Step::Indexes(indexes) => {
                indexes.iter().try_for_each(|index| each(element(value, *index)?, &mut next))
            }
            Step::BadIndex => Err(EvalError::BadIndex),
            Step::Slice { start, end, step } => slice(value, *start, *end, *step, &mut next),
            Step::Scan(name) => match name {
                Some(name) => self.scan(node, &mut |it, value| {
                    if it == &**name { next(Hit::Value(value)) } else { Ok(()) }
                }),
                None => self.descend(node, &mut |hit| match hit {
                    Hit::Pair(..) if hit != node => Ok(()),
                    _ => next(hit),
                }),
            },
            Step::Scans(names) => self.scan(node, &mut |it, value| {
                if names.iter().any(|name| it == &**name) {
                    next(Hit::Value(value))
                } else {
                    Ok(())
                }
            }),
            Step::Filter(filter) => self.children(node, &mut |hit| {
                if self.holds(filter, hit)? { next(hit) } else { Ok(()) }
            }),
            Step::ScanFilter(filter) => self.descend(node, &mut |hit| {
                if self.holds(filter, hit)? { next(hit) } else { Ok(()) }
            }),
        }
    }

    fn children(&self, node: Hit<'a>, next: Sink<'_, 'a>) -> Outcome {
        match node {
            Hit::Value(Token::Array(items)) => items.iter().try_for_each(|it| next(Hit::Value(it))),
            Hit::Value(Token::Object(object)) => {
                object.iter().try_for_each(|(name, it)| next(Hit::Pair(name, it)))
            }
            Hit::Value(_) => Ok(()),
            Hit::Pair(_, value) => next(Hit::Value(value)),
        }
    }

    /// The node itself and everything below it, pairs included, parents first.
    fn descend(&self, node: Hit<'a>, next: Sink<'_, 'a>) -> Outcome {
        self.visit()?;
        next(node)?;
        match node {
            Hit::Value(Token::Array(items)) => {
                items.iter().try_for_each(|it| self.descend(Hit::Value(it), next))
            }
            Hit::Value(Token::Object(object)) => {
                object.iter().try_for_each(|(name, it)| self.descend(Hit::Pair(name, it), next))
            }
            Hit::Value(_) => Ok(()),
            Hit::Pair(_, value) => self.descend(Hit::Value(value), next),
        }
    }

    /// Every member below the node, parents first.
    fn scan(&self, node: Hit<'a>, next: &mut dyn FnMut(&'a str, &'a Token) -> Outcome) -> Outcome {
        self.visit()?;
        match node {
            Hit::Value(Token::Array(items)) => {
                items.iter().try_for_each(|it| self.scan(Hit::Value(it), next))
            }
            Hit::Value(Token::Object(object)) => object.iter().try_for_each(|(name, it)| {
                next(name, it)?;
                self.scan(Hit::Value(it), next)
            }),
            Hit::Value(_) => Ok(()),
            Hit::Pair(_, value) => self.scan(Hit::Value(value), next),
        }
    }

    fn holds(&self, filter: &Filter, node: Hit<'a>) -> Result<bool, EvalError> {
        match filter {
            Filter::All(members) => {
                for member in members {
                    if !self.holds(member, node)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Filter::Any(members) => {
                for member in members {
                    if self.holds(member, node)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            // The commonest filter of all: a member exists.
            Filter::Exists(Side::Path(path)) => match (path.as_slice(), node) {
                ([Step::Field(Some(name))], Hit::Value(value)) => Ok(value.member(name).is_some()),
                ([Step::Field(Some(_))], Hit::Pair(..)) => Ok(false),
                _ => self.any(path, node, &mut |_| Ok(true)),
            },
            Filter::Exists(Side::Value(_) | Side::Pattern(_)) => Ok(true),
            Filter::Compare(left, operator, right) => match left {
                Side::Path(path) => {
                    self.any(path, node, &mut |left| self.any_right(left, *operator, right, node))
                }
                Side::Value(value) => self.any_right(Hit::Value(value), *operator, right, node),
                Side::Pattern(pattern) => {
                    let value = Token::Text(pattern.literal.clone());
                    self.any_right(Hit::Value(&value), *operator, right, node)
                }
            },
        }
    }

    fn any_right(
        &self,
        left: Hit<'_>,
        operator: Operator,
        right: &Side,
        node: Hit<'a>,
    ) -> Result<bool, EvalError> {
        match right {
            Side::Path(path) => self.any(path, node, &mut |right| compared(left, operator, right)),
            Side::Value(value) => compared(left, operator, Hit::Value(value)),
            Side::Pattern(pattern) if operator == Operator::Match => match left {
                Hit::Value(left) => matches(left, pattern),
                Hit::Pair(..) => Ok(false),
            },
            Side::Pattern(pattern) => {
                let value = Token::Text(pattern.literal.clone());
                compared(left, operator, Hit::Value(&value))
            }
        }
    }

    /// Whether the path finds, from this node, anything the test accepts.
    fn any(
        &self,
        path: &[Step],
        node: Hit<'a>,
        test: &mut dyn FnMut(Hit<'a>) -> Result<bool, EvalError>,
    ) -> Result<bool, EvalError> {
        if let ([Step::Field(Some(name))], Hit::Value(value)) = (path, node) {
            return value.member(name).map_or(Ok(false), |it| test(Hit::Value(it)));
        }
        let mut accepted = false;
        self.steps(path, node, &mut |hit| {
            if !accepted {
                accepted = test(hit)?;
            }
            Ok(())
        })?;
        Ok(accepted)
    }
}

fn compared(left: Hit<'_>, operator: Operator, right: Hit<'_>) -> Result<bool, EvalError> {
    match (left, right) {
        (Hit::Value(left), Hit::Value(right)) => holds(left, operator, right),
        _ => Ok(operator == Operator::NotEqual),
    }
}

fn each<'a>(found: Option<&'a Token>, next: Sink<'_, 'a>) -> Outcome {
    found.map_or(Ok(()), |it| next(Hit::Value(it)))
}

fn element(value: Option<&Token>, index: i32) -> Result<Option<&Token>, EvalError> {
    let Some(Token::Array(items)) = value else { return Ok(None) };
    let Ok(index) = usize::try_from(index) else { return Err(EvalError::NegativeIndex) };
    Ok(items.get(index))
}

fn slice<'a>(
    value: Option<&'a Token>,
    start: Option<i32>,
    end: Option<i32>,
    step: Option<i32>,
    next: Sink<'_, 'a>,
) -> Outcome {
    let step = i64::from(step.unwrap_or(1));
    if step == 0 {
        return Err(EvalError::ZeroStep);
    }
    let Some(Token::Array(items)) = value else { return Ok(()) };
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let from_end = |it: i32| if it < 0 { count + i64::from(it) } else { i64::from(it) };
    let forward = step > 0;
    let start = start.map_or(if forward { 0 } else { count - 1 }, from_end);
    let start = if forward { start.clamp(0, count) } else { start.min(count - 1) };
    let end = end.map_or(if forward { count } else { -1 }, from_end).clamp(-1, count);
    let mut at = start;
    while if forward { at < end } else { at > end } {
        if let Some(item) = usize::try_from(at).ok().and_then(|at| items.get(at)) {
            next(Hit::Value(item))?;
        }
        at += step;
    }
    Ok(())
}
