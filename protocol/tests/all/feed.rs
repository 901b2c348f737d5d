//! Published feeds, from outside.

mod hostile;
mod language;
mod language_vectors;
mod numbers;
mod oracle;
mod programs;
