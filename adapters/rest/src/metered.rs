//! A store whose time and rows are put down to the request that it works for.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use rowstamp_domain::operation::{Operation, Outcome};
use rowstamp_ports::{Meter, RecordStore, StoreContext, StoreError, UnitOfWork};

/// The store behind a Controller.
pub(crate) struct Metered(pub(crate) Arc<dyn RecordStore>);

impl Metered {
    /// The operation goes to the store at once, so that no future on the way has to hold it.
    pub(crate) fn execute<'a>(
        &'a self,
        operation: Operation,
        context: &'a StoreContext,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send + 'a {
        let began = Instant::now();
        let work = self.0.execute(operation, context);
        async move {
            let result = work.await;
            took(&context.meter, began, &result);
            result
        }
    }

    pub(crate) async fn begin(&self, context: &StoreContext) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let began = Instant::now();
        let unit = self.0.begin(context).await;
        context.meter.store_took(began.elapsed());
        Ok(Box::new(MeteredUnit {
            unit: unit?,
            meter: Arc::clone(&context.meter),
        }))
    }

    pub(crate) async fn ready(&self, deadline: Option<Instant>) -> Result<(), StoreError> {
        self.0.ready(deadline).await
    }
}

struct MeteredUnit {
    unit: Box<dyn UnitOfWork>,
    meter: Arc<Meter>,
}

#[async_trait]
impl UnitOfWork for MeteredUnit {
    async fn execute(&mut self, operation: Operation) -> Result<Outcome, StoreError> {
        let began = Instant::now();
        let result = self.unit.execute(operation).await;
        took(&self.meter, began, &result);
        result
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let began = Instant::now();
        let result = self.unit.commit().await;
        self.meter.store_took(began.elapsed());
        result
    }

    async fn rollback(self: Box<Self>) -> Result<(), StoreError> {
        let began = Instant::now();
        let result = self.unit.rollback().await;
        self.meter.store_took(began.elapsed());
        result
    }
}

fn took(meter: &Meter, began: Instant, result: &Result<Outcome, StoreError>) {
    meter.store_took(began.elapsed());
    if let Ok(outcome) = result {
        // A write that answers with its rows has written those.
        meter.count_rows(outcome.returned.max(outcome.affected));
    }
}
