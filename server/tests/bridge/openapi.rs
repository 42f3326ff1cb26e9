//! The description of the API says what the API does, and no less.

use super::common::{Reply, TOKEN, TestServer};
use super::*;

/// Every row of the API's contract that is there.
const ROWS: &[(&str, &str)] = &[
    ("get", "/login"),
    ("post", "/login"),
    ("delete", "/login"),
    ("get", "/sessions"),
    ("post", "/sessions"),
    ("get", "/sessions/{name}"),
    ("delete", "/sessions/{name}"),
    ("post", "/sessions/{name}/connect"),
    ("post", "/sessions/{name}/disconnect"),
    ("post", "/sessions/{name}/execute"),
    ("get", "/sessions/{name}/schema"),
    ("get", "/sessions/{name}/events"),
    ("get", "/tokens"),
    ("post", "/tokens"),
    ("delete", "/tokens/{name}"),
    ("get", "/audit"),
    ("get", "/ws"),
];

#[tokio::test]
async fn it_has_each_row_and_no_other() {
    let server = TestServer::start(&[]).await;
    let reply = Reply::of(server.http.get(server.url("/api/v1/openapi.json"))).await;
    assert_eq!(reply.status, 200, "without a token");
    let description = reply.json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut described: Vec<(String, String)> = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().keys();
        described.extend(methods.map(|method| (method.clone(), path.clone())));
    }
    described.sort();
    let mut rows: Vec<_> = ROWS
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    rows.sort();
    assert_eq!(described, rows);
    for (path, item) in description["paths"].as_object().unwrap() {
        let address = format!("/api/v1{}", path.replace("{name}", "vm"));
        for method in ["get", "post", "delete", "put"] {
            let reply = server
                .ask(TOKEN, &method.to_uppercase(), &address, "")
                .await;
            let is_there = reply.status != 405;
            assert_eq!(
                is_there,
                item.get(method).is_some(),
                "{method} {path}: {}",
                reply.text
            );
        }
    }
}

#[tokio::test]
async fn the_answers_are_as_described() {
    let fake = emitter().await;
    let directory = tempfile::tempdir().unwrap();
    let session = format!("vm={}", fake.address());
    let server = TestServer::keeping(directory.path(), &[session]).await;
    server.session_in("vm", "running").await;
    emit(&server, 1..=3).await;
    let description = server.get("/api/v1/openapi.json").await.json();
    let new = format!(r#"{{"name":"x","address":"{}"}}"#, fake.address());
    for (method, row, address, body) in [
        ("get", "/sessions", "/sessions", ""),
        ("get", "/sessions/{name}", "/sessions/vm", ""),
        ("get", "/sessions/{name}/events", "/sessions/vm/events", ""),
        (
            "post",
            "/sessions/{name}/execute",
            "/sessions/vm/execute",
            r#"{"execute":"emit2","id":[1],"expect":{"names":["EVEN"]}}"#,
        ),
        ("post", "/sessions", "/sessions", &*new),
        (
            "post",
            "/tokens",
            "/tokens",
            r#"{"name":"t","role":"viewer","expires":60}"#,
        ),
        ("get", "/tokens", "/tokens", ""),
        ("get", "/audit", "/audit", ""),
        ("get", "/login", "/login", ""),
    ] {
        let reply = server
            .ask(
                TOKEN,
                &method.to_uppercase(),
                &format!("/api/v1{address}"),
                body,
            )
            .await;
        let operation = &description["paths"][row][method];
        let response = &operation["responses"][reply.status.to_string()];
        let schema = &response["content"]["application/json"]["schema"];
        assert!(
            schema.is_object(),
            "{method} {row} {}: {operation}",
            reply.status
        );
        matches(&description, schema, &reply.json());
    }
    // And what goes wrong.
    let problem = server.execute(
        "vm",
        r#"{"execute":"emit2","expect":{"names":["X"],"timeout":0}}"#,
    );
    let problem = problem.await.is_problem(504, "timeout", &[]);
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    matches(&description, &schema, &problem);
    // What is not described is found.
    let mut more = problem.clone();
    more["more"] = json!(1);
    assert_eq!(faults(&description, &schema, &more).len(), 1);
}

#[track_caller]
fn matches(description: &Value, schema: &Value, value: &Value) {
    let errors = faults(description, schema, value);
    assert!(errors.is_empty(), "{errors:#?} in {value:#}");
}

/// Why a value is not of a schema, or has members that it does not know.
fn faults(description: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": description["components"],
        "allOf": [schema],
        "unevaluatedProperties": false,
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator
        .iter_errors(value)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect()
}
