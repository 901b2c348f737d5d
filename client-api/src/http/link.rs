//! Paging: `limit`, `max_id`, `since_id`, `min_id` of a request, and the `Link` header of its answer.

use axum::http::{HeaderName, HeaderValue, Uri, header};
use xom_node::model::Page;

use super::base::Base;
use super::error::ApiError;
use super::form::Params;

/// How many items a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    /// Where the client says nothing.
    pub default: usize,
    /// At most.
    pub max: usize,
}

/// Lists of statuses.
pub const STATUSES: PageSize = PageSize { default: 20, max: super::limits::STATUSES_PAGE_MAX };
/// Lists of accounts.
pub const ACCOUNTS: PageSize = PageSize { default: 40, max: super::limits::ACCOUNTS_PAGE_MAX };

/// A page as a client asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    limit: usize,
    page: Page,
}

/// A header of an answer, if there is one to send.
pub type LinkHeader = Option<[(HeaderName, HeaderValue); 1]>;

impl Paging {
    /// Reads the paging parameters. A blank, unreadable or zero limit is the default; a negative one counts as positive.
    pub fn read(params: &Params, size: PageSize) -> Result<Self, ApiError> {
        let limit = params.text("limit").and_then(|text| text.trim().parse::<i128>().ok());
        let limit = match limit.map(i128::unsigned_abs) {
            None | Some(0) => size.default,
            Some(asked) => usize::try_from(asked).unwrap_or(size.max).min(size.max),
        };
        let page = Page {
            // One more than is shown tells whether this is the last page.
            limit: limit + 1,
            max_id: params.id("max_id")?,
            since_id: params.id("since_id")?,
            min_id: params.id("min_id")?,
        };
        Ok(Self { limit, page })
    }

    /// What to ask the node for: one item more than is shown.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Takes the one item too many away and makes the `Link` header; `id` gives the cursor of an item.
    pub fn finish<T>(&self, items: &mut Vec<T>, base: &Base, uri: &Uri, id: impl Fn(&T) -> u64) -> LinkHeader {
        let more = items.len() > self.limit;
        let upwards = self.page.min_id.is_some();
        if more && upwards {
            items.drain(..items.len() - self.limit);
        } else {
            items.truncate(self.limit);
        }
        self.header(base, uri, (id(items.first()?), id(items.last()?)), more)
    }

    /// The `Link` header of a page from its first cursor to its last; `more` where there are others beyond it.
    pub fn header(&self, base: &Base, uri: &Uri, (first, last): (u64, u64), more: bool) -> LinkHeader {
        let upwards = self.page.min_id.is_some();
        let mut links = Vec::new();
        if more || upwards {
            links.push(format!("<{}>; rel=\"next\"", self.address(base, uri, "max_id", last)));
        }
        links.push(format!("<{}>; rel=\"prev\"", self.address(base, uri, "min_id", first)));
        let value = HeaderValue::from_str(&links.join(", ")).ok()?;
        Some([(header::LINK, value)])
    }

    /// The same address with one cursor. The encoding leaves no comma and no line break as it is.
    fn address(&self, base: &Base, uri: &Uri, cursor: &str, id: u64) -> String {
        let query = uri.query().unwrap_or("");
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        let is_paging = |name: &str| matches!(name, "max_id" | "since_id" | "min_id" | "limit" | "access_token");
        let mut kept: Vec<(String, String)> = pairs.into_iter().filter(|(name, _)| !is_paging(name)).collect();
        kept.push(("limit".into(), self.limit.to_string()));
        kept.push((cursor.into(), id.to_string()));
        let query = serde_urlencoded::to_string(kept).unwrap_or_default();
        base.url(&format!("{}?{query}", uri.path().trim_end_matches('/').replace(',', "%2C")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(query: &str) -> Result<Paging, ApiError> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
        let tree = pairs.into_iter().map(|(name, value)| (name, serde_json::Value::String(value))).collect();
        Paging::read(&Params::from_map(tree), STATUSES)
    }

    fn links(query: &str, ids: &[u64]) -> (Vec<u64>, Option<String>) {
        let uri: Uri = format!("/api/v1/timelines/home?{query}").parse().unwrap();
        let mut ids = ids.to_vec();
        let link = paging(query).unwrap().finish(&mut ids, &Base::new("http", "localhost:7766"), &uri, |id| *id);
        (ids, link.map(|[(_, value)]| value.to_str().unwrap().to_owned()))
    }

    #[test]
    fn r_api_18_odd_limits_and_cursors_are_handled() {
        let limit = |query| paging(query).unwrap().page().limit - 1;
        for (query, expected) in [
            ("", 20),
            ("limit=", 20),
            ("limit=0", 20),
            ("limit=x", 20),
            ("limit=-5", 5),
            ("limit=1000000000", 40),
            ("limit=99999999999999999999999999999999999999999999", 20),
            ("limit=-9223372036854775808", 40),
        ] {
            assert_eq!(limit(query), expected, "{query}");
        }
        assert_eq!(paging("max_id=").unwrap().page().max_id, None);
        assert_eq!(paging("max_id=99999999999999999999999").unwrap().page().max_id, Some(u64::MAX));
        for bad in ["max_id=x", "since_id=-1", "min_id=1e9", "max_id=1;drop"] {
            assert_eq!(paging(bad).unwrap_err().kind().status(), 422, "{bad}");
        }
    }

    #[test]
    fn next_comes_first_and_is_left_out_on_the_last_page() {
        let (ids, link) = links("limit=2", &[9, 8, 7]);
        assert_eq!(ids, [9, 8]);
        let base = "http://localhost:7766/api/v1/timelines/home";
        let expected = format!("<{base}?limit=2&max_id=8>; rel=\"next\", <{base}?limit=2&min_id=9>; rel=\"prev\"");
        assert_eq!(link, Some(expected));
        let (_, link) = links("limit=2&max_id=8", &[7, 6]);
        assert_eq!(link, Some(format!("<{base}?limit=2&min_id=7>; rel=\"prev\"")));
        assert_eq!(links("limit=2", &[]).1, None);
    }

    #[test]
    fn a_page_upwards_keeps_the_items_next_to_its_cursor() {
        let (ids, link) = links("limit=2&min_id=6", &[9, 8, 7]);
        assert_eq!(ids, [8, 7]);
        assert!(link.unwrap().contains("max_id=7"));
    }

    #[test]
    fn r_api_16_a_link_header_carries_no_line_break_and_no_raw_comma() {
        let (_, link) = links("q=a%0D%0ASet-Cookie:x,y&limit=1", &[9, 8]);
        let link = link.unwrap();
        assert!(!link.contains(['\r', '\n']));
        assert_eq!(link.matches(',').count(), 1);
    }
}
