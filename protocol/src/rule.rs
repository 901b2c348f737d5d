//! Rule ids: the names by which spec, code, tests and `xom status` speak of one rule.

use std::fmt;

/// The id of a numbered rule in `spec/`, such as `LOG-7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule(pub &'static str);

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
