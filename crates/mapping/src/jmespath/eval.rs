//! Evaluation of a compiled JMESPath. Parts of the message are borrowed; only what an expression
//! makes is new.

use std::borrow::Cow;
use std::cell::Cell;

use super::functions::{self, Function, FunctionError};
use super::{Comparator, Elements, JmesPath, Node};
use crate::jsonpath::Overlay;
use crate::token::{Object, Token};

/// Most nodes one evaluation may visit, against expressions that multiply projections.
const VISITS_MAX: u32 = 2_000_000;

/// Why an expression gave no answer for a message. None of these carries a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JmesError {
    /// A projection of several elements where one value is wanted.
    #[error("the expression finds more than one value; pipe it into [0] to take the first")]
    Several,
    /// A slice with step 0.
    #[error("the step of a slice cannot be 0")]
    ZeroStep,
    /// An expression that visits too many nodes.
    #[error("the expression visits too many values")]
    TooMuch,
    /// A function failed, which is an error even where the value is optional.
    #[error("{function}: {error}")]
    Function {
        /// Name of the function.
        function: &'static str,
        /// Why.
        error: FunctionError,
    },
}

/// What an expression found, as a type match sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    /// Null.
    Nothing,
    /// One value, also when that is an array or `false`.
    One(Cow<'a, Token>),
    /// The elements of a projection.
    Projected(Vec<Cow<'a, Token>>),
}

#[derive(Clone, Copy)]
enum Current<'a> {
    Token(&'a Token),
    Over(&'a Overlay<'a>),
}

pub(super) type Value<'a> = Cow<'a, Token>;
type Evaluated<'a> = Result<Value<'a>, JmesError>;

const NULL: Token = Token::Null;

pub(super) struct Evaluation {
    visits: Cell<u32>,
}

impl JmesPath {
    /// What the expression finds in a value.
    ///
    /// # Errors
    /// See [`JmesError`].
    pub fn search<'a>(&'a self, root: &'a Token) -> Result<Found<'a>, JmesError> {
        Evaluation { visits: Cell::new(0) }.found(&self.root, Current::Token(root))
    }

    /// The one value the expression finds, or none. A projection gives an array of at most one.
    ///
    /// # Errors
    /// See [`JmesError`].
    pub fn find<'a>(&'a self, root: &'a Token) -> Result<Option<Cow<'a, Token>>, JmesError> {
        single(self.search(root)?)
    }

    /// The same in the context of a calculated template.
    ///
    /// # Errors
    /// See [`JmesError`].
    pub fn find_over<'a>(
        &'a self,
        over: &'a Overlay<'a>,
    ) -> Result<Option<Cow<'a, Token>>, JmesError> {
        single(Evaluation { visits: Cell::new(0) }.found(&self.root, Current::Over(over))?)
    }
}

fn single(found: Found<'_>) -> Result<Option<Cow<'_, Token>>, JmesError> {
    match found {
        Found::Nothing => Ok(None),
        Found::One(token) => Ok(Some(token)),
        Found::Projected(items) if items.len() > 1 => Err(JmesError::Several),
        Found::Projected(items) => Ok(Some(Cow::Owned(collected(items)))),
    }
}

fn collected(items: Vec<Value<'_>>) -> Token {
    Token::Array(items.into_iter().map(Cow::into_owned).collect())
}

/// Whether a value counts as true: all but null, false and what is empty.
pub(super) fn truthy(token: &Token) -> bool {
    match token {
        Token::Null | Token::Bool(false) => false,
        Token::Text(it) => !it.is_empty(),
        Token::Array(it) => !it.is_empty(),
        Token::Object(it) => !it.is_empty(),
        _ => true,
    }
}

/// Applies `next` to a value that may be borrowed for long or owned for now.
fn then<'a>(value: Value<'a>, next: impl for<'b> Fn(&'b Token) -> Evaluated<'b>) -> Evaluated<'a> {
    match value {
        Cow::Borrowed(token) => next(token),
        Cow::Owned(token) => next(&token).map(|it| Cow::Owned(it.into_owned())),
    }
}

impl Evaluation {
    fn visit(&self) -> Result<(), JmesError> {
        let visits = self.visits.get() + 1;
        self.visits.set(visits);
        if visits > VISITS_MAX { Err(JmesError::TooMuch) } else { Ok(()) }
    }

    fn found<'a>(&self, node: &'a Node, current: Current<'a>) -> Result<Found<'a>, JmesError> {
        match node {
            Node::Project(left, elements, right) => Ok(self
                .project(left, elements, right, current)?
                .map_or(Found::Nothing, Found::Projected)),
            Node::Then(left, right) | Node::Pipe(left, right) => {
                let left = self.eval(left, current)?;
                if *left == Token::Null && matches!(node, Node::Then(..)) {
                    return Ok(Found::Nothing);
                }
                match left {
                    Cow::Borrowed(token) => self.found(right, Current::Token(token)),
                    Cow::Owned(token) => Ok(match self.found(right, Current::Token(&token))? {
                        Found::Nothing => Found::Nothing,
                        Found::One(it) => Found::One(Cow::Owned(it.into_owned())),
                        Found::Projected(items) => Found::Projected(
                            items.into_iter().map(|it| Cow::Owned(it.into_owned())).collect(),
                        ),
                    }),
                }
            }
            Node::Or(left, right) => {
                let found = self.found(left, current)?;
                let holds = match &found {
                    Found::Nothing => false,
                    Found::One(token) => truthy(token),
                    Found::Projected(items) => !items.is_empty(),
                };
                if holds { Ok(found) } else { self.found(right, current) }
            }
            _ => {
                let token = self.eval(node, current)?;
                Ok(if *token == Token::Null { Found::Nothing } else { Found::One(token) })
            }
        }
    }

    pub(super) fn eval_on<'a>(&self, node: &'a Node, token: &'a Token) -> Evaluated<'a> {
        self.eval(node, Current::Token(token))
    }

    fn eval<'a>(&self, node: &'a Node, current: Current<'a>) -> Evaluated<'a> {
        self.visit()?;
        match node {
            Node::Field(name) => Ok(Cow::Borrowed(
                match current {
                    Current::Token(token) => token.member(name),
                    Current::Over(over) => over.member(name),
                }
                .unwrap_or(&NULL),
            )),
            Node::Current => Ok(Cow::Borrowed(whole(current))),
            Node::Literal(token) => Ok(Cow::Borrowed(token)),
            Node::Index(index) => Ok(Cow::Borrowed(element(whole(current), *index))),
            Node::Then(left, right) | Node::Pipe(left, right) => {
                let left = self.eval(left, current)?;
                if *left == Token::Null && matches!(node, Node::Then(..)) {
                    return Ok(left);
                }
                match left {
                    Cow::Borrowed(token) => self.eval_on(right, token),
                    Cow::Owned(token) => {
                        self.eval_on(right, &token).map(|it| Cow::Owned(it.into_owned()))
                    }
                }
            }
            Node::Project(left, elements, right) => Ok(self
                .project(left, elements, right, current)?
                .map_or(Cow::Borrowed(&NULL), |items| Cow::Owned(collected(items)))),
            Node::Or(left, right) => {
                let left = self.eval(left, current)?;
                if truthy(&left) { Ok(left) } else { self.eval(right, current) }
            }
            Node::And(left, right) => {
                let left = self.eval(left, current)?;
                if truthy(&left) { self.eval(right, current) } else { Ok(left) }
            }
            Node::Not(inner) => {
                let inner = self.eval(inner, current)?;
                Ok(Cow::Owned(Token::Bool(!truthy(&inner))))
            }
            Node::Compare(left, comparator, right) => {
                let left = self.eval(left, current)?;
                let right = self.eval(right, current)?;
                Ok(Cow::Owned(compare(&left, *comparator, &right)))
            }
            Node::List(_) | Node::Hash(_) if is_null(current) => Ok(Cow::Borrowed(&NULL)),
            Node::List(items) => {
                let items = items.iter().map(|it| self.eval(it, current));
                Ok(Cow::Owned(collected(items.collect::<Result<_, _>>()?)))
            }
            Node::Hash(members) => {
                let mut object = Object::default();
                for (name, member) in members {
                    object.set(name, self.eval(member, current)?.into_owned());
                }
                Ok(Cow::Owned(Token::Object(object)))
            }
            Node::Call(function, arguments) => self.call(*function, arguments, current),
            Node::Reference(_) => Err(JmesError::Function {
                function: "&",
                error: FunctionError::Argument("an expression where a value should be"),
            }),
        }
    }

    fn call<'a>(
        &self,
        function: Function,
        arguments: &'a [Node],
        current: Current<'a>,
    ) -> Evaluated<'a> {
        let failed = |error| JmesError::Function { function: function.name(), error };
        if let Some(expression_at) = function.expression_argument() {
            let array_at = 1 - expression_at;
            let (Some(Node::Reference(expression)), Some(array)) =
                (arguments.get(expression_at), arguments.get(array_at))
            else {
                return Err(failed(FunctionError::Argument(
                    "an expression such as &name is wanted",
                )));
            };
            let array = self.eval(array, current)?;
            return then_by(self, function, expression, array);
        }
        let values = arguments.iter().map(|it| self.eval(it, current));
        let values: Vec<Value<'a>> = values.collect::<Result<_, _>>()?;
        functions::call(function, values).map_err(failed)
    }

    /// The elements of a projection, null ones left out; none when there is nothing to go over.
    fn project<'a>(
        &self,
        left: &'a Node,
        elements: &'a Elements,
        right: &'a Node,
        current: Current<'a>,
    ) -> Result<Option<Vec<Value<'a>>>, JmesError> {
        match self.eval(left, current)? {
            Cow::Borrowed(token) => self.project_on(token, elements, right),
            Cow::Owned(token) => Ok(self
                .project_on(&token, elements, right)?
                .map(|items| items.into_iter().map(|it| Cow::Owned(it.into_owned())).collect())),
        }
    }

    fn project_on<'a>(
        &self,
        token: &'a Token,
        elements: &'a Elements,
        right: &'a Node,
    ) -> Result<Option<Vec<Value<'a>>>, JmesError> {
        let mut items: Vec<&'a Token> = Vec::new();
        match (elements, token) {
            (Elements::Values, Token::Object(object)) => items.extend(object.iter().map(|it| it.1)),
            (Elements::Items, Token::Array(array)) => items.extend(array),
            (Elements::Flattened, Token::Array(array)) => {
                for item in array {
                    match item {
                        Token::Array(inner) => items.extend(inner),
                        _ => items.push(item),
                    }
                }
            }
            (Elements::Slice(bounds), Token::Array(array)) => slice(array, *bounds, &mut items)?,
            (Elements::Where(condition), Token::Array(array)) => {
                for item in array {
                    if truthy(&*self.eval_on(condition, item)?) {
                        items.push(item);
                    }
                }
            }
            _ => return Ok(None),
        }
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            let value = self.eval_on(right, item)?;
            if *value != Token::Null {
                found.push(value);
            }
        }
        Ok(Some(found))
    }
}

fn then_by<'a>(
    evaluation: &Evaluation,
    function: Function,
    expression: &'a Node,
    array: Value<'a>,
) -> Evaluated<'a> {
    then(array, |array| {
        let Token::Array(items) = array else {
            return Err(JmesError::Function {
                function: function.name(),
                error: FunctionError::Argument("an array is wanted"),
            });
        };
        let keys = items.iter().map(|it| evaluation.eval_on(expression, it).map(Cow::into_owned));
        let keys: Vec<Token> = keys.collect::<Result<_, _>>()?;
        functions::by_key(function, items, keys)
            .map(Cow::Owned)
            .map_err(|error| JmesError::Function { function: function.name(), error })
    })
}

fn whole<'a>(current: Current<'a>) -> &'a Token {
    match current {
        Current::Token(token) => token,
        Current::Over(over) => over.whole(),
    }
}

fn is_null(current: Current<'_>) -> bool {
    matches!(current, Current::Token(Token::Null))
}

fn element(token: &Token, index: i64) -> &Token {
    let Token::Array(items) = token else { return &NULL };
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let at = if index < 0 { index.saturating_add(count) } else { index };
    usize::try_from(at).ok().and_then(|at| items.get(at)).unwrap_or(&NULL)
}

fn slice<'a>(
    items: &'a [Token],
    [start, end, step]: [Option<i64>; 3],
    found: &mut Vec<&'a Token>,
) -> Result<(), JmesError> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(JmesError::ZeroStep);
    }
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let (low, high) = if step > 0 { (0, count) } else { (-1, count - 1) };
    let bound = |it: i64| (if it < 0 { it.saturating_add(count) } else { it }).clamp(low, high);
    let mut at = start.map_or(if step > 0 { low } else { high }, bound);
    let end = end.map_or(if step > 0 { high } else { low }, bound);
    while if step > 0 { at < end } else { at > end } {
        found.extend(usize::try_from(at).ok().and_then(|at| items.get(at)));
        at = at.saturating_add(step);
    }
    Ok(())
}

fn compare(left: &Token, comparator: Comparator, right: &Token) -> Token {
    match comparator {
        Comparator::Equal => return Token::Bool(left == right),
        Comparator::NotEqual => return Token::Bool(left != right),
        _ => {}
    }
    let Some(order) = functions::number_order(left, right) else { return Token::Null };
    Token::Bool(match comparator {
        Comparator::Less => order.is_lt(),
        Comparator::LessOrEqual => order.is_le(),
        Comparator::Greater => order.is_gt(),
        _ => order.is_ge(),
    })
}
