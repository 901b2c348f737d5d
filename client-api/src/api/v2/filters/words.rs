//! From the parameters of a request to a filter and its phrases.

use xom_node::private::{self as families, FilterContext, FilterHead, FilterKeyword, value_of};

use super::{Changes, FILTER_ITEMS_MAX, keyword_key};
use crate::api::compose::{clean_line, now_ms};
use crate::api::private::fresh_id;
use crate::http::{ApiError, Params};

/// Longest name of a filter, and longest phrase, characters.
const TEXT_CHARS_MAX: usize = 200;
/// Longest time until a filter ends, seconds: 100 years.
const EXPIRY_SECS_MAX: u64 = 100 * 366 * 86_400;

/// The head of a new filter.
pub(crate) fn new_head(params: &Params) -> Result<FilterHead, ApiError> {
    let mut head = FilterHead { title: String::new(), context: Vec::new(), action: "warn".to_owned(), until_ms: None };
    change_head(params, &mut head)?;
    Ok(head)
}

/// Changes what the parameters name.
pub(crate) fn change_head(params: &Params, head: &mut FilterHead) -> Result<(), ApiError> {
    if let Some(title) = params.raw_text("title") {
        head.title = line(&title, "Title")?;
    }
    if head.title.is_empty() {
        return Err(ApiError::invalid("Title can't be blank"));
    }
    change_context(params, head)?;
    match params.text("filter_action").as_deref() {
        None => {}
        Some(action @ ("warn" | "hide" | "blur")) => action.clone_into(&mut head.action),
        Some(_) => return Err(ApiError::invalid("Filter action is not one of warn, hide, blur")),
    }
    Ok(())
}

/// Where it holds, and until when: the same in both versions.
pub(crate) fn change_context(params: &Params, head: &mut FilterHead) -> Result<(), ApiError> {
    let words = params.texts("context");
    if !words.is_empty() {
        let context: Option<Vec<FilterContext>> = words.iter().map(|word| context(word)).collect();
        head.context = context
            .ok_or_else(|| ApiError::invalid("Context is not one of home, notifications, public, thread, account"))?;
        head.context.sort_unstable();
        head.context.dedup();
    }
    if head.context.is_empty() {
        return Err(ApiError::invalid("Context can't be blank"));
    }
    if let Some(secs) = params.raw_text("expires_in") {
        let secs = secs.trim();
        let secs: Option<u64> = if secs.is_empty() {
            None
        } else {
            Some(secs.parse().map_err(|_| ApiError::invalid("Expires in is not a number"))?)
        };
        head.until_ms = secs.map(|secs| now_ms() + secs.min(EXPIRY_SECS_MAX) * 1_000);
    } else if params.tree().get("expires_in").is_some_and(serde_json::Value::is_null) {
        head.until_ms = None;
    }
    Ok(())
}

/// Adds, changes and takes away the phrases that `keywords_attributes` names; answers the changes of settings.
pub(crate) fn change_keywords(params: &Params, filter: &mut families::Filter) -> Result<Changes, ApiError> {
    let mut changes = Changes::new();
    for item in params.each_below("keywords_attributes") {
        let Some(id) = item.id("id")? else {
            let (id, new) = (fresh_id()?, keyword(&item, None)?);
            changes.insert(keyword_key(filter.id, id), value_of(&new));
            filter.keywords.push((id, new));
            continue;
        };
        let at = filter.keywords.iter().position(|(known, _)| *known == id).ok_or_else(ApiError::not_found)?;
        if item.flag("_destroy").unwrap_or(false) {
            filter.keywords.remove(at);
            changes.insert(keyword_key(filter.id, id), Vec::new());
        } else {
            let changed = keyword(&item, Some(&filter.keywords[at].1))?;
            changes.insert(keyword_key(filter.id, id), value_of(&changed));
            filter.keywords[at].1 = changed;
        }
    }
    check_room(filter.keywords.len())?;
    Ok(changes)
}

/// Refuses more phrases or posts than a filter may have.
pub(crate) fn check_room(items: usize) -> Result<(), ApiError> {
    if items > FILTER_ITEMS_MAX {
        return Err(ApiError::invalid(format!("a filter has at most {FILTER_ITEMS_MAX} phrases, and as many posts")));
    }
    Ok(())
}

/// A phrase, or the change of one.
pub(crate) fn keyword(params: &Params, old: Option<&FilterKeyword>) -> Result<FilterKeyword, ApiError> {
    let keyword = match params.raw_text("keyword") {
        Some(keyword) => line(&keyword, "Keyword")?,
        None => old.map(|old| old.keyword.clone()).unwrap_or_default(),
    };
    if keyword.is_empty() {
        return Err(ApiError::invalid("Keyword can't be blank"));
    }
    let whole_word = params.flag("whole_word").unwrap_or_else(|| old.is_none_or(|old| old.whole_word));
    Ok(FilterKeyword { keyword, whole_word })
}

/// A line of text within its bound.
pub(crate) fn line(text: &str, what: &str) -> Result<String, ApiError> {
    let line = clean_line(text);
    if line.chars().count() > TEXT_CHARS_MAX {
        return Err(ApiError::invalid(format!("{what} is longer than {TEXT_CHARS_MAX} characters")));
    }
    Ok(line)
}

fn context(word: &str) -> Option<FilterContext> {
    Some(match word {
        "home" => FilterContext::Home,
        "notifications" => FilterContext::Notifications,
        "public" => FilterContext::Public,
        "thread" => FilterContext::Thread,
        "account" => FilterContext::Account,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_filter_needs_a_name_a_place_and_a_known_action() {
        let head = |tree| new_head(&Params::of(tree));
        let good = head(json!({"title": "t", "context": ["public", "home", "home"], "expires_in": "60"})).unwrap();
        assert_eq!(good.context, [FilterContext::Home, FilterContext::Public]);
        assert!(good.until_ms.is_some() && good.action == "warn");
        for bad in [
            json!({"context": ["home"]}),
            json!({"title": "t"}),
            json!({"title": "t", "context": ["kitchen"]}),
            json!({"title": "t", "context": ["home"], "filter_action": "burn"}),
            json!({"title": "t", "context": ["home"], "expires_in": "soon"}),
            json!({"title": "t".repeat(201), "context": ["home"]}),
        ] {
            assert!(head(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn phrases_are_added_changed_and_taken_away() {
        let head = new_head(&Params::of(json!({"title": "t", "context": ["home"]}))).unwrap();
        let mut filter = families::Filter { id: 1, head, keywords: Vec::new(), statuses: Vec::new() };
        let change = |tree, filter: &mut families::Filter| change_keywords(&Params::of(tree), filter);
        let added = json!({"keywords_attributes": [{"keyword": "a"}, {"keyword": "b", "whole_word": false}]});
        assert_eq!(change(added, &mut filter).unwrap().len(), 2);
        let id = filter.keywords[0].0;
        let changed = json!({"keywords_attributes": {"0": {"id": id.to_string(), "keyword": "c"}}});
        change(changed, &mut filter).unwrap();
        assert_eq!((filter.keywords[0].1.keyword.as_str(), filter.keywords[0].1.whole_word), ("c", true));
        let gone = json!({"keywords_attributes": [{"id": id.to_string(), "_destroy": true}]});
        assert_eq!(change(gone, &mut filter).unwrap().into_values().collect::<Vec<_>>(), [Vec::<u8>::new()]);
        assert_eq!(filter.keywords.len(), 1);
        let unknown = json!({"keywords_attributes": [{"id": "17", "keyword": "x"}]});
        assert!(change(unknown, &mut filter).is_err());
        let many: Vec<_> = (0..101).map(|n| json!({"keyword": n.to_string()})).collect();
        assert!(change(json!({ "keywords_attributes": many }), &mut filter).is_err());
    }
}
