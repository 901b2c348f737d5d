//! From source to program in one pass (`FEED-3`): reads the grammar by descent, checks types, counts nodes, depth and
//! cost on the way, and puts out operations. There is no tree in between, so nothing grows that was not counted.

use super::error::SourceError;
use super::function::{ARGUMENTS_MAX, Call, Function, lines};
use super::lexer::{Lexer, Token};
use super::program::{Infix, Operation, Program};
use super::scope::Scope;
use super::value::{Shape, Type, Value};
use crate::limits::{FEED_COST_MAX, FEED_DEPTH_MAX, FEED_NODES_MAX, FEED_SOURCE_BYTES_MAX};

/// Checks and compiles a source.
pub(super) fn compile(source: &str, scope: &Scope) -> Result<Program, SourceError> {
    if source.len() > FEED_SOURCE_BYTES_MAX {
        return Err(SourceError::TooLong { bytes: source.len() });
    }
    let mut lexer = Lexer::new(source);
    let (at, token) = lexer.next()?;
    let program = Program {
        operations: Vec::new(),
        literals: Vec::new(),
        shape: Shape::INT,
        cost: 0,
        operands_max: 0,
        reads: Vec::new(),
    };
    let mut compiler = Compiler { lexer, at, token, scope, program, nodes: 0, depth: 0, operands: 0 };
    let shape = compiler.expression()?;
    if compiler.token != Token::End {
        return Err(compiler.unexpected("an operator or the end"));
    }
    let mut program = compiler.program;
    if program.cost > FEED_COST_MAX {
        return Err(SourceError::TooCostly { cost: program.cost });
    }
    program.shape = shape;
    program.reads.sort_unstable();
    program.reads.dedup();
    Ok(program)
}

/// Operators of one precedence.
type Infixes = &'static [(&'static str, Infix)];

const RELATIONS: Infixes = &[
    ("<", Infix::Less),
    ("<=", Infix::LessOrEqual),
    (">=", Infix::GreaterOrEqual),
    (">", Infix::Greater),
    ("==", Infix::Equal),
    ("!=", Infix::Unequal),
    ("in", Infix::In),
];
const SUMS: Infixes = &[("+", Infix::Add), ("-", Infix::Subtract)];
const PRODUCTS: Infixes = &[("*", Infix::Multiply), ("/", Infix::Divide), ("%", Infix::Remainder)];

struct Compiler<'s> {
    lexer: Lexer<'s>,
    /// The token that is looked at, and where it begins.
    at: usize,
    token: Token<'s>,
    scope: &'s Scope,
    program: Program,
    nodes: usize,
    depth: usize,
    /// Operands that lie on the stack where the program is now.
    operands: usize,
}

impl<'s> Compiler<'s> {
    /// `expression = or ["?" or ":" expression]`
    fn expression(&mut self) -> Result<Shape, SourceError> {
        self.depth += 1;
        if self.depth > FEED_DEPTH_MAX {
            return Err(SourceError::TooDeep { at: self.at });
        }
        let shape = self.logical(true)?;
        let shape = if self.is_at("?") { self.conditional(shape)? } else { shape };
        self.depth -= 1;
        Ok(shape)
    }

    fn conditional(&mut self, condition: Shape) -> Result<Shape, SourceError> {
        let at = self.at;
        self.want(at, condition, Type::Bool, "bool")?;
        self.node(0)?;
        self.advance()?;
        let branch = self.put(Operation::Branch { other: 0, end: 0 }, 1, 0);
        let then = self.logical(true)?;
        self.expect(":")?;
        let jump = self.put(Operation::Jump(0), 1, 0);
        let other = self.here();
        let otherwise = self.expression()?;
        let end = self.here();
        self.program.operations[branch] = Operation::Branch { other, end };
        self.program.operations[jump] = Operation::Jump(end);
        if then.of != otherwise.of {
            return Err(SourceError::WrongType { at, wanted: "the same type on both sides", found: otherwise.of });
        }
        Ok(then.either(otherwise))
    }

    /// `or = and {"||" and}`, and with `is_or` false `and = relation {"&&" relation}`.
    fn logical(&mut self, is_or: bool) -> Result<Shape, SourceError> {
        let (sign, operation) = if is_or { ("||", Operation::Or) } else { ("&&", Operation::And) };
        let operand = |compiler: &mut Self| if is_or { compiler.logical(false) } else { compiler.infix(0) };
        let shape = operand(self)?;
        while self.is_at(sign) {
            let at = self.at;
            self.want(at, shape, Type::Bool, "bool")?;
            self.node(0)?;
            self.advance()?;
            let skip = self.put(Operation::SkipIf { is: is_or, to: 0 }, 0, 0);
            let right = operand(self)?;
            self.want(at, right, Type::Bool, "bool")?;
            self.put(operation, 2, 1);
            self.program.operations[skip] = Operation::SkipIf { is: is_or, to: self.here() };
        }
        Ok(shape)
    }

    /// `relation = sum {relop sum}`, `sum = product {("+" | "-") product}`, `product = unary {("*" | "/" | "%") unary}`.
    fn infix(&mut self, level: usize) -> Result<Shape, SourceError> {
        let Some(infixes) = [RELATIONS, SUMS, PRODUCTS].get(level) else { return self.unary() };
        let mut left = self.infix(level + 1)?;
        while let Some((_, infix)) = infixes.iter().find(|(sign, _)| self.is_at(sign)) {
            let at = self.at;
            self.advance()?;
            let right = self.infix(level + 1)?;
            let (shape, extra) = check_infix(*infix, left, right, at)?;
            self.node(extra)?;
            self.put(Operation::Infix(*infix), 2, 1);
            left = shape;
        }
        Ok(left)
    }

    /// `unary = member | "!" {"!"} member | "-" {"-"} member`; the last `-` before a number belongs to it.
    fn unary(&mut self) -> Result<Shape, SourceError> {
        let at = self.at;
        let (sign, of, wanted, operation) = match self.token {
            Token::Sign("!") => ("!", Type::Bool, "bool", Operation::Not),
            Token::Sign("-") => ("-", Type::Int, "int", Operation::Negate),
            _ => return self.member(false),
        };
        let mut count = 0;
        while self.is_at(sign) {
            self.node(0)?;
            self.advance()?;
            count += 1;
        }
        let is_number = sign == "-" && matches!(self.token, Token::Number(_));
        let shape = self.member(is_number)?;
        self.want(at, shape, of, wanted)?;
        for _ in usize::from(is_number)..count {
            self.put(operation, 1, 1);
        }
        Ok(shape)
    }

    /// `member = primary {"." name "(" [arguments] ")"}`
    fn member(&mut self, is_negative: bool) -> Result<Shape, SourceError> {
        let mut shape = self.primary(is_negative)?;
        while self.is_at(".") {
            self.advance()?;
            let at = self.at;
            let name = self.name("the name of a function")?;
            shape = self.call(at, Call::Member, name, Some(shape))?;
        }
        Ok(shape)
    }

    fn primary(&mut self, is_negative: bool) -> Result<Shape, SourceError> {
        let at = self.at;
        match std::mem::replace(&mut self.token, Token::End) {
            Token::Number(magnitude) => {
                let number = signed(magnitude, is_negative);
                let number = number.ok_or(SourceError::Token { at, what: "a number beyond 64 bits" })?;
                self.advance()?;
                self.node(0)?;
                self.put(Operation::Int(number), 0, 1);
                Ok(Shape::INT)
            }
            Token::Text(text) => {
                self.advance()?;
                self.literal(Value::Text(text))
            }
            Token::Sign(word @ ("true" | "false")) => {
                self.advance()?;
                self.node(0)?;
                self.put(Operation::Bool(word == "true"), 0, 1);
                Ok(Shape::BOOL)
            }
            Token::Sign("(") => {
                self.advance()?;
                let shape = self.expression()?;
                self.expect(")")?;
                Ok(shape)
            }
            Token::Sign("[") => {
                self.advance()?;
                self.list()
            }
            Token::Name(name) => {
                self.advance()?;
                self.named(at, name)
            }
            _ => Err(SourceError::Unexpected { at, wanted: "a value" }),
        }
    }

    /// A field, a function, or a function on sets.
    fn named(&mut self, at: usize, name: &'s str) -> Result<Shape, SourceError> {
        if self.is_at("(") {
            return self.call(at, Call::Plain, name, None);
        }
        self.expect(".")?;
        let field = self.name("the name of a field")?;
        if self.is_at("(") {
            if name == "sets" {
                return self.call(at, Call::Sets, field, None);
            }
            return Err(SourceError::Unexpected { at, wanted: "a value, which a record is not" });
        }
        let Some((place, shape)) = self.scope.find(name, field) else {
            return Err(SourceError::UnknownField { at, name: format!("{name}.{field}") });
        };
        self.node(0)?;
        self.put(Operation::Load(place), 0, 1);
        self.program.reads.push(place);
        Ok(shape)
    }

    /// `"(" [expression {"," expression}] ")"`, and the call of the function with these arguments.
    fn call(&mut self, at: usize, call: Call, name: &str, receiver: Option<Shape>) -> Result<Shape, SourceError> {
        let unknown = || SourceError::NoFunction { at, name: name.to_owned() };
        let mut arguments = [Shape::INT; ARGUMENTS_MAX];
        let mut count = 0;
        let mut add = |shape| {
            *arguments.get_mut(count).ok_or_else(unknown)? = shape;
            count += 1;
            Ok::<_, SourceError>(())
        };
        receiver.map(&mut add).transpose()?;
        self.expect("(")?;
        while !self.is_at(")") {
            add(self.expression()?)?;
            if !self.is_at(")") {
                self.expect(",")?;
                if self.is_at(")") {
                    return Err(self.unexpected("an argument"));
                }
            }
        }
        self.advance()?;
        let arguments = &arguments[..count];
        let function = Function::find(call, name, arguments).ok_or_else(unknown)?;
        self.node(function.extra_cost(arguments))?;
        let places = u8::try_from(count).map_err(|_| unknown())?;
        self.put(Operation::Call(function, places), count, 1);
        Ok(function.result())
    }

    /// `literal {"," literal} [","] "]"`, all texts or all numbers.
    fn list(&mut self) -> Result<Shape, SourceError> {
        let (start, mut texts, mut numbers) = (self.at, Vec::<Box<str>>::new(), Vec::new());
        while !self.is_at("]") {
            self.node(0)?;
            let at = self.at;
            let is_negative = self.is_at("-");
            if is_negative {
                self.advance()?;
            }
            match std::mem::replace(&mut self.token, Token::End) {
                Token::Text(text) if numbers.is_empty() && !is_negative => texts.push(text),
                Token::Number(magnitude) if texts.is_empty() => {
                    let number = signed(magnitude, is_negative);
                    numbers.push(number.ok_or(SourceError::Token { at, what: "a number beyond 64 bits" })?);
                }
                _ => return Err(SourceError::Unexpected { at, wanted: "a text or number as those before it" }),
            }
            self.advance()?;
            if !self.is_at("]") {
                self.expect(",")?;
            }
        }
        self.advance()?;
        match (texts.is_empty(), numbers.is_empty()) {
            (true, true) => Err(SourceError::Unexpected { at: start, wanted: "a text or number" }),
            (false, _) => self.literal(Value::Texts(texts.into())),
            _ => self.literal(Value::Ints(numbers.into())),
        }
    }

    fn literal(&mut self, value: Value) -> Result<Shape, SourceError> {
        self.node(0)?;
        let shape = value.shape();
        let place = self.program.literals.len();
        self.program.literals.push(value);
        self.put(Operation::Literal(u16::try_from(place).unwrap_or(u16::MAX)), 0, 1);
        Ok(shape)
    }

    /// Counts a literal, field, operator or call, and what it costs beside 1.
    fn node(&mut self, extra: u64) -> Result<(), SourceError> {
        self.nodes += 1;
        self.program.cost = self.program.cost.saturating_add(1).saturating_add(extra);
        if self.nodes > FEED_NODES_MAX {
            return Err(SourceError::TooManyNodes { at: self.at });
        }
        Ok(())
    }

    /// Puts out an operation that takes and leaves so many operands; gives its index.
    fn put(&mut self, operation: Operation, takes: usize, leaves: usize) -> usize {
        self.operands = self.operands.saturating_sub(takes) + leaves;
        self.program.operands_max = self.program.operands_max.max(self.operands);
        self.program.operations.push(operation);
        self.program.operations.len() - 1
    }

    /// The index of the operation that comes next. A node makes at most three, so all fit.
    fn here(&self) -> u16 {
        u16::try_from(self.program.operations.len()).unwrap_or(u16::MAX)
    }

    fn is_at(&self, sign: &str) -> bool {
        matches!(self.token, Token::Sign(found) if found == sign)
    }

    /// Goes on to the next token.
    fn advance(&mut self) -> Result<(), SourceError> {
        (self.at, self.token) = self.lexer.next()?;
        Ok(())
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), SourceError> {
        if self.is_at(sign) { self.advance() } else { Err(self.unexpected(sign)) }
    }

    fn name(&mut self, wanted: &'static str) -> Result<&'s str, SourceError> {
        let Token::Name(name) = self.token else { return Err(self.unexpected(wanted)) };
        self.advance()?;
        Ok(name)
    }

    fn want(&self, at: usize, shape: Shape, of: Type, wanted: &'static str) -> Result<(), SourceError> {
        if shape.of == of { Ok(()) } else { Err(SourceError::WrongType { at, wanted, found: shape.of }) }
    }

    fn unexpected(&self, wanted: &'static str) -> SourceError {
        SourceError::Unexpected { at: self.at, wanted }
    }
}

/// The number with this magnitude and sign, if it has 64 bits.
fn signed(magnitude: u64, is_negative: bool) -> Option<i64> {
    if is_negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// The shape of what an operator makes of two operands, and what it costs beside 1 (`FEED-4`, `FEED-7`, `FEED-11`).
fn check_infix(infix: Infix, left: Shape, right: Shape, at: usize) -> Result<(Shape, u64), SourceError> {
    let wrong = |wanted, found: Shape| Err(SourceError::WrongType { at, wanted, found: found.of });
    let text_cost = lines(&left).min(lines(&right));
    match (infix, left.of, right.of) {
        (Infix::Add | Infix::Subtract | Infix::Multiply | Infix::Divide | Infix::Remainder, Type::Int, Type::Int) => {
            Ok((Shape::INT, 0))
        }
        (Infix::Add | Infix::Subtract | Infix::Multiply | Infix::Divide | Infix::Remainder, of, _) => {
            wrong("int", if of == Type::Int { right } else { left })
        }
        (Infix::In, Type::Int, Type::Ints) => Ok((Shape::BOOL, u64::from(right.items_max))),
        (Infix::In, Type::Text, Type::Texts) => Ok((Shape::BOOL, u64::from(right.items_max) * (1 + text_cost))),
        (Infix::In, Type::Int, _) => wrong("list(int)", right),
        (Infix::In, Type::Text, _) => wrong("list(string)", right),
        (Infix::In, ..) => wrong("int or string", left),
        (Infix::Equal | Infix::Unequal, Type::Bool, Type::Bool) => Ok((Shape::BOOL, 0)),
        (_, Type::Int, Type::Int) => Ok((Shape::BOOL, 0)),
        (_, Type::Text, Type::Text) => Ok((Shape::BOOL, text_cost)),
        (_, Type::Int, _) => wrong("int", right),
        (_, Type::Text, _) => wrong("string", right),
        (Infix::Equal | Infix::Unequal, Type::Bool, _) => wrong("bool", right),
        _ => wrong("int or string", left),
    }
}
