//! Paging: `Link` headers lead through a whole list, each item once.

use crate::harness::{BASE, Server, ids, text};

/// The address of a relation in a `Link` header.
fn link(header: &str, relation: &str) -> Option<String> {
    let wanted = format!("rel=\"{relation}\"");
    let found = header.split(',').find(|part| part.contains(&wanted))?;
    let address = found.split(['<', '>']).nth(1)?;
    Some(address.strip_prefix(BASE).unwrap().to_owned())
}

#[tokio::test]
async fn following_next_shows_every_status_once_and_ends() {
    let server = Server::start().await;
    let mut posted = Vec::new();
    for number in 0..10 {
        posted.push(text(&server.toot(&format!("số {number}")).await, "id"));
    }
    posted.reverse();
    let mut seen = Vec::new();
    let mut path = Some("/api/v1/timelines/home?limit=3&local=a,b".to_owned());
    let mut last = String::new();
    while let Some(current) = path {
        let answer = server.get(&current).await;
        seen.extend(ids(&answer.ok()));
        last = answer.header("link").to_owned();
        path = link(&last, "next");
        assert!(seen.len() <= posted.len());
    }
    assert_eq!(seen, posted);
    // And back up again from the last page.
    let up = server.get(&link(&last, "prev").unwrap()).await;
    assert_eq!(ids(&up.ok()), posted[6..9]);
    let newest = server.get(&format!("/api/v1/timelines/home?min_id={}", posted[0])).await;
    assert_eq!(ids(&newest.ok()), Vec::<String>::new());
    server.stop().await;
}

#[tokio::test]
async fn bounds_are_exclusive_and_min_id_differs_from_since_id() {
    let server = Server::start().await;
    let mut posted = Vec::new();
    for number in 0..6 {
        posted.push(text(&server.toot(&format!("số {number}")).await, "id"));
    }
    let list = async |query: String| ids(&server.get(&format!("/api/v1/timelines/home?{query}")).await.ok());
    assert_eq!(list(format!("max_id={}", posted[2])).await, [posted[1].clone(), posted[0].clone()]);
    assert_eq!(list(format!("since_id={}&limit=2", posted[1])).await, [posted[5].clone(), posted[4].clone()]);
    assert_eq!(list(format!("min_id={}&limit=2", posted[1])).await, [posted[3].clone(), posted[2].clone()]);
    server.stop().await;
}

#[tokio::test]
async fn r_api_18_odd_pages_are_answered_or_refused_and_never_an_error_of_ours() {
    let server = Server::start().await;
    server.toot("x").await;
    for path in ["/api/v1/timelines/home", "/api/v1/notifications", "/api/v1/accounts/search", "/api/v2/search"] {
        for query in ["limit=", "limit=-1", "limit=1000000000", "limit=x", "max_id=", "max_id=0", "q=&offset="] {
            assert_eq!(server.get(&format!("{path}?{query}")).await.status, 200, "{path}?{query}");
        }
    }
    for query in ["max_id=x", "since_id=%00", "min_id=-5"] {
        server.get(&format!("/api/v1/timelines/home?{query}")).await.refused(422);
    }
    let far = server.get("/api/v1/timelines/home?max_id=99999999999999999999999").await.ok();
    assert_eq!(ids(&far).len(), 1);
    server.stop().await;
}
