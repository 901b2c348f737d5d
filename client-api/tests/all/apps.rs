//! Apps: registration, consent on the page, tokens, what they may, and how they end.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::house::{Answer, HOST, House};

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "https://app.example/callback?v=1";
const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

/// An app that has registered.
pub(crate) struct Registered {
    pub(crate) id: String,
    pub(crate) secret: String,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

fn json_of(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    serde_json::from_str(&answer.body).expect("JSON")
}

impl House {
    /// Sends JSON, with a bearer token if there is one.
    pub(crate) async fn api(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    pub(crate) async fn register(&self, name: &str, scopes: &str) -> Registered {
        let uris = [CALLBACK, OOB, "http://127.0.0.1/cb", "com.app.X:/cb"];
        let body = json!({"client_name": name, "redirect_uris": uris, "scopes": scopes});
        let app = json_of(&self.api("POST", "/api/v1/apps", "", &body).await);
        Registered { id: text(&app, "client_id"), secret: text(&app, "client_secret") }
    }

    /// The page of consent for a request.
    async fn ask(&self, cookie: &str, query: &[(&str, &str)]) -> Answer {
        let query = serde_urlencoded::to_string(query).expect("a query");
        self.get(&format!("/oauth/authorize?{query}"), cookie).await
    }

    /// Asks, and answers the page with a click.
    async fn click(&self, cookie: &str, query: &[(&str, &str)], answer: &str) -> Answer {
        let page = self.ask(cookie, query).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let csrf = page.field("csrf");
        let mut form = query.to_vec();
        form.extend([("csrf", csrf.as_str()), ("answer", answer)]);
        self.post("/oauth/authorize", cookie, &form).await
    }

    /// A code that the owner has allowed, with PKCE or without.
    async fn code(&self, app: &Registered, scope: &str, pkce: bool) -> String {
        let cookie = self.log_in().await;
        let query = request(app, CALLBACK, scope, pkce);
        let sent = self.click(&cookie, &query, "allow").await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
        parameter(sent.header("location"), "code").expect("a code")
    }

    async fn redeem(&self, form: &[(&str, &str)]) -> Answer {
        self.post("/oauth/token", "", &[&[("grant_type", "authorization_code")], form].concat()).await
    }

    /// A token of an app with these scopes.
    pub(crate) async fn token_of(&self, app: &Registered, scope: &str) -> String {
        let code = self.code(app, scope, false).await;
        let form = by_secret(app, &code);
        text(&json_of(&self.redeem(&form).await), "access_token")
    }
}

fn request<'a>(app: &'a Registered, redirect: &'a str, scope: &'a str, pkce: bool) -> Vec<(&'a str, &'a str)> {
    let mut query = vec![
        ("client_id", app.id.as_str()),
        ("redirect_uri", redirect),
        ("response_type", "code"),
        ("scope", scope),
        ("state", "s&t=1"),
    ];
    if pkce {
        query.extend([("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]);
    }
    query
}

fn by_secret<'a>(app: &'a Registered, code: &'a str) -> [(&'a str, &'a str); 4] {
    [("client_id", &app.id), ("client_secret", &app.secret), ("code", code), ("redirect_uri", CALLBACK)]
}

fn parameter(address: &str, name: &str) -> Option<String> {
    let query = address.split_once('?')?.1;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).expect("a query");
    pairs.into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
}

#[tokio::test]
async fn an_app_registers_is_let_in_and_posts_as_the_owner() {
    let house = House::new("lan").await;
    let app = house.register("Elk", "read write").await;
    let cookie = house.log_in().await;
    let query = request(&app, CALLBACK, "read write", true);
    let page = house.ask(&cookie, &query).await;
    assert!(page.body.contains("Elk") && page.body.contains("https://app.example"), "{}", page.body);
    assert!(page.body.contains("@lan") || page.body.contains("@</strong>lan"), "{}", page.body);
    let sent = house.click(&cookie, &query, "allow").await;
    let location = sent.header("location").to_owned();
    assert!(location.starts_with("https://app.example/callback?v=1&code=xomc_"), "{location}");
    assert_eq!(parameter(&location, "state").as_deref(), Some("s&t=1"));
    assert_eq!(parameter(&location, "iss"), Some(format!("http://{HOST}")));
    let code = parameter(&location, "code").expect("a code");
    let form =
        [("client_id", app.id.as_str()), ("code", &code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    let made = json_of(&house.redeem(&form).await);
    assert_eq!((text(&made, "token_type"), text(&made, "scope")), ("Bearer".into(), "read write".into()));
    let token = text(&made, "access_token");

    let me = json_of(&house.api("GET", "/api/v1/accounts/verify_credentials", &token, &json!({})).await);
    assert_eq!(text(&me, "username"), "lan");
    let posted = json_of(&house.api("POST", "/api/v1/statuses", &token, &json!({"status": "by an app"})).await);
    assert!(text(&posted, "content").contains("by an app"));
    let info = json_of(&house.api("GET", "/oauth/userinfo/", &token, &json!({})).await);
    assert_eq!((text(&info, "sub"), text(&info, "iss")), (house.did.to_string(), format!("http://{HOST}")));
    let own = json_of(&house.api("GET", "/api/v1/apps/verify_credentials", &token, &json!({})).await);
    assert_eq!(text(&own, "name"), "Elk");

    let house = house.restart().await;
    json_of(&house.api("GET", "/api/v1/timelines/home", &token, &json!({})).await);
    house.close().await;
}

#[tokio::test]
async fn the_old_ways_work_too_a_code_that_is_shown_forms_basic_and_slashes() {
    let house = House::new("lan").await;
    let form = [("client_name", "toot"), ("redirect_uris", OOB), ("scopes", "read write follow")];
    let app = json_of(&house.post("/api/v1/apps/", "", &form).await);
    assert_eq!(text(&app, "redirect_uri"), OOB);
    let app = Registered { id: text(&app, "client_id"), secret: text(&app, "client_secret") };
    let cookie = house.log_in().await;
    let query = request(&app, OOB, "read write follow", false);
    let page = house.ask(&cookie, &query).await;
    assert!(page.body.contains("without PKCE"), "it is marked: {}", page.body);
    let shown = house.click(&cookie, &query, "allow").await;
    assert_eq!(shown.status, StatusCode::OK);
    let code = shown.body.split("value=\"xomc_").nth(1).and_then(|rest| rest.split('"').next()).expect("a code");
    let basic = data_encoding::BASE64.encode(format!("{}:{}", app.id, app.secret).as_bytes());
    let form = [("grant_type", "authorization_code"), ("code", &format!("xomc_{code}")), ("redirect_uri", OOB)];
    let body = serde_urlencoded::to_string(form).expect("a form");
    let asked = Request::post("/oauth/token/")
        .header(header::AUTHORIZATION, format!("Basic {basic}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let made = json_of(&house.send(asked.body(Body::from(body)).expect("a request")).await);
    let token = text(&made, "access_token");
    json_of(&house.api("GET", "/api/v1/timelines/home", &token, &json!({})).await);

    let multipart = "--x\r\nContent-Disposition: form-data; name=\"client_name\"\r\n\r\nParts\r\n--x\r\n\
        Content-Disposition: form-data; name=\"redirect_uris\"\r\n\r\napp:/x\r\n--x--\r\n";
    let asked = Request::post("/api/v1/apps").header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
    let parts = json_of(&house.send(asked.body(Body::from(multipart)).expect("a request")).await);
    assert_eq!((text(&parts, "name"), parts["scopes"].clone()), ("Parts".into(), json!(["read"])));
    house.close().await;
}

#[tokio::test]
async fn what_the_node_can_do_for_apps_is_said_at_the_well_known_place() {
    let house = House::new("lan").await;
    let said = json_of(&house.get("/.well-known/oauth-authorization-server", "").await);
    assert_eq!(said["issuer"], format!("http://{HOST}"));
    assert_eq!(said["code_challenge_methods_supported"], json!(["S256"]));
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "userinfo_endpoint",
        "app_registration_endpoint",
    ] {
        let path = text(&said, name).replace(&format!("http://{HOST}"), "");
        let answer = house.get(&path, "").await;
        assert_ne!(answer.status, StatusCode::NOT_FOUND, "{name}");
    }
    house.close().await;
}

#[tokio::test]
async fn r_api_5_nobody_is_sent_to_an_address_that_is_not_registered() {
    let house = House::new("lan").await;
    let app = house.register("Elk", "read").await;
    let cookie = house.log_in().await;
    for redirect in [
        "https://app.example/callback",
        "https://app.example/callback?v=1&x=2",
        "https://app.example/callback/../evil?v=1",
        "https://app.example.evil.example/callback?v=1",
        "https://user@app.example/callback?v=1",
        "https://APP.example/callback?v=1",
        "https://app.example:8443/callback?v=1",
        "https://app.example/callback?v=1#x",
        "http://127.0.0.1:5000/other",
        "javascript:alert(1)",
        "",
    ] {
        let answer = house.ask(&cookie, &request(&app, redirect, "read", true)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{redirect}");
        assert_eq!(answer.header("location"), "", "{redirect}");
        assert!(!answer.body.contains("<form"), "{redirect}");
    }
    let sent = house.click(&cookie, &request(&app, "http://127.0.0.1:5000/cb", "read", true), "allow").await;
    assert!(sent.header("location").starts_with("http://127.0.0.1:5000/cb?code="));
    for uri in ["javascript:alert(1)", "http://app.example/cb", "https://a.example/#x", ""] {
        let body = json!({"client_name": "a", "redirect_uris": uri});
        assert_eq!(
            house.api("POST", "/api/v1/apps", "", &body).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{uri}"
        );
    }
    house.close().await;
}

#[tokio::test]
async fn r_api_6_a_code_that_comes_twice_ends_the_token_that_it_became() {
    let house = House::new("lan").await;
    let app = house.register("Elk", "read").await;
    let code = house.code(&app, "read", false).await;
    let form = by_secret(&app, &code);
    let token = text(&json_of(&house.redeem(&form).await), "access_token");
    json_of(&house.api("GET", "/api/v1/timelines/home", &token, &json!({})).await);
    let again = house.redeem(&form).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.body.contains("invalid_grant"), "{}", again.body);
    let ended = house.api("GET", "/api/v1/timelines/home", &token, &json!({})).await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED);
    let house = house.restart().await;
    let ended = house.api("GET", "/api/v1/timelines/home", &token, &json!({})).await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED);
    house.close().await;
}

#[tokio::test]
async fn r_api_6_a_code_is_for_its_app_its_address_and_its_verifier() {
    let house = House::new("lan").await;
    let (app, other) = (house.register("Elk", "read").await, house.register("Other", "read").await);
    let of_other = |code: &str| by_secret(&other, code).map(|(name, value)| (name.to_owned(), value.to_owned()));
    for (what, pkce) in [
        ("other", false),
        ("address", false),
        ("secret", false),
        ("nothing", false),
        ("verifier", true),
        ("plain", true),
    ] {
        let code = house.code(&app, "read", pkce).await;
        let mut form: Vec<(String, String)> =
            by_secret(&app, &code).map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        match what {
            "other" => form = of_other(&code).to_vec(),
            "address" => form[3].1 = "http://127.0.0.1/cb".to_owned(),
            "secret" => form[1].1 = other.secret.clone(),
            "nothing" => drop(form.remove(1)),
            "plain" => form.push(("code_verifier".to_owned(), CHALLENGE.to_owned())),
            _ => {}
        }
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = house.redeem(&form).await;
        let expected = if what == "secret" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        assert_eq!(answer.status, expected, "{what}: {}", answer.body);
    }
    // The challenge was taken out on the way, and the app sends its verifier all the same.
    let code = house.code(&app, "read", false).await;
    let form = [&by_secret(&app, &code)[..], &[("code_verifier", VERIFIER)]].concat();
    assert_eq!(house.redeem(&form).await.status, StatusCode::BAD_REQUEST);
    let cookie = house.log_in().await;
    let mut plain = request(&app, CALLBACK, "read", false);
    plain.push(("code_challenge", CHALLENGE));
    for method in [None, Some("plain")] {
        let mut query = plain.clone();
        query.extend(method.map(|method| ("code_challenge_method", method)));
        assert_eq!(house.ask(&cookie, &query).await.status, StatusCode::BAD_REQUEST, "{method:?}");
    }
    // Without a state none comes back, and who answered is named all the same.
    let query: Vec<_> =
        request(&app, CALLBACK, "read", true).into_iter().filter(|(name, _)| *name != "state").collect();
    let location = house.click(&cookie, &query, "allow").await.header("location").to_owned();
    assert_eq!((parameter(&location, "state"), parameter(&location, "iss")), (None, Some(format!("http://{HOST}"))));
    house.close().await;
}

#[tokio::test]
async fn r_api_7_only_a_click_of_the_owner_on_our_own_page_makes_a_code() {
    let house = House::new("lan").await;
    let app = house.register("<script>alert(1)</script> xóm\u{202e} system", "read").await;
    let cookie = house.log_in().await;
    let query = request(&app, CALLBACK, "read", true);
    let page = house.ask(&cookie, &query).await;
    assert_eq!(page.header("x-frame-options"), "DENY");
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self' https://app.example;"),
        "{policy}"
    );
    assert_eq!(page.header("access-control-allow-origin"), "");
    assert!(!page.body.contains("<script") && !page.body.contains('\u{202e}'), "{}", page.body);
    assert!(page.body.contains("calls itself “<strong><bdi>&lt;script&gt;"), "{}", page.body);
    assert!(!page.body.contains(">xóm</bdi>"));

    // What makes no code: a get, no token of the form, one of another session, another site, no session.
    let csrf = page.field("csrf");
    let allow = |csrf: &str| {
        let mut form = query.clone();
        form.extend([("answer", "allow"), ("csrf", csrf)]);
        serde_urlencoded::to_string(form).expect("a form")
    };
    let by_get = house.get(&format!("/oauth/authorize?{}", allow(&csrf)), &cookie).await;
    assert_eq!((by_get.status, by_get.header("location")), (StatusCode::OK, ""));
    let other = house.log_in().await;
    let foreign = ("origin", "https://evil.example");
    let none = ("x-none", "");
    for (cookie, csrf, header) in [
        (cookie.as_str(), "", none),
        (&other, csrf.as_str(), none),
        (&cookie, &csrf, foreign),
        (&cookie, &csrf, ("sec-fetch-site", "cross-site")),
        ("", &csrf, none),
    ] {
        let asked = Request::post("/oauth/authorize")
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header.0, header.1);
        let answer = house.send(asked.body(Body::from(allow(csrf))).expect("a request")).await;
        assert!(answer.status.is_client_error(), "{} {header:?}", answer.status);
        assert_eq!(answer.header("location"), "");
    }
    let denied = house.click(&cookie, &query, "deny").await;
    assert_eq!(parameter(denied.header("location"), "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(denied.header("location"), "code"), None);
    house.close().await;
}

#[tokio::test]
async fn who_comes_from_another_site_is_led_here_once_more_and_then_asked_to_log_in() {
    let house = House::new("lan").await;
    let app = house.register("Elk", "read").await;
    let query = serde_urlencoded::to_string(request(&app, CALLBACK, "read", true)).expect("a query");
    let path = format!("/oauth/authorize?{query}");
    let from = async |site: &str| {
        let asked = Request::get(&path).header("sec-fetch-site", site).body(Body::empty()).expect("a request");
        house.send(asked).await
    };
    let first = from("cross-site").await;
    assert!(first.body.contains("http-equiv=\"refresh\""), "{}", first.body);
    let second = from("same-origin").await;
    assert_eq!(second.status, StatusCode::UNAUTHORIZED);
    assert!(!second.body.contains("http-equiv"), "{}", second.body);
    // The link that is pasted there leads back to the question.
    let next = second.field("next").replace("&amp;", "&");
    assert_eq!(next, path);
    let login = format!("http://{HOST}{}", house.login_path());
    let form = serde_urlencoded::to_string([("t", login.as_str()), ("next", &next)]).expect("a form");
    let logged_in = house.get(&format!("/login?{form}"), "").await;
    assert_eq!(logged_in.header("location"), path);
    assert_eq!(house.get(&path, &logged_in.cookie()).await.status, StatusCode::OK);
    house.close().await;
}

#[tokio::test]
async fn r_api_8_a_token_opens_what_it_was_allowed_and_nothing_else() {
    let house = House::new("lan").await;
    let app = house.register("Elk", "read write xom:invites").await;
    let reads = house.token_of(&app, "read").await;
    let posts = house.token_of(&app, "write:statuses").await;
    let all = house.token_of(&app, "read write xom:invites").await;
    let check = async |method: &str, path: &str, token: &str, expected: u16| {
        let answer = house.api(method, path, token, &json!({"status": "x"})).await;
        assert_eq!(answer.status.as_u16(), expected, "{method} {path}: {}", answer.body);
        if expected == 403 {
            assert!(answer.body.contains("outside the authorized scopes"), "{}", answer.body);
        }
    };
    check("GET", "/api/v1/timelines/home", &reads, 200).await;
    check("POST", "/api/v1/statuses", &reads, 403).await;
    check("GET", "/api/v1/timelines/home", &posts, 403).await;
    check("POST", "/api/v1/statuses", &posts, 200).await;
    check("GET", "/api/v1/accounts/verify_credentials", &posts, 403).await;
    check("GET", "/api/xom/v1/invites", &reads, 403).await;
    check("GET", "/api/xom/v1/invites", &all, 200).await;
    for (method, path) in [
        ("GET", "/api/xom/v1/keys"),
        ("GET", "/api/xom/v1/phrase"),
        ("GET", "/api/xom/v1/export"),
        ("POST", "/api/xom/v1/backup"),
        ("POST", "/api/xom/v1/devices/pair"),
        ("GET", "/api/xom/v1/apps"),
        ("POST", "/api/xom/v1/login-links"),
    ] {
        check(method, path, &all, 403).await;
    }
    // An app gets no more than it has registered for, whatever it asks for.
    let cookie = house.log_in().await;
    for scope in ["read write follow push", "push", "admin:read", "everything"] {
        let answer = house.ask(&cookie, &request(&app, CALLBACK, scope, true)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{scope}");
    }
    // A token of an app alone speaks for nobody.
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", app.id.as_str()),
        ("client_secret", &app.secret),
        ("scope", "read"),
    ];
    let alone = text(&json_of(&house.post("/oauth/token", "", &form).await), "access_token");
    check("GET", "/api/v1/timelines/home", &alone, 422).await;
    check("GET", "/api/v1/apps/verify_credentials", &alone, 200).await;
    house.close().await;
}

#[tokio::test]
async fn r_api_9_a_token_ends_by_the_app_on_the_page_and_by_the_owner_and_a_removed_app_with_it() {
    let house = House::new("lan").await;
    let app = house.register("Elk", "read").await;
    let works = async |token: &str| {
        house.api("GET", "/api/v1/timelines/home", token, &json!({})).await.status == StatusCode::OK
    };
    let tokens =
        [house.token_of(&app, "read").await, house.token_of(&app, "read").await, house.token_of(&app, "read").await];
    assert!(works(&tokens[0]).await && works(&tokens[1]).await && works(&tokens[2]).await);
    // What a stream that is open with one of them waits for.
    let mut open = Vec::new();
    for token in &tokens {
        let grant = house.app.registry().find(token).await.expect("the node reads").expect("a token");
        open.push(grant.ended().clone());
    }
    let ended = || open.iter().filter(|stream| stream.is_cancelled()).count();
    assert_eq!(ended(), 0);

    let stranger = house.register("Stranger", "read").await;
    let revoke = async |app: &Registered, token: &str| {
        let form = [("client_id", app.id.as_str()), ("client_secret", &app.secret), ("token", token)];
        house.post("/oauth/revoke", "", &form).await.status
    };
    assert_eq!(revoke(&stranger, &tokens[0]).await, StatusCode::FORBIDDEN);
    assert!(works(&tokens[0]).await);
    assert_eq!(revoke(&app, &tokens[0]).await, StatusCode::OK);
    assert_eq!(revoke(&app, &tokens[0]).await, StatusCode::OK, "twice is no error");
    assert!(!works(&tokens[0]).await && works(&tokens[1]).await);
    assert!(open[0].is_cancelled() && ended() == 1);

    let cookie = house.log_in().await;
    let page = house.get("/apps", &cookie).await;
    let action = page.body.split("action=\"/apps/").nth(1).and_then(|rest| rest.split('"').next()).expect("a form");
    let csrf = page.field("csrf");
    let path = format!("/apps/{action}");
    assert_eq!(house.post(&path, &cookie, &[("csrf", "x")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.post(&path, &cookie, &[("csrf", &csrf)]).await.status, StatusCode::SEE_OTHER);
    assert_ne!(works(&tokens[1]).await, works(&tokens[2]).await, "one of the two has ended");
    assert_eq!(ended(), 2);

    let list = json_of(&house.api("GET", "/api/xom/v1/apps", &house.token, &json!({})).await);
    assert_eq!((list.as_array().expect("a list").len(), text(&list[0], "name")), (1, "Elk".to_owned()));
    assert!(list[0]["last_used_at"].is_string());
    let path = format!("/api/xom/v1/apps/{}/revoke", app.id);
    assert_eq!(json_of(&house.api("POST", &path, &house.token, &json!({})).await)["revoked"], 1);
    assert!(!works(&tokens[1]).await && !works(&tokens[2]).await);
    assert_eq!(ended(), 3, "the app was removed");
    assert_eq!(house.api("POST", &path, &house.token, &json!({})).await.status, StatusCode::NOT_FOUND);
    let answer = house.ask(&cookie, &request(&app, CALLBACK, "read", true)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "the app is forgotten");
    house.close().await;
}

#[tokio::test]
async fn r_api_10_no_secret_of_an_app_is_on_disk_or_taken_from_an_address() {
    let house = House::new("lan").await;
    let app = house.register("Elk", "read").await;
    let code = house.code(&app, "read", false).await;
    let token = text(&json_of(&house.redeem(&by_secret(&app, &code)).await), "access_token");
    let in_query = house.get(&format!("/api/v1/timelines/home?access_token={token}"), "").await;
    assert_eq!(in_query.status, StatusCode::UNAUTHORIZED);
    let mut looked_at = 0;
    let mut folders = vec![house.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file");
            looked_at += bytes.len();
            for secret in [&app.secret, &code, &token] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{} is in {}", &secret[..5], path.display());
            }
        }
    }
    assert!(looked_at > 100_000, "the database was looked at");
    house.close().await;
}

#[tokio::test]
async fn r_api_11_the_requests_of_an_app_are_counted_whatever_it_sends_and_however_many_tokens_it_has() {
    let house = House::new("lan").await;
    let app = house.register("Elk", "read").await;
    let tokens = [house.token_of(&app, "read").await, house.token_of(&app, "read").await];
    let mut last = None;
    for number in 0..300_u32 {
        let token = &tokens[number as usize % 2];
        let asked = Request::get("/api/v1/apps/verify_credentials")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("x-forwarded-for", format!("10.0.0.{}", number % 250));
        let answer = house.send(asked.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::OK, "{number}");
        assert_eq!(answer.header("x-ratelimit-limit"), "300");
        assert_eq!(answer.header("x-ratelimit-remaining"), (299 - number).to_string());
        last = Some(answer.header("x-ratelimit-reset").to_owned());
    }
    for token in &tokens {
        let answer = house.api("GET", "/api/v1/timelines/home", token, &json!({})).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.header("x-ratelimit-remaining"), "0");
        assert_eq!(Some(answer.header("x-ratelimit-reset")), last.as_deref());
        assert!(answer.header("retry-after").parse::<u64>().expect("seconds") > 1);
    }
    // A token that the same app is given now is counted with them; another app and the owner are not.
    let third = house.token_of(&app, "read").await;
    let answer = house.api("GET", "/api/v1/timelines/home", &third, &json!({})).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    json_of(&house.api("GET", "/api/v1/timelines/home", &house.token, &json!({})).await);
    house.close().await;
}

#[tokio::test]
async fn r_api_11_strangers_register_so_many_apps_an_hour_and_the_owner_as_many_as_he_likes() {
    let house = House::new("lan").await;
    let body = json!({"client_name": "a", "redirect_uris": "app:/x"});
    let mut refused = 0;
    for number in 0..70 {
        let asked = Request::post("/api/v1/apps")
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-forwarded-for", format!("10.0.0.{number}"));
        let answer = house.send(asked.body(Body::from(body.to_string())).expect("a request")).await;
        refused += u32::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 10);
    json_of(&house.api("POST", "/api/v1/apps", &house.token, &body).await);
    house.close().await;
}
