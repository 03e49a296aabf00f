/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the engine's files share has short names in the sources and s2_ before them in
 * the objects: nothing that the linker or a stack trace sees of the engine can be taken
 * for something of the embedder's, and a probe finds all of it by one prefix. Read after
 * the embedder's headers, so that the names in those keep their meaning. The last three
 * are no functions of the linker, but a kernel's headers have them, too.
 */
#ifndef STAGE2_SRC_NAMES_H
#define STAGE2_SRC_NAMES_H

#define batch_add s2_batch_add
#define batch_page s2_batch_page
#define batch_pending s2_batch_pending
#define break_entry s2_break_entry
#define break_window s2_break_window
#define check_log s2_check_log
#define check_map s2_check_map
#define check_shared s2_check_shared
#define clean_barrier s2_clean_barrier
#define clear_way s2_clear_way
#define config_layout s2_config_layout
#define cursor_covers s2_cursor_covers
#define cursor_entry s2_cursor_entry
#define cursor_find s2_cursor_find
#define cursor_meta s2_cursor_meta
#define cursor_next s2_cursor_next
#define cursor_read s2_cursor_read
#define cursor_run s2_cursor_run
#define cursor_swap s2_cursor_swap
#define desc_before s2_desc_before
#define desc_keep_exec s2_desc_keep_exec
#define entry_describe s2_entry_describe
#define drain_own s2_drain_own
#define edges_need s2_edges_need
#define edges_split s2_edges_split
#define gather_add s2_gather_add
#define invalidate s2_invalidate
#define invalidate_all s2_invalidate_all
#define invalidate_local s2_invalidate_local
#define invalidate_page s2_invalidate_page
#define invalidate_places s2_invalidate_places
#define leaf_gone s2_leaf_gone
#define limbo_push s2_limbo_push
#define look_in_place s2_look_in_place
#define make_in_place s2_make_in_place
#define map_note s2_map_note
#define map_run s2_map_run
#define log_covers s2_log_covers
#define log_harvest s2_log_harvest
#define log_leaf s2_log_leaf
#define op_begin s2_op_begin
#define op_end s2_op_end
#define op_end_at s2_op_end_at
#define parked_done s2_parked_done
#define put_entry s2_put_entry
#define put_table s2_put_table
#define reserve_drain s2_reserve_drain
#define reserve_fill s2_reserve_fill
#define reserve_return s2_reserve_return
#define reserve_take s2_reserve_take
#define releases s2_releases
#define run_break s2_run_break
#define run_fits s2_run_fits
#define runs_widen s2_runs_widen
#define next_block s2_next_block
#define settle_edges s2_settle_edges
#define split_round s2_split_round
#define tables_to s2_tables_to
#define tell_late s2_tell_late
#define table_kill s2_table_kill
#define table_revive s2_table_revive
#define state_add s2_state_add
#define state_flag s2_state_flag
#define tag_free s2_tag_free
#define tag_new s2_tag_new
#define tag_take s2_tag_take
#define cursor_down s2_cursor_down
#define cursor_into s2_cursor_into
#define gather_leaf s2_gather_leaf
#define gather_entry s2_gather_entry
#define state_below s2_state_below
#define table_of s2_table_of
#define target_level s2_target_level
#define target_top s2_target_top
#define target_desc s2_target_desc
#define target_in_place s2_target_in_place
#define target_tables s2_target_tables
#define unmap_range s2_unmap_range
#define unmap_steps s2_unmap_steps
#define window_clean s2_window_clean
#define walk_any s2_walk_any
#define window_init s2_window_init
#define window_release s2_window_release
#define window_run s2_window_run
#define window_sweep s2_window_sweep
#define window_tell s2_window_tell

#define add_range s2_add_range
#define page_shift s2_page_shift
#define page_size s2_page_size

#endif /* STAGE2_SRC_NAMES_H */
