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
    ("post", "/requirement"),
    ("get", "/sessions/{name}/schema"),
    ("get", "/sessions/{name}/events"),
    ("get", "/tokens"),
    ("post", "/tokens"),
    ("delete", "/tokens/{name}"),
    ("get", "/audit"),
    ("get", "/ws"),
    ("get", "/openapi.json"),
    ("get", "/healthz"),
    ("get", "/readyz"),
];

/// The rows that need no token.
const OPEN: &[&str] = &["/login", "/openapi.json", "/healthz", "/readyz"];

/// The operations of the description: method, path, what it says.
fn operations(description: &Value) -> Vec<(&str, &str, &Value)> {
    const METHODS: [&str; 5] = ["get", "post", "put", "delete", "patch"];
    let paths = description["paths"].as_object().unwrap();
    let mut operations = Vec::new();
    for (path, item) in paths {
        let members = item.as_object().unwrap().iter();
        let methods = members.filter(|(name, _)| METHODS.contains(&name.as_str()));
        operations.extend(methods.map(|(method, it)| (&**method, &**path, it)));
    }
    operations
}

#[tokio::test]
async fn it_has_each_row_and_no_other() {
    let server = TestServer::start(&[]).await;
    let reply = Reply::of(server.http.get(server.url("/api/v1/openapi.json"))).await;
    assert_eq!(reply.status, 200, "without a token");
    let description = reply.json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut described: Vec<(String, String)> = Vec::new();
    for (method, path, _) in operations(&description) {
        described.push((method.to_owned(), path.to_owned()));
    }
    described.sort();
    let mut rows: Vec<_> = ROWS
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    rows.sort();
    assert_eq!(described, rows);
    for (path, item) in description["paths"].as_object().unwrap() {
        // What lies outside of `/api/v1` says so.
        let servers = item.get("servers").unwrap_or(&description["servers"]);
        let server_url = servers[0]["url"].as_str().unwrap().trim_end_matches('/');
        let address = format!("{server_url}{}", path.replace("{name}", "vm"));
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

/// What OpenAPI 3.1 asks of a description, as far as it is easily got wrong.
#[tokio::test]
async fn it_is_as_openapi_asks_for() {
    let server = TestServer::start(&[]).await;
    let description = server.get("/api/v1/openapi.json").await.json();
    let mut ids = Vec::new();
    for (method, path, operation) in operations(&description) {
        let what = format!("{method} {path}: {operation}");
        ids.push(operation["operationId"].as_str().expect(&what).to_owned());
        let responses = operation["responses"].as_object().expect(&what);
        assert!(responses.keys().any(|status| status != "default"), "{what}");
        for (status, response) in responses {
            let told = response["description"].as_str();
            assert!(told.is_some_and(|text| !text.is_empty()), "{status} {what}");
        }
        // An empty requirement stands for none.
        let open = match operation.get("security") {
            Some(security) => {
                let any = security.as_array().unwrap();
                any.is_empty() || any.contains(&json!({}))
            }
            None => false,
        };
        assert_eq!(open, OPEN.contains(&path), "{what}");
        for name in path.split('{').skip(1) {
            let name = name.split('}').next().unwrap();
            let parameters = operation["parameters"].as_array().expect(&what);
            let is_it =
                |it: &Value| it["name"] == name && it["in"] == "path" && it["required"] == true;
            assert!(parameters.iter().any(is_it), "{name} {what}");
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "each has an id of its own: {ids:?}");

    let schema = |row: &str, name: &str| {
        let parameters = &description["paths"][row]["get"]["parameters"];
        let mut parameters = parameters.as_array().unwrap().iter();
        parameters.find(|it| it["name"] == name).unwrap()["schema"].clone()
    };
    for (row, name, least, most) in [
        ("/sessions/{name}/events", "limit", 1.0, 10_000.0),
        ("/sessions/{name}/events", "wait", 0.0, 60.0),
        ("/audit", "limit", 1.0, 10_000.0),
    ] {
        let schema = schema(row, name);
        let bounds = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        assert_eq!(bounds, (Some(least), Some(most)), "{row} {name}: {schema}");
    }
    let execute = json!({ "$ref": "#/components/schemas/Execute" });
    for (body, is_one) in [
        (
            json!({"execute": "x", "arguments": {"a": null}, "id": null}),
            true,
        ),
        (json!({"execute": "x", "arguments": null}), false),
        (json!({"execute": "x", "arguments": []}), false),
        (json!({"execute": "x", "timeout": 3600}), true),
        (json!({"execute": "x", "timeout": 3601}), false),
        (json!({"execute": "x", "expect": {"timeout": -1}}), false),
        (json!({"execute": "x", "colour": 1}), false),
    ] {
        let faults = faults(&description, &execute, &body);
        assert_eq!(faults.is_empty(), is_one, "{body}: {faults:?}");
    }
    let kinds = &description["components"]["schemas"]["ProblemKind"]["enum"];
    for kind in qmp_shared::rest::ProblemKind::ALL {
        let known = kinds.as_array().unwrap().contains(&json!(kind.as_str()));
        assert!(known, "{kind:?} is not in {kinds}");
    }
    for slug in [
        "connect-error",
        "gone",
        "execute-interrupted",
        "protocol-error",
    ] {
        let known = kinds
            .as_array()
            .unwrap()
            .contains(&json!(format!("/problems/{slug}")));
        assert!(known, "{slug} is not in {kinds}");
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
            "/requirement",
            "/requirement",
            r#"{"execute":"stop","arguments":{}}"#,
        ),
        (
            "post",
            "/tokens",
            "/tokens",
            r#"{"name":"t","role":"viewer","expires":60}"#,
        ),
        ("get", "/tokens", "/tokens", ""),
        ("get", "/audit", "/audit", ""),
        ("get", "/login", "/login", ""),
        ("get", "/openapi.json", "/openapi.json", ""),
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
