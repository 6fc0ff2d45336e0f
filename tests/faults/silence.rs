//! Connections that fall silent while the server is well: whom it costs what.

use std::time::{Duration, Instant};

use rowstamp_ports::{RecordStore as _, StoreError};
use rowstamp_tests::tcp_proxy::Traffic;

use crate::fixture::{Fixture, store, within};

#[tokio::test]
async fn the_readiness_check_ends_in_a_second_and_the_next_one_finds_the_server() {
    let library = Fixture::library().await;
    let uid = library.book("one").await;
    for mode in ["prepared", "unnamed"] {
        let proxy = library.proxy();
        let store = store(&proxy.url(), &[("ROWSTAMP_DB_STATEMENTS", mode)]);
        assert_eq!(store.ready(None).await, Ok(()), "{mode}");
        proxy.open_links()[0].set_traffic(Traffic::Held);
        let begun = Instant::now();
        assert_eq!(store.ready(None).await, Err(StoreError::Unavailable), "{mode}");
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{mode}: {:?}",
            begun.elapsed()
        );
        assert_eq!(store.ready(None).await, Ok(()), "{mode}");
        assert!(
            store.execute(library.reading(uid), &within(2_000)).await.is_ok(),
            "{mode}"
        );
        // A server that answers nobody is told as soon.
        proxy.set_traffic(Traffic::Held);
        for deadline in [None, Some(Instant::now() + Duration::from_millis(100))] {
            let begun = Instant::now();
            assert_eq!(
                store.ready(deadline).await,
                Err(StoreError::Unavailable),
                "{mode}"
            );
            assert!(
                begun.elapsed() < Duration::from_secs(3),
                "{mode}: {:?}",
                begun.elapsed()
            );
        }
    }
}
