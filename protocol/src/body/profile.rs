//! The profile: each field is a register of its own, so that two devices can change two fields.

use serde::{Deserialize, Serialize};

use super::{Attachment, OpaqueReason, check_line, check_rev, check_text, ensure, given};
use crate::limits::{
    PROFILE_BIO_CHARS_MAX, PROFILE_FIELD_CHARS_MAX, PROFILE_FIELDS_MAX, PROFILE_NAME_CHARS_MAX, USERNAME_CHARS_MAX,
};

/// A change of one or more profile fields; what is absent stays as it was (`BODY-1`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Greater than that of any earlier value of the fields set here.
    pub rev: u64,
    /// `[a-z0-9_]{1,30}`; not unique.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The display name.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The biography, plain text.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    /// A picture; an empty list removes it. At most one.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub avatar: Option<Vec<Attachment>>,
    /// A wide picture; an empty list removes it. At most one.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub header: Option<Vec<Attachment>>,
    /// Free fields, all of them.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<ProfileField>>,
    /// The owner asks to approve followers.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// The account is automated.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub bot: Option<bool>,
}

/// One free field of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileField {
    /// Its label.
    pub name: String,
    /// Its text.
    pub value: String,
}

impl Profile {
    /// The names of the fields set here: the subjects of their registers.
    pub fn set_fields(&self) -> Vec<&'static str> {
        let set = [
            ("username", self.username.is_some()),
            ("name", self.name.is_some()),
            ("bio", self.bio.is_some()),
            ("avatar", self.avatar.is_some()),
            ("header", self.header.is_some()),
            ("fields", self.fields.is_some()),
            ("locked", self.locked.is_some()),
            ("bot", self.bot.is_some()),
        ];
        set.into_iter().filter_map(|(name, is_set)| is_set.then_some(name)).collect()
    }

    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        check_rev(self.rev)?;
        ensure(self.username.as_deref().is_none_or(is_username), "BODY-1", "user name")?;
        check_line(self.name.as_deref().unwrap_or(""), PROFILE_NAME_CHARS_MAX, "BODY-1", "display name")?;
        check_text(self.bio.as_deref().unwrap_or(""), PROFILE_BIO_CHARS_MAX, "BODY-1", "biography")?;
        for picture in [&self.avatar, &self.header].into_iter().flatten() {
            ensure(picture.len() <= 1, "BODY-1", "number of pictures")?;
            picture.iter().try_for_each(Attachment::check)?;
        }
        let fields = self.fields.as_deref().unwrap_or(&[]);
        ensure(fields.len() <= PROFILE_FIELDS_MAX, "BODY-1", "number of fields")?;
        fields.iter().try_for_each(|field| {
            check_line(&field.name, PROFILE_FIELD_CHARS_MAX, "BODY-1", "field name")?;
            check_text(&field.value, PROFILE_FIELD_CHARS_MAX, "BODY-1", "field value")
        })
    }
}

/// True for `[a-z0-9_]{1,30}` (`BODY-1`).
pub fn is_username(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    !text.is_empty() && text.len() <= USERNAME_CHARS_MAX && text.bytes().all(allowed)
}
