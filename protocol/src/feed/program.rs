//! A compiled expression: a flat list of operations that goes forward only, and what it makes of a row.
//!
//! Each operation runs at most once, and none allocates: the time of a run is bounded by the length of the list.

use super::error::{RunError, SourceError};
use super::function::Function;
use super::number;
use super::scope::Scope;
use super::value::{Shape, Value};
use super::{compiler, function};
use crate::limits::FEED_NODES_MAX;

/// One step. A target is the index of the operation to go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Int(i64),
    Bool(bool),
    /// A text or list that the source spells out.
    Literal(u16),
    /// A field of the row.
    Load(u16),
    Negate,
    Not,
    Infix(Infix),
    /// Goes on at `to` if the top is that truth value.
    SkipIf {
        is: bool,
        to: u16,
    },
    And,
    Or,
    /// Takes a truth value: true goes on, false goes to `other`, an error stays and goes to `end`.
    Branch {
        other: u16,
        end: u16,
    },
    Jump(u16),
    Call(Function, u8),
}

/// An operator between two operands, the logical ones apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Infix {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

/// A value while a program runs; texts and lists stay where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand<'a> {
    Int(i64),
    Bool(bool),
    Text(&'a str),
    Ints(&'a [i64]),
    Texts(&'a [Box<str>]),
    Failed(RunError),
}

impl<'a> Operand<'a> {
    /// What stands where a row does not fit the scope.
    pub(super) const UNFIT: Operand<'static> = Operand::Failed(RunError::UnfitRow);

    fn of(value: &'a Value) -> Self {
        match value {
            Value::Int(number) => Self::Int(*number),
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Text(text) => Self::Text(text),
            Value::Ints(items) => Self::Ints(items),
            Value::Texts(items) => Self::Texts(items),
        }
    }

    /// A number, unless it overflowed.
    pub(super) fn checked(number: Option<i64>) -> Self {
        number.map_or(Self::Failed(RunError::Overflow), Self::Int)
    }

    /// How many there are of something.
    pub(super) fn count(count: usize) -> Self {
        Self::checked(i64::try_from(count).ok())
    }
}

impl From<Result<i64, RunError>> for Operand<'_> {
    fn from(result: Result<i64, RunError>) -> Self {
        result.map_or_else(Self::Failed, Self::Int)
    }
}

/// An expression of the feed language, checked and compiled for the rows of one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub(super) operations: Vec<Operation>,
    pub(super) literals: Vec<Value>,
    pub(super) shape: Shape,
    pub(super) cost: u64,
    pub(super) operands_max: usize,
    pub(super) reads: Vec<u16>,
}

impl Program {
    /// Checks and compiles a source for the rows of `scope`. Takes time and memory by the limits of `FEED-1`, not by
    /// what the source says.
    pub fn compile(source: &str, scope: &Scope) -> Result<Self, SourceError> {
        compiler::compile(source, scope)
    }

    /// The type and bounds of its value.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The most that a run can cost (`FEED-11`).
    pub fn cost(&self) -> u64 {
        self.cost
    }

    /// The places in the row that it reads, ascending.
    pub fn reads(&self) -> &[u16] {
        &self.reads
    }

    /// The number that it makes of a row; of a truth value 1 or 0.
    pub fn number(&self, row: &[Value]) -> Result<i64, RunError> {
        match self.operand(row) {
            Operand::Int(number) => Ok(number),
            Operand::Bool(truth) => Ok(i64::from(truth)),
            Operand::Failed(error) => Err(error),
            _ => Err(RunError::UnfitRow),
        }
    }

    /// Its value for a row.
    pub fn value(&self, row: &[Value]) -> Result<Value, RunError> {
        Ok(match self.operand(row) {
            Operand::Int(number) => Value::Int(number),
            Operand::Bool(truth) => Value::Bool(truth),
            Operand::Text(text) => Value::Text(text.into()),
            Operand::Ints(items) => Value::Ints(items.into()),
            Operand::Texts(items) => Value::Texts(items.into()),
            Operand::Failed(error) => return Err(error),
        })
    }

    fn operand<'a>(&'a self, row: &'a [Value]) -> Operand<'a> {
        // Room for the operands is on the stack, and cleared first: most programs need little.
        match self.operands_max {
            0..=8 => self.run(row, &mut [Operand::UNFIT; 8]),
            9..=32 => self.run(row, &mut [Operand::UNFIT; 32]),
            _ => self.run(row, &mut [Operand::UNFIT; FEED_NODES_MAX]),
        }
    }

    fn run<'a>(&'a self, row: &'a [Value], operands: &mut [Operand<'a>]) -> Operand<'a> {
        let mut stack = Stack { operands, height: 0 };
        let mut at = 0;
        while let Some(operation) = self.operations.get(at) {
            at += 1;
            match *operation {
                Operation::Int(number) => stack.push(Operand::Int(number)),
                Operation::Bool(truth) => stack.push(Operand::Bool(truth)),
                Operation::Literal(place) => stack.push(load(&self.literals, place)),
                Operation::Load(place) => stack.push(load(row, place)),
                Operation::Negate => {
                    let value = match stack.pop() {
                        Operand::Int(number) => Operand::checked(number.checked_neg()),
                        other => failed(other),
                    };
                    stack.push(value);
                }
                Operation::Not => {
                    let value = match stack.pop() {
                        Operand::Bool(truth) => Operand::Bool(!truth),
                        other => failed(other),
                    };
                    stack.push(value);
                }
                Operation::Infix(infix) => {
                    let right = stack.pop();
                    let left = stack.pop();
                    stack.push(apply(infix, left, right));
                }
                Operation::SkipIf { is, to } => {
                    if stack.top() == Operand::Bool(is) {
                        at = at.max(usize::from(to));
                    }
                }
                Operation::And => {
                    let right = stack.pop();
                    let left = stack.pop();
                    stack.push(join(left, right, false));
                }
                Operation::Or => {
                    let right = stack.pop();
                    let left = stack.pop();
                    stack.push(join(left, right, true));
                }
                Operation::Branch { other, end } => match stack.pop() {
                    Operand::Bool(true) => {}
                    Operand::Bool(false) => at = at.max(usize::from(other)),
                    wrong => {
                        stack.push(failed(wrong));
                        at = at.max(usize::from(end));
                    }
                },
                Operation::Jump(to) => at = at.max(usize::from(to)),
                Operation::Call(function, count) => stack.call(function, usize::from(count)),
            }
        }
        stack.pop()
    }
}

/// The operands of a run. Never fails: what is not there is unfit.
struct Stack<'s, 'a> {
    operands: &'s mut [Operand<'a>],
    height: usize,
}

impl<'a> Stack<'_, 'a> {
    fn push(&mut self, operand: Operand<'a>) {
        if let Some(place) = self.operands.get_mut(self.height) {
            *place = operand;
            self.height += 1;
        }
    }

    fn pop(&mut self) -> Operand<'a> {
        self.height = self.height.saturating_sub(1);
        self.operands.get(self.height).copied().unwrap_or(Operand::UNFIT)
    }

    fn top(&self) -> Operand<'a> {
        self.height.checked_sub(1).and_then(|top| self.operands.get(top)).copied().unwrap_or(Operand::UNFIT)
    }

    /// Puts the value of a function in the place of its arguments; the first failed one stands for it.
    fn call(&mut self, function: Function, count: usize) {
        let count = count.min(function::ARGUMENTS_MAX).min(self.height);
        let from = self.height - count;
        let arguments = &self.operands[from..self.height];
        let failed = arguments.iter().find(|argument| matches!(argument, Operand::Failed(_)));
        let value = failed.copied().unwrap_or_else(|| function.apply(arguments));
        self.height = from;
        self.push(value);
    }
}

fn load(values: &[Value], place: u16) -> Operand<'_> {
    values.get(usize::from(place)).map_or(Operand::UNFIT, Operand::of)
}

/// An error goes on as it is; what is no error has the wrong type.
fn failed(operand: Operand<'_>) -> Operand<'_> {
    if let Operand::Failed(_) = operand { operand } else { Operand::UNFIT }
}

/// `&&` and `||` (`FEED-6`): what decides alone wins over an error on the other side.
fn join<'a>(left: Operand<'a>, right: Operand<'a>, deciding: bool) -> Operand<'a> {
    match (left, right) {
        (Operand::Bool(truth), _) | (_, Operand::Bool(truth)) if truth == deciding => Operand::Bool(deciding),
        (Operand::Bool(_), Operand::Bool(_)) => Operand::Bool(!deciding),
        (Operand::Bool(_), other) | (other, _) => failed(other),
    }
}

fn apply<'a>(infix: Infix, left: Operand<'a>, right: Operand<'a>) -> Operand<'a> {
    use Operand::{Bool, Failed, Int, Ints, Text, Texts};
    match (left, right) {
        (Failed(error), _) | (_, Failed(error)) => Failed(error),
        (Int(left), Int(right)) => match infix {
            Infix::Add => Operand::checked(left.checked_add(right)),
            Infix::Subtract => Operand::checked(left.checked_sub(right)),
            Infix::Multiply => Operand::checked(left.checked_mul(right)),
            Infix::Divide => number::divide(left, right).into(),
            Infix::Remainder => number::remainder(left, right).into(),
            _ => compare(infix, &left, &right),
        },
        (Text(left), Text(right)) => compare(infix, left, right),
        (Bool(left), Bool(right)) => compare(infix, &left, &right),
        (Int(item), Ints(items)) => Bool(items.contains(&item)),
        (Text(item), Texts(items)) => Bool(items.iter().any(|text| **text == *item)),
        _ => Operand::UNFIT,
    }
}

/// A comparison of two values of one type (`FEED-7`).
fn compare<'a, T: Ord + ?Sized>(infix: Infix, left: &T, right: &T) -> Operand<'a> {
    Operand::Bool(match infix {
        Infix::Equal => left == right,
        Infix::Unequal => left != right,
        Infix::Less => left < right,
        Infix::LessOrEqual => left <= right,
        Infix::Greater => left > right,
        Infix::GreaterOrEqual => left >= right,
        _ => return Operand::UNFIT,
    })
}
