//! Connections that cannot be made, and how often that is tried.

use futures_util::future::join_all;
use rowstamp_ports::{RecordStore as _, StoreError};

use crate::fixture::{Fixture, context, store};

#[tokio::test]
async fn a_refused_connection_is_tried_once_more_whatever_wants_it() {
    let library = Fixture::library().await;
    let reading = || library.reading(uuid::Uuid::now_v7());
    for mode in ["prepared", "unnamed"] {
        let proxy = library.proxy();
        proxy.set_refusing(true);
        let store = store(&proxy.url(), &[("ROWSTAMP_DB_STATEMENTS", mode)]);
        let one = context();
        assert_eq!(store.execute(reading(), &one).await, Err(StoreError::Unavailable));
        assert_eq!((one.meter.read().retries, proxy.connections()), (1, 2), "{mode}");
        let unit = context();
        assert_eq!(store.begin(&unit).await.err(), Some(StoreError::Unavailable));
        assert_eq!((unit.meter.read().retries, proxy.connections()), (1, 4), "{mode}");
        // Those who waited for an attempt that failed try as often as who made it.
        let contexts: Vec<_> = (0..6).map(|_| context()).collect();
        let all = contexts.iter().map(|context| store.execute(reading(), context));
        for result in join_all(all).await {
            assert_eq!(result, Err(StoreError::Unavailable), "{mode}");
        }
        for context in contexts {
            assert_eq!(context.meter.read().retries, 1, "{mode}");
        }
    }
}

#[tokio::test]
async fn a_server_whose_socket_is_not_there_yet_is_tried_once_more() {
    let library = Fixture::library().await;
    let store = store("postgres://u@%2Fnowhere%2Fat-all/x", &[]);
    let context = context();
    let found = store
        .execute(library.reading(uuid::Uuid::now_v7()), &context)
        .await;
    assert_eq!(found, Err(StoreError::Unavailable));
    assert_eq!(context.meter.read().retries, 1);
}
