//! Accounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use xom_node::model::{self, AccountId};
use xom_node::private::PostingDefaults;

use super::{date, html, timestamp};
use crate::http::Base;
use crate::people;

/// Somebody.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    id: String,
    username: String,
    acct: String,
    display_name: String,
    locked: bool,
    bot: bool,
    discoverable: Option<bool>,
    indexable: bool,
    group: bool,
    created_at: String,
    note: String,
    url: String,
    /// The DID.
    uri: String,
    avatar: String,
    avatar_static: String,
    avatar_description: String,
    header: String,
    header_static: String,
    header_description: String,
    followers_count: u64,
    following_count: u64,
    statuses_count: u64,
    last_status_at: Option<String>,
    hide_collections: bool,
    noindex: bool,
    emojis: [(); 0],
    roles: [(); 0],
    fields: Vec<Field>,
}

/// A free field of a profile.
#[derive(Debug, Clone, Serialize)]
pub struct Field {
    name: String,
    value: String,
    verified_at: Option<String>,
}

/// The caller's own account.
#[derive(Debug, Clone, Serialize)]
pub struct CredentialAccount {
    #[serde(flatten)]
    account: Account,
    source: Source,
    role: Role,
}

#[derive(Debug, Clone, Serialize)]
struct Source {
    privacy: &'static str,
    sensitive: bool,
    language: Option<String>,
    note: String,
    fields: Vec<Field>,
    follow_requests_count: u64,
    indexable: bool,
    discoverable: bool,
    hide_collections: bool,
    attribution_domains: [(); 0],
    quote_policy: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct Role {
    id: &'static str,
    name: &'static str,
    permissions: &'static str,
    color: &'static str,
    highlighted: bool,
}

impl Account {
    /// An account as clients see it.
    pub fn new(base: &Base, account: &model::Account) -> Self {
        let avatar = account.avatar.as_ref();
        let avatar = avatar.map_or_else(|| base.placeholder_avatar(&account.did), |found| base.blob(&found.blob));
        let header = account.header.as_ref();
        let header = header.map_or_else(|| base.placeholder_header(&account.did), |found| base.blob(&found.blob));
        let description = |picture: &Option<xom_protocol::body::Attachment>| {
            picture.as_ref().map(|picture| picture.alt.clone()).unwrap_or_default()
        };
        Self {
            id: account.id.0.to_string(),
            username: account.username.clone(),
            acct: account.acct.clone(),
            display_name: account.name.clone(),
            locked: account.locked,
            bot: account.bot,
            discoverable: Some(false),
            indexable: false,
            group: false,
            created_at: timestamp(account.created_ms),
            note: html::of_text(&account.bio),
            url: base.account(&account.acct),
            uri: account.did.to_string(),
            avatar_static: avatar.clone(),
            avatar,
            avatar_description: description(&account.avatar),
            header_static: header.clone(),
            header,
            header_description: description(&account.header),
            followers_count: account.followers,
            following_count: account.following,
            statuses_count: account.statuses,
            last_status_at: account.last_status_ms.map(date),
            hide_collections: false,
            noindex: true,
            emojis: [],
            roles: [],
            fields: fields(account, html::of_line),
        }
    }
}

/// An account that several statuses of one answer show: it is made, and written as JSON, once.
#[derive(Debug, Clone)]
pub struct SharedAccount(Arc<RawValue>);

impl Serialize for SharedAccount {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

/// The accounts of one answer.
pub struct Accounts<'b> {
    /// For addresses.
    pub base: &'b Base,
    made: BTreeMap<AccountId, SharedAccount>,
}

impl<'b> Accounts<'b> {
    /// None made yet.
    pub fn new(base: &'b Base) -> Self {
        Self { base, made: BTreeMap::new() }
    }

    /// An account as clients see it.
    pub fn show(&mut self, account: &model::Account) -> SharedAccount {
        let made = || {
            let json = to_raw_value(&Account::new(self.base, account)).expect("an account has nothing but text keys");
            SharedAccount(Arc::from(json))
        };
        self.made.entry(account.id).or_insert_with(made).clone()
    }
}

impl CredentialAccount {
    /// The caller's own account, with what it can edit.
    pub fn new(base: &Base, account: &model::Account, posting: &PostingDefaults) -> Self {
        let source = Source {
            privacy: if posting.unlisted { "unlisted" } else { "public" },
            sensitive: posting.sensitive,
            language: posting.language.clone(),
            note: account.bio.clone(),
            fields: fields(account, str::to_owned),
            follow_requests_count: 0,
            indexable: false,
            discoverable: false,
            hide_collections: false,
            attribution_domains: [],
            quote_policy: "public",
        };
        let role = Role { id: "-99", name: "", permissions: "0", color: "", highlighted: false };
        Self { account: Account::new(base, account), source, role }
    }

    /// With what the person may do on this node.
    pub fn with_role(mut self, role: people::Role) -> Self {
        (self.role.id, self.role.name, self.role.highlighted) = match role {
            people::Role::Owner => ("3", "Owner", true),
            people::Role::Moderator => ("1", "Moderator", true),
            people::Role::Member => ("-99", "", false),
        };
        self
    }
}

fn fields(account: &model::Account, value: impl Fn(&str) -> String) -> Vec<Field> {
    let field = |field: &xom_protocol::body::ProfileField| Field {
        name: field.name.clone(),
        value: value(&field.value),
        verified_at: None,
    };
    account.fields.iter().map(field).collect()
}
