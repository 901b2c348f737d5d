//! What HTML becomes.

use super::{HTML_BYTES_MAX, HTML_TAGS_MAX, HtmlTooLarge, KnownMention, html_to_text};

fn check(html: &str, text: &str) {
    assert_eq!(html_to_text(html, &[]).expect("within limits").text, text, "of {html}");
}

#[test]
fn paragraphs_are_set_apart_by_a_blank_line_and_br_ends_a_line() {
    check("<p>one</p><p>two<br>three<br/><br />four</p>", "one\n\ntwo\nthree\n\nfour");
    check("<p>one<br></p>\n<p>two</p>", "one\n\ntwo");
    check("<div>one</div><br><div>two</div><div>three</div>", "one\n\ntwo\nthree");
    check("plain\n text", "plain text");
    check("", "");
    check("<p></p><p> </p>", "");
}

#[test]
fn white_space_is_as_a_browser_shows_it() {
    check("<p>  a \t\n b <b> c</b>d  <br>  e </p>", "a b cd\ne");
    check("a&nbsp;&nbsp;b", "a\u{a0}\u{a0}b");
    check("<p>one</p>  \n  two", "one\n\ntwo");
    check("<pre>  a\n    b\n\nc </pre><p>d</p>", "  a\n    b\n\nc\n\nd");
    check("<pre><code>fn main() {\n    run();\n}\n</code></pre>", "fn main() {\n    run();\n}");
}

#[test]
fn entities_are_read_once() {
    check("<p>&lt;b&gt; &amp;amp; &quot;x&quot; &#39;y&#39; &#x1F600;</p>", "<b> &amp; \"x\" 'y' 😀");
}

#[test]
fn a_shortened_link_is_written_in_full() {
    let html = "<p>see <a href=\"https://example.com/a/long/path?x=1&amp;y=2\" rel=\"nofollow\">\
        <span class=\"invisible\">https://</span><span class=\"ellipsis\">example.com/a/long</span>\
        <span class=\"invisible\">/path?x=1&amp;y=2</span></a>.</p>";
    check(html, "see https://example.com/a/long/path?x=1&y=2.");
    assert_eq!(html_to_text(html, &[]).expect("within limits").links, ["https://example.com/a/long/path?x=1&y=2"]);
    check("<a href='https://www.example.com/long/path'>example.com/lo…</a>", "https://www.example.com/long/path");
    check("<a href='https://example.com/'>example.com</a>", "https://example.com/");
    check("<a href='https://vi.example/%C4%91'>https://vi.example/đ</a>", "https://vi.example/%C4%91");
}

#[test]
fn any_other_link_keeps_its_text_and_its_address() {
    check("<p>read <a href='https://a.example/x'>this page</a>!</p>", "read this page (https://a.example/x)!");
    check("<a href='https://evil.example/'>bank.example</a>", "bank.example (https://evil.example/)");
    check("<a href='mailto:lan@a.example'>write</a>", "write (mailto:lan@a.example)");
    check("<a href='https://a.example/x'></a>", "https://a.example/x");
    check("<a href='https://a.example/x'><img src='b' alt='a cat'></a>", "a cat (https://a.example/x)");
    check("one<a href='https://a.example/x'> two </a>three", "one two (https://a.example/x) three");
    check("<a>bare</a>", "bare");
    check("<a href='https://github.example'>git</a>", "git (https://github.example)");
    let links = html_to_text("<a href='https://a.example'>x</a> <a href='https://a.example'>y</a>", &[])
        .expect("within limits")
        .links;
    assert_eq!(links, ["https://a.example"]);
}

#[test]
fn hash_tags_keep_their_text_only() {
    let html = "<a href=\"https://m.example/tags/xom\" class=\"mention hashtag\" rel=\"tag\">#<span>Xóm</span></a>";
    check(html, "#Xóm");
    assert!(html_to_text(html, &[]).expect("within limits").links.is_empty());
    check("<a href='https://m.example/t/cats'>#cats</a>", "#cats");
    check("<a href='https://m.example/other'>#cats</a>", "#cats (https://m.example/other)");
}

#[test]
fn mentions_say_where_the_account_is() {
    let html = "<span class=\"h-card\"><a href=\"https://web.example/@bob\" class=\"u-url mention\">\
        @<span>bob</span></a></span> hi";
    check(html, "@bob@web.example hi");
    let bob = KnownMention { name: "@bob@names.example".to_owned(), url: "https://web.example/users/bob".to_owned() };
    let read = html_to_text(html, &[bob]).expect("within limits");
    assert_eq!(read.text, "@bob@names.example hi");
    assert_eq!(read.links, ["https://web.example/@bob"]);
    let full = "<a href='https://web.example/@bob' class='mention'>@bob@names.example</a>";
    check(full, "@bob@names.example");
    check("<a href='https://evil.example/x'>@bob</a>", "@bob (https://evil.example/x)");
}

#[test]
fn lists_and_quotations_keep_their_form() {
    check("<p>buy:</p><ul><li>milk</li><li>tea<ul><li>green</li></ul></li></ul>", "buy:\n\n- milk\n- tea\n  - green");
    check(
        "<ol start=\"3\"><li>three<br>lines</li><li><p>four</p></li></ol>end",
        "3. three\n   lines\n\n4. four\n\nend",
    );
    check("<p>she said</p><blockquote><p>a</p><p>b<br>c</p></blockquote><p>d</p>", "she said\n\n> a\n>\n> b\n> c\n\nd");
    check("a<hr>b", "a\n\n---\n\nb");
}

#[test]
fn script_style_and_comments_say_nothing() {
    check("a<script>alert(1)</script><style>p{}</style><!-- x -->b", "ab");
}

#[test]
fn the_deepest_nesting_is_read_without_losing_its_text() {
    let html = format!("{}core{}", "<div><blockquote>".repeat(1_000), "</blockquote></div>".repeat(1_000));
    assert!(html_to_text(&html, &[]).expect("within limits").text.ends_with("core"));
}

#[test]
fn html_that_would_take_long_to_parse_is_refused() {
    let tags = "<b>".repeat(HTML_TAGS_MAX + 1);
    assert_eq!(html_to_text(&tags, &[]), Err(HtmlTooLarge { bytes: tags.len(), tags: HTML_TAGS_MAX + 1 }));
    assert!(html_to_text(&"a".repeat(HTML_BYTES_MAX + 1), &[]).is_err());
}
