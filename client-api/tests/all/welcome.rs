//! The first run on the page, and the page while the device key is sealed.

use axum::body::Body;
use axum::http::Request;
use axum::http::StatusCode;
use axum::http::header;
use serde_json::{Value, json};

use crate::house::{Answer, House};

const PASSPHRASE: &str = "correct horse battery";

/// The words that the page shows.
async fn shown(house: &House, cookie: &str) -> Vec<String> {
    let page = house.get("/welcome", cookie).await;
    assert_eq!(page.header("cache-control"), "private, no-store");
    let items = page.body.split("<li translate=\"no\">").skip(1);
    items.map(|item| item.split('<').next().unwrap().to_owned()).collect()
}

/// Fills the form that asks for words, as far as `change` lets it.
async fn fill(house: &House, cookie: &str, change: impl Fn(&mut Vec<(String, String)>)) -> Answer {
    let words = shown(house, cookie).await;
    let check = house.get("/welcome/check", cookie).await;
    let places = check.body.split("Word number ").skip(1).map(|rest| rest.split('<').next().unwrap().trim().to_owned());
    let mut form: Vec<(String, String)> =
        places.map(|place| ("word[]".to_owned(), words[place.parse::<usize>().unwrap() - 1].clone())).collect();
    assert_eq!(form.len(), 3, "{}", check.body);
    form.push(("csrf".to_owned(), check.field("csrf")));
    change(&mut form);
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    house.post("/welcome/confirm", cookie, &form).await
}

fn with_passphrase(form: &mut Vec<(String, String)>, passphrase: &str, again: &str, device: bool) {
    form.push(("new_passphrase".to_owned(), passphrase.to_owned()));
    form.push(("again".to_owned(), again.to_owned()));
    if device {
        form.push(("device".to_owned(), "true".to_owned()));
    }
}

async fn api(house: &House, path: &str, body: Value) -> Answer {
    let request = Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {}", house.token))
        .header(header::CONTENT_TYPE, "application/json");
    house.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_the_phrase_once_asks_for_three_of_its_words_back_on_the_first_page() {
    let house = House::new("lan").await;
    let login = house.get(&house.login_path(), "").await;
    assert_eq!(login.header("location"), "/welcome", "the browser lands on the words");
    let cookie = login.cookie();
    let words = shown(&house, &cookie).await;
    assert_eq!(words.join(" "), std::fs::read_to_string(house.key_file("phrase")).unwrap().trim());
    let done = fill(&house, &cookie, |form| with_passphrase(form, PASSPHRASE, PASSPHRASE, false)).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/"), "{}", done.body);
    assert!(!house.key_file("phrase").exists() && house.key_file("control.sealed").exists());
    for path in ["/welcome", "/welcome/check"] {
        let again = house.get(path, &cookie).await;
        assert_eq!((again.status, again.header("location")), (StatusCode::SEE_OTHER, "/"), "{path}");
    }
    let home = house.get("/", &cookie).await.body;
    assert!(!home.contains("24 words") && home.contains("name=\"status\""));
    assert_eq!(house.get(&house.login_path(), "").await.header("location"), "/");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_are_for_the_owner_who_is_logged_in_alone() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let words = shown(&house, &cookie).await;
    for path in ["/welcome", "/welcome/check", "/unlock"] {
        let stranger = house.get(path, "xom_session_7766=guessed").await;
        assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(!words.iter().any(|word| stranger.body.contains(&format!(">{word}<"))));
    }
    for path in ["/welcome/confirm", "/welcome/postpone", "/unlock"] {
        let forged = house.post(path, &cookie, &[("csrf", "guessed")]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(house.key_file("phrase").exists() && !house.key_file("postponed").exists());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn can_be_postponed_with_a_reminder_that_stays_on_every_page() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let csrf = house.get("/welcome", &cookie).await.field("csrf");
    let later = house.post("/welcome/postpone", &cookie, &[("csrf", &csrf)]).await;
    assert_eq!((later.status, later.header("location")), (StatusCode::SEE_OTHER, "/"));
    let house = house.restart().await;
    let login = house.get(&house.login_path(), "").await;
    assert_eq!(login.header("location"), "/", "it is not asked for again");
    let cookie = login.cookie();
    for path in ["/", "/public", "/notifications"] {
        assert!(house.get(path, &cookie).await.body.contains("Your 24 words are not confirmed yet"), "{path}");
    }
    fill(&house, &cookie, |_| {}).await;
    assert!(!house.get("/", &cookie).await.body.contains("Your 24 words are not confirmed yet"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_filled_wrongly_says_why_and_confirms_nothing() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let wrong_word = fill(&house, &cookie, |form| form[1].1 = "xom".to_owned()).await;
    assert!(wrong_word.body.contains("these are not the words that were asked for"), "{}", wrong_word.body);
    let short = fill(&house, &cookie, |form| with_passphrase(form, "short", "short", false)).await;
    assert!(short.body.contains("a passphrase has at least 8 characters"), "{}", short.body);
    let differ = fill(&house, &cookie, |form| with_passphrase(form, PASSPHRASE, "correct horse", false)).await;
    assert!(differ.body.contains("The two passphrases are not the same"), "{}", differ.body);
    let none = fill(&house, &cookie, |form| with_passphrase(form, "", "", true)).await;
    assert!(none.body.contains("choose a passphrase"), "{}", none.body);
    for answer in [wrong_word, short, differ, none] {
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!answer.body.contains(PASSPHRASE), "a passphrase comes back in the page");
    }
    assert!(house.key_file("phrase").exists() && house.key_file("control.key").exists());
    house.close().await;
}

/// A node whose device key is sealed, started again.
async fn sealed() -> (House, String) {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let done = fill(&house, &cookie, |form| with_passphrase(form, PASSPHRASE, PASSPHRASE, true)).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let house = house.restart().await;
    let cookie = house.log_in().await;
    (house, cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_device_key_opens_by_the_page() {
    let (house, cookie) = sealed().await;
    let home = house.get("/", &cookie).await;
    assert_eq!(home.status, StatusCode::OK);
    assert!(home.body.contains("The key that signs your posts is sealed") && !home.body.contains("name=\"status\""));
    let form = house.get("/unlock", &cookie).await;
    let csrf = form.field("csrf");
    let wrong = house.post("/unlock", &cookie, &[("csrf", &csrf), ("passphrase", "battery horse")]).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(wrong.body.contains("wrong passphrase; nothing was changed"), "{}", wrong.body);
    let right = house.post("/unlock", &cookie, &[("csrf", &csrf), ("passphrase", PASSPHRASE)]).await;
    assert_eq!((right.status, right.header("location")), (StatusCode::SEE_OTHER, "/"));
    assert!(house.get("/", &cookie).await.body.contains("name=\"status\""));
    let posted = house.post("/statuses", &cookie, &[("csrf", &csrf), ("status", "open again"), ("back", "/")]).await;
    assert_eq!(posted.status, StatusCode::SEE_OTHER, "{}", posted.body);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn until_then_the_node_posts_nothing_and_answers_423_with_what_to_do() {
    let (house, cookie) = sealed().await;
    let csrf = house.get("/unlock", &cookie).await.field("csrf");
    let page = house.post("/statuses", &cookie, &[("csrf", &csrf), ("status", "x")]).await;
    assert_eq!(page.status, StatusCode::LOCKED);
    assert!(page.body.contains("href=\"/unlock\""), "{}", page.body);
    let follow = format!("did:xom:{}", "a".repeat(52));
    for (path, body) in [
        ("/api/v1/statuses", json!({"status": "x"})),
        ("/api/xom/v1/follow", json!({"did": follow})),
        ("/api/xom/v1/entries", json!({"kind": "example.note", "body": {}})),
        ("/api/xom/v1/invites", json!({})),
    ] {
        let answer = api(&house, path, body).await;
        assert_eq!(answer.status, StatusCode::LOCKED, "{path}: {}", answer.body);
        assert!(answer.body.contains("xom unlock"), "{path}: {}", answer.body);
    }
    let opened = api(&house, "/api/xom/v1/unlock", json!({"passphrase": PASSPHRASE})).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.body);
    assert_eq!(api(&house, "/api/v1/statuses", json!({"status": "x"})).await.status, StatusCode::OK);
    house.close().await;
}
