//! The server over real sockets: framing, limits and the graceful stop.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use rowstamp_http::{Server, Settings};
use rowstamp_ports::exchange::{ApiRequest, ApiResponse, RequestError, RequestErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// More than the buffers between two sockets hold.
const LARGE: usize = 32_000_000;

/// Says what arrived; `/slow` takes its time, `/large` says very much.
async fn echo(request: Result<ApiRequest, RequestError>) -> ApiResponse {
    let mut headers = HeaderMap::new();
    let (status, body) = match &request {
        Ok(request) => {
            if request.path() == "/slow" {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            assert!(request.deadline().is_some());
            (
                StatusCode::OK,
                format!("{} {} {}", request.method(), request.path(), request.body().len()),
            )
        }
        Err(RequestError {
            kind: RequestErrorKind::BodyTooLarge { limit_bytes },
            ..
        }) => (StatusCode::PAYLOAD_TOO_LARGE, format!("over {limit_bytes}")),
        Err(error) => (StatusCode::BAD_REQUEST, error.kind.to_string()),
    };
    let head = matches!(&request, Ok(request) if request.method() == Method::HEAD);
    if head {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let body = match &request {
        Ok(request) if request.path() == "/large" => vec![b'x'; LARGE].into(),
        _ if head => Bytes::new(),
        _ => body.into(),
    };
    ApiResponse {
        status,
        headers,
        body,
    }
}

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<()>,
}

async fn run(settings: Settings) -> Running {
    let server = Server::bind(Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        ..settings
    })
    .await
    .unwrap();
    let address = server.local_address().unwrap();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(server.serve(echo, async {
        let _ = stopped.await;
    }));
    Running {
        address,
        stop,
        served,
    }
}

/// Sends text and reads until the server closes.
async fn exchange(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server may refuse before it has read everything, and then a write or a read fails after the answer.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let closed = tokio::time::timeout(Duration::from_secs(10), reading)
        .await
        .is_ok();
    assert!(
        closed,
        "not closed after {:?}: {answer:?}",
        &text[..text.len().min(60)]
    );
    let answer = String::from_utf8(answer).unwrap();
    answer
        .lines()
        .filter(|line| !line.starts_with("date: "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn requests_of_one_connection_are_answered_in_order() {
    let running = run(Settings::default()).await;
    let answer = exchange(
        running.address,
        "POST /books HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}\
         GET /slow HTTP/1.1\r\nhost: x\r\n\r\n\
         PUT /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n\
         HEAD /books HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    insta::assert_snapshot!(answer, @r"
    HTTP/1.1 200 OK
    content-length: 13

    POST /books 2HTTP/1.1 200 OK
    content-length: 11

    GET /slow 0HTTP/1.1 200 OK
    content-length: 8

    PUT /c 5HTTP/1.1 200 OK
    content-length: 13
    connection: close
    ");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_the_client_reads_why() {
    let running = run(Settings {
        max_body_bytes: 10,
        ..Settings::default()
    })
    .await;
    for framing in ["content-length: 3000000", "transfer-encoding: chunked"] {
        let content = "x".repeat(3_000_000);
        let body = if framing.starts_with('c') {
            content
        } else {
            format!("2dc6c0\r\n{content}\r\n0\r\n\r\n")
        };
        let request = format!("POST /books HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n{body}");
        let answer = exchange(running.address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        assert!(answer.ends_with("over 10"), "{answer}");
    }
}

#[tokio::test]
async fn who_asks_before_it_sends_a_body_is_told_whether_it_may() {
    let running = run(Settings {
        max_body_bytes: 10,
        ..Settings::default()
    })
    .await;
    for (length, expected) in [(11, "HTTP/1.1 413"), (10, "HTTP/1.1 100")] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let head = format!(
            "POST /books HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        let reading = stream.read_exact(&mut answer);
        tokio::time::timeout(Duration::from_secs(3), reading)
            .await
            .expect("it answers before the body is sent")
            .unwrap();
        assert_eq!(str::from_utf8(&answer).unwrap(), expected);
        if length > 10 {
            let mut rest = String::new();
            stream.read_to_string(&mut rest).await.unwrap();
            assert!(rest.contains("connection: close"), "{rest}");
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let limit = Duration::from_millis(100);
    let running = run(Settings {
        body_silence_limit: limit,
        ..Settings::default()
    })
    .await;
    let answer = exchange(
        running.address,
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.ends_with("the body did not arrive whole"), "{answer}");
}

#[tokio::test]
async fn a_client_that_is_slow_with_its_head_is_cut_off() {
    let running = run(Settings {
        head_limit: Duration::from_millis(100),
        ..Settings::default()
    })
    .await;
    let answer = exchange(running.address, "GET / HTTP/1.1\r\nhost").await;
    assert!(!answer.contains("200"), "{answer}");
    // An idle connection is a slow head too.
    let answer = exchange(running.address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// The time for the first head is over while the second request is answered.
#[tokio::test]
async fn each_head_of_a_connection_has_all_of_its_time() {
    let limit = Duration::from_secs(1);
    let running = run(Settings {
        head_limit: limit,
        ..Settings::default()
    })
    .await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    for number in 0..4 {
        stream
            .write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"GET /slow 0") {
            let read = stream.read_buf(&mut answer).await.unwrap();
            assert!(read > 0, "{number}: closed after {answer:?}");
        }
        if number < 3 {
            tokio::time::sleep(limit / 2).await;
        }
    }
    let answered = Instant::now();
    let end = tokio::time::timeout(10 * limit, stream.read_u8()).await;
    assert!(end.expect("a connection that is idle is closed").is_err());
    assert!(answered.elapsed() > limit * 4 / 5, "{:?}", answered.elapsed());
}

#[tokio::test]
async fn garbage_and_heads_over_the_limit_are_refused() {
    let running = run(Settings::default()).await;
    let many = "x: y\r\n".repeat(90);
    let long = "y".repeat(200_000);
    for (request, expected) in [
        ("\x01\x02\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        (
            format!("GET / HTTP/1.1\r\nconnection: close\r\n{many}\r\n"),
            "HTTP/1.1 400",
        ),
        (format!("GET / HTTP/1.1\r\nx: {long}\r\n\r\n"), "HTTP/1.1 431"),
    ] {
        let answer = exchange(running.address, &request).await;
        assert!(answer.starts_with(expected), "{answer}");
    }
}

#[tokio::test]
async fn a_stop_lets_requests_in_flight_finish_and_takes_no_more() {
    let Running {
        address,
        stop,
        served,
    } = run(Settings::default()).await;
    // One that is idle must not hold the stop up.
    let idle = TcpStream::connect(address).await.unwrap();
    let in_flight =
        tokio::spawn(async move { exchange(address, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(2), served)
        .await
        .expect("it stops")
        .unwrap();
    assert!(in_flight.await.unwrap().ends_with("GET /slow 0"));
    assert!(TcpStream::connect(address).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let limit = Duration::from_millis(50);
    let Running {
        address,
        stop,
        served,
    } = run(Settings {
        stop_limit: limit,
        ..Settings::default()
    })
    .await;
    let in_flight =
        tokio::spawn(async move { exchange(address, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_millis(150), served)
        .await
        .expect("it stops")
        .unwrap();
    in_flight.abort();
}

/// Reads until the server closes, so many bytes at a time with a pause after each, and tells how much that was.
async fn read_slowly(address: SocketAddr, first: Duration, piece: usize, pause: Duration) -> usize {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    tokio::time::sleep(first).await;
    let (mut buffer, mut length) = (vec![0; piece], 0);
    while let Ok(read) = stream.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        length += read;
        tokio::time::sleep(pause).await;
    }
    length
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_left() {
    let settings = || Settings {
        answer_silence_limit: Duration::from_millis(300),
        answer_limit: Duration::from_mins(1),
        ..Settings::default()
    };
    let server = run(settings()).await;
    // Nothing is taken for longer than that.
    let silent = read_slowly(
        server.address,
        Duration::from_millis(900),
        1_000_000,
        Duration::ZERO,
    )
    .await;
    assert!(silent < LARGE, "{silent}");
    // Slowly, but all the time.
    let slow = read_slowly(
        server.address,
        Duration::ZERO,
        1_000_000,
        Duration::from_millis(10),
    )
    .await;
    assert!(slow > LARGE, "{slow}");
    // All the time, but too slowly in all.
    let hurried = run(Settings {
        answer_limit: Duration::from_millis(300),
        ..settings()
    })
    .await;
    let trickling = read_slowly(
        hurried.address,
        Duration::ZERO,
        500_000,
        Duration::from_millis(40),
    )
    .await;
    assert!(trickling < LARGE, "{trickling}");
}
