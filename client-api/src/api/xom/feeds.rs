//! `/api/xom/v1/feeds`: algorithms, and the pages that they make, each post with why it stands there.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use xom_node::reader::feed::{FeedPage, FeedQuery};
use xom_protocol::feed::{self, Algorithm, BUILTINS, Bucket, Builtin, Document, Ranked, Reason, Texts};

use crate::api::compose::now_ms;
use crate::api::entities::Status;
use crate::api::entities::status::statuses;
use crate::http::{ApiError, Call, Sent};

/// Posts of a page, where nobody says how many.
const LIMIT: usize = 20;
/// Most posts of a page.
const LIMIT_MAX: usize = 40;
/// Most languages that a reader names: each post is compared with all of them.
const LANGUAGES_MAX: usize = 32;

/// The language of texts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InLanguage {
    /// The language in which texts are wanted; English where it is not said, or not there.
    language: Option<String>,
}

/// Which page is wanted of a feed.
#[derive(Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct FeedRequest {
    /// The moment of the page, seconds since 1970: a page that follows another one is of the same moment. Now, where it
    /// is not said.
    bucket: Option<u64>,
    /// The id of a list, for algorithms that draw from one.
    list: Option<String>,
    /// The languages that the reader reads, 32 at most.
    languages: Option<Vec<String>>,
    /// How many posts stand before the page.
    offset: Option<u64>,
    /// How many posts the page has, 40 at most; 20 where it is not said.
    limit: Option<u64>,
    /// What is tuned: a number for the id of a parameter.
    #[param(style = DeepObject, explode)]
    params: Option<BTreeMap<String, i64>>,
    /// The language in which texts are wanted; English where it is not said, or not there.
    language: Option<String>,
}

/// A file that is tried, and which page is wanted.
#[derive(Deserialize, ToSchema)]
pub struct TryRequest {
    /// The algorithm as authors write it, in TOML.
    source: String,
    /// Which page; the first where it is not said.
    page: Option<FeedRequest>,
}

/// An algorithm.
#[derive(Serialize, ToSchema)]
pub struct FeedSummary {
    /// The id of its document, a CID.
    id: String,
    /// Its short name here.
    slug: String,
    /// What it is called.
    name: String,
    /// What it does, in a sentence or two.
    summary: String,
    /// The features that it reads.
    reads: Vec<String>,
    /// True if it reads what only the reader's node knows.
    private: bool,
    /// The most that one post can cost, in steps.
    cost: u64,
    /// What can be tuned.
    params: Vec<FeedParameter>,
    /// What a post must fulfil to be shown.
    filters: Vec<FeedClause>,
    /// What adds up to the score.
    terms: Vec<FeedClause>,
}

/// Something that a reader can tune.
#[derive(Serialize, ToSchema)]
pub struct FeedParameter {
    /// Its name in expressions.
    id: String,
    /// Its name for people.
    label: String,
    /// The least.
    min: i64,
    /// The most.
    max: i64,
    /// What it is where nobody tunes it.
    default: i64,
}

/// A filter or a term.
#[derive(Serialize, ToSchema)]
pub struct FeedClause {
    /// Its name.
    id: String,
    /// Its name for people.
    label: String,
    /// The expression.
    source: String,
}

/// An algorithm with all that it says.
#[derive(Serialize, ToSchema)]
pub struct FeedDetails {
    /// The same as in the list.
    #[serde(flatten)]
    summary: FeedSummary,
    /// The document, as it is signed and addressed.
    #[schema(value_type = Object)]
    document: Value,
    /// The file that its author wrote.
    source: &'static str,
}

/// A page of a feed.
#[derive(Serialize, ToSchema)]
pub struct FeedShown {
    /// The id of the algorithm.
    algorithm: String,
    /// What it is called.
    name: String,
    /// The moment of the page, seconds since 1970.
    bucket: u64,
    /// How many posts there are to page through.
    total: usize,
    /// The posts, in order.
    items: Vec<FeedItem>,
    /// What is not shown, counted by the reason.
    withheld: Vec<Withheld>,
}

/// A post of a feed.
#[derive(Serialize, ToSchema)]
pub struct FeedItem {
    /// Mastodon's entity `Status`.
    #[schema(value_type = Object)]
    status: Status,
    /// Why it stands there.
    explanation: Explanation,
}

/// Why a post stands where it stands.
#[derive(Serialize, ToSchema)]
pub struct Explanation {
    /// The sum of the terms.
    score: i64,
    /// What adds up to it.
    terms: Vec<TermShown>,
    /// Its place by the score alone, from 0.
    place_by_score: usize,
    /// The cap that held it back.
    #[schema(value_type = Option<Object>)]
    held_back_by: Option<Value>,
    /// The mix that brought it forward.
    #[schema(value_type = Option<Object>)]
    brought_forward_by: Option<Value>,
    /// It stands there though a cap says otherwise, since nothing else was left.
    against_cap: bool,
    /// Filters that failed, which keep a post.
    failed_filters: Vec<FailedFilter>,
}

/// A term of one post.
#[derive(Serialize, ToSchema)]
pub struct TermShown {
    /// Its name.
    id: String,
    /// Its name for people.
    label: String,
    /// Its worth; 0 where it failed.
    value: i64,
    /// Why it failed.
    error: Option<String>,
}

/// A filter that failed.
#[derive(Serialize, ToSchema)]
pub struct FailedFilter {
    /// Its name.
    id: String,
    /// Why.
    error: String,
}

/// How many posts are not shown for one reason.
#[derive(Serialize, ToSchema)]
pub struct Withheld {
    /// `filter`, `later`, or what the reader has hidden.
    reason: &'static str,
    /// The filter.
    filter: Option<String>,
    /// The reason for people.
    label: String,
    /// How many.
    count: usize,
}

/// List the algorithms
///
/// Every algorithm that orders posts here.
#[utoipa::path(get, path = "/feeds", operation_id = "listFeeds", tag = "feeds", params(InLanguage),
    responses((status = 200, description = "The algorithms", body = Vec<FeedSummary>)))]
pub async fn list(_call: Call, Sent(asked): Sent<InLanguage>) -> Json<Vec<FeedSummary>> {
    let language = language(asked.language);
    let one = |builtin: Builtin| summary(builtin.slug, &builtin.algorithm(), &language);
    Json(BUILTINS.into_iter().map(one).collect())
}

/// Show an algorithm
///
/// By its short name or its id: its document, and the file that its author wrote.
#[utoipa::path(get, path = "/feeds/{id}", operation_id = "getFeed", tag = "feeds",
    params(("id" = String, Path, description = "Its short name or its id"), InLanguage),
    responses((status = 200, description = "The algorithm", body = FeedDetails)))]
pub async fn get(
    _call: Call,
    Path(id): Path<String>,
    Sent(asked): Sent<InLanguage>,
) -> Result<Json<FeedDetails>, ApiError> {
    let builtin = find(&id)?;
    let algorithm = builtin.algorithm();
    let document = serde_json::to_value(algorithm.document()).unwrap_or_default();
    let summary = summary(builtin.slug, &algorithm, &language(asked.language));
    Ok(Json(FeedDetails { summary, document, source: builtin.source }))
}

/// Read a feed
///
/// A page of what an algorithm makes of what the caller could see, each post with why it stands there.
#[utoipa::path(get, path = "/feeds/{id}/page", operation_id = "readFeed", tag = "feeds",
    params(("id" = String, Path, description = "Its short name or its id"), FeedRequest),
    responses((status = 200, description = "The page", body = FeedShown)))]
pub async fn page(
    call: Call,
    Path(id): Path<String>,
    Sent(asked): Sent<FeedRequest>,
) -> Result<Json<FeedShown>, ApiError> {
    make(&call, find(&id)?.algorithm(), asked).await
}

/// Read a feed that is tuned
///
/// The same, with what is tuned in the body.
#[utoipa::path(post, path = "/feeds/{id}/page", operation_id = "tuneFeed", tag = "feeds",
    params(("id" = String, Path, description = "Its short name or its id")), request_body = FeedRequest,
    responses((status = 200, description = "The page", body = FeedShown)))]
pub async fn tuned(
    call: Call,
    Path(id): Path<String>,
    Sent(asked): Sent<FeedRequest>,
) -> Result<Json<FeedShown>, ApiError> {
    make(&call, find(&id)?.algorithm(), asked).await
}

/// Try an algorithm
///
/// Orders what the caller could see by a file that is not published.
#[utoipa::path(post, path = "/feeds/try", operation_id = "tryFeed", tag = "feeds", request_body = TryRequest,
    responses((status = 200, description = "The page", body = FeedShown)))]
pub async fn attempt(call: Call, Sent(asked): Sent<TryRequest>) -> Result<Json<FeedShown>, ApiError> {
    let algorithm = Algorithm::from_toml(&asked.source).map_err(|error| ApiError::invalid(error.to_string()))?;
    algorithm.usable().map_err(|error| ApiError::invalid(error.to_string()))?;
    make(&call, algorithm, asked.page.unwrap_or_default()).await
}

fn find(id: &str) -> Result<Builtin, ApiError> {
    let same = |builtin: &Builtin| builtin.slug == id || builtin.algorithm().id().to_string() == id;
    BUILTINS.into_iter().find(same).ok_or_else(ApiError::not_found)
}

async fn make(call: &Call, algorithm: Algorithm, asked: FeedRequest) -> Result<Json<FeedShown>, ApiError> {
    let languages = asked.languages.unwrap_or_default();
    if languages.len() > LANGUAGES_MAX {
        return Err(ApiError::invalid(format!("languages are more than {LANGUAGES_MAX}")));
    }
    let set = asked.params.unwrap_or_default();
    let parameters = algorithm.parameters(&set).map_err(|error| ApiError::invalid(error.to_string()))?;
    let number = |number: Option<u64>| number.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let query = FeedQuery {
        bucket: Bucket::of_ms(asked.bucket.map_or(now_ms(), |secs| secs.saturating_mul(1_000)).min(now_ms())),
        list: list_of(asked.list.as_deref())?,
        languages,
        seen: None,
        offset: number(asked.offset).unwrap_or(0),
        limit: number(asked.limit).unwrap_or(LIMIT).min(LIMIT_MAX),
    };
    let (viewer, bucket, language) = (call.viewer(), query.bucket, language(asked.language));
    let read = call.node.read(move |reader| {
        let page = reader.feed(&viewer, &algorithm, &parameters, &query)?;
        Ok((algorithm, page))
    });
    let (algorithm, page) = read.await?;
    let FeedPage { items, total, withheld } = page;
    let (shown, ranked): (Vec<_>, Vec<_>) = items.into_iter().unzip();
    let document = algorithm.document();
    let explained = |(status, ranked)| FeedItem { status, explanation: explanation(document, ranked, &language) };
    Ok(Json(FeedShown {
        algorithm: algorithm.id().to_string(),
        name: text(&document.name, &language),
        bucket: bucket.secs(),
        total,
        items: statuses(&call.base, &shown).into_iter().zip(&ranked).map(explained).collect(),
        withheld: withheld.iter().map(|(why, count)| reason(document, *why, *count, &language)).collect(),
    }))
}

/// The list of an id that a client has sent.
fn list_of(asked: Option<&str>) -> Result<Option<u64>, ApiError> {
    let no_id = |_| ApiError::invalid("list is not the id of a list");
    asked.map(|id| id.trim().parse().map_err(no_id)).transpose()
}

/// The language in which texts are wanted.
fn language(asked: Option<String>) -> String {
    asked.unwrap_or_else(|| "en".to_owned())
}

/// A text in the language that is wanted, else in English, else in the first that there is.
fn text(texts: &Texts, language: &str) -> String {
    let found = texts.get(language).or_else(|| texts.get("en")).or_else(|| texts.values().next());
    found.map(ToString::to_string).unwrap_or_default()
}

fn summary(slug: &str, algorithm: &Algorithm, language: &str) -> FeedSummary {
    let document = algorithm.document();
    let param = |param: &feed::Param| FeedParameter {
        id: param.id.to_string(),
        label: text(&param.label, language),
        min: param.min,
        max: param.max,
        default: param.default,
    };
    let clause = |id: &str, label: &Texts, source: &str| FeedClause {
        id: id.to_owned(),
        label: text(label, language),
        source: source.to_owned(),
    };
    FeedSummary {
        id: algorithm.id().to_string(),
        slug: slug.to_owned(),
        name: text(&document.name, language),
        summary: text(&document.summary, language),
        reads: document.reads.iter().map(ToString::to_string).collect(),
        private: algorithm.is_private(),
        cost: algorithm.cost(),
        params: document.params.iter().map(param).collect(),
        filters: document.filters.iter().map(|one| clause(&one.id, &one.label, &one.keep)).collect(),
        terms: document.terms.iter().map(|one| clause(&one.id, &one.label, &one.value)).collect(),
    }
}

/// Why a post stands where it stands.
fn explanation(document: &Document, ranked: &Ranked, language: &str) -> Explanation {
    let judgement = &ranked.judgement;
    let terms = document.terms.iter().zip(&judgement.terms).map(|(term, value)| TermShown {
        id: term.id.to_string(),
        label: text(&term.label, language),
        value: value.unwrap_or(0),
        error: value.err().map(|error| error.to_string()),
    });
    let moved = ranked.moved;
    let cap = moved.held_by.and_then(|place| document.caps.get(place));
    let mix = moved.lifted_by.and_then(|place| document.mixes.get(place));
    let broken = judgement.broken.iter().filter_map(|(place, error)| {
        let filter = document.filters.get(*place)?;
        Some(FailedFilter { id: filter.id.to_string(), error: error.to_string() })
    });
    Explanation {
        score: judgement.score,
        terms: terms.collect(),
        place_by_score: ranked.by_score,
        held_back_by: cap.and_then(|cap| serde_json::to_value(cap).ok()),
        brought_forward_by: mix.and_then(|mix| serde_json::to_value(mix).ok()),
        against_cap: moved.against_cap,
        failed_filters: broken.collect(),
    }
}

/// Why posts are withheld, and how many.
fn reason(document: &Document, why: Reason, count: usize, language: &str) -> Withheld {
    let (reason, filter, label) = match why {
        Reason::Later => ("later", None, "Made after this page".to_owned()),
        Reason::Reader(kept_out) => (kept_out.name(), None, String::new()),
        Reason::Clause(place) => {
            let filter = document.filters.get(place);
            let label = filter.map(|filter| text(&filter.label, language)).unwrap_or_default();
            ("filter", filter.map(|filter| filter.id.to_string()), label)
        }
    };
    Withheld { reason, filter, label, count }
}
