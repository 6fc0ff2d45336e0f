//! A Lambda function's own process, run against the emulated Runtime API.
//!
//! It sets the environment that Lambda sets, and nothing else; it knows no definition and no database.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::runtime_api::{Answer, RuntimeApi};

/// Longer than anything here takes, so that only a hanging function meets it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A function's process and the Runtime API that it talks to; both end with the value.
#[derive(Debug)]
pub struct Function {
    api: RuntimeApi,
    process: Child,
    log: Arc<Mutex<String>>,
}

impl Function {
    /// Starts `binary` with Lambda's environment and `vars`.
    ///
    /// # Panics
    /// When the process cannot be started.
    pub async fn start(binary: &Path, vars: &[(&str, &str)]) -> Self {
        let api = RuntimeApi::start().await.expect("there is a free port");
        let mut process = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "library")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/library")
            .env(
                "AWS_LAMBDA_LOG_STREAM_NAME",
                "2026/11/22/[$LATEST]0123456789abcdef",
            )
            .env("AWS_REGION", "eu-west-1")
            .env("LAMBDA_TASK_ROOT", binary.parent().unwrap_or(Path::new(".")))
            .env("TZ", ":UTC")
            .envs(vars.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", binary.display()));
        let log = Arc::new(Mutex::new(String::new()));
        let stdout = process.stdout.take().expect("it is piped");
        let stderr = process.stderr.take().expect("it is piped");
        tokio::spawn(gather(stdout, Arc::clone(&log)));
        tokio::spawn(gather(stderr, Arc::clone(&log)));
        Self { api, process, log }
    }

    /// Waits until it has asked for its first event.
    ///
    /// # Panics
    /// When that takes longer than `limit`; the message shows its log.
    pub async fn initialised(&self, limit: Duration) {
        let begun = Instant::now();
        while !self.api.is_initialised() {
            assert!(
                begun.elapsed() < limit,
                "the function does not start:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
    }

    /// Sends an event and waits for the answer, telling the function that it has 30 seconds.
    ///
    /// # Panics
    /// When the process ends instead, or never answers; the message shows its log.
    pub async fn invoke(&mut self, event: impl Into<Bytes>) -> Answer {
        self.invoke_within(event, Duration::from_secs(30)).await
    }

    /// Sends an event, telling the function how long it has.
    ///
    /// # Panics
    /// As [`invoke`](Self::invoke).
    pub async fn invoke_within(&mut self, event: impl Into<Bytes>, time_left: Duration) -> Answer {
        let event = event.into();
        tokio::select! {
            answer = self.api.invoke(event, time_left) => answer,
            status = self.process.wait() => panic!("the function ended with {status:?}:\n{}", self.log()),
            () = tokio::time::sleep(PATIENCE) => panic!("the function did not answer:\n{}", self.log()),
        }
    }

    /// Waits until the process ends by itself.
    ///
    /// # Panics
    /// When it does not.
    pub async fn ended(&mut self) -> ExitStatus {
        match tokio::time::timeout(PATIENCE, self.process.wait()).await {
            Ok(Ok(status)) => {
                // What the process wrote last is still on its way through the pipes.
                tokio::time::sleep(Duration::from_millis(50)).await;
                status
            }
            _ => panic!("the function did not end:\n{}", self.log()),
        }
    }

    /// Sends SIGTERM, as Lambda does before it ends an environment.
    ///
    /// # Panics
    /// When the process has ended.
    pub fn terminate(&self) {
        let process = self.process_id().expect("the function runs").to_string();
        let sent = std::process::Command::new("kill")
            .args(["-TERM", &process])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "it cannot be told to end"
        );
    }

    /// The Runtime API that it talks to.
    pub const fn api(&self) -> &RuntimeApi {
        &self.api
    }

    /// The number of its process.
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Whether its process has not ended.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().expect("it is a child").is_none()
    }

    /// Everything that it has written to standard output and standard error so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn gather(from: impl AsyncRead + Unpin, log: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push_str(&line);
        log.push('\n');
    }
}
