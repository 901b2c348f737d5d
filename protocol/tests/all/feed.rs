//! Published feeds, from outside.

mod algorithm_vectors;
mod algorithms;
mod hostile;
mod language;
mod language_vectors;
mod numbers;
mod oracle;
mod programs;
mod ranking;
