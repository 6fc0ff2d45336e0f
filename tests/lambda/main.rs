//! The real Lambda binary, driven through an emulated Runtime API with events of each kind, on a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answer;
mod bodies;
mod callers;
mod crud;
mod entrances;
mod event;
mod library;
mod life;
mod maintenance;
mod operations;
mod panics;
mod rust_definitions;
mod start;
mod tenants;
mod trouble;

use rowstamp_tests::route::Route;
use rowstamp_tests::tests_each_way;

tests_each_way! {
    [direct = Route::Direct, pooled = Route::Pooled]
    {
        crud {
            a_row_lives_behind_a_rest_api
            a_row_lives_behind_an_http_api
            a_row_lives_behind_a_function_url
            a_row_lives_behind_a_load_balancer
            a_row_lives_behind_a_load_balancer_with_multi_value_headers
        }
        entrances {
            a_row_made_through_any_entrance_is_the_same_row_and_the_same_answer
            a_refusal_is_the_same_through_any_entrance
        }
    }
}
