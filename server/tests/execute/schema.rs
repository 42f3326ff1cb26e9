//! The schema: verbatim, asked for once in a connection, and cached by its
//! reader.

use qmp_fake::{Action, Fake, Script};
use serde_json::Value;

use crate::common::{Reply, TOKEN, TestServer};

const SCHEMA: &str = r#"[{"name": "0", "meta-type": "command",  "ret-type": "1", "arg-type": "1"}, {"members": [], "meta-type": "object", "name": "1", "x": 18446744073709551616}]"#;

const PATH: &str = "/api/v1/sessions/vm/schema";

fn script() -> Script {
    let reply = format!(r#"{{"return": {SCHEMA}, "id": $id}}"#);
    Script::default().on("query-qmp-schema", [Action::send(reply)])
}

async fn asked(fake: &Fake) -> usize {
    let received = fake.received(0).await.unwrap();
    let asked = |name: &str| name == "query-qmp-schema";
    received.iter().filter(|it| asked(&it.name)).count()
}

#[tokio::test]
async fn the_schema_is_verbatim_and_cached_by_its_tag() {
    let fake = Fake::start(script()).await.unwrap();
    let server = TestServer::on(&fake).await;
    let reply = server.get(PATH).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "application/json");
    let start = format!(r#"{{"schema":{SCHEMA},"docs":"#);
    assert!(reply.text.starts_with(&start), "{:.200}", reply.text);
    assert_eq!(reply.header("cache-control"), "private, no-cache");
    let tag = reply.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    for (condition, status) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"other\", {tag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
        (tag.trim_matches('"').to_owned(), 200),
    ] {
        let request = server.http.get(server.url(PATH)).bearer_auth(TOKEN);
        let reply = Reply::of(request.header("if-none-match", &condition)).await;
        assert_eq!(reply.status, status, "{condition}");
        assert_eq!(reply.header("etag"), tag, "{condition}");
        assert_eq!(reply.text.is_empty(), status == 304, "{condition}");
    }
    assert_eq!(asked(&fake).await, 1);
    let vm = server.get("/api/v1/sessions/vm").await.json();
    assert_eq!(vm["counters"]["commands"], 0, "not one of the users: {vm}");
}

#[tokio::test]
async fn the_schema_is_asked_for_once_in_a_connection() {
    let mut actions = vec![Action::hold()];
    actions.extend(script().rule("query-qmp-schema"));
    let script = Script::default()
        .on("query-qmp-schema", actions)
        .on("quit", [Action::Close]);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    for connection in 1..=2 {
        let again =
            |vm: &Value| vm["counters"]["connections"] == connection && vm["state"] == "running";
        server.session_when("vm", again).await;
        // Released once: whoever asks for a second one would wait for ever.
        fake.release("query-qmp-schema");
        let (one, two) = tokio::join!(server.get(PATH), server.get(PATH));
        let three = server.get(PATH).await;
        for reply in [one, two, three] {
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        assert_eq!(asked(&fake).await, connection);
        server.execute("vm", r#"{"execute":"quit"}"#).await;
    }
}

#[tokio::test]
async fn an_endpoint_without_a_schema_says_so_itself_and_is_asked_again() {
    let no = [Action::error("CommandNotFound", "no schema here")];
    let script = Script::default().on("query-qmp-schema", no);
    let fake = Fake::start(script).await.unwrap();
    let server = TestServer::on(&fake).await;
    for count in 1..=2 {
        let problem = server.get(PATH).await;
        let problem = problem.is_problem(422, "execute-error", &["no schema here"]);
        assert_eq!(problem["class"], "CommandNotFound");
        assert_eq!(asked(&fake).await, count);
    }
}
