//! The protocol, over real pipes, with clients that behave and clients that do not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{write_witness, write_zkey};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(parameters: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_haca-prover"))
            .arg("serve")
            .args(parameters)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    fn send_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).and_then(|()| input.flush()).unwrap();
    }

    fn send(&mut self, request: Value) {
        self.send_bytes(format!("{request}\n").as_bytes());
    }

    fn receive(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn ask(&mut self, mut request: Value) -> Value {
        request["id"] = json!("asked");
        self.send(request);
        let answer = self.receive();
        assert_eq!(answer["id"], "asked");
        answer
    }

    fn ask_code(&mut self, request: Value) -> String {
        let answer = self.ask(request);
        assert_eq!(answer["ok"], false, "{answer}");
        answer["error"]["code"].as_str().unwrap().to_owned()
    }

    fn close_input(&mut self) {
        self.input = None;
    }

    fn remaining(&mut self) -> Vec<Value> {
        let lines = std::mem::replace(&mut self.output, BufReader::new(empty_output())).lines();
        lines
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect()
    }

    fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The output of a program that says nothing.
fn empty_output() -> ChildStdout {
    let mut child = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
    child.wait().unwrap();
    child.stdout.take().unwrap()
}

struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        Self {
            folder: tempfile::Builder::new()
                .prefix("two words ")
                .tempdir()
                .unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn key(&self, name: &str, constraints: usize, seed: u64) -> PathBuf {
        let circuit = synthetic(Kind::Dense, constraints, 2, seed);
        fs::write(self.path(name), write_zkey(&circuit, seed)).unwrap();
        self.path(name)
    }

    fn witness(&self, name: &str, constraints: usize, seed: u64) -> PathBuf {
        let circuit = synthetic(Kind::Dense, constraints, 2, seed);
        fs::write(self.path(name), write_witness(&circuit)).unwrap();
        self.path(name)
    }
}

fn load(server: &mut Server, path: &Path) -> String {
    let answer = server.ask(json!({ "op": "load", "zkey": path }));
    answer["result"]["key"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}

#[test]
fn hello_load_prove_verify_unload_stats_shutdown() {
    let files = Files::new();
    let (zkey, witness) = (files.key("a.zkey", 60, 1), files.witness("a.wtns", 60, 1));
    let mut server = Server::start(&[]);
    let hello = server.ask(json!({ "op": "hello" }));
    assert_eq!(
        (&hello["result"]["name"], &hello["result"]["protocol"]),
        (&json!("haca-prover"), &json!(1))
    );

    let key = load(&mut server, &zkey);
    let proved = server.ask(json!({ "op": "prove", "key": key, "witness": witness }));
    assert_eq!(proved["ok"], true, "{proved}");
    let (proof, signals) = (
        &proved["result"]["proof"],
        &proved["result"]["publicSignals"],
    );
    let verify = |signals: &Value| json!({ "op": "verify", "key": key, "proof": proof, "publicSignals": signals });
    assert_eq!(server.ask(verify(signals))["result"]["valid"], true);
    assert_eq!(
        server.ask(verify(&json!(["1", "2"])))["result"]["valid"],
        false
    );
    assert_eq!(
        server.ask_code(verify(&json!(["1"]))),
        "publicSignals.wrongCount"
    );
    assert_eq!(
        server.ask_code(verify(&json!(["1", "x"]))),
        "publicSignals.malformed"
    );

    let by_path = server.ask(json!({ "op": "prove", "zkey": zkey, "witness": witness }));
    assert_eq!(by_path["result"]["publicSignals"], *signals);

    let stats = server.ask(json!({ "op": "stats" }));
    assert_eq!(stats["result"]["proofs"], 2);
    assert_eq!(stats["result"]["failures"]["publicSignals.wrongCount"], 1);
    assert_eq!(stats["result"]["keys"][0]["key"], *key);

    assert_eq!(
        server.ask(json!({ "op": "unload", "key": key }))["result"]["unloaded"],
        true
    );
    let request = json!({ "op": "prove", "key": key, "witness": witness });
    assert_eq!(server.ask_code(request), "key.unknown");
    assert_eq!(server.ask(json!({ "op": "shutdown" }))["ok"], true);
    assert!(server.wait().success());
}

#[test]
fn bad_requests_are_answered_and_change_nothing() {
    let files = Files::new();
    let (zkey, witness) = (files.key("a.zkey", 60, 1), files.witness("a.wtns", 60, 1));
    let other = files.witness("other.wtns", 61, 1);
    fs::write(files.path("text"), "some text").unwrap();
    let mut server = Server::start(&[]);
    let key = load(&mut server, &zkey);

    for garbage in [
        &b"garbage\n"[..],
        b"{\"op\":\"hello\"}\n",
        b"{\"id\":{},\"op\":\"hello\"}\n",
        b"[1]\n",
        b"\xff\xfe\x00\n",
        b"{\"id\":1\n",
    ] {
        server.send_bytes(garbage);
        let answer = server.receive();
        assert_eq!(
            (&answer["id"], &answer["error"]["code"]),
            (&Value::Null, &json!("request.invalid"))
        );
    }
    // Blank lines are not requests.
    server.send_bytes(b"\n  \r\n");

    let missing = files.path("missing");
    let text = files.path("text");
    let zeros = "0".repeat(64);
    for (request, code) in [
        (json!({ "op": "conjure" }), "request.invalid"),
        (json!({ "op": "prove", "key": key }), "request.invalid"),
        (
            json!({ "op": "prove", "witness": witness }),
            "request.invalid",
        ),
        (
            json!({ "op": "prove", "key": key, "zkey": zkey, "witness": witness }),
            "request.invalid",
        ),
        (
            json!({ "op": "load", "zkey": zkey, "sha256": "abc" }),
            "request.invalid",
        ),
        (
            json!({ "op": "load", "zkey": zkey, "sha256": zeros }),
            "zkey.hashMismatch",
        ),
        (json!({ "op": "load", "zkey": missing }), "zkey.unreadable"),
        (json!({ "op": "load", "zkey": text }), "zkey.invalid"),
        (
            json!({ "op": "prove", "key": zeros, "witness": witness }),
            "key.unknown",
        ),
        (
            json!({ "op": "prove", "key": "?", "witness": witness }),
            "key.unknown",
        ),
        (
            json!({ "op": "prove", "key": key, "witness": missing }),
            "witness.unreadable",
        ),
        (
            json!({ "op": "prove", "key": key, "witness": text }),
            "witness.invalid",
        ),
        (
            json!({ "op": "prove", "key": key, "witness": other }),
            "witness.wrongCircuit",
        ),
        (json!({ "op": "unload", "key": "?" }), "request.invalid"),
    ] {
        assert_eq!(server.ask_code(request.clone()), code, "{request}");
    }
    let answer = server.ask(json!({ "op": "prove", "key": key, "witness": witness }));
    assert_eq!(answer["ok"], true, "still works: {answer}");
}

#[test]
fn a_binary_length_prefix_of_a_gigabyte_is_only_garbage() {
    let mut server = Server::start(&[]);
    server.send_bytes(&(1u32 << 30).to_be_bytes());
    server.send_bytes(b"\n");
    assert_eq!(server.receive()["error"]["code"], "request.invalid");
    assert_eq!(server.ask(json!({ "op": "hello" }))["ok"], true);
}

#[test]
fn an_endless_line_is_refused_without_being_kept() {
    let mut server = Server::start(&[]);
    let before = server.ask(json!({ "op": "stats" }))["result"]["peakBytes"]
        .as_u64()
        .unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..256 {
        server.send_bytes(&piece);
    }
    server.send_bytes(b"\n");
    assert_eq!(server.receive()["error"]["code"], "request.tooLong");
    let after = server.ask(json!({ "op": "stats" }))["result"]["peakBytes"]
        .as_u64()
        .unwrap();
    assert!(
        after < before + (16 << 20),
        "memory grew from {before} to {after}"
    );
}

#[test]
fn half_a_message_then_the_end_of_input() {
    let mut server = Server::start(&[]);
    server.send_bytes(b"{\"id\":1,\"op\":\"hel");
    server.close_input();
    assert_eq!(server.receive()["error"]["code"], "request.cut");
    assert!(server.wait().success());
}

#[test]
fn the_end_of_input_finishes_what_was_asked() {
    let files = Files::new();
    let (zkey, witness) = (files.key("a.zkey", 60, 1), files.witness("a.wtns", 60, 1));
    let mut server = Server::start(&[]);
    for id in 0..5 {
        server.send(json!({ "id": id, "op": "prove", "zkey": zkey, "witness": witness }));
    }
    server.close_input();
    let answers = server.remaining();
    assert_eq!(answers.len(), 5);
    assert!(answers.iter().all(|answer| answer["ok"] == true));
    assert!(server.wait().success());
}

#[test]
fn a_hundred_requests_at_once_each_get_their_own_answer() {
    let files = Files::new();
    let shapes: Vec<(PathBuf, PathBuf)> = (0..4)
        .map(|seed| {
            let constraints = 40 + 10 * seed as usize;
            let zkey = files.key(&format!("{seed}.zkey"), constraints, seed);
            (
                zkey,
                files.witness(&format!("{seed}.wtns"), constraints, seed),
            )
        })
        .collect();
    let mut server = Server::start(&["--jobs", "3"]);
    let expected: Vec<Value> = shapes
        .iter()
        .map(|(zkey, witness)| {
            let answer = server.ask(json!({ "op": "prove", "zkey": zkey, "witness": witness }));
            answer["result"]["publicSignals"].clone()
        })
        .collect();
    for id in 0..100 {
        let (zkey, witness) = &shapes[id % 4];
        let client = format!("client {}", id % 7);
        server.send(json!({
            "id": id, "op": "prove", "zkey": zkey, "witness": witness, "client": client,
        }));
    }
    let mut seen = [false; 100];
    for _ in 0..100 {
        let answer = server.receive();
        let id = answer["id"].as_u64().unwrap() as usize;
        assert!(!std::mem::replace(&mut seen[id], true), "answered twice");
        assert_eq!(
            answer["result"]["publicSignals"],
            expected[id % 4],
            "{answer}"
        );
    }
    assert_eq!(
        server.ask(json!({ "op": "stats" }))["result"]["proofs"],
        104
    );
}

#[test]
fn more_than_may_wait_are_refused() {
    let files = Files::new();
    let (zkey, witness) = (
        files.key("a.zkey", 3000, 1),
        files.witness("a.wtns", 3000, 1),
    );
    let mut server = Server::start(&["--queue", "2"]);
    load(&mut server, &zkey);
    for id in 0..12 {
        server.send(json!({ "id": id, "op": "prove", "zkey": zkey, "witness": witness }));
    }
    server.close_input();
    let answers = server.remaining();
    let refused = answers
        .iter()
        .filter(|answer| answer["error"]["code"] == "queue.full")
        .count();
    let proved = answers.iter().filter(|answer| answer["ok"] == true).count();
    assert_eq!(refused + proved, 12);
    assert!(
        proved >= 2 && refused >= 1,
        "{proved} proved, {refused} refused"
    );
}

#[test]
fn a_key_replaced_under_its_name_is_noticed() {
    let files = Files::new();
    let zkey = files.key("a.zkey", 60, 1);
    let old_witness = files.witness("old.wtns", 60, 1);
    let mut server = Server::start(&[]);
    let old = load(&mut server, &zkey);
    // Overwritten in place, which also cuts the old content off.
    files.key("a.zkey", 30, 2);
    let new_witness = files.witness("new.wtns", 30, 2);
    let answer = server.ask(json!({ "op": "prove", "key": old, "witness": old_witness }));
    assert_eq!(
        answer["ok"], true,
        "a loaded key outlives its file: {answer}"
    );
    let answer = server.ask(json!({ "op": "prove", "zkey": zkey, "witness": new_witness }));
    assert_eq!(
        answer["ok"], true,
        "the path now means the new key: {answer}"
    );
    let request = json!({ "op": "prove", "zkey": zkey, "sha256": old, "witness": old_witness });
    assert_eq!(server.ask_code(request), "zkey.hashMismatch");
    fs::remove_file(&zkey).unwrap();
    let answer = server.ask(json!({ "op": "prove", "key": old, "witness": old_witness }));
    assert_eq!(answer["ok"], true);
}

#[test]
fn told_to_stop_in_the_middle_of_a_proof() {
    let files = Files::new();
    let (zkey, witness) = (
        files.key("a.zkey", 8000, 1),
        files.witness("a.wtns", 8000, 1),
    );
    let mut server = Server::start(&[]);
    load(&mut server, &zkey);
    for id in 0..20 {
        server.send(json!({ "id": id, "op": "prove", "zkey": zkey, "witness": witness }));
    }
    // The first answer shows that the rest is waiting or in work.
    assert_eq!(server.receive()["ok"], true);
    let pid = server.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let answers = server.remaining();
    assert_eq!(answers.len(), 19, "everything asked is answered");
    for answer in &answers {
        let code = &answer["error"]["code"];
        assert!(
            answer["ok"] == true || code == "server.stopping",
            "{answer}"
        );
    }
    assert!(
        answers.iter().any(|answer| answer["ok"] == false),
        "stopped before the queue's end"
    );
    assert!(server.wait().success());
}

#[test]
fn nobody_reading_answers_ends_the_work() {
    let files = Files::new();
    let (zkey, witness) = (files.key("a.zkey", 60, 1), files.witness("a.wtns", 60, 1));
    let mut server = Server::start(&[]);
    drop(std::mem::replace(
        &mut server.output,
        BufReader::new(empty_output()),
    ));
    server.send(json!({ "id": 1, "op": "prove", "zkey": zkey, "witness": witness }));
    assert_eq!(server.wait().code(), Some(1));
}
