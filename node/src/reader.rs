//! Reading the views on one snapshot.

use xom_protocol::{Did, EntryId};

use crate::error::StoreError;
use crate::model::*;

/// One consistent snapshot of the store. Blocking: use it through [`crate::Handle::read`].
pub struct Reader {}

/// What a read answers.
pub type Read<T> = Result<T, StoreError>;

impl Reader {
    /// The identities of this node, oldest first.
    pub fn local_identities(&self) -> Read<Vec<LocalIdentity>> {
        unimplemented!()
    }
    /// An account by DID; none if nothing is known of it.
    pub fn account(&self, did: &Did) -> Read<Option<Account>> {
        unimplemented!()
    }
    /// An account by its local id.
    pub fn account_by_id(&self, id: AccountId) -> Read<Option<Account>> {
        unimplemented!()
    }
    /// A DID, `lan`, `@lan`, `lan@<short>.xom` (any user name before the short DID) to an account.
    pub fn resolve_account(&self, text: &str) -> Read<Option<Account>> {
        unimplemented!()
    }
    /// A status that is live.
    pub fn status(&self, viewer: Option<&Did>, id: StatusId) -> Read<Option<Status>> {
        unimplemented!()
    }
    /// A Mastodon id, an entry id or its unique prefix.
    pub fn find_status(&self, text: &str) -> Read<FoundStatus> {
        unimplemented!()
    }
    /// The status that an entry is.
    pub fn status_of_entry(&self, entry: &EntryId) -> Read<Option<StatusId>> {
        unimplemented!()
    }
    /// Own posts, posts and reposts of follows, replies as Mastodon shows them; newest first.
    pub fn home(&self, viewer: &Did, page: &Page) -> Read<Vec<Status>> {
        unimplemented!()
    }
    /// All public posts held, without reposts.
    pub fn public(&self, viewer: Option<&Did>, scope: PublicScope, only_media: bool, page: &Page) -> Read<Vec<Status>> {
        unimplemented!()
    }
    /// Public posts with tags; tags compare case-folded, accents count.
    pub fn tag(
        &self,
        viewer: Option<&Did>,
        filter: &TagFilter,
        scope: PublicScope,
        only_media: bool,
        page: &Page,
    ) -> Read<Vec<Status>> {
        unimplemented!()
    }
    /// An author's statuses, imports in their old place.
    pub fn author_statuses(
        &self,
        viewer: Option<&Did>,
        author: &Did,
        filter: &AuthorFilter,
        page: &Page,
    ) -> Read<Vec<Status>> {
        unimplemented!()
    }
    /// The thread around a status.
    pub fn context(&self, viewer: Option<&Did>, id: StatusId) -> Read<Option<Context>> {
        unimplemented!()
    }
    /// Notifications, newest first.
    pub fn notifications(
        &self,
        viewer: &Did,
        kinds: Option<&[NotificationKind]>,
        excluded: &[NotificationKind],
        from: Option<AccountId>,
        page: &Page,
    ) -> Read<Vec<Notification>> {
        unimplemented!()
    }
    /// One notification.
    pub fn notification(&self, viewer: &Did, id: NotificationId) -> Read<Option<Notification>> {
        unimplemented!()
    }
    /// Who follows, newest first, each with the cursor that pages.
    pub fn followers(&self, did: &Did, page: &Page) -> Read<Vec<(u64, Account)>> {
        unimplemented!()
    }
    /// Who is followed, newest first, each with the cursor that pages.
    pub fn following(&self, did: &Did, page: &Page) -> Read<Vec<(u64, Account)>> {
        unimplemented!()
    }
    /// Who reacted, newest first.
    pub fn favourited_by(&self, id: StatusId, page: &Page) -> Read<Vec<(u64, Account)>> {
        unimplemented!()
    }
    /// Who reposted, newest first.
    pub fn reposted_by(&self, id: StatusId, page: &Page) -> Read<Vec<(u64, Account)>> {
        unimplemented!()
    }
    /// How a viewer stands to another account.
    pub fn relationship(&self, viewer: &Did, other: &Did) -> Read<Relationship> {
        unimplemented!()
    }
    /// An upload.
    pub fn media(&self, id: MediaId) -> Read<Option<Media>> {
        unimplemented!()
    }
    /// Which of these original addresses an identity has imported already, with their statuses.
    pub fn imported(&self, identity: &Did, sources: &[String]) -> Read<Vec<(String, StatusId)>> {
        unimplemented!()
    }
    /// Every log held, of all identities.
    pub fn logs(&self) -> Read<Vec<LogView>> {
        unimplemented!()
    }
}
