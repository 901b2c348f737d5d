//! What a person may do on the node, and how strangers become people of it.

use std::fmt;
use std::str::FromStr;

use super::limits::REGISTRATIONS_HOUR_MAX;

/// What a person may do on the node, beside what is done with the own identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Nothing.
    Member,
    /// Reads what people have reported.
    Moderator,
    /// All that the page can do: devices, guardians, copies.
    Owner,
}

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Registration {
    /// Nobody.
    #[default]
    Closed,
    /// Who has a code from the owner.
    Invite,
    /// Anybody.
    Open,
}

/// How strangers become people of this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Who may register.
    pub registration: Registration,
    /// How many may do so in an hour.
    pub per_hour: u32,
}

/// A word that names no role, or no way to register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// Not a role.
    #[error("a role is owner, moderator or member")]
    Role,
    /// Not a way to register.
    #[error("registration is closed, invite or open")]
    Registration,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Member, Self::Moderator, Self::Owner];

    /// Its name in records, commands and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(RoleError::Role)
    }
}

impl FromStr for Registration {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        match text {
            "closed" => Ok(Self::Closed),
            "invite" => Ok(Self::Invite),
            "open" => Ok(Self::Open),
            _ => Err(RoleError::Registration),
        }
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self { registration: Registration::Closed, per_hour: REGISTRATIONS_HOUR_MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_as_it_is_written_and_an_owner_may_most() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("admin".parse::<Role>(), Err(RoleError::Role));
        assert!(Role::Owner > Role::Moderator && Role::Moderator > Role::Member);
    }

    #[test]
    fn nobody_may_register_unless_the_settings_say_so() {
        assert_eq!(Terms::default().registration, Registration::Closed);
        assert_eq!("open".parse(), Ok(Registration::Open));
        assert_eq!("yes".parse::<Registration>(), Err(RoleError::Registration));
    }
}
