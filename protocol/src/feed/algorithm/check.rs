//! Every check of a rule document (`ALG-1` to `ALG-6`).

use std::collections::BTreeSet;

use super::{Algorithm, AlgorithmError, nothing};
use crate::feed::document::{Case, DOCUMENT_VERSION, Document, Expected, From, Param, Source, Texts};
use crate::feed::error::SourceError;
use crate::feed::features::{FEATURES, FEATURES_VERSION, Feature};
use crate::feed::program::Program;
use crate::feed::scope::Scope;
use crate::feed::value::{Shape, Type};
use crate::limits::{
    ALGORITHM_BYTES_MAX, ALGORITHM_CAPS_MAX, ALGORITHM_CASES_MAX, ALGORITHM_COST_MAX, ALGORITHM_FILTERS_MAX,
    ALGORITHM_HOURS_MAX, ALGORITHM_ID_BYTES_MAX, ALGORITHM_LABEL_CHARS_MAX, ALGORITHM_LANGUAGES_MAX,
    ALGORITHM_MIXES_MAX, ALGORITHM_NAME_CHARS_MAX, ALGORITHM_PARAMS_MAX, ALGORITHM_SOURCES_MAX,
    ALGORITHM_SUMMARY_CHARS_MAX, ALGORITHM_TERMS_MAX, ALGORITHM_WINDOW_MAX, LABEL_BYTES_MAX, TAG_CHARS_MAX,
};
use crate::rule::Rule;

/// Checks a document.
pub(super) fn check(document: Document) -> Result<Algorithm, AlgorithmError> {
    let bytes = document.encode();
    if bytes.len() > ALGORITHM_BYTES_MAX {
        return Err(AlgorithmError::Form("a document has at most 64 KiB"));
    }
    if document.version != DOCUMENT_VERSION || document.features != FEATURES_VERSION {
        return Err(AlgorithmError::Form("a document of another version, or for another table of features"));
    }
    check_texts(&document)?;
    check_params(&document.params)?;
    check_sources(&document.sources)?;
    check_order(&document)?;
    let reads = check_reads(&document.reads)?;
    let mut scope = Scope::new();
    for feature in &reads {
        scope = scope.with(feature.record, feature.name, feature.shape);
    }
    for param in &document.params {
        scope = scope.with("param", &param.id, Shape::INT);
    }
    let filters = document.filters.iter().map(|clause| (&*clause.id, &*clause.keep)).collect::<Vec<_>>();
    let terms = document.terms.iter().map(|term| (&*term.id, &*term.value)).collect::<Vec<_>>();
    let filters = compile("filters", &filters, ALGORITHM_FILTERS_MAX, Type::Bool, &scope)?;
    let terms = compile("terms", &terms, ALGORITHM_TERMS_MAX, Type::Int, &scope)?;
    let read: BTreeSet<u16> = filters.iter().chain(&terms).flat_map(Program::reads).copied().collect();
    if let Some((_, feature)) = (0..).zip(&reads).find(|(place, _)| !read.contains(place)) {
        return Err(AlgorithmError::Unread { feature: feature.path() });
    }
    let cost = filters.iter().chain(&terms).map(Program::cost).sum();
    if cost > ALGORITHM_COST_MAX {
        return Err(AlgorithmError::TooCostly { cost });
    }
    let algorithm = Algorithm { id: document.id(), reads, filters, terms, cost, document };
    check_cases(&algorithm)?;
    Ok(algorithm)
}

fn member(member: impl Into<String>, what: &'static str, rule: &'static str) -> AlgorithmError {
    AlgorithmError::Member { member: member.into(), what, rule: Rule(rule) }
}

/// Texts, names and licence (`ALG-2`).
fn check_texts(document: &Document) -> Result<(), AlgorithmError> {
    check_text("name", &document.name, ALGORITHM_NAME_CHARS_MAX)?;
    check_text("summary", &document.summary, ALGORITHM_SUMMARY_CHARS_MAX)?;
    if !document.changes.is_empty() {
        check_text("changes", &document.changes, ALGORITHM_SUMMARY_CHARS_MAX)?;
    }
    let labels = document.params.iter().map(|param| (&param.id, &param.label));
    let labels = labels.chain(document.filters.iter().map(|clause| (&clause.id, &clause.label)));
    let labels = labels.chain(document.terms.iter().map(|term| (&term.id, &term.label)));
    for (id, label) in labels {
        check_text(id, label, ALGORITHM_LABEL_CHARS_MAX)?;
    }
    let is_plain = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if document.licence.is_empty() || document.licence.len() > LABEL_BYTES_MAX || !is_plain(&document.licence) {
        return Err(member("licence", "1 to 100 printable ASCII characters", "ALG-2"));
    }
    Ok(())
}

fn check_text(name: &str, texts: &Texts, chars_max: usize) -> Result<(), AlgorithmError> {
    let is_tag = |tag: &String| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (2..=ALGORITHM_ID_BYTES_MAX).contains(&tag.len()) && tag.bytes().all(allowed)
    };
    if texts.is_empty() || texts.len() > ALGORITHM_LANGUAGES_MAX || !texts.keys().all(is_tag) {
        return Err(member(name, "a text in 1 to 16 languages, each with its tag", "ALG-2"));
    }
    let fits = |text: &String| {
        let allowed = |letter: char| !letter.is_ascii_control() || letter == '\n';
        !text.is_empty() && text.chars().count() <= chars_max && text.chars().all(allowed)
    };
    if texts.values().all(fits) { Ok(()) } else { Err(member(name, "a text that is empty or too long", "ALG-2")) }
}

/// A name in expressions or explanations (`ALG-2`).
fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    id.len() <= ALGORITHM_ID_BYTES_MAX && id.bytes().all(allowed) && id.starts_with(|c: char| c.is_ascii_lowercase())
}

fn check_ids<'a>(list: &str, ids: impl Iterator<Item = &'a str>, most: usize) -> Result<(), AlgorithmError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !is_id(id) || !seen.insert(id) {
            let what = "a name is 1 to 32 of a-z, 0-9 and _, begins with a letter, and is there once";
            return Err(member(format!("{list}: {id}"), what, "ALG-2"));
        }
    }
    if seen.len() > most { Err(member(list, "too many", "ALG-2")) } else { Ok(()) }
}

fn check_params(params: &[Param]) -> Result<(), AlgorithmError> {
    check_ids("params", params.iter().map(|param| &*param.id), ALGORITHM_PARAMS_MAX)?;
    let wrong = params.iter().find(|param| !(param.min..=param.max).contains(&param.default));
    wrong.map_or(Ok(()), |param| Err(member(&param.id, "its default is not between min and max", "ALG-2")))
}

/// Where posts come from (`ALG-3`).
fn check_sources(sources: &[Source]) -> Result<(), AlgorithmError> {
    if sources.is_empty() || sources.len() > ALGORITHM_SOURCES_MAX {
        return Err(member("sources", "1 to 8", "ALG-3"));
    }
    let mut seen = BTreeSet::new();
    for source in sources {
        if !seen.insert((source.from, &source.tag)) {
            return Err(member("sources", "one that is there twice", "ALG-3"));
        }
        if !(1..=ALGORITHM_HOURS_MAX).contains(&source.hours) {
            return Err(member("sources: hours", "1 to 8,784", "ALG-3"));
        }
        let is_tag = |tag: &String| {
            let fits = (1..=TAG_CHARS_MAX).contains(&tag.chars().count());
            fits && !tag.contains(char::is_whitespace) && tag.to_lowercase() == *tag
        };
        if (source.from == From::Tag) != source.tag.is_some() || !source.tag.iter().all(is_tag) {
            return Err(member(
                "sources: tag",
                "a tag in lower case, where the source is one, and only there",
                "ALG-3",
            ));
        }
    }
    Ok(())
}

/// Caps and mixes (`ALG-9`).
fn check_order(document: &Document) -> Result<(), AlgorithmError> {
    let window = |of: u32| (2..=ALGORITHM_WINDOW_MAX).contains(&of);
    let caps = document.caps.iter().map(|cap| cap.by).collect::<BTreeSet<_>>();
    if document.caps.len() > ALGORITHM_CAPS_MAX || caps.len() < document.caps.len() {
        return Err(member("caps", "at most one by author and one by thread", "ALG-9"));
    }
    if document.caps.iter().any(|cap| !window(cap.of) || cap.max < 1 || cap.max >= cap.of) {
        return Err(member("caps", "max is at least 1 and less than of, which is 2 to 100", "ALG-9"));
    }
    if document.mixes.len() > ALGORITHM_MIXES_MAX {
        return Err(member("mixes", "at most 4", "ALG-9"));
    }
    let is_source = |place: u32| usize::try_from(place).is_ok_and(|place| place < document.sources.len());
    let sources = document.mixes.iter().map(|mix| mix.source).collect::<BTreeSet<_>>();
    let wrong = |mix: &super::super::Mix| !window(mix.of) || mix.min < 1 || mix.min >= mix.of || !is_source(mix.source);
    if document.mixes.iter().any(wrong) || sources.len() < document.mixes.len() {
        return Err(member("mixes", "min is at least 1 and less than of, and each names another source", "ALG-9"));
    }
    Ok(())
}

/// The declared features, in the order of the table (`ALG-4`).
fn check_reads(reads: &[String]) -> Result<Vec<&'static Feature>, AlgorithmError> {
    let mut rest = FEATURES.iter();
    let place = |path: &String| {
        let feature = rest.find(|feature| feature.path() == *path);
        feature.ok_or_else(|| member(path, "no feature, or not in the order of the table", "ALG-4"))
    };
    reads.iter().map(place).collect()
}

fn compile(
    list: &str,
    named: &[(&str, &str)],
    most: usize,
    of: Type,
    scope: &Scope,
) -> Result<Vec<Program>, AlgorithmError> {
    check_ids(list, named.iter().map(|(id, _)| *id), most)?;
    let compile = |(id, source): &(&str, &str)| {
        let member = format!("{list}: {id}");
        let program = Program::compile(source, scope);
        let program = program.map_err(|error| match error {
            SourceError::UnknownField { name, .. } if Feature::of_path(&name).is_some() => {
                AlgorithmError::Undeclared { member: member.clone(), feature: name }
            }
            error => AlgorithmError::Source { member: member.clone(), error },
        })?;
        let found = program.shape().of;
        if found == of {
            return Ok(program);
        }
        let wanted = if of == Type::Bool { "bool" } else { "int" };
        Err(AlgorithmError::Source { member, error: SourceError::WrongType { at: 0, wanted, found } })
    };
    named.iter().map(compile).collect()
}

/// Runs the test cases (`ALG-6`).
fn check_cases(algorithm: &Algorithm) -> Result<(), AlgorithmError> {
    let document = &algorithm.document;
    let has_rules = !document.filters.is_empty() || !document.terms.is_empty();
    if document.cases.len() > ALGORITHM_CASES_MAX || (has_rules && document.cases.is_empty()) {
        return Err(member("cases", "1 to 64 where there are filters or terms", "ALG-6"));
    }
    let mut names = BTreeSet::new();
    for case in &document.cases {
        let fits = (1..=ALGORITHM_NAME_CHARS_MAX).contains(&case.name.chars().count());
        if !fits || case.name.contains(|c: char| c.is_ascii_control()) || !names.insert(&case.name) {
            return Err(member("cases", "a name of 1 to 100 characters, that is there once", "ALG-6"));
        }
        check_case(algorithm, case)?;
    }
    Ok(())
}

fn check_case(algorithm: &Algorithm, case: &Case) -> Result<(), AlgorithmError> {
    let of_case = |what| member(format!("cases: {}", case.name), what, "ALG-6");
    for (record, fields) in &case.row {
        for (name, value) in fields {
            let read = algorithm.reads.iter().find(|read| read.record == *record && read.name == *name);
            let read = read.ok_or_else(|| of_case("a feature that is not read"))?;
            // An empty list of texts can't be told from one of numbers, and says nothing, as 0 and false do.
            if !read.shape.fits(value) || *value == nothing(read.shape) {
                return Err(of_case("a value that does not fit its feature, or says nothing"));
            }
        }
    }
    let parameters = algorithm.parameters(&case.params).map_err(|_| of_case("a parameter out of bounds"))?;
    let row = algorithm.row(|read| case.row.get(read.record)?.get(read.name).cloned(), &parameters);
    let judgement = algorithm.judge(&row);
    let differs = |what: String, found: String, wanted: String| {
        Err(AlgorithmError::Case { case: case.name.clone(), what, found, wanted })
    };
    let name = |id: Option<&str>| id.unwrap_or("nothing").to_owned();
    let withheld = judgement.withheld.map(|place| &*algorithm.document.filters[place].id);
    if withheld != case.withheld.as_deref() {
        return differs("what withholds it".to_owned(), name(withheld), name(case.withheld.as_deref()));
    }
    if withheld.is_some() && !case.terms.is_empty() {
        return Err(of_case("terms of a post that is withheld"));
    }
    if let Some(unknown) = case.terms.keys().find(|id| !algorithm.document.terms.iter().any(|term| term.id == **id)) {
        return differs(unknown.clone(), "no term".to_owned(), "one".to_owned());
    }
    for (term, found) in algorithm.document.terms.iter().zip(&judgement.terms) {
        let found = found.map_or_else(|error| error.to_string(), |value| value.to_string());
        let wanted = match case.terms.get(&term.id) {
            Some(Expected::Number(value)) => value.to_string(),
            Some(Expected::Error(error)) => error.clone(),
            None => "0".to_owned(),
        };
        if found != wanted {
            return differs(term.id.clone(), found, wanted);
        }
    }
    if judgement.score != case.score {
        return differs("the score".to_owned(), judgement.score.to_string(), case.score.to_string());
    }
    Ok(())
}
