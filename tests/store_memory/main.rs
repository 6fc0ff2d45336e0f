//! The store in memory, held to the contract of every store.

use std::sync::Arc;

use async_trait::async_trait;
use rowstamp_domain::definition::ApiDefinition;
use rowstamp_memory::MemoryStore;
use rowstamp_ports::RecordStore;
use rowstamp_tests::contract::StoreFactory;
use rowstamp_tests::store_contract;

struct Memory(MemoryStore);

#[async_trait]
impl StoreFactory for Memory {
    async fn open(api: Arc<ApiDefinition>) -> Self {
        Self(MemoryStore::new(api))
    }

    fn store(&self) -> Arc<dyn RecordStore> {
        Arc::new(self.0.clone())
    }

    async fn close(self) {}
}

store_contract!(Memory);
