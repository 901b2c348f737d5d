//! The functions of the feed language (`FEED-8`): what they take, what they give, what they cost.

use super::number;
use super::program::Operand;
use super::value::{Shape, Type};

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Min,
    Max,
    Clamp,
    Decay,
    Log2Milli,
    Size,
    StartsWith,
    EndsWith,
    Contains,
    ContainsAll,
    Intersects,
}

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// `name(...)`
    Plain,
    /// `receiver.name(...)`; the receiver is the first argument.
    Member,
    /// `sets.name(...)`
    Sets,
}

/// What rules of cost count for a function that is no simple one.
const EXACT_COST: u64 = 16;

impl Function {
    /// The function of that name for these arguments.
    pub(super) fn find(call: Call, name: &str, arguments: &[Shape]) -> Option<Self> {
        use Type::{Int, Ints, Text, Texts};
        let mut types = [None; ARGUMENTS_MAX];
        if arguments.len() > types.len() {
            return None;
        }
        for (of, shape) in types.iter_mut().zip(arguments) {
            *of = Some(shape.of);
        }
        Some(match (call, name, types) {
            (Call::Plain, "abs", [Some(Int), None, None]) => Self::Abs,
            (Call::Plain, "min", [Some(Int), Some(Int), None]) => Self::Min,
            (Call::Plain, "max", [Some(Int), Some(Int), None]) => Self::Max,
            (Call::Plain, "clamp", [Some(Int), Some(Int), Some(Int)]) => Self::Clamp,
            (Call::Plain, "decay", [Some(Int), Some(Int), Some(Int)]) => Self::Decay,
            (Call::Plain, "log2_milli", [Some(Int), None, None]) => Self::Log2Milli,
            (Call::Plain | Call::Member, "size", [Some(Text | Ints | Texts), None, None]) => Self::Size,
            (Call::Member, "startsWith", [Some(Text), Some(Text), None]) => Self::StartsWith,
            (Call::Member, "endsWith", [Some(Text), Some(Text), None]) => Self::EndsWith,
            (Call::Member, "contains", [Some(Text), Some(Text), None]) => Self::Contains,
            (Call::Sets, "contains", [Some(Texts), Some(Texts), None] | [Some(Ints), Some(Ints), None]) => {
                Self::ContainsAll
            }
            (Call::Sets, "intersects", [Some(Texts), Some(Texts), None] | [Some(Ints), Some(Ints), None]) => {
                Self::Intersects
            }
            _ => return None,
        })
    }

    /// The shape of its value.
    pub(super) fn result(self) -> Shape {
        match self {
            Self::Abs | Self::Min | Self::Max | Self::Clamp | Self::Decay | Self::Log2Milli | Self::Size => Shape::INT,
            Self::StartsWith | Self::EndsWith | Self::Contains | Self::ContainsAll | Self::Intersects => Shape::BOOL,
        }
    }

    /// What a call costs beside the one of every call (`FEED-11`).
    pub(super) fn extra_cost(self, arguments: &[Shape]) -> u64 {
        match (self, arguments) {
            (Self::Decay | Self::Log2Milli, _) => EXACT_COST,
            (Self::Size, [text]) if text.of == Type::Text => lines(text),
            (Self::StartsWith | Self::EndsWith, [text, part]) => lines(text).min(lines(part)),
            (Self::Contains, [text, part]) => lines(text) + lines(part),
            (Self::ContainsAll | Self::Intersects, [left, right]) => {
                let pairs = u64::from(left.items_max) * u64::from(right.items_max);
                pairs.saturating_mul(1 + lines(left).min(lines(right)))
            }
            _ => 0,
        }
    }

    /// Its value for arguments that have one.
    pub(super) fn apply<'a>(self, arguments: &[Operand<'a>]) -> Operand<'a> {
        use Operand::{Bool, Int, Ints, Text, Texts};
        match (self, arguments) {
            (Self::Abs, [Int(number)]) => Operand::checked(number.checked_abs()),
            (Self::Min, [Int(left), Int(right)]) => Int(*left.min(right)),
            (Self::Max, [Int(left), Int(right)]) => Int(*left.max(right)),
            (Self::Clamp, [Int(value), Int(low), Int(high)]) => number::clamp(*value, *low, *high).into(),
            (Self::Decay, [Int(value), Int(age), Int(half_life)]) => number::decay(*value, *age, *half_life).into(),
            (Self::Log2Milli, [Int(value)]) => number::log2_milli(*value).into(),
            (Self::Size, [Text(text)]) => Operand::count(text.chars().count()),
            (Self::Size, [Ints(items)]) => Operand::count(items.len()),
            (Self::Size, [Texts(items)]) => Operand::count(items.len()),
            (Self::StartsWith, [Text(text), Text(part)]) => Bool(text.starts_with(part)),
            (Self::EndsWith, [Text(text), Text(part)]) => Bool(text.ends_with(part)),
            (Self::Contains, [Text(text), Text(part)]) => Bool(text.contains(part)),
            (Self::ContainsAll, [Ints(all), Ints(part)]) => Bool(part.iter().all(|item| all.contains(item))),
            (Self::ContainsAll, [Texts(all), Texts(part)]) => Bool(part.iter().all(|item| all.contains(item))),
            (Self::Intersects, [Ints(left), Ints(right)]) => Bool(left.iter().any(|item| right.contains(item))),
            (Self::Intersects, [Texts(left), Texts(right)]) => Bool(left.iter().any(|item| right.contains(item))),
            _ => Operand::UNFIT,
        }
    }
}

/// Most arguments of a function.
pub(super) const ARGUMENTS_MAX: usize = 3;

/// How many stretches of 64 bytes a text has at most, the last one broken or not (`FEED-11`).
pub(super) fn lines(shape: &Shape) -> u64 {
    u64::from(shape.bytes_max.div_ceil(64))
}
