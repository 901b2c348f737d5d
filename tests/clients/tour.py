"""What people do with Mastodon.py, on two nodes: arguments are their addresses, Minh's DID, and a picture."""

import os
import sys
import time

from mastodon import Mastodon, MastodonNotFoundError, StreamListener

SCOPES = ["read", "write", "follow"]
WAIT_SECONDS_MAX = 60

lan_url, minh_url, minh_did, picture = sys.argv[1:]


def until(what, look):
    """Looks again and again until there is something, and answers it."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not before the deadline: {what}"
        time.sleep(0.1)


def done(step):
    print(f"done {step}", flush=True)


def at(api, text):
    return next((status for status in api.timeline_home() if text in status.content), None)


client_id, client_secret = Mastodon.create_app("Mastodon.py", scopes=SCOPES, api_base_url=lan_url)
api = Mastodon(client_id=client_id, client_secret=client_secret, api_base_url=lan_url)
print("open", api.auth_request_url(scopes=SCOPES, allow_http=True), flush=True)
api.log_in(code=sys.stdin.readline().strip(), scopes=SCOPES, allow_http=True)
assert api.me().username == "lan"
assert api.app_verify_credentials().name == "Mastodon.py"
done("logs in by OAuth")

minh = Mastodon(access_token=os.environ["MINH_TOKEN"], api_base_url=minh_url)
him = api.search_v2(minh_did, resolve=True, result_type="accounts").accounts[0]
assert api.account_follow(him).following
minh.status_post("từ nút khác")
his = until("the post is at home", lambda: at(api, "từ nút khác"))
done("finds and follows somebody on another node, whose posts arrive")

media = api.media_post(picture, description="một cánh đồng", synchronous=True)
mine = api.status_post("có ảnh #xóm", media_ids=[media], idempotency_key="once")
assert api.status_post("có ảnh #xóm", media_ids=[media], idempotency_key="once").id == mine.id
assert mine.media_attachments[0].description == "một cánh đồng"
there = until("the picture is at the follower's", lambda: at(minh, "có ảnh"))
assert there.media_attachments[0].description == "một cánh đồng"
done("posts with a picture, once for each key")

reply = api.status_reply(his, "chào Minh")
assert [status.id for status in api.status_context(his).descendants] == [reply.id]
assert api.status_reblog(his).reblog.id == his.id
assert api.status_favourite(his).favourited
assert api.status_bookmark(his).bookmarked
assert [status.id for status in api.bookmarks()] == [his.id]
edited = api.status_update(reply, "chào Minh, khoẻ không?")
assert edited.edited_at and len(api.status_history(reply)) == 2
assert "khoẻ không" in api.status_source(reply).text
assert not api.status_unfavourite(his).favourited
api.status_unreblog(his)
done("replies, boosts, favourites, bookmarks, edits, and takes it back")

asked = api.status_post("ăn gì?", poll=api.make_poll(["phở", "bún"], 3600))
question = until("the poll is at the follower's", lambda: at(minh, "ăn gì?"))
minh.poll_vote(question.poll, [1])
until("the vote counts", lambda: api.poll(asked.poll).options[1].votes_count == 1)
done("asks in a poll, in which the follower votes")

minh.status_favourite(there)
minh.status_reply(there, "@lan đẹp quá")
until("the mention", lambda: any(one.type == "mention" for one in api.notifications()))
groups = api.grouped_notifications()
assert any(group.type == "favourite" for group in groups.notification_groups)
done("is notified, in both shapes")

friends = api.list_create("bạn")
api.list_accounts_add(friends, him)
assert [account.id for account in api.list_accounts(friends)] == [him.id]
assert any("từ nút khác" in status.content for status in api.timeline_list(friends))
noise = api.create_filter_v2("ồn", ["home"], "warn", keywords_attributes=[{"keyword": "từ nút khác", "whole_word": False}])
assert at(api, "từ nút khác").filtered[0].filter.title == "ồn"
api.delete_filter_v2(noise)
assert api.search_v2("minh", result_type="accounts").accounts[0].id == him.id
done("keeps lists and filters, and searches")


class Ears(StreamListener):
    """Keeps what is heard."""

    def __init__(self):
        self.updates, self.deletes = [], []

    def on_update(self, status):
        self.updates.append(status.id)

    def on_delete(self, status_id):
        self.deletes.append(status_id)


ears = Ears()
assert api.stream_healthy()
stream = api.stream_user(ears, run_async=True)
# What is posted before the stream is open is not heard: so again until it is.
until("an update is heard", lambda: api.status_post("nghe thấy không?").id in ears.updates)
gone = api.status_post("sắp xoá")
until("it is heard", lambda: gone.id in ears.updates)
api.status_delete(gone)
until("its end is heard", lambda: gone.id in ears.deletes)
stream.close()
try:
    api.status(gone)
    raise AssertionError("it is still there")
except MastodonNotFoundError:
    pass
done("hears of a new post, and of one that is erased")
