//! The people of a node: registration, passwords, roles, and accounts that are closed.

use axum::http::StatusCode;
use serde_json::{Value, json};
use xom_client_api::people::limits::TRIES_MAX;
use xom_client_api::people::{Registration, Terms};

use crate::apps::Registered;
use crate::house::{Answer, House};

const PASSWORD: &str = "một mật khẩu dài";

fn json_of(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    serde_json::from_str(&answer.body).expect("JSON")
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

async fn house(registration: Registration) -> House {
    House::with("lan", Terms { registration, per_hour: 3 }).await
}

impl House {
    /// The owner does something by the API.
    async fn owner(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.api(method, &format!("/api/xom/v1{path}"), &self.token, body).await
    }

    async fn app_token(&self, app: &Registered) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", app.id.as_str()),
            ("client_secret", app.secret.as_str()),
            ("scope", "read write"),
        ];
        text(&json_of(&self.post("/oauth/token", "", &form).await, 200), "access_token")
    }

    /// Registers through an app of its own.
    async fn register_as(&self, username: &str, more: &Value) -> Answer {
        let app = self.register("Elk", "read write").await;
        let token = self.app_token(&app).await;
        let mut body = json!({
            "username": username, "password": PASSWORD, "email": "m@example.com", "agreement": true, "locale": "vi",
        });
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        self.api("POST", "/api/v1/accounts", &token, &body).await
    }

    async fn add(&self, username: &str, role: &str) {
        let body = json!({ "username": username, "role": role, "password": PASSWORD });
        let added = json_of(&self.owner("POST", "/accounts", &body).await, 200);
        assert_eq!((text(&added, "role"), added.get("password")), (role.to_owned(), None));
    }

    async fn log_in_as(&self, username: &str, password: &str) -> Answer {
        self.post("/login", "", &[("username", username), ("password", password)]).await
    }
}

#[tokio::test]
async fn nobody_registers_on_a_node_that_is_closed_as_nodes_are() {
    let house = House::new("lan").await;
    let refused = json_of(&house.register_as("minh", &json!({})).await, 403);
    assert!(text(&refused, "error").contains("xom account add"), "{refused}");
    let instance = json_of(&house.get("/api/v2/instance", "").await, 200);
    assert_eq!(instance["registrations"]["enabled"], false);
    assert_eq!(json_of(&house.owner("GET", "/accounts", &json!({})).await, 200).as_array().expect("a list").len(), 1);
    house.close().await;
}

#[tokio::test]
async fn who_registers_through_an_app_posts_at_once_and_logs_in_by_name_and_password() {
    let house = house(Registration::Open).await;
    let token = text(&json_of(&house.register_as("minh", &json!({})).await, 200), "access_token");
    let me = json_of(&house.api("GET", "/api/v1/accounts/verify_credentials", &token, &json!({})).await, 200);
    assert_eq!((text(&me, "username"), text(&me["role"], "id")), ("minh".to_owned(), "-99".to_owned()));
    let posted = house.api("POST", "/api/v1/statuses", &token, &json!({"status": "tôi mới đến"})).await;
    assert_ne!(text(&json_of(&posted, 200)["account"], "id"), "");

    let wrong = house.log_in_as("minh", "một mật khẩu khác").await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (StatusCode::FORBIDDEN, ""));
    let cookie = house.log_in_as("@Minh ", PASSWORD).await.cookie();
    // The words are shown to whom they belong.
    let words = house.get("/welcome", &cookie).await;
    assert_eq!(words.status, StatusCode::OK, "{}", words.body);
    let home = house.get("/", &cookie).await;
    assert!(home.body.contains("tôi mới đến"), "{}", home.body);

    let house = house.restart().await;
    assert_eq!(house.get("/", &cookie).await.status, StatusCode::OK);
    assert_eq!(house.log_in_as("minh", PASSWORD).await.status, StatusCode::SEE_OTHER);
    house.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_said_for_each_field() {
    let house = house(Registration::Open).await;
    for (more, field, code) in [
        (json!({"username": "lan"}), "username", "ERR_TAKEN"),
        (json!({"username": "Không"}), "username", "ERR_INVALID"),
        (json!({"username": ""}), "username", "ERR_BLANK"),
        (json!({"password": "ngắn"}), "password", "ERR_INVALID"),
        (json!({"agreement": false}), "agreement", "ERR_ACCEPTED"),
    ] {
        let refused = json_of(&house.register_as("minh", &more).await, 422);
        assert_eq!(refused["details"][field][0]["error"], code, "{refused}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_code_to_register_is_good_once() {
    let house = house(Registration::Invite).await;
    assert_eq!(
        json_of(&house.register_as("minh", &json!({})).await, 422)["details"]["invite_code"][0]["error"],
        "ERR_INVALID"
    );
    let code = text(&json_of(&house.owner("POST", "/accounts/codes", &json!({})).await, 200), "code");
    let taken = house.register_as("lan", &json!({"invite_code": code})).await;
    assert_eq!(taken.status.as_u16(), 422, "a name that is taken costs no code");
    let house = house.restart().await;
    assert_eq!(house.register_as("minh", &json!({"invite_code": code})).await.status, StatusCode::OK);
    assert_eq!(house.register_as("hoa", &json!({"invite_code": code})).await.status.as_u16(), 422);
    house.close().await;
}

#[tokio::test]
async fn strangers_register_no_more_than_so_many_in_an_hour() {
    let house = house(Registration::Open).await;
    for name in ["a", "b", "c"] {
        assert_eq!(house.register_as(name, &json!({})).await.status, StatusCode::OK, "{name}");
    }
    assert_eq!(house.register_as("d", &json!({})).await.status, StatusCode::TOO_MANY_REQUESTS);
    house.add("e", "member").await;
    house.close().await;
}

#[tokio::test]
async fn only_an_apps_own_token_registers_and_only_with_the_scope() {
    let house = house(Registration::Open).await;
    let body = json!({"username": "minh", "password": PASSWORD, "agreement": true});
    assert_eq!(house.api("POST", "/api/v1/accounts", &house.token, &body).await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.api("POST", "/api/v1/accounts", "", &body).await.status, StatusCode::UNAUTHORIZED);
    let app = house.register("Elk", "read write").await;
    let users = house.token_of(&app, "read write").await;
    assert_eq!(house.api("POST", "/api/v1/accounts", &users, &body).await.status, StatusCode::FORBIDDEN);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &app.id),
        ("client_secret", &app.secret),
        ("scope", "read"),
    ];
    let reads = text(&json_of(&house.post("/oauth/token", "", &form).await, 200), "access_token");
    assert_eq!(house.api("POST", "/api/v1/accounts", &reads, &body).await.status, StatusCode::FORBIDDEN);
    house.close().await;
}

#[tokio::test]
async fn r_api_8_who_comes_in_by_a_password_reaches_what_the_role_allows() {
    let house = House::new("lan").await;
    for (name, role) in [("minh", "member"), ("hoa", "moderator"), ("an", "owner")] {
        house.add(name, role).await;
    }
    let cookies = [
        house.log_in_as("minh", PASSWORD).await.cookie(),
        house.log_in_as("hoa", PASSWORD).await.cookie(),
        house.log_in_as("an", PASSWORD).await.cookie(),
    ];
    for (path, statuses) in [
        ("/", [200, 200, 200]),
        ("/keys", [200, 200, 200]),
        ("/reports", [403, 200, 200]),
        ("/devices", [403, 403, 200]),
        ("/copies", [403, 403, 200]),
    ] {
        for (cookie, status) in cookies.iter().zip(statuses) {
            assert_eq!(house.get(path, cookie).await.status.as_u16(), status, "{path} {cookie}");
        }
    }
    let cookie = house.log_in().await;
    assert_eq!(house.get("/devices", &cookie).await.status, StatusCode::OK, "by a link of the owner");
    house.close().await;
}

#[tokio::test]
async fn r_api_8_an_app_of_a_member_learns_nothing_of_the_whole_node() {
    let house = house(Registration::Open).await;
    let app = house.register("Elk", "read write xom:network xom:entries").await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", app.id.as_str()),
        ("client_secret", app.secret.as_str()),
        ("scope", "write read xom:network xom:entries"),
    ];
    let token = text(&json_of(&house.post("/oauth/token", "", &form).await, 200), "access_token");
    let body = json!({"username": "minh", "password": PASSWORD, "agreement": true});
    let minh = text(&json_of(&house.api("POST", "/api/v1/accounts", &token, &body).await, 200), "access_token");
    let owner = house.token_of(&app, "read xom:network xom:entries").await;
    for path in ["/api/xom/v1/status", "/api/xom/v1/peers", "/api/xom/v1/sync", "/api/xom/v1/logs"] {
        assert_eq!(house.api("GET", path, &minh, &json!({})).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(house.api("GET", path, &owner, &json!({})).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(house.api("GET", "/api/xom/v1/accounts", &owner, &json!({})).await.status, StatusCode::FORBIDDEN);
    house.close().await;
}

#[tokio::test]
async fn closing_an_account_ends_its_sessions_and_its_apps_and_a_new_password_opens_it() {
    let house = house(Registration::Open).await;
    let token = text(&json_of(&house.register_as("minh", &json!({})).await, 200), "access_token");
    let cookie = house.log_in_as("minh", PASSWORD).await.cookie();
    json_of(&house.owner("DELETE", "/accounts/minh", &json!({})).await, 200);
    assert_eq!(house.get("/notifications", &cookie).await.status, StatusCode::UNAUTHORIZED);
    let home = house.api("GET", "/api/v1/timelines/home", &token, &json!({})).await;
    assert_eq!(home.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.log_in_as("minh", PASSWORD).await.status, StatusCode::FORBIDDEN);

    let opened = json_of(&house.owner("POST", "/accounts/minh/password", &json!({})).await, 200);
    let made = text(&opened, "password");
    assert_eq!(house.log_in_as("minh", &made).await.status, StatusCode::SEE_OTHER);
    assert_eq!(house.get("/notifications", &cookie).await.status, StatusCode::UNAUTHORIZED, "of the old password");
    assert_eq!(house.owner("DELETE", "/accounts/lan", &json!({})).await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.owner("DELETE", "/accounts/nobody", &json!({})).await.status, StatusCode::NOT_FOUND);
    house.close().await;
}

#[tokio::test]
async fn a_password_is_not_guessed_without_end_and_others_are_not_locked_out() {
    let house = House::new("lan").await;
    house.add("minh", "member").await;
    house.add("hoa", "member").await;
    for _ in 0..TRIES_MAX {
        assert_eq!(house.log_in_as("minh", "falsch geraten").await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(house.log_in_as("minh", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(house.log_in_as("hoa", PASSWORD).await.status, StatusCode::SEE_OTHER);
    house.close().await;
}

#[tokio::test]
async fn r_api_2_a_login_form_of_another_site_is_refused_and_leads_nowhere_else() {
    let house = House::new("lan").await;
    house.add("minh", "member").await;
    let form = [("username", "minh"), ("password", PASSWORD), ("next", "https://evil.example/")];
    let answer = house.post("/login", "", &form).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/welcome"));
    let body = serde_urlencoded::to_string(form).expect("a form");
    let foreign = axum::http::Request::post("/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://evil.example")
        .body(axum::body::Body::from(body));
    assert_eq!(house.send(foreign.expect("a request")).await.status, StatusCode::FORBIDDEN);
    house.close().await;
}

#[tokio::test]
async fn what_is_reported_reaches_the_page_of_the_owner() {
    let house = house(Registration::Open).await;
    let token = text(&json_of(&house.register_as("minh", &json!({})).await, 200), "access_token");
    let owner = json_of(&house.api("GET", "/api/v1/accounts/lookup?acct=lan", &token, &json!({})).await, 200);
    let report = json!({"account_id": text(&owner, "id"), "comment": "<b>quá ồn</b>", "category": "spam"});
    json_of(&house.api("POST", "/api/v1/reports", &token, &report).await, 200);
    let page = house.get("/reports", &house.log_in().await).await;
    assert!(page.body.contains("@minh") && page.body.contains("&lt;b&gt;quá ồn"), "{}", page.body);
    house.close().await;
}
