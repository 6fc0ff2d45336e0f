//! The core without a socket: requests to the Controller, rows in the in-memory store and, by the same tests, in PostgreSQL, directly and
//! behind a transaction pooler.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod app;
mod bulk;
mod carried;
mod conditional;
mod coverage;
mod crud;
mod documents;
mod hooks;
mod lists;
mod random;

use app::Store;
use rowstamp_tests::route::Route;
use rowstamp_tests::tests_each_way;

tests_each_way! {
    [memory = Store::Memory, direct = Store::Postgres(Route::Direct), pooled = Store::Postgres(Route::Pooled)]
    {
        crud {
            a_row_is_created_stamped_and_read_back
            put_replaces_and_what_was_read_can_be_sent_back
            put_creates_under_the_clients_uid
            patch_changes_what_is_given_and_nothing_without_anything
            delete_is_204_once_and_404_after
            a_list_is_ordered_paged_and_counted
            head_has_the_headers_of_get_and_no_body
            prefer_and_accept_say_what_a_write_answers_with
            one_row_of_a_list_comes_as_an_object_and_another_number_is_406
            who_may_create_but_not_read_gets_minimal
        }
        conditional {
            a_known_row_is_304_until_anything_about_it_changes
            of_two_writes_that_demand_the_same_version_one_succeeds
            conditions_on_a_row_that_is_not_there
            a_careful_resource_wants_a_condition_on_every_write_to_a_row
        }
        lists {
            a_walk_by_cursor_sees_each_row_once_in_any_order
            a_page_that_a_cursor_leads_to_says_not_where_it_stands
            a_cursor_is_good_for_its_list_alone
            cursors_survive_a_change_of_keys
            ranges_choose_rows_on_get_alone
            counts_tell_the_whole_and_an_offset_beyond_it_is_refused
            a_query_can_travel_in_a_body
            lists_come_as_csv_without_nulls_and_as_one_object
            rows_of_other_resources_are_embedded_under_their_own_rules
            a_row_can_be_had_with_others_in_it_and_then_has_no_tag
        }
        bulk {
            an_array_is_created_and_answered_as_postgrest_does
            every_violation_of_every_record_is_told_with_its_index
            a_conflict_names_the_record_and_keeps_all_out
            columns_decide_what_is_given_and_missing_what_is_not
            csv_is_taken_with_its_nulls_and_every_mistake
            rows_written_come_as_csv_too
            an_upsert_merges_what_is_there_and_creates_what_is_not
            an_upsert_goes_by_a_unique_set_and_can_pass_over
            an_upsert_of_a_row_out_of_reach_writes_nothing
            rows_that_match_are_changed_and_deleted
            a_number_of_rows_that_was_not_meant_writes_nothing
            a_write_that_is_rolled_back_answers_and_does_nothing
        }
        hooks {
            a_before_hook_changes_what_is_written_also_where_callers_may_not
            refusals_are_answered_in_their_own_words_and_undo_everything
            an_after_hook_that_refuses_rolls_back_the_row_and_its_own_writes
            read_hooks_narrow_and_redact_and_take_the_tag_away
            put_calls_the_hooks_of_what_it_turns_out_to_be
            a_hook_that_panics_is_answered_as_an_internal_error
            each_record_of_an_array_passes_its_hooks_and_one_refusal_undoes_all
            each_row_that_matches_passes_its_hooks_and_one_refusal_undoes_all
            where_a_hook_looks_at_what_was_written_only_fields_can_be_selected
        }
        coverage {
            every_resource_answers_every_caller_as_agreed_on
        }
        random {
            nothing_that_is_sent_is_answered_by_a_failure
        }
    }
}
