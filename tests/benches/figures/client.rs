//! An app: one connection that is kept, and the owner's token.

use ureq::Agent;
use xom_tests::Home;

/// One client of a home.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    authorization: String,
}

impl Client {
    pub(crate) fn of(home: &Home) -> Self {
        Self {
            agent: Agent::new_with_defaults(),
            base: home.url(""),
            authorization: format!("Bearer {}", home.token()),
        }
    }

    /// Publishes a post; durable when it returns.
    pub(crate) fn publish(&self, text: &str) {
        let request = self.agent.post(format!("{}/api/v1/statuses", self.base));
        let answer = request.header("Authorization", &self.authorization).send_json(crate::post_body(text));
        let mut answer = answer.unwrap_or_else(|e| panic!("POST: {e}"));
        answer.body_mut().read_to_vec().unwrap_or_else(|e| panic!("POST: {e}"));
    }

    /// Gets a text.
    pub(crate) fn get(&self, path: &str) -> String {
        let request = self.agent.get(format!("{}{path}", self.base));
        let answer = request.header("Authorization", &self.authorization).call();
        let mut answer = answer.unwrap_or_else(|e| panic!("GET {path}: {e}"));
        answer.body_mut().read_to_string().unwrap_or_else(|e| panic!("GET {path}: {e}"))
    }
}
