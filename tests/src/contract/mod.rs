//! What every record store must do: the clauses of `rowstamp_ports::RecordStore` and `rowstamp_domain::operation`, each a test.
//!
//! A clause knows nothing of the store it is run against. [`store_contract!`](crate::store_contract) makes the same list of tests for
//! each; how their tables come to be is the business of a [`StoreFactory`].

pub mod aggregates;
pub mod arrays;
mod bench;
pub mod bulk_inserts;
pub mod columns;
pub mod concurrency;
pub mod constraints;
pub mod counts;
pub mod cursors;
mod definitions;
pub mod delete_many;
pub mod deletes;
pub mod embeds;
pub mod inserts;
pub mod lists;
pub mod paths;
pub mod patterns;
mod queries;
pub mod reads;
pub mod replaces;
pub mod representations;
pub mod search;
pub mod types;
pub mod units;
pub mod update_many;
pub mod updates;
pub mod upserts;

pub use bench::{Bench, Step, StoreFactory, at, context, run, uid};
pub use definitions::library;
pub use queries::{aggregate, also, cast, column, embedded, of_embed};

/// Makes one test of each clause, for the stores that `$factory`, a [`StoreFactory`], opens.
///
/// Each test has a store of its own, so all of them can run at the same time.
#[macro_export]
macro_rules! store_contract {
    ($factory:ty) => {
        $crate::store_contract! { @clauses $factory;
            reads {
                a_row_is_found_with_its_version_and_all_its_columns_in_order
                no_row_is_not_found
                a_row_that_may_not_be_seen_is_not_found
                the_columns_asked_for_come_back_in_the_order_asked
                no_columns_at_all_are_an_empty_object
                a_row_comes_in_the_form_asked_for
                a_table_with_names_of_its_own_answers_with_ours
                a_table_without_stamps_has_no_version
            }
            lists {
                an_empty_page_is_found_and_is_an_empty_array
                a_page_comes_in_the_form_asked_for
                an_order_goes_by_its_terms_one_after_the_other
                a_page_begins_after_its_offset_and_ends_at_its_limit
                an_exact_count_is_of_all_matching_rows_that_may_be_seen
                a_condition_has_three_truths
                truth_values_are_told_apart
                patterns_match_as_like_does
                quotes_and_keywords_in_values_are_nothing_but_values
            }
            embeds {
                the_row_referred_to_is_an_object_or_null
                the_only_row_that_refers_is_an_object_or_null
                rows_that_refer_are_an_array_in_their_order
                rows_found_through_others_are_there_once
                rows_between_that_may_not_be_seen_lead_nowhere
                embedded_rows_that_may_not_be_seen_are_not_there
                an_embed_has_conditions_and_a_page_of_its_own
                embeds_nest
                a_resource_can_be_embedded_in_itself
                an_inner_embed_leaves_out_and_does_not_count_rows_without
                a_page_is_of_rows_that_have_their_inner_embeds
                a_condition_can_ask_whether_an_embed_has_a_row
                an_embed_that_shows_nothing_is_not_part_of_the_answer
                rows_can_be_ordered_by_the_row_they_refer_to
                spread_columns_of_one_row_stand_beside_the_rows_own
                spread_columns_of_several_rows_are_arrays
                an_embed_can_aggregate_its_rows
                groups_can_be_by_the_row_referred_to
                one_row_is_read_with_its_embeds
                what_was_written_is_shown_with_its_embeds
                without_nulls_embeds_have_none_either
                in_csv_embeds_are_json
                a_name_in_an_answer_can_be_any_text
                a_renamed_field_keeps_its_form
            }
            cursors {
                a_walk_by_one_field_meets_each_row_once
                a_walk_by_two_fields_in_any_directions_meets_each_row_once
                a_walk_by_an_embedded_row_meets_each_row_once
                a_walk_by_a_part_of_a_json_value_meets_each_row_once
                the_position_is_that_of_the_last_row_and_told_only_where_more_follow
                a_position_does_not_depend_on_the_form_nor_on_the_columns
                a_count_is_of_all_rows_whatever_the_position
                rules_and_conditions_hold_after_any_position
                a_walk_meets_each_row_once_while_others_come_and_go
                groups_are_walked_through_too
            }
            inserts {
                one_row_is_created_and_told_with_its_version_and_uid
                many_rows_are_created_and_come_back_in_the_order_given
                created_rows_come_in_the_form_asked_for
                a_column_that_is_not_given_is_null
                created_rows_that_may_not_be_seen_are_not_shown
                rows_that_a_rule_forbids_are_refused_and_so_are_all_others
                a_rule_speaks_of_the_stamps_too
                a_rule_speaks_of_columns_that_are_not_given_too
                a_rule_is_judged_before_a_conflict
                one_row_in_conflict_keeps_all_others_out
                many_rows_can_be_created_at_once
            }
            updates {
                a_row_is_changed_where_it_says_and_stamped
                a_field_can_be_cleared
                only_the_row_meant_is_changed
                an_anonymous_caller_is_stamped_as_null
                a_version_never_repeats_and_never_goes_back
                a_table_with_stamps_of_its_own_is_stamped_there
                a_table_without_stamps_is_changed_without
                an_update_is_judged_in_order
                preconditions_are_held_against_the_row
                every_field_that_differs_from_what_was_expected_is_named
                an_empty_set_writes_nothing_and_is_judged_all_the_same
                a_row_that_leaves_what_may_be_seen_is_changed_but_not_shown
                a_rule_about_the_stamps_sees_the_new_ones
                a_changed_row_comes_in_the_form_asked_for
                a_change_into_a_conflict_is_refused
            }
            replaces {
                where_there_is_no_row_it_is_created
                where_there_is_a_row_it_is_replaced_and_keeps_who_made_it
                the_same_again_is_written_again
                an_empty_set_is_written_all_the_same
                a_precondition_decides_before_a_row_is_created
                without_leave_to_create_no_row_is_not_found
                a_new_row_is_judged_by_the_rule_for_new_rows_alone
                a_new_row_that_may_not_be_seen_is_not_shown
                a_row_that_is_there_is_judged_as_an_update_is
                a_conflict_on_another_field_is_a_conflict_all_the_same
                a_table_without_stamps_is_replaced_too
            }
            deletes {
                a_row_is_gone_and_shown_as_it_was
                a_deletion_is_judged_in_order
                a_deleted_row_comes_in_the_form_asked_for
                a_row_that_others_refer_to_stays
                rows_that_refer_go_too_or_lose_their_reference_as_declared
            }
            bulk_inserts {
                ten_thousand_rows_with_arrays_are_created_in_one_operation
                a_number_of_new_rows_that_may_not_be_is_refused
            }
            upserts {
                a_merge_creates_what_is_not_there_and_changes_what_is
                a_merge_keeps_who_made_the_row_and_stamps_who_changed_it
                each_record_of_a_merge_changes_what_it_gives_alone
                a_merge_goes_by_fields_that_are_unique_together
                a_merge_that_sets_nothing_stamps_all_the_same
                a_row_out_of_reach_keeps_a_merge_from_writing_anything
                a_merge_tells_every_record_that_expects_something_else
                what_is_in_the_way_elsewhere_is_a_conflict_all_the_same
                rows_that_are_in_the_way_can_be_passed_over
                an_upsert_comes_in_the_form_asked_for
                a_number_of_upserted_rows_that_may_not_be_is_refused
                a_table_without_stamps_is_merged_too
                an_upsert_within_a_unit_sees_what_was_written_there
                of_all_that_merge_the_same_new_rows_one_creates_each
                no_merge_is_lost_and_every_version_differs
                of_all_that_pass_over_the_same_rows_one_creates_each
                random_upserts_do_what_a_plain_model_does
            }
            update_many {
                the_rows_that_match_are_changed_and_stamped_and_come_back_by_uid
                where_nothing_matches_or_nothing_is_set_nothing_is_changed
                only_rows_that_are_visible_and_in_reach_are_changed
                one_row_that_would_leave_the_reach_keeps_all_from_being_changed
                a_changed_row_that_may_not_be_seen_any_more_is_not_shown
                what_any_of_them_is_expected_to_have_is_told_where_it_has_not
                a_number_of_changed_rows_that_may_not_be_is_refused
                changed_rows_come_in_the_form_asked_for
                a_change_of_many_into_a_conflict_changes_none
                a_table_without_stamps_is_changed_too
                of_all_that_change_the_same_rows_none_fails_and_none_is_lost
                who_waited_changes_only_rows_that_still_match
            }
            delete_many {
                the_rows_that_match_are_gone_and_shown_as_they_were
                only_rows_that_are_visible_and_in_reach_are_deleted
                a_number_of_deleted_rows_that_may_not_be_is_refused
                deleted_rows_come_in_the_form_asked_for
                one_row_that_others_refer_to_keeps_all_where_they_are
                each_row_is_deleted_once
            }
            constraints {
                a_uid_is_used_once
                a_uid_of_another_name_is_told_by_ours
                fields_that_are_unique_together_conflict_together
                nulls_are_never_in_each_others_way
                two_records_of_one_body_can_be_in_each_others_way
                a_reference_leads_somewhere
                the_record_whose_reference_leads_nowhere_is_told
                a_required_field_is_not_null
                an_enum_has_its_values_alone
                a_number_too_large_for_its_column_is_refused
            }
            units {
                what_a_unit_wrote_is_there_when_it_is_committed
                a_unit_sees_what_it_wrote_and_others_do_not
                a_unit_that_is_rolled_back_did_nothing
                a_unit_that_is_dropped_did_nothing_and_is_in_nobodys_way
                a_unit_without_operations_ends_well
                a_verdict_does_not_end_a_unit
                an_error_leaves_nothing_but_the_way_back
                references_within_a_unit_hold_when_each_operation_ends
                a_deadline_that_has_passed_is_answered_so_and_nothing_is_written
                a_deadline_comes_also_while_another_writer_is_in_the_way
                a_store_with_its_tables_is_ready
            }
            types {
                text_comes_back_as_it_went
                whole_numbers_come_back_as_they_went
                floats_come_back_as_they_went
                decimals_keep_every_digit
                truth_values_and_uuids_come_back_as_they_went
                dates_and_times_come_back_as_they_went
                json_is_normalised_as_jsonb_is
                bytes_and_enums_come_back_as_they_went
                arrays_of_every_type_come_back_as_they_went
                values_order_as_their_type_does
                numbers_that_are_equal_are_one_value
            }
            aggregates {
                all_rows_are_one_group_where_nothing_groups
                rows_are_grouped_by_all_other_columns
                groups_go_by_what_the_column_is_cast_to
                results_of_aggregates_have_types_of_their_own
                columns_of_a_spread_embed_group_too
                embedded_rows_have_groups_of_their_own
            }
            arrays {
                arrays_contain_and_overlap_element_by_element
                arrays_of_every_type_can_be_looked_into
                json_contains_as_jsonb_does
            }
            columns {
                a_column_comes_under_the_name_asked_for
                a_renamed_column_is_written_as_its_field_is
                every_type_is_cast_to_text_as_postgresql_prints_it
                values_are_cast_between_types
                a_value_that_cannot_be_cast_is_refused
            }
            counts {
                a_count_does_not_depend_on_the_page
                only_what_matches_and_may_be_seen_is_counted
                an_estimate_is_exact_as_far_as_it_says_and_more_beyond
                rows_without_what_is_joined_do_not_count
            }
            paths {
                a_path_finds_a_part_or_null
                a_part_is_compared_as_text_or_as_json
                rows_can_be_ordered_by_a_part
                keys_of_a_path_are_nothing_but_values
            }
            patterns {
                a_regular_expression_is_found_anywhere_in_the_text
                what_is_no_regular_expression_is_refused
                a_pattern_can_be_one_of_several_or_each_of_them
                a_comparison_can_be_with_one_of_several_or_with_each
            }
            representations {
                stripped_rows_lack_the_members_that_are_null
                stripping_goes_into_json_values
                rows_that_the_answer_has_no_room_for_are_not_kept
                what_is_written_stays_so_where_the_answer_has_no_room_for_it
                csv_has_a_line_of_names_and_one_for_each_row
                embedded_rows_are_json_in_csv
                every_type_has_its_form_in_csv
                written_rows_come_in_every_form
            }
            search {
                words_are_found_as_the_kind_of_search_reads_them
                words_of_json_are_those_of_its_texts
                words_that_follow_no_syntax_are_refused
            }
            concurrency {
                of_all_that_demand_the_same_version_exactly_one_wins
                of_all_that_replace_the_same_version_exactly_one_wins
                versions_of_writers_at_the_same_moment_all_differ
                no_change_of_another_field_is_lost
                of_all_that_put_a_new_uid_one_creates_and_the_others_replace
                of_all_that_demand_an_absent_row_exactly_one_creates_it
                of_all_that_take_a_unique_value_exactly_one_gets_it
                a_row_is_deleted_once
                a_deletion_and_a_change_of_one_version_do_not_both_happen
                a_row_is_not_deleted_while_another_begins_to_refer_to_it
                who_waited_judges_the_row_as_it_became
                who_waited_for_a_deletion_finds_no_row
                who_waited_for_a_creation_replaces_or_conflicts
                a_page_and_its_count_are_of_one_moment
            }
        }
    };
    (@clauses $factory:ty; $($part:ident { $($clause:ident)* })*) => {$(
        mod $part {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $clause() {
                    $crate::contract::run::<$factory, _, _>($crate::contract::$part::$clause).await;
                }
            )*
        }
    )*};
}

#[cfg(test)]
mod tests {
    /// A clause that is written but not listed would never run.
    #[test]
    fn every_clause_is_listed() {
        let listed = include_str!("mod.rs");
        let parts = [
            include_str!("reads.rs"),
            include_str!("lists.rs"),
            include_str!("inserts.rs"),
            include_str!("updates.rs"),
            include_str!("replaces.rs"),
            include_str!("deletes.rs"),
            include_str!("bulk_inserts.rs"),
            include_str!("upserts.rs"),
            include_str!("update_many.rs"),
            include_str!("delete_many.rs"),
            include_str!("constraints.rs"),
            include_str!("units.rs"),
            include_str!("types.rs"),
            include_str!("aggregates.rs"),
            include_str!("arrays.rs"),
            include_str!("columns.rs"),
            include_str!("counts.rs"),
            include_str!("paths.rs"),
            include_str!("patterns.rs"),
            include_str!("representations.rs"),
            include_str!("search.rs"),
            include_str!("concurrency.rs"),
        ];
        let mut count = 0;
        for line in parts.iter().flat_map(|part| part.lines()) {
            if let Some(rest) = line.strip_prefix("pub async fn ") {
                let name = rest.split('(').next().unwrap_or_default();
                assert!(
                    listed.lines().any(|line| line.trim() == name),
                    "`{name}` is not listed"
                );
                count += 1;
            }
        }
        assert!(count > 80, "only {count} clauses were found");
    }
}
