/* Who may collect: rows as its workers write them, threads as their processes.
 */
#include "worker/token.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "ipc/board.h"
#include "suite.h"

#define WORKERS 16
#define ROUNDS 2000

static struct rfk_board *board;

static void
setup(void)
{
	int fd;
	int i;

	board = board_make(&fd);
	ck_assert_ptr_nonnull(board);
	(void)close(fd);
	atomic_store(&board->pool[0].workers, WORKERS);
	for (i = 0; i < WORKERS; i++) {
		board_row_born(&board->row[i], 0, 100 + i, 0);
		atomic_store(&board->row[i].work, RFK_WORK_IDLE);
	}
}

static bool
take(int slot, bool must)
{
	return token_take(board, &board->row[slot], must);
}

static void
busy(int from, int to)
{
	for (; from < to; from++)
		atomic_store(&board->row[from].work, RFK_WORK_BUSY);
}

START_TEST(half_of_the_idle_workers_may)
{
	int i;

	for (i = 0; i < WORKERS / 2; i++)
		ck_assert(take(i, false));
	for (; i < WORKERS; i++) {
		ck_assert(!take(i, false));
		ck_assert_uint_eq(board->row[i].collecting, 0);
	}
	token_give(&board->row[3]);
	ck_assert(take(WORKERS - 1, false));
	ck_assert(!take(3, false));
}
END_TEST

START_TEST(one_alone_may_always)
{
	busy(1, WORKERS);
	ck_assert(take(0, false));
	token_give(&board->row[0]);
	atomic_store(&board->pool[0].workers, 1);
	ck_assert(take(0, false));
}
END_TEST

START_TEST(who_is_busy_is_not_idle)
{
	busy(2, WORKERS);
	ck_assert(take(0, false));
	ck_assert(!take(1, false));
	atomic_store(&board->row[2].work, RFK_WORK_IDLE);
	ck_assert(!take(1, false)); /* 2 of 3 */
	atomic_store(&board->row[3].work, RFK_WORK_IDLE);
	ck_assert(take(1, false)); /* 2 of 4 */
}
END_TEST

START_TEST(one_that_must_is_not_starved)
{
	int i;

	for (i = 0; i < WORKERS / 2; i++)
		ck_assert(take(i, false));
	ck_assert(take(WORKERS - 1, true));
	/* And is counted: one that leaves makes no room. */
	token_give(&board->row[0]);
	ck_assert(!take(0, false));
	token_give(&board->row[1]);
	ck_assert(take(0, false));
}
END_TEST

START_TEST(a_death_leaks_none)
{
	int i;

	for (i = 0; i < WORKERS / 2; i++)
		ck_assert(take(i, false));
	ck_assert(!take(WORKERS - 1, false));
	board_row_clear(&board->row[0]); /* as the master does it */
	board_row_clear(&board->row[1]);
	ck_assert(take(WORKERS - 1, false)); /* 7 of 14 */
}
END_TEST

START_TEST(a_board_that_lies_is_read_to_its_end_only)
{
	atomic_store(&board->pool[0].workers, (uint32_t)-1);
	ck_assert(take(0, false));
	atomic_store(&board->pool[0].workers, (uint32_t)-1 / 2);
	ck_assert(take(1, false));
}
END_TEST

static _Atomic int holders, most;

static void *
worker_run(void *arg)
{
	struct rfk_row *row = arg;
	int i, now, was;

	for (i = 0; i < ROUNDS; i++) {
		while (!token_take(board, row, false))
			(void)sched_yield();
		now = atomic_fetch_add(&holders, 1) + 1;
		was = atomic_load(&most);
		while (now > was &&
		       !atomic_compare_exchange_weak(&most, &was, now))
			;
		if (i % 8 == 0)
			(void)sched_yield(); /* let others see it taken */
		atomic_fetch_sub(&holders, 1);
		token_give(row);
	}
	return NULL;
}

START_TEST(never_more_at_once_and_each_has_its_turn)
{
	pthread_t thread[WORKERS];
	int i;

	for (i = 0; i < WORKERS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, worker_run,
				     &board->row[i]),
		    0);
	for (i = 0; i < WORKERS; i++)
		ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
	ck_assert_int_ge(most, 1);
	ck_assert_int_le(most, WORKERS / 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("token");
	TCase *t = tcase_create("token");

	suite_add_tcase(suite, t);
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, half_of_the_idle_workers_may);
	tcase_add_test(t, one_alone_may_always);
	tcase_add_test(t, who_is_busy_is_not_idle);
	tcase_add_test(t, one_that_must_is_not_starved);
	tcase_add_test(t, a_death_leaks_none);
	tcase_add_test(t, a_board_that_lies_is_read_to_its_end_only);
	tcase_add_test(t, never_more_at_once_and_each_has_its_turn);
	return suite_run(suite);
}
