/*
 * board.h - the scoreboard's mapping (reforkd/scoreboard.h), and how rows are
 * written and read.
 *
 * Runs in:    master (makes it), mold and workers (map it), t/
 * Owns:       the memfd and the mapping
 * After fork: the mapping is shared by design
 * Raises:     never
 */
#ifndef IPC_BOARD_H
#define IPC_BOARD_H

#include <stdbool.h>
#include <sys/types.h>

#include <reforkd/scoreboard.h>

/* Makes the memfd (sparse) and maps it: NULL with errno set. *give_fd stays
 * open. */
struct rfk_board *board_make(int *give_fd);
/* Rows for so many pools, before the first process of the last of them. */
int board_grow(int fd, uint32_t pools); /* 0, -errno */
/* Maps an inherited one after checking magic, size and protocol; keeps fd open.
 */
struct rfk_board *board_map(int fd);

/*
 * The rows of the pool that a row belongs to, and how many of them its workers
 * use; *workers (may be NULL): how many are wanted.
 */
const struct rfk_row *board_pool_rows(const struct rfk_board *,
    const struct rfk_row *mine, uint32_t *rows, uint32_t *workers);

/* The worker's side: its own row only. */
void board_row_born(
    struct rfk_row *, uint32_t generation, pid_t, uint64_t inherited);
void board_row_beat(struct rfk_row *, enum rfk_work, uint64_t now_ms);
/*
 * deadline 0 = none. method and path are not NUL-terminated. The counters
 * (requests, errors, refused ...) are the caller's to count, row->requests too.
 */
void board_unit_begin(struct rfk_row *, uint64_t now_ms, uint64_t deadline_ms,
    const char *method, size_t method_len, const char *path, size_t path_len);
/* The running unit has another deadline; not 0. */
void board_unit_extend(struct rfk_row *, uint64_t deadline_ms);
void board_unit_end(struct rfk_row *, enum rfk_work next, uint64_t now_ms);
void board_count(_Atomic uint64_t *counter, uint64_t n);
void board_count_us(_Atomic uint32_t *buckets, uint64_t us);

/* The reader's side: a copy in plain integers. */
struct board_view {
	uint32_t work, generation, kept, unsafe;
	int32_t pid;
	uint64_t born_ms, beat_ms, unit_ms, deadline_ms;
	uint64_t requests, inherited, errors, refused, accepted;
	uint64_t faults_start, faults_now, gc_count, gc_in_request;
	uint64_t gc_major_in, gc_hits, gc_waste, gc_in_us, gc_out_us;
	uint64_t gc_saved_us, gc_nursery, gc_pulls;
	uint64_t bytes_in, bytes_out;
	uint32_t queue_us[RFK_BUCKETS], service_us[RFK_BUCKETS];
	char method[24];
	char path[RFK_PATH_MAX]; /* NUL-terminated, control characters made '?'
				  */
};
void board_view(const struct rfk_row *, struct board_view *);
void board_row_clear(struct rfk_row *); /* master, when the worker is gone */
/* The value below which `percent` of the counts lie, in microseconds. */
uint64_t board_quantile_us(const uint32_t *buckets, double percent);

#endif
