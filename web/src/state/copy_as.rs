//! A command as text for elsewhere: QMP, a shell, a program, an address.
//!
//! Everything in it may come from an endpoint. In a shell's line it is in single
//! quotes, where nothing has a meaning; the token is never in it, only the
//! variable that holds it.

use qmp_shared::command::{Layout, message_text, qmp_shell_line, shell_word, words_from_arguments};
use qmp_shared::schema::Schema;
use qmp_shared::wire::{self, ClientFrame, ClientId, SUBPROTOCOL};
use serde_json::value::RawValue;

use super::address::{Link, MOST, command_path};
use super::awaited::event_words;
use super::secrets::seems_secret;
use super::send::{Options, Waits};
use super::text::{grouped, percent_encoded, visible};

/// A command that is copied, and where it is for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    /// This console's address without a slash at its end: `http://HOST:PORT`,
    /// and the path before all of its own.
    pub(crate) console: String,
    /// The session.
    pub(crate) session: String,
    /// The session's own QMP address, if it is known.
    pub(crate) address: Option<String>,
    /// The command's name.
    pub(crate) command: String,
    /// Whether it is sent out of band.
    pub(crate) oob: bool,
    /// Its arguments, JSON.
    pub(crate) arguments: Option<String>,
    /// What it waits for.
    pub(crate) waits: Waits,
}

/// As what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The QMP message.
    Message,
    /// A line of QEMU's own `qmp-shell`.
    Line,
    /// `curl` to this console.
    Curl,
    /// `websocat` to this console.
    Websocat,
    /// Python's `qemu.qmp` to the endpoint itself.
    Python,
    /// `qmp-console execute` to this console.
    Execute,
    /// The address of this page, filled in.
    Link,
}

impl Kind {
    /// All of them, as the menu has them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Message,
        Self::Line,
        Self::Curl,
        Self::Websocat,
        Self::Python,
        Self::Execute,
        Self::Link,
    ];

    /// Its name in the menu.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Message => "QMP message",
            Self::Line => "qmp-shell line",
            Self::Curl => "curl",
            Self::Websocat => "websocat",
            Self::Python => "Python (qemu.qmp)",
            Self::Execute => "qmp-console execute",
            Self::Link => "Link",
        }
    }
}

impl Subject {
    /// The text of that kind.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub(crate) fn copy(&self, kind: Kind, schema: Option<&Schema>) -> Result<String, String> {
        match kind {
            Kind::Message => Ok(self.message()),
            Kind::Line => {
                let arguments = self.arguments.as_deref();
                qmp_shell_line(&self.command, self.oob, arguments)
                    .map_err(|fault| fault.to_string())
            }
            Kind::Curl => self.curl(),
            Kind::Websocat => self.websocat(),
            Kind::Python => self.python(),
            Kind::Execute => self.execute(schema),
            Kind::Link => self.link(),
        }
    }

    fn message(&self) -> String {
        let arguments = self.arguments.as_deref();
        message_text(&self.command, self.oob, arguments, Layout::Compact)
    }

    /// The message with what it waits for, after these members.
    fn request(&self, first: &str) -> Result<String, String> {
        let message = self.message();
        let inner = message.strip_prefix('{').unwrap_or_default();
        let mut text = ["{", first, inner].concat();
        text.pop();
        if let Some(timeout) = self.waits.timeout {
            text.push_str(",\"timeout\":");
            text.push_str(&timeout.to_string());
        }
        if let Some(expect) = &self.waits.expect {
            let expect = serde_json::to_string(expect).map_err(|error| error.to_string())?;
            text.push_str(",\"expect\":");
            text.push_str(&expect);
        }
        text.push('}');
        Ok(text)
    }

    fn curl(&self) -> Result<String, String> {
        let address = [
            &self.console,
            "/api/v1/sessions/",
            &percent_encoded(&self.session),
            "/execute",
        ];
        let body = shell_word_whole(&self.request("")?);
        let address = shell_word_whole(&address.concat());
        Ok([
            "curl -sS -H \"Authorization: Bearer $QMP_CONSOLE_TOKEN\"",
            "-H 'Content-Type: application/json'",
            "--data-raw",
            &body,
            &address,
        ]
        .join(" "))
    }

    fn websocat(&self) -> Result<String, String> {
        let arguments = self.arguments.clone().map(RawValue::from_string);
        let (in_band, out_of_band) = if self.oob {
            (None, Some(self.command.clone()))
        } else {
            (Some(self.command.clone()), None)
        };
        let frame = ClientFrame::Execute(wire::Execute {
            id: ClientId::from(1),
            session: self.session.clone(),
            execute: in_band,
            exec_oob: out_of_band,
            arguments: arguments.transpose().map_err(|error| error.to_string())?,
            timeout: self.waits.timeout,
            expect: self.waits.expect.clone(),
        });
        let frame = serde_json::to_string(&frame).map_err(|error| error.to_string())?;
        // `http` becomes `ws`, and `https` becomes `wss`.
        let rest = self.console.strip_prefix("http").unwrap_or_default();
        let address = ["ws", rest, "/api/v1/ws"].concat();
        // Without -n it would hang up before the reply, and without the = take
        // the address for one more header.
        Ok([
            "printf '%s\\n' ",
            &shell_word_whole(&frame),
            " | websocat -n --protocol ",
            SUBPROTOCOL,
            " -H=\"Authorization: Bearer $QMP_CONSOLE_TOKEN\" ",
            &shell_word_whole(&address),
        ]
        .concat())
    }

    fn python(&self) -> Result<String, String> {
        let address = self.address.as_deref().unwrap_or_default();
        let monitor = python_address(address).ok_or(
            "qemu.qmp connects to QMP over unix sockets and TCP, not to this endpoint's address",
        )?;
        let mut call = python_string(&self.command);
        if let Some(arguments) = &self.arguments {
            call.push_str(", json.loads(");
            call.push_str(&python_string(arguments));
            call.push(')');
        }
        if self.oob {
            call.push_str(", oob=True");
        }
        let mut call = ["client.execute(", &call, ")"].concat();
        if let Some(timeout) = self.waits.timeout {
            call = ["asyncio.wait_for(", &call, ", ", &timeout.to_string(), ")"].concat();
        }
        // Only a comment may hold what an event is matched by, and only on one line.
        let unsaid = self.waits.expect.as_ref().map(|expect| {
            let event = visible(&event_words(expect)).into_owned();
            [
                "# The console waits for this event too, and this does not: ",
                &event,
                "\n",
            ]
            .concat()
        });
        Ok([
            "# A monitor serves one client at a time: this one waits as long as the\n\
             # console is connected to it. Disconnect the session first, or give QEMU\n\
             # another monitor.\n",
            &unsaid.unwrap_or_default(),
            "import asyncio\nimport json\n\nfrom qemu.qmp import QMPClient\n\n\n\
             async def main():\n    client = QMPClient(\"qmp-console\")\n    \
             await client.connect(",
            &monitor,
            ")\n    try:\n        print(json.dumps(await ",
            &call,
            ", indent=2))\n    finally:\n        await client.disconnect()\n\n\n\
             asyncio.run(main())\n",
        ]
        .concat())
    }

    fn execute(&self, schema: Option<&Schema>) -> Result<String, String> {
        if self.waits.expect.is_some() {
            return Err("qmp-console execute does not wait for an event".to_owned());
        }
        let mut text = "qmp-console execute".to_owned();
        let mut push = |word: &str| {
            text.push(' ');
            text.push_str(word);
        };
        if self.oob {
            push("--oob");
        }
        if let Some(timeout) = self.waits.timeout {
            push("--timeout");
            push(&timeout.to_string());
        }
        if is_on_the_way(&self.console) {
            push("--insecure");
        }
        let arguments = self.arguments.as_deref().unwrap_or("{}");
        let mut words = words_from_arguments(schema, &self.command, arguments).ok();
        // Its shell would take another kind of word for an option.
        let begins = |word: &String| word.starts_with('-');
        if words.as_ref().is_some_and(|words| words.iter().any(begins)) {
            words = None;
        }
        if words.is_none() {
            push("--arguments");
            push(&shell_word_whole(arguments));
        }
        if self.command.starts_with('-') {
            push("--");
        }
        push(&shell_word_whole(
            &[&self.console, "/", &self.session].concat(),
        ));
        push(&shell_word_whole(&self.command));
        for word in words.unwrap_or_default() {
            push(&shell_word(&word));
        }
        Ok(text)
    }

    fn link(&self) -> Result<String, String> {
        if seems_secret(&self.command, self.arguments.as_deref()) {
            return Err("it would put what seems to be a secret into an address".to_owned());
        }
        let link = Link {
            arguments: self.arguments.clone(),
            oob: self.oob,
            options: Options::from(&self.waits),
        };
        let path = command_path(&self.session, &self.command);
        let text = [self.console.as_str(), &path, &link.query()].concat();
        if text.len() > MOST {
            let length = grouped(text.len() as u64);
            return Err(["too long for a link: ", &length, " bytes of at most 8,192"].concat());
        }
        Ok(text)
    }
}

/// The word in quotes as one, where it needs any.
fn shell_word_whole(word: &str) -> String {
    if word.contains('=') {
        return "'".to_owned() + &word.replace('\'', r"'\''") + "'";
    }
    shell_word(word)
}

/// Whether the token could be read on its way to this console, which the
/// command line wants to be told is known.
fn is_on_the_way(console: &str) -> bool {
    let Some(rest) = console.strip_prefix("http://") else {
        return false;
    };
    let host = rest.split('/').next().unwrap_or_default();
    let local = ["localhost", "127.", "[::1]"];
    !local.iter().any(|local| host.starts_with(local))
}

/// What `QMPClient.connect` takes for an address as the console writes it.
fn python_address(address: &str) -> Option<String> {
    let lone = address.replace(",,", "\0");
    if lone.contains(',') {
        return None;
    }
    let plain = lone.replace('\0', ",");
    if let Some(path) = plain.strip_prefix("unix:") {
        return Some(python_string(path));
    }
    let (host, port) = plain.strip_prefix("tcp:")?.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port: u16 = port.parse().ok()?;
    Some(["(", &python_string(host), ", ", &port.to_string(), ")"].concat())
}

/// A literal of Python: JSON's escapes are Python's too.
fn python_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmp_shared::command::shell_words;

    fn subject() -> Subject {
        Subject {
            console: "http://127.0.0.1:8080".into(),
            session: "vm".into(),
            address: Some("unix:/run/vm.qmp".into()),
            command: "device_add".into(),
            oob: false,
            arguments: Some(r#"{"driver":"rng","id":"it's \"1\"\n$(x) ü","n":1.50}"#.into()),
            waits: Waits::default(),
        }
    }

    fn words(subject: &Subject, kind: Kind) -> Vec<String> {
        shell_words(&subject.copy(kind, None).unwrap()).unwrap()
    }

    #[test]
    fn curl_has_the_message_as_one_word() {
        let words = words(&subject(), Kind::Curl);
        let message = subject().copy(Kind::Message, None).unwrap();
        assert_eq!(words[3], "Authorization: Bearer $QMP_CONSOLE_TOKEN");
        assert_eq!(words[words.len() - 2], message);
        assert_eq!(
            words.last().unwrap(),
            "http://127.0.0.1:8080/api/v1/sessions/vm/execute"
        );
        // What is in single quotes has no meaning in a shell.
        let text = subject().copy(Kind::Curl, None).unwrap();
        assert!(text.contains(r#"'{"execute":"device_add","#));
        assert!(text.contains(r"it'\''s"));
    }

    #[test]
    fn what_it_waits_for_goes_along() {
        let options = super::super::send::Options {
            timeout: "90".into(),
            expects: true,
            names: "JOB_*".into(),
            expression: "@.data.id == 'j'".into(),
            within: String::new(),
        };
        let subject = Subject {
            arguments: None,
            waits: options.read().unwrap(),
            ..subject()
        };
        let body = r#"{"execute":"device_add","timeout":90,"expect":{"names":["JOB_*"],"where":"@.data.id == 'j'"}}"#;
        let curl = words(&subject, Kind::Curl);
        assert_eq!(curl[curl.len() - 2], body);
        let frame = words(&subject, Kind::Websocat)[2].clone();
        let frame = ClientFrame::decode(&frame).unwrap();
        let ClientFrame::Execute(execute) = frame else {
            panic!("{frame:?}")
        };
        assert_eq!(execute.timeout, Some(90.0));
        assert!(execute.expect.is_some());
        assert!(subject.copy(Kind::Execute, None).is_err());
    }

    #[test]
    fn websocat_speaks_the_consoles_protocol() {
        let subject = Subject {
            console: "https://host/base".into(),
            oob: true,
            ..subject()
        };
        let words = words(&subject, Kind::Websocat);
        assert_eq!(words.last().unwrap(), "wss://host/base/api/v1/ws");
        assert!(words.contains(&SUBPROTOCOL.to_owned()));
        assert!(matches!(
            ClientFrame::decode(&words[2]),
            Ok(ClientFrame::Execute(execute)) if execute.exec_oob.is_some()
        ));
    }

    #[test]
    fn the_command_line_has_words_where_they_say_it() {
        let text = subject().copy(Kind::Execute, None).unwrap();
        assert!(text.starts_with(
            "qmp-console execute http://127.0.0.1:8080/vm device_add driver=rng id='"
        ));
        let hostile = Subject {
            console: "http://console.example:1".into(),
            command: "--arguments=x".into(),
            arguments: Some(r#"{"-a":1,"b.c":"it's"}"#.into()),
            ..subject()
        };
        assert_eq!(
            words(&hostile, Kind::Execute),
            [
                "qmp-console",
                "execute",
                "--insecure",
                "--arguments",
                r#"{"-a":1,"b.c":"it's"}"#,
                "--",
                "http://console.example:1/vm",
                "--arguments=x"
            ]
        );
    }

    #[test]
    fn python_connects_to_the_endpoint_itself() {
        let text = subject().copy(Kind::Python, None).unwrap();
        assert!(text.contains(r#"client.connect("/run/vm.qmp")"#));
        assert!(text.contains(r#"client.execute("device_add", json.loads("{\"driver\":\"rng\","#));
        assert!(text.starts_with("# A monitor serves one client at a time"));
        let waits = super::super::send::Options {
            timeout: "2.5".into(),
            expects: true,
            names: "STOP".into(),
            expression: "@.data.x ==\n'import os'".into(),
            ..Default::default()
        };
        let waiting = Subject {
            waits: waits.read().unwrap(),
            arguments: None,
            ..subject()
        };
        let text = waiting.copy(Kind::Python, None).unwrap();
        assert!(text.contains(r#"asyncio.wait_for(client.execute("device_add"), 2.5)"#));
        assert!(text.contains(r"# The console waits for this event too, and this does not: STOP where @.data.x ==\n'import os'"));
        assert!(!text.contains("\n'import os"));
        for (address, python) in [
            ("unix:/a,,b", Some(r#""/a,b""#)),
            ("tcp:h:44", Some(r#"("h", 44)"#)),
            ("tcp:[::1]:44", Some(r#"("::1", 44)"#)),
            ("unix:/a,kind=qga", None),
            ("tcp:h:1,tls=on", None),
            ("fd:3", None),
            ("", None),
        ] {
            assert_eq!(python_address(address).as_deref(), python, "{address}");
        }
    }

    #[test]
    fn qmp_shell_gets_what_it_can_say() {
        let simple = Subject {
            arguments: Some(r#"{"driver":"rng","x":{"n":1.50}}"#.into()),
            ..subject()
        };
        let text = simple.copy(Kind::Line, None).unwrap();
        assert_eq!(text, r#"device_add driver=rng x={"n":1.50}"#);
        let fault = subject().copy(Kind::Line, None).unwrap_err();
        assert!(fault.starts_with("id: qmp-shell"), "{fault}");
    }

    #[test]
    fn a_link_is_short_and_without_secrets() {
        let text = subject().copy(Kind::Link, None).unwrap();
        assert!(
            text.starts_with("http://127.0.0.1:8080/commands/vm/device_add?arguments=%7B%22driver")
        );
        let with = |arguments: &str| Subject {
            arguments: Some(arguments.to_owned()),
            ..subject()
        };
        let long = serde_json::json!({"a": "x".repeat(9000)}).to_string();
        let fault = with(&long).copy(Kind::Link, None).unwrap_err();
        assert!(fault.starts_with("too long for a link: 9,"), "{fault}");
        assert!(with(r#"{"password":"x"}"#).copy(Kind::Link, None).is_err());
    }
}
