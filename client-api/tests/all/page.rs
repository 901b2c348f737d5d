//! The page: login, forms, what it shows.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use crate::house::{HOST, House};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_login_the_page_shows_only_how_to_log_in() {
    let house = House::new("lan").await;
    let front = house.get("/", "").await;
    assert_eq!(front.status, StatusCode::OK);
    assert!(front.body.contains("xom open"));
    assert!(!front.body.contains(&house.did.to_string()), "tells who lives here");
    for path in ["/notifications", "/public", "/statuses/1", "/accounts/1", "/@lan", "/tags/a"] {
        let answer = house.get(path, "xom_session_7766=guessed").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(!answer.body.contains(&house.did.to_string()), "{path}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_link_works_once_and_sets_a_strict_cookie() {
    let house = House::new("lan").await;
    let path = house.login_path();

    // What looks ahead at the link does not use it up.
    let head = house.send(Request::head(&path).body(Body::empty()).unwrap()).await;
    assert_eq!(head.header("set-cookie"), "");
    let prefetch = Request::get(&path).header("sec-purpose", "prefetch").body(Body::empty()).unwrap();
    assert_eq!(house.send(prefetch).await.header("set-cookie"), "");

    let first = house.get(&path, "").await;
    assert_eq!((first.status, first.header("location")), (StatusCode::SEE_OTHER, "/welcome"));
    let cookie = first.header("set-cookie");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    let second = house.get(&path, "").await;
    assert_eq!((second.status, second.header("set-cookie")), (StatusCode::FORBIDDEN, ""));

    let home = house.get("/", &first.cookie()).await;
    assert_eq!(home.status, StatusCode::OK);
    assert!(home.body.contains(&house.did.to_string()) && home.body.contains("<svg class=\"qr\""));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_link_is_made_for_the_owners_token_only() {
    let house = House::new("lan").await;
    let ask = |token: &str| {
        let request = Request::post("/api/xom/v1/login-links").header(header::AUTHORIZATION, format!("Bearer {token}"));
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(house.send(ask("guessed")).await.status, StatusCode::UNAUTHORIZED);
    let answer = house.send(ask(&house.token)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let url: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let url = url["url"].as_str().unwrap();
    let path = url.strip_prefix(&format!("http://{HOST}")).unwrap();
    assert_eq!(house.get(path, "").await.status, StatusCode::SEE_OTHER);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_writes_only_with_the_token_of_its_session_and_from_our_own_page() {
    let house = House::new("lan").await;
    let (cookie, other) = (house.log_in().await, house.log_in().await);
    let csrf = house.get("/", &cookie).await.field("csrf");
    let foreign = house.get("/", &other).await.field("csrf");
    for token in ["", "guessed", &foreign] {
        let answer = house.post("/statuses", &cookie, &[("csrf", token), ("status", "forged")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{token}");
    }
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1", "http://localhost:7766"] {
        let request = Request::post("/statuses")
            .header(header::COOKIE, &cookie)
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("csrf={csrf}&status=forged")));
        assert_eq!(house.send(request.unwrap()).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
    assert!(!house.get("/", &cookie).await.body.contains("forged"));

    let answer = house.post("/statuses", &cookie, &[("csrf", &csrf), ("status", "meant"), ("back", "//evil")]).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/"), "{}", answer.body);
    assert!(house.get("/", &cookie).await.body.contains("meant"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_api_19_a_form_that_is_sent_twice_posts_once() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let page = house.get("/", &cookie).await;
    let (csrf, once) = (page.field("csrf"), page.field("once"));
    let send = |words: &'static str, once: String| {
        let form = [("csrf", csrf.clone()), ("once", once), ("status", words.to_owned())];
        let (house, cookie) = (&house, &cookie);
        async move {
            let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
            house.post("/statuses", cookie, &form).await.status
        }
    };
    let seen = async |words: &str| house.get("/", &cookie).await.body.matches(&format!(">{words}</p>")).count();
    let (first, second) = tokio::join!(send("twice", once.clone()), send("twice", once.clone()));
    assert_eq!([first, second], [StatusCode::SEE_OTHER; 2]);
    assert_eq!(seen("twice").await, 1);
    // The browser's way back shows the same form again: what else is written there is another post.
    assert_eq!(send("other", once).await, StatusCode::SEE_OTHER);
    assert_eq!(seen("other").await, 1);
    let fresh = house.get("/", &cookie).await.field("once");
    assert_eq!(send("twice", fresh).await, StatusCode::SEE_OTHER);
    assert_eq!(seen("twice").await, 2);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guardians_are_not_ended_by_a_form_that_names_nobody() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let csrf = house.get("/", &cookie).await.field("csrf");
    let words = std::fs::read_to_string(house.key_file("phrase")).unwrap();
    let others = [1, 2].map(|byte| xom_protocol::Did([byte; 32]).to_string()).join("\n");
    let set = async |accounts: &str| {
        let form = [("csrf", csrf.as_str()), ("accounts", accounts), ("need", "2"), ("words", words.trim())];
        house.post("/guardians", &cookie, &form).await
    };
    assert_eq!(set(&others).await.status, StatusCode::SEE_OTHER);
    for nobody in ["", " \n ", ", ,"] {
        assert_eq!(set(nobody).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{nobody:?}");
    }
    assert!(house.get("/guardians", &cookie).await.body.contains("2 of 2 can bring this account back"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_api_15_texts_are_shown_and_never_run() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let csrf = house.get("/", &cookie).await.field("csrf");
    let evil = "<script>alert(1)</script> \"><img src=x onerror=alert(1)>";
    let form = [("csrf", csrf.as_str()), ("status", evil), ("spoiler_text", evil), ("language", "vi")];
    assert_eq!(house.post("/statuses", &cookie, &form).await.status, StatusCode::SEE_OTHER);
    let home = house.get("/", &cookie).await;
    assert!(home.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!home.body.contains("<script") && !home.body.contains("<img src=x"));
    let policy = home.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    let headers = ["x-content-type-options", "referrer-policy", "cross-origin-resource-policy"];
    assert_eq!(headers.map(|name| home.header(name)), ["nosniff", "no-referrer", "same-origin"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn liking_boosting_answering_and_erasing_by_forms() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let csrf = house.get("/", &cookie).await.field("csrf");
    house.post("/statuses", &cookie, &[("csrf", &csrf), ("status", "first")]).await;
    let home = house.get("/", &cookie).await;
    let id = home.body.split("status\" id=\"s").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for (action, pressed) in [("like", "unlike"), ("boost", "unboost"), ("unlike", "like"), ("unboost", "boost")] {
        let react = format!("/statuses/{id}/react");
        let answer = house.post(&react, &cookie, &[("csrf", &csrf), ("do", action), ("back", "/")]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{action}: {}", answer.body);
        let thread = house.get(&format!("/statuses/{id}"), &cookie).await;
        assert!(thread.body.contains(&format!("value=\"{pressed}\"")), "{action}");
    }
    let reply = [("csrf", csrf.as_str()), ("status", "second"), ("in_reply_to_id", &id)];
    assert_eq!(house.post("/statuses", &cookie, &reply).await.status, StatusCode::SEE_OTHER);
    let thread = house.get(&format!("/statuses/{id}"), &cookie).await;
    assert!(thread.body.contains("second"));

    let erase = house.post(&format!("/statuses/{id}/react"), &cookie, &[("csrf", &csrf), ("do", "erase")]).await;
    assert_eq!(erase.status, StatusCode::SEE_OTHER);
    assert_eq!(house.get(&format!("/statuses/{id}"), &cookie).await.status, StatusCode::NOT_FOUND);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_the_session_everywhere() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let csrf = house.get("/", &cookie).await.field("csrf");
    assert_eq!(house.post("/logout", &cookie, &[("csrf", "guessed")]).await.status, StatusCode::FORBIDDEN);
    let answer = house.post("/logout", &cookie, &[("csrf", &csrf)]).await;
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(house.get("/notifications", &cookie).await.status, StatusCode::UNAUTHORIZED);
    house.close().await;
}

#[tokio::test]
async fn what_the_framework_refuses_by_itself_is_a_page_like_every_other_fault() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    for path in ["/tags/%ff", "/?max_id=nothing", "/public?max_id=-1"] {
        let answer = house.get(path, &cookie).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert!(answer.body.contains("The request could not be read."), "{path}: {}", answer.body);
    }
    house.close().await;
}
