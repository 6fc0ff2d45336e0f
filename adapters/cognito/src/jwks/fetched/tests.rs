//! How often an issuer is asked, and what counts meanwhile, with a clock that the tests move.
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fetch::FetchError;

use super::*;

const ISSUER: &str = "https://pool.example/a";

/// A server whose document can be changed, and which can be away or slow.
#[derive(Debug, Default)]
struct Server {
    asked: AtomicUsize,
    answer: RwLock<Answer>,
}

#[derive(Debug, Clone, Default)]
struct Answer {
    kids: Vec<&'static str>,
    is_away: bool,
    takes: Duration,
}

impl Server {
    fn with(kids: &[&'static str]) -> Arc<Self> {
        let server = Self::default();
        server.set(|answer| answer.kids = kids.to_vec());
        Arc::new(server)
    }

    fn set(&self, change: impl FnOnce(&mut Answer)) {
        change(&mut self.answer.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Fetch for Server {
    async fn get(&self, _url: &KeyUrl) -> Result<Vec<u8>, FetchError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.read().unwrap_or_else(PoisonError::into_inner).clone();
        tokio::time::sleep(answer.takes).await;
        if answer.is_away {
            return Err(FetchError::Status(500));
        }
        let modulus = "u".repeat(341) + "A";
        let keys: Vec<_> = answer
            .kids
            .iter()
            .map(|kid| format!(r#"{{"kty":"RSA","kid":"{kid}","e":"AQAB","n":"{modulus}"}}"#))
            .collect();
        Ok(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).into_bytes())
    }
}

fn keys(server: &Arc<Server>) -> FetchedKeys {
    let url = KeyUrl::parse("https://pool.example/keys").unwrap_or_else(|problem| panic!("{problem}"));
    let fetch: Arc<dyn Fetch> = Arc::<Server>::clone(server);
    FetchedKeys::new([(ISSUER.to_owned(), url)], &fetch)
}

/// Whether there is such a key; `None` when that cannot be known.
async fn has(keys: &FetchedKeys, kid: &str) -> Option<bool> {
    match keys.key(ISSUER, kid).await {
        Ok(key) => Some(key.is_some()),
        Err(IdentityError::Unavailable) => None,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_is_fetched_once_and_kept() {
    let server = Server::with(&["one"]);
    let keys = keys(&server);
    assert_eq!(server.asked(), 0, "nothing is fetched before it is needed");
    for _ in 0..3 {
        assert_eq!(has(&keys, "one").await, Some(true));
    }
    assert_eq!(server.asked(), 1);
    assert_eq!(
        keys.key("https://pool.example/b", "one").await,
        Ok(None),
        "another issuer"
    );
}

#[tokio::test(start_paused = true)]
async fn who_asks_at_the_same_time_shares_one_fetch() {
    let server = Server::with(&["one"]);
    server.set(|answer| answer.takes = Duration::from_millis(300));
    let keys = keys(&server);
    let asking: Vec<_> = (0..100)
        .map(|number| {
            let keys = keys.clone();
            let kid = if number % 2 == 0 { "one" } else { "invented" };
            tokio::spawn(async move { (kid, has(&keys, kid).await) })
        })
        .collect();
    for asked in asking {
        let (kid, found) = asked.await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found, Some(kid == "one"));
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn invented_names_ask_at_most_once_in_ten_seconds() {
    let server = Server::with(&["one"]);
    let keys = keys(&server);
    keys.warm_up().await;
    let begin = Instant::now();
    for number in 0..10_000 {
        assert_eq!(has(&keys, &number.to_string()).await, Some(false));
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    assert!(begin.elapsed() >= Duration::from_secs(100));
    assert!(server.asked() <= 11, "asked {} times in 100 s", server.asked());
    assert_eq!(has(&keys, "one").await, Some(true));
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_found_and_a_withdrawn_one_goes() {
    let server = Server::with(&["one"]);
    let keys = keys(&server);
    assert_eq!(has(&keys, "one").await, Some(true));
    server.set(|answer| answer.kids = vec!["one", "two"]);
    assert_eq!(has(&keys, "two").await, Some(false), "not asked again so soon");
    tokio::time::advance(REFETCH_INTERVAL).await;
    assert_eq!(has(&keys, "two").await, Some(true));
    server.set(|answer| answer.kids = vec!["two"]);
    assert_eq!(has(&keys, "one").await, Some(true));
    tokio::time::advance(REFRESH_AFTER).await;
    assert_eq!(has(&keys, "one").await, Some(false));
    assert_eq!(has(&keys, "two").await, Some(true));
    assert_eq!(server.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn known_keys_go_on_counting_while_the_pool_is_away() {
    let server = Server::with(&["one"]);
    let keys = keys(&server);
    assert_eq!(has(&keys, "one").await, Some(true));
    server.set(|answer| answer.is_away = true);
    tokio::time::advance(REFRESH_AFTER * 4).await;
    for _ in 0..100 {
        assert_eq!(has(&keys, "one").await, Some(true));
    }
    assert_eq!(server.asked(), 2, "one more look, and not again at once");
    tokio::time::advance(REFETCH_INTERVAL).await;
    assert_eq!(has(&keys, "two").await, None, "it may have come meanwhile");
    // What is no document is no reason to forget keys either.
    server.set(|answer| *answer = Answer::default());
    tokio::time::advance(REFRESH_INTERVAL).await;
    assert_eq!(has(&keys, "one").await, Some(true));
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_hangs_holds_up_nobody_whose_key_is_known() {
    let server = Server::with(&["one"]);
    let keys = keys(&server);
    keys.warm_up().await;
    server.set(|answer| answer.takes = Duration::from_secs(3));
    tokio::time::advance(REFRESH_AFTER).await;
    let begin = Instant::now();
    let first = {
        let keys = keys.clone();
        tokio::spawn(async move { has(&keys, "one").await })
    };
    tokio::task::yield_now().await;
    assert_eq!(has(&keys, "one").await, Some(true));
    assert_eq!(begin.elapsed(), Duration::ZERO, "only the first waits");
    assert_eq!(first.await.ok().flatten(), Some(true));
    assert!(begin.elapsed() <= REFRESH_PATIENCE + Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_was_never_reached_is_asked_again_soon() {
    let server = Server::with(&["one"]);
    server.set(|answer| answer.is_away = true);
    let keys = keys(&server);
    for _ in 0..50 {
        assert_eq!(has(&keys, "one").await, None);
    }
    assert_eq!(server.asked(), 1);
    server.set(|answer| answer.is_away = false);
    tokio::time::advance(FIRST_FETCH_INTERVAL).await;
    assert_eq!(has(&keys, "one").await, Some(true));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_gives_up_ends_no_fetch_that_others_wait_for() {
    let server = Server::with(&["one"]);
    server.set(|answer| answer.takes = Duration::from_secs(1));
    let keys = keys(&server);
    let gave_up = tokio::time::timeout(Duration::from_millis(10), keys.key(ISSUER, "one")).await;
    assert!(gave_up.is_err());
    assert_eq!(has(&keys, "one").await, Some(true));
    assert_eq!(server.asked(), 1);
}
