/*
 * board.c - the scoreboard, with threads as stand-ins for processes.
 */
#include "ipc/board.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "suite.h"

static struct rfk_board *board;
static int board_fd;

static void
setup(void)
{
	board = board_make(&board_fd);
	ck_assert_ptr_nonnull(board);
	ck_assert_int_ge(board_fd, 0);
}

START_TEST(a_new_board_is_sparse_sealed_and_cloexec)
{
	struct stat st;

	ck_assert_int_eq(fstat(board_fd, &st), 0);
	ck_assert_int_ge(
	    st.st_size, (off_t)(RFK_ROWS_MAX * sizeof(struct rfk_row)));
	ck_assert_int_lt(
	    st.st_size, (off_t)(RFK_BOARD_ROWS * sizeof(struct rfk_row)));
	ck_assert_int_le(st.st_blocks * 512, 2 * 4096);
	ck_assert_int_eq(ftruncate(board_fd, 0), -1);
	ck_assert_int_eq(fcntl(board_fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(atomic_load(&board->master_pid), getpid());
	ck_assert_uint_eq(sizeof(struct rfk_row) % 64, 0);
	ck_assert_uint_eq((uintptr_t)&board->row[1] % 64, 0);
}
END_TEST

START_TEST(two_mappings_see_each_other)
{
	struct rfk_board *other = board_map(board_fd);
	struct board_view view;

	ck_assert_ptr_nonnull(other);
	ck_assert_ptr_ne(other, board);
	ck_assert_int_eq(board_grow(board_fd, RFK_POOLS_MAX), 0);
	ck_assert_int_eq(board_grow(board_fd, 1), 0);
	board_row_born(&other->row[RFK_BOARD_ROWS - 1], 3, 42, 1000);
	board_view(&board->row[RFK_BOARD_ROWS - 1], &view);
	ck_assert_uint_eq(view.generation, 3);
	ck_assert_int_eq(view.pid, 42);
	ck_assert_uint_eq(view.inherited, 1000);
	ck_assert_uint_eq(view.work, RFK_WORK_BOOTING);
	ck_assert_uint_eq(view.born_ms, view.beat_ms);
	ck_assert_uint_eq(view.faults_start, view.faults_now);
}
END_TEST

START_TEST(a_child_writes_what_its_parent_reads)
{
	struct board_view view;
	pid_t pid = fork();

	if (pid == 0) {
		board_row_born(&board->row[5], 1, getpid(), 0);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	board_view(&board->row[5], &view);
	ck_assert_int_eq(view.pid, pid);
	ck_assert_uint_eq(view.work, RFK_WORK_BOOTING);
}
END_TEST

START_TEST(anything_else_is_no_board)
{
	struct stat st;
	int fd;

	ck_assert_int_eq(fstat(board_fd, &st), 0);
	ck_assert_ptr_null(board_map(-1));
	fd = memfd_create("not-a-board", MFD_CLOEXEC);
	ck_assert_ptr_null(board_map(fd));
	ck_assert_int_eq(errno, EPROTO);
	/* The right size, and nothing in it. */
	ck_assert_int_eq(ftruncate(fd, st.st_size), 0);
	ck_assert_ptr_null(board_map(fd));
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_int_eq(ftruncate(fd, st.st_size + 1), 0);
	ck_assert_ptr_null(board_map(fd));
	board->protocol++;
	ck_assert_ptr_null(board_map(board_fd));
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(a_unit_shows_its_request_and_its_deadline)
{
	struct rfk_row *row = &board->row[0];
	struct board_view view;

	board_row_born(row, 0, 1, 0);
	board_unit_begin(row, 100, 160, "GETx", 3, "/a\n\x7f\x01z?q", 8);
	board_view(row, &view);
	ck_assert_uint_eq(view.work, RFK_WORK_BUSY);
	ck_assert_uint_eq(view.unit_ms, 100);
	ck_assert_uint_eq(view.beat_ms, 100);
	ck_assert_uint_eq(view.deadline_ms, 160);
	ck_assert_str_eq(view.method, "GET");
	ck_assert_str_eq(view.path, "/a???z?q");
	board_unit_end(row, RFK_WORK_IDLE, 150);
	board_row_beat(row, RFK_WORK_DRAINING, 155);
	board_view(row, &view);
	ck_assert_uint_eq(view.work, RFK_WORK_DRAINING);
	ck_assert_uint_eq(view.unit_ms, 0);
	ck_assert_uint_eq(view.deadline_ms, 0);
	ck_assert_uint_eq(view.beat_ms, 155);
}
END_TEST

START_TEST(long_methods_and_paths_are_cut)
{
	struct rfk_row *row = &board->row[0];
	struct board_view view;
	char longest[1000];

	memset(longest, 'p', sizeof(longest));
	board_unit_begin(
	    row, 1, 2, longest, sizeof(longest), longest, sizeof(longest));
	board_view(row, &view);
	ck_assert_uint_eq(strlen(view.method), sizeof(view.method) - 1);
	ck_assert_uint_eq(strlen(view.path), sizeof(view.path) - 1);
	/* A row is a rumour: no NUL in it must not lead out of it. */
	memset(row->path, 'q', sizeof(row->path));
	memset(row->method, 'q', sizeof(row->method));
	board_view(row, &view);
	ck_assert_uint_eq(strlen(view.path), sizeof(view.path) - 1);
	ck_assert_uint_eq(strlen(view.method), sizeof(view.method) - 1);
}
END_TEST

START_TEST(a_writer_that_died_inside_is_not_waited_for)
{
	struct rfk_row *row = &board->row[0];
	struct board_view view;

	board_row_born(row, 0, 7, 0);
	board_unit_begin(row, 100, 160, "GET", 3, "/half", 5);
	atomic_fetch_add(&row->seq, 1);
	board_view(row, &view);
	ck_assert_str_eq(view.path, "?");
	ck_assert_str_eq(view.method, "?");
	ck_assert_int_eq(view.pid, 7);
	ck_assert_uint_eq(view.deadline_ms, 160);
	/* The row's next owner makes it whole again. */
	board_row_clear(row);
	board_view(row, &view);
	ck_assert_str_eq(view.path, "");
	ck_assert_int_eq(view.pid, 0);
	ck_assert_uint_eq(view.work, RFK_WORK_NONE);
	ck_assert_uint_eq(view.deadline_ms, 0);
}
END_TEST

static _Atomic int stop;

/* One letter and one number a unit: a reader that mixes two units sees it. */
static void *
work_units(void *p)
{
	struct rfk_row *row = p;
	char path[RFK_PATH_MAX];
	uint64_t n;

	for (n = 1; !atomic_load(&stop); n++) {
		size_t len = (size_t)(n % 100) + 1;

		memset(path, (int)('a' + n % 26), len);
		board_unit_begin(
		    row, n, n, path, len > 20 ? 20 : len, path, len);
		atomic_fetch_add(&row->requests, 1);
		board_count_us(row->service_us, n);
		board_unit_end(row, RFK_WORK_IDLE, n);
	}
	return NULL;
}

static void
check_unit(const struct board_view *view)
{
	size_t len = strlen(view->path), i;

	if (view->path[0] == '?' || len == 0)
		return;
	for (i = 0; i < len; i++)
		ck_assert_int_eq(view->path[i], view->path[0]);
	ck_assert_int_eq(view->method[0], view->path[0]);
	if (view->work != RFK_WORK_BUSY) {
		ck_assert_uint_eq(view->deadline_ms, 0);
		return;
	}
	ck_assert_uint_eq(view->deadline_ms, view->unit_ms);
	ck_assert_int_eq(view->path[0], (int)('a' + view->unit_ms % 26));
	ck_assert_uint_eq(len, view->unit_ms % 100 + 1);
}

START_TEST(a_reader_never_mixes_two_units)
{
	struct rfk_row *row = &board->row[9];
	uint64_t until_ms = clock_ms() + 300;
	struct board_view view;
	uint64_t requests = 0;
	int busy = 0;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, work_units, row), 0);
	while (clock_ms() < until_ms || busy == 0) {
		board_view(row, &view);
		check_unit(&view);
		ck_assert_uint_ge(view.requests, requests);
		requests = view.requests;
		if (view.work == RFK_WORK_BUSY && view.path[0] != '?')
			busy++;
	}
	atomic_store(&stop, 1);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

START_TEST(times_are_counted_in_the_bucket_above_them)
{
	struct rfk_row *row = &board->row[0];
	int i;

	board_count_us(row->queue_us, 0);
	ck_assert_uint_eq(atomic_load(&row->queue_us[0]), 1);
	for (i = 1; i < RFK_BUCKETS; i++) {
		board_count_us(row->queue_us, UINT64_C(1) << (i - 1));
		board_count_us(row->queue_us, (UINT64_C(1) << i) - 1);
		ck_assert_uint_eq(atomic_load(&row->queue_us[i]), 2);
	}
	board_count_us(row->queue_us, UINT64_MAX);
	ck_assert_uint_eq(atomic_load(&row->queue_us[RFK_BUCKETS - 1]), 3);
}
END_TEST

START_TEST(quantiles_are_bucket_limits)
{
	uint32_t buckets[RFK_BUCKETS] = { 0 };

	ck_assert_uint_eq(board_quantile_us(buckets, 99), 0);
	buckets[4] = 98;
	buckets[10] = 1;
	buckets[31] = 1;
	ck_assert_uint_eq(board_quantile_us(buckets, 0), 16);
	ck_assert_uint_eq(board_quantile_us(buckets, 50), 16);
	ck_assert_uint_eq(board_quantile_us(buckets, 98), 16);
	ck_assert_uint_eq(board_quantile_us(buckets, 99), 1024);
	ck_assert_uint_eq(board_quantile_us(buckets, 99.9), UINT64_C(1) << 31);
	ck_assert_uint_eq(board_quantile_us(buckets, 200), UINT64_C(1) << 31);
	memset(buckets, 0xff, sizeof(buckets));
	ck_assert_uint_eq(board_quantile_us(buckets, 100), UINT64_C(1) << 31);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board");
	TCase *tc = tcase_create("board");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_new_board_is_sparse_sealed_and_cloexec);
	tcase_add_test(tc, two_mappings_see_each_other);
	tcase_add_test(tc, a_child_writes_what_its_parent_reads);
	tcase_add_test(tc, anything_else_is_no_board);
	tcase_add_test(tc, a_unit_shows_its_request_and_its_deadline);
	tcase_add_test(tc, long_methods_and_paths_are_cut);
	tcase_add_test(tc, a_writer_that_died_inside_is_not_waited_for);
	tcase_add_test(tc, a_reader_never_mixes_two_units);
	tcase_add_test(tc, times_are_counted_in_the_bucket_above_them);
	tcase_add_test(tc, quantiles_are_bucket_limits);
	return suite_run(suite);
}
