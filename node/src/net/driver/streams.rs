//! Streams: conversations that begin and end, and blobs that are asked for.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use libp2p::{PeerId, Stream};
use tokio::task::JoinError;
use tokio::time::timeout;
use xom_protocol::sync::CloseReason;

use super::{Driver, Ended};
use crate::net::SYNC_PROTOCOL;
use crate::net::conversation::{Conversation, End};
use crate::net::sessions::Permit;

/// How long the opening of a stream may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

impl Driver {
    pub(super) fn open_conversation(&mut self, peer: PeerId, permit: Permit) {
        let number = permit.number;
        let conversation = self.conversation(peer, permit, true);
        let mut control = self.control.clone();
        let talk = async move {
            match timeout(OPEN_TIMEOUT, control.open_stream(peer, SYNC_PROTOCOL)).await {
                Ok(Ok(stream)) => conversation.run(stream).await,
                Ok(Err(cause)) => End::Lost(cause.to_string()),
                Err(_) => End::Lost("the stream was not opened in time".to_owned()),
            }
        };
        self.conversations.spawn(ending(peer, number, talk));
    }

    pub(super) fn on_sync_stream(&mut self, peer: PeerId, stream: Stream) {
        let Some(permit) = self.sessions.accept(peer, Instant::now()) else {
            tracing::debug!(%peer, "stream not taken");
            return;
        };
        if self.book.talks(&peer) {
            self.tell_connected();
            self.remember(&peer);
        }
        let number = permit.number;
        let conversation = self.conversation(peer, permit, false);
        self.conversations.spawn(ending(peer, number, conversation.run(stream)));
    }

    pub(super) fn on_blob_stream(&mut self, peer: PeerId, stream: Stream) {
        let tally = Arc::clone(&self.standing(peer).tally);
        if let Some(serve) = self.serving.serve(peer, tally, stream) {
            self.served.spawn(serve);
        }
    }

    pub(super) fn on_recover_stream(&mut self, peer: PeerId, stream: Stream) {
        let tally = Arc::clone(&self.standing(peer).tally);
        if let Some(answer) = self.answering.answer(peer, tally, stream) {
            self.served.spawn(answer);
        }
    }

    pub(super) fn on_keep_stream(&mut self, peer: PeerId, stream: Stream) {
        let tally = Arc::clone(&self.standing(peer).tally);
        if let Some(answer) = self.keeping.answer(peer, tally, stream) {
            self.served.spawn(answer);
        }
    }

    pub(super) fn on_conversation_end(&mut self, ended: Result<Ended, JoinError>) {
        let Ended { peer, number, end } = match ended {
            Ok(ended) => ended,
            Err(cause) => return tracing::error!(%cause, "a conversation was aborted"),
        };
        tracing::debug!(%peer, %end, "conversation ended");
        let again = matches!(end, End::Again);
        self.sessions.ended(&peer, number, again, Instant::now());
        self.shared.own_heads().ended(&peer, number);
        let (rule, counted) = match end {
            End::Breach(rule) => (rule, false),
            End::Closed(CloseReason::Refused(rule)) => (rule, true),
            _ => return,
        };
        if !counted {
            let tally = Arc::clone(&self.standing(peer).tally);
            self.shared.ingest.refuse(&tally, rule);
        }
        self.punish(peer, rule);
    }

    fn conversation(&mut self, peer: PeerId, permit: Permit, outgoing: bool) -> Conversation {
        let standing = self.standing(peer).clone();
        self.shared.own_heads().begun(peer, permit.number);
        Conversation {
            shared: Arc::clone(&self.shared),
            peer,
            tally: standing.tally,
            budget: standing.budget,
            outgoing,
            stop: permit.stop,
        }
    }
}

/// A conversation with its end; a panic in it is an end like any other, and costs nobody else anything.
async fn ending(peer: PeerId, number: u64, talk: impl Future<Output = End>) -> Ended {
    let end = AssertUnwindSafe(talk).catch_unwind().await;
    let end = end.unwrap_or_else(|_| End::Lost("the conversation broke down".to_owned()));
    Ended { peer, number, end }
}
