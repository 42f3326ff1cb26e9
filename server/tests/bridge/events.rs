//! Events as pages, as a long poll, as a stream and as lines.

use super::common::{Reply, TOKEN, TestServer, soon};
use super::*;

const EVENTS: &str = "/api/v1/sessions/vm/events";

async fn page(server: &TestServer, query: &str) -> Value {
    let reply = server.get(&format!("{EVENTS}?{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text);
    reply.json()
}

#[tokio::test]
async fn pages_go_by_number_time_name_and_expression() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    emit(&server, 1..=10).await;
    for (query, expected, next) in [
        ("", vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 10),
        ("limit=3", vec![8, 9, 10], 10),
        ("after=0&limit=3", vec![1, 2, 3], 3),
        ("after=3&limit=3", vec![4, 5, 6], 6),
        ("after=10", vec![], 10),
        ("before=4", vec![1, 2, 3], 3),
        ("before=4&limit=2", vec![2, 3], 3),
        ("after=1&before=4", vec![2, 3], 3),
        // From a number or a time on it goes forward, so that `next` goes on.
        ("after=1&before=9&limit=3", vec![2, 3, 4], 4),
        ("after=4&before=9&limit=3", vec![5, 6, 7], 7),
        ("after=7&before=9&limit=3", vec![8], 8),
        ("after=8&before=4", vec![], 8),
        (
            "since=2001-01-01T00:00:00Z&before=5&limit=3",
            vec![1, 2, 3],
            3,
        ),
        ("names=EVEN&limit=2", vec![8, 10], 10),
        ("names=EVEN&after=0&limit=2", vec![2, 4], 4),
        // What was filtered out has been looked at.
        ("names=NONE&after=0", vec![], 10),
        ("names=E*,O*&before=3", vec![1, 2], 2),
        ("where=%40.data.n%20%3E%208", vec![9, 10], 10),
        ("where=%40.data.n%20%3E%208&names=ODD", vec![9], 10),
        ("since=2001-01-01T00:00:00Z&limit=2", vec![1, 2], 2),
        ("since=2999-01-01T00:00:00Z", vec![], 10),
        ("until=2001-01-01T00:00:00Z", vec![], 0),
        ("until=2999-01-01T00:00:00Z&limit=1", vec![10], 10),
    ] {
        let page = page(&server, query).await;
        assert_eq!(numbers(&page), expected, "{query}");
        assert_eq!(page["next"], next, "{query}");
    }
    // Between two events, to the microsecond.
    let all = page(&server, "").await;
    let time = |n: usize| {
        all["events"][n - 1]["received"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let between = page(&server, &format!("since={}&until={}", time(4), time(6))).await;
    assert_eq!(numbers(&between), [4, 5, 6]);
    assert!(all["events"][0]["event"]["timestamp"]["seconds"].is_u64());
}

#[tokio::test]
async fn a_query_that_is_wrong_says_what_is() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    for (query, mentions) in [
        ("limit=0", "`limit` is 0"),
        ("limit=10001", "10000"),
        ("limit=x", "limit"),
        ("after=1", "beyond the newest number 0"),
        ("after=-1", "after"),
        ("wait=1", "`after`"),
        ("after=0&wait=61", "`wait` is 61"),
        ("since=yesterday", "since"),
        ("names=A,,B", "name 2"),
        ("colour=red", "colour"),
    ] {
        let reply = server.get(&format!("{EVENTS}?{query}")).await;
        reply.is_problem(400, "invalid-request", &[mentions]);
    }
    let reply = server
        .get(&format!("{EVENTS}?where=%40.a%20%3D%3D%20"))
        .await;
    let problem = reply.is_problem(400, "invalid-request", &["`where`"]);
    assert!(problem["column"].is_u64(), "{problem}");
    let unknown = server.get("/api/v1/sessions/none/events").await;
    unknown.is_problem(404, "not-found", &["none"]);
}

#[tokio::test]
async fn a_long_poll_answers_with_the_first_that_matches() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    emit(&server, [1]).await;
    let waits = page(&server, "after=0&names=EVEN&wait=20");
    let (found, ()) = tokio::join!(waits, emit(&server, [3, 5, 2]));
    assert_eq!(numbers(&found), [2]);
    assert_eq!(found["next"], 4);
    let none = page(&server, "after=4&wait=0.05").await;
    assert_eq!((numbers(&none), &none["next"]), (vec![], &json!(4)));
}

#[tokio::test]
async fn lines_are_all_there_is_unless_bounded() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    emit(&server, 1..=5).await;
    let lines = async |query: &str| {
        let request = server.http.get(server.url(&format!("{EVENTS}?{query}")));
        let request = request
            .bearer_auth(TOKEN)
            .header("accept", "application/x-ndjson");
        let reply = Reply::of(request).await;
        assert_eq!(reply.header("content-type"), "application/x-ndjson");
        let parse = |line| serde_json::from_str::<Value>(line).unwrap();
        let lines: Vec<Value> = reply.text.lines().map(parse).collect();
        numbers(&json!({ "events": lines }))
    };
    assert_eq!(lines("").await, [1, 2, 3, 4, 5]);
    assert_eq!(lines("names=ODD").await, [1, 3, 5]);
    assert_eq!(lines("after=1&limit=2").await, [2, 3]);
    // Bounded without a start: the newest, as a page has them.
    assert_eq!(lines("limit=2").await, [4, 5]);
    assert_eq!(lines("before=4&limit=2").await, [2, 3]);
    assert_eq!(lines("before=4").await, [1, 2, 3]);
    assert_eq!(lines("names=ODD&limit=2").await, [3, 5]);
    assert_eq!(lines("until=2999-01-01T00:00:00Z&limit=1").await, [5]);
    assert_eq!(
        lines("since=2001-01-01T00:00:00Z&limit=1").await,
        [1],
        "from a time on"
    );
    for query in ["after=0&wait=1", "wait=1", "marks=true"] {
        let request = server.http.get(server.url(&format!("{EVENTS}?{query}")));
        let request = request.bearer_auth(TOKEN);
        let reply = Reply::of(request.header("accept", "application/x-ndjson")).await;
        reply.is_problem(400, "invalid-request", &["pages"]);
    }
}

#[tokio::test]
async fn a_stream_goes_on_from_the_last_event_id() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    emit(&server, 1..=3).await;
    let open = async |last: Option<&str>, query: &str| {
        let request = server.http.get(server.url(&format!("{EVENTS}?{query}")));
        let mut request = request
            .bearer_auth(TOKEN)
            .header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        request.send().await.unwrap()
    };
    let mut stream = open(Some("1"), "").await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    emit(&server, [4]).await;
    soon(async {
        while !text.contains("id: 4\n") || !text.ends_with("\n\n") {
            text += str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
        }
    })
    .await;
    let ids: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    assert_eq!(ids, ["2", "3", "4"]);
    let data = text
        .lines()
        .find_map(|line| line.strip_prefix("data: "))
        .unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        (&data["seq"], &data["event"]["data"]["n"]),
        (&json!(2), &json!(2))
    );

    for (last, query) in [
        (Some("x"), ""),
        (Some("99"), ""),
        (None, "before=3"),
        (None, "wait=1"),
    ] {
        assert_eq!(
            open(last, query).await.status().as_u16(),
            400,
            "{last:?} {query}"
        );
    }
}

#[tokio::test]
async fn a_command_comes_with_the_event_that_it_causes() {
    let fake = emitter().await;
    let server = TestServer::on(&fake).await;
    let reply = server
        .execute(
            "vm",
            r#"{"execute":"emit2","id":7,"expect":{"names":["EVEN"],"where":"@.data.n == 2"}}"#,
        )
        .await;
    let found = reply.json();
    assert_eq!((&found["return"], &found["id"]), (&json!({}), &json!(7)));
    assert_eq!(found["expected"]["data"]["n"], 2);

    let reply = server
        .execute(
            "vm",
            r#"{"execute":"emit2","expect":{"names":["ODD"],"timeout":0.05}}"#,
        )
        .await;
    let problem = reply.is_problem(504, "timeout", &["executed"]);
    assert_eq!(
        (&problem["outcome"], &problem["return"]),
        (&json!("done"), &json!({}))
    );

    // One that comes after the reply is waited for.
    let waits = server.execute("vm", r#"{"execute":"emit2","expect":{"names":["ODD"]}}"#);
    let (reply, ()) = tokio::join!(waits, async {
        fake.received(5).await.unwrap();
        emit(&server, [3]).await;
    });
    assert_eq!(reply.json()["expected"]["data"]["n"], 3);
    let bad = server
        .execute("vm", r#"{"execute":"emit2","expect":{"where":"@.a =="}}"#)
        .await;
    bad.is_problem(400, "invalid-request", &["`where`"]);
}
